"""What every adapter of the port `State` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.errors import StateConflict
from gateway.ports import Act, State
from gateway.ports.audit import Wanted
from gateway.ports.traces import Traced
from gateway.types import (
    Access,
    Beginning,
    CollectionId,
    Control,
    Device,
    DeviceId,
    Folder,
    FolderList,
    Move,
    OutboxEntry,
    OutboxStage,
    SentCopy,
    SyncState,
    UserId,
    Visit,
    Wipe,
    WipeStage,
)

ANNA = UserId("anna@example.com")
BERT = UserId("bert@example.com")
PHONE = DeviceId("PHONE1")
TABLET = DeviceId("TABLET2")
INBOX = CollectionId("1")
SENT = CollectionId("2")
HIERARCHY = CollectionId("")
NOON = datetime(2026, 11, 3, 12, 0, 0, 123000, tzinfo=UTC)
FIRST = SyncState(epoch="a1", number=1, cursor=b"one")


def outgoing(**changes: object) -> OutboxEntry:
    """A message as the phone sends it, with some fields changed."""
    entry = OutboxEntry(
        id=0,
        user=ANNA,
        device=PHONE,
        client_id="SendMail-1",
        message_id="<1@phone>",
        digest="00ff",
        save=True,
        stage=OutboxStage.ACCEPTED,
        created=NOON,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


class TestDevices:
    """Partnerships."""

    async def test_unknown_device_is_none(self, state: State) -> None:
        assert await state.load_device(ANNA, PHONE) is None

    async def test_all_fields_come_back(self, state: State) -> None:
        device = Device(
            user=ANNA,
            id=PHONE,
            type="iPhone",
            policy_key=4294967295,
            version="16.1",
            agent="Apple-iPhone/2101.55 ünï",
            information={"FriendlyName": "Anna’s phone", "Model": ""},
            first_seen=NOON,
            last_seen=NOON + timedelta(days=1, milliseconds=1),
            refused=3,
        )
        await state.save_device(device)
        assert await state.load_device(ANNA, PHONE) == device

    async def test_saving_again_replaces(self, state: State) -> None:
        device = Device(user=ANNA, id=PHONE, type="iPhone", information={"Model": "X"}, last_seen=NOON)
        await state.save_device(device)
        changed = device.replace(information={}, last_seen=None, policy_key=5)
        await state.save_device(changed)
        assert await state.load_device(ANNA, PHONE) == changed

    async def test_the_same_device_id_of_two_users_is_two_devices(self, state: State) -> None:
        await state.save_device(Device(user=ANNA, id=PHONE, type="a", policy_key=1))
        await state.save_device(Device(user=BERT, id=PHONE, type="b", policy_key=2))
        assert [device.policy_key for device in await state.list_devices()] == [1, 2]
        assert [device.type for device in await state.list_devices(BERT)] == ["b"]

    async def test_what_was_never_provisioned_is_forgotten(self, state: State) -> None:
        unseen = Device(user=ANNA, id=DeviceId("UNSEEN"), type="a", first_seen=NOON)
        asked = Device(user=ANNA, id=PHONE, type="a", last_seen=NOON)
        for device in (
            asked,
            unseen,
            asked.replace(user=BERT, policy_key=1),
            asked.replace(user=BERT, id=TABLET, last_seen=NOON + timedelta(seconds=1)),
        ):
            await state.save_device(device)
            await state.save_memo(device.user, device.id, "ping", b"x")
            await state.save_intents(device.user, device.id, INBOX, {"a": b"1"})
        # One that is served without a policy key synchronises: it is no invention.
        await state.save_device(asked.replace(id=TABLET))
        await state.save_sync(ANNA, TABLET, INBOX, replace(FIRST, revision=0))
        await state.prune_devices(NOON)
        assert len(await state.list_devices()) == 5
        await state.prune_devices(NOON + timedelta(milliseconds=1))
        assert [(device.user, device.id) for device in await state.list_devices()] == [
            (ANNA, TABLET),
            (BERT, PHONE),
            (BERT, TABLET),
        ]
        assert await state.load_sync(ANNA, TABLET, INBOX) is not None
        for user, name, left in ((ANNA, PHONE, False), (BERT, PHONE, True), (BERT, TABLET, True)):
            assert (await state.load_memo(user, name, "ping") is not None) is left
            assert bool(await state.load_intents(user, name, INBOX)) is left

    async def test_what_people_decide_is_stored_apart(self, state: State) -> None:
        await state.set_access(ANNA, PHONE, Access.BLOCK)  # before it was ever seen
        device = Device(user=ANNA, id=PHONE, type="a", policy="digest", compliance=2, provisioned=NOON)
        await state.save_device(device)
        blocked = device.replace(control=Control(Access.BLOCK))
        assert await state.load_device(ANNA, PHONE) == blocked
        assert await state.ask_wipe(ANNA, PHONE, Wipe.ACCOUNT, NOON)
        await state.set_access(ANNA, PHONE, None)
        await state.save_device(blocked)  # as it was read before
        asked = Control(None, Wipe.ACCOUNT, WipeStage.ASKED, NOON)
        assert await state.load_device(ANNA, PHONE) == device.replace(control=asked)
        assert (await state.list_devices(ANNA))[0].control == asked
        await state.save_device(device.replace(id=TABLET))
        assert (await state.list_devices(ANNA))[1].control == Control()

    async def test_what_was_decided_since_a_device_was_loaded_is_not_lost(self, state: State) -> None:
        """A request loads and saves; in between somebody blocks the device, or has it forgotten."""
        await state.save_device(Device(user=ANNA, id=PHONE, type="a", policy_key=1))
        for decide in (
            state.set_access(ANNA, PHONE, Access.BLOCK),
            state.forget_syncs(ANNA, PHONE),
            state.forget_device(ANNA, PHONE),
        ):
            loaded = await state.load_device(ANNA, PHONE)
            assert loaded is not None
            loaded = await state.save_device(loaded.replace(type="b"))
            await decide
            with pytest.raises(StateConflict):
                await state.save_device(loaded.replace(type="c"))
        assert await state.load_device(ANNA, PHONE) is None
        anew = await state.save_device(Device(user=ANNA, id=PHONE, type="a"))
        assert (await state.save_device(anew.replace(type="b"))).type == "b"

    async def test_saving_tells_what_was_decided_before_it_came(self, state: State) -> None:
        await state.set_access(ANNA, PHONE, Access.BLOCK)
        assert (await state.save_device(Device(ANNA, PHONE, "a"))).control.access is Access.BLOCK

    async def test_visits_are_noted_apart(self, state: State) -> None:
        device = await state.save_device(Device(ANNA, PHONE, "a"))
        await state.note_visits({(ANNA, PHONE): Visit("192.0.2.1", NOON), (BERT, PHONE): Visit("::1")})
        await state.save_device(device.replace(type="b"))
        await state.note_visits({(ANNA, PHONE): Visit("192.0.2.2")})
        assert await state.list_devices() == [device.replace(type="b", synced=NOON, address="192.0.2.2")]

    async def test_a_wipe_can_be_taken_back_until_it_is_done(self, state: State) -> None:
        await state.save_device(Device(user=ANNA, id=PHONE, type="a"))

        async def control() -> Control:
            device = await state.load_device(ANNA, PHONE)
            assert device is not None
            return device.control

        assert not await state.note_wipe(ANNA, PHONE, Wipe.DEVICE, WipeStage.DONE, NOON)
        assert not await state.ask_wipe(ANNA, PHONE, None, NOON)
        assert await state.ask_wipe(ANNA, PHONE, Wipe.DEVICE, NOON)
        assert not await state.note_wipe(ANNA, PHONE, Wipe.ACCOUNT, WipeStage.TOLD, NOON)
        assert await state.note_wipe(ANNA, PHONE, Wipe.DEVICE, WipeStage.TOLD, NOON)
        assert await control() == Control(None, Wipe.DEVICE, WipeStage.TOLD, NOON)
        assert await state.ask_wipe(ANNA, PHONE, None, NOON)
        assert await control() == Control()
        later = NOON + timedelta(hours=1)
        assert await state.ask_wipe(ANNA, PHONE, Wipe.DEVICE, NOON)
        for stage in (WipeStage.FAILED, WipeStage.DONE):
            assert await state.note_wipe(ANNA, PHONE, Wipe.DEVICE, stage, later)
            assert await control() == Control(None, Wipe.DEVICE, stage, NOON, later)
        assert not await state.note_wipe(ANNA, PHONE, Wipe.DEVICE, WipeStage.FAILED, later)
        assert not await state.ask_wipe(ANNA, PHONE, None, later)
        assert not await state.ask_wipe(ANNA, PHONE, Wipe.DEVICE, later)
        assert (await control()).stage is WipeStage.DONE

    async def test_decisions_are_told_once(self, state: State) -> None:
        assert await state.decided_devices(0) == (0, [])
        await state.set_access(ANNA, PHONE, Access.BLOCK)
        await state.ask_wipe(ANNA, TABLET, Wipe.DEVICE, NOON)
        newest, devices = await state.decided_devices(0)
        assert list(devices) == [(ANNA, PHONE), (ANNA, TABLET)]
        assert await state.decided_devices(newest) == (newest, [])
        await state.set_access(ANNA, PHONE, None)
        assert list((await state.decided_devices(newest))[1]) == [(ANNA, PHONE)]

    async def test_whoever_watches_is_told_of_decisions(self, state: State) -> None:
        told: list[None] = []
        end = state.watch_decisions(lambda: told.append(None))
        await state.save_device(Device(user=ANNA, id=PHONE, type="a"))
        assert not told
        await state.set_access(ANNA, PHONE, Access.BLOCK)
        await state.forget_device(ANNA, PHONE)
        assert len(told) == 2
        end()
        await state.set_access(ANNA, PHONE, None)
        assert len(told) == 2

    async def test_what_is_forgotten_is_told_as_a_decision(self, state: State) -> None:
        """Requests that are held learn of it, and no number is given out twice."""
        for name in (PHONE, TABLET):
            await state.save_device(Device(user=ANNA, id=name, type="a"))
        await state.set_access(ANNA, PHONE, Access.BLOCK)
        newest, _ = await state.decided_devices(0)
        await state.forget_device(ANNA, PHONE)
        newest, devices = await state.decided_devices(newest)
        assert list(devices) == [(ANNA, PHONE)]
        await state.forget_syncs(ANNA, TABLET)
        newest, devices = await state.decided_devices(newest)
        assert list(devices) == [(ANNA, TABLET)]
        await state.forget_device(ANNA, TABLET)
        await state.set_access(BERT, PHONE, Access.BLOCK)
        assert list((await state.decided_devices(newest))[1]) == [(ANNA, TABLET), (BERT, PHONE)]

    async def test_devices_that_do_not_come_any_more_are_forgotten(self, state: State) -> None:
        for name, seen in ((PHONE, NOON), (TABLET, NOON + timedelta(days=1))):
            await state.save_device(Device(user=ANNA, id=name, type="a", policy_key=1, last_seen=seen))
            await state.save_memo(ANNA, name, "ping", b"x")
            await state.set_access(ANNA, name, Access.BLOCK)
        assert await state.expire_devices(NOON) == 0
        assert await state.expire_devices(NOON + timedelta(hours=1)) == 1
        assert [device.id for device in await state.list_devices()] == [TABLET]
        assert await state.load_memo(ANNA, PHONE, "ping") is None
        await state.save_device(Device(user=ANNA, id=PHONE, type="a"))
        back = await state.load_device(ANNA, PHONE)
        assert back is not None
        assert back.control.access is Access.BLOCK

    async def test_devices_are_forgotten_one_by_one(self, state: State) -> None:
        for name in (PHONE, TABLET):
            await state.save_device(Device(user=ANNA, id=name, type="a", policy_key=1))
            await state.save_memo(ANNA, name, "ping", b"x")
            await state.save_sync(ANNA, name, INBOX, replace(FIRST, revision=0))
            await state.save_intents(ANNA, name, INBOX, {"a": b"1"})
            await state.set_access(ANNA, name, Access.BLOCK)
        await state.forget_syncs(ANNA, PHONE)
        assert await state.load_sync(ANNA, PHONE, INBOX) is None
        assert not await state.load_intents(ANNA, PHONE, INBOX)
        assert await state.load_memo(ANNA, PHONE, "ping") == b"x"
        assert await state.forget_device(ANNA, PHONE)
        assert not await state.forget_device(ANNA, PHONE)
        assert [device.id for device in await state.list_devices()] == [TABLET]
        assert await state.load_memo(ANNA, PHONE, "ping") is None
        assert await state.load_sync(ANNA, TABLET, INBOX) is not None
        await state.save_device(Device(user=ANNA, id=PHONE, type="a"))
        assert (await state.list_devices())[0].control == Control()

    async def test_times_are_told_in_utc(self, state: State) -> None:
        east = NOON.astimezone(timezone(timedelta(hours=9)))
        await state.save_device(Device(user=ANNA, id=PHONE, type="x", first_seen=east))
        stored = await state.load_device(ANNA, PHONE)
        assert stored is not None
        assert stored.first_seen == NOON
        assert stored.first_seen is not None
        assert stored.first_seen.utcoffset() == timedelta(0)


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


class TestOutbox:
    """The journal of mail being sent."""

    SINCE = NOON - timedelta(days=1)

    async def test_a_new_message_gets_an_id(self, state: State) -> None:
        entry = outgoing(id=99)
        first, new = await state.begin_send(entry, self.SINCE)
        assert new
        assert first == replace(entry, id=first.id)
        second, new = await state.begin_send(outgoing(client_id="other", digest="11"), self.SINCE)
        assert new
        assert second.id != first.id

    @pytest.mark.parametrize(
        ("changes", "same"),
        [
            ({}, True),
            ({"digest": "11", "message_id": ""}, True),
            ({"client_id": "SendMail-2"}, True),
            ({"client_id": "", "device": TABLET}, True),
            ({"client_id": "SendMail-2", "digest": "11"}, False),
            ({"client_id": "SendMail-2", "message_id": "<2@phone>"}, False),
            ({"device": TABLET, "digest": "11"}, False),
            ({"user": BERT}, False),
        ],
    )
    async def test_what_counts_as_the_same_message(
        self, state: State, changes: dict[str, object], same: bool
    ) -> None:
        first, _ = await state.begin_send(outgoing(), self.SINCE)
        again, new = await state.begin_send(
            outgoing(**changes, created=NOON + timedelta(hours=1)), self.SINCE
        )
        assert new is not same
        assert (again == first) is same

    async def test_empty_names_are_not_the_same(self, state: State) -> None:
        nameless = outgoing(client_id="", message_id="")
        assert (await state.begin_send(nameless, self.SINCE))[1]
        assert (await state.begin_send(nameless, self.SINCE))[1]

    @pytest.mark.parametrize("stage", OutboxStage)
    async def test_only_a_failed_message_may_be_offered_again(self, state: State, stage: OutboxStage) -> None:
        first, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.mark_send(first.id, stage)
        again, new = await state.begin_send(outgoing(), self.SINCE)
        assert new is (stage is OutboxStage.FAILED)
        if not new:
            assert again == replace(first, stage=stage)

    async def test_an_old_message_does_not_count(self, state: State) -> None:
        await state.begin_send(outgoing(), self.SINCE)
        later = outgoing(created=NOON + timedelta(days=2))
        assert not (await state.begin_send(later, NOON - timedelta(milliseconds=1)))[1]
        assert (await state.begin_send(later, NOON))[1]

    async def test_of_two_that_match_the_newest_is_told(self, state: State) -> None:
        await state.begin_send(outgoing(message_id="", client_id="x"), self.SINCE)
        newest, _ = await state.begin_send(outgoing(client_id="y"), self.SINCE)
        found, new = await state.begin_send(outgoing(client_id="x"), self.SINCE)
        assert (found, new) == (newest, False)

    async def test_of_a_hundred_at_once_one_is_new(self, state: State) -> None:
        outcomes = await asyncio.gather(*(state.begin_send(outgoing(), self.SINCE) for _ in range(100)))
        assert sum(new for _, new in outcomes) == 1
        assert len({entry.id for entry, _ in outcomes}) == 1

    async def test_a_copy_is_kept_until_its_message_is_done(self, state: State) -> None:
        entry, _ = await state.begin_send(outgoing(), self.SINCE)
        other, _ = await state.begin_send(outgoing(user=BERT), self.SINCE)
        copy = SentCopy(entry.id, ANNA, "<1@phone>", b"mail\0mail")
        await state.keep_copy(copy)
        await state.keep_copy(replace(copy, message=b"another"))
        await state.keep_copy(SentCopy(other.id, BERT, "<1@phone>", b"his"))
        assert await state.kept_copies(ANNA) == [copy]
        assert sorted(await state.users_with_copies()) == [ANNA, BERT]
        await state.mark_send(entry.id, OutboxStage.SUBMITTED)
        assert await state.kept_copies(ANNA) == [copy]
        await state.mark_send(entry.id, OutboxStage.DONE)
        assert await state.kept_copies(ANNA) == []
        assert await state.users_with_copies() == [BERT]

    async def test_no_copy_is_kept_of_what_is_done_or_unknown(self, state: State) -> None:
        entry, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.mark_send(entry.id, OutboxStage.DONE)
        await state.keep_copy(SentCopy(entry.id, ANNA, "<1@phone>", b"mail"))
        await state.keep_copy(SentCopy(entry.id + 1, ANNA, "<1@phone>", b"mail"))
        assert await state.users_with_copies() == []

    async def test_pruning_forgets_the_old_and_never_reuses_an_id(self, state: State) -> None:
        old, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.prune_sends(NOON)
        assert not (await state.begin_send(outgoing(), self.SINCE))[1]
        await state.prune_sends(NOON + timedelta(milliseconds=1))
        await state.mark_send(old.id, OutboxStage.DONE)
        fresh, new = await state.begin_send(outgoing(), self.SINCE)
        assert new
        assert fresh.id > old.id

    async def test_pruning_spares_a_message_whose_copy_is_kept(self, state: State) -> None:
        entry, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.keep_copy(SentCopy(entry.id, ANNA, "<1@phone>", b"mail"))
        await state.prune_sends(NOON + timedelta(days=99))
        assert [copy.entry for copy in await state.kept_copies(ANNA)] == [entry.id]
        assert not (await state.begin_send(outgoing(), self.SINCE))[1]


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


def moved(uid: int, target_uid: int | None = None, **changes: object) -> Move:
    """A move from the inbox to Sent, with some fields changed."""
    move = Move(INBOX, 7, uid, SENT, "likeness", 9, 100, NOON, target_uid)
    return replace(move, **changes)  # type: ignore[arg-type]


async def test_moves_are_found_by_device_message_and_target(state: State) -> None:
    await state.begin_moves(ANNA, PHONE, [moved(1), moved(2)])
    await state.begin_moves(ANNA, TABLET, [moved(3)])
    found = await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 1), (7, 3), (8, 1)])
    assert found == {(7, 1): moved(1)}
    assert not await state.load_moves(ANNA, PHONE, SENT, INBOX, [(7, 1)])
    assert not await state.load_moves(BERT, PHONE, INBOX, SENT, [(7, 1)])
    ended = [moved(1, 100, flags=frozenset({"\\Seen", "category:Büro"})), moved(2, 0, flags=frozenset())]
    await state.finish_moves(ANNA, PHONE, ended, {})
    found = await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 1), (7, 2)])
    assert found == {(7, 1): ended[0], (7, 2): ended[1]}


async def test_a_finished_move_and_what_the_device_knows_are_stored_together(state: State) -> None:
    first = await state.save_sync(ANNA, PHONE, INBOX, FIRST)
    await state.save_intents(ANNA, PHONE, INBOX, {"delete": b"1"})
    await state.finish_moves(ANNA, PHONE, [moved(1, 100)], {INBOX: replace(first, cursor=b"two")})
    stored = await state.load_sync(ANNA, PHONE, INBOX)
    assert stored is not None
    assert (stored.cursor, stored.revision) == (b"two", first.revision + 1)
    assert await state.load_intents(ANNA, PHONE, INBOX) == {"delete": b"1"}
    with pytest.raises(StateConflict):
        await state.finish_moves(ANNA, PHONE, [moved(2, 101)], {INBOX: replace(first, cursor=b"three")})
    assert not await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 2)])
    assert await state.load_sync(ANNA, PHONE, INBOX) == stored


async def test_moves_under_way(state: State) -> None:
    later = moved(2, began=NOON + timedelta(seconds=1))
    await state.begin_moves(ANNA, PHONE, [later, moved(1), moved(3)])
    await state.begin_moves(ANNA, TABLET, [moved(4)])
    await state.finish_moves(ANNA, PHONE, [moved(3, 100)], {})
    assert await state.open_moves(ANNA, PHONE) == [moved(1), later]


async def test_old_moves_are_forgotten(state: State) -> None:
    later = moved(2, began=NOON + timedelta(days=1))
    await state.begin_moves(ANNA, PHONE, [moved(1), later])
    await state.prune_moves(NOON + timedelta(hours=1))
    assert await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 1), (7, 2)]) == {(7, 2): later}


async def test_a_rename_under_way_is_stored_with_the_folder(state: State) -> None:
    folder = Folder(INBOX, "Old", uidvalidity=7, renaming="New")
    await state.save_folders(ANNA, FolderList(0, 2, (folder,)))
    assert (await state.load_folders(ANNA)).folders == (folder,)


class TestAudit:
    """Who decided what."""

    async def test_decisions_are_noted_with_what_they_do(self, state: State) -> None:
        await state.save_device(Device(ANNA, PHONE, "iPhone"))

        def act(what: str) -> Act:
            return Act(NOON, "bert", what, ANNA, PHONE)

        await state.set_access(ANNA, PHONE, Access.BLOCK, act("device.block"))
        assert not await state.ask_wipe(ANNA, PHONE, None, NOON, act("never"))
        assert await state.ask_wipe(ANNA, PHONE, Wipe.DEVICE, NOON, act("device.wipe"))
        await state.forget_syncs(ANNA, PHONE, act("device.resync"))
        assert await state.forget_device(ANNA, PHONE, act("device.remove"))
        assert not await state.forget_device(ANNA, PHONE, act("never"))
        noted = [one.act for one in await state.list_acts(Wanted(), 10)]
        names = ("device.remove", "device.resync", "device.wipe", "device.block")
        assert noted == [act(name) for name in names]

    async def test_they_are_found_by_what_they_have_and_page_by_page(self, state: State) -> None:
        acts = [
            Act(NOON, "anna@example.com", "device.wipe", ANNA, PHONE),
            Act(NOON, "cli:root", "device.wipe", BERT, PHONE, "lost"),
            Act(NOON + timedelta(seconds=1), "cli:root", "store.backup", details="copy"),
        ]
        for act in acts:
            await state.note_act(act)

        async def found(wanted: Wanted, limit: int = 10) -> list[Act]:
            return [one.act for one in await state.list_acts(wanted, limit)]

        assert await found(Wanted(who="cli:root")) == [acts[2], acts[1]]
        assert await found(Wanted(who="cli:root", act="device.wipe")) == [acts[1]]
        assert await found(Wanted(user=ANNA)) == [acts[0]]
        assert await found(Wanted(device=PHONE), limit=1) == [acts[1]]
        newest = (await state.list_acts(Wanted(), 1))[0]
        assert await found(Wanted(before=newest.number)) == [acts[1], acts[0]]
        await state.prune_acts(NOON + timedelta(seconds=1))
        assert await found(Wanted()) == [acts[2]]
        await state.note_act(acts[0])
        assert (await state.list_acts(Wanted(), 1))[0].number == newest.number + 1


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
