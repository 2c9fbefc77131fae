"""What the gateway stores for its users: folders of items, their changes, and the files of items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.items import (
    Edit,
    FileInfo,
    FileNumber,
    Item,
    ItemChange,
    ItemFolder,
    ItemKind,
    ItemNumber,
    Notice,
    PendingNotice,
    Right,
)
from gateway.ports.mailboxes import Unsubscribe
from gateway.ports.pieces import Pieces
from gateway.types import CollectionId, DeviceId, SyncState, UserId

__all__ = ["MOST_SHARES", "Commit", "ItemFolders", "Items", "Notices"]

MOST_SHARES = 1000
"""Shares of a user: folders of his own that others see, one for each who does; and as many of others that he
sees."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What happens at once, or not at all.

    Edits of items of one folder by `user`; with `device` and `state`, what it knows of that folder by them
    (as in `SyncStates.save_sync`); and what is to be mailed to whom because of it, by `author` (None: the
    user himself). `revision` is that of the folder the state was made for: only if it is still that, the
    edits get the ones the state may name.
    """

    user: UserId
    folder: CollectionId
    edits: Sequence[Edit] = ()
    revision: int | None = None
    device: DeviceId | None = None
    state: SyncState | None = None
    notices: Sequence[Notice] = ()
    author: UserId | None = None


class ItemFolders(Protocol):
    """Folders of items: who has which, and who may see those of others."""

    async def item_folders(self, user: UserId) -> Sequence[ItemFolder]:
        """His own and those shared with him, by age."""
        ...

    async def item_folder(self, user: UserId, folder: CollectionId) -> ItemFolder | None:
        """One of them; None when there is none or he may not see it."""
        ...

    async def all_item_folders(self) -> Sequence[ItemFolder]:
        """Those of everybody, as their owners see them, by owner and age."""
        ...

    async def provide_item_folder(self, user: UserId, kind: ItemKind, name: str) -> ItemFolder:
        """The default folder of a kind, made with this name if there is none yet."""
        ...

    async def provide_item_folders(self, user: UserId, names: Mapping[ItemKind, str]) -> Sequence[ItemFolder]:
        """The same for some kinds at once, made in this order; returns all as `item_folders` does."""
        ...

    async def create_item_folder(
        self, user: UserId, kind: ItemKind, name: str, parent: str = ""
    ) -> ItemFolder: ...

    async def update_item_folder(self, folder: CollectionId, name: str, parent: str) -> None:
        """Raises `NotFound`."""
        ...

    async def delete_item_folder(self, folder: CollectionId) -> None:
        """Delete it and those below it with all that is in them, and what devices know of them.

        No error when it is gone.
        """
        ...

    async def share_item_folder(self, folder: CollectionId, user: UserId, right: Right | None) -> None:
        """Let another user see it with a right, or (None) not any more, nor his devices know of it.

        Raises `NotFound`, and `Refused` where its owner has `MOST_SHARES`, or the user sees as many.
        """
        ...

    async def item_folder_shares(self, folder: CollectionId) -> Mapping[UserId, Right]: ...


class Notices(Protocol):
    """Scheduling messages that were stored with a change and are not mailed yet."""

    async def next_notice(self, user: UserId, without: Collection[str] = ()) -> PendingNotice | None:
        """One that has somebody it may go to, or nobody at all any more; None when there is none.

        Those not tried yet come first, by age; then the others in turn. `without` are keys of some that are
        not wanted; what has to wait for them waits.
        """
        ...

    async def note_attempt(self, user: UserId, key: str) -> None:
        """Note that it could not be mailed now. When that was so for the first time is kept."""
        ...

    async def note_told(self, user: UserId, key: str) -> None:
        """Note that all recipients have it. Attempts are counted anew from here: those to copy it."""
        ...

    async def leave_out_files(self, user: UserId, key: str) -> None:
        """Have it go without its files."""
        ...

    async def split_notice(
        self, user: UserId, key: str, parts: Mapping[str, Sequence[str]], tried: Collection[str] = ()
    ) -> None:
        """Have it go on as several of the same age: recipients by key. Those of `tried` were tried just now.

        Nothing happens when it is not pending any more.
        """
        ...

    async def drop_notice(self, user: UserId, key: str) -> None:
        """Note that it is mailed, or never can be. Its key stays known for a while: it is not taken again."""
        ...


class Items(ItemFolders, Notices, Protocol):
    """Items of all kinds. Each method is one short transaction, durable on return."""

    async def load_items(
        self, folder: CollectionId, numbers: Iterable[ItemNumber]
    ) -> Mapping[ItemNumber, Item]:
        """Those that are there."""
        ...

    async def find_items(self, user: UserId, kind: ItemKind, *uids: str) -> Sequence[Item]:
        """The items with these UIDs in his own folders of a kind, those of the default folder first."""
        ...

    async def item_changes(self, folder: CollectionId, after: int) -> Sequence[ItemChange]:
        """The newest change of each item that changed after a revision, by revision."""
        ...

    async def items_ending(
        self, folder: CollectionId, start: datetime, end: datetime
    ) -> Sequence[ItemChange]:
        """The items there are that end at or after `start` and before `end`."""
        ...

    async def items_between(
        self, folders: Iterable[CollectionId], start: datetime, end: datetime, limit: int | None = None
    ) -> Sequence[Item]:
        """The items that may concern a time: that start before `end` and end after `start`.

        At most `limit`, of more any.
        """
        ...

    async def new_item_numbers(self, count: int) -> Sequence[ItemNumber]:
        """Numbers nobody else gets, for items about to be stored; not all need be used."""
        ...

    async def commit_items(self, commit: Commit) -> SyncState | None:
        """Do it all in one transaction; returns the state with its new revision.

        The edits get the folder's next revisions, one each, in their order. Raises `StateConflict` when an
        item, the state or (if named) the folder's revision changed meanwhile, or a UID is taken; `NotFound`
        when the folder is gone or not his to see, `Refused` when he may only read it. Nothing is stored then.
        """
        ...

    async def move_item(
        self, number: ItemNumber, source: CollectionId, target: CollectionId, moved: ItemNumber
    ) -> ItemNumber:
        """Put an item into another folder, where its number is `moved`; with its files.

        Returns its number there, which is that of the first time when it was moved there before: repeating it
        changes nothing. Raises `NotFound` when it is in neither, `StateConflict` when the target has its UID.
        """
        ...

    def watch_items(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Call `notify` after each change in a folder the user sees.

        With "" when the list of these changes, or any of them may have changed.

        It may be called more often than things change.
        """
        ...

    # --- files -------------------------------------------------------------------------------------------

    async def add_item_file(self, name: str, content_type: str, content: Pieces) -> FileNumber:
        """Store a file that an item will refer to; forgotten after a day if none does, and no notice."""
        ...

    async def item_file(self, folder: CollectionId, number: FileNumber) -> FileInfo | None:
        """What is known of a file of an item in this folder."""
        ...

    async def read_item_file(self, number: FileNumber, offset: int, size: int) -> bytes:
        """A piece of it; shorter at its end. Raises `NotFound`."""
        ...

    async def prune_items(self, before: datetime) -> None:
        """Forget files that no item or notice refers to, and the keys of notices mailed before that time.

        The newest change of an item that is gone is kept: devices may come back after any time.
        """
        ...
