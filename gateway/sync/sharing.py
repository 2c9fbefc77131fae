"""Folders shown to other users, and not any more; each time it is noted who decided so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from gateway.errors import Kind, Refused
from gateway.items import ItemFolder, ItemKind, Right
from gateway.ports import Act, Items, State
from gateway.types import UserId

__all__ = ["NOUNS", "share_folder"]

NOUNS: Mapping[ItemKind, str] = {
    ItemKind.CALENDAR: "calendar",
    ItemKind.CONTACTS: "address book",
    ItemKind.TASKS: "task list",
    ItemKind.NOTES: "note folder",
}
"""What people call a folder of each kind that they know of."""


async def share_folder(
    state: State,
    items: Items,
    folder: ItemFolder,
    user: UserId,
    right: Right | None,
    *,
    who: str,
    now: datetime,
) -> None:
    """Let a user see a folder of another one with a right, or (None) not any more.

    `who` decides that, as in `Act`: its owner, an administrator, or the user who wants to see it no longer.
    Raises `Refused` where the user owns it, `NotFound` when it is gone.
    """
    noun = NOUNS[folder.kind]
    if folder.owner == user:
        raise Refused(Kind.ACCESS_DENIED, f"{user} owns the {noun} {folder.id}")
    await items.share_item_folder(folder.id, user, right)
    details = f"{noun} {folder.id} {folder.name!r} with {user}: {right.value if right else 'none'}"
    await state.note_act(Act(now, who, "folder.share", folder.owner, details=details))
