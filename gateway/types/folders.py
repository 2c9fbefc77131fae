"""The ActiveSync hierarchy as it is stored."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.types.ids import CollectionId


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the ActiveSync hierarchy, the same id for every device of the user.

    `mailbox` is the upstream name, or None for folders that exist only here (Outbox). `gone` folders keep
    their id, so that a device is told of the deletion and the id is never given to another folder.
    `renaming` is the name that a rename under way gives the mailbox.
    """

    id: CollectionId
    mailbox: str | None
    role: str | None = None
    uidvalidity: int | None = None
    mailbox_id: str | None = None
    gone: bool = False
    renaming: str | None = None


@dataclass(frozen=True, slots=True)
class FolderList:
    """All folders ever given an id for a user. `revision` guards against lost updates (compare and set)."""

    revision: int = 0
    next_id: int = 1
    folders: tuple[Folder, ...] = ()
