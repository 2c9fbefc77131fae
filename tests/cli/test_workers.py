"""Processes that are started again, and where they listen."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.workers import beside, reserved
from gateway.errors import ConfigError
from tests.support.ports import LOOPBACK
from tests.support.waiting import PATIENCE

PARENT = """
import os, signal, sys, time
from gateway.cli import workers
from gateway.web import logs

logs.configure("error", "text")
workers._FIRST_PAUSE = 0.05
trouble = sys.argv[1]

def say(text):
    os.write(1, f"{text}\\n".encode())

def serve(slot, started):
    if trouble == "at once" or (trouble == "one" and slot == 1):
        while trouble == "one" and not os.path.exists("serves"):
            time.sleep(0.01)
        say(f"{slot} fails")
        return 1
    started()
    open("serves", "w").close()
    say(f"{slot} serves {os.getpid()}")
    while True:
        signal.pause()

if not os.fork():
    os._exit(0)  # a child that is no worker, as orphans are to the first process of a container
sys.exit(workers.supervise(3, serve))
"""


class Parent:
    """A parent of three processes, and what they say."""

    def __init__(self, folder: Path, trouble: str) -> None:
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.settimeout(PATIENCE)
        self.systemd.bind(str(folder / "notify"))
        environment = os.environ | {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PARENT, trouble],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        self.systemd.close()


@pytest.fixture
def parent(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Parent]:
    made = Parent(tmp_path, request.param)
    yield made
    made.close()


@pytest.mark.parametrize("parent", ["one"], indirect=True)
def test_one_that_fails_again_and_again_fails_alone(parent: Parent) -> None:
    lines: list[str] = []
    while sum("serves" in line for line in lines) < 2 or lines.count("1 fails") < 4:
        lines.append(parent.said())
    assert {line for line in lines if "serves" not in line} == {"1 fails"}
    serving = {int(line.split()[2]) for line in lines if "serves" in line}
    assert parent.systemd.recv(100) == b"READY=1"
    victim = min(serving)
    os.kill(victim, signal.SIGKILL)
    while "serves" not in (line := parent.said()):  # while the other one waits for its next attempt, or not
        assert line == "1 fails"
    os.kill(max(serving), 0)
    parent.process.terminate()
    assert parent.process.wait(PATIENCE) == 0
    assert parent.systemd.recv(100) == b"STOPPING=1"
    with pytest.raises(ProcessLookupError):
        os.kill(max(serving), 0)


@pytest.mark.parametrize("parent", ["at once"], indirect=True)
def test_when_none_can_start_all_end(parent: Parent) -> None:
    assert parent.process.wait(PATIENCE) == 1


def accepted(listener: socket.socket) -> int:
    """How many connections wait there; they are taken."""
    count = 0
    while select.select([listener], [], [], 0.2)[0]:
        listener.accept()[0].close()
        count += 1
    return count


def test_each_listener_gets_its_share_and_one_that_is_gone_none() -> None:
    with reserved(LOOPBACK, 0) as address:
        where = address.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(where)
        listeners = [beside(address) for _ in range(2)]
        for one in listeners:
            one.listen(200)
        clients = [socket.create_connection(where) for _ in range(100)]
        counts = [accepted(one) for one in listeners]
        assert sum(counts) == 100
        assert min(counts) > 15
        listeners[0].close()
        clients += [socket.create_connection(where) for _ in range(20)]
        assert accepted(listeners[1]) == 20
        for each in (*clients, listeners[1]):
            each.close()


def test_an_address_that_another_program_has_is_refused() -> None:
    with reserved(LOOPBACK, 0) as address, beside(address) as other:
        other.listen()
        with pytest.raises(ConfigError, match="another program does, perhaps a gateway"):
            reserved(*address.getsockname())
