"""The folder hierarchy: which id each mailbox has, what a device is shown, and what changed for it.

MS-ASCMD 2.2.1.5.

Pure functions on values. Ids belong to the user, not to a device: every device, and every fresh start of
one, sees the same id for the same folder.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from enum import IntEnum

from gateway.mail.headers import clean
from gateway.types import CollectionId, Folder, FolderList, Mailbox, Role

ROOT = "0"
RECIPIENT_CACHE = "RI"
"""The id of the recipient information cache (MS-ASCMD 2.2.1.5)."""
LONGEST_NAME = 240
"""Characters of a DisplayName, of which 256 are allowed (MS-ASCMD 2.2.3.47), less room for a number."""
NAMELESS = "(no name)"
OUTBOX = "outbox"
CONTAINER = "container"
"""The role of a folder that cannot hold messages (\\Noselect): it is shown, and always empty."""


class FolderType(IntEnum):
    """Folder types of MS-ASCMD 2.2.3.186.3."""

    USER_GENERIC = 1
    INBOX = 2
    DRAFTS = 3
    DELETED_ITEMS = 4
    SENT_ITEMS = 5
    OUTBOX = 6
    TASKS = 7
    CALENDAR = 8
    CONTACTS = 9
    NOTES = 10
    USER_MAIL = 12
    USER_CALENDAR = 13
    USER_CONTACTS = 14
    USER_TASKS = 15
    USER_NOTES = 17
    RECIPIENT_CACHE = 19


_TYPES: Mapping[str | None, FolderType] = {
    Role.INBOX: FolderType.INBOX,
    Role.DRAFTS: FolderType.DRAFTS,
    Role.TRASH: FolderType.DELETED_ITEMS,
    Role.SENT: FolderType.SENT_ITEMS,
    OUTBOX: FolderType.OUTBOX,
}
_VIRTUAL = ((OUTBOX, "Outbox"), (Role.DRAFTS.value, "Drafts"))
"""Folders every phone expects: shown even when the upstream has no mailbox for them."""


_STAND_INS = {"/": "\u2215", ".": "\u2024", "\\": "\u2216"}
"""For a delimiter in a DisplayName: a character that looks like it, which `listing` turns back.

Also for the slash where it is none: servers that keep mailboxes as directories do not take it.
"""


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder as a device knows it."""

    id: CollectionId
    parent: str
    name: str
    type: int


@dataclass(frozen=True, slots=True)
class HierarchyChanges:
    """What turns one listing into another; parents are added before their children."""

    updated: tuple[FolderRow, ...] = ()
    deleted: tuple[CollectionId, ...] = ()
    added: tuple[FolderRow, ...] = ()

    def __len__(self) -> int:
        return len(self.updated) + len(self.deleted) + len(self.added)


def assign(known: FolderList, mailboxes: Sequence[Mailbox]) -> FolderList:
    """Give every mailbox a folder id; returns `known` itself when nothing changed.

    A mailbox keeps its id over a rename where the rename can be seen: by MAILBOXID (RFC 8474), or because
    exactly one mailbox vanished and one appeared with the same UIDVALIDITY; over a rename of ours always
    (`Folder.renaming`). A folder that comes back under its old name gets its old id.
    """
    folders = {folder.id: folder for folder in known.folders}
    next_id = known.next_id
    matched = _match(known.folders, mailboxes)
    seen: set[CollectionId] = set()
    for mailbox in mailboxes:
        identity = matched.get(mailbox.name)
        if identity is None:
            identity = CollectionId(str(next_id))
            next_id += 1
        seen.add(identity)
        folders[identity] = _folder(identity, mailbox, folders.get(identity))
    roles = {folders[identity].role for identity in seen}
    for role, _ in _VIRTUAL:
        if role in roles:
            continue
        existing = next((f for f in folders.values() if f.role == role and f.mailbox is None), None)
        identity = existing.id if existing else CollectionId(str(next_id))
        next_id += existing is None
        seen.add(identity)
        folders[identity] = Folder(identity, None, role)
    result = tuple(
        folder if identity in seen else replace(folder, gone=True) for identity, folder in folders.items()
    )
    if result == known.folders:
        return known
    return FolderList(known.revision, next_id, result)


def _folder(identity: CollectionId, mailbox: Mailbox, known: Folder | None) -> Folder:
    role = mailbox.role.value if mailbox.role else None
    if not mailbox.selectable:
        role = CONTAINER
    validity = mailbox.uidvalidity or (known.uidvalidity if known else None)
    # A rename that was noted and is not to be seen may still be under way.
    renaming = known.renaming if known and known.mailbox == mailbox.name else None
    return Folder(identity, mailbox.name, role, validity, mailbox.mailbox_id, renaming=renaming)


def _match(folders: Iterable[Folder], mailboxes: Sequence[Mailbox]) -> dict[str, CollectionId]:
    """Map mailbox names to the ids of the folders they are."""
    by_name = {folder.mailbox: folder for folder in folders if folder.mailbox is not None}
    by_mailbox_id = {folder.mailbox_id: folder for folder in by_name.values() if folder.mailbox_id}
    virtual = {folder.role: folder for folder in folders if folder.mailbox is None}
    matched: dict[str, CollectionId] = {}
    taken: set[CollectionId] = set()

    def claim(mailbox: Mailbox, folder: Folder | None) -> None:
        if folder is not None and folder.id not in taken and mailbox.name not in matched:
            matched[mailbox.name] = folder.id
            taken.add(folder.id)

    for mailbox in mailboxes:
        if mailbox.mailbox_id:
            claim(mailbox, by_mailbox_id.get(mailbox.mailbox_id))
    present = {name: folder for name, folder in by_name.items() if not folder.gone}
    renaming = {folder.renaming: folder for folder in by_name.values() if folder.renaming}
    for names in (present, renaming, by_name):
        for mailbox in mailboxes:
            claim(mailbox, names.get(mailbox.name))
    for mailbox in mailboxes:
        if mailbox.role is not None:  # a virtual folder became a real one
            claim(mailbox, virtual.get(mailbox.role.value))
    vanished = [folder for folder in by_name.values() if folder.id not in taken and not folder.gone]
    new = [mailbox for mailbox in mailboxes if mailbox.name not in matched]
    lost = Counter(folder.uidvalidity for folder in vanished)
    found = Counter(mailbox.uidvalidity for mailbox in new)
    by_validity = {folder.uidvalidity: folder for folder in vanished if lost[folder.uidvalidity] == 1}
    for mailbox in new:
        if mailbox.uidvalidity and found[mailbox.uidvalidity] == 1:
            claim(mailbox, by_validity.get(mailbox.uidvalidity))
    return matched


def find(folders: FolderList, identity: str) -> Folder | None:
    """The folder with this id; None when it was never there or is gone."""
    return next((f for f in folders.folders if f.id == identity and not f.gone), None)


def mailbox_of(folder: Folder) -> str | None:
    """The mailbox that holds a folder's messages; None for a folder that cannot hold any."""
    return None if folder.role == CONTAINER else folder.mailbox


def listing(folders: FolderList, mailboxes: Sequence[Mailbox]) -> tuple[FolderRow, ...]:
    """Show the hierarchy as a device is to see it: parents first, sibling names unique, INBOX first."""
    ids = {f.mailbox: f.id for f in folders.folders if f.mailbox is not None and not f.gone}
    roles = {f.id: f.role for f in folders.folders}
    prefix = personal_prefix(mailboxes)
    rows: list[FolderRow] = []
    names: dict[str, set[str]] = {}

    def add(identity: CollectionId, parent: str, name: str) -> None:
        name = unique(clean(name)[:LONGEST_NAME] or NAMELESS, names.setdefault(parent, set()))
        rows.append(FolderRow(identity, parent, name, _TYPES.get(roles[identity], FolderType.USER_MAIL)))

    for mailbox in sorted(mailboxes, key=_depth):
        if mailbox.name not in ids:
            continue
        parent, name = _place(mailbox, prefix, ids)
        add(ids[mailbox.name], parent, "Inbox" if mailbox.role is Role.INBOX else name)
    for folder in folders.folders:
        if folder.mailbox is None and not folder.gone:
            add(folder.id, ROOT, dict(_VIRTUAL)[folder.role or ""])
    return tuple(rows)


def unique(name: str, siblings: set[str]) -> str:
    """The name, with a number where siblings have it, in whatever case; noted among theirs, in lower case."""
    made, count = name, 1
    while made.lower() in siblings:
        count += 1
        made = f"{name} ({count})"
    siblings.add(made.lower())
    return made


def personal_prefix(mailboxes: Sequence[Mailbox]) -> str:
    """What the names of new mailboxes begin with: as the server says, or as all do ("INBOX."), else ""."""
    told = next((mailbox.prefix for mailbox in mailboxes if mailbox.prefix), "")
    if told:
        return told
    others = [mailbox for mailbox in mailboxes if mailbox.role is not Role.INBOX and not mailbox.shared]
    prefixes = {f"INBOX{mailbox.delimiter}" for mailbox in others if mailbox.delimiter}
    for prefix in prefixes:
        if all(mailbox.name.startswith(prefix) for mailbox in others):
            return prefix
    return ""


def _depth(mailbox: Mailbox) -> tuple[bool, int]:
    depth = mailbox.name.count(mailbox.delimiter) if mailbox.delimiter else 0
    return mailbox.role is not Role.INBOX, depth


def _place(mailbox: Mailbox, prefix: str, ids: Mapping[str, CollectionId]) -> tuple[str, str]:
    """Return the id of the parent folder and the name below it; levels that are no mailbox join the name."""
    path = mailbox.name.removeprefix(prefix)
    if not mailbox.delimiter:
        return ROOT, path
    levels = path.split(mailbox.delimiter)
    for cut in range(len(levels) - 1, 0, -1):
        above = prefix + mailbox.delimiter.join(levels[:cut])
        if above in ids:
            return ids[above], _shown(mailbox.delimiter.join(levels[cut:]), mailbox.delimiter)
    return ROOT, _shown(path, mailbox.delimiter)


def level(name: str, delimiter: str) -> str:
    """A DisplayName as one level of a mailbox name."""
    for character in ("/", delimiter):
        name = name.replace(character, _STAND_INS.get(character, "_"))
    return name


def _shown(levels: str, delimiter: str) -> str:
    for character in ("/", delimiter):
        name = _STAND_INS.get(character, character)
        levels = levels.replace(name, character)
    return levels


def is_default(folder: Folder) -> bool:
    """Whether a folder is one of those that every phone expects: it cannot be renamed or deleted."""
    return folder.mailbox is None or folder.role in _TYPES


def within(name: str, mailbox: Mailbox) -> bool:
    """Whether this is the name of a mailbox or of one below it."""
    below = f"{mailbox.name}{mailbox.delimiter}"
    return name == mailbox.name or (mailbox.delimiter is not None and name.startswith(below))


def begin_rename(folders: FolderList, mailbox: Mailbox, name: str) -> FolderList:
    """The list with a rename noted that is about to be made, of a mailbox and all below it."""
    return _with_folders(folders, mailbox, lambda old: {"renaming": name + old[len(mailbox.name) :]})


def end_rename(folders: FolderList, mailbox: Mailbox, name: str) -> FolderList:
    """The list after a rename; with the old name: after one that was refused."""
    changed = {"renaming": None}
    return _with_folders(
        folders, mailbox, lambda old: {**changed, "mailbox": name + old[len(mailbox.name) :]}
    )


def _with_folders(
    folders: FolderList, mailbox: Mailbox, changes: Callable[[str], Mapping[str, str | None]]
) -> FolderList:
    changed = tuple(
        replace(folder, **changes(folder.mailbox))  # type: ignore[arg-type]  # names of fields, and strings
        if folder.mailbox is not None and not folder.gone and within(folder.mailbox, mailbox)
        else folder
        for folder in folders.folders
    )
    return replace(folders, folders=changed)


def changes(before: Sequence[FolderRow], after: Sequence[FolderRow]) -> HierarchyChanges:
    """What a device that knows `before` must be told to know `after`."""
    old = {row.id: row for row in before}
    new = {row.id for row in after}
    return HierarchyChanges(
        updated=tuple(row for row in after if row.id in old and old[row.id] != row),
        deleted=tuple(row.id for row in before if row.id not in new),
        added=tuple(row for row in after if row.id not in old),
    )


def pack(rows: Sequence[FolderRow]) -> bytes:
    """A listing as bytes for the store."""
    return json.dumps([astuple(row) for row in rows], separators=(",", ":"), ensure_ascii=False).encode()


def unpack(data: bytes) -> tuple[FolderRow, ...]:
    """The listing `pack` made these bytes of; b"" is the listing of a device that knows nothing."""
    if not data:
        return ()
    return tuple(FolderRow(CollectionId(row[0]), row[1], row[2], row[3]) for row in json.loads(data))
