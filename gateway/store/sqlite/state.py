"""The port `State` on one SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from gateway.errors import GatewayError
from gateway.ports import Act, Unsubscribe
from gateway.ports.audit import Noted, Wanted
from gateway.ports.sessions import Session
from gateway.ports.traces import Traced
from gateway.store.leases import Leases
from gateway.store.sqlite import annotations as notes
from gateway.store.sqlite import (
    audit,
    devices,
    moves,
    outbox,
    passwords,
    poison,
    rewrites,
    sessions,
    syncs,
    traces,
)
from gateway.store.sqlite import folders as folder_lists
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.times import milliseconds
from gateway.store.watchers import Watchers
from gateway.types import (
    Access,
    AppPassword,
    CollectionId,
    Device,
    DeviceId,
    FolderList,
    Move,
    OutboxEntry,
    OutboxStage,
    Rewrite,
    Rewrites,
    SentCopy,
    SyncState,
    UserId,
    Visit,
    Wipe,
    WipeStage,
    Writing,
)

__all__ = ["SqliteState"]

_LIST = CollectionId("")

_PROBE = "INSERT INTO probe (id, count) VALUES (1, 1) ON CONFLICT DO UPDATE SET count = count + 1"


class SqliteState:
    """What the gateway remembers. Made by `open`, ended by `aclose`; belongs to one event loop.

    Compare and set holds between processes too; leases hold within this one. What each method does is said in
    `ports.State`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._leases = Leases()
        self._watchers = Watchers()
        self._list_watchers = Watchers()

    @classmethod
    async def open(cls, path: Path, *, readers: int = 2, busy_timeout: float = 5.0) -> Self:
        """Open the database file, made and upgraded as needed (`location.parse_url` gives the path of a URL).

        `busy_timeout` is how many seconds to wait for another process that writes. Raises `GatewayError`.
        """
        return cls(await Database.open(path, readers=readers, busy_timeout=busy_timeout))

    async def aclose(self) -> None:
        """Finish what was asked for and close the file. May be called again."""
        await self._database.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def transactions(self) -> int:
        """Writes done since it was opened."""
        return self._database.transactions

    @property
    def commits(self) -> int:
        """Commits that made them durable."""
        return self._database.commits

    async def check_writable(self) -> None:
        """Write a row and wait for the disk. Raises `GatewayError`."""

        def probe(connection: sqlite3.Connection) -> None:
            connection.execute(_PROBE)

        if self._database.is_replaced():
            raise GatewayError(
                f"database {self._database.path}: moved or replaced while in use: restart the gateway"
            )
        await self._database.write(probe)

    def lease(self, user: UserId, device: DeviceId, name: str) -> AbstractAsyncContextManager[None]:
        return self._leases.hold((user, device, name))

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None:
        return await self._database.look_up(lambda connection: devices.load(connection, user, device))

    async def save_device(self, device: Device) -> Device:
        return await self._database.write(lambda connection: devices.save(connection, device))

    async def note_visits(self, visits: Mapping[tuple[UserId, DeviceId], Visit]) -> None:
        await self._database.write(lambda connection: devices.note_visits(connection, visits))

    async def list_devices(self, user: UserId | None = None) -> Sequence[Device]:
        return await self._database.read(lambda connection: devices.list_all(connection, user))

    async def awaited_devices(self, user: UserId | None = None) -> Sequence[Device]:
        return await self._database.read(lambda connection: devices.list_awaited(connection, user))

    async def set_access(
        self, user: UserId, device: DeviceId, access: Access | None, act: Act | None = None
    ) -> None:
        await self._database.write(
            lambda connection: devices.set_access(connection, user, device, access, act)
        )

    async def ask_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe | None, now: datetime, act: Act | None = None
    ) -> bool:
        return await self._database.write(
            lambda connection: devices.ask_wipe(connection, (user, device), wipe, now, act)
        )

    async def note_wipe(self, user: UserId, device: DeviceId, stage: WipeStage, now: datetime) -> bool:
        return await self._database.write(
            lambda connection: devices.note_wipe(connection, user, device, stage, now)
        )

    async def forget_device(self, user: UserId, device: DeviceId, act: Act | None = None) -> bool:
        return await self._database.write(lambda connection: devices.forget(connection, user, device, act))

    async def forget_syncs(self, user: UserId, device: DeviceId, act: Act | None = None) -> None:
        await self._database.write(lambda connection: devices.forget_syncs(connection, user, device, act))

    async def decided_devices(self, after: int) -> tuple[int, Sequence[tuple[UserId, DeviceId]]]:
        return await self._database.look_up(lambda connection: devices.decided(connection, after))

    async def expire_devices(self, before: datetime) -> int:
        return await self._database.write(lambda connection: devices.expire(connection, before))

    async def prune_devices(self, before: datetime) -> None:
        await self._database.write(lambda connection: devices.prune(connection, before))

    async def load_folders(self, user: UserId) -> FolderList:
        return await self._database.look_up(lambda connection: folder_lists.load(connection, user))

    async def save_folders(self, user: UserId, folders: FolderList) -> FolderList:
        return await self._database.write(
            lambda connection: folder_lists.save(connection, user, folders),
            lambda _: self._list_watchers.tell({_LIST: [user]}),
        )

    def watch_folders(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._list_watchers.watch(user, notify)

    async def load_sync(self, user: UserId, device: DeviceId, collection: CollectionId) -> SyncState | None:
        key = (user, device, collection)
        return await self._database.look_up(lambda connection: syncs.load(connection, key))

    async def load_syncs(self, user: UserId, device: DeviceId) -> Mapping[CollectionId, SyncState]:
        return await self._database.read(lambda connection: syncs.load_all(connection, user, device))

    async def save_sync(
        self,
        user: UserId,
        device: DeviceId,
        collection: CollectionId,
        state: SyncState,
        *,
        keep: Iterable[str] = (),
    ) -> SyncState:
        key, prefixes = (user, device, collection), tuple(keep)
        return await self._database.write(lambda connection: syncs.save(connection, key, state, prefixes))

    async def reset_sync(
        self, user: UserId, device: DeviceId, collection: CollectionId, state: SyncState
    ) -> SyncState:
        key = (user, device, collection)
        return await self._database.write(lambda connection: syncs.reset(connection, key, state))

    async def load_memo(self, user: UserId, device: DeviceId, name: str) -> bytes | None:
        return await self._database.look_up(
            lambda connection: devices.load_memo(connection, user, device, name)
        )

    async def save_memo(self, user: UserId, device: DeviceId, name: str, value: bytes | None) -> None:
        await self._database.write(
            lambda connection: devices.save_memo(connection, user, device, name, value)
        )

    async def load_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId
    ) -> Mapping[str, bytes]:
        key = (user, device, collection)
        return await self._database.look_up(lambda connection: syncs.load_intents(connection, key))

    async def save_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId, intents: Mapping[str, bytes]
    ) -> None:
        key = (user, device, collection)
        await self._database.write(lambda connection: syncs.save_intents(connection, key, intents))

    async def load_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, uids: Iterable[int]
    ) -> Mapping[int, Mapping[str, bytes]]:
        key, wanted = (user, collection, uidvalidity), list(uids)
        return await self._database.read(lambda connection: notes.load(connection, key, wanted))

    async def save_annotations(
        self,
        user: UserId,
        collection: CollectionId,
        uidvalidity: int,
        annotations: Mapping[int, Mapping[str, bytes | None]],
        *,
        newest: int | None = None,
    ) -> Mapping[tuple[int, str], int]:
        key = (user, collection, uidvalidity)
        return await self._database.write(
            lambda connection: notes.change(connection, key, annotations, newest),
            lambda revisions: self._watchers.tell({collection: [user]} if revisions else {}),
        )

    async def changed_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, after: int
    ) -> Mapping[tuple[int, str], int]:
        key = (user, collection, uidvalidity)
        return await self._database.read(lambda connection: notes.changed(connection, key, after))

    async def move_annotations(
        self,
        user: UserId,
        source: tuple[CollectionId, int],
        target: tuple[CollectionId, int],
        uids: Mapping[int, int],
    ) -> None:
        await self._database.write(
            lambda connection: notes.move(connection, (user, *source), (user, *target), uids),
            lambda moved: self._watchers.tell({target[0]: [user]} if moved else {}),
        )

    async def drop_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, uids: Iterable[int], now: datetime
    ) -> None:
        key, gone = (user, collection, uidvalidity), list(uids)
        await self._database.write(lambda connection: notes.drop(connection, key, gone, milliseconds(now)))

    async def find_annotated(
        self, user: UserId, name: str, values: Iterable[bytes]
    ) -> Mapping[bytes, tuple[CollectionId, int, int]]:
        wanted = set(values)
        return await self._database.read(lambda connection: notes.find(connection, user, name, wanted))

    def watch_annotations(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._watchers.watch(user, notify)

    async def prune_annotations(self, before: datetime) -> None:
        await self._database.write(lambda connection: notes.prune(connection, milliseconds(before)))

    async def load_rewrites(self, user: UserId, mailbox: str) -> Rewrites:
        return await self._database.look_up(lambda connection: rewrites.load(connection, (user, mailbox)))

    async def begin_writing(self, user: UserId, mailbox: str, writing: Writing) -> None:
        await self._database.write(lambda connection: rewrites.begin(connection, (user, mailbox), writing))

    async def finish_writing(
        self, user: UserId, mailbox: str, writing: Writing, uid: int, answer: bytes
    ) -> None:
        key = (user, mailbox)
        await self._database.write(lambda connection: rewrites.finish(connection, key, writing, uid, answer))

    async def abandon_writing(self, user: UserId, mailbox: str, marker: str) -> None:
        await self._database.write(lambda connection: rewrites.abandon(connection, (user, mailbox), marker))

    async def forget_rewrites(self, user: UserId, mailbox: str, rows: Iterable[Rewrite]) -> None:
        gone = list(rows)
        await self._database.write(lambda connection: rewrites.forget(connection, (user, mailbox), gone))

    async def load_moves(
        self,
        user: UserId,
        device: DeviceId,
        source: CollectionId,
        target: CollectionId,
        messages: Iterable[tuple[int, int]],
    ) -> Mapping[tuple[int, int], Move]:
        asked = tuple(messages)
        return await self._database.read(
            lambda connection: moves.load(connection, (user, device), source, target, asked)
        )

    async def begin_moves(self, user: UserId, device: DeviceId, journal: Iterable[Move]) -> None:
        rows = tuple(journal)
        await self._database.write(lambda connection: moves.begin(connection, (user, device), rows))

    async def finish_moves(
        self,
        user: UserId,
        device: DeviceId,
        journal: Iterable[Move],
        states: Mapping[CollectionId, SyncState],
    ) -> None:
        rows = tuple(journal)
        await self._database.write(lambda connection: moves.finish(connection, (user, device), rows, states))

    async def open_moves(self, user: UserId, device: DeviceId) -> Sequence[Move]:
        return await self._database.read(lambda connection: moves.open_ones(connection, (user, device)))

    async def prune_moves(self, before: datetime) -> None:
        await self._database.write(lambda connection: moves.prune(connection, before))

    async def begin_send(self, entry: OutboxEntry, since: datetime) -> tuple[OutboxEntry, bool]:
        return await self._database.write(lambda connection: outbox.begin(connection, entry, since))

    async def mark_send(self, entry_id: int, stage: OutboxStage) -> None:
        await self._database.write(lambda connection: outbox.mark(connection, entry_id, stage))

    async def keep_copy(self, copy: SentCopy) -> None:
        await self._database.write(lambda connection: outbox.keep_copy(connection, copy))

    async def kept_copies(self, user: UserId) -> Sequence[SentCopy]:
        return await self._database.read(lambda connection: outbox.kept_copies(connection, user))

    async def users_with_copies(self) -> Sequence[UserId]:
        return await self._database.read(outbox.users_with_copies)

    async def prune_sends(self, before: datetime) -> None:
        await self._database.write(lambda connection: outbox.prune(connection, before))

    async def note_poison(
        self, user: UserId, collection: CollectionId, item: str, release: str, reason: str
    ) -> bool:
        row = (user, collection, item, release, reason)
        return await self._database.write(lambda connection: poison.note(connection, row))

    async def poison_of_others(self, user: UserId, collection: CollectionId, release: str) -> Sequence[str]:
        return await self._database.read(
            lambda connection: poison.of_others(connection, user, collection, release)
        )

    async def forget_poison(self, user: UserId, collection: CollectionId, items: Iterable[str]) -> None:
        gone = list(items)
        if gone:
            await self._database.write(lambda connection: poison.forget(connection, user, collection, gone))

    async def list_poison(
        self, user: UserId | None = None
    ) -> Sequence[tuple[UserId, CollectionId, str, str, str]]:
        return await self._database.read(lambda connection: poison.list_all(connection, user))

    async def note_act(self, act: Act) -> None:
        await self._database.write(lambda connection: audit.note(connection, act))

    async def list_acts(self, wanted: Wanted, limit: int) -> Sequence[Noted]:
        return await self._database.read(lambda connection: audit.listed(connection, wanted, limit))

    async def prune_acts(self, before: datetime) -> None:
        await self._database.write(lambda connection: audit.prune(connection, before))

    async def begin_session(self, session: Session) -> None:
        await self._database.write(lambda connection: sessions.begin(connection, session))

    async def load_session(self, key: bytes) -> Session | None:
        return await self._database.look_up(lambda connection: sessions.load(connection, key))

    async def note_session(self, key: bytes, seen: datetime) -> None:
        await self._database.write(lambda connection: sessions.note(connection, key, seen))

    async def end_session(self, key: bytes) -> None:
        await self._database.write(lambda connection: sessions.end(connection, key))

    async def end_sessions(self, user: UserId) -> None:
        await self._database.write(lambda connection: sessions.end_all(connection, user))

    async def prune_sessions(self, began: datetime, seen: datetime) -> None:
        await self._database.write(lambda connection: sessions.prune(connection, began, seen))

    async def add_app_password(self, password: AppPassword, act: Act | None = None) -> AppPassword:
        number = await self._database.write(lambda connection: passwords.add(connection, password, act))
        return replace(password, number=number)

    async def app_passwords(self, user: UserId | None = None) -> Sequence[AppPassword]:
        if user is None:
            return await self._database.read(passwords.list_all)
        return await self._database.look_up(lambda connection: passwords.list_of(connection, user))

    async def use_app_password(self, number: int, device: DeviceId, now: datetime) -> bool:
        return await self._database.write(lambda connection: passwords.use(connection, number, device, now))

    async def revoke_app_password(self, user: UserId, number: int, act: Act | None = None) -> bool:
        return await self._database.write(lambda connection: passwords.revoke(connection, user, number, act))

    async def set_trace(self, user: UserId, device: DeviceId, until: datetime | None) -> None:
        await self._database.write(lambda connection: traces.begin(connection, user, device, until))

    async def running_traces(self, now: datetime) -> Sequence[tuple[UserId, DeviceId]]:
        return await self._database.look_up(lambda connection: traces.running(connection, now))

    async def write_trace(self, entries: Sequence[Traced], keep: int) -> None:
        rows = tuple(entries)
        await self._database.write(lambda connection: traces.write(connection, rows, keep))

    async def read_trace(self, user: UserId, device: DeviceId, after: int, limit: int) -> Sequence[Traced]:
        return await self._database.read(
            lambda connection: traces.read(connection, user, device, after, limit)
        )

    async def prune_traces(self, now: datetime, before: datetime) -> None:
        await self._database.write(lambda connection: traces.prune(connection, now, before))
