"""The long run of several nodes: `make soak-nodes ARGS="--seconds N [--seed S] [--workers N]"`.

Each story has one kind of misfortune, the kinds take turns; a line of the table is a kind. `news` counts how
often somebody waited for news while it happened, and how long that took at most; `answer` is how long any
answer took. The exit status is 1 when anything was lost or doubled, or a device was forced to begin anew. A
story that went wrong is told in full, and played again by its seed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import click

from tests.convergence.cluster import Cluster
from tests.convergence.ending import end_in_order
from tests.convergence.faults import FAULTS, Fault, WorkerKilled
from tests.convergence.soak import Totals, story
from tests.convergence.steps.waiting import Waits

__all__ = ["Row", "rows", "run"]

LENGTH = 40
"""Steps of a story."""
WORLD_SECONDS = 120.0
PROGRESS_SECONDS = 15.0
ALL_OF_THEM = "all of these"
_HEAD = ("", "stories", "steps", "struck", "lost", "doubled", "resyncs", "again", "news", "slowest", "answer")


@dataclass(slots=True)
class Row:
    """What came of the stories with some faults."""

    faults: Sequence[type[Fault]]
    totals: Totals = field(default_factory=Totals)
    struck: int = 0
    waited: list[float] = field(default_factory=list)
    longest: float = 0.0

    @property
    def wrong(self) -> int:
        """How much must not be."""
        return self.totals.lost + self.totals.doubled + self.totals.forced_resyncs


def rows(workers: int) -> Mapping[str, Row]:
    """A line for each kind of misfortune, and one for all of them together."""
    faults: list[type[Fault]] = [*FAULTS, WorkerKilled] if workers > 1 else [*FAULTS]
    return {**{fault.name: Row([fault]) for fault in faults}, ALL_OF_THEM: Row(faults)}


def play(cluster: Cluster, row: Row, seed: int, length: int) -> None:
    """Play one story of a row."""
    cluster.possible = row.faults
    struck, cluster.waited = cluster.faults.copy(), row.waited
    story(cluster, seed, length, row.totals, [Waits] * Waits.weight)
    row.longest = max(row.longest, *(phone.longest for phone in cluster.phones))
    cluster.phones.clear()
    row.struck += sum((cluster.faults - struck)[fault.name] for fault in row.faults)


def run(
    table: Mapping[str, Row], seconds: float, seed: int, stories: int | None, nodes: int, workers: int
) -> None:
    """Play stories of all rows in turn until the time is over."""
    began = shown = time.monotonic()
    lines, number = list(table.values()), 0

    def due() -> bool:
        return time.monotonic() - began < seconds and (stories is None or number < stories)

    while due():
        with Cluster([], nodes=nodes, workers=workers) as cluster:
            until = time.monotonic() + WORLD_SECONDS
            while due() and time.monotonic() < until:
                # Not in step with what else is chosen by the seed.
                play(cluster, lines[(seed + number) // 3 % len(lines)], seed + number, LENGTH)
                number += 1
                if time.monotonic() - shown > PROGRESS_SECONDS:
                    shown = time.monotonic()
                    wrong = sum(row.wrong for row in lines)
                    click.echo(f"{shown - began:6.0f} s  {number} stories, wrong: {wrong}")


def written(table: Mapping[str, Row]) -> str:
    """The table as text."""
    head = (
        "",
        "stories",
        "steps",
        "struck",
        "lost",
        "doubled",
        "resyncs",
        "sent again",
        "news",
        "slowest",
        "answer",
    )
    lines: list[tuple[str, ...]] = [head]
    for name, row in table.items():
        totals = row.totals
        slowest = f"{max(row.waited):.1f} s" if row.waited else ""
        counts = (
            totals.stories,
            totals.steps,
            row.struck,
            totals.lost,
            totals.doubled,
            totals.forced_resyncs,
            totals.resent_in_the_gap,
            len(row.waited),
        )
        lines.append((name, *map(str, counts), slowest, f"{row.longest:.1f} s"))
    width = max(len(line[0]) for line in lines)
    return "\n".join(f"{line[0]:<{width}}" + "".join(f"  {cell:>10}" for cell in line[1:]) for line in lines)


def main() -> int:
    """Read the command line and run; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to run")
    parser.add_argument("--seed", type=int, default=None, help="the first story's seed")
    parser.add_argument("--stories", type=int, default=None, help="end after so many stories")
    parser.add_argument("--only", default="", help="only what has this in its name")
    parser.add_argument("--nodes", type=int, default=2, help="how many nodes")
    parser.add_argument("--workers", type=int, default=1, help="how many processes each node has")
    asked = parser.parse_args()
    end_in_order()
    seed = int(time.time()) % 1_000_000 if asked.seed is None else asked.seed
    click.echo(f"seed {seed}")
    table = {name: row for name, row in rows(asked.workers).items() if asked.only in name}
    if not table:
        parser.error(f"--only: there are {', '.join(rows(asked.workers))}")
    try:
        run(table, asked.seconds, seed, asked.stories, asked.nodes, asked.workers)
    finally:  # also when it is ended earlier
        click.echo(written(table))
    return 1 if any(row.wrong for row in table.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
