"""The gauge of the event loop's lag."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from starlette.applications import Starlette

from gateway.web.lag import watch_lag
from gateway.web.metrics import Metrics
from tests.web.test_health import get


async def test_it_sees_what_keeps_the_loop_busy() -> None:
    samples: list[float] = []
    watching = asyncio.create_task(watch_lag(samples.append, every=0.01))
    async with asyncio.timeout(20):
        while min(samples, default=1.0) >= 0.1:  # a busy machine is late itself
            await asyncio.sleep(0.01)
        calm = len(samples)
        time.sleep(0.2)  # noqa: ASYNC251  # what no handler may do
        while len(samples) == calm:
            await asyncio.sleep(0.01)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert samples[calm] > 0.15


async def test_it_is_shown() -> None:
    metrics = Metrics()
    metrics.late(0.03)
    _, body = await get(Starlette(routes=[metrics.route()]), "/metrics")
    lines = body.decode().splitlines()
    assert 'event_loop_lag_seconds_bucket{le="0.02"} 0.0' in lines
    assert 'event_loop_lag_seconds_bucket{le="0.05"} 1.0' in lines
