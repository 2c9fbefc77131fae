"""What the second mail program does, and the mail that comes in."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.play import Step
from tests.convergence.properties import PROPERTIES

OWN_MAILBOXES = ("Alpha", "Beta", "Gamma")
"""The mailboxes that come, go and change names."""


class Arrives(Step):
    """Mail comes in."""

    weight = 14

    def happens(self, choices: Choices) -> None:
        play = self.play
        mailbox = choices.pick(["INBOX", "INBOX", *play.mail.mailboxes()])
        for _ in range(choices.number(1, 4)):
            token = play.world.new_token("m")
            values = tuple(
                choices.pick(kind.values) if choices.number(0, 4) == 0 else kind.values[0]
                for kind in PROPERTIES
            )
            old = choices.number(0, 9) == 0
            play.mail.deliver(mailbox, token, values, old=old)
            play.ledger.delivered(token, mailbox, values, old=old)
            play.tell(f"{token} arrives in {mailbox}, {values} old={old}")


class Marked(Step):
    """Somebody reads, flags or sorts a message."""

    weight = 10

    def happens(self, choices: Choices) -> None:
        play = self.play
        if found := play.some_message(choices):
            mailbox, uid, token = found
            kind = choices.pick(PROPERTIES)
            value = choices.pick(kind.values)
            play.mail.mark(uid, kind, value)
            play.ledger.marked(token, kind, value)
            play.tell(f"{token} in {mailbox} is marked {kind}={value!r}")


class Moved(Step):
    """Somebody moves a message."""

    weight = 5

    def happens(self, choices: Choices) -> None:
        play = self.play
        if found := play.some_message(choices):
            mailbox, uid, token = found
            target = choices.pick(play.mail.mailboxes())
            if target != mailbox:
                play.mail.move(uid, target)
                play.ledger.moved(token, target)
                play.tell(f"{token} is moved from {mailbox} to {target}")


class Expunged(Step):
    """Somebody removes a message for good."""

    weight = 5

    def happens(self, choices: Choices) -> None:
        play = self.play
        if found := play.some_message(choices):
            mailbox, uid, token = found
            play.ledger.expunged(token)
            play.mail.expunge(uid)
            play.tell(f"{token} is expunged from {mailbox}")


class MailboxChanges(Step):
    """Somebody creates, renames, deletes or recreates a mailbox."""

    weight = 3

    def happens(self, choices: Choices) -> None:
        play = self.play
        there = play.mail.mailboxes()
        name = choices.pick(OWN_MAILBOXES)
        if name not in there:
            play.mail.create(name)
            play.tell(f"{name} is created")
            return
        free = [other for other in OWN_MAILBOXES if other not in there]
        kind = choices.number(0, 2)
        if kind == 0 and free:
            new = choices.pick(free)
            play.mail.rename(name, new)
            play.ledger.renamed(name, new)
            play.tell(f"{name} is renamed to {new}")
            return
        for held in play.mail.content(name).values():
            play.ledger.expunged(held.token)
        play.mail.delete(name)
        if kind == 2:
            play.mail.create(name)
        play.tell(f"{name} is deleted{' and made again' * (kind == 2)}")
