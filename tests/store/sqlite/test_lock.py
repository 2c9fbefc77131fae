"""The lock that keeps a second gateway from serving from one file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import GatewayError
from gateway.store.sqlite import SqliteState, lock, serving

HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "gateway.db"


async def test_a_second_one_is_refused_in_one_line(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.2)
    (file.parent / "link.db").symlink_to(file)
    async with serving(file):
        for path in (file, file.parent / "link.db"):
            with pytest.raises(GatewayError, match="another gateway is serving from it") as caught:
                async with serving(path):
                    pytest.fail("two on one file")
            assert "\n" not in caught.value.detail
    async with serving(file):
        pass


async def test_one_that_is_ending_is_waited_for(file: Path) -> None:
    held = asyncio.Event()

    async def first() -> None:
        async with serving(file):
            held.set()
            await asyncio.sleep(0.4)

    ending = asyncio.create_task(first())
    await held.wait()
    async with serving(file):
        assert ending.done()


@pytest.fixture
def holder(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDER, f"{file}.lock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


async def test_the_lock_ends_with_its_process(
    file: Path, holder: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.2)
    with pytest.raises(GatewayError, match="another gateway"):
        async with serving(file):
            pass
    holder.kill()
    await asyncio.to_thread(holder.wait)
    async with serving(file):
        pass


async def test_reading_beside_it_needs_no_lock(file: Path) -> None:
    async with serving(file), await SqliteState.open(file), await SqliteState.open(file) as other:
        assert await other.list_devices() == []
