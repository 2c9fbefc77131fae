"""Sync of one folder of items with one device: client operations applied once, server changes told once.

Items are in the gateway's own store, so what a request does is one transaction: its edits, the mail that goes
out for them, what the device knows then, the answers and the new key. A request that dies before has
done nothing; repeated after it, its key is the previous one and its answers are there. Should anybody else
change the folder in between, nothing is stored and the request is worked out anew.

The engine knows no kind of item: operations carry what is to be done with an item (`itemoperations.py`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from pyroaring import BitMap

from gateway.errors import NotFound, StateConflict
from gateway.items import FileNumber, Item, ItemFolder, ItemNumber, Numbers, Right
from gateway.mail.pieces import Joined
from gateway.ports import Clock, Commit, Items, State
from gateway.sync.background import compute
from gateway.sync.beginnings import answer_to, dropping_branches, newest_answer
from gateway.sync.guests import as_seen, load_seen
from gateway.sync.itemcursor import ItemCursor, caught_up
from gateway.sync.itemexchange import NOTHING, ItemDelta, ItemReply, ItemRequest, Record
from gateway.sync.itemoperations import AddItem, ChangeItem, ItemOperation
from gateway.sync.itemreplay import asking, believing, completed, unanswered
from gateway.sync.itemwork import Rules, Supplies, Work
from gateway.sync.keys import KeyUse, beginning, begun_anew, branched, classify, format_key, key_of
from gateway.sync.operations import names
from gateway.types import CollectionId, DeviceId, SyncState, UserId

__all__ = ["ItemSync"]

_ATTEMPTS = 10
_AT_ONCE = 32
"""Items that are loaded at once."""
_MOST_TEXT = 8 * 1024 * 1024
"""Characters of stored text after which no further items are told in one reply."""
_TURN = 0.05
"""Seconds of computing after which other requests get their turn."""


@dataclass(slots=True)
class _Attempted:
    """What attempts of one request share: what they reserve or store beside the transaction."""

    numbers: dict[str, ItemNumber] = field(default_factory=dict)
    files: dict[str, Mapping[str, FileNumber]] = field(default_factory=dict)


class ItemSync:
    """One device's sync of one folder of items, its own or one shared with its user."""

    def __init__(
        self,
        state: State,
        items: Items,
        *,
        user: UserId,
        device: DeviceId,
        collection: CollectionId,
        release: str,
        clock: Clock,
    ) -> None:
        self._state = state
        self._items = items
        self._user = user
        self._device = device
        self._collection = collection
        self._release = release
        self._clock = clock

    async def run(self, request: ItemRequest) -> ItemReply:
        """Serve one request.

        Raises `NotFound` when the folder is gone or not shared any more, and `StateConflict` when others do
        not stop changing it; nothing is stored then.
        """
        attempted = _Attempted()
        async with self._state.lease(self._user, self._device, self._collection):
            for _ in range(_ATTEMPTS - 1):
                with suppress(StateConflict):
                    return await self._serve(request, attempted)
            return await self._serve(request, attempted)

    async def _serve(self, request: ItemRequest, attempted: _Attempted) -> ItemReply:
        folder = await self._items.item_folder(self._user, self._collection)
        if folder is None:
            raise NotFound("no such folder")
        stored = await self._state.load_sync(self._user, self._device, self._collection)
        use = classify(stored, request.key)
        if use is KeyUse.INITIAL:
            return await self._begin(stored, request)
        if stored is None or use is KeyUse.UNKNOWN:
            return ItemReply(KeyUse.UNKNOWN)
        if use is KeyUse.REPLAY:
            return await self._replay(folder, stored, request, attempted)
        if use is KeyUse.FRESH:  # proven, also when there is nothing to tell
            stored = await self._save(begun_anew(stored, request.key))
        return await self._advance(folder, stored, request, attempted)

    async def _begin(self, stored: SyncState | None, request: ItemRequest) -> ItemReply:
        """Issue a first key."""
        begun, key = beginning(stored, request.options(b""))
        await self._state.reset_sync(self._user, self._device, self._collection, begun)
        return ItemReply(KeyUse.INITIAL, key)

    # --- the current key ---------------------------------------------------------------------------------

    async def _advance(
        self, folder: ItemFolder, stored: SyncState, request: ItemRequest, attempted: _Attempted
    ) -> ItemReply:
        known = ItemCursor.unpack(stored.cursor)
        options = request.options(stored.options)
        base = await self._caught_up(folder, known, request.since(options))
        called = dict(zip(names(request.operations), request.operations, strict=True))
        work = await self._work(folder, base, self._rules(request, options), called, attempted)
        told, after = NOTHING, work.cursor
        if request.get_changes:
            told, after = await self._told(folder, after, work, request.limit)
        if not called and not len(told) and not request.answered:
            if after != known or options != stored.options:  # learnt, with nothing to tell: same key
                await self._save(replace(stored, cursor=after.pack(), options=options))
            return ItemReply(KeyUse.CURRENT, format_key(stored), options=options)
        issued = replace(
            dropping_branches(stored),
            number=stored.number + 1,
            cursor=after.pack(),
            previous=stored.cursor,
            results=Record.of(work.answers, told).pack(),
            options=options,
        )
        await self._commit(folder, work, issued)
        return ItemReply(
            KeyUse.CURRENT,
            format_key(issued),
            [work.answers[name] for name in called],
            told,
            request.get_changes and bool(after.untold),
            options,
            bool(work.notices),
        )

    async def _caught_up(self, folder: ItemFolder, cursor: ItemCursor, since: datetime | None) -> ItemCursor:
        """The cursor with all due that is new, and what other releases could not show."""
        cursor = await caught_up(self._items, folder, cursor, since)
        if cursor.release == self._release:
            return cursor
        stubs = await self._state.poison_of_others(self._user, self._collection, self._release)
        due = cursor.due | (Numbers(map(int, stubs)) & cursor.held)
        return replace(cursor.owing(due), release=self._release)

    async def _told(
        self, folder: ItemFolder, cursor: ItemCursor, work: Work, limit: int
    ) -> tuple[ItemDelta, ItemCursor]:
        """Take this reply's share of what is due; returns it with the cursor it leads to.

        It is less than the limit where the texts are long, but never nothing.
        """
        doubtful = Numbers((cursor.doubtful - work.later)[:limit])
        held, due = BitMap(cursor.held - doubtful), BitMap(cursor.due - work.later - cursor.doubtful)
        added: list[Item] = []
        changed: list[Item] = []
        removed, aged = BitMap(doubtful), BitMap()
        room = _MOST_TEXT
        while due and room > 0 and (left := limit - len(added) - len(changed) - len(removed) - len(aged)) > 0:
            batch = _share(due, held, min(left, _AT_ONCE))
            due -= batch
            there = await self._as_they_are(folder, batch, work)
            for number in batch:
                item = there.get(number)
                if item is not None and cursor.shows(item.stored.ends):
                    (changed if number in held else added).append(item)
                    held.add(number)
                    room -= len(item.stored.text)
                elif number in held:
                    (removed if item is None else aged).add(number)
                    held.discard(number)
        delta = ItemDelta(added, changed, Numbers(removed), Numbers(aged))
        after = cursor.owing(Numbers(due) | (cursor.due & work.later) | cursor.doubtful)
        return delta, replace(after, held=Numbers(held), doubtful=cursor.doubtful - doubtful)

    async def _as_they_are(
        self, folder: ItemFolder, numbers: Numbers, work: Work
    ) -> Mapping[ItemNumber, Item]:
        """The items there are, as they will be when the work is stored."""
        changed = work.items
        there = dict(await load_seen(self._items, folder, numbers))
        for number in numbers & Numbers(changed):
            item = changed[number]
            seen = as_seen(folder, item) if item else None
            if seen is None:
                there.pop(number, None)
            else:
                there[number] = seen
        return there

    # --- the previous key --------------------------------------------------------------------------------

    async def _replay(
        self, folder: ItemFolder, stored: SyncState, request: ItemRequest, attempted: _Attempted
    ) -> ItemReply:
        """Give the answer to the previous key again; operations that were not part of it are done now.

        With other operations than the first time it is another answer, with a key of its own: who goes on
        with the newest key did not get it.
        """
        record = Record.unpack(stored.results)
        options = request.options(stored.options)
        called = dict(zip(names(request.operations), request.operations, strict=True))
        asked, noticed = asking(called), False
        if asked == record.asked:
            key, after = format_key(stored), ItemCursor.unpack(stored.cursor)
        elif (heard := answer_to(stored, asked)) is not None:
            key, after = key_of(heard), ItemCursor.unpack(heard.cursor)
        else:
            new = unanswered(called, record)
            base = ItemCursor.unpack(newest_answer(stored))
            base = await self._caught_up(folder, base, request.since(options))
            # The device may not know yet what the first answer told it.
            base = base.owing(base.due | (record.changed & base.held))
            work = await self._work(folder, base, self._rules(request, options), new, attempted)
            for name, operation in new.items():
                if operation is not called[name]:  # what was added was written on since, by nobody knows whom
                    work.tell_later(work.answers[name].number)
            record = completed(record, called, work.answers)
            after, noticed = believing(work.cursor, called, record), bool(work.notices)
            kept, key = branched(replace(stored, results=record.pack()), asked, after.pack(), options)
            await self._commit(folder, work, kept)
        told = await self._told_again(folder, record)
        answers = [record.answers[name] for name in called]
        more = request.get_changes and bool(after.untold)
        return ItemReply(KeyUse.REPLAY, key, answers, told, more, options, noticed)

    async def _told_again(self, folder: ItemFolder, record: Record) -> ItemDelta:
        """What was told; items that went since are left out: that they did is told next."""
        there = await load_seen(self._items, folder, record.added | record.changed)
        return ItemDelta(
            [item for number, item in there.items() if number in record.added],
            [item for number, item in there.items() if number in record.changed],
            record.removed,
            record.aged,
        )

    # --- operations --------------------------------------------------------------------------------------

    async def _work(
        self,
        folder: ItemFolder,
        cursor: ItemCursor,
        rules: Rules,
        operations: Mapping[str, ItemOperation],
        attempted: _Attempted,
    ) -> Work:
        """Do operations on copies of the items they are about."""
        supplies = await self._supplies(folder, operations, attempted) if operations else Supplies()
        work = Work(folder, cursor, supplies, rules)
        todo = deque(operations.items())
        while todo:
            await compute(work.do_some, todo, _TURN)
        return work

    def _rules(self, request: ItemRequest, options: bytes) -> Rules:
        return Rules(request.policy(options), request.supported(options), self._clock.now())

    async def _supplies(
        self, folder: ItemFolder, operations: Mapping[str, ItemOperation], attempted: _Attempted
    ) -> Supplies:
        numbers = {one.number for one in operations.values() if not isinstance(one, AddItem)}
        adds = {name: one for name, one in operations.items() if isinstance(one, AddItem)}
        uids = {one.uid for one in adds.values()} - {""}
        known = await self._items.find_items(folder.owner, folder.kind, *uids) if uids else ()
        by_uid = {item.stored.uid: item.number for item in known if item.folder == folder.id}
        unnamed = [
            name for name, one in operations.items() if _is_numbered(one) and name not in attempted.numbers
        ]
        if unnamed:
            attempted.numbers |= zip(unnamed, await self._items.new_item_numbers(len(unnamed)), strict=True)
        if folder.right is not Right.READ:
            await self._store_files(operations, attempted)
        items = await self._items.load_items(folder.id, numbers.union(by_uid.values()))
        return Supplies(items, by_uid, attempted.numbers, attempted.files)

    async def _store_files(self, operations: Mapping[str, ItemOperation], attempted: _Attempted) -> None:
        """Store the files of operations, which an item refers to only once it is stored itself."""
        for name, one in operations.items():
            if isinstance(one, AddItem | ChangeItem) and one.files and name not in attempted.files:
                attempted.files[name] = {
                    file.client_id: await self._items.add_item_file(
                        file.name, file.content_type, Joined((file.content,))
                    )
                    for file in one.files
                }

    # --- storing -----------------------------------------------------------------------------------------

    async def _commit(self, folder: ItemFolder, work: Work, state: SyncState) -> None:
        """Store all of it at once. Raises `StateConflict`."""
        edits = work.edits
        if not edits and not work.notices:
            await self._save(state)
            return
        await self._items.commit_items(
            Commit(
                self._user,
                folder.id,
                edits,
                folder.revision,
                self._device,
                state,
                work.notices,
                author=folder.owner,
            )
        )

    async def _save(self, state: SyncState) -> SyncState:
        return await self._state.save_sync(self._user, self._device, self._collection, state)


def _is_numbered(operation: ItemOperation) -> bool:
    """Whether a new item comes of an operation, or may."""
    return isinstance(operation, AddItem) or (isinstance(operation, ChangeItem) and operation.splits)


def _share(due: BitMap, held: BitMap, limit: int) -> Numbers:
    """What to tell next: what became of items the device holds, then the newest of the others."""
    known = due & held
    if known:
        return Numbers(known[:limit])
    return Numbers(due[-limit:])
