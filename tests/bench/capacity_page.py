"""The part of RESULTS.md about capacity, and the same for an administrator's own day and machines.

`python -m tests.bench.capacity_page [--received 50 --heartbeat 1200 ...]` prints it; every assumption of the
model is an option.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from tests.bench.capacity import DEVICES, Day, Factors, Hardware, Need, limits, need, rates
from tests.bench.figures import COMMITS, OPERATIONS, SIZES, STORES
from tests.bench.numbers import number

__all__ = ["block", "needs"]

Figures = Mapping[str, Mapping[str, Any]]

_VALUES = Path(__file__).with_name("results.json")
_SHOWN = 100_000
"""The number of devices for which the arithmetic is shown."""
_HOUR = 3600


def block(figures: Figures, day: Day | None = None, hardware: Hardware | None = None) -> str:
    """What was measured for it, and what comes of it. Raises `KeyError` when something was not measured."""
    day, hardware = day or Day(), hardware or Hardware()
    factors = Factors.of(figures)
    parts = (
        _stores(figures),
        _operations(figures),
        _storage(figures),
        _assumptions(day, hardware),
        _arithmetic(factors, day, hardware),
        ("*What so many devices need* in the busiest hour:", "", *_needs(factors, day, hardware)),
        _limits(factors, day, hardware),
    )
    return "\n\n".join("\n".join(part) for part in parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int | None = None) -> Iterator[str]:
    """A table of which so many columns after the first are numbers, or all of them."""
    right = len(head) - 1 if numbers is None else numbers
    yield f"| {' | '.join(head)} |"
    yield "|---" + "|---:" * right + "|---" * (len(head) - 1 - right) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


# --- what was measured -------------------------------------------------------------------------------------


def _stores(figures: Figures) -> Iterator[str]:
    yield "*The same work over each store:*"
    yield ""

    def rows() -> Iterator[Sequence[str]]:
        for name, title, unit in (
            ("first", "97 first Syncs of 50 messages, 16 at once", "msg/s"),
            ("nothing", "Sync with nothing new, 16 at once", "1/s"),
            ("send", "SendMail, 8 at once", "1/s"),
        ):
            found = [figures[f"{name}-{kind}"] for kind in STORES]
            yield f"**{title}**", *(f"**{number(each['value'], unit)}**" for each in found)
            for key in ("gateway cpu ms", "PostgreSQL cpu ms", "Dovecot cpu ms", "phones cpu ms"):
                yield f"{key} each", *(number(each["details"][key]) for each in found)
            yield (
                "the busiest process of the gateway, of a processor",
                *(number(100 * each["details"]["busiest process"], "%") for each in found),
            )
        found = [figures[f"held-{kind}"] for kind in STORES]
        yield "**what waiting adds to a phone**", *(f"**{number(each['value'], 'KiB')}**" for each in found)
        yield (
            "memory of the processes at the start",
            *(number(each["details"]["MiB before"], "MiB") for each in found),
        )
        yield (
            f"once {found[0]['details']['phones']} phones have synced",
            *(number(each["details"]["MiB synced"], "MiB") for each in found),
        )

    yield from _table(["", *STORES.values()], rows())


_COUNTED = (
    "round trips",
    "writing transactions",
    "durable commits",
    "notices",
    "log octets",
    "wire octets",
    "PostgreSQL cpu ms",
    "gateway cpu ms",
)


def _operations(figures: Figures) -> Iterator[str]:
    yield "*What PostgreSQL sees of each request:*"
    yield ""

    def rows() -> Iterator[Sequence[str]]:
        for name, title in OPERATIONS.items():
            found = figures[f"cost-{name}"]
            yield title, number(found["value"]), *(number(found["details"][key]) for key in _COUNTED)

    yield from _table(["", "statements", *_COUNTED], rows())


def _storage(figures: Figures) -> Iterator[str]:
    sizes = [f"{title} {number(figures[f'size-{name}']['value'])}" for name, title in SIZES.items()]
    yield f"*Octets in the database*, packed: {'; '.join(sizes)}."
    yield ""
    speeds = (
        f"{title} {number(figures[f'commits-{name}']['value'])} ("
        f"{number(figures[f'commits-{name}']['details']['PostgreSQL cpu ms'])} ms of a processor each)"
        for name, title in COMMITS.items()
    )
    yield f"*Durable commits a second* of one changed row (pgbench): {'; '.join(speeds)}."


# --- what comes of it --------------------------------------------------------------------------------------


def _assumptions(day: Day, hardware: Hardware) -> Iterator[str]:
    yield "*Assumed*, each an option of `python -m tests.bench.capacity_page`:"
    yield ""

    def rows() -> Iterator[Sequence[str]]:
        for values in (day, hardware):
            for each in fields(values):
                yield f"`--{_option(each.name)}`", number(getattr(values, each.name)), each.metadata["help"]

    yield from _table(["option", "value", "meaning"], rows(), 1)


def _arithmetic(factors: Factors, day: Day, hardware: Hardware) -> Iterator[str]:
    shown = need(_SHOWN, factors, day, hardware)
    yield f"*The arithmetic* for {_SHOWN:,} devices in the busiest hour:"
    yield ""

    def rows() -> Iterator[Sequence[str]]:
        for name, often in rates(day).items():
            cost, second = factors.costs[name], _SHOWN * often / _HOUR
            yield (
                OPERATIONS[name],
                number(often),
                number(second),
                f"× {number(cost.gateway)} ms = {number(second * cost.gateway / 1000)}",
                f"× {number(cost.durable)} = {number(second * cost.durable)}",
                f"× {number(cost.log)} = {number(second * cost.log / 1e6)} MB/s",
                f"× {number(cost.postgres)} ms = {number(second * cost.postgres / 1000)}",
            )
        minute = factors.costs["minute"]
        yield (
            f"{shown.processes} processes, of their own accord, a minute",
            "",
            number(shown.processes / 60),
            "see below",
            f"× {number(minute.durable)} = {number(shown.processes / 60 * minute.durable)}",
            f"× {number(minute.log)} = {number(shown.processes / 60 * minute.log / 1e6)} MB/s",
            f"× {number(minute.postgres)} ms = {number(shown.processes / 60 * minute.postgres / 1000)}",
        )
        yield (
            "together",
            "",
            number(shown.requests),
            number(shown.processors - shown.waiting * factors.idle),
            number(shown.durable),
            f"{number(shown.log / 1e6)} MB/s with the pages",
            number(shown.database_processors),
        )

    head = (
        "",
        "a device, hour",
        "a second",
        "processors",
        "durable commits",
        "log",
        "PostgreSQL's processors",
    )
    yield from _table(head, rows())
    yield ""
    cores, load = number(hardware.usable_cores), number(hardware.load)
    yield (
        f"The log has {number(hardware.pages)} × 8 KiB for each durable commit besides."
        f" Waiting costs {number(shown.waiting)} × {factors.idle * 1e6:.2g} / 1,000,000 ="
        f" {number(shown.waiting * factors.idle)} of a processor more, so {number(shown.processors)} in all."
        f" Processes: the greater of {number(shown.processors)} / {load} and"
        f" {number(shown.connections[0])} / {number(hardware.users)}, {shown.processes}. Memory:"
        f" {shown.processes} × {number(factors.process_mib)} MiB + {number(shown.waiting)} ×"
        f" {number(factors.waiting_kib)} KiB = {number(shown.memory / 2**30)} GiB. Nodes: the greater of"
        f" {shown.processes} / {cores} and {number(shown.memory / 2**30)} GiB /"
        f" {number(hardware.usable_memory / 2**30)} GiB, {shown.nodes}; and one to spare."
    )


def needs(figures: Figures) -> str:
    """What so many devices need, as `block` has it."""
    return "\n".join(_needs(Factors.of(figures), Day(), Hardware()))


def _needs(factors: Factors, day: Day, hardware: Hardware) -> Iterator[str]:
    all_needs = [need(devices, factors, day, hardware) for devices in DEVICES]
    first = next(each for each in limits(factors, day, hardware) if each.divides)
    shown: Mapping[str, Callable[[Need], str]] = {
        "users": lambda each: number(each.users),
        "phones that wait at once": lambda each: number(each.waiting),
        "requests a second": lambda each: number(each.requests),
        "processors of the gateway, all the time": lambda each: number(each.processors),
        "processes": lambda each: number(each.processes),
        f"nodes of {number(hardware.cores)} processors and {number(hardware.memory)} GiB, and one to spare": (
            lambda each: f"{each.nodes} + 1"
        ),
        "memory of all processes": lambda each: number(each.memory / 2**30, "GiB"),
        "open files of each process": lambda each: number(each.files),
        "connections to the IMAP server from waiting phones, with sticky sessions": (
            lambda each: number(each.connections[0])
        ),
        "the same without them, at most": lambda each: number(each.connections[1]),
        "PostgreSQL: statements a second": lambda each: number(each.statements),
        "transactions that write": lambda each: number(each.writes),
        "of these durable commits": lambda each: number(each.durable),
        "notices": lambda each: number(each.notices),
        "log": lambda each: number(each.log / 1e6, "MB/s"),
        "to it and from it": lambda each: number(each.wire / 1e6, "MB/s"),
        "its processors, all the time": lambda each: number(each.database_processors),
        "connections to it": lambda each: number(each.pool),
        "the database": lambda each: number(each.disk / 2**30, "GiB"),
        "databases it is to be divided into": lambda each: number(math.ceil(each.devices / first.devices)),
        "hours until all have synced for the first time, with these nodes and one database": lambda each: (
            number(each.morning)
        ),
    }
    rows = ((title, *map(say, all_needs)) for title, say in shown.items())
    yield from _table(["", *(f"{devices:,}" for devices in DEVICES)], rows)


def _limits(factors: Factors, day: Day, hardware: Hardware) -> Iterator[str]:
    yield "*Where one PostgreSQL server ends*, what is used up first at first:"
    yield ""
    rows = (
        (
            limit.name,
            number(limit.each, limit.unit),
            number(limit.most, limit.unit),
            number(limit.devices) if math.isfinite(limit.devices) else "",
            ", then ".join(filter(None, (limit.remedy, "users divided" if limit.divides else ""))),
        )
        for limit in limits(factors, day, hardware)
    )
    yield from _table(["", "1,000 devices need", "there is", "enough for devices", "beyond"], rows, 3)


# --- the command line --------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Print the model for the assumptions on the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.capacity_page", description="What many devices need."
    )
    for kind in (Day, Hardware):
        for each in fields(kind):
            parser.add_argument(
                f"--{_option(each.name)}",
                dest=each.name,
                type=float,
                default=each.default,
                metavar="NUMBER",
                help=f"{each.metadata['help']} (%(default)s)",
            )
    options = vars(parser.parse_args(arguments))
    day = Day(**{each.name: options[each.name] for each in fields(Day)})
    hardware = Hardware(**{each.name: options[each.name] for each in fields(Hardware)})
    figures = json.loads(_VALUES.read_text())["figures"]
    try:
        print(block(figures, day, hardware))
    except KeyError as error:
        print(f"{error} was not measured yet: python -m tests.bench --write --only ...", file=sys.stderr)
        return 1
    return 0


def _option(name: str) -> str:
    return name.replace("_", "-")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
