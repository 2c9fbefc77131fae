"""Servers that are none, or speak LDAP wrongly: whoever asks is told to come again, in time."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

import ldap3
import pytest

from gateway.errors import UpstreamError
from gateway.ports.directory import Viewer
from gateway.types import Password, UserId
from gateway.upstream.ldap import LdapDirectory, LdapSettings, Url
from tests.support.ports import LOOPBACK

BIND_DONE = bytes.fromhex("300c02010161070a010004000400")
"""An answer to the first request, that the login is right."""
SEARCH_DONE = bytes.fromhex("300c02010265070a010004000400")
VIEWER = Viewer(UserId("ann"), Password("ann", "secret"))


class Scripted:
    """Answers each thing it hears with the next of its lines, whatever it was; then hangs up or is silent."""

    def __init__(self, lines: Sequence[bytes], *, hangs_up: bool) -> None:
        self._lines = lines
        self._hangs_up = hangs_up
        self._listener = socket.create_server((LOOPBACK, 0))
        self._open: list[socket.socket] = [self._listener]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.settings = LdapSettings(
            urls=(Url(LOOPBACK, self._listener.getsockname()[1]),),
            base="dc=example",
            starttls=False,
            bind_dn="cn=gateway",
            password="secret",
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                with suppress(OSError):
                    for line in self._lines:
                        client.recv(65536)
                        client.sendall(line)
                    if self._hangs_up:
                        client.recv(65536)
                        client.shutdown(socket.SHUT_RDWR)


async def ask(lines: Sequence[bytes], *, hangs_up: bool = True, timeout: float = 0.5) -> None:  # noqa: ASYNC109
    ldap3.Server._message_counter = 0  # of all servers together; the lines have the ids 1 and 2
    with Scripted(lines, hangs_up=hangs_up) as server:
        directory = LdapDirectory(replace(server.settings, timeout=timeout))
        try:
            await directory.search(VIEWER, "ann", 0, 9)
        finally:
            await directory.aclose()


async def test_a_good_script() -> None:
    await ask([BIND_DONE, SEARCH_DONE], timeout=30)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x00",
        bytes.fromhex("3003020101"),
        bytes.fromhex("3003020102"),
        bytes.fromhex("3084ffffffff"),
        bytes.fromhex("30ff"),
        bytes.fromhex("300c02010161070a01000400"),
        bytes.fromhex("3007020102650200ff"),
        bytes.fromhex("30090201026404040030ff"),
        bytes.fromhex("300c02010265070a017f04000400"),
        bytes.fromhex("30800201028000"),
        b"\x30\x82\x01\x00" + b"\x30\x80" * 128,
    ],
)
async def test_answers_that_are_none(line: bytes) -> None:
    for before in ([], [BIND_DONE]):
        with pytest.raises(UpstreamError):
            await ask([*before, line])


async def test_a_server_that_says_nothing_more() -> None:
    with pytest.raises(UpstreamError, match=r"did not answer within 0\.5 s"):
        await ask([BIND_DONE, bytes.fromhex("308400ffffff")], hangs_up=False)


async def test_answers_with_a_bit_turned() -> None:
    """Whatever comes of it, it is an answer or the declared error."""
    chance = random.Random(7)
    for _ in range(60):
        lines = [bytearray(BIND_DONE), bytearray(SEARCH_DONE)]
        line = chance.choice(lines)
        line[chance.randrange(len(line))] ^= 1 << chance.randrange(8)
        with suppress(UpstreamError):
            await ask([bytes(one) for one in lines])
