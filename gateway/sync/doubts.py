"""Messages that were to be stored and are not there: a slow server may finish what was cut off long before.

They are looked for a while longer. What comes late is what the device asked for, unless it has asked again by
then: the message that was stored for that is the newer one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gateway.ports import State
from gateway.types import NO_DEVICE, UserId, Writing

__all__ = ["Doubt", "Doubts"]

PATIENCE = timedelta(hours=1)
"""How long after it was missed first a message may still come."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Of one message: when it was missed first (POSIX seconds), and up to which UID it was looked for.

    `replaced` says that its device had the same stored again since.
    """

    since: float
    looked: int
    replaced: bool = False


@dataclass(slots=True)
class Doubts:
    """Those about one mailbox, by marker. Whoever uses them holds the right to store messages there."""

    state: State
    user: UserId
    mailbox: str
    _of: dict[str, Doubt] = field(default_factory=dict)
    _saved: dict[str, Doubt] = field(default_factory=dict)

    @classmethod
    async def load(cls, state: State, user: UserId, mailbox: str) -> Doubts:
        """As they were saved."""
        doubts = cls(state, user, mailbox)
        value = await state.load_memo(user, NO_DEVICE, doubts._name)
        if value is not None:
            doubts._saved = {marker: Doubt(*values) for marker, values in json.loads(value).items()}
            doubts._of = dict(doubts._saved)
        return doubts

    async def save(self) -> None:
        """Keep them, if something changed."""
        if self._of == self._saved:
            return
        self._saved = dict(self._of)
        values = {marker: [one.since, one.looked, one.replaced] for marker, one in self._of.items()}
        value = json.dumps(values).encode() if values else None
        await self.state.save_memo(self.user, NO_DEVICE, self._name, value)

    def of(self, writing: Writing) -> Doubt | None:
        """What is known of a message; None: it was never missed."""
        return self._of.get(writing.marker)

    def missed(self, writing: Writing, looked: int, now: datetime) -> bool:
        """Note that it is not there up to a UID; False when there is no hope left."""
        before = self._of.get(writing.marker) or Doubt(now.timestamp(), looked)
        self._of[writing.marker] = replace(before, looked=max(looked, before.looked))
        return now.timestamp() - before.since < PATIENCE.total_seconds()

    def replace(self, missing: Iterable[Writing], writing: Writing) -> None:
        """Note which of those missing are made up for by one about to be stored, which is newer."""
        for one in missing:
            doubt, item = self._of.get(one.marker), writing.rewrite.item
            same = (writing.device, writing.collection) == (one.device, one.collection)
            again = writing.name == one.name or (item != 0 and item == one.rewrite.item)
            if doubt is not None and same and again:
                self._of[one.marker] = replace(doubt, replaced=True)

    def settled(self, writing: Writing) -> None:
        """Forget what was in doubt of a message."""
        self._of.pop(writing.marker, None)

    @property
    def _name(self) -> str:
        return f"doubt {self.mailbox}"
