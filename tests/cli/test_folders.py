"""Address books, task lists and notes on the command line; calendars are in test_calendars.py."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.cli.conftest import CONFIG

Run = Callable[..., Result]


@dataclass(frozen=True, slots=True)
class Case:
    """A group of commands: what it calls a folder, a file with something broken, and what comes of it."""

    group: str
    folder: str
    default: str
    file: str
    broken: str
    kept: tuple[str, ...]


CASES = [
    Case(
        "books",
        "address book",
        "Contacts",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ann\r\nX-OURS:stays\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=BCller;Ben\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nFN:Cut off\r\n",
        "line 11: a contact without an end",
        ("X-OURS:stays", "Müller", "FN:Cut off"),
    ),
    Case(
        "tasks",
        "task list",
        "Tasks",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
        "BEGIN:VTODO\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Water\r\nX-OURS:stays\r\nEND:VTODO\r\n"
        "BEGIN:VEVENT\r\nUID:e\r\nDTSTART:20260101T000000Z\r\nEND:VEVENT\r\n"
        "BEGIN:VTODO\r\nUID:b\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Cut off\r\n",
        "line 13: a task without an end (left out)",
        ("SUMMARY:Water", "X-OURS:stays"),
    ),
    Case(
        "notes",
        "note folder",
        "Notes",
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
        "BEGIN:VJOURNAL\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Idea\r\nX-OURS:stays\r\nEND:VJOURNAL\r\n"
        "BEGIN:VJOURNAL\r\nUID:b\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Cut off\r\n",
        "line 9: a note without an end (left out)",
        ("SUMMARY:Idea", "X-OURS:stays"),
    ),
]
each = pytest.mark.parametrize("case", CASES, ids=[case.group for case in CASES])


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls `activesync-gateway`."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    def call(*args: str, status: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner(env={"GATEWAY_CONFIG": str(config)}).invoke(main, args, input=stdin)
        assert result.exit_code == status, result.output
        return result

    return call


@each
def test_folders_of_each_kind_are_made_listed_shared_renamed_and_deleted(run: Run, case: Case) -> None:
    assert run(case.group, "create", "ann", "Family").stdout == "i1\n"
    run("calendars", "create", "ann", "Family")
    run(case.group, "share", "i1", "bob", "--right", "write")
    run(case.group, "rename", "i1", "Ours")
    [told] = json.loads(run(case.group, "list", "--json", "bob").stdout)
    assert (told["id"], told["right"], told["name"]) == ("i1", "write", "Ours")
    taken = run(case.group, "create", "ann", "ours", status=2).stderr
    assert f"{case.folder} of that name: i1" in taken
    for args in (["rename", "i2", "x"], ["delete", "--yes", "i2"], ["share", "i2", "bob", "--right", "read"]):
        refused = run(case.group, *args, status=2).stderr  # a calendar
        assert f"there is no {case.folder} 'i2': see `activesync-gateway {case.group} list`" in refused
    run(case.group, "delete", "i1", "--yes")
    assert run(case.group, "list", "--json").stdout == "[]\n"
    assert "Family" in run("calendars", "list").stdout


@each
def test_what_is_brought_in_is_written_again_and_doubles_nothing(
    run: Run, tmp_path: Path, case: Case
) -> None:
    file = tmp_path / "file"
    file.write_bytes(case.file.encode())
    rehearsed = run(case.group, "import", "ann", str(file), "--dry-run")
    assert run(case.group, "list", "--json").stdout == "[]\n"
    first = run(case.group, "import", "ann", str(file))
    assert rehearsed.stdout == f"would be {first.stdout}"
    assert case.broken in first.stderr
    count = int(first.stdout.split(",")[0].removeprefix("added "))
    assert count >= 1
    again = run(case.group, "import", "ann", str(file))
    assert again.stdout.startswith(f"added 0, replaced 0, kept as they were {count},")
    written = tmp_path / "written"
    run(case.group, "export", "ann", str(written))
    text = written.read_bytes().decode()
    assert [part for part in case.kept if part not in text] == []
    one = run(case.group, "export", "ann", "--uid", "a").stdout
    assert "X-OURS:stays" in one
    assert "Cut off" not in one

    run(case.group, "import", "bob", str(written))
    run(case.group, "export", "bob", str(tmp_path / "twice"))
    assert (tmp_path / "twice").read_bytes() == written.read_bytes()
    assert case.default in run(case.group, "list", "bob").stdout


@each
def test_another_kind_of_file_is_refused(run: Run, tmp_path: Path, case: Case) -> None:
    other = tmp_path / "other"
    other.write_text("nothing of the kind\r\n")
    assert "in the file" in run(case.group, "import", "ann", str(other), status=2).stderr
