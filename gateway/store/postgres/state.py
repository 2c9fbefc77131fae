"""The port `State` on PostgreSQL, which gives what most requests ask first together with their device.

Each question is a journey over the network. What is read ahead so is used once, in the same request, within a
second and before the request holds a lease: as if it had been asked at the request's beginning. What must be
read under a lease is.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from gateway.store.postgres.transaction import unescaped
from gateway.store.state import StoredState
from gateway.store.tables import devices
from gateway.store.transactions import Transaction
from gateway.types import CollectionId, Device, DeviceId, Folder, FolderList, UserId

__all__ = ["PostgresState"]

_FRESH_SECONDS = 1.0
_LOAD = f"""
    SELECT {devices.COLUMNS},
        (
            SELECT json_object_agg(name, encode(value, 'base64')) FROM memo
            WHERE memo."user" = $1 AND memo.device = $2
        ),
        (
            SELECT json_build_array(revision, next_id, (
                SELECT json_agg(
                    json_build_array(id, mailbox, role, uidvalidity, mailbox_id, gone, renaming)
                    ORDER BY position
                )
                FROM folder WHERE folder."user" = $1
            ))
            FROM folder_list WHERE folder_list."user" = $1
        )
    FROM {devices.TABLES} WHERE d."user" = $1 AND d.id = $2
"""  # noqa: S608 - put together from constants


@dataclass(slots=True)
class _Ahead:
    """What was read with a device, and not asked for yet."""

    user: UserId
    device: DeviceId
    until: float
    """By the clock of the event loop."""
    memos: Mapping[str, bytes]
    folders: FolderList | None
    asked: set[str] = field(default_factory=set)
    """The names of memos that were asked for or written since."""


_AHEAD: ContextVar[_Ahead | None] = ContextVar("ahead", default=None)


class PostgresState(StoredState):
    """What the gateway remembers. Methods are those of the port."""

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None:
        _AHEAD.set(None)
        found = await self._store.look_up(_load, user, device)
        if found is None:
            return None
        known, memos, folders = found
        until = asyncio.get_running_loop().time() + _FRESH_SECONDS
        _AHEAD.set(_Ahead(user, device, until, memos, folders))
        return known

    async def load_memo(self, user: UserId, device: DeviceId, name: str) -> bytes | None:
        ahead = _ahead(user)
        if ahead is not None and ahead.device == device and name not in ahead.asked:
            ahead.asked.add(name)
            return ahead.memos.get(name)
        return await super().load_memo(user, device, name)

    async def save_memo(self, user: UserId, device: DeviceId, name: str, value: bytes | None) -> None:
        if (ahead := _ahead(user)) is not None:
            ahead.asked.add(name)
        await super().save_memo(user, device, name, value)

    async def load_folders(self, user: UserId) -> FolderList:
        ahead = _ahead(user)
        if ahead is not None and ahead.folders is not None:
            folders, ahead.folders = ahead.folders, None
            return folders
        return await super().load_folders(user)

    async def save_folders(self, user: UserId, folders: FolderList) -> FolderList:
        if (ahead := _ahead(user)) is not None:
            ahead.folders = None
        return await super().save_folders(user, folders)

    def lease(self, user: UserId, device: DeviceId, name: str) -> AbstractAsyncContextManager[None]:
        _forget()
        return super().lease(user, device, name)


async def _load(
    transaction: Transaction, user: UserId, device: DeviceId
) -> tuple[Device, Mapping[str, bytes], FolderList] | None:
    """A device with its memos and the folder list of its user."""
    row = await transaction.row(_LOAD, (user, device))
    if row is None:
        return None
    *columns, memos, folders = row
    return devices.of_row(columns), _memos(memos), _folders(folders)


def _memos(text: str | None) -> dict[str, bytes]:
    return {unescaped(name): b64decode(value) for name, value in json.loads(text or "{}").items()}


def _folders(text: str | None) -> FolderList:
    if text is None:
        return FolderList()
    revision, next_id, rows = json.loads(text)
    return FolderList(revision, next_id, tuple(_folder(*row) for row in rows or ()))


def _folder(*row: Any) -> Folder:
    plain: list[Any] = [unescaped(value) if isinstance(value, str) else value for value in row]
    name, mailbox, role, uidvalidity, mailbox_id, gone, renaming = plain
    return Folder(CollectionId(name), mailbox, role, uidvalidity, mailbox_id, bool(gone), renaming)


def _ahead(user: UserId) -> _Ahead | None:
    """What was read ahead for this request, if it may still be used."""
    ahead = _AHEAD.get()
    if ahead is None or ahead.user != user or asyncio.get_running_loop().time() > ahead.until:
        return None
    return ahead


def _forget() -> None:
    """Have nothing of it used any more, wherever in the request."""
    if (ahead := _AHEAD.get()) is not None:
        ahead.until, ahead.memos, ahead.folders = 0.0, {}, None
