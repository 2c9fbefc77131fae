"""What phones do with MoveItems."""

from __future__ import annotations

from tests.convergence.choices import Choices
from tests.convergence.moveitems import MoveItems
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.play import Step
from tests.convergence.store import Answered

TARGETS = frozenset({"INBOX", "Archive", "Junk", "Trash"})
"""Mailboxes that nobody renames meanwhile, so that it can be said where a message has to be."""


class MovesItems(Step):
    """A phone moves messages, or tries again."""

    weight = 8

    def happens(self, choices: Choices) -> None:
        phone = choices.pick(self.play.phones)
        moves = [errand for errand in phone.errands if isinstance(errand, MoveItems)]
        if (not moves or choices.number(0, 3) == 0) and (made := self._begun(choices, phone)):
            moves.append(made)
        if not moves:
            return
        errand = choices.pick(moves)
        what = f"MoveItems {errand.left} to {errand.target}"

        def ask(fate: Fate, position: float) -> Answered:
            return phone.attempt(errand, fate, position)

        self.play.request(choices, phone, ask, what)

    def _begun(self, choices: Choices, phone: Phone) -> MoveItems | None:
        """Items that nothing else is being done with, on their way to another folder."""
        unsent, moving = self.play.unsent(), phone.moving
        free: dict[str, list[str]] = {}
        for name in phone.synced:
            held = phone.collections.get(name)
            if held is not None and held.key != "0":
                busy = {operation.item for operation in held.unanswered} | moving
                items = [item for item in sorted(held.items) if item not in busy]
                free[name] = [item for item in items if held.items[item].token not in unsent]
        sources = sorted(name for name, items in free.items() if items)
        if not sources:
            return None
        source = choices.pick(sources)
        targets = sorted(name for name in phone.synced if name != source and phone.path(name) in TARGETS)
        if not targets:
            return None
        chosen = sorted({choices.pick(free[source]) for _ in range(choices.number(1, 4))})
        return MoveItems.begin(phone, source, choices.pick(targets), chosen)
