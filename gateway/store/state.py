"""The port `State` on any database that runs work as transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime

from gateway.ports import Act, Unsubscribe
from gateway.ports.audit import Noted, Wanted
from gateway.ports.devicelist import (
    AccessChoice,
    Choice,
    DeviceCounts,
    FoundDevices,
    Place,
    PolicyCount,
    SeenUser,
    WantedDevices,
)
from gateway.ports.memberships import Membership
from gateway.ports.sessions import Session
from gateway.ports.traces import Traced
from gateway.store.tables import annotations as notes
from gateway.store.tables import (
    audit,
    devicelist,
    devices,
    memberships,
    moves,
    outbox,
    passwords,
    poison,
    rewrites,
    sessions,
    syncs,
    traces,
)
from gateway.store.tables import folders as folder_lists
from gateway.store.transactions import EVERYBODY, Topic, Transactions
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

__all__ = ["StoredState"]


class StoredState:
    """What the gateway remembers. Compare and set holds between processes. Methods are those of the port."""

    def __init__(self, store: Transactions) -> None:
        self._store = store

    async def check_writable(self) -> None:
        await self._store.check_writable()

    def lease(self, user: UserId, device: DeviceId, name: str) -> AbstractAsyncContextManager[None]:
        return self._store.lease(user, device, name)

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None:
        return await self._store.look_up(devices.load, user, device)

    async def save_device(self, device: Device) -> Device:
        return await self._store.write(devices.save, device)

    async def note_visits(self, visits: Mapping[tuple[UserId, DeviceId], Visit]) -> None:
        await self._store.write(devices.note_visits, visits)

    async def list_devices(self, user: UserId | None = None) -> Sequence[Device]:
        if user is None:
            return await self._store.read(devices.list_all, None)
        return await self._store.look_up(devices.list_all, user)

    async def awaited_devices(self, user: UserId | None = None) -> Sequence[Device]:
        return await self._store.read(devices.list_awaited, user)

    async def devices_after(
        self, place: Place | None, most: int, user: UserId | None = None
    ) -> Sequence[Device]:
        return await self._store.read(devicelist.list_after, user, place, most)

    async def find_devices(
        self, wanted: WantedDevices, choice: AccessChoice, first: int, most: int
    ) -> FoundDevices:
        return await self._store.read(devicelist.find, wanted, choice, first, most)

    async def count_devices(self, choice: AccessChoice) -> DeviceCounts:
        return await self._store.read(devicelist.count, choice)

    async def count_policies(self, choice: Choice, digests: Sequence[str]) -> Mapping[int, PolicyCount]:
        return await self._store.read(devicelist.count_policies, choice, digests)

    async def list_users(self) -> Sequence[SeenUser]:
        return await self._store.read(devicelist.list_users)

    async def set_access(
        self, user: UserId, device: DeviceId, access: Access | None, act: Act | None = None
    ) -> None:
        await self._store.write(devices.set_access, user, device, access, act)

    async def ask_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe | None, now: datetime, act: Act | None = None
    ) -> bool:
        return await self._store.write(devices.ask_wipe, (user, device), wipe, now, act)

    async def note_wipe(
        self, user: UserId, device: DeviceId, wipe: Wipe, stage: WipeStage, now: datetime
    ) -> bool:
        return await self._store.write(devices.note_wipe, (user, device), wipe, stage, now)

    async def forget_device(self, user: UserId, device: DeviceId, act: Act | None = None) -> bool:
        return await self._store.write(devices.forget, user, device, act)

    async def forget_syncs(self, user: UserId, device: DeviceId, act: Act | None = None) -> None:
        await self._store.write(devices.forget_syncs, user, device, act)

    async def decided_devices(self, after: int) -> tuple[int, Sequence[tuple[UserId, DeviceId]]]:
        return await self._store.look_up(devices.decided, after)

    def watch_decisions(self, notify: Callable[[], None]) -> Unsubscribe:
        return self._store.watch(Topic.DECISIONS, EVERYBODY, lambda _: notify())

    async def expire_devices(self, before: datetime) -> int:
        return await self._store.write(devices.expire, before)

    async def prune_devices(self, before: datetime) -> None:
        await self._store.write(devices.prune, before)

    async def load_folders(self, user: UserId) -> FolderList:
        return await self._store.look_up(folder_lists.load, user)

    async def save_folders(self, user: UserId, folders: FolderList) -> FolderList:
        return await self._store.write(folder_lists.save, user, folders)

    def watch_folders(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._store.watch(Topic.FOLDERS, user, notify)

    async def load_sync(self, user: UserId, device: DeviceId, collection: CollectionId) -> SyncState | None:
        key = (user, device, collection)
        return await self._store.look_up(syncs.load, key)

    async def load_syncs(self, user: UserId, device: DeviceId) -> Mapping[CollectionId, SyncState]:
        return await self._store.read(syncs.load_all, user, device)

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
        return await self._store.write(syncs.save, key, state, prefixes)

    async def reset_sync(
        self, user: UserId, device: DeviceId, collection: CollectionId, state: SyncState
    ) -> SyncState:
        key = (user, device, collection)
        return await self._store.write(syncs.reset, key, state)

    async def load_memo(self, user: UserId, device: DeviceId, name: str) -> bytes | None:
        return await self._store.look_up(devices.load_memo, user, device, name)

    async def save_memo(self, user: UserId, device: DeviceId, name: str, value: bytes | None) -> None:
        await self._store.write(devices.save_memo, user, device, name, value)

    async def load_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId
    ) -> Mapping[str, bytes]:
        key = (user, device, collection)
        return await self._store.look_up(syncs.load_intents, key)

    async def save_intents(
        self, user: UserId, device: DeviceId, collection: CollectionId, intents: Mapping[str, bytes]
    ) -> None:
        key = (user, device, collection)
        await self._store.write(syncs.save_intents, key, intents)

    async def has_annotations(self, user: UserId) -> bool:
        return await self._store.look_up(notes.exist, user)

    async def load_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, uids: Iterable[int]
    ) -> Mapping[int, Mapping[str, bytes]]:
        key, wanted = (user, collection, uidvalidity), list(uids)
        return await self._store.read(notes.load, key, wanted)

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
        return await self._store.write(notes.change, key, annotations, newest)

    async def changed_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, after: int
    ) -> Mapping[tuple[int, str], int]:
        key = (user, collection, uidvalidity)
        return await self._store.read(notes.changed, key, after)

    async def move_annotations(
        self,
        user: UserId,
        source: tuple[CollectionId, int],
        target: tuple[CollectionId, int],
        uids: Mapping[int, int],
    ) -> None:
        await self._store.write(notes.move, (user, *source), (user, *target), uids)

    async def drop_annotations(
        self, user: UserId, collection: CollectionId, uidvalidity: int, uids: Iterable[int], now: datetime
    ) -> None:
        key, gone = (user, collection, uidvalidity), list(uids)
        await self._store.write(notes.drop, key, gone, now)

    async def find_annotated(
        self, user: UserId, name: str, values: Iterable[bytes]
    ) -> Mapping[bytes, tuple[CollectionId, int, int]]:
        wanted = set(values)
        return await self._store.read(notes.find, user, name, wanted)

    def watch_annotations(self, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        return self._store.watch(Topic.ANNOTATIONS, user, notify)

    async def prune_annotations(self, before: datetime) -> None:
        await self._store.write(notes.prune, before)

    async def load_rewrites(self, user: UserId, mailbox: str) -> Rewrites:
        return await self._store.look_up(rewrites.load, (user, mailbox))

    async def begin_writing(self, user: UserId, mailbox: str, writing: Writing) -> None:
        await self._store.write(rewrites.begin, (user, mailbox), writing)

    async def finish_writing(
        self, user: UserId, mailbox: str, writing: Writing, uid: int, answer: bytes
    ) -> None:
        key = (user, mailbox)
        await self._store.write(rewrites.finish, key, writing, uid, answer)

    async def abandon_writing(self, user: UserId, mailbox: str, marker: str) -> None:
        await self._store.write(rewrites.abandon, (user, mailbox), marker)

    async def forget_rewrites(self, user: UserId, mailbox: str, rows: Iterable[Rewrite]) -> None:
        gone = list(rows)
        await self._store.write(rewrites.forget, (user, mailbox), gone)

    async def load_moves(
        self,
        user: UserId,
        device: DeviceId,
        source: CollectionId,
        target: CollectionId,
        messages: Iterable[tuple[int, int]],
    ) -> Mapping[tuple[int, int], Move]:
        asked = tuple(messages)
        return await self._store.read(moves.load, (user, device), source, target, asked)

    async def begin_moves(self, user: UserId, device: DeviceId, journal: Iterable[Move]) -> None:
        rows = tuple(journal)
        await self._store.write(moves.begin, (user, device), rows)

    async def finish_moves(
        self,
        user: UserId,
        device: DeviceId,
        journal: Iterable[Move],
        states: Mapping[CollectionId, SyncState],
    ) -> None:
        rows = tuple(journal)
        await self._store.write(moves.finish, (user, device), rows, states)

    async def open_moves(self, user: UserId, device: DeviceId) -> Sequence[Move]:
        return await self._store.read(moves.open_ones, (user, device))

    async def prune_moves(self, before: datetime) -> None:
        await self._store.write(moves.prune, before)

    async def begin_send(self, entry: OutboxEntry, since: datetime) -> tuple[OutboxEntry, bool]:
        return await self._store.write(outbox.begin, entry, since)

    async def mark_send(self, entry_id: int, stage: OutboxStage) -> None:
        await self._store.write(outbox.mark, entry_id, stage)

    async def keep_copy(self, copy: SentCopy) -> None:
        await self._store.write(outbox.keep_copy, copy)

    async def kept_copies(self, user: UserId) -> Sequence[SentCopy]:
        return await self._store.read(outbox.kept_copies, user)

    async def users_with_copies(self) -> Sequence[UserId]:
        return await self._store.read(outbox.users_with_copies)

    async def prune_sends(self, before: datetime) -> None:
        await self._store.write(outbox.prune, before)

    async def note_poison(
        self, user: UserId, collection: CollectionId, item: str, release: str, reason: str
    ) -> bool:
        row = (user, collection, item, release, reason)
        return await self._store.write(poison.note, row)

    async def poison_of_others(self, user: UserId, collection: CollectionId, release: str) -> Sequence[str]:
        return await self._store.read(poison.of_others, user, collection, release)

    async def forget_poison(self, user: UserId, collection: CollectionId, items: Iterable[str]) -> None:
        gone = list(items)
        if gone:
            await self._store.write(poison.forget, user, collection, gone)

    async def list_poison(
        self, user: UserId | None = None, most: int | None = None
    ) -> Sequence[poison.Poison]:
        # Asked of each user who comes, and there are hardly ever any; if there are, they may be many.
        if user is not None and not await self._store.look_up(poison.has_any, user):
            return ()
        return await self._store.read(poison.list_all, user, most)

    async def count_poison(self) -> int:
        return await self._store.read(poison.count)

    async def note_act(self, act: Act) -> None:
        await self._store.write(audit.note, act)

    async def list_acts(self, wanted: Wanted, limit: int) -> Sequence[Noted]:
        return await self._store.read(audit.listed, wanted, limit)

    async def prune_acts(self, before: datetime) -> None:
        await self._store.write(audit.prune, before)

    async def begin_session(self, session: Session) -> None:
        await self._store.write(sessions.begin, session)

    async def load_session(self, key: bytes) -> Session | None:
        return await self._store.look_up(sessions.load, key)

    async def note_session(self, key: bytes, seen: datetime) -> None:
        await self._store.write(sessions.note, key, seen)

    async def end_session(self, key: bytes) -> None:
        await self._store.write(sessions.end, key)

    async def end_sessions(self, user: UserId) -> None:
        await self._store.write(sessions.end_all, user)

    async def sign_out(self, user: UserId, act: Act | None = None) -> None:
        await self._store.write(sessions.sign_out, user, act)

    async def save_membership(self, membership: Membership) -> None:
        await self._store.write(memberships.save, membership)

    async def load_membership(self, user: UserId) -> Membership | None:
        return await self._store.look_up(memberships.load, user)

    async def list_memberships(self, since: datetime | None = None) -> Sequence[Membership]:
        return await self._store.read(memberships.list_since, since)

    async def prune_memberships(self, before: datetime) -> None:
        await self._store.write(memberships.prune, before)

    async def prune_sessions(self, began: datetime, seen: datetime) -> None:
        await self._store.write(sessions.prune, began, seen)

    async def add_app_password(self, password: AppPassword, act: Act | None = None) -> AppPassword:
        number = await self._store.write(passwords.add, password, act)
        return replace(password, number=number)

    async def app_passwords(self, user: UserId | None = None) -> Sequence[AppPassword]:
        if user is None:
            return await self._store.read(passwords.list_all)
        return await self._store.look_up(passwords.list_of, user)

    async def use_app_password(self, number: int, device: DeviceId, now: datetime) -> bool:
        return await self._store.write(passwords.use, number, device, now)

    async def revoke_app_password(self, user: UserId, number: int, act: Act | None = None) -> bool:
        return await self._store.write(passwords.revoke, user, number, act)

    async def set_trace(self, user: UserId, device: DeviceId, until: datetime | None) -> None:
        await self._store.write(traces.begin, user, device, until)

    async def running_traces(self, now: datetime) -> Sequence[tuple[UserId, DeviceId]]:
        return await self._store.look_up(traces.running, now)

    async def write_trace(self, entries: Sequence[Traced], keep: int) -> None:
        rows = tuple(entries)
        await self._store.write(traces.write, rows, keep)

    async def read_trace(self, user: UserId, device: DeviceId, after: int, limit: int) -> Sequence[Traced]:
        return await self._store.read(traces.read, user, device, after, limit)

    async def prune_traces(self, now: datetime, before: datetime) -> None:
        await self._store.write(traces.prune, now, before)
