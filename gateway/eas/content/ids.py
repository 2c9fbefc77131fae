"""Names of mail and of items on the wire: ServerId, FileReference and LongId.

MS-ASCMD 2.2.3.166.8 and 2.2.3.98, MS-ASAIRS 2.2.2.24.

A name says all that is needed to find the thing again: nothing is stored, and every device sees the same one.

- ServerId `{collection}:{uidvalidity}.{uid}`, for example `5:t1x9k2.317`
- FileReference `{ServerId}:{section}`, for example `5:t1x9k2.317:2.1`
- LongId: the ServerId with a mark of its user, in base64, which a search gives out and other commands take

What the gateway stores itself has numbers of its own:

- ServerId of an item `{collection}:{number}`, for example `i7:123`
- FileReference of an item's file `{ServerId}:f{number}`, for example `i7:123:f5`

UIDVALIDITY is written in base 36. No text of a user or of a message is part of a name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache

from gateway.errors import NotFound
from gateway.items import FileNumber, ItemNumber
from gateway.types import CollectionId, ServerId, UserId

__all__ = [
    "FileReference",
    "ItemFileName",
    "ItemName",
    "MessageName",
    "file_reference",
    "item_file_of",
    "item_file_reference",
    "item_server_id",
    "long_id",
    "parse_file_reference",
    "parse_item_file_reference",
    "parse_item_server_id",
    "parse_long_id",
    "parse_server_id",
    "server_id",
]

_MAX_NUMBER = 0xFFFFFFFF
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_COLLECTION = re.compile(r"[A-Za-z0-9_-]{1,44}")
_SERVER_ID = re.compile(rf"({_COLLECTION.pattern}):([0-9a-z]{{1,7}})\.([1-9][0-9]{{0,9}})", re.ASCII)
_ITEM_ID = re.compile(r"(i[1-9][0-9]{0,18}):([1-9][0-9]{0,9})", re.ASCII)
_ITEM_FILE = re.compile(rf"({_ITEM_ID.pattern}):f([1-9][0-9]{{0,18}})", re.ASCII)
_MARK_OCTETS = 6
_LONG_ID = re.compile(r"[A-Za-z0-9_-]{8,100}", re.ASCII)
_SECTION = re.compile(r"[1-9][0-9]{0,5}(?:\.[1-9][0-9]{0,5}){0,99}(?:~[1-9][0-9]{0,2})?", re.ASCII)


class MalformedId(NotFound):
    """An id of a form that this server never gave out."""


@dataclass(frozen=True, slots=True)
class MessageName:
    """What a ServerId of a mail stands for."""

    collection: CollectionId
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class FileReference:
    """What a FileReference stands for: one MIME part (`section` as in FETCH) of one message.

    "2~3" is the third file in part 2, a winmail.dat or a signed message.
    """

    collection: CollectionId
    uidvalidity: int
    uid: int
    section: str


def server_id(collection: CollectionId, uidvalidity: int, uid: int) -> ServerId:
    """The ServerId of a message, at most 64 characters. Raises ValueError for numbers out of range."""
    if not (_COLLECTION.fullmatch(collection) and 0 < uid <= _MAX_NUMBER and 0 <= uidvalidity <= _MAX_NUMBER):
        raise ValueError(f"no ServerId for {collection!r}, {uidvalidity}, {uid}")
    return ServerId(f"{collection}:{_base36(uidvalidity)}.{uid}")


def parse_server_id(text: str) -> MessageName:
    """What a ServerId names. Raises `MalformedId` for one that this server cannot have made."""
    match = _SERVER_ID.fullmatch(text)
    if match is None:
        raise MalformedId("ServerId of another form")
    uidvalidity, uid = int(match[2], 36), int(match[3])
    if uidvalidity > _MAX_NUMBER or uid > _MAX_NUMBER or _base36(uidvalidity) != match[2]:
        raise MalformedId("ServerId with numbers out of range")
    return MessageName(CollectionId(match[1]), uidvalidity, uid)


def file_reference(collection: CollectionId, uidvalidity: int, uid: int, section: str) -> str:
    """The FileReference of a part of a message. Raises ValueError for what is not the number of a part."""
    if not _SECTION.fullmatch(section):
        raise ValueError(f"no FileReference for section {section!r}")
    return f"{server_id(collection, uidvalidity, uid)}:{section}"


def parse_file_reference(text: str) -> FileReference:
    """What a FileReference names. Raises `MalformedId` for one that this server cannot have made."""
    name, separator, section = text.rpartition(":")
    if not separator or not _SECTION.fullmatch(section):
        raise MalformedId("FileReference of another form")
    message = parse_server_id(name)
    return FileReference(message.collection, message.uidvalidity, message.uid, section)


@dataclass(frozen=True, slots=True)
class ItemName:
    """What the ServerId of an item stands for."""

    collection: CollectionId
    number: ItemNumber


@dataclass(frozen=True, slots=True)
class ItemFileName:
    """What the FileReference of an item's file stands for."""

    item: ItemName
    file: FileNumber


def item_server_id(collection: CollectionId, number: ItemNumber) -> ServerId:
    """The ServerId of an item, at most 64 characters."""
    return ServerId(f"{collection}:{number}")


def parse_item_server_id(text: str) -> ItemName:
    """What a ServerId of an item names. Raises `NotFound` for any other."""
    match = _ITEM_ID.fullmatch(text)
    if match is None or int(match[2]) > _MAX_NUMBER:
        raise MalformedId("ServerId of another form")
    return ItemName(CollectionId(match[1]), int(match[2]))


def item_file_reference(collection: CollectionId, number: ItemNumber, file: FileNumber) -> str:
    """The FileReference of an item's file."""
    return f"{item_server_id(collection, number)}:f{file}"


def item_file_of(text: str) -> ItemFileName | None:
    """What a FileReference of an item's file names; None for one of another form."""
    match = _ITEM_FILE.fullmatch(text)
    return ItemFileName(parse_item_server_id(match[1]), int(match[4])) if match else None


def parse_item_file_reference(text: str) -> ItemFileName:
    """What a FileReference of an item's file names. Raises `NotFound` for any other."""
    found = item_file_of(text)
    if found is None:
        raise MalformedId("FileReference of another form")
    return found


def long_id(user: UserId, name: ServerId) -> str:
    """The LongId of a message or an item: at most 94 characters that need no escaping in a URL.

    It does not expire.
    """
    packed = _mark(user, name) + name.encode("ascii")
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def parse_long_id(user: UserId, text: str) -> MessageName | ItemName:
    """What a LongId names.

    Raises `NotFound` for one that was not given to this user, `MalformedId` for what is none.

    The mark keeps one user's LongId from meaning a message of another; what a user may read is decided by
    the mail server he is logged in to, and of items by the store.
    """
    try:
        if not _LONG_ID.fullmatch(text):
            raise MalformedId("LongId of another form")
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        name = packed[_MARK_OCTETS:].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise MalformedId("LongId of another form") from None
    if packed[:_MARK_OCTETS] != _mark(user, name):
        raise NotFound("LongId of another user")
    return parse_item_server_id(name) if _ITEM_ID.fullmatch(name) else parse_server_id(name)


def _mark(user: UserId, name: str) -> bytes:
    return hashlib.sha256(f"{user}\0{name}".encode()).digest()[:_MARK_OCTETS]


@lru_cache(maxsize=1024)  # of a window of messages it is the same UIDVALIDITY
def _base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits
