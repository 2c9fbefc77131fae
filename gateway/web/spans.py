"""Spans of OpenTelemetry, one for each request of a device; imported only where they are wanted.

They name the command, the version, the Status and the device, and what was spent in the store and upstream;
neither users nor anything of what they wrote. Sampling, and what a collector wants of headers, is set by the
variables that OpenTelemetry has for it (OTEL_TRACES_SAMPLER, OTEL_EXPORTER_OTLP_HEADERS).
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway.web.timing import Spent, measuring

__all__ = ["RequestSpan", "Spans", "exporting"]

_SERVER_ERROR = 500
_TOLD = ("command", "version", "status", "device")


def exporting(endpoint: str) -> SpanProcessor:
    """What sends spans to a collector at a URL (OTLP over HTTP), many at once and beside the requests."""
    return BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint))


class Spans:
    """Makes the spans, and hands them to a processor."""

    def __init__(self, processor: SpanProcessor, release: str) -> None:
        resource = Resource.create({"service.name": "activesync-gateway", "service.version": release})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("gateway", release)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, headers: Mapping[str, str]) -> RequestSpan:
        """A span that begins now, below the one that a proxy names in its headers (traceparent)."""
        context = self._propagator.extract(headers)
        span = self._tracer.start_span("ActiveSync", context, SpanKind.SERVER)
        return RequestSpan(span, measuring())

    def close(self) -> None:
        """Send what is not sent yet; takes as long as the collector does."""
        self._provider.shutdown()


class RequestSpan:
    """The span of one request."""

    def __init__(self, span: Span, spent: Spent) -> None:
        self._span = span
        self._spent = spent

    def end(self, names: Mapping[str, str], http: int) -> None:
        """End it with what is known of the request by then; 0: the client went away."""
        span = self._span
        span.update_name(f"ActiveSync {names['command']}" if "command" in names else "ActiveSync")
        span.set_attributes({f"eas.{name}": names[name] for name in _TOLD if name in names})
        span.set_attribute("http.response.status_code", http)
        for name, part in self._spent.items():
            span.set_attributes({f"eas.{name}.seconds": part.seconds, f"eas.{name}.calls": part.calls})
        if http >= _SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR, names.get("reason", "")))
        span.end()
