"""A way to a TCP server that can be cut: connections are reset, say nothing any more, or end at byte N.

What is different from a real network: whoever connects while it is cut gets a connection, and no answer on
it, where his SYN would be lost.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from enum import Enum, auto
from types import TracebackType
from typing import Literal, Self

from tests.support.ports import LOOPBACK

__all__ = ["Cut", "Direction", "Way"]

Direction = Literal["up", "down"]
"""To the server, and from it."""

_PIECE = 65536
_CONNECT_SECONDS = 60.0
_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing resets the connection instead of ending it in order."""


class Cut(Enum):
    """What is wrong with a way."""

    NOTHING = auto()
    RESET = auto()
    """Connections are reset, and so is every new one."""
    SILENT = auto()
    """What is sent arrives nowhere, and nobody is told: not now, and on these connections never again.

    A server that asks whether the other end is there finds out after the `keepalive` seconds of the way.
    """
    HELD = auto()
    """The same, but what was sent arrives once this is over, as TCP has it sent again."""


class Way:
    """Listens on a free loopback port and carries what comes there to a server; a context manager.

    Each piece is held back for `delay` seconds, which may be changed at any time.
    """

    host = LOOPBACK

    def __init__(
        self, port: int, host: str = LOOPBACK, *, delay: float = 0.0, keepalive: float | None = None
    ) -> None:
        self.delay = delay
        self.keepalive = keepalive
        self.target = (host, port)
        """Where new connections lead to; may be changed at any time."""
        self.octets = 0
        """Carried in both directions."""
        self.turns = 0
        """How often a client spoke after the server had: round trips, where each waits for the other."""
        self.connections = 0
        """Opened so far."""
        self.ended = 0
        """Connections that `cut_after` ended."""
        self._left: dict[Direction, int] = {}
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._changed = threading.Condition()
        self._cut = Cut.NOTHING
        self._open: set[_Line] = set()
        self._closed = False

    def cut(self, how: Cut) -> None:
        """Have all connections there are suffer this, and those that are made from now on."""
        with self._changed:
            self._cut = how
            lines = tuple(self._open)
            for line in lines if how is Cut.SILENT else ():
                line.fall_silent(self.keepalive)
            self._changed.notify_all()
        if how is Cut.RESET:
            for line in lines:
                line.reset()

    def cut_after(self, octets: int, direction: Direction) -> None:
        """End the connection that carries the octet number `octets` from now on, right behind it."""
        with self._changed:
            self._left[direction] = octets

    def mend(self) -> None:
        """Carry again what comes."""
        with self._changed:
            self._left.clear()
        self.cut(Cut.NOTHING)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut(Cut.RESET)

    # --- what the threads do -------------------------------------------------------------------------------

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while not self._closed:
                client, _ = self._listener.accept()
                threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        """Have a connection that was made carried on."""
        try:
            server = socket.create_connection(self.target, timeout=_CONNECT_SECONDS)
        except OSError:
            _reset(client)
            return
        server.settimeout(None)
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(client, server)
        with self._changed:
            self.connections += 1
            if self._cut is Cut.SILENT:
                line.fall_silent(self.keepalive)
            self._open.add(line)
            refused = self._cut is Cut.RESET
        if refused:
            line.reset()
        back = threading.Thread(target=self._carry, args=(line, server, client, "down"), daemon=True)
        back.start()
        self._carry(line, client, server, "up")
        back.join()
        with self._changed:
            self._open.discard(line)
        client.close()
        server.close()

    def _carry(self, line: _Line, source: socket.socket, target: socket.socket, direction: Direction) -> None:
        """Carry what comes one way, until it ends."""
        try:
            while piece := source.recv(_PIECE):
                if self.delay:
                    time.sleep(self.delay)
                with self._changed:
                    self._changed.wait_for(lambda: self._cut is not Cut.HELD or line.silent)
                    if line.silent:
                        continue
                    piece, last = self._until_the_end(piece, direction)
                    self.octets += len(piece)
                    self.turns += line.spoke(direction)
                target.sendall(piece)
                if last:
                    line.end()
            if not line.silent and not line.broken:
                target.shutdown(socket.SHUT_WR)
        except OSError:  # one end was reset, and so is the other: a server may end so that is stopped
            if not line.silent and not line.broken:
                line.reset()

    def _until_the_end(self, piece: bytes, direction: Direction) -> tuple[bytes, bool]:
        """What is carried of a piece, and whether that is the last there is."""
        left = self._left.pop(direction, None)
        if left is None:
            return piece, False
        if len(piece) < left:
            self._left[direction] = left - len(piece)
            return piece, False
        self.ended += 1
        return piece[:left], True


class _Line:
    """One connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.silent = False
        self.broken = False
        self._ends = (client, server)
        self._told = True
        """Whether it was the server that spoke last."""

    def spoke(self, direction: Direction) -> bool:
        """Something was said; whether that begins a turn: the client speaks after the server did."""
        before, self._told = self._told, direction == "down"
        return before and direction == "up"

    def fall_silent(self, keepalive: float | None) -> None:
        """Carry nothing any more; the server's end breaks after so many seconds, if they are given."""
        if not self.silent and keepalive is not None:
            timer = threading.Timer(keepalive, _reset, [self._ends[1]])
            timer.daemon = True
            timer.start()
        self.silent = True

    def end(self) -> None:
        """End it in both directions, in order, behind what was carried."""
        self.broken = True
        for one in self._ends:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        self.broken = True
        for one in self._ends:
            _reset(one)


def _reset(connection: socket.socket) -> None:
    """Break a connection, from which another thread may just be reading."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RD)  # wakes it, and sends nothing
        connection.close()
