"""TCP keep-alive: a connection whose other end went without a word ends, though we only listen on it.

A watch may hear nothing for minutes. For so long a firewall that forgot the connection, or a server that lost
power, would look like a user without mail.
"""

from __future__ import annotations

import asyncio
import socket

__all__ = ["keep_alive"]

_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds of silence before the first probe, seconds between probes, and how many have to be in vain."""


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Have the system probe a connection; where it cannot be told when, it does so at its own times."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
