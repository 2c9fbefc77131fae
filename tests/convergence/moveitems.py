"""MoveItems as phones do it (MS-ASCMD 2.2.1.12): many messages in one request, each answered for itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.convergence.ledger import PLACE, Claim
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.store import Answered, Errand, Item, Refusal
from wbxml import Element, element
from wbxml.pages import Move as Page

_MOVED = "3"
_NOT_THERE = frozenset({"1", "2"})
_LATER = "7"


@dataclass(eq=False)
class MoveItems(Errand):
    """Messages on their way from one folder to another; the phone has them in the first until it is answered.

    What came to an end by then is not asked for again: `left` are the ids of the others.
    """

    source: str
    target: str
    left: list[str]
    claims: dict[str, Claim] = field(default_factory=dict)
    held: dict[str, Item] = field(default_factory=dict)
    token: str = ""

    @classmethod
    def of_items(cls, phone: Phone, source: str, target: str, items: list[str]) -> MoveItems:
        """Let the user of a phone move what is no mail, of which the ledger knows nothing."""
        held = phone.collections[source].items
        made = cls(source, target, items, held={item: held[item] for item in items})
        phone.errands.append(made)
        return made

    @classmethod
    def begin(cls, phone: Phone, source: str, target: str, items: list[str]) -> MoveItems:
        """Let the user of a phone move items."""
        made = cls(source, target, items)
        for item in items:
            held = made.held[item] = phone.collections[source].items[item]
            claim = made.claims[item] = Claim(held.token, PLACE, phone.path(target))
            phone.ledger.issued(claim)
        phone.errands.append(made)
        return made

    def attempt(self, phone: Phone, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        moves = (
            element(
                Page.Move,
                element(Page.SrcMsgId, item),
                element(Page.SrcFldId, self.source),
                element(Page.DstFldId, self.target),
            )
            for item in self.left
        )
        answer = phone.command("MoveItems", element(Page.MoveItems, *moves), fate, position)
        if answer is None:
            return "later"
        status = answer.child_text(Page.Status)
        if status is not None:
            return phone.later(f"MoveItems {status}", status in {"110", "111"})
        if [response.child_text(Page.SrcMsgId) for response in answer] != self.left:
            raise Refusal("MoveItems was answered for other items than it named")
        self.left = [
            item
            for item, response in zip(self.left, answer, strict=True)
            if self._is_left(phone, item, response)
        ]
        return "later" if self.left else "done"

    def _is_left(self, phone: Phone, item: str, response: Element) -> bool:
        """Take one answer; True when it has to be asked for again."""
        status = response.child_text(Page.Status) or ""
        phone.answers[f"MoveItems {status}"] += 1
        if status == _LATER:
            return True
        if status not in _NOT_THERE | {_MOVED}:
            raise Refusal(f"MoveItems was answered with Status {status}")
        if item in self.claims:
            phone.ledger.settled(self.claims[item], done=status == _MOVED)
        if status == _MOVED:
            name = response.child_text(Page.DstMsgId) or ""
            phone.brought(self.source, item, self.target, name, self.held[item])
        else:
            phone.stale = True
        return False
