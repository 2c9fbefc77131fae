"""What phones do with MoveItems."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.moving import MoveMessage
from tests.convergence.network import Fate
from tests.convergence.play import Step
from tests.convergence.steps.elsewhere import OWN_MAILBOXES
from tests.convergence.store import Answered


class Moves(Step):
    """A phone moves a message, or tries again. Where to, is a folder that keeps its name."""

    weight = 6

    def happens(self, choices: Choices) -> None:
        play = self.play
        phone = choices.pick(play.phones)
        moves = [errand for errand in phone.errands if isinstance(errand, MoveMessage)]
        if not moves:
            unsent = play.unsent()
            busy = {operation.item for held in phone.collections.values() for operation in held.unanswered}
            found = [
                (name, item)
                for name, held in sorted(phone.collections.items())
                for item, one in sorted(held.items.items())
                if one.token not in unsent and item not in busy
            ]
            if not found:
                return
            source, item = choices.pick(found)
            targets = [
                name for name in phone.synced if name != source and phone.path(name) not in OWN_MAILBOXES
            ]
            moves.append(MoveMessage(phone, item, source, choices.pick(targets)))
            phone.errands.append(moves[-1])
        move = choices.pick(moves)

        def ask(fate: Fate, position: float) -> Answered:
            return phone.attempt(move, fate, position)

        play.request(choices, phone, ask, f"MoveItems {move}")
