"""What is counted, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.web.fleet import Fleet

__all__ = ["Metrics", "Totals"]

_HELD = "Ping"
"""The command that waits by design."""
_LAG_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5)
_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted so far, and how many requests wait for news at this moment.

    `failures` are answers with an HTTP code of 500 and above. `durations` counts answers of all commands but
    Ping, by the bucket (its upper bound in seconds) that the time each took lies in.
    """

    requests: float
    failures: float
    held: float
    durations: Mapping[float, float]


class Metrics:
    """The counters of one application; each has a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "eas_requests",
            "ActiveSync requests answered, by command, protocol version, HTTP code and Status.",
            ("command", "version", "http", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "eas_request_seconds",
            "Time from the request to its answer, held time included.",
            ("command",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._open = Gauge(
            "eas_requests_open",
            "Requests being worked on or held, by command.",
            ("command",),
            registry=self._registry,
        )
        self._lag = Histogram(
            "event_loop_lag_seconds",
            "How late the event loop came to a timer, sampled all the time.",
            buckets=_LAG_BUCKETS,
            registry=self._registry,
        )
        # Without a lock and a look at the names each time.
        self._requests_of = cache(self._requests.labels)
        self._seconds_of = cache(self._seconds.labels)
        self._open_of = cache(self._open.labels)

    def opened(self, command: str) -> None:
        """Count a request that a command begins to work on; `closed` ends it."""
        self._open_of(command).inc()

    def closed(self, command: str) -> None:
        self._open_of(command).dec()

    def answered(self, command: str, version: str, http: int, status: str, seconds: float) -> None:
        """Count an answer. Labels must come from a closed set: they are kept for ever."""
        self._requests_of(command, version, str(http), status).inc()
        self._seconds_of(command).observe(seconds)

    def totals(self, held: float, fleet: Fleet | None = None) -> Totals:
        """Add up what was counted, in all processes of a fleet; `held` is of this one."""
        if fleet is None:
            requests, seconds = _samples(self._requests), _samples(self._seconds)
        else:
            shown = fleet.total(self.page()).decode()
            families = {one.name: one.samples for one in text_string_to_metric_families(shown)}
            requests, seconds = families["eas_requests"], families["eas_request_seconds"]
            held = sum(one.value for one in families.get("eas_requests_held", ()))
        answered = [one for one in requests if one.name.endswith("_total")]
        durations: dict[float, float] = {}
        below: dict[str, float] = {}  # buckets hold all that the lower ones do, too
        for one in seconds:
            command = one.labels["command"]
            if one.name.endswith("_bucket") and command != _HELD:
                upper = float(one.labels["le"])
                durations[upper] = durations.get(upper, 0.0) + one.value - below.get(command, 0.0)
                below[command] = one.value
        return Totals(
            requests=sum(one.value for one in answered),
            failures=sum(one.value for one in answered if one.labels["http"].startswith("5")),
            held=held,
            durations=durations,
        )

    def late(self, seconds: float) -> None:
        """Count a sample of the event loop's lag."""
        self._lag.observe(seconds)

    def watch(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Show a value that somebody else keeps, read whenever it is asked for."""
        Gauge(name, documentation, registry=self._registry).set_function(read)

    def count(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        """Show a count that somebody else keeps and that only grows; `_total` is added to its name."""
        self._registry.register(_Count(name, documentation, read))

    def page(self) -> bytes:
        """All values, in Prometheus' text format."""
        return generate_latest(self._registry)

    def route(self, fleet: Fleet | None = None) -> Route:
        """Return the page that shows all values, with those of the processes of a fleet."""

        async def show(_request: Request) -> Response:
            shown = self.page() if fleet is None else fleet.total(self.page())
            return Response(shown, media_type=CONTENT_TYPE_LATEST)

        return Route("/metrics", show)


def _samples(counter: Collector) -> list[Sample]:
    return [one for family in counter.collect() for one in family.samples]


class _Count(Collector):
    """A count that is read whenever it is asked for."""

    def __init__(self, name: str, documentation: str, read: Callable[[], float]) -> None:
        self._name, self._documentation, self._read = name, documentation, read

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._documentation, value=self._read())
