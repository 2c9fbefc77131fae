"""Parts of an examination: one that hangs or fails keeps no other from being looked at."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from gateway.cli.check.bounded import beside
from gateway.cli.check.parts import Part, examined
from gateway.errors import UpstreamUnavailable
from gateway.ports.examining import Finding, Verdict, good


async def hanging() -> AsyncIterator[Finding]:
    yield good("first")
    await asyncio.get_running_loop().create_future()
    yield good("never")


async def failing() -> AsyncIterator[Finding]:
    yield good("first")
    raise UpstreamUnavailable("gone")


async def test_a_part_that_hangs_and_one_that_fails() -> None:
    parts = (Part("a", hanging(), 0.05), Part("b", failing()), Part("c", failing()))
    rows = [row async for row in examined(parts)]
    assert [(row.part, row.finding.verdict) for row in rows] == [
        (name, verdict) for name in "abc" for verdict in (Verdict.OK, Verdict.FAILURE)
    ]
    assert rows[3].finding.text == "gone"


async def test_what_blocks_is_not_waited_for() -> None:
    release = threading.Event()
    with pytest.raises(TimeoutError):
        await beside(release.wait, 0.05)
    release.set()
    assert await beside(lambda: 7, 30) == 7
    with pytest.raises(ZeroDivisionError):
        await beside(lambda: 1 // 0, 30)
