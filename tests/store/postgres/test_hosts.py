"""Several hosts of a database, of which some say nothing at all."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack

import pytest

from gateway.store.postgres.connecting import Hosts
from tests.support.ports import LOOPBACK
from tests.support.postgres import Postgres


async def test_whoever_cannot_wait_for_all_of_them_comes_to_the_last(postgres: Postgres) -> None:
    with ExitStack() as listeners:
        silent = [listeners.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(2)]
        ports = [*(one.getsockname()[1] for one in silent), postgres.port]
        hosts = Hosts([f"postgresql://gateway@{LOOPBACK}:{port}/postgres" for port in ports])
        for _ in silent:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await hosts.connect(timeout=60)
        for _ in range(2):
            connection = await hosts.connect(timeout=60)
            assert await connection.fetchval("SHOW port") == str(postgres.port)
            await connection.close()
