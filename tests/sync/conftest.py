"""A store, and a mail server in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.store.sqlite.state import SqliteState
from tests.sync.model import Box, MemoryUpstream


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def upstream() -> MemoryUpstream:
    return MemoryUpstream(INBOX=Box(), Trash=Box())
