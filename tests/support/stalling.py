"""The way to an IMAP server, on which a connection stalls for good when a client says certain words."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.support.ports import LOOPBACK

_PIECE = 65536


class StallingWay:
    """Listens on a port of its own and carries what comes there to the server; use as a context manager."""

    host = LOOPBACK

    def __init__(self, host: str, port: int, words: bytes) -> None:
        self._server = (host, port)
        self._words = words
        self._listener = socket.create_server((LOOPBACK, 0))
        self._open: list[socket.socket] = []
        self._closed = False
        self.stalled = 0
        """How many connections stalled."""

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody."""
        self._closed = True
        for each in (self._listener, *self._open):
            with suppress(OSError):  # it may be closed; a thread that reads from it keeps it open otherwise
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while not self._closed:
                client, _ = self._listener.accept()
                self._open.append(client)
                server = socket.create_connection(self._server)
                self._open.append(server)
                for source, target, words in ((client, server, self._words), (server, client, None)):
                    threading.Thread(target=self._carry, args=(source, target, words), daemon=True).start()
        self.close()  # also what was taken meanwhile

    def _carry(self, source: socket.socket, target: socket.socket, words: bytes | None) -> None:
        try:
            while piece := source.recv(_PIECE):
                if words is not None and words in piece:
                    self.stalled += 1
                    return
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return
