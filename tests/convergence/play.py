"""One user's story: what phones, the second mail program and bad luck do, step by step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from tests.convergence.choices import Choices
from tests.convergence.habits import ALL, Habits
from tests.convergence.ledger import Ledger
from tests.convergence.mailbox import MailProgram, message
from tests.convergence.network import Fate, NoReply
from tests.convergence.phone import Phone
from tests.convergence.store import Answered, Letter, Refusal, Verb
from tests.convergence.world import World

OWN_MAILBOXES = ("Alpha", "Beta", "Gamma")
"""The mailboxes that come, go and change names."""
FATES = (*[Fate.ARRIVES] * 12, *[fate for fate in Fate if fate is not Fate.ARRIVES])
HANG_UP_SECONDS = 0.1
"""In which it ends sending for a phone that is gone."""


class Play:
    """A story about one user. Each public method with `choices` is a step."""

    def __init__(self, world: World, kinds: Sequence[Habits] = ALL[:3]) -> None:
        self.world = world
        self.user = world.new_user()
        self.ledger = Ledger()
        self.mail = MailProgram(world.dovecot, self.user)
        self.told: list[str] = []
        """What happened, one line for each step."""
        self._devices = 0
        self.retired: list[Phone] = []
        self.phones = [self._new_phone(habits) for habits in kinds]

    def close(self) -> None:
        """Log the second mail program out."""
        self.mail.close()

    def _new_phone(self, habits: Habits) -> Phone:
        self._devices += 1
        return self.world.phone(self.user, f"DEVICE{self._devices}", habits, self.ledger)

    def _tell(self, line: str) -> None:
        self.told.append(line)

    def step(self, choices: Choices, action: Callable[[Play, Choices], None]) -> None:
        """Do one of `STEPS`."""
        self.world.ensure_alive(self.ledger)
        action(self, choices)

    # --- the second mail program ---------------------------------------------------------------------------

    def arrives(self, choices: Choices) -> None:
        """Mail comes in."""
        mailbox = choices.pick(["INBOX", "INBOX", *self.mail.mailboxes()])
        for _ in range(choices.number(1, 4)):
            token = self.world.new_token("m")
            marks = choices.number(0, 9)
            read, flagged, old = marks in (1, 2), marks in (2, 3), marks == 4
            self.mail.deliver(mailbox, token, read=read, flagged=flagged, old=old)
            self.ledger.delivered(token, mailbox, read=read, flagged=flagged, old=old)
            self._tell(f"{token} arrives in {mailbox}, read={read} flagged={flagged} old={old}")

    def marked_elsewhere(self, choices: Choices) -> None:
        """Somebody reads or flags a message."""
        if found := self._some_message(choices):
            mailbox, uid, token = found
            verb, on = choices.pick((Verb.READ, Verb.FLAG)), choices.number(0, 1) == 1
            self.mail.mark(uid, verb, on=on)
            self.ledger.marked(token, verb, on=on)
            self._tell(f"{token} in {mailbox} is marked {verb.value}={on}")

    def moved_elsewhere(self, choices: Choices) -> None:
        """Somebody moves a message."""
        if found := self._some_message(choices):
            mailbox, uid, token = found
            target = choices.pick(self.mail.mailboxes())
            if target != mailbox:
                self.mail.move(uid, target)
                self.ledger.moved(token, target)
                self._tell(f"{token} is moved from {mailbox} to {target}")

    def expunged_elsewhere(self, choices: Choices) -> None:
        """Somebody removes a message for good."""
        if found := self._some_message(choices):
            mailbox, uid, token = found
            self.ledger.expunged(token)
            self.mail.expunge(uid)
            self._tell(f"{token} is expunged from {mailbox}")

    def mailbox_changes(self, choices: Choices) -> None:
        """Somebody creates, renames, deletes or recreates a mailbox."""
        there = self.mail.mailboxes()
        name = choices.pick(OWN_MAILBOXES)
        if name not in there:
            self.mail.create(name)
            self._tell(f"{name} is created")
            return
        free = [other for other in OWN_MAILBOXES if other not in there]
        kind = choices.number(0, 2)
        if kind == 0 and free:
            new = choices.pick(free)
            self.mail.rename(name, new)
            self.ledger.renamed(name, new)
            self._tell(f"{name} is renamed to {new}")
            return
        for held in self.mail.content(name).values():
            self.ledger.expunged(held.token)
        self.mail.delete(name)
        if kind == 2:
            self.mail.create(name)
        self._tell(f"{name} is deleted{' and made again' * (kind == 2)}")

    def _some_message(self, choices: Choices) -> tuple[str, int, str] | None:
        mailbox = choices.pick(["INBOX", "INBOX", *self.mail.mailboxes()])
        unsent = self._unsent()
        held = {uid: one for uid, one in self.mail.content(mailbox).items() if one.token not in unsent}
        if not held:
            return None
        uid = choices.pick(sorted(held))
        return mailbox, uid, held[uid].token

    # --- phones --------------------------------------------------------------------------------------------

    def syncs(self, choices: Choices) -> None:
        """A phone syncs some folders, after its user did something."""
        phone = choices.pick(self.phones)
        if not phone.synced:
            self._request(choices, phone, phone.folder_sync, "FolderSync", first=phone.hierarchy_key == "0")
            return
        chosen = self._choose(choices, phone)
        self._act(choices, phone, chosen)
        partial = phone.habits.empty and choices.number(0, 2) == 0
        heartbeat = 1 if phone.habits.version >= "14" and choices.number(0, 59) == 0 else None

        def ask(fate: Fate, position: float) -> Answered:
            return phone.sync(chosen, fate, position, partial=partial, heartbeat=heartbeat)

        self._request(choices, phone, ask, f"Sync {chosen}")

    def syncs_folders(self, choices: Choices) -> None:
        """A phone brings its hierarchy up to date, from the start now and then (Gmail at each refresh)."""
        phone = choices.pick(self.phones)
        if choices.number(0, 4) == 0:
            phone.hierarchy_key = "0"
        self._request(choices, phone, phone.folder_sync, "FolderSync", first=phone.hierarchy_key == "0")

    def sends(self, choices: Choices) -> None:
        """A phone sends a message, or tries again; the SMTP server may be unwilling."""
        phone = choices.pick(self.phones)
        if not phone.outbox or choices.number(0, 3) == 0:
            token = self.world.new_token("s")
            phone.outbox.append(Letter(token, message(token), f"client-{token}"))
        letter = choices.pick(phone.outbox)
        unwilling = choices.number(0, 11)
        switches = self.world.sink.switches
        if unwilling == 0:
            switches.reply_data = "451 4.3.0 later"
        elif unwilling == 1:
            switches.reply_rcpt = "550 5.1.1 nobody"
        elif unwilling == 2:
            switches.die_after_data = True
        before = self.world.received()

        def ask(fate: Fate, position: float) -> Answered:
            return phone.send(letter, fate, position)

        self._request(choices, phone, ask, f"SendMail {letter.token} SMTP {unwilling}")
        if unwilling < 3:
            self.world.faults[("SMTP 4xx", "SMTP 5xx", "SMTP dies after DATA")[unwilling]] += 1
        if switches.die_after_data:
            time.sleep(HANG_UP_SECONDS)
            # Not only this one: another phone may have hung up a moment ago.
            self.ledger.uncertain += self.world.received() - before
        switches.reply_data = switches.reply_rcpt = None
        switches.die_after_data = False

    def two_at_once(self, choices: Choices) -> None:
        """Two phones sync at the same time, or one waits in a Ping meanwhile."""
        one, two = self.phones[:2]
        if not one.synced or not two.synced:
            return
        chosen = self._choose(choices, one), self._choose(choices, two)
        for phone, names in zip((one, two), chosen, strict=True):
            self._act(choices, phone, names)
        waits = choices.number(0, 5) == 0
        work: list[Callable[[], object]] = [lambda: one.sync(chosen[0]), lambda: two.sync(chosen[1])]
        if waits:
            work.append(lambda: one.ping(chosen[0], 1))
        self._tell(f"{one} syncs {chosen[0]} and {two} syncs {chosen[1]} at once, ping={waits}")
        with self.world.trouble(choices, self.ledger):
            _together(work)

    def late_copies_come(self, _: Choices) -> None:
        """What the network held back arrives."""
        for phone in self.phones:
            if count := phone.network.deliver_late():
                self._tell(f"{count} late copies from {phone}")

    def starts_anew(self, choices: Choices) -> None:
        """A user changes how far back a phone keeps mail, resyncs a folder, or an Outlook is restarted."""
        phone = choices.pick(self.phones)
        phone.network.deliver_late()
        if phone.habits.new_device and choices.number(0, 2) == 0 and not phone.outbox:
            phone.start_anew()
            self.retired.append(phone)
            self.phones[self.phones.index(phone)] = fresh = self._new_phone(phone.habits)
            self._tell(f"{phone} becomes {fresh}")
        elif phone.collections:
            name = choices.pick(sorted(phone.collections))
            if choices.number(0, 1):
                phone.collections[name].filter_type = new = choices.pick((0, 3, 5))
                self._tell(f"{phone} keeps FilterType {new} of {name}")
            else:
                phone.start_collection_anew(name)
                self._tell(f"{phone} begins {name} anew")

    def _choose(self, choices: Choices, phone: Phone) -> list[str]:
        """Folders for one Sync: those with something unanswered first, mostly."""
        names = phone.synced
        urgent = [name for name in names if phone.collection(name).unanswered]
        chosen = urgent[: phone.habits.collections] if choices.number(0, 3) else []
        while len(chosen) < choices.number(1, min(phone.habits.collections, len(names))):
            name = choices.pick(names)
            if name not in chosen:
                chosen.append(name)
        return chosen

    def _act(self, choices: Choices, phone: Phone, chosen: Sequence[str]) -> None:
        unsent = self._unsent()
        for name in chosen:
            held = phone.collection(name)
            for _ in range(choices.number(0, 2)):
                items = sorted(item for item, one in held.items.items() if one.token not in unsent)
                if not items or held.key == "0":
                    break
                item = choices.pick(items)
                verb = choices.pick((Verb.READ, Verb.READ, Verb.FLAG, Verb.DELETE))
                on = choices.number(0, 1) == 1
                self._tell(f"{phone}: {verb.value}={on} {held.items[item].token} ({item})")
                phone.do(name, verb, item, on=on)

    def _unsent(self) -> set[str]:
        """Messages still being sent or copied to Sent.

        Who removes a copy before the gateway knows that it is there gets a second one.
        """
        return {letter.token for phone in self.phones for letter in phone.outbox} | {*self.world.unfinished()}

    def _request(
        self,
        choices: Choices,
        phone: Phone,
        ask: Callable[[Fate, float], Answered],
        what: str,
        *,
        first: bool = False,
    ) -> None:
        """Make a request whose way is not safe."""
        fate = choices.pick(FATES)
        if first and fate in (Fate.LATE, Fate.OVERTAKEN):
            # SyncKey 0 of the hierarchy goes on with the keys there are, and two generations are kept: a late
            # copy may take the place of a key that the phone still needs.
            fate = Fate.REPLY_LOST
        position = choices.number(0, 100) / 100
        outcome = ""
        with self.world.trouble(choices, self.ledger):
            try:
                outcome = ask(fate, position)
            except NoReply as error:
                outcome = f"no reply: {error}"
            finally:
                self._tell(f"{phone} {what} {fate.name} {position}: {outcome}")
        if fate is not Fate.ARRIVES:
            self.world.faults[fate.name.lower().replace("_", " ")] += 1

    # --- the machine room ----------------------------------------------------------------------------------

    def killed_at_rest(self, _: Choices) -> None:
        """The gateway dies between two requests."""
        self._tell("the gateway is killed at rest")
        self.world.kill(self.ledger)

    def imap_restarts(self, _: Choices) -> None:
        """The IMAP server is restarted."""
        self._tell("Dovecot is restarted")
        self.world.restart_dovecot()


def _together(work: Sequence[Callable[[], object]]) -> None:
    """Do things at the same time; what was refused is raised here."""
    refused: list[Refusal] = []

    def do(one: Callable[[], object]) -> None:
        try:
            one()
        except NoReply:
            return
        except Refusal as error:
            refused.append(error)

    threads = [threading.Thread(target=do, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if refused:
        raise refused[0]


STEPS: Sequence[tuple[int, Callable[[Play, Choices], None]]] = (
    (14, Play.arrives),
    (10, Play.marked_elsewhere),
    (5, Play.moved_elsewhere),
    (5, Play.expunged_elsewhere),
    (3, Play.mailbox_changes),
    (44, Play.syncs),
    (6, Play.syncs_folders),
    (8, Play.sends),
    (4, Play.two_at_once),
    (3, Play.late_copies_come),
    (2, Play.starts_anew),
    (1, Play.killed_at_rest),
    (1, Play.imap_restarts),
)
"""The steps, each with how often it comes."""
