"""The long run: `make soak ARGS="--seconds N [--seed S] [--profile full|bare]"`.

One story after the other, each with a user of its own and a seed, until the time is over. The last line is
the table as JSON; the exit status is 1 when anything was lost or doubled. A story that went wrong is told in
full, and played again by `--seed S --stories 1` (what it chooses is the same; how threads fall is not).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from tests.convergence import quiet
from tests.convergence.choices import Random
from tests.convergence.ending import end_in_order
from tests.convergence.habits import ALL
from tests.convergence.play import Play, Step
from tests.convergence.stage import Profile, Stage
from tests.convergence.steps import ABOUT_ITEMS, WEIGHTED
from tests.convergence.store import Refusal
from tests.convergence.world import World

LENGTH = 60
"""Steps of a story."""
PROGRESS_SECONDS = 15.0
LOG_LINES = 40
"""Of the gateway's log, shown with a story that went wrong."""


@dataclass(slots=True)
class Totals:
    """What the table shows."""

    steps: int = 0
    stories: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    forced_resyncs: int = 0
    resent_in_the_gap: int = 0
    failures: int = 0

    def line(self) -> str:
        """The JSON line."""
        return json.dumps(
            {
                "steps": self.steps,
                "faults": dict(sorted(self.faults.items())),
                "lost": self.lost,
                "doubled": self.doubled,
                "forced_resyncs": self.forced_resyncs,
            }
        )

    def table(self) -> str:
        """The table."""
        rows: list[tuple[str, int]] = [
            ("stories", self.stories),
            ("steps", self.steps),
            *((f"fault: {name}", count) for name, count in sorted(self.faults.items())),
            *((f"killed {name}", count) for name, count in sorted(self.killed.items())),
            ("sent once more in the known gap", self.resent_in_the_gap),
            ("forced resyncs", self.forced_resyncs),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("stories that broke off", self.failures),
        ]
        width = max(len(name) for name, _ in rows)
        return "\n".join(f"{name:<{width}}  {count:>8}" for name, count in rows)


def story(stage: Stage, seed: int, length: int, totals: Totals, further: Sequence[type[Step]] = ()) -> bool:
    """Play one story to its end; True when all is well. Each third is about items alone.

    `further` are steps that can happen on this stage alone.
    """
    choices = Random(seed)
    steps = [*(WEIGHTED if seed % 3 else ABOUT_ITEMS), *further]
    kinds = ALL[:3] if choices.number(0, 3) else ALL
    play = Play(stage, kinds)
    trouble = ""
    try:
        for _ in range(length):
            play.step(choices, choices.pick(steps))
            totals.steps += 1
        quiet.settle(play)
        verdict, extra = quiet.verdict(play)
        totals.resent_in_the_gap += extra
        totals.lost += len(verdict.lost)
        totals.doubled += len(verdict.doubled)
        if verdict:
            trouble = f"lost: {verdict.lost}\ndoubled: {verdict.doubled}"
    except (Refusal, AssertionError, OSError):
        totals.failures += 1
        totals.lost += 1
        trouble = traceback.format_exc()
        stage.recover(play.ledger)
    finally:
        play.close()
    resyncs = [line for phone in (*play.phones, *play.retired) for line in phone.forced_resyncs]
    totals.forced_resyncs += len(resyncs)
    totals.stories += 1
    if trouble or resyncs or "unexpected error" in stage.log():
        _report(stage, play, seed, f"{trouble}\nforced resyncs: {resyncs}")
        return False
    return True


def _report(stage: Stage, play: Play, seed: int, trouble: str) -> None:
    lines = [line for line in stage.log().splitlines() if f"user={play.user} " in line]
    click.echo(f"\nstory --seed {seed} --stories 1 {stage.arguments}, user {play.user}")
    click.echo("\n".join([*play.told, trouble, "--- the gateway's log", *lines[-LOG_LINES:]]))


def run(seconds: float, seed: int, stories: int | None, length: int, profiles: list[Profile]) -> Totals:
    """Play stories over the profiles in turn until the time is over."""
    totals = Totals()
    began = shown = time.monotonic()
    number = 0
    for profile in itertools.cycle(profiles):
        if time.monotonic() - began >= seconds or (stories is not None and number >= stories):
            break
        with World(profile) as world:
            # A world serves many stories; a fresh one now and then keeps its log and its store small.
            until = min(time.monotonic() + min(120.0, seconds / len(profiles)), began + seconds)
            while time.monotonic() < until and (stories is None or number < stories):
                story(world, seed + number, length, totals)
                number += 1
                if time.monotonic() - shown > PROGRESS_SECONDS:
                    shown = time.monotonic()
                    elapsed = shown - began
                    click.echo(
                        f"{elapsed:6.0f} s  {world.profile}  {totals.stories} stories, {totals.steps} steps, "
                        f"lost {totals.lost}, doubled {totals.doubled}, "
                        f"forced resyncs {totals.forced_resyncs}"
                    )
            totals.faults += world.faults
            totals.killed += world.burnt
    return totals


def main() -> int:
    """Read the command line and run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to run")
    parser.add_argument("--seed", type=int, default=None, help="the first story's seed")
    parser.add_argument("--stories", type=int, default=None, help="end after so many stories")
    parser.add_argument("--length", type=int, default=LENGTH, help="steps of a story")
    parser.add_argument("--profile", choices=["full", "bare"], help="one kind of IMAP server only")
    asked = parser.parse_args()
    end_in_order()
    seed = int(time.time()) % 1_000_000 if asked.seed is None else asked.seed
    profiles: list[Profile] = [asked.profile] if asked.profile else ["full", "bare"]
    click.echo(f"seed {seed}")
    totals = run(asked.seconds, seed, asked.stories, asked.length, profiles)
    click.echo(totals.table())
    click.echo(totals.line())
    return 1 if totals.lost or totals.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
