"""Users, policies and poison items on the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.app import admission_of
from gateway.cli import main
from gateway.config import load
from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, Device, DeviceId, UserId

CONFIG = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
[devices]
barred = ["ben"]
[policies.board]
users = ["anna"]
MinDevicePasswordLength = 6
[policies.nobody]
groups = ["others"]
[groups]
others = ["nobody", "x*"]
"""
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Calls a command where there are three devices, one of which has the policy for it."""
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)
    first = Device(UserId("anna"), DeviceId("D1"), "Phone", 7, last_seen=NOON)
    first = replace(first, policy=admission_of(load(config, {})).policy_of(first).digest)
    others = (
        Device(UserId("anna"), DeviceId("D2"), "Phone", 8, refused=3, last_seen=NOON + timedelta(hours=1)),
        Device(UserId("ben"), DeviceId("D3"), "Phone"),
    )

    async def fill() -> None:
        async with await SqliteState.open(tmp_path / "gateway.db") as state:
            for device in (first, *others):
                await state.save_device(device)
            await state.note_poison(UserId("anna"), CollectionId("1"), "1:7", "0.1", "no structure")

    asyncio.run(fill())

    def call(*args: str) -> str:
        result = CliRunner(env={"GATEWAY_CONFIG": str(config)}).invoke(main, args)
        assert result.exit_code == 0, result.output
        return result.output

    return call


def test_users(run: Run) -> None:
    assert run("users").splitlines() == [
        "user\tdevices\tlast_seen\tbarred",
        "anna\t2\t2026-01-02T13:00:00+00:00\tno",
        "ben\t1\t-\tyes",
    ]
    anna, _ = json.loads(run("users", "--json"))
    assert anna == {
        "user": "anna", "devices": 2, "last_seen": "2026-01-02T13:00:00+00:00", "barred": False
    }  # fmt: skip


def test_policies(run: Run) -> None:
    assert run("policies").splitlines() == [
        "name\tdevices\tacknowledged\trefused\tfor_users\tfor_devices\tfor_groups\tdemands",
        "board\t2\t1\t1\tanna\t-\t-\tMinDevicePasswordLength: 6",
        "nobody\t0\t0\t0\t-\t-\tothers\t-",
        "none\t1\t0\t0\t-\t-\t-\t-",  # what the rest has
    ]
    names = "device\tpolicy\tby"
    assert run("policies", "Anna").splitlines() == [names, "D1\tboard\tuser anna", "D2\tboard\tuser anna"]
    assert run("policies", "xaver") == f"{names}\n-\tnobody\tgroup others\n"
    assert run("policies", "ben", "D9") == f"{names}\nD9\tnone\tno policy is for it\n"
    assert json.loads(run("policies", "--json"))[0]["demands"] == {"MinDevicePasswordLength": "6"}


def test_poison(run: Run) -> None:
    assert run("poison") == "user\tfolder\titem\trelease\treason\nanna\t1\t1:7\t0.1\tno structure\n"
    assert json.loads(run("poison", "--json")) == [
        {"user": "anna", "folder": "1", "item": "1:7", "release": "0.1", "reason": "no structure"}
    ]
