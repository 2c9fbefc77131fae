"""What goes wrong between two requests. What goes wrong during one is chosen by `Play.request`."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.play import Step


class LateCopiesCome(Step):
    """What the network held back arrives."""

    weight = 3

    def happens(self, choices: Choices) -> None:
        for phone in self.play.phones:
            if count := phone.network.deliver_late():
                self.play.tell(f"{count} late copies from {phone}")


class TroubledAtRest(Step):
    """The gateway dies between two requests, or what else the stage has to go wrong."""

    weight = 1

    def happens(self, choices: Choices) -> None:
        self.play.tell(self.play.world.trouble_at_rest(choices, self.play.ledger))


class ImapRestarts(Step):
    """The IMAP server is restarted."""

    weight = 1

    def happens(self, choices: Choices) -> None:
        self.play.tell("Dovecot is restarted")
        self.play.world.restart_dovecot()
