"""What a device may do with items, as values: the engine knows no kind of item, only what to do with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.errors import Kind
from gateway.items import FileNumber, Item, ItemNumber, Notice, StoredItem

__all__ = [
    "NO_FILES",
    "AddItem",
    "Answer",
    "ChangeItem",
    "DeleteItem",
    "Given",
    "ItemOperation",
    "Made",
    "Make",
    "NewFile",
    "Revise",
]

NO_FILES: Mapping[str, FileNumber] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file a device attaches. `client_id` is what the device calls it, for its content to be told by."""

    client_id: str
    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Given:
    """What an operation is done with that is known only when it is done.

    `supported` are the names of the elements the device listed in Supported (MS-ASCMD 2.2.3.178), None when
    it sent no such element; `files` are the numbers its new files got, by their `client_id`. `number` is that
    of the item; `answered` says that the device does not know of answers to invitations in it.
    """

    number: ItemNumber = 0
    supported: frozenset[str] | None = None
    files: Mapping[str, FileNumber] = field(default_factory=dict)
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """What comes of an operation.

    The item as it is to be stored (None: it goes), and what is mailed for it. Of a new one parts may have had
    to be left out: then it is `incomplete`. `beside` is another item that comes of it, where the operation
    said that one may (`ChangeItem.splits`): the device is told of both.

    Of the notices, `current` are the keys of those that say how the item is now, and `whole` of these the
    keys of those that say all of it: what earlier operations of the request had to say so to the same people
    is not mailed.
    """

    stored: StoredItem | None
    notices: Sequence[Notice] = ()
    incomplete: bool = False
    current: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    beside: StoredItem | None = None


Make = Callable[[Given], Made]
"""Makes a new item. Pure; may raise `Refused`, which refuses this operation alone."""
Revise = Callable[[Item, Given], Made]
"""Makes an item anew of what it is. Pure, called again should the item have changed; may raise `Refused`."""


@dataclass(frozen=True, slots=True)
class AddItem:
    """A new item. `client_id` names it in the request, `digest` tells apart what is to be added.

    `uid` is the UID it is going to have, or "" when the server makes one up: when an item of that UID is
    there already, no second one is made. `merge` is what the operation means for an item that is there.
    """

    client_id: str
    digest: str
    make: Make = field(repr=False)
    merge: Revise = field(repr=False)
    uid: str = ""
    files: Sequence[NewFile] = ()

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        return f"add:{self.client_id}"


@dataclass(frozen=True, slots=True)
class ChangeItem:
    """A changed item, or (`instance`) a changed occurrence of one; another item may come of it (`splits`)."""

    number: ItemNumber
    digest: str
    change: Revise = field(repr=False)
    instance: str = ""
    files: Sequence[NewFile] = ()
    splits: bool = False

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        return f"change:{self.number}:{self.instance}:{self.digest}"


@dataclass(frozen=True, slots=True)
class DeleteItem:
    """An item goes, or (`instance`) an occurrence of one.

    `change` makes the item without the occurrence; of a whole item it makes the notices that go out for it
    (None: there are none).
    """

    number: ItemNumber
    change: Revise | None = field(default=None, repr=False)
    instance: str = ""

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        return f"delete:{self.number}:{self.instance}"


ItemOperation = AddItem | ChangeItem | DeleteItem


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of an operation, kept for the device to ask again.

    `refusal` None is success. `number` and `uid` name the item, `files` are the numbers of its new files by
    their `client_id`. `digest` is that of an Add, `incomplete` says that parts of its item were left out.
    """

    refusal: Kind | None = None
    number: ItemNumber = 0
    uid: str = ""
    files: Mapping[str, FileNumber] = field(default_factory=dict)
    digest: str = ""
    incomplete: bool = False
