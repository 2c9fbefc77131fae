"""Several processes that serve from one socket: started together, started again, ended together."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import structlog

from gateway.errors import ConfigError

__all__ = ["listening", "supervise"]

_BACKLOG = 2048
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_COULD_NOT_START = frozenset({1, 3})
"""How processes end that could not: ours, and uvicorn's."""
_AT_ONCE = 60.0
"""Seconds from the start within which all end when one could not."""
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0

Serve = Callable[[int], int]
"""Serves as the process in a slot, counted from 0, until SIGTERM; returns the exit status."""


def listening(host: str, port: int) -> socket.socket:
    """A socket at the address that processes can share. Raises `ConfigError` when there can be none."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen(_BACKLOG)
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise ConfigError(f"server.listen: cannot listen on {host}:{port}: {error.strerror}") from None
    return made


def supervise(count: int, serve: Serve) -> int:
    """Run so many processes until SIGTERM or SIGINT, which they are told; returns the exit status.

    One that ends is started again, later each time it cannot start. When one of the first cannot, all end.
    """
    return _Supervisor(count, serve).run()


class _Supervisor:
    """The parent of the processes, which does nothing else."""

    def __init__(self, count: int, serve: Serve) -> None:
        self._count = count
        self._serve = serve
        self._began: dict[int, tuple[int, float]] = {}
        """The slot of each process that runs, and when it was started."""
        self._stopping = threading.Event()
        self._failed = False
        # Nobody ever writes: who reads it learns when the parent is no more, however it ended.
        self._alive, self._held = os.pipe()
        self._log = structlog.get_logger("gateway")

    def run(self) -> int:
        for each in _SIGNALS:
            signal.signal(each, self._stop)
        for slot in range(self._count):
            self._start(slot)
        started, pause = time.monotonic(), _FIRST_PAUSE
        while self._began:
            pid, status = os.wait()
            slot, began = self._began.pop(pid)
            lived = time.monotonic() - began
            if self._stopping.is_set():
                continue
            code = os.waitstatus_to_exitcode(status)
            self._log.error("a worker ended", pid=pid, status=code)
            if time.monotonic() - started < _AT_ONCE and code in _COULD_NOT_START:
                self._failed = True
                self._end_all()
                continue
            if lived < _LONGEST_PAUSE:
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
            if not self._stopping.is_set():
                self._start(slot)
        return int(self._failed)

    def _start(self, slot: int) -> None:
        # A signal must not come between a process and the note of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if not pid:
            self._work(slot)
        self._began[pid] = slot, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _work(self, slot: int) -> NoReturn:
        """Be one of the processes."""
        os.close(self._held)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent tells what to do
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        threading.Thread(target=self._follow, daemon=True).start()
        status = 1
        try:
            status = self._serve(slot)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _follow(self) -> None:
        """End when the parent has."""
        os.read(self._alive, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._end_all()

    def _end_all(self) -> None:
        self._stopping.set()
        for pid in self._began:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
