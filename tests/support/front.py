"""What stands before a gateway: a proxy that ends TLS and hands every byte on, or spoils some."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

from tests.support.ports import LOOPBACK
from tests.support.tls import Certificate

_SECONDS = 30.0
_PIECE = 65536


@dataclass(slots=True)
class Faults:
    """What it does wrong; may be changed at any time."""

    cuts_pings: bool = False
    """Hangs up on a Ping as soon as it was handed on."""
    largest: int = 1 << 30
    """Requests with more octets are refused with 413."""
    spelling: bytes = b""
    """A path that is not handed on, but answered 404."""


class Front:
    """Listens on a free loopback port; a context manager. `target` is the port of the gateway.

    A connection carries one request here, as a small phone has it.
    """

    def __init__(self, certificate: Certificate) -> None:
        self.faults = Faults()
        self.target = 0
        self._tls = certificate.server_context()
        self._listening = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def url(self) -> str:
        """What phones call it; the certificate is for this name."""
        return f"https://localhost:{self.port}"

    def __enter__(self) -> Front:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(_SECONDS)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_SECONDS)
        with suppress(OSError), connection:
            phone = self._tls.wrap_socket(connection, server_side=True)
            with phone:
                self._answer(phone)

    def _answer(self, phone: ssl.SSLSocket) -> None:
        request = _whole(phone)
        if len(request) > self.faults.largest:
            phone.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        if self.faults.spelling and self.faults.spelling in request.partition(b"\r\n")[0]:
            phone.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        with socket.create_connection((LOOPBACK, self.target), timeout=_SECONDS) as gateway:
            gateway.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            if self.faults.cuts_pings and b"Cmd=Ping" in request:
                return
            while piece := gateway.recv(_PIECE):
                phone.sendall(piece)


def _whole(phone: ssl.SSLSocket) -> bytes:
    """A request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = phone.recv(_PIECE)
        if not piece:
            raise OSError("no request came")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", head)
    pieces, missing = [head + b"\r\n\r\n", body], (int(length[1]) if length else 0) - len(body)
    while missing > 0:
        piece = phone.recv(_PIECE)
        if not piece:
            raise OSError("the request has no end")
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)
