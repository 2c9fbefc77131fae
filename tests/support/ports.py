"""Free TCP ports on the loopback interface, and waiting until something listens there."""

from __future__ import annotations

import itertools
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LOWEST = 10_240


def free_ports(count: int) -> list[int]:
    """Returns `count` different ports nobody listens on at the moment, and no connection gets by chance.

    The kernel gives its own range to connections that go out; a server started on such a port would now and
    then find it taken. Ports follow one another from a random place, and each of the processes in which
    tests run side by side has a range of its own, so that none takes what another is about to use.
    """
    found: list[int] = []
    while len(found) < count:
        port = next(_PORTS)
        with socket.socket() as one:
            try:
                one.bind((LOOPBACK, port))
            except OSError:
                continue
        found.append(port)
    return found


def _below_the_kernels() -> Iterator[int]:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(_LOWEST, max(lowest, _LOWEST + 1_000))
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    this = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = len(ports) // processes
    mine = ports[this % processes * share :][:share]
    return itertools.islice(itertools.cycle(mine), secrets.randbelow(share), None)


_PORTS = _below_the_kernels()


def wait_for_greeting(port: int, *, seconds: float, alive: Callable[[], bool]) -> bool:
    """Waits until a server on `port` accepts and speaks; False when time is over or `alive` says it died."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not alive():
            return False
        try:
            with socket.create_connection((LOOPBACK, port), timeout=seconds) as connection:
                if connection.recv(1):
                    return True
        except OSError:
            pass
        time.sleep(0.01)
    return False


def wait_for_port(port: int, *, seconds: float, alive: Callable[[], bool]) -> bool:
    """Waits until a server on `port` accepts; False when time is over or `alive` says it died."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and alive():
        try:
            with socket.create_connection((LOOPBACK, port), timeout=seconds):
                return True
        except OSError:
            time.sleep(0.01)
    return False
