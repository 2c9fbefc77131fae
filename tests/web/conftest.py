"""The server that tests of the endpoint talk to, and the pages for people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.web.pages.support import World, opened
from tests.web.support import Site, serving


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server whose device d1 of user Jo has been provisioned."""
    async with serving(tmp_path, traced=["jo/traced"]) as running:
        await running.provisioned()
        await running.provisioned("traced")
        yield running


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The pages over an empty store."""
    async with opened(tmp_path) as made:
        yield made
