"""What phones do with SendMail, SmartReply and SmartForward, before an SMTP server that may be unwilling."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.convergence.choices import Choices
from tests.convergence.ledger import Verdict
from tests.convergence.mailbox import message
from tests.convergence.network import Fate, NoReply
from tests.convergence.phone import Phone
from tests.convergence.play import Play, Step
from tests.convergence.properties import EMPTY
from tests.convergence.sending import Letter
from tests.convergence.store import Answered

HANG_UP_SECONDS = 0.1
"""In which the gateway ends sending for a phone that is gone."""
MARK_SECONDS = 5.0
"""In which the gateway marks originals, once it is asked for something."""


@contextmanager
def unwilling_smtp(play: Play, choices: Choices) -> Iterator[str]:
    """Perhaps have the SMTP server refuse, or die after DATA, while something is sent; says what it does."""
    kind = choices.number(0, 11)
    switches = play.world.sink.switches
    if kind == 0:
        switches.reply_data = "451 4.3.0 later"
    elif kind == 1:
        switches.reply_rcpt = "550 5.1.1 nobody"
    elif kind == 2:
        switches.die_after_data = True
    before = play.world.received()
    name = {0: "SMTP 4xx", 1: "SMTP 5xx", 2: "SMTP dies after DATA"}.get(kind, "")
    yield name
    if name:
        play.world.faults[name] += 1
    if switches.die_after_data:
        time.sleep(HANG_UP_SECONDS)
        # Not only this one: another phone may have hung up a moment ago.
        play.ledger.uncertain += play.world.received() - before
    switches.reply_data = switches.reply_rcpt = None
    switches.die_after_data = False


def _original(choices: Choices, phone: Phone) -> tuple[str, str] | None:
    """A message to answer, for three letters of four; mostly one of the INBOX."""
    held = sorted((name, phone.collection(name)) for name in phone.synced if name in phone.collections)
    items = [(name, item) for name, found in held for item in sorted(found.items)]
    received = [(name, item) for name, item in items if phone.path(name) == "INBOX"]
    if not items or choices.number(0, 3) == 0:
        return None
    return choices.pick(received or items if choices.number(0, 3) else items)


class Sends(Step):
    """A phone sends or answers a message, or tries again."""

    weight = 8

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self._answers: list[tuple[Letter, str]] = []
        """Each answer with the token of its original, where that was in the INBOX."""

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        letters = [errand for errand in phone.errands if isinstance(errand, Letter)]
        if not letters or choices.number(0, 3) == 0:
            token = play.world.new_token("s")
            letters.append(self._begun(choices, phone, token))
            phone.errands.append(letters[-1])
        letter = choices.pick(letters)

        def ask(fate: Fate, position: float) -> Answered:
            return phone.attempt(letter, fate, position)

        with unwilling_smtp(play, choices) as trouble:
            play.request(choices, phone, ask, f"send {letter.token}, answering {letter.original} {trouble}")

    def _begun(self, choices: Choices, phone: Phone, token: str) -> Letter:
        if choices.number(0, 1):
            self._read_mail(phone)
        letter = Letter(token, message(token), f"client-{token}", original=_original(choices, phone))
        letter.forward = choices.number(0, 1) == 1
        if letter.original is not None:
            folder, item = letter.original
            if phone.path(folder) == "INBOX":
                self._answers.append((letter, phone.collections[folder].items[item].token))
        return letter

    def _read_mail(self, phone: Phone) -> None:
        """Something comes that can be answered, and the phone gets it."""
        token = self.play.world.new_token("m")
        self.play.mail.deliver("INBOX", token)
        self.play.ledger.delivered(token, "INBOX", EMPTY)
        with suppress(NoReply):
            phone.folder_sync()
            inbox = [name for name in phone.synced if phone.path(name) == "INBOX"]
            for _ in range(3):
                phone.sync(inbox)

    def check(self) -> Verdict:
        """Originals are marked, unless somebody took them elsewhere before that could be done."""
        deadline = time.monotonic() + MARK_SECONDS
        while (missing := self._unmarked()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return Verdict(lost=missing)

    def _unmarked(self) -> list[str]:
        flags = self.play.mail.flags("INBOX")
        return [
            f"{keyword} of {original}, answered by {letter.token}"
            for letter, original in self._answers
            if letter.answered
            and original in flags
            and self.play.ledger.stayed(original)
            and (keyword := "$Forwarded" if letter.forward else "\\Answered") not in flags[original]
        ]
