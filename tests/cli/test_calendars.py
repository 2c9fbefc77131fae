"""Calendars on the command line, also beside a gateway that serves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.store.sqlite import serving
from tests.cli.conftest import CONFIG
from tests.pim.exchange.samples import SAMPLES, calendar, event

Run = Callable[..., Result]
GOOGLE = next(sample for name, sample in SAMPLES.items() if name.startswith("Google"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls `activesync-gateway calendars`."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    def call(*args: str, status: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner(env={"GATEWAY_CONFIG": str(config)}).invoke(
            main, ["calendars", *args], input=stdin
        )
        assert result.exit_code == status, result.output
        return result

    return call


def test_calendars_are_made_listed_shared_renamed_and_deleted(run: Run) -> None:
    made = run("create", "Ann@Example.org", "  Family\n")
    assert made.stdout == "i1\n"
    assert "no phone of ann@example.org" in made.stderr
    assert run("create", "ann@example.org", "Work").stderr == ""
    run("share", "i1", "BOB", "--right", "read")
    run("share", "i2", "bob", "--right", "write")
    assert run("list").stdout.splitlines() == [
        "id\towner\tright\tdefault\tname\tshares",
        "i1\tann@example.org\towner\tno\tFamily\tbob: read",
        "i2\tann@example.org\towner\tno\tWork\tbob: write",
    ]
    run("rename", "i1", "Kinder")
    run("rename", "i1", "KINDER")
    run("share", "i2", "bob", "--right", "none")
    assert run("list", "Bob").stdout.splitlines()[1:] == ["i1\tann@example.org\tread\tno\tKINDER\t-"]
    assert json.loads(run("list", "--json", "ann@example.org").stdout) == [
        {
            "id": "i1",
            "owner": "ann@example.org",
            "right": "owner",
            "default": False,
            "name": "KINDER",
            "shares": {"bob": "read"},
        },
        {
            "id": "i2",
            "owner": "ann@example.org",
            "right": "owner",
            "default": False,
            "name": "Work",
            "shares": {},
        },
    ]
    asked = run("delete", "i1", stdin="n\n", status=1)
    assert "'KINDER' of ann@example.org with 0 events" in asked.output
    run("delete", "i1", stdin="y\n")
    run("delete", "i2", "--yes")
    assert run("list", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["rename", "i9", "x"], "there is no calendar 'i9': see `activesync-gateway calendars list`"),
        (["delete", "--yes", "nonsense"], "there is no calendar 'nonsense'"),
        (["rename", "i1", "x"], "i1 is the default calendar of ann: not renamed"),
        (["delete", "--yes", "i1"], "i1 is the default calendar of ann: not deleted"),
        (["share", "i1", "ann", "--right", "read"], "ann owns the calendar i1"),
        (["share", "i1", "bob", "--right", "owner"], "'owner' is not one of 'read', 'write', 'none'"),
        (["delegate", "ann", "ANN"], "ann gets his own mail"),
        (["create", "ann", "calendar"], "ann has a calendar of that name: i1"),
        (["create", "ann", " "], "a calendar needs a name"),
        (["import", "ann", "missing.ics"], "cannot read missing.ics: No such file or directory"),
        (["import", "bob", "ann.ics", "--calendar", "i1"], "there is no calendar 'i1' that bob sees"),
        (["import", "ann", "none.ics"], "none.ics: there is no calendar in the file"),
        (["import", "ann", "ann.ics", "--timezone", "Mordor"], "nobody knows the time zone 'Mordor'"),
        (["export", "bob"], "bob has no calendar yet"),
        (["export", "ann", "--uid", "x"], "folder i1 has nothing with the UID 'x'"),
        (["export", "ann", "no/such/folder.ics"], "cannot write no/such/folder.ics: No such file"),
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(
    run: Run, args: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ann.ics").write_text(calendar(*event("one")))
    Path("none.ics").write_text("hello")
    run("import", "ann", "ann.ics")
    before = run("list").stdout
    failed = run(*args, status=2)
    assert told in failed.stderr
    assert failed.stdout == ""
    assert run("list").stdout == before


def test_delegates(run: Run) -> None:
    for delegate in ("Bob", "cid"):
        run("delegate", "ann", delegate)
    run("delegate", "ann", "bob", "--remove")
    assert run("delegate", "Ann").stdout == "delegate\ncid\n"
    assert run("delegate", "bob", "--json").stdout == "[]\n"


def test_what_is_brought_in_is_written_again(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.ics", tmp_path / "out.ics"
    source.write_bytes(calendar(*event("bad", start=""), "BEGIN:VTODO", "END:VTODO").encode())
    with source.open("ab") as file:
        file.write(GOOGLE.text.encode())
    rehearsed = run("import", "ann", str(source), "--dry-run")
    assert rehearsed.stdout == (
        f"would be added {len(GOOGLE.starts)}, replaced 0, kept as they were 0, left out 1\n"
        "not for calendars: 1 VTODO\n"
    )
    assert run("list", "--json").stdout == "[]\n"
    assert "line 4: an event without a start (left out)\n" in rehearsed.stderr
    assert run("import", "ann", str(source)).stdout.startswith(f"added {len(GOOGLE.starts)},")
    assert run("import", "ann", str(source)).stdout.startswith(f"added 0, replaced 0, kept as they were {4}")
    assert run("import", "ann", str(source), "--replace").stdout.startswith("added 0, replaced 4")
    run("export", "ann", str(target))
    assert [*tmp_path.glob("*.part")] == []
    assert run("export", "ann").stdout_bytes == target.read_bytes()
    made = run("create", "bob", "Copy").stdout.strip()
    piped = run("import", "bob", "-", "--calendar", made, stdin=target.read_text())
    assert piped.stdout.startswith(f"added {len(GOOGLE.starts)},")
    assert run("export", "bob", "--calendar", made).stdout_bytes == target.read_bytes().replace(
        b"X-WR-CALNAME:Calendar", b"X-WR-CALNAME:Copy"
    )
    only = run("export", "ann", "--uid", "utc@google.com").stdout
    assert only.count("BEGIN:VEVENT") == 1


def test_a_failed_export_leaves_the_file_that_was_there(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "out.ics"
    target.write_text("precious")
    run("export", "ann", str(target), status=2)
    assert target.read_text() == "precious"
    assert [*tmp_path.glob("*.part")] == []


def test_a_zone_for_times_in_none(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "in.ics"
    source.write_text(calendar(*event("one", start="DTSTART:20260702T100000")))
    run("import", "ann", str(source), "--timezone", "W. Europe Standard Time")
    assert "DTSTART;TZID=Europe/Berlin:20260702T100000" in run("export", "ann").stdout


@pytest.mark.parametrize(
    ("configured", "head", "options", "written"),
    [
        ("Asia/Tokyo", (), (), "DTSTART;TZID=Asia/Tokyo:"),
        ("Asia/Tokyo", (), ("--timezone", "Europe/Berlin"), "DTSTART;TZID=Europe/Berlin:"),
        ("Asia/Tokyo", ("X-WR-TIMEZONE:America/Denver",), (), "DTSTART;TZID=America/Denver:"),
        ("Asia/Tokyo", ("X-WR-TIMEZONE:Mordor",), (), "DTSTART;TZID=Asia/Tokyo:"),
        ("UTC", (), (), "DTSTART:"),
    ],
)
def test_times_in_no_zone_are_those_of_the_users(
    run: Run, tmp_path: Path, configured: str, head: tuple[str, ...], options: tuple[str, ...], written: str
) -> None:
    (tmp_path / "gateway.toml").write_text(f'{CONFIG}[calendar]\ntimezone = "{configured}"\n')
    source = tmp_path / "in.ics"
    source.write_text(calendar(*event("one", start="DTSTART:20260702T100000"), head=("VERSION:2.0", *head)))
    run("import", "ann", str(source), *options)
    assert f"{written}20260702T100000\r\n" in run("export", "ann").stdout_bytes.decode()


def test_at_the_top_the_kind_is_said_or_guessed(run: Run, tmp_path: Path) -> None:
    def top(*args: str) -> Result:
        called = CliRunner(env={"GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}).invoke(main, [*args])
        assert called.exit_code == 0, called.output
        return called

    events, cards = tmp_path / "in.ics", tmp_path / "in.vcf"
    events.write_text(calendar(*event("one")))
    cards.write_text("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nFN:Bo\r\nN:Bo;;;;\r\nEND:VCARD\r\n")
    for file in (events, cards):
        assert "added 1," in top("import", "ann", str(file)).stdout
    assert "UID:one" in run("export", "ann").stdout
    top("export", "ann", str(tmp_path / "out.vcf"))
    assert "FN:Bo" in (tmp_path / "out.vcf").read_text()
    assert "FN:Bo" in top("export", "ann", "--kind", "books").stdout
    assert "UID:one" in top("export", "ann").stdout


@pytest.fixture
def command(tmp_path: Path) -> tuple[list[str], dict[str, str]]:
    """The real program and its environment."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)
    return [sys.executable, "-m", "gateway", "calendars"], {**os.environ, "GATEWAY_CONFIG": str(config)}


def test_a_pipe_is_read_and_a_gateway_beside_does_not_hinder(
    command: tuple[list[str], dict[str, str]], tmp_path: Path
) -> None:
    program, environment = command

    def call(*args: str, stdin: str = "") -> str:
        done = subprocess.run(
            [*program, *args],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def beside() -> tuple[str, str]:
        async with serving(tmp_path / "gateway.db"):
            added = await asyncio.to_thread(call, "import", "ann", "-", stdin=calendar(*event("one")))
            return added, await asyncio.to_thread(call, "export", "ann")

    added, written = asyncio.run(beside())
    assert added.startswith("added 1,")
    assert "UID:one" in written


def test_an_import_that_was_killed_is_ended_by_the_next(
    command: tuple[list[str], dict[str, str]], run: Run, tmp_path: Path
) -> None:
    program, environment = command
    count = 3000
    source = tmp_path / "in.ics"
    source.write_text(calendar(*(line for number in range(count) for line in event(f"u{number}"))))
    killed = subprocess.Popen([*program, "import", "ann", str(source)], env=environment)
    while killed.poll() is None and not written(tmp_path / "gateway.db"):
        time.sleep(0.02)
    killed.kill()
    assert killed.wait(60) == -signal.SIGKILL
    before = written(tmp_path / "gateway.db")
    assert 0 < before < count
    assert before % 100 == 0
    ended = run("import", "ann", str(source)).stdout
    assert ended.startswith(f"added {count - before}, replaced 0, kept as they were {before},")
    assert written(tmp_path / "gateway.db") == count


def written(path: Path) -> int:
    """How many events the store holds."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection:
        try:
            (count,) = connection.execute("SELECT count(*) FROM item").fetchone()
        except sqlite3.OperationalError:  # its tables are being made
            return 0
    return int(count)
