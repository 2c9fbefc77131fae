"""Free TCP ports on the loopback interface, and waiting until something listens there."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Returns `count` different ports nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


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
