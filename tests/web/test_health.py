"""The pages for machines: alive, ready, metrics."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from gateway.errors import GatewayError, StoreUnavailable, UpstreamUnavailable
from gateway.web.health import Health
from gateway.web.metrics import Metrics


async def get(app: Starlette, path: str) -> tuple[int, bytes]:
    """Ask an application for a page, without a server between."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


class Part:
    """Something that can fail a check."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.checks = 0

    async def check(self) -> None:
        self.checks += 1
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error


async def ready(app: Starlette) -> tuple[int, object]:
    code, body = await get(app, "/readyz")
    return code, json.loads(body)


async def test_ready_and_not() -> None:
    store, upstream = Part(), Part()
    health = Health({"store": store.check, "upstream": upstream.check}, remember=0)
    app = Starlette(routes=health.routes())
    assert await ready(app) == (200, {"ready": True, "checks": {"store": "ok", "upstream": "ok"}})
    upstream.error = UpstreamUnavailable("10.1.2.3 refused the connection")
    assert await ready(app) == (503, {"ready": False, "checks": {"store": "ok", "upstream": "failing"}})
    upstream.error = None
    store.error = StoreUnavailable("database /var/lib/x.db: the disk is full (errno 28)", "the disk is full")
    failing = {"ready": False, "checks": {"store": "failing", "upstream": "ok"}}
    assert await ready(app) == (503, {**failing, "why": {"store": "the disk is full"}})
    store.error = GatewayError("unexpected error")
    assert await ready(app) == (503, failing)
    assert await get(app, "/healthz") == (200, b"ok")  # the process lives


async def test_a_check_that_hangs_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.health._CHECK_SECONDS", 0.05)

    async def hang() -> None:
        await asyncio.Event().wait()

    app = Starlette(routes=Health({"upstream": hang}).routes())
    failing = {"ready": False, "checks": {"upstream": "failing"}}
    assert await ready(app) == (503, {**failing, "why": {"upstream": "no answer within 0 seconds"}})


async def test_checks_run_once_for_many_who_ask() -> None:
    part = Part()
    app = Starlette(routes=Health({"store": part.check}).routes())
    answers = await asyncio.gather(*(ready(app) for _ in range(10)))
    assert {code for code, _ in answers} == {200}
    assert part.checks == 1


async def test_metrics() -> None:
    metrics = Metrics()
    app = Starlette(routes=[metrics.route()])
    metrics.opened("Ping")
    metrics.opened("Sync")
    metrics.closed("Sync")
    metrics.answered("Sync", "16.1", 200, "1", 0.3)
    metrics.watch("imap_connections", "Open connections.", lambda: 7)
    metrics.count("store_commits", "Commits.", lambda: 3)
    code, body = await get(app, "/metrics")
    lines = body.decode().splitlines()
    assert code == 200
    assert 'eas_requests_total{command="Sync",http="200",status="1",version="16.1"} 1.0' in lines
    assert 'eas_requests_open{command="Ping"} 1.0' in lines
    assert 'eas_requests_open{command="Sync"} 0.0' in lines
    assert 'eas_request_seconds_bucket{command="Sync",le="0.5"} 1.0' in lines
    assert "imap_connections 7.0" in lines
    assert "store_commits_total 3.0" in lines
