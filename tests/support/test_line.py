"""A line does to its connections what it is told, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.support.line import Line
from tests.support.ports import LOOPBACK
from tests.support.waiting import PATIENCE


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server((LOOPBACK, 0)) as listening:
        listening.settimeout(PATIENCE)
        yield listening


@pytest.fixture
def line(server: socket.socket) -> Iterator[Line]:
    with Line(server.getsockname()[1]) as line:
        yield line


def connected(line: Line, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection, over which an octet went each way."""
    here = socket.create_connection((LOOPBACK, line.port), timeout=PATIENCE)
    there, _ = server.accept()
    there.settimeout(PATIENCE)
    assert passes(here, there)
    assert passes(there, here)
    return here, there


def connect_and_read(line: Line) -> bytes:
    with socket.create_connection((LOOPBACK, line.port), timeout=PATIENCE) as connection:
        return connection.recv(1)


def passes(source: socket.socket, target: socket.socket) -> bool:
    source.sendall(b"x")
    return target.recv(1) == b"x"


def test_hung_up_on_until_it_is_mended(line: Line, server: socket.socket) -> None:
    here, there = connected(line, server)
    line.hang_up()
    for end in (here, there):
        with pytest.raises(ConnectionResetError):
            end.recv(1)
    with pytest.raises(ConnectionResetError):
        connect_and_read(line)
    line.mend()
    for end in (here, there, *connected(line, server)):
        end.close()


def test_what_was_sent_in_silence_comes_later(line: Line, server: socket.socket) -> None:
    here, there = connected(line, server)
    line.silence()
    here.sendall(b"ab")
    here.close()
    there.settimeout(0.1)
    with pytest.raises(TimeoutError):
        there.recv(1)
    there.settimeout(PATIENCE)
    line.mend()
    assert there.recv(2) == b"ab"
    assert there.recv(1) == b""
    there.close()


def test_a_connection_that_was_forgotten_stays_silent(line: Line, server: socket.socket) -> None:
    here, there = connected(line, server)
    line.silence(forget=True)
    line.mend()
    fresh = connected(line, server)
    here.sendall(b"x")
    there.settimeout(0.1)
    with pytest.raises(TimeoutError):
        there.recv(1)
    for end in (here, there, *fresh):
        end.close()
