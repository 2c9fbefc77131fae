"""The record of the device a request comes from, and what is noted of its visits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.eas.admission import Admission
from gateway.eas.request import EasRequest, parse
from gateway.errors import GatewayError
from gateway.store.sqlite import SqliteState
from gateway.types import Access, Device, DeviceId, UserId, Visit
from gateway.web.devices import Devices
from gateway.web.visits import Visits

JO, PHONE = UserId("jo"), DeviceId("D1")
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


@dataclass
class _Clock:
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment


@dataclass
class Interrupted:
    """A store in which somebody decides after the next load of a device."""

    state: SqliteState
    then: list[Callable[[], Awaitable[object]]] = field(default_factory=list)

    async def load_device(self, user: UserId, device: DeviceId) -> Device | None:
        loaded = await self.state.load_device(user, device)
        if self.then:
            await self.then.pop()()
        return loaded

    def __getattr__(self, name: str) -> object:
        return getattr(self.state, name)


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


def asks(agent: str = "A/1", kind: str = "iPhone") -> EasRequest:
    """A request of the device."""
    query = f"Cmd=Sync&User=jo&DeviceId={PHONE}&DeviceType={kind}".encode()
    return parse(query, {"ms-asprotocolversion": "16.1", "user-agent": agent})


async def test_what_is_decided_while_a_request_begins_is_not_lost(state: SqliteState) -> None:
    held = Interrupted(state)
    devices = Devices(held, _Clock(), Admission())  # type: ignore[arg-type]
    await state.save_device(Device(JO, PHONE, "iPhone", policy_key=7))

    async def load_again() -> None:
        """The first load is before the lease, the second one under it."""
        held.then.append(lambda: state.forget_device(JO, PHONE))

    held.then.append(load_again)
    assert (await devices.of(JO, asks())).policy_key == 0  # not the one it had before
    await state.set_access(JO, PHONE, Access.BLOCK)
    changed = await devices.of(JO, asks("A/2"))
    assert (changed.agent, changed.control.access) == ("A/2", Access.BLOCK)


async def test_a_device_blocked_before_it_came_is_blocked_from_its_first_request(state: SqliteState) -> None:
    await state.set_access(JO, PHONE, Access.BLOCK)
    device = await Devices(state, _Clock(), Admission()).of(JO, asks())
    assert Admission().access_of(device) is Access.BLOCK


async def test_two_phones_with_one_id_are_logged(state: SqliteState) -> None:
    devices = Devices(state, _Clock(), Admission())
    with capture_logs() as logs:
        await devices.of(JO, asks("A/1"))
        await devices.of(JO, asks("A/2"))  # an update
        await devices.of(JO, asks("A/3"))
        assert not logs
        await devices.of(JO, asks("A/2"))
        await devices.of(JO, asks("A/3"))
    assert [(one["user"], one["device"], one["one"], one["other"]) for one in logs] == [
        ("jo", "D1", "iPhone A/3", "iPhone A/2")
    ]


async def test_visits_are_noted_of_many_at_once_and_not_each_time(state: SqliteState) -> None:
    clock = _Clock()
    visits = Visits(state, clock)
    device = await state.save_device(Device(JO, PHONE, "iPhone"))

    async def noted() -> tuple[datetime | None, str, int]:
        await visits.flush()
        found = await state.load_device(JO, PHONE)
        assert found is not None
        nonlocal device
        device = found
        return found.synced, found.address, state.transactions

    visits.note(device, "192.0.2.1", "Sync", "3")  # it failed
    assert (await noted())[:2] == (None, "192.0.2.1")
    visits.note(device, "192.0.2.1", "Ping", "2")
    visits.note(device, "192.0.2.1", "FolderSync", "1")
    clock.moment += timedelta(minutes=1)
    visits.note(device, "192.0.2.2", "Ping", "2")
    *told, written = await noted()
    assert told == [NOON, "192.0.2.2"]
    clock.moment = NOON + timedelta(minutes=4)
    visits.note(device, "192.0.2.2", "Sync", "")
    assert await noted() == (NOON, "192.0.2.2", written)  # that was noted lately
    clock.moment = NOON + timedelta(minutes=5)
    visits.note(device, "192.0.2.2", "Sync", "")
    assert (await noted())[0] == clock.moment


async def test_visits_that_cannot_be_noted_wait(state: SqliteState, monkeypatch: pytest.MonkeyPatch) -> None:
    device = await state.save_device(Device(JO, PHONE, "iPhone"))
    visits = Visits(state, _Clock())

    async def fail(_visits: object) -> None:
        visits.note(device, "192.0.2.2", "Ping", "2")  # meanwhile
        raise GatewayError("disk full")

    visits.note(device, "192.0.2.1", "Sync", "1")
    with monkeypatch.context() as patch:
        patch.setattr(state, "note_visits", fail)
        await visits.flush()
    assert visits._pending == {(JO, PHONE): Visit("192.0.2.2", NOON)}
    await visits.flush()
    found = await state.load_device(JO, PHONE)
    assert found is not None
    assert (found.synced, found.address) == (NOON, "192.0.2.2")
