"""Backups of the store: made beside a writer, checked, and put back."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from gateway.store.sqlite import SqliteState, serving
from gateway.types import Device, DeviceId, UserId
from tests.cli.conftest import CONFIG, Run


def note(database: Path, *devices: str) -> None:
    """Have a store know these devices."""

    async def save() -> None:
        async with await SqliteState.open(database) as state:
            for device in devices:
                await state.save_device(Device(UserId("jo"), DeviceId(device), "Phone"))

    asyncio.run(save())


def noted(database: Path) -> list[str]:
    """The devices a store knows."""

    async def load() -> list[str]:
        async with await SqliteState.open(database) as state:
            return [device.id for device in await state.list_devices()]

    return asyncio.run(load())


def test_what_was_backed_up_is_put_back(run: Run, tmp_path: Path) -> None:
    database, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    note(database, "D1")
    assert "checked" in run("backup", str(copy)).output
    assert copy.stat().st_mode & 0o077 == 0
    note(database, "D2")
    kept = tmp_path / "gateway.db.replaced"
    assert str(kept) in run("restore", str(copy), "--yes").output
    assert noted(database) == ["D1"]
    assert noted(kept) == ["D1", "D2"]
    assert list(tmp_path.glob("*.part")) == []
    database.unlink()
    assert run("restore", str(copy), "--yes").output == "restored\n"
    assert noted(database) == ["D1"]


def test_a_backup_has_what_a_gateway_that_goes_on_writing_has_stored(run: Run, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("an older one")

    async def work() -> None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            await state.save_device(Device(UserId("jo"), DeviceId("D0"), "Phone"))
            running = asyncio.create_task(asyncio.to_thread(run, "backup", str(copy)))
            number = 1
            while not running.done():
                await state.save_device(Device(UserId("jo"), DeviceId(f"D{number}"), "Phone"))
                number += 1
            await running

    asyncio.run(work())
    assert "D0" in noted(copy)


def test_nothing_is_put_back_while_a_gateway_serves(run: Run, tmp_path: Path) -> None:
    database, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    note(database, "D1")
    run("backup", str(copy))
    note(database, "D2")

    async def serve() -> Result:
        async with serving(database):
            return await asyncio.to_thread(run, "restore", str(copy), "--yes", status=2)

    assert "stop that one first" in asyncio.run(serve()).stderr
    assert noted(database) == ["D1", "D2"]


def test_nothing_is_asked_about_a_restore_that_cannot_be(run: Run, tmp_path: Path) -> None:
    database, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    note(database, "D1")
    assert "there is no file" in run("restore", str(copy), status=2).stderr
    run("backup", str(copy))

    async def serve() -> Result:
        async with serving(database):
            return await asyncio.to_thread(run, "restore", str(copy), status=2)

    assert "stop that one first" in asyncio.run(serve()).stderr
    assert "in the place of" in run("restore", str(copy), status=1).stderr  # it asks, and nobody says yes
    assert noted(database) == ["D1"]
    assert not (tmp_path / "gateway.db.replaced").exists()


@pytest.mark.parametrize(
    "what", ["missing", "text", "another program's", "a newer gateway's", "damaged", "the store itself"]
)
def test_what_is_no_backup_is_refused_and_changes_nothing(run: Run, tmp_path: Path, what: str) -> None:
    database, copy = tmp_path / "gateway.db", tmp_path / "copy.db"
    note(database, "D1")
    if what == "text":
        copy.write_text("no database" * 100)
    elif what == "another program's":
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("CREATE TABLE t (a)")
            connection.commit()
    elif what == "a newer gateway's":
        run("backup", str(copy))
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("PRAGMA user_version = 9999")
    elif what == "damaged":
        run("backup", str(copy))
        data = bytearray(copy.read_bytes())
        data[4096:] = b"\x55" * (len(data) - 4096)
        copy.write_bytes(data)
    elif what == "the store itself":
        copy.symlink_to(database)
    before = database.read_bytes()
    refused = run("restore", str(copy), "--yes", status=2)
    assert refused.stderr.startswith("activesync-gateway: ")
    assert "store.url" not in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert database.read_bytes() == before
    assert list(tmp_path.glob("*.part*")) == []


def test_a_backup_that_cannot_be_made(run: Run, tmp_path: Path) -> None:
    assert "there is no database" in run("backup", str(tmp_path / "copy.db"), status=2).stderr
    database = tmp_path / "gateway.db"
    note(database, "D1")
    assert "itself" in run("backup", str(database), status=2).stderr
    (tmp_path / "file").touch()
    assert "cannot be written" in run("backup", str(tmp_path / "file" / "copy.db"), status=2).stderr
    run("backup", str(tmp_path / "new folder" / "copy.db"))


def test_a_store_that_was_not_there_is_told(run: Run, tmp_path: Path) -> None:
    for args in (("users", "--json"), ("users", "--json")):
        made = not (tmp_path / "gateway.db").exists()
        answer = run(*args)
        assert answer.stdout == "[]\n"
        assert ("a new store was made" in answer.stderr) is made


def test_postgres_is_copied_by_its_own_programs(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.replace("sqlite:gateway.db", "postgresql://jo:hunter2@127.0.0.1:1/it"))
    for args in (("backup", str(tmp_path / "copy.db")), ("restore", str(tmp_path / "copy.db"))):
        said = run(*args, status=2).output
        assert "pg_dump" in said
        assert "hunter2" not in said
