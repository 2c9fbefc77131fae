"""`migrate`: told in lines, refused in one line, noted in the copy."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from gateway.store.sqlite import SqliteState, serving
from gateway.types import Device, DeviceId, UserId
from tests.cli.conftest import CONFIG, Run
from tests.support.postgres import Postgres

MANY = 8000
"""Rows of a table, in dozens of batches."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.db"

    async def fill() -> None:
        async with await SqliteState.open(path) as state:
            await state.save_device(Device(UserId("jo"), DeviceId("D1"), "Phone"))

    asyncio.run(fill())
    return path


def test_there_and_back(run: Run, database: Path, tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.url(postgres.create())
    lines = run("migrate", "--to", url).output.splitlines()
    assert "copy device: 1 of 1 rows" in lines
    assert "compare device: 1 of 1 rows" in lines
    assert lines[-2].startswith(f"{url}: 2 rows of ")
    assert "not empty" in run("migrate", "--to", url, status=2).stderr
    (tmp_path / "gateway.toml").write_text(CONFIG.replace("sqlite:gateway.db", url))
    assert "store.migrate" in run("audit").output
    assert "D1" in run("devices", "list").output
    run("migrate", "--to", "sqlite:back.db")
    (tmp_path / "gateway.toml").write_text(CONFIG.replace("gateway.db", "back.db"))
    assert "D1" in run("devices", "list").output


@pytest.mark.timeout(180)
def test_killed_at_any_moment_it_goes_on(
    run: Run, database: Path, tmp_path: Path, postgres: Postgres
) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        acts = ((number, 1, "cli", "act", "jo", "", "") for number in range(1, MANY + 1))
        connection.executemany("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", acts)
    name = postgres.create()
    migrate = [sys.executable, "-m", "gateway", "migrate", "--to", postgres.url(name)]
    migrate += ["--config", str(tmp_path / "gateway.toml")]
    for lines in (1, 6):
        with subprocess.Popen(migrate, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
    done = subprocess.run(migrate, capture_output=True, text=True, timeout=50, check=False)
    # Where the machine was so slow to kill it that it was done before, nothing is left to do.
    assert done.returncode == 0 or "not empty" in done.stderr
    assert postgres.query("SELECT count(*), count(DISTINCT number) FROM audit WHERE act = 'act'", name) == (
        f"{MANY}|{MANY}"
    )
    (tmp_path / "gateway.toml").write_text(CONFIG.replace("sqlite:gateway.db", postgres.url(name)))
    assert "D1" in run("devices", "list").output


def test_what_cannot_be_copied_is_told_in_one_line(run: Run, database: Path, postgres: Postgres) -> None:
    async def serve() -> Result:
        async with serving(database):
            return await asyncio.to_thread(run, "migrate", "--to", "sqlite:x.db", status=2)

    database.rename(database.with_name("away"))
    refusals = {"there is no database": run("migrate", "--to", "sqlite:x.db", status=2)}
    assert not database.exists()
    database.with_name("away").rename(database)
    refusals |= {
        "is the store itself": run("migrate", "--to", "sqlite:gateway.db", status=2),
        "stop that one first": asyncio.run(serve()),
        "there is no such database": run("migrate", "--to", postgres.url("nowhere"), status=2),
        "allowed are": run("migrate", "--to", "mysql://somewhere", status=2),
    }
    for said, refused in refusals.items():
        assert said in refused.stderr
        assert refused.stderr.count("\n") == 1
