"""Held requests while the mail server or the store is away: for how long they are held on, what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from gateway.app import SystemClock
from gateway.eas import hold
from gateway.eas.commands.base import Context, Limits
from gateway.eas.hold import wait_for_news
from gateway.eas.identity import Identity
from gateway.eas.memberships import LearnedGroups
from gateway.eas.tally import Tally
from gateway.errors import StoreUnavailable, UpstreamUnavailable
from gateway.groups import Groups
from gateway.ports import Unsubscribe
from gateway.ports.directory import Viewer
from gateway.store.sqlite.state import SqliteState
from gateway.sync.background import Background
from gateway.sync.editable import EditableMailboxes
from gateway.sync.waiter import Signal
from gateway.types import CollectionId, DeviceId, Folder, MailboxView, SyncState, UserId
from tests.sync.model import Box, MemoryUpstream

pytestmark = pytest.mark.usefixtures("steady_clock")

ANN, INBOX = UserId("ann"), Folder(CollectionId("1"), "INBOX", "INBOX")
PRINCIPAL = Identity().principal("ann", "secret")
_ATTEMPTS = 20
"""More than a request makes that was never answered."""


class Upstream(MemoryUpstream):
    """Is `away` for so many looks, and calls `notify` when it is asked again after that."""

    def __init__(self) -> None:
        super().__init__(INBOX=Box())
        self.away = 0
        self.looks = 0
        self.notify: Callable[[str], None] = lambda _: None

    async def subscribe(self, _names: Iterable[str], notify: Callable[[str], None]) -> Unsubscribe:
        self.notify = notify
        return lambda: None

    async def view(self, mailbox: str, *, exact: Iterable[int] = ()) -> MailboxView:
        self.looks += 1
        if self.away:
            self.away -= 1
            raise UpstreamUnavailable("away")
        return await super().view(mailbox, exact=exact)


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold, "_RETRY_DELAYS", (0.001,) * 5)
    monkeypatch.setattr(hold, "_SELDOM", 0.001)


def hold_for(
    state: SqliteState, upstream: Upstream, seconds: float, groups: LearnedGroups | None = None
) -> asyncio.Task[Sequence[CollectionId]]:
    clock = SystemClock()
    context = SimpleNamespace(
        principal=PRINCIPAL,
        device=SimpleNamespace(id=DeviceId("p")),
        mailboxes=EditableMailboxes(upstream.port, state, ANN, clock),
        services=SimpleNamespace(
            state=state, items=None, clock=clock, limits=Limits(), tally=Tally(), groups=groups
        ),
        stopping=Signal(),
        superseded=Signal(),
        on_hold=lambda: None,
    )
    return asyncio.create_task(wait_for_news(cast("Context", context), [INBOX], seconds))


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not check():
            await asyncio.sleep(0.001)


async def test_who_was_answered_once_waits_until_the_mail_server_is_back(state: SqliteState) -> None:
    upstream = Upstream()
    held = hold_for(state, upstream, 600)
    await until(lambda: upstream.looks > 1)
    upstream.away = _ATTEMPTS
    upstream.notify("INBOX")
    await until(lambda: not upstream.away)
    assert not held.done()
    upstream.boxes["INBOX"].deliver()
    upstream.notify("INBOX")
    assert await asyncio.wait_for(held, 10) == [INBOX.id]


async def test_who_was_not_answered_at_all_is_told_so(state: SqliteState) -> None:
    upstream = Upstream()
    await state.save_sync(ANN, DeviceId("p"), INBOX.id, SyncState("a", 1, b""))
    upstream.away = _ATTEMPTS
    with pytest.raises(UpstreamUnavailable):
        await asyncio.wait_for(hold_for(state, upstream, 600), 10)
    assert upstream.away


class Company:
    """A directory."""

    found: frozenset[str] = frozenset()

    async def groups_of(self, _viewer: Viewer, _addresses: Collection[str], _alias: str) -> frozenset[str]:
        return self.found


async def test_who_waits_is_answered_when_his_groups_become_others(state: SqliteState) -> None:
    company, upstream, moment = Company(), Upstream(), timedelta(milliseconds=5)
    groups = LearnedGroups(
        Groups(), {"leavers"}, state, SystemClock(), Background(), sources=[company], age=moment
    )
    await groups.learn(PRINCIPAL)
    held = hold_for(state, upstream, 600, groups)
    await until(lambda: upstream.looks > 1)
    assert not held.done()
    company.found = frozenset({"leavers"})
    assert await asyncio.wait_for(held, 10) == ()


class Failing(SqliteState):
    """Is `away` for so many looks at what a device knows."""

    away = 0

    async def load_sync(self, user: UserId, device: DeviceId, collection: CollectionId) -> SyncState | None:
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        return await super().load_sync(user, device, collection)


@pytest.fixture
async def failing(tmp_path: Path) -> AsyncIterator[Failing]:
    async with await Failing.open(tmp_path / "failing.db") as opened:
        yield opened


async def test_who_was_answered_once_waits_until_the_store_is_back(failing: Failing) -> None:
    upstream = Upstream()
    held = hold_for(failing, upstream, 600)
    await until(lambda: upstream.looks > 1)
    failing.away = _ATTEMPTS
    upstream.boxes["INBOX"].deliver()
    upstream.notify("INBOX")
    assert await asyncio.wait_for(held, 10) == [INBOX.id]
    assert not failing.away


async def test_time_is_up_while_the_store_is_away(failing: Failing) -> None:
    upstream = Upstream()
    held = hold_for(failing, upstream, 1)
    await until(lambda: upstream.looks > 1)
    failing.away = 1_000_000
    upstream.boxes["INBOX"].deliver()
    upstream.notify("INBOX")
    assert await asyncio.wait_for(held, 10) == ()
    assert failing.away


async def test_who_could_not_be_looked_at_at_all_is_told_so(failing: Failing) -> None:
    upstream = Upstream()
    upstream.boxes["INBOX"].deliver()
    await failing.save_sync(ANN, DeviceId("p"), INBOX.id, SyncState("a", 1, b""))
    failing.away = _ATTEMPTS
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(hold_for(failing, upstream, 600), 10)
    assert failing.away


async def test_time_is_up_during_an_outage(state: SqliteState) -> None:
    upstream = Upstream()
    held = hold_for(state, upstream, 1)
    await until(lambda: upstream.looks > 1)
    upstream.away = 1_000_000
    upstream.notify("INBOX")
    assert await asyncio.wait_for(held, 10) == ()
