"""What the operations of one request share: the Status values, how one fails, the names an answer repeats."""

from __future__ import annotations

from gateway.errors import NotFound
from gateway.sync.hierarchy import find, mailbox_of
from gateway.types import CollectionId, Folder, FolderList
from wbxml import Element, Tag
from wbxml.pages import AirSync, AirSyncBase, DocumentLibrary, Search
from wbxml.pages import ItemOperations as Page

SUCCESS = 1
PROTOCOL_ERROR = 2
BAD_RANGE = 8
UNKNOWN_STORE = 9
EMPTY_FILE = 10
TOO_LARGE = TOO_MANY = 11
BAD_ATTACHMENT = 15
PARTIAL_SUCCESS = 17
FORBIDDEN_TARGET = 105
MOVE_ALWAYS_MISSING = 155
NO_MAIL_FOLDER = 156
"""Values of Status (MS-ASCMD 2.2.3.177.8)."""

_NAMES = (
    AirSync.CollectionId,
    AirSync.ServerId,
    Search.LongId,
    DocumentLibrary.LinkId,
    AirSyncBase.FileReference,
    Page.ConversationId,
)


class Failed(Exception):
    """An operation failed with this Status."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.value = value


def named(operation: Element) -> list[Element]:
    """What the request called its object, to be repeated in the answer."""
    return [name for tag in _NAMES if (name := operation.find(tag)) is not None]


def only_options(options: Element | None, allowed: Tag) -> None:
    """Refuse other options than the one an operation has (MS-ASCMD 2.2.3.125.2). Raises `Failed`."""
    if options is not None and any(option.tag is not allowed for option in options):
        raise Failed(PROTOCOL_ERROR)


def folder_of(folders: FolderList, collection: CollectionId) -> tuple[Folder, str]:
    """The folder with this id and its mailbox. Raises `NotFound`."""
    folder = find(folders, collection)
    mailbox = mailbox_of(folder) if folder else None
    if folder is None or mailbox is None:
        raise NotFound("no such collection")
    return folder, mailbox
