"""Processes that write until they are killed, and what they said they had written by then."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from gateway.types import CollectionId


def start(module: str, path: Path) -> subprocess.Popen[str]:
    """Run a module that prints a collection and a number whenever it has been told that it is stored."""
    return subprocess.Popen([sys.executable, "-m", module, path], stdout=subprocess.PIPE, text=True)


def kill_and_read(process: subprocess.Popen[str], first: str = "") -> defaultdict[CollectionId, int]:
    """The highest acknowledged number of each collection, 0 without one; `first` was read of it already."""
    process.send_signal(signal.SIGKILL)
    assert process.stdout is not None
    # By the same buffer that a first line may have been read from.
    with process.stdout as stream:
        output = first + stream.read()
    process.wait(timeout=60)
    acknowledged: defaultdict[CollectionId, int] = defaultdict(int)
    # The last line may be cut off.
    for line in output.split("\n")[:-1]:
        collection, number = line.split()
        acknowledged[CollectionId(collection)] = int(number)
    return acknowledged


def check_file(path: Path) -> None:
    """Assert that the database is sound."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
