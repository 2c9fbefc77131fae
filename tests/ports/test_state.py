"""What every adapter of the port `State` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import StateConflict
from gateway.ports import State
from gateway.ports.traces import Traced
from gateway.types import (
    Beginning,
    CollectionId,
    Device,
    DeviceId,
    Folder,
    FolderList,
    SyncState,
    UserId,
)
from tests.ports.known import ANNA, BERT, FIRST, INBOX, NOON, PHONE, TABLET

SENT = CollectionId("2")
HIERARCHY = CollectionId("")


class TestFolders:
    """The list of ids given to mailboxes."""

    FOLDERS = (
        Folder(CollectionId("2"), "INBOX", "inbox", uidvalidity=4294967295, mailbox_id="F1"),
        Folder(CollectionId("1"), None, "outbox"),
        Folder(CollectionId("3"), "Entwürfe/日本", gone=True),
    )

    async def test_a_new_user_has_an_empty_list(self, state: State) -> None:
        assert await state.load_folders(ANNA) == FolderList()

    async def test_all_fields_and_the_order_come_back(self, state: State) -> None:
        saved = await state.save_folders(ANNA, FolderList(0, 4, self.FOLDERS))
        assert saved == FolderList(1, 4, self.FOLDERS)
        assert await state.load_folders(ANNA) == saved
        assert await state.load_folders(BERT) == FolderList()

    async def test_a_list_without_folders_keeps_its_counters(self, state: State) -> None:
        await state.save_folders(ANNA, FolderList(0, 9))
        assert await state.load_folders(ANNA) == FolderList(1, 9)

    async def test_a_second_save_replaces(self, state: State) -> None:
        saved = await state.save_folders(ANNA, FolderList(0, 4, self.FOLDERS))
        fewer = await state.save_folders(ANNA, replace(saved, next_id=5, folders=self.FOLDERS[1:]))
        assert await state.load_folders(ANNA) == fewer == FolderList(2, 5, self.FOLDERS[1:])

    @pytest.mark.parametrize("revision", [0, 2])
    async def test_an_old_revision_is_a_conflict_and_changes_nothing(
        self, state: State, revision: int
    ) -> None:
        saved = await state.save_folders(ANNA, FolderList(0, 4, self.FOLDERS))
        with pytest.raises(StateConflict):
            await state.save_folders(ANNA, FolderList(revision, 77))
        assert await state.load_folders(ANNA) == saved

    async def test_no_update_is_lost(self, state: State) -> None:
        async def add(number: int) -> None:
            while True:
                seen = await state.load_folders(ANNA)
                folder = Folder(CollectionId(str(seen.next_id)), f"box {number}")
                wanted = replace(seen, next_id=seen.next_id + 1, folders=(*seen.folders, folder))
                try:
                    await state.save_folders(ANNA, wanted)
                except StateConflict:
                    continue
                return

        await asyncio.gather(*(add(number) for number in range(20)))
        stored = await state.load_folders(ANNA)
        assert stored.revision == 20
        assert [folder.id for folder in stored.folders] == [str(number) for number in range(1, 21)]
        assert {folder.mailbox for folder in stored.folders} == {f"box {number}" for number in range(20)}


class TestSyncStates:
    """What a device knows of a collection."""

    async def test_unknown_collection_is_none(self, state: State) -> None:
        assert await state.load_sync(ANNA, PHONE, INBOX) is None
        assert await state.load_syncs(ANNA, PHONE) == {}

    async def test_all_fields_come_back(self, state: State) -> None:
        wanted = SyncState(
            "e",
            2**40,
            bytes(range(256)),
            previous=b"",
            results=b"r",
            options=b"\0",
            beginnings=(Beginning("f"), Beginning("g", bytes(range(256)), b"\1", "request")),
        )
        saved = await state.save_sync(ANNA, PHONE, INBOX, wanted)
        assert saved == replace(wanted, revision=1)
        assert await state.load_sync(ANNA, PHONE, INBOX) == saved

    async def test_no_previous_is_not_an_empty_previous(self, state: State) -> None:
        await state.save_sync(ANNA, PHONE, INBOX, FIRST)
        stored = await state.load_sync(ANNA, PHONE, INBOX)
        assert stored is not None
        assert stored.previous is None

    async def test_a_large_cursor_comes_back(self, state: State) -> None:
        saved = await state.save_sync(ANNA, PHONE, INBOX, replace(FIRST, cursor=b"\xff" * 3_000_000))
        assert await state.load_sync(ANNA, PHONE, INBOX) == saved

    async def test_collections_devices_and_users_are_apart(self, state: State) -> None:
        inbox = await state.save_sync(ANNA, PHONE, INBOX, FIRST)
        hierarchy = await state.save_sync(ANNA, PHONE, HIERARCHY, replace(FIRST, cursor=b"two"))
        await state.save_sync(ANNA, TABLET, INBOX, replace(FIRST, cursor=b"three"))
        await state.save_sync(BERT, PHONE, INBOX, replace(FIRST, cursor=b"four"))
        assert await state.load_syncs(ANNA, PHONE) == {INBOX: inbox, HIERARCHY: hierarchy}

    @pytest.mark.parametrize("revision", [0, 1, 3])
    async def test_another_revision_is_a_conflict_and_changes_nothing(
        self, state: State, revision: int
    ) -> None:
        saved = await state.save_sync(ANNA, PHONE, INBOX, FIRST)
        saved = await state.save_sync(ANNA, PHONE, INBOX, replace(saved, number=2))
        await state.save_intents(ANNA, PHONE, INBOX, {"add": b"1"})
        with pytest.raises(StateConflict):
            await state.save_sync(ANNA, PHONE, INBOX, replace(saved, number=9, revision=revision))
        assert await state.load_sync(ANNA, PHONE, INBOX) == saved
        assert await state.load_intents(ANNA, PHONE, INBOX) == {"add": b"1"}

    async def test_a_revision_of_nothing_is_a_conflict(self, state: State) -> None:
        with pytest.raises(StateConflict):
            await state.save_sync(ANNA, PHONE, INBOX, replace(FIRST, revision=1))
        assert await state.load_sync(ANNA, PHONE, INBOX) is None

    async def test_of_a_hundred_writers_one_wins(self, state: State) -> None:
        saved = await state.save_sync(ANNA, PHONE, INBOX, FIRST)
        outcomes = await asyncio.gather(
            *(
                state.save_sync(ANNA, PHONE, INBOX, replace(saved, number=number))
                for number in range(100, 200)
            ),
            return_exceptions=True,
        )
        won = [outcome for outcome in outcomes if isinstance(outcome, SyncState)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, StateConflict)]
        assert (len(won), len(lost)) == (1, 99)
        assert await state.load_sync(ANNA, PHONE, INBOX) == won[0]

    async def test_reset_stores_over_whatever_is_there(self, state: State) -> None:
        first = await state.reset_sync(ANNA, PHONE, INBOX, FIRST)
        assert first.revision == 1
        saved = await state.save_sync(ANNA, PHONE, INBOX, replace(first, number=2, previous=b"one"))
        again = await state.reset_sync(ANNA, PHONE, INBOX, replace(FIRST, epoch="b2"))
        assert await state.load_sync(ANNA, PHONE, INBOX) == again
        assert (again.epoch, again.previous) == ("b2", None)
        with pytest.raises(StateConflict):
            await state.save_sync(ANNA, PHONE, INBOX, saved)


class TestIntents:
    """What was about to be done upstream."""

    async def test_they_add_up_and_a_name_is_replaced(self, state: State) -> None:
        assert await state.load_intents(ANNA, PHONE, INBOX) == {}
        await state.save_intents(ANNA, PHONE, INBOX, {"add:1": b"x", "move:2": b""})
        await state.save_intents(ANNA, PHONE, INBOX, {"add:1": b"y", "add:3": b"z"})
        assert await state.load_intents(ANNA, PHONE, INBOX) == {"add:1": b"y", "move:2": b"", "add:3": b"z"}

    async def test_saving_the_state_forgets_those_of_the_collection_only(self, state: State) -> None:
        for user, device, collection in (
            (ANNA, PHONE, INBOX),
            (ANNA, PHONE, SENT),
            (ANNA, TABLET, INBOX),
            (BERT, PHONE, INBOX),
        ):
            await state.save_intents(user, device, collection, {"add": b"1"})
        await state.save_sync(ANNA, PHONE, INBOX, FIRST)
        assert await state.load_intents(ANNA, PHONE, INBOX) == {}
        assert await state.load_intents(ANNA, PHONE, SENT) == {"add": b"1"}
        assert await state.load_intents(ANNA, TABLET, INBOX) == {"add": b"1"}
        assert await state.load_intents(BERT, PHONE, INBOX) == {"add": b"1"}

    async def test_those_to_be_kept_stay(self, state: State) -> None:
        names = ("e.1 add", "e.2 add", "e.2 %", "e.21 add", "add e.2 ")
        await state.save_intents(ANNA, PHONE, INBOX, dict.fromkeys(names, b"1"))
        saved = await state.save_sync(ANNA, PHONE, INBOX, FIRST, keep=["e.1 ", "e.2 "])
        assert set(await state.load_intents(ANNA, PHONE, INBOX)) == {"e.1 add", "e.2 add", "e.2 %"}
        await state.save_sync(ANNA, PHONE, INBOX, saved, keep=["E.", "e.2 %"])
        assert set(await state.load_intents(ANNA, PHONE, INBOX)) == {"e.2 %"}

    async def test_no_intents_are_saved_without_harm(self, state: State) -> None:
        await state.save_intents(ANNA, PHONE, INBOX, {})
        assert await state.load_intents(ANNA, PHONE, INBOX) == {}

    async def test_reset_keeps_them(self, state: State) -> None:
        await state.save_intents(ANNA, PHONE, INBOX, {"add": b"1"})
        await state.reset_sync(ANNA, PHONE, INBOX, FIRST)
        assert await state.load_intents(ANNA, PHONE, INBOX) == {"add": b"1"}


async def test_memos_are_kept_by_name_and_forgotten(state: State) -> None:
    assert await state.load_memo(ANNA, PHONE, "ping") is None
    await state.save_memo(ANNA, PHONE, "ping", b"")
    await state.save_memo(ANNA, PHONE, "sync", b"\0\1")
    await state.save_memo(BERT, PHONE, "ping", b"other")
    assert await state.load_memo(ANNA, PHONE, "ping") == b""
    await state.save_memo(ANNA, PHONE, "ping", b"new")
    assert await state.load_memo(ANNA, PHONE, "ping") == b"new"
    await state.save_memo(ANNA, PHONE, "ping", None)
    await state.save_memo(ANNA, PHONE, "ping", None)
    assert await state.load_memo(ANNA, PHONE, "ping") is None
    assert await state.load_memo(ANNA, PHONE, "sync") == b"\0\1"
    assert await state.load_memo(BERT, PHONE, "ping") == b"other"


async def test_poison_is_new_once_for_each_release(state: State) -> None:
    assert await state.note_poison(ANNA, INBOX, "1:7", "1.0", "no header")
    assert not await state.note_poison(ANNA, INBOX, "1:7", "1.0", "again")
    assert await state.note_poison(ANNA, INBOX, "1:7", "1.1", "still no header")
    assert await state.note_poison(BERT, INBOX, "1:7", "1.0", "other")
    assert list(await state.list_poison(ANNA)) == [
        (ANNA, INBOX, "1:7", "1.0", "no header"),
        (ANNA, INBOX, "1:7", "1.1", "still no header"),
    ]
    assert len(await state.list_poison()) == 3
    assert [row[0] for row in await state.list_poison(most=1)] == [ANNA, ANNA]
    assert await state.count_poison() == 2
    assert await state.poison_of_others(ANNA, INBOX, "1.1") == []
    assert await state.poison_of_others(BERT, INBOX, "1.0") == []
    assert await state.poison_of_others(BERT, INBOX, "1.1") == ["1:7"]
    await state.forget_poison(ANNA, INBOX, ["1:7", "1:8"])
    assert list(await state.list_poison(ANNA)) == []
    assert len(await state.list_poison()) == await state.count_poison() == 1
    assert await state.note_poison(ANNA, INBOX, "1:7", "1.0", "no header")
    assert await state.poison_of_others(ANNA, INBOX, "1.2") == ["1:7"]


class TestLeases:
    """Exclusive rights."""

    async def test_one_holder_at_a_time_first_come_first_served(self, state: State) -> None:
        order: list[int] = []
        inside = 0

        async def work(number: int) -> None:
            nonlocal inside
            async with state.lease(ANNA, PHONE, "1"):
                inside += 1
                assert inside == 1
                order.append(number)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(work(number) for number in range(100)))
        assert order == list(range(100))

    async def test_other_names_devices_and_users_do_not_wait(self, state: State) -> None:
        async with (
            asyncio.timeout(20),
            state.lease(ANNA, PHONE, "1"),
            state.lease(ANNA, PHONE, "2"),
            state.lease(ANNA, TABLET, "1"),
            state.lease(BERT, PHONE, "1"),
        ):
            pass

    async def test_an_error_and_a_cancelled_waiter_let_go(self, state: State) -> None:
        async def wait() -> None:
            async with state.lease(ANNA, PHONE, "1"):
                raise AssertionError("was cancelled while waiting")

        async with state.lease(ANNA, PHONE, "1"):
            waiter = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiter.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiter
        with pytest.raises(KeyError):
            async with state.lease(ANNA, PHONE, "1"):
                raise KeyError
        async with asyncio.timeout(20), state.lease(ANNA, PHONE, "1"):
            pass


async def test_a_hundred_tasks_of_all_kinds_at_once(state: State) -> None:
    async def live(number: int) -> None:
        user, device = UserId(f"user{number % 10}"), DeviceId(f"device{number}")
        await state.save_device(Device(user=user, id=device, type="x"))
        sync = await state.reset_sync(user, device, INBOX, FIRST)
        for step in range(2, 7):
            await state.save_intents(user, device, INBOX, {f"add:{step}": b"x"})
            sync = await state.save_sync(user, device, INBOX, replace(sync, number=step))
            assert await state.load_sync(user, device, INBOX) == sync
            assert await state.load_intents(user, device, INBOX) == {}
        await state.save_memo(user, device, "ping", str(number).encode())
        assert await state.load_memo(user, device, "ping") == str(number).encode()

    await asyncio.gather(*(live(number) for number in range(100)))
    assert len(await state.list_devices()) == 100


async def test_the_store_is_writable(state: State) -> None:
    await state.check_writable()
    await state.check_writable()


async def test_traces_run_for_a_time_and_keep_the_newest(state: State) -> None:
    everything = DeviceId("")
    await state.set_trace(ANNA, PHONE, NOON)
    await state.set_trace(BERT, everything, NOON + timedelta(seconds=1))
    assert set(await state.running_traces(NOON - timedelta(seconds=1))) == {(ANNA, PHONE), (BERT, everything)}
    assert await state.running_traces(NOON) == [(BERT, everything)]
    await state.set_trace(BERT, everything, None)
    assert not await state.running_traces(NOON)
    lines = [Traced(0, NOON, ANNA, PHONE, str(number)) for number in range(5)]
    await state.write_trace(lines, 3)
    await state.write_trace([Traced(0, NOON + timedelta(seconds=1), ANNA, TABLET, "5")], 3)
    found = await state.read_trace(ANNA, everything, 0, 10)
    assert [one.line for one in found] == ["2", "3", "4", "5"]
    assert [one.line for one in await state.read_trace(ANNA, PHONE, found[0].number, 1)] == ["3"]
    await state.prune_traces(NOON, NOON + timedelta(seconds=1))
    assert [one.line for one in await state.read_trace(ANNA, everything, 0, 10)] == ["5"]
