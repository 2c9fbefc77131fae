"""The cursor of items: what one device knows of one folder of items, and what it is still to be told.

An immutable value. What changed is noted as due as soon as it is seen, whether or not this reply has room for
it: the change log is read once, and a long listing costs each window no more than the window.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway.items import ItemChange, ItemFolder, Numbers
from gateway.ports import Items

__all__ = ["NO_NUMBERS", "ItemCursor", "caught_up", "from_text", "to_text"]

NO_NUMBERS = Numbers()
_BEGINNING = datetime.min.replace(tzinfo=UTC)
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ItemCursor:
    """What a device knows of a folder of items.

    The items it `held`, as they were at `revision` of the folder, but for those `due`: of these it is to be
    told, whatever became of them; of those `answered`, answers to invitations are all that is new. Of those
    `doubtful` nobody knows whether it holds them: it is told that they are gone, and then what they are.

    `since` is the start of the filter window this was computed for (None: all items). `release` is the one
    that looked last for items that others could not render.
    """

    revision: int = 0
    since: datetime | None = None
    held: Numbers = NO_NUMBERS
    due: Numbers = NO_NUMBERS
    release: str = ""
    answered: Numbers = NO_NUMBERS
    doubtful: Numbers = NO_NUMBERS

    def pack(self) -> bytes:
        """The cursor as bytes for the store."""
        values = {
            "format": _FORMAT,
            "revision": self.revision,
            "since": self.since.isoformat() if self.since else None,
            "held": to_text(self.held),
            "due": to_text(self.due),
            "release": self.release,
            "answered": to_text(self.answered),
            "doubtful": to_text(self.doubtful),
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> ItemCursor:
        """The cursor `pack` made these bytes of; b"" is that of a device that knows nothing."""
        if not data:
            return cls()
        values = json.loads(data)
        since = values["since"]
        return cls(
            values["revision"],
            datetime.fromisoformat(since) if since else None,
            from_text(values["held"]),
            from_text(values["due"]),
            values["release"],
            from_text(values.get("answered", "")),  # which older releases did not note, nor
            from_text(values.get("doubtful", "")),
        )

    def shows(self, ends: datetime | None) -> bool:
        """Whether an item that ends then is in the window."""
        return self.since is None or ends is None or ends >= self.since

    @property
    def untold(self) -> Numbers:
        """All that the device is still to be told of."""
        return self.due | self.doubtful

    def doubting(self, numbers: Numbers) -> ItemCursor:
        """The cursor of a device that may hold these or not."""
        if not numbers:
            return self
        known = replace(self.owing(self.due - numbers), held=self.held - numbers)
        return replace(known, doubtful=self.doubtful | numbers)

    def owing(self, due: Numbers) -> ItemCursor:
        """The cursor with these due; what was not before is as if all of it were new."""
        return replace(self, due=due, answered=self.answered & self.due & due)

    def noting(self, changes: Iterable[ItemChange], revision: int) -> ItemCursor:
        """The cursor with changes due that were made up to a revision of the folder."""
        due: set[int] = set()
        settled: set[int] = set()
        answered: set[int] = set()
        for change in changes:
            if change.revision > revision:
                continue
            wanted = not change.gone and self.shows(change.ends)
            (due if wanted or change.number in self.held else settled).add(change.number)
            if change.alike is not None and change.alike <= self.revision:
                answered.add(change.number)
        told = (self.due | Numbers(due)) - Numbers(settled)
        slight = (self.answered - Numbers(due)) | (Numbers(answered) - (self.due - self.answered))
        return replace(self, revision=revision, due=told, answered=slight & told)


async def caught_up(
    items: Items, folder: ItemFolder, cursor: ItemCursor, since: datetime | None
) -> ItemCursor:
    """The cursor with all due that changed up to the folder's revision, or with the start of the window.

    Without news it reads nothing.
    """
    if cursor.since != since:
        cursor = await _moved(items, folder, cursor, since)
    if cursor.revision != folder.revision:
        changes = await items.item_changes(folder.id, cursor.revision)
        cursor = cursor.noting(changes, folder.revision)
    return cursor


async def _moved(items: Items, folder: ItemFolder, cursor: ItemCursor, since: datetime | None) -> ItemCursor:
    """The cursor with another start of the window."""
    before, after = cursor.since or _BEGINNING, since or _BEGINNING
    if not cursor.revision:  # nothing was told yet
        return replace(cursor, since=since)
    between = await items.items_ending(folder.id, min(before, after), max(before, after))
    numbers = Numbers(change.number for change in between)
    if after > before:
        due = (cursor.due - (numbers - cursor.held)) | (numbers & cursor.held)
    else:
        due = cursor.due | (numbers - cursor.held)
    return replace(cursor.owing(due), since=since)


def to_text(numbers: Numbers) -> str:
    """Numbers of items, as they are stored."""
    return base64.b64encode(numbers.serialize()).decode() if numbers else ""


def from_text(text: str) -> Numbers:
    """What `to_text` made."""
    return Numbers.deserialize(base64.b64decode(text)) if text else NO_NUMBERS
