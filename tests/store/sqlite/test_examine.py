"""What an administrator is told of the database file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ports.examining import Finding, Verdict
from gateway.store.sqlite import SqliteState
from gateway.store.sqlite.examine import examine, file_system
from gateway.store.sqlite.schema import migrations

NEWEST = migrations()[-1].number


async def look(path: Path) -> dict[Verdict, str]:
    """What is said, by how good it is; the room on the disk aside."""
    found: list[Finding] = [finding async for finding in examine(path)]
    assert "GiB free" in found[0].text
    return {
        verdict: "\n".join(one.text for one in found[1:] if one.verdict is verdict) for verdict in Verdict
    }


@pytest.fixture
async def database(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.db"
    async with await SqliteState.open(path):
        pass
    return path


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


async def test_a_database_also_one_that_is_in_use(database: Path) -> None:
    async with await SqliteState.open(database) as state:
        await state.check_writable()
        found = await look(database)
    assert f"schema {NEWEST}, the newest" in found[Verdict.OK]
    assert "can be written" in found[Verdict.OK]
    assert not found[Verdict.FAILURE]


async def test_one_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "not" / "yet" / "gateway.db"
    assert "can be made" in (await look(path))[Verdict.OK]
    assert not path.parent.parent.exists()


@pytest.mark.parametrize(
    ("statement", "verdict", "said"),
    [
        (f"PRAGMA user_version = {NEWEST + 1}", Verdict.FAILURE, "newer gateway"),
        ("PRAGMA user_version = 1", Verdict.OK, f"makes it {NEWEST} at its next start"),
        ("PRAGMA application_id = 7", Verdict.FAILURE, "another program"),
    ],
)
async def test_schemas(database: Path, statement: str, verdict: Verdict, said: str) -> None:
    change(database, statement)
    assert said in (await look(database))[verdict]


async def test_what_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    path.write_text("no database" * 1000)
    assert "no SQLite database" in (await look(path))[Verdict.FAILURE]
    folder = tmp_path / "folder.db"
    folder.mkdir()
    assert (await look(folder))[Verdict.FAILURE]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/srv/mail/x", "nfs4"), ("/srv/mailing", "ext4"), ("/srv/a b/c", "cifs"), ("/", "ext4")],
)
def test_what_file_system_a_folder_is_on(folder: str, kind: str) -> None:
    mounts = "/dev/a / ext4 rw 0 0\nhost:/m /srv/mail nfs4 rw 0 0\n//h/s /srv/a\\040b cifs rw 0 0\n"
    assert file_system(Path(folder), mounts) == kind
    assert file_system(Path(folder), "") == ""
