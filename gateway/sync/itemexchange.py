"""What a device asks of a folder of items in one Sync, what it is told, and what is kept of that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.errors import Kind
from gateway.items import Item, Numbers
from gateway.sync.conflict import Policy
from gateway.sync.itemcursor import NO_NUMBERS, from_text, to_text
from gateway.sync.itemoperations import Answer, ItemOperation
from gateway.sync.keys import KeyUse
from gateway.sync.operations import fingerprint

__all__ = ["NOTHING", "ItemDelta", "ItemReply", "ItemRequest", "Record"]


def _no_filter(options: bytes) -> None:
    """Let all items through."""


def _server_wins(options: bytes) -> Policy:  # noqa: ARG001
    return Policy.SERVER_WINS


def _all_supported(options: bytes) -> None:
    """Nothing is ghosted."""


def _as_stored(options: bytes) -> bytes:
    return options


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """What a device asks of a folder of items in one Sync.

    `limit` is the largest number of server changes wanted. `answered` says that the reply holds more than
    outcomes and changes, and so needs a new key. `options` makes the sticky options to store of those stored,
    opaque here; `since` reads the start of the filter window out of them, `policy` who wins a conflict, and
    `supported` what is not ghosted (None: everything).
    """

    key: str
    operations: Sequence[ItemOperation] = ()
    get_changes: bool = True
    limit: int = 100
    answered: bool = False
    options: Callable[[bytes], bytes] = _as_stored
    since: Callable[[bytes], datetime | None] = _no_filter
    policy: Callable[[bytes], Policy] = _server_wins
    supported: Callable[[bytes], frozenset[str] | None] = _all_supported


@dataclass(frozen=True, slots=True)
class ItemDelta:
    """Server changes for a device.

    `removed` are gone from the folder (Delete), `aged` are outside the filter window (SoftDelete).
    """

    added: Sequence[Item] = ()
    changed: Sequence[Item] = ()
    removed: Numbers = NO_NUMBERS
    aged: Numbers = NO_NUMBERS

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed) + len(self.aged)


NOTHING = ItemDelta()


@dataclass(frozen=True, slots=True)
class ItemReply:
    """What to tell the device.

    `answers` are those to the request's operations, in order. `more` says that further changes wait.
    `options` are the sticky options in force. `noticed` says that the folder's owner has mail to send now.
    """

    use: KeyUse
    key: str = "0"
    answers: Sequence[Answer] = ()
    told: ItemDelta = NOTHING
    more: bool = False
    options: bytes = b""
    noticed: bool = False

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say: no operation, no change, the key still the same."""
        return self.use is KeyUse.CURRENT and not self.answers and not len(self.told) and not self.more


@dataclass(frozen=True, slots=True)
class Record:
    """What `SyncState.results` holds.

    The answers by the names of operations, and the items told. `asked` is the fingerprint of the operations
    of the first request; there may be answers to others, of repeats of it.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    added: Numbers = NO_NUMBERS
    changed: Numbers = NO_NUMBERS
    removed: Numbers = NO_NUMBERS
    aged: Numbers = NO_NUMBERS
    asked: str = ""

    def pack(self) -> bytes:
        told = [to_text(numbers) for numbers in (self.added, self.changed, self.removed, self.aged)]
        answers = {name: _packed(answer) for name, answer in self.answers.items()}
        values = {"answers": answers, "told": told, "asked": self.asked}
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Record:
        if not data:
            return cls(asked=_asked({}))
        values = json.loads(data)
        answers = {name: _unpacked(answer) for name, answer in values["answers"].items()}
        added, changed, removed, aged = map(from_text, values["told"])
        asked = values.get("asked") or _asked(answers)  # which older releases did not note
        return cls(answers, added, changed, removed, aged, asked)

    @classmethod
    def of(cls, answers: Mapping[str, Answer], told: ItemDelta) -> Record:
        """What is kept of a reply."""
        added, changed = (Numbers(item.number for item in items) for items in (told.added, told.changed))
        return cls(answers, added, changed, told.removed, told.aged, _asked(answers))


def _asked(answers: Mapping[str, Answer]) -> str:
    return fingerprint({name: answer.digest for name, answer in answers.items()})


def _packed(answer: Answer) -> list[Any]:
    made = [answer.refusal, answer.number, answer.uid, dict(answer.files), answer.digest]
    return [*made, True] if answer.incomplete else made


def _unpacked(values: list[Any]) -> Answer:
    refusal, *others = values
    return Answer(None if refusal is None else Kind(refusal), *others)
