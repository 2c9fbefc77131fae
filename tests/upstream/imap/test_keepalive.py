"""Connections are probed by the system, whatever event loop they are made by."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from gateway.upstream.imap.keepalive import keep_alive

_OPTIONS = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)


async def probing(host: str, port: int) -> tuple[int, list[int]]:
    """Whether a connection is probed, and when."""
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, port)
    keep_alive(transport)
    connection = transport.get_extra_info("socket")
    on = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    told = [connection.getsockopt(socket.IPPROTO_TCP, option) for option in _OPTIONS]
    transport.abort()
    await asyncio.sleep(0)  # transports close in the next turn of the loop
    return on, told


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_a_dead_connection_is_noticed_within_two_minutes(
    run: Callable[[Coroutine[Any, Any, tuple[int, list[int]]]], tuple[int, list[int]]],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        on, (idle, interval, count) = run(probing(*server.getsockname()))
    assert on
    assert idle + interval * count <= 120
