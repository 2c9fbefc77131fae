"""Spans of OpenTelemetry: one for each request, with what was spent where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from gateway.errors import UpstreamUnavailable
from gateway.web.spans import Spans, exporting
from gateway.web.timing import measured, measuring
from tests.web.support import PASSWORD, Site, serving
from wbxml import element
from wbxml.pages import FolderHierarchy

FOLDER_SYNC = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def site(tmp_path: Path, exported: InMemorySpanExporter) -> AsyncIterator[Site]:
    spans = Spans(SimpleSpanProcessor(exported), "1")
    async with serving(tmp_path, spans=spans) as running:
        await running.provisioned()
        yield running
    spans.close()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_a_request_is_a_span(site: Site, exported: InMemorySpanExporter) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    assert (await site.post("FolderSync", FOLDER_SYNC, headers=headers)).code == 200
    (span,) = exported.get_finished_spans()
    told = attributes(span)
    assert (span.name, span.kind) == ("ActiveSync FolderSync", SpanKind.SERVER)
    assert (told["eas.command"], told["eas.version"], told["eas.device"]) == ("FolderSync", "16.1", "d1")
    assert told["http.response.status_code"] == 200
    assert int(str(told["eas.store.calls"])) >= 1
    assert float(str(told["eas.store.seconds"])) > 0
    assert span.end_time is not None
    assert span.start_time is not None
    assert float(str(told["eas.store.seconds"])) <= (span.end_time - span.start_time) / 1e9
    # It is a part of what the proxy began.
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert "jo" not in str(told.values())
    assert PASSWORD not in span.to_json()


async def test_requests_that_fail(site: Site, exported: InMemorySpanExporter) -> None:
    site.users.error = UpstreamUnavailable("it sleeps")
    await site.post("FolderSync", FOLDER_SYNC)
    site.users.error = None
    await site.post("FolderSync", FOLDER_SYNC, key=None)
    failed, refused = exported.get_finished_spans()
    assert attributes(failed)["http.response.status_code"] == 503
    assert failed.status.status_code is StatusCode.ERROR
    assert "credentials" in (failed.status.description or "")
    assert attributes(refused)["eas.status"] == "142"
    assert refused.status.status_code is StatusCode.UNSET


async def test_only_what_is_asked_for_is_measured() -> None:
    class Store:
        size = 3

        async def load(self, name: str) -> str:
            return name.upper()

    store = measured(Store(), "store")
    assert (store.size, await store.load("a")) == (3, "A")
    spent = measuring()
    assert await store.load("b") == "B"
    assert spent["store"].calls == 1


def test_they_are_sent_to_a_collector() -> None:
    taken: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with HTTPServer(("127.0.0.1", 0), Collector) as server, ThreadPoolExecutor(1) as pool:
        serving_one = pool.submit(server.handle_request)
        spans = Spans(exporting(f"http://127.0.0.1:{server.server_port}/v1/traces"), "1")
        spans.begin({}).end({"command": "Ping", "status": "2"}, 200)
        spans.close()
        serving_one.result()
    ((path, body),) = taken
    assert path == "/v1/traces"
    assert b"activesync-gateway" in body
    assert b"ActiveSync Ping" in body
