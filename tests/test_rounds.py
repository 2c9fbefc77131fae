"""What runs beside the requests."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.app import rounds
from gateway.app.parts import imap_settings
from gateway.app.rounds import Stored, counting, hourly, running
from gateway.config import load
from gateway.errors import GatewayError
from gateway.store.sqlite import SqliteState
from gateway.store.turns import OwnTurns
from gateway.types import CollectionId, UserId


async def test_items_that_cannot_be_shown_are_counted(tmp_path: Path) -> None:
    stored = Stored()
    async with await SqliteState.open(tmp_path / "gateway.db") as state:
        for release in ("0.1", "0.2"):
            await state.note_poison(UserId("jo"), CollectionId("1"), "1:7", release, "no structure")
        async with running(counting(state, stored)):
            while not stored.poison:
                await asyncio.sleep(0.01)
    assert stored.poison == 1


async def test_an_hourly_job_is_done_once_and_soon_again_where_it_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "_MINUTE", 0)
    turns, attempts, done = OwnTurns(), 0, asyncio.Event()

    async def work() -> None:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise GatewayError("the store is away")
        done.set()

    async with running(hourly(turns, "it", work)), running(hourly(turns, "it", work)):
        await done.wait()
        for _ in range(20):
            await asyncio.sleep(0)
    assert attempts == 3


async def test_what_fails_beside_the_requests_is_logged_at_once() -> None:
    async def work() -> None:
        raise ValueError("a bug")

    with capture_logs() as said:
        async with running(work()):
            while not said:
                await asyncio.sleep(0)
    assert "a bug" in said[0]["exception"]


@pytest.mark.parametrize(
    ("processes", "of_a_user", "of_all"), [(1, 6, 100), (2, 3, 50), (4, 2, 25), (64, 2, 1)]
)
def test_connections_are_divided_among_workers(
    tmp_path: Path, processes: int, of_a_user: int, of_all: int
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[imap]\nhost = "mail"\nmax_connections_per_user = 6\nmax_connections = 100\n'
        '[smtp]\nhost = "mail"\n[store]\nurl = "sqlite:gateway.db"\n'
    )
    divided = imap_settings(load(file, {}), processes)
    assert (divided.max_connections_per_user, divided.max_connections) == (of_a_user, of_all)
