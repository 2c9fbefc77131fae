"""Folders of items in the hierarchy: which kinds are served, how they are shown, and what a device changes.

Ids are given by the store. A user's own folders are below each other or at the root; those shared with him
are at the root, with their owner's name, and only their owner changes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.errors import AlreadyExists, Kind, NotFound, Refused
from gateway.items import ItemFolder, ItemKind, Right
from gateway.mail.headers import clean
from gateway.ports import Items
from gateway.sync.hierarchy import (
    LONGEST_NAME,
    NAMELESS,
    RECIPIENT_CACHE,
    ROOT,
    FolderRow,
    FolderType,
    unique,
)
from gateway.types import CollectionId, UserId

__all__ = [
    "SERVED",
    "ItemPlaces",
    "default_folder",
    "find",
    "is_item_folder",
    "is_item_name",
    "joined",
    "kind_of_type",
    "provide",
    "seen",
    "shown_id",
]


@dataclass(frozen=True, slots=True)
class _Shown:
    """How folders of a kind are shown: the types of the default one and of others, the first one's name."""

    default: FolderType
    other: FolderType
    name: str


_SHOWN: Mapping[ItemKind, _Shown] = {
    ItemKind.CALENDAR: _Shown(FolderType.CALENDAR, FolderType.USER_CALENDAR, "Calendar"),
    ItemKind.CONTACTS: _Shown(FolderType.CONTACTS, FolderType.USER_CONTACTS, "Contacts"),
    ItemKind.TASKS: _Shown(FolderType.TASKS, FolderType.USER_TASKS, "Tasks"),
    ItemKind.NOTES: _Shown(FolderType.NOTES, FolderType.USER_NOTES, "Notes"),
}
_NAMES: Mapping[ItemKind, str] = {
    ItemKind.RECIPIENTS: "Recipients",
    **{kind: shown.name for kind, shown in _SHOWN.items()},
}
SERVED: tuple[ItemKind, ...] = tuple(_SHOWN)
"""The kinds that devices get to see; beside them there may be a cache of recipients."""
_MOST_LEVELS = 50


def is_item_folder(identity: str) -> bool:
    """Whether an id can only be that of a folder of items: those of mailboxes are numbers."""
    return is_item_name(identity) or identity == RECIPIENT_CACHE


def is_item_name(identity: str) -> bool:
    """Whether a ServerId can only be that of an item: those of messages begin with a number."""
    return identity.startswith("i")


def shown_id(folder: ItemFolder) -> CollectionId:
    """What devices call a folder: that of recipients has a name of its own (MS-ASCMD 2.2.3.30)."""
    return CollectionId(RECIPIENT_CACHE) if folder.kind is ItemKind.RECIPIENTS else folder.id


def kind_of_type(folder_type: int | None) -> ItemKind | None:
    """The kind of item that a folder of a user-created type holds; None when none is served."""
    return next((kind for kind, shown in _SHOWN.items() if shown.other == folder_type), None)


async def find(items: Items, user: UserId, identity: CollectionId) -> ItemFolder | None:
    """The folder with this id, if the user sees it and its kind is served."""
    if identity == RECIPIENT_CACHE:
        return next((one for one in await seen(items, user) if one.kind is ItemKind.RECIPIENTS), None)
    folder = await items.item_folder(user, identity) if is_item_folder(identity) else None
    return folder if folder is not None and _is_shown(folder, user) else None


async def provide(items: Items, user: UserId, *, recipients: bool = False) -> Sequence[ItemFolder]:
    """The folders a user sees, by age; the default ones are made when there are none yet.

    `recipients`: also the cache of recipients, which is there where it was wanted once.
    """
    folders = await items.item_folders(user)
    made = {folder.kind for folder in folders if folder.default and folder.owner == user}
    wanted = _NAMES if recipients else _SHOWN
    missing = {kind: _NAMES[kind] for kind in wanted if kind not in made}
    if missing:
        folders = await items.provide_item_folders(user, missing)
    return _shown_of(folders, user)


async def seen(items: Items, user: UserId) -> Sequence[ItemFolder]:
    """The folders a user sees by now, by age."""
    return _shown_of(await items.item_folders(user), user)


def _shown_of(folders: Sequence[ItemFolder], user: UserId) -> Sequence[ItemFolder]:
    return [folder for folder in folders if _is_shown(folder, user)]


def _is_shown(folder: ItemFolder, user: UserId) -> bool:
    return folder.kind in _SHOWN or (folder.kind is ItemKind.RECIPIENTS and folder.owner == user)


async def default_folder(items: Items, user: UserId, kind: ItemKind) -> ItemFolder:
    """The user's default folder of a kind, made if there is none yet."""
    return await items.provide_item_folder(user, kind, _NAMES[kind])


def joined(rows: Sequence[FolderRow], folders: Sequence[ItemFolder], user: UserId) -> tuple[FolderRow, ...]:
    """A listing of mail with folders of items behind it: parents first, sibling names unique."""
    own = {folder.id for folder in folders if folder.owner == user}
    names: dict[str, set[str]] = {}
    for row in rows:
        names.setdefault(row.parent, set()).add(row.name.lower())
    told = list(rows)
    for folder in sorted(folders, key=lambda folder: _depth(folder, folders)):
        if folder.kind is ItemKind.RECIPIENTS:
            name = unique(folder.name, names.setdefault(ROOT, set()))
            told.append(FolderRow(shown_id(folder), ROOT, name, FolderType.RECIPIENT_CACHE))
            continue
        shown = _SHOWN[folder.kind]
        parent = folder.parent if folder.id in own and folder.parent in own else ROOT
        name = clean(folder.name)[:LONGEST_NAME] or NAMELESS
        if folder.id not in own:
            name = f"{name} ({folder.owner})"[:LONGEST_NAME]
        name = unique(name, names.setdefault(parent, set()))
        default = folder.default and folder.id in own
        told.append(FolderRow(folder.id, parent, name, shown.default if default else shown.other))
    return tuple(told)


def _depth(folder: ItemFolder, folders: Sequence[ItemFolder]) -> int:
    above = {one.id: one.parent for one in folders}
    depth, parent = 0, above[folder.id]
    while parent in above and depth < _MOST_LEVELS:
        depth, parent = depth + 1, above[CollectionId(parent)]
    return depth


class ItemPlaces:
    """The folders a user sees, `rows` the listing they are part of. Every method raises `Refused`."""

    def __init__(self, folders: Sequence[ItemFolder], rows: Sequence[FolderRow]) -> None:
        self._folders = {folder.id: folder for folder in folders}
        self._rows = rows

    def named(self, kind: ItemKind, parent: str, name: str) -> ItemFolder | None:
        """The user's own folder that is called so, in a place."""
        for folder in self._folders.values():
            if (folder.kind, folder.parent, folder.name) == (kind, parent, name) and self._is_own(folder):
                return folder
        return None

    def place(self, kind: ItemKind, parent: str) -> str:
        """What the store calls the place below a folder for one of a kind."""
        if parent == ROOT:
            return ""
        if parent == RECIPIENT_CACHE:
            raise Refused(Kind.RECIPIENT_CACHE, "no folder is below the recipient cache")
        above = self._folders.get(CollectionId(parent))
        if above is None and not any(row.id == parent for row in self._rows):
            raise Refused(Kind.PARENT_NOT_FOUND, "no such parent")
        if above is None or above.kind is not kind or not self._is_own(above):
            raise Refused(Kind.DEFAULT_FOLDER, "no folder of this kind can be below this one")
        return parent

    def own(self, identity: str) -> ItemFolder:
        """A folder that its user may rename, move or delete."""
        if identity == RECIPIENT_CACHE:
            raise Refused(Kind.RECIPIENT_CACHE, "the recipient cache stays as it is")
        folder = self._folders.get(CollectionId(identity))
        if folder is None:
            raise NotFound("no such folder")
        if not self._is_own(folder):
            raise Refused(Kind.ACCESS_DENIED, "a folder of another user")
        if folder.default:
            raise Refused(Kind.DEFAULT_FOLDER, "a default folder stays as it is")
        return folder

    def forbid_twin(self, parent: str, name: str, but: str = "") -> None:
        """Refuse a name that a sibling has, in whatever case, `but` one folder."""
        for row in self._rows:
            if row.parent == parent and row.id != but and row.name.lower() == name.lower():
                raise AlreadyExists("a sibling has that name")

    def forbid_circle(self, folder: ItemFolder, place: str) -> None:
        """Refuse a place that is the folder itself or below it."""
        for _ in range(_MOST_LEVELS):
            if place == folder.id:
                raise Refused(Kind.INVALID_XML, "a folder cannot be moved below itself")
            above = self._folders.get(CollectionId(place))
            place = above.parent if above else ""

    @staticmethod
    def _is_own(folder: ItemFolder) -> bool:
        return folder.right is Right.OWNER
