"""MoveItems as phones do it (MS-ASCMD 2.2.1.12): one message a request; it goes on under its new name."""

from __future__ import annotations

from tests.convergence.ledger import PLACE, Claim
from tests.convergence.network import Fate
from tests.convergence.phone import Phone
from tests.convergence.store import Answered, Errand
from wbxml import element
from wbxml.pages import Move

_MOVED = "3"
_LATER = "7"
_FAILED = frozenset({"1", "2", "5"})
"""The message or the target is gone, or the move is refused: the phone leaves it at that."""


class MoveMessage(Errand):
    """A message is moved. The phone's own copy goes when the answer says so, and keeps its properties."""

    def __init__(self, phone: Phone, item: str, source: str, target: str) -> None:
        self.token = ""
        self.left = (item,)
        self._held = phone.collections[source].items[item]
        self._item = item
        self._source = source
        self._target = target
        self._claim = Claim(self._held.token, PLACE, phone.path(target))
        phone.ledger.issued(self._claim)

    def __repr__(self) -> str:
        return f"{self._held.token} ({self._item}) to {self._claim.value}"

    def attempt(self, phone: Phone, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answered:
        request = element(
            Move.MoveItems,
            element(
                Move.Move,
                element(Move.SrcMsgId, self._item),
                element(Move.SrcFldId, self._source),
                element(Move.DstFldId, self._target),
            ),
        )
        answer = phone.command("MoveItems", request, fate, position)
        if answer is None:
            return "later"
        response = answer.find(Move.Response)
        status = answer.child_text(Move.Status) if response is None else response.child_text(Move.Status)
        if response is None or status not in {_MOVED, *_FAILED}:
            return phone.later(f"MoveItems {status}", status in {_LATER, "110", "111"})
        if status == _MOVED:
            name = response.child_text(Move.DstMsgId) or ""
            phone.brought(self._source, self._item, self._target, name, self._held)
        phone.ledger.settled(self._claim, done=status == _MOVED)
        return "done"
