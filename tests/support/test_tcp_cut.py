"""A way that is cut at a byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.ports import LOOPBACK
from tests.support.tcp_cut import Cut, Way

SECONDS = 30.0


class Echo:
    """A server that says what it is told, on one connection after the other. A context manager."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        """On each connection."""
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Echo:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(SECONDS)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self.heard.append(b"")
                with client, suppress(OSError):
                    while data := client.recv(100):
                        self.heard[-1] += data
                        client.sendall(data)


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as echo:
        yield echo


def answer(way: Way, *pieces: bytes) -> bytes:
    """What comes back of some pieces, each sent when the one before it is back, until the way ends."""
    heard = b""
    with socket.create_connection((way.host, way.port), timeout=SECONDS) as connection:
        for piece in pieces:
            connection.sendall(piece)
            missing = len(heard) + len(piece)
            while len(heard) < missing and (data := connection.recv(100)):
                heard += data
    return heard


def test_a_connection_ends_right_behind_an_octet_to_the_server(echo: Echo) -> None:
    with Way(echo.port) as way:
        way.cut_after(5, "up")
        assert answer(way, b"abc", b"defg") in {b"abc", b"abcde"}
        assert way.ended == 1
        assert answer(way, b"abc", b"defg") == b"abcdefg"
    assert echo.heard == [b"abcde", b"abcdefg"]


def test_a_connection_ends_right_behind_an_octet_from_the_server(echo: Echo) -> None:
    with Way(echo.port) as way:
        way.cut_after(5, "down")
        assert answer(way, b"abc", b"defg") == b"abcde"
        assert way.ended == 1


def test_what_is_mended_is_not_cut(echo: Echo) -> None:
    with Way(echo.port) as way:
        way.cut_after(1, "up")
        way.mend()
        assert answer(way, b"abc") == b"abc"
        assert way.ended == 0


def test_a_server_finds_out_that_a_connection_fell_silent(echo: Echo) -> None:
    with (
        Way(echo.port, keepalive=0.05) as way,
        socket.create_connection((way.host, way.port), timeout=SECONDS) as lost,
    ):
        lost.sendall(b"one")
        assert lost.recv(3) == b"one"
        way.cut(Cut.SILENT)
        lost.sendall(b"two")
        way.mend()
        # It serves one connection after the other, so the first has ended for it.
        assert answer(way, b"three") == b"three"
        assert echo.heard == [b"one", b"three"]
