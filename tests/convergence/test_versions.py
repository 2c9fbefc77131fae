"""Stores of other versions, as the whole program meets them."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.convergence.process import ROOT
from tests.convergence.world import World
from tests.support.gateway import Gateway

GOLDEN = sorted((ROOT / "tests/store/sqlite/golden").glob("*.db"))
WITH_A_TABLET = "0012"


def command(gateway: Gateway, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words, "--config", gateway.config],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_the_store_of_every_release_is_served_with_its_devices(golden: Path, full: World) -> None:
    gateway = Gateway(full.dovecot, full.sink)
    shutil.copy(golden, gateway.database)
    with gateway:
        devices = command(gateway, "devices", "list").stdout.splitlines()[1:]
    listed = [line.split("\t")[:2] for line in devices]
    assert listed[0] == ["anna@example.com", "PHONE1"]
    assert len(listed) == (2 if golden.stem >= WITH_A_TABLET else 1)


@pytest.mark.parametrize("name", ["serve", "devices list", "poison"])
def test_the_store_of_a_newer_release_is_refused_in_words(name: str, full: World) -> None:
    gateway = Gateway(full.dovecot, full.sink)
    shutil.copy(GOLDEN[-1], gateway.database)
    with closing(sqlite3.connect(gateway.database)) as connection:
        connection.execute("PRAGMA user_version = 999")
        before = list(connection.iterdump())
    done = command(gateway, *name.split())
    assert done.returncode != 0
    assert "newer" in done.stderr
    assert str(gateway.database) in done.stderr
    assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(gateway.database)) as connection:
        assert list(connection.iterdump()) == before
    gateway.close()
