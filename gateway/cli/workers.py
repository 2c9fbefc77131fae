"""Several processes that serve at one address: started together, started again, ended together.

Each listens on a socket of its own, and the kernel deals out new connections by their addresses, so that each
gets its share. Of one socket that all accept from, a process that happens to be quick takes most, and phones
stay for hours where they came to.
"""

from __future__ import annotations

import errno
import os
import selectors
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

from gateway.cli.readiness import tell_systemd
from gateway.errors import ConfigError

__all__ = ["beside", "cannot_listen", "reserved", "supervise"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_COULD_NOT_START = frozenset({1, 3})
"""How processes end that could not: ours, and uvicorn's."""
_CANNOT_LISTEN = {
    errno.EADDRINUSE: "another program does, perhaps a gateway: end it, or name another port",
    errno.EADDRNOTAVAIL: "this machine has no such address: name one it has",
    errno.EACCES: "permission denied: name a port above 1023, to which the reverse proxy leads",
}
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
"""Seconds before a process is started again that did not live for the longer of these."""

Serve = Callable[[int, Callable[[], None]], int]
"""Serves as the process in a slot, counted from 0, until SIGTERM; returns the exit status.

It calls what it is given once it does.
"""


def reserved(host: str, port: int) -> socket.socket:
    """A socket that keeps an address for processes to listen at. Raises `ConfigError` when it cannot be."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # First without it: another program that shares its address would share our phones.
            made.bind(address)
        except OSError:
            made.close()
            raise
        chosen = made.getsockname()
        made.close()
        return _bound(family, kind, protocol, chosen)
    except OSError as error:
        raise ConfigError(cannot_listen(host, port, error)) from None


def cannot_listen(host: str, port: int, error: OSError) -> str:
    """Why an address cannot be listened on, and what to do about it."""
    reason = _CANNOT_LISTEN.get(error.errno or 0, error.strerror)
    return f"server.listen: cannot listen on {host}:{port}: {reason}"


def beside(there: socket.socket) -> socket.socket:
    """A further socket at the address of one that is `reserved`, to listen on. Raises `OSError`."""
    return _bound(there.family, there.type, there.proto, there.getsockname())


def _bound(family: int, kind: int, protocol: int, address: object) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)  # type: ignore[arg-type]  # of the family
    except OSError:
        made.close()
        raise
    return made


def supervise(count: int, serve: Serve) -> int:
    """Run so many processes until SIGTERM or SIGINT, which they are told; returns the exit status.

    One that ends is started again, later each time it did not live for long, and the others serve on. When
    one cannot start before any serves, all end.
    """
    return _Supervisor(count, serve).run()


class _Supervisor:
    """The parent of the processes, which does nothing else."""

    def __init__(self, count: int, serve: Serve) -> None:
        self._count = count
        self._serve = serve
        self._began: dict[int, tuple[int, float]] = {}
        """The slot of each process that runs, and when it was started."""
        self._due = dict.fromkeys(range(count), 0.0)
        """When the slots without a process get one."""
        self._pauses = dict.fromkeys(range(count), _FIRST_PAUSE)
        self._stopping = self._told = self._failed = self._serves = False
        # Nobody ever writes: who reads it learns when the parent is no more, however it ended.
        self._alive, self._held = os.pipe()
        # Written by a process that serves, and by each signal.
        self._news, self._tell = os.pipe()
        self._woken, self._wake = os.pipe()
        for end in (self._news, self._woken, self._wake):
            os.set_blocking(end, False)
        self._log = structlog.get_logger("gateway")

    def run(self) -> int:
        for each in _SIGNALS:
            signal.signal(each, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            for end in (self._news, self._woken):
                selector.register(end, selectors.EVENT_READ)
            while self._began or not self._stopping:
                self._start_due()
                ready = selector.select(self._seconds())
                if any(key.fd == self._news for key, _ in ready) and not self._serves:
                    self._serves = True
                    tell_systemd("READY=1")
                for key, _ in ready:
                    os.read(key.fd, 1024)
                self._reap()
                if self._stopping:
                    self._end_all()
        return int(self._failed)

    def _seconds(self) -> float | None:
        """How long nothing is to be done; None: until there is news."""
        if self._stopping or not self._due:
            return None
        return max(0.0, min(self._due.values()) - time.monotonic())

    def _start_due(self) -> None:
        now = time.monotonic()
        for slot in [slot for slot, due in self._due.items() if due <= now]:
            if not self._stopping:
                del self._due[slot]
                self._start(slot)

    def _reap(self) -> None:
        """Take note of the processes that ended."""
        while self._began:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            known = self._began.pop(pid, None)
            if known is None or self._stopping:  # the first process of a container gets children of others
                continue
            slot, began = known
            code, now = os.waitstatus_to_exitcode(status), time.monotonic()
            self._log.error("a worker ended", worker=slot + 1, pid=pid, status=code)
            if code in _COULD_NOT_START and not self._serves:
                self._failed = self._stopping = True
            elif now - began < _LONGEST_PAUSE:
                self._due[slot] = now + self._pauses[slot]
                self._pauses[slot] = min(self._pauses[slot] * 2, _LONGEST_PAUSE)
            else:
                self._due[slot], self._pauses[slot] = now, _FIRST_PAUSE

    def _start(self, slot: int) -> None:
        # Whoever is told to end before he heeds signals is to be told once he does.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        pid = os.fork()
        if not pid:
            self._work(slot)
        self._began[pid] = slot, time.monotonic()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _work(self, slot: int) -> NoReturn:
        """Be one of the processes."""
        signal.set_wakeup_fd(-1)
        for end in (self._held, self._news, self._woken, self._wake):
            os.close(end)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the parent tells what to do
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        threading.Thread(target=self._follow, daemon=True).start()
        structlog.contextvars.bind_contextvars(worker=slot + 1)
        status = 1
        try:
            status = self._serve(slot, lambda: _write(self._tell))
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
        self._stopping = True

    def _end_all(self) -> None:
        if self._told:
            return
        self._told = True
        tell_systemd("STOPPING=1")
        for pid in self._began:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)


def _write(end: int) -> None:
    os.write(end, b"1")
