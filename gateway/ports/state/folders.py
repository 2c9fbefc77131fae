"""The folders of each user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gateway.ports.mailboxes import Unsubscribe
from gateway.types import (
    CollectionId,
    FolderList,
    UserId,
)


class FolderLists(Protocol):
    """The folders of each user, with the ids they have for good."""

    async def load_folders(self, user: UserId) -> FolderList: ...

    async def save_folders(self, user: UserId, folders: FolderList) -> FolderList:
        """Store the list if the stored revision is still `folders.revision`.

        Returns it with the new revision. Raises `StateConflict`.
        """
        ...

    def watch_folders(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Call `notify` with "" after each change of the user's list; not of each that other processes make.

        It may be called more often than things change.
        """
        ...
