"""What an administrator decides of devices, and what a user of his own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.eas.deciding import Decisions, find_device
from gateway.errors import GatewayError, Kind, NotFound, Refused
from gateway.ports.audit import Wanted
from gateway.store.sqlite import SqliteState
from gateway.types import Access, Device, DeviceId, UserId, Wipe, WipeStage

JO, BO = UserId("jo"), UserId("bo")
PHONE = DeviceId("D1")
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


class _Clock:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Decisions]:
    """An administrator, where there is one device of a user."""
    async with await SqliteState.open(tmp_path / "gateway.db") as state:
        await state.save_device(Device(JO, PHONE, "iPhone", 7, "16.1", first_seen=NOON))
        yield Decisions(state, _Clock(), "cli:root")


def of(user: UserId, admin: Decisions) -> Decisions:
    """The same for a user, of his own devices."""
    return replace(admin, who=user, owner=user)


async def stage(admin: Decisions) -> WipeStage | None:
    return (await find_device(admin.state, JO, PHONE)).control.stage


async def test_a_user_wipes_his_own_device_and_takes_that_back(admin: Decisions) -> None:
    await of(JO, admin).wipe(JO, "d1", Wipe.DEVICE)
    assert await stage(admin) is WipeStage.ASKED
    await admin.state.note_wipe(JO, PHONE, Wipe.DEVICE, WipeStage.TOLD, NOON)
    await of(JO, admin).unwipe(JO, PHONE)  # it has not answered yet
    assert await stage(admin) is None
    with pytest.raises(GatewayError, match="no wipe"):
        await of(JO, admin).unwipe(JO, PHONE)
    noted = [(one.act.act, one.act.who) for one in await admin.state.list_acts(Wanted(), 9)]
    assert noted == [("device.unwipe", "jo"), ("device.wipe", "jo")]


async def test_nobody_else_decides_of_it_or_learns_that_it_is_there(admin: Decisions) -> None:
    other = of(BO, admin)
    for work in (
        other.wipe(JO, PHONE, Wipe.DEVICE),
        other.unwipe(JO, PHONE),
        other.resync(JO, PHONE),
        other.remove(JO, PHONE),
        other.wipe(BO, PHONE, Wipe.DEVICE),
    ):
        with pytest.raises(NotFound, match="has no device D1"):
            await work
    with pytest.raises(Refused) as refused:
        await of(JO, admin).set_access(JO, PHONE, Access.ALLOW)
    assert refused.value.kind is Kind.ACCESS_DENIED
    assert await stage(admin) is None
    assert not await admin.state.list_acts(Wanted(), 9)


async def test_a_user_undoes_nothing_that_an_administrator_decided(admin: Decisions) -> None:
    await admin.wipe(JO, PHONE, Wipe.ACCOUNT)
    with pytest.raises(Refused, match="an administrator asked"):
        await of(JO, admin).unwipe(JO, PHONE)
    with pytest.raises(Refused, match="an administrator asked"):
        await of(JO, admin).wipe(JO, PHONE, Wipe.DEVICE)  # it would be his own then, to be taken back
    await admin.unwipe(JO, PHONE)
    await admin.set_access(JO, PHONE, Access.BLOCK)
    with pytest.raises(Refused, match="an administrator has to"):
        await of(JO, admin).remove(JO, PHONE)
    await admin.set_access(JO, PHONE, None)
    await of(JO, admin).remove(JO, PHONE)
    with pytest.raises(NotFound):
        await find_device(admin.state, JO, PHONE)


async def test_what_is_wiped_stays_barred_until_an_administrator_clears_it(admin: Decisions) -> None:
    user = of(JO, admin)
    await user.wipe(JO, PHONE, Wipe.DEVICE)
    assert await admin.state.note_wipe(JO, PHONE, Wipe.DEVICE, WipeStage.DONE, NOON)
    with pytest.raises(GatewayError, match="no wipe to be taken back"):
        await user.unwipe(JO, PHONE)
    with pytest.raises(Refused, match="wiped already"):
        await user.wipe(JO, PHONE, Wipe.DEVICE)
    with pytest.raises(Refused, match="an administrator has to"):
        await user.remove(JO, PHONE)
    await admin.remove(JO, PHONE)


async def test_what_never_came_is_decided_of_and_found(admin: Decisions) -> None:
    assert await admin.set_access(BO, "D9", Access.BLOCK) is None
    found = await admin.set_access(BO, "d9", Access.QUARANTINE)
    assert found is not None
    assert found.id == "D9"
    assert [one.control.access for one in await admin.state.awaited_devices()] == [Access.QUARANTINE]
    assert not await admin.state.awaited_devices(JO)
    await admin.remove(BO, "D9")
    assert not await admin.state.awaited_devices()
