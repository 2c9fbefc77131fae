"""`top`: what a running gateway is doing, by its /metrics, again and again."""

from __future__ import annotations

import http.client
import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from prometheus_client.parser import text_string_to_metric_families

from gateway.cli.check.web import Site
from gateway.cli.common import config, reachable, told
from gateway.config import load
from gateway.errors import GatewayError

__all__ = ["Look", "difference", "top"]

_SECONDS = 10.0
_COUNTS = {
    "smtp_messages_sent_total": "mail sent",
    "smtp_messages_failed_total": "mail not sent",
    "eas_replays_total": "answers repeated",
    "eas_conflicts_total": "conflicts",
    "eas_stubs_total": "items not shown",
    "eas_requests_slowed_total": "requests slowed",
    "store_transactions_total": "writes",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What /metrics said at a moment (`at` in seconds of any clock).

    By command: requests `answered` so far, the `seconds` they took together, and those `open`. `lag` has the
    samples of the event loop up to each bound in seconds. `others` are single values by name.
    """

    at: float
    answered: Mapping[str, float] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    open: Mapping[str, float] = field(default_factory=dict)
    lag: Mapping[float, float] = field(default_factory=dict)
    others: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, page: str, at: float) -> Look:
        """Of the text of /metrics."""
        tables: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        lag: dict[float, float] = {}
        others: dict[str, float] = {}
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == "event_loop_lag_seconds_bucket":
                    lag[float(sample.labels["le"])] = sample.value
                elif "command" in sample.labels:
                    tables[sample.name][sample.labels["command"]] += sample.value
                elif not sample.labels:
                    others[sample.name] = sample.value
        answered, seconds = tables["eas_requests_total"], tables["eas_request_seconds_sum"]
        return cls(at, answered, seconds, tables["eas_requests_open"], lag, others)


def difference(before: Look, after: Look) -> dict[str, object]:
    """What happened between two looks, for people and programs. Times are in milliseconds."""
    seconds = max(after.at - before.at, 0.001)
    commands = {}
    for command in sorted({*after.answered, *after.open}):
        count = after.answered.get(command, 0) - before.answered.get(command, 0)
        took = after.seconds.get(command, 0) - before.seconds.get(command, 0)
        commands[command] = {
            "per_second": round(count / seconds, 1),
            "open": int(after.open.get(command, 0)),
            "mean_ms": round(took / count * 1000) if count else None,
        }
    return {
        "per_second": round((sum(after.answered.values()) - sum(before.answered.values())) / seconds, 1),
        "open": int(sum(after.open.values())),
        "lag_ms": _lag(before.lag, after.lag),
        "imap_connections": int(after.others.get("imap_connections", 0)),
        "commands": commands,
        "happened": {
            text: int(after.others.get(name, 0) - before.others.get(name, 0))
            for name, text in _COUNTS.items()
        },
    }


def _lag(before: Mapping[float, float], after: Mapping[float, float]) -> float | None:
    """The bound that 99 of 100 samples in between kept, in milliseconds; None without one."""
    counts = {bound: count - before.get(bound, 0) for bound, count in sorted(after.items())}
    total = max(counts.values(), default=0)
    if not total:
        return None
    bound = next(bound for bound, count in counts.items() if count >= total * 0.99)
    return None if bound == float("inf") else round(bound * 1000, 1)


class _Seconds(click.FloatRange):
    """A range that has no "nan" in it, as that of `click` has."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        seconds = float(super().convert(value, param, context))
        if math.isnan(seconds):
            self.fail(f"{value} is no number of seconds", param, context)
        return seconds


@click.command()
@click.option("--interval", type=_Seconds(0.1, 3600), default=2, show_default=True, help="Seconds.")
@click.option("--times", type=click.IntRange(1), help="End after so many looks; without it, at Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object, in a line, for each look.")
@config
@told
def top(file: Path, interval: float, times: int | None, as_json: bool) -> None:
    """Show what the running gateway does: requests by command, what waits, lag, what happened.

    It asks the gateway of this configuration, at server.listen.
    """
    settings = load(file, os.environ)
    site = Site(reachable(settings.server.host), settings.server.port, tls=False)
    before = _look(site)
    shown = 0
    while times is None or shown < times:
        time.sleep(interval)
        after = _look(site)
        found = difference(before, after)
        if as_json:
            click.echo(json.dumps(found, ensure_ascii=False))
        else:
            click.clear()
            for line in _lines(site, found, after.at - before.at):
                click.echo(line)
        before, shown = after, shown + 1


def _look(site: Site) -> Look:
    connection = http.client.HTTPConnection(site.host, site.port, timeout=_SECONDS)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        page = response.read().decode()
        if response.status != http.HTTPStatus.OK:
            raise GatewayError(f"{site.host}:{site.port} answers {response.status} to /metrics")
        return Look.read(page, time.monotonic())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise GatewayError(f"no gateway answers at {site.host}:{site.port}: {error}") from error
    finally:
        connection.close()


def _lines(site: Site, found: Mapping[str, object], seconds: float) -> Iterator[str]:
    lag = "-" if found["lag_ms"] is None else f"{found['lag_ms']} ms"
    yield (
        f"{site.host}:{site.port}  {found['per_second']} requests/s  {found['open']} waiting or at work"
        f"  lag {lag}  {found['imap_connections']} connections to IMAP"
    )
    yield ""
    yield f"{'command':<20}{'per second':>12}{'open':>8}{'mean ms':>10}"
    commands = found["commands"]
    assert isinstance(commands, Mapping)
    for command, row in commands.items():
        mean = "-" if row["mean_ms"] is None else row["mean_ms"]
        yield f"{command:<20}{row['per_second']:>12}{row['open']:>8}{mean:>10}"
    yield ""
    happened = found["happened"]
    assert isinstance(happened, Mapping)
    counted = ", ".join(f"{count} {text}" for text, count in happened.items() if count)
    yield f"in {seconds:.1f} s: {counted or 'nothing else'}"
