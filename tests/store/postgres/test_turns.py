"""What one of several processes does: once, and by another when that one is killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime, timedelta

import pytest

from gateway.store.postgres.turns import SharedTurns
from gateway.store.transactions import Transaction
from tests.support.stores import PostgresStore

DAY = timedelta(days=1)
HELD = """
import asyncio, sys
from datetime import timedelta
from gateway.store.postgres import PostgresTransactions, parse_url
from gateway.store.postgres.turns import SharedTurns

async def main():
    store = await PostgresTransactions.open(parse_url(sys.argv[1]), connections=2)
    async with SharedTurns(store.read, store.node, 0.5).turn("house", timedelta(days=1)) as mine:
        print(mine, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def turns_of(store: PostgresStore, lasts: float = 0.5) -> SharedTurns:
    return SharedTurns(store.database.read, store.database.node, lasts)


async def test_a_job_is_done_once(here: PostgresStore, there: PostgresStore) -> None:
    done: list[str] = []
    both = {"here": here.database.turns, "there": there.database.turns}

    async def attempt(name: str) -> None:
        async with both[name].turn("house", DAY) as mine:
            if mine:
                done.append(name)
                await asyncio.sleep(0.01)

    await asyncio.gather(*(attempt(name) for name in [*both] * 10))
    assert len(done) == 1
    for other in both.values():
        async with other.turn("another", timedelta(0)) as mine:
            assert mine  # due again at once


async def test_who_works_for_long_keeps_the_turn(here: PostgresStore, there: PostgresStore) -> None:
    """Longer than one of a dead process is kept; the interval begins at the end."""

    async def end(transaction: Transaction) -> datetime:
        row = await transaction.row("SELECT expires FROM lease")
        assert row is not None
        found: datetime = row[0]
        return found

    async with turns_of(here, 6.0).turn("house", DAY) as mine:
        assert mine
        first = await here.database.read(end)
        while await here.database.read(end) == first:
            await asyncio.sleep(0.05)
        async with turns_of(there).turn("house", DAY) as theirs:
            assert not theirs
    assert await here.database.read(end) - first > DAY / 2
    async with turns_of(there).turn("house", DAY) as theirs:
        assert not theirs


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_what_fails_is_due_at_once(
    here: PostgresStore, there: PostgresStore, error: type[BaseException]
) -> None:
    with pytest.raises(error):
        async with here.database.turns.turn("house", DAY):
            raise error
    async with there.database.turns.turn("house", DAY) as mine:
        assert mine


async def test_a_killed_process_is_followed_by_another(url: str, here: PostgresStore) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HELD, url), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    while True:
        async with turns_of(here).turn("house", DAY) as mine:
            if mine:
                break
        await asyncio.sleep(0.05)
