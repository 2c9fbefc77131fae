"""Phones on the command line."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.store.sqlite import SqliteState
from gateway.types import (
    Access,
    CollectionId,
    Control,
    Device,
    DeviceId,
    SyncState,
    UserId,
    Visit,
    Wipe,
    WipeStage,
)

CONFIG = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
[[devices.rules]]
type = "Android*"
access = "block"
[policies.default]
DevicePasswordEnabled = true
"""
JO = UserId("jo")
SEEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PHONE = Device(JO, DeviceId("D1"), "iPhone", 7, "16.1", "A/1", {"Model": "X"}, SEEN, SEEN, refused=2)
OLD = Device(JO, DeviceId("D2"), "Android 4", version="14.1")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls `activesync-gateway devices`, where there are two."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    async def fill() -> None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            for device in (PHONE, OLD):
                await state.save_device(device)
            await state.note_visits({(JO, PHONE.id): Visit("192.0.2.1", SEEN.replace(minute=0, second=0))})
            await state.save_sync(JO, PHONE.id, CollectionId("1"), SyncState("a", 1, b""))

    asyncio.run(fill())

    def call(*args: str, status: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner(env={"GATEWAY_CONFIG": str(config)}).invoke(main, ["devices", *args], input=stdin)
        assert result.exit_code == status, result.output
        return result

    return call


def look(tmp_path: Path) -> tuple[dict[DeviceId, Control], bool]:
    """What was decided, and whether the first device is in step with a collection."""

    async def read() -> tuple[dict[DeviceId, Control], bool]:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            controls = {device.id: device.control for device in await state.list_devices()}
            return controls, bool(await state.load_syncs(JO, PHONE.id))

    return asyncio.run(read())


def test_list(run: Run) -> None:
    assert run("list").output.splitlines() == [
        "user\tid\ttype\tversion\tlast_seen\tlast_sync\taddress\taccess\twipe_stage\tagent",
        "jo\tD1\tiPhone\t16.1\t2026-01-02T03:04:05+00:00\t2026-01-02T03:00:00+00:00\t192.0.2.1\tallow\t-\tA/1",
        "jo\tD2\tAndroid 4\t14.1\t-\t-\t-\tblock\t-\t",
    ]
    assert [one["id"] for one in json.loads(run("list", "JO", "--json").output)] == ["D1", "D2"]
    assert json.loads(run("list", "--json").output)[1]["last_seen"] is None
    assert run("list", "nobody").output.count("\n") == 1


def test_show(run: Run) -> None:
    told = json.loads(run("show", "jo", "d1", "--json").output)
    assert (told["policy"], told["policy_by"]) == ("default", "default")
    assert told["compliance"] == "not yet"  # it has an older one
    assert told["information"] == {"Model": "X"}
    assert (told["last_sync"], told["address"], told["refused"]) == (
        "2026-01-02T03:00:00+00:00",
        "192.0.2.1",
        "applied in part",
    )
    assert "Model: X" in run("show", "jo", "D1").output
    refused = run("show", "jo", "D3", status=2)
    assert refused.stderr.startswith("activesync-gateway: jo has no device D3")


def test_decisions_go_before_rules(run: Run) -> None:
    run("block", "jo", "D1")
    run("allow", "jo", "D2")
    run("block", "jo", "D9")  # before it comes
    assert [line.split("\t")[7] for line in run("list").output.splitlines()[1:]] == [
        "block",
        "allow",
        "block",
    ]
    assert "access        block" in run("show", "jo", "d9").output
    for device in ("D1", "D2", "D9"):
        run("undecide", "jo", device)
    assert [line.split("\t")[7] for line in run("list").output.splitlines()[1:]] == ["allow", "block"]


def test_ids_are_taken_in_any_case_of_letters(run: Run, tmp_path: Path) -> None:
    """Otherwise who is blocked would be somebody who never comes."""
    assert "yet" not in run("block", "Jo", "d1").output
    assert look(tmp_path)[0][DeviceId("D1")].access is Access.BLOCK
    run("remove", "jo", "d1")
    assert set(look(tmp_path)[0]) == {"D2"}
    guid = "0123456789ABCDEF0123456789ABCDEF"
    assert f"no device {guid} yet" in run("block", "jo", guid).stderr
    assert "without an id" in run("block", "jo", " ", status=2).stderr

    async def come() -> Access | None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            stored = DeviceId(guid.lower())  # as requests name it
            await state.save_device(Device(JO, stored, "A"))
            found = await state.load_device(JO, stored)
            return found.control.access if found else None

    assert asyncio.run(come()) is Access.BLOCK


def test_devices_do_not_steer_a_terminal(run: Run, tmp_path: Path) -> None:
    title = "\x1b]0;x\x07"
    hostile = PHONE.replace(type=title, agent="A\x9b2J", information={"FriendlyName": f"{title}\nroot"})

    async def save() -> None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            await state.save_device(hostile)

    asyncio.run(save())
    explain = ["explain", "jo", "D1", "--config", str(tmp_path / "gateway.toml")]
    asked = run("wipe", "jo", "D1", stdin="n\n", status=1)
    explained = CliRunner().invoke(main, explain)
    for told in (run("list").output, run("show", "jo", "D1").output, explained.output, asked.output):
        assert all(one.isprintable() or one in "\t\n" for one in told)
    assert "FriendlyName: \\x1b]0;x\\x07\\nroot" in run("show", "jo", "D1").output


def test_a_wipe_is_asked_for_once_it_is_confirmed(run: Run, tmp_path: Path) -> None:
    run("wipe", "jo", "D1", stdin="n\n", status=1)
    assert look(tmp_path)[0][DeviceId("D1")] == Control()
    assert "EVERYTHING" in run("wipe", "jo", "D1", stdin="y\n").output
    control = look(tmp_path)[0][DeviceId("D1")]
    assert (control.wipe, control.stage) == (Wipe.DEVICE, WipeStage.ASKED)
    assert run("list").output.splitlines()[1].split("\t")[8] == "asked"
    run("unwipe", "jo", "D1")
    assert look(tmp_path)[0][DeviceId("D1")] == Control()
    assert "no wipe" in run("unwipe", "jo", "D1", status=2).stderr
    run("wipe", "jo", "D1", "--account-only", "--yes")
    assert look(tmp_path)[0][DeviceId("D1")].wipe is Wipe.ACCOUNT
    assert "14.1" in run("wipe", "jo", "D2", "--account-only", "--yes", status=2).stderr


def test_resync_and_remove(run: Run, tmp_path: Path) -> None:
    run("block", "jo", "D1")
    assert look(tmp_path)[1]
    run("resync", "jo", "D1")
    assert not look(tmp_path)[1]
    run("remove", "jo", "D1")
    assert set(look(tmp_path)[0]) == {"D2"}
    assert "jo has no device D1" in run("remove", "jo", "D1", status=2).stderr


def test_what_is_decided_is_noted_with_who_did_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    run("block", "jo", "d1")
    run("wipe", "jo", "D1", stdin="n\n", status=1)
    run("wipe", "jo", "D1", "--yes")
    run("unwipe", "jo", "D1")
    run("unwipe", "jo", "D1", status=2)
    run("resync", "jo", "D1")
    run("undecide", "jo", "D9")
    run("remove", "jo", "D1")
    monkeypatch.setenv("SUDO_USER", "alice")
    run("quarantine", "jo", "D2")

    def audit(*args: str) -> Result:
        return CliRunner(env={"GATEWAY_CONFIG": str(tmp_path / "gateway.toml")}).invoke(
            main, ["audit", *args]
        )

    by_sudo, *acts = json.loads(audit("--json").output)
    assert (by_sudo["act"], by_sudo["who"]) == ("device.quarantine", "cli:alice")
    assert {one["who"] for one in acts} == {f"cli:{pwd.getpwuid(os.getuid()).pw_name}"}
    assert [(one["act"], one["user"], one["device"], one["details"]) for one in acts] == [
        ("device.remove", "jo", "D1", None),
        ("device.undecide", "jo", "D9", None),
        ("device.resync", "jo", "D1", None),
        ("device.unwipe", "jo", "D1", None),
        ("device.wipe", "jo", "D1", "device"),
        ("device.block", "jo", "D1", None),
    ]
    rows = audit("--user", "JO", "--device", "D1", "--before", "3", "--limit", "1").output.splitlines()[1:]
    assert [row.split("\t")[3] for row in rows] == ["device.wipe"]
    assert audit("--act", "device.allow").output == "number\tat\twho\tact\tuser\tdevice\tdetails\n"
