"""What the gateway stores itself: calendars, address books, task lists, notes, and the items in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pyroaring import FrozenBitMap

from gateway.types import CollectionId, UserId

__all__ = [
    "Edit",
    "FileInfo",
    "FileNumber",
    "Item",
    "ItemChange",
    "ItemFolder",
    "ItemKind",
    "ItemNumber",
    "Notice",
    "NoticeFile",
    "Numbers",
    "PendingNotice",
    "Right",
    "StoredItem",
]

ItemNumber = int
"""Names an item in the whole store, for good (unsigned 32-bit, from 1); never used for another."""
FileNumber = int
"""Names a file of an item in the whole store, for good."""
Numbers = FrozenBitMap
"""A set of item numbers, immutable, compressed."""


class ItemKind(StrEnum):
    """What a folder holds."""

    CALENDAR = "calendar"
    CONTACTS = "contacts"
    TASKS = "tasks"
    NOTES = "notes"
    RECIPIENTS = "recipients"
    """To whom the user writes: the recipient information cache, one for each user."""


class Right(StrEnum):
    """What a user may do with a folder."""

    OWNER = "owner"
    """Everything, also share and delete it."""
    WRITE = "write"
    READ = "read"


@dataclass(frozen=True, slots=True)
class ItemFolder:
    """A folder of items, as one user sees it.

    `id` is the same for everybody who sees it, and never that of a mailbox: "i" and a number. `default` is
    the one of its kind that every phone expects; a user has one of each kind. `parent` is the owner's folder
    above it, "" at the root and for everybody else. `revision` is that of the newest change of an item in it,
    and only grows.
    """

    id: CollectionId
    owner: UserId
    kind: ItemKind
    name: str
    default: bool = False
    parent: str = ""
    revision: int = 0
    right: Right = Right.OWNER


@dataclass(frozen=True, slots=True)
class StoredItem:
    """What is to be stored of an item.

    `text` is the canonical form: an iCalendar object or a vCard, with all that programs ever put into it.
    `uid` is that of the text, unique in a folder. `starts` and `ends` (aware) bound the time the item
    concerns: from the start of its first occurrence to the end of the last. None is "always was" and "for
    ever": that of a series without end, of an open task, of a contact. `files` are those the text refers to,
    and of no other item; other files of the item are forgotten.
    """

    uid: str
    text: str
    starts: datetime | None = None
    ends: datetime | None = None
    files: frozenset[FileNumber] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """An item as it is stored. `revision` is that of the folder when it was last changed."""

    number: ItemNumber
    folder: CollectionId
    revision: int
    stored: StoredItem
    created: datetime
    modified: datetime


@dataclass(frozen=True, slots=True)
class ItemChange:
    """The newest change of one item: that it is there (`gone` False), or not any more.

    `starts` and `ends` are those of `StoredItem` after it. `alike` is the oldest revision of the item that
    this one differs from by answers to invitations alone; None: there is none.
    """

    number: ItemNumber
    revision: int
    gone: bool
    starts: datetime | None = None
    ends: datetime | None = None
    alike: int | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one item, for `Items.commit`.

    `based_on` is the revision of the item it was made from, 0 for a new one: should the item be at another
    one by now, nothing of the commit is done. `stored` None deletes it. `answers`: nothing changes in it but
    answers to invitations, so that who changes it without knowing of that is in conflict with nobody.
    """

    number: ItemNumber
    based_on: int
    stored: StoredItem | None
    answers: bool = False


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file of an item. `size` counts octets."""

    number: FileNumber
    name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class NoticeFile:
    """A file of an event that goes out with mail about it; texts call it by its `content_id`."""

    number: FileNumber
    content_id: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A scheduling message that is to be mailed for a change, stored with it (RFC 6047).

    `key` names it among those of its user: storing one of the same key again changes nothing. `message` is
    the mail without its `files`, which are those of items of the folder of the commit; `recipients` are the
    addresses it goes to. What is about the same `event` reaches a recipient in the order in which it was
    stored; "" is about none.
    """

    key: str
    recipients: tuple[str, ...]
    message: bytes = field(repr=False)
    event: str = ""
    files: tuple[NoticeFile, ...] = ()


@dataclass(frozen=True, slots=True)
class PendingNotice:
    """A notice that waits to be mailed; one that has no recipients any more, to be copied to Sent.

    `free` are the recipients for whom no earlier one waits. `apart`: it is one of several with this message.
    `tried` is when it could not be mailed for the first time. `files` describes those of the notice.
    """

    notice: Notice
    free: tuple[str, ...] = ()
    apart: bool = False
    tried: datetime | None = None
    files: tuple[FileInfo, ...] = ()
