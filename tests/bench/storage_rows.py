"""How large the database becomes, and how often it can commit."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Sequence

from tests.bench import meters
from tests.bench.cost_rows import adds, send
from tests.bench.figures import COMMITS, Measured
from tests.bench.phones import CALENDAR_TYPE, BenchPhone, Failed
from tests.bench.ping_rows import prepare
from tests.bench.session_rows import empty
from tests.bench.stage import Stage
from tests.support.postgres import Postgres

__all__ = ["commits", "sizes"]

_SECONDS = 300.0
_USERS = 50
_AT_ONCE = 100
"""Events that one Sync adds."""

_SIZE = """
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
_CURSORS = "SELECT sum(length(cursor) + coalesce(length(previous), 0)) FROM sync_state"

_TABLE = """
    CREATE TABLE known (id bigint PRIMARY KEY, number bigint, cursor bytea) WITH (fillfactor = 80);
    INSERT INTO known SELECT id, 1, convert_to(repeat('x', 400), 'UTF8') FROM generate_series(1, 10000) AS id;
"""
_SCRIPT = """
\\set id random(1, 10000)
BEGIN;
UPDATE known SET number = number + 1 WHERE id = :id;
{notice}
COMMIT;
"""
_NOTICE = "SELECT pg_notify('bench', :id::text);"


# --- how much is stored ------------------------------------------------------------------------------------


async def sizes(stage: Stage) -> Sequence[Measured]:
    """Octets in the database for each thing the gateway keeps, once the tables are packed (VACUUM FULL)."""
    database = stage.postgres.create()
    with stage.own_gateway(store={"url": stage.postgres.url(database)}) as gateway:
        grown = _Grown(stage.postgres, database)
        users = await stage.small_mailboxes(min(_USERS, stage.scale.users))
        phones: Sequence[BenchPhone] = []
        for name in ("user", "device"):
            phones = [stage.new_phone(user, gateway) for user in users]
            for phone in phones:
                await phone.connect()
            grown.note(name, len(phones))
        for phone in phones:
            await prepare(phone)
        grown.note("folder", len(phones))
        small = grown.cursors()
        large = stage.new_phone(await stage.mailbox(stage.scale.sizes[0]), gateway)
        await large.connect()
        await prepare(large)
        each = (grown.cursors() - small) / stage.scale.sizes[0]
        agenda = stage.new_phone("size-agenda", gateway)
        await agenda.connect(CALENDAR_TYPE)
        await agenda.sync()
        grown.skip()
        events = stage.scale.sizes[0]
        for at in range(0, events, _AT_ONCE):
            await agenda.sync(*adds(range(at, at + _AT_ONCE)))
        grown.note("event", events)
        await send(agenda, stage.scale.requests // 2)
        grown.note("sent", stage.scale.requests // 2)
        await empty(stage, agenda.user)
        return [*grown.measured, Measured("size-message", each)]


class _Grown:
    """What each kind of things adds to a database."""

    def __init__(self, server: Postgres, database: str) -> None:
        self.measured: list[Measured] = []
        self._server = server
        self._database = database
        self._before = self._size()

    def note(self, name: str, count: int) -> None:
        """So many things were added since it was looked at."""
        size = self._size()
        self.measured.append(Measured(f"size-{name}", (size - self._before) / count, None, {"n": count}))
        self._before = size

    def skip(self) -> None:
        """What was added since is nothing to be noted."""
        self._before = self._size()

    def cursors(self) -> int:
        """What devices know of the items in their folders."""
        return int(self._server.query(_CURSORS, self._database))

    def _size(self) -> int:
        self._server.query("VACUUM FULL", self._database)
        return int(self._server.query(_SIZE, self._database))


# --- how often it can commit -------------------------------------------------------------------------------


async def commits(stage: Stage) -> Sequence[Measured]:
    """Transactions a second that change a row, as long as what a device knows of a folder; by pgbench."""
    database = stage.postgres.create()
    stage.postgres.query(_TABLE, database)
    measured = []
    for name in COMMITS:
        cpu = meters.cpu_seconds(meters.tree(stage.postgres.pid))
        speed = await asyncio.to_thread(_pgbench, stage, database, name)
        spent = meters.cpu_seconds(meters.tree(stage.postgres.pid)) - cpu
        details = {"PostgreSQL cpu ms": round(1000 * spent / (speed * stage.scale.commit_seconds), 3)}
        measured.append(Measured(f"commits-{name}", speed, None, details))
    return measured


def _pgbench(stage: Stage, database: str, name: str) -> float:
    """Transactions a second. Raises `Failed`."""
    notice = _NOTICE if name == "notify" else ""
    connections = name if name.isdecimal() else "64"
    program = str(stage.postgres.programs / "pgbench")
    options = ("--no-vacuum", "--protocol=prepared", "--file=-", f"--client={connections}")
    command = [program, *options, f"--time={stage.scale.commit_seconds}", stage.postgres.url(database)]
    script = _SCRIPT.format(notice=notice).encode()
    done = subprocess.run(command, input=script, capture_output=True, check=False, timeout=_SECONDS)
    found = re.search(rb"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise Failed(f"pgbench: {done.stderr.decode(errors='replace')[-500:]}")
    return float(found[1])
