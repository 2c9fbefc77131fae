"""The server that tests of the endpoint talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.web.support import Site, serving


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A server whose device d1 of user Jo has been provisioned."""
    async with serving(tmp_path, traced=["jo/traced"]) as running:
        await running.provisioned()
        await running.provisioned("traced")
        yield running
