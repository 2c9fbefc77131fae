"""What every command says to programs: --json."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.store.sqlite import SqliteState
from gateway.types import Device, DeviceId, UserId
from tests.cli.conftest import CONFIG
from tests.pim.exchange.samples import calendar, event

WITHOUT = {
    "serve": "it runs until it is stopped, and its log is JSON where log.format says so",
    "demo": "it is a show for people",
}
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls a command with --json, where there is one phone."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    async def fill() -> None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            await state.save_device(Device(UserId("jo"), DeviceId("D1"), "Phone", version="16.1"))

    asyncio.run(fill())

    def call(*args: str, status: int = 0) -> Result:
        result = CliRunner(env={"GATEWAY_CONFIG": str(config)}).invoke(main, [*args, "--json"])
        assert result.exit_code == status, result.output
        return result

    return call


def commands(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    """All commands below a group, by what is typed."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *before, name)
        else:
            yield " ".join((*before, name)), command


def test_every_command_takes_it() -> None:
    found = dict(commands(main))
    assert len(found) > 40
    without = {
        name
        for name, command in found.items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == WITHOUT.keys()


def test_what_was_decided_of_a_device(run: Run) -> None:
    for name in ("block", "allow", "quarantine", "undecide"):
        told = json.loads(run("devices", name, "Jo", "d1").stdout)
        assert told == {"act": f"device.{name}", "user": "jo", "device": "D1", "known": True}
    assert json.loads(run("devices", "block", "jo", "d9").stdout)["known"] is False
    told = json.loads(run("devices", "wipe", "jo", "d1", "--account-only", "--yes").stdout)
    assert told == {"act": "device.wipe", "user": "jo", "device": "D1", "wipe": "account"}
    for name in ("unwipe", "resync", "remove"):
        told = json.loads(run("devices", name, "jo", "d1").stdout)
        assert told == {"act": f"device.{name}", "user": "jo", "device": "D1"}


def test_who_is_signed_out(run: Run) -> None:
    told = json.loads(run("users", "sign-out", "Jo").stdout)
    assert told == {"act": "user.sign-out", "user": "jo", "known": True}
    (noted,) = json.loads(run("audit", "--act", "user.sign-out").stdout)
    assert noted["user"] == "jo"
    mistyped = run("users", "sign-out", "oj")
    assert json.loads(mistyped.stdout)["known"] is False
    assert mistyped.stderr == "activesync-gateway: no phone of oj has used the gateway yet\n"
    assert [one["user"] for one in json.loads(run("users").stdout)] == ["jo"]
    assert [one["id"] for one in json.loads(run("devices", "list").stdout)] == ["D1"]
    assert json.loads(run("devices", "list", "nobody").stdout) == []
    misplaced = CliRunner().invoke(main, ["users", "--json", "sign-out", "jo"])
    assert (misplaced.exit_code, "behind the name of the command" in misplaced.stderr) == (2, True)


def test_folders_and_delegates(run: Run) -> None:
    made = json.loads(run("books", "create", "ann", "Family").stdout)
    assert made == {
        "id": "i1", "owner": "ann", "right": "owner", "default": False, "name": "Family", "shares": {}
    }  # fmt: skip
    whose = {"id": "i1", "owner": "ann"}
    told = json.loads(run("books", "share", "i1", "bob", "--right", "read").stdout)
    assert told == {"act": "folder.share", **whose, "user": "bob", "right": "read"}
    told = json.loads(run("books", "rename", "i1", "Ours").stdout)
    assert told == {"act": "folder.rename", **whose, "name": "Ours"}
    told = json.loads(run("books", "delete", "i1", "--yes").stdout)
    assert told == {"act": "folder.delete", **whose, "name": "Ours"}
    told = json.loads(run("calendars", "delegate", "ann", "Bob").stdout)
    assert told == {"act": "delegate.name", "user": "ann", "delegate": "bob"}
    assert json.loads(run("calendars", "delegate", "ann").stdout) == [{"delegate": "bob"}]
    told = json.loads(run("calendars", "delegate", "ann", "bob", "--remove").stdout)
    assert told["act"] == "delegate.dismiss"


def test_import_and_export(run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in.ics", tmp_path / "out.ics"
    source.write_text(calendar(*event("one"), *event("bad", start=""), "BEGIN:VTODO", "END:VTODO"))
    done = run("import", "ann", str(source))
    told = json.loads(done.stdout)
    [problem] = told.pop("problems")
    assert told == {
        "act": "folder.import", "user": "ann", "dry_run": False,
        "added": 1, "replaced": 0, "kept": 0, "left_out": 1, "others": {"VTODO": 1},
    }  # fmt: skip
    assert (problem["reason"], problem["left_out"]) == ("an event without a start", True)
    told = json.loads(run("export", "ann", str(target)).stdout)
    whose = {"act": "folder.export", "user": "ann", "folder": "i1", "left_out": []}
    assert told == {**whose, "file": str(target)}
    beside = run("calendars", "export", "ann")
    assert beside.stdout_bytes == target.read_bytes()
    assert json.loads(beside.stderr) == {**whose, "file": None}
    refused = run("export", "bob", status=2)
    assert refused.stdout == ""
    assert json.loads(refused.stderr) == {"error": "bob has no calendar yet"}


def test_the_store_and_the_configuration(run: Run, tmp_path: Path) -> None:
    config, copy, other = (tmp_path / name for name in ("gateway.toml", "copy.db", "other.db"))
    assert json.loads(run("check-config").stdout) == {"file": str(config), "good": True}
    told = json.loads(run("backup", str(copy)).stdout)
    assert told == {"act": "store.backup", "file": str(copy), "bytes": copy.stat().st_size}
    kept = tmp_path / "gateway.db.replaced"
    told = json.loads(run("restore", str(copy), "--yes").stdout)
    assert told == {"act": "store.restore", "file": str(copy), "kept": str(kept)}
    told = json.loads(run("migrate", "--to", f"sqlite:{other}").stdout)
    assert (told["act"], told["to"], told["rows"]["device"]) == ("store.migrate", str(other.resolve()), 1)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("top", "--times", "0"), "'--times': 0 is not in the range"),
        (("top", "--interval", "nan"), "'--interval': nan is no number"),
        (("top", "--interval", "0"), "'--interval': 0"),
        (("audit", "--before", "9223372036854775808"), "'--before'"),
        (("passwords", "revoke", "jo", "9223372036854775808"), "'NUMBER'"),
        (("check", "--hold", "-1"), "'--hold'"),
        (("users", "sign-out", " "), "'USER': a user has a name"),
    ],
)
def test_what_cannot_be_meant_is_refused(run: Run, arguments: tuple[str, ...], reason: str) -> None:
    assert reason in run(*arguments, status=2).stderr


def test_revoking_a_password(run: Run) -> None:
    made = json.loads(run("passwords", "create", "jo", "phone").stdout)
    told = json.loads(run("passwords", "revoke", "jo", str(made["number"])).stdout)
    assert told == {"act": "password.revoke", "user": "jo", "number": made["number"]}


def test_a_failure_is_an_object_and_the_status_stays(run: Run, tmp_path: Path) -> None:
    refused = run("devices", "show", "jo", "D9", status=2)
    assert json.loads(refused.stdout) == {"error": "jo has no device D9"}
    assert refused.stderr == ""
    unanswered = run("devices", "wipe", "jo", "D1", status=1)  # nobody says yes
    assert json.loads(unanswered.stdout) == {"error": "not confirmed"}
    unanswered = run("check", "--user", "jo", status=1)  # nobody tells the password
    assert json.loads(unanswered.stdout) == {"error": "not confirmed"}
    (tmp_path / "gateway.toml").write_text("[imap]\nhots = 'x'\n")
    assert "imap.hots" in json.loads(run("check-config", status=2).stdout)["error"]
