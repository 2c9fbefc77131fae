"""App passwords on the command line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from click.testing import CliRunner, Result

from gateway.app import SystemClock
from gateway.cli import main
from gateway.eas.apppasswords import recognised
from gateway.store.sqlite import SqliteState
from gateway.types import AppPassword, DeviceId, UserId

CONFIG = """
[imap]
host = "imap.example.com"
[smtp]
host = "smtp.example.com"
[store]
url = "sqlite:gateway.db"
"""


def run(folder: Path, *words: str) -> Result:
    (folder / "gateway.toml").write_text(CONFIG)
    arguments = ["passwords", *words, "--config", str(folder / "gateway.toml")]
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def known(folder: Path, text: str) -> AppPassword | None:
    async def look() -> AppPassword | None:
        async with await SqliteState.open(folder / "gateway.db") as state:
            return await recognised(state, SystemClock(), UserId("jo"), text, DeviceId("D1"))

    return asyncio.run(look())


def test_one_is_made_listed_and_revoked(tmp_path: Path) -> None:
    made = run(tmp_path, "create", "JO", "my phone", "--bound")
    text = made.stdout.strip()
    assert made.exit_code == 0
    assert len(text.split("-")) == 4
    assert known(tmp_path, text) is not None
    other = json.loads(run(tmp_path, "create", "bert", "x", "--json").stdout)
    assert (other["user"], other["number"], other["bound"], other["device"]) == ("bert", 2, False, None)
    assert other["password"]

    (row,) = json.loads(run(tmp_path, "list", "jo", "--json").stdout)
    assert (row["number"], row["name"], row["bound"], row["device"]) == (1, "my phone", True, "D1")
    listed = run(tmp_path, "list").stdout
    assert [line.split("\t")[0] for line in listed.splitlines()[1:]] == ["bert", "jo"]
    assert text not in listed

    assert run(tmp_path, "revoke", "jo", "1").exit_code == 0
    assert known(tmp_path, text) is None
    assert json.loads(run(tmp_path, "list", "jo", "--json").stdout) == []


def test_what_cannot_be(tmp_path: Path) -> None:
    run(tmp_path, "list")  # makes the store
    for words in (("revoke", "jo", "7"), ("create", "jo", " ")):
        refused = run(tmp_path, *words)
        assert refused.exit_code == 2
        assert refused.stderr.startswith("activesync-gateway: ")
        assert refused.stderr.count("\n") == 1
