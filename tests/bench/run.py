"""The command line of the measurements."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import uvloop

from tests.bench import bound_rows, ping_rows, process_rows, report, session_rows, sync_rows
from tests.bench.figures import Measured
from tests.bench.stage import FULL, QUICK, Scale, Stage

__all__ = ["ROWS", "main", "measure"]

Row = Callable[[Stage], Awaitable[Sequence[Measured]]]

ROWS: Mapping[str, Row] = {
    **{f"initial-{size}": partial(sync_rows.initial, size=size) for size in sync_rows.SIZES},
    "many": sync_rows.many,
    "nochange-50": partial(sync_rows.nochange, size="50"),
    "nochange-10k": partial(sync_rows.nochange, size="10k"),
    "nochange-16": sync_rows.nochange_16,
    **{f"onechange-{size}": partial(sync_rows.onechange, size=size) for size in sync_rows.SIZES},
    "connect": session_rows.connect,
    "sendmail": session_rows.sendmail,
    "ping": ping_rows.memory,
    "ping-devices": ping_rows.memory_of_devices,
    "crowd": ping_rows.crowd,
    "push": ping_rows.push,
    "start": process_rows.start,
    "lag": process_rows.lag,
    "view": process_rows.views,
    "strangers": bound_rows.strangers,
    "bare": bound_rows.bare,
}
"""Every measurement by name; some give more than one figure."""


def main(arguments: Sequence[str]) -> int:
    """Measure what the command line asks for, print it, and return the exit status."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(ROWS))
        return 0
    wanted = [
        name for name in ROWS if not options.only or any(name.startswith(each) for each in options.only)
    ]
    if not wanted:
        print(f"no such measurement; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    if options.mail is not None:
        options.mail.mkdir(mode=0o777, parents=True, exist_ok=True)
    measured = measure(QUICK if options.quick else FULL, wanted, options.mail, progress=True)
    print(report.table(measured))
    document = report.document(measured)
    if options.json is not None:
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


def measure(
    scale: Scale, wanted: Sequence[str], mail: Path | None = None, *, progress: bool = False
) -> Sequence[Measured]:
    """Run the measurements named. Raises `Failed` when an answer is wrong, which makes a time worthless."""
    measured: list[Measured] = []

    async def run(stage: Stage) -> None:
        for name in wanted:
            start, load = time.monotonic(), os.getloadavg()[0]
            figures = await ROWS[name](stage)
            measured.extend(figures)
            if progress:
                took = time.monotonic() - start
                said = "; ".join(
                    f"{figure.name} {figure.value:.4g} {dict(figure.details)}" for figure in figures
                )
                print(f"{name}: {said} (load {load:.1f} before, {took:.0f} s)", file=sys.stderr, flush=True)

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        stage = stack.enter_context(Stage(scale, mail))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        runner.run(run(stage))
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure the gateway on this machine."
    )
    parser.add_argument("--list", action="store_true", help="show the names of the measurements")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", help="these alone, by the beginnings of their names"
    )
    parser.add_argument("--quick", action="store_true", help="little of everything, to see that it works")
    parser.add_argument("--mail", type=Path, metavar="FOLDER", help="keep the sample mail here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures with all details here")
    return parser
