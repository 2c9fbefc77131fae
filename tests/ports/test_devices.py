"""What every adapter of the port `State` does with devices, and notes of decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from gateway.errors import StateConflict
from gateway.ports import Act, State
from gateway.ports.audit import Wanted
from gateway.types import (
    Access,
    Control,
    Device,
    DeviceId,
    Visit,
    Wipe,
    WipeStage,
)
from tests.ports.known import ANNA, BERT, FIRST, INBOX, NOON, PHONE, TABLET


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
