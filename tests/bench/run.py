"""The command line of the measurements."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvloop

from tests.bench import (
    bound_rows,
    calendar_rows,
    cost_rows,
    maildir_rows,
    ping_rows,
    process_rows,
    report,
    session_rows,
    storage_rows,
    sync_rows,
    worker_rows,
)
from tests.bench.figures import Measured
from tests.bench.imap import ImapFailed
from tests.bench.phones import Failed
from tests.bench.stage import FULL, QUICK, Scale, Stage
from tests.support.gateway import GatewayFailed

__all__ = ["ROWS", "main", "measure"]

Row = Callable[[Stage], Awaitable[Sequence[Measured]]]

ROWS: Mapping[str, Row] = {
    **{f"initial-{size}": partial(sync_rows.initial, size=size) for size in sync_rows.SIZES},
    "many": sync_rows.many,
    "nochange-50": partial(sync_rows.nochange, size="50"),
    "nochange-10k": partial(sync_rows.nochange, size="10k"),
    "nochange-16": sync_rows.nochange_16,
    **{f"onechange-{size}": partial(sync_rows.onechange, size=size) for size in sync_rows.SIZES},
    **{
        f"{kind}-{size}": partial(maildir_rows.onechange, kind=kind, size=size)
        for kind in maildir_rows.KINDS
        for size in sync_rows.SIZES
    },
    "calendar-initial": calendar_rows.initial,
    "calendar-nochange": calendar_rows.nochange,
    "calendar-onechange": calendar_rows.onechange,
    "connect": session_rows.connect,
    "sendmail": session_rows.sendmail,
    "start": process_rows.start,
    "lag": process_rows.lag,
    "view": process_rows.views,
    "push": ping_rows.push,
    "ping": ping_rows.memory,
    "ping-devices": ping_rows.memory_of_devices,
    "crowd": ping_rows.crowd,
    "strangers": bound_rows.strangers,
    "bare": bound_rows.bare,
    **{f"processes-{kind}": partial(worker_rows.processes, kind=kind) for kind in worker_rows.KINDS},
    "costs": cost_rows.costs,
    "sizes": storage_rows.sizes,
    "commits": storage_rows.commits,
}
"""Every measurement by name; some give more than one figure."""

_FAILURES = (
    Failed,
    ImapFailed,
    GatewayFailed,
    OSError,
    RuntimeError,
    subprocess.SubprocessError,
    ExceptionGroup,
)


def main(arguments: Sequence[str]) -> int:
    """Measure what the command line asks for, print it, and return the exit status."""
    options = _parser().parse_args(arguments)
    if options.list:
        print("\n".join(ROWS))
        return 0
    if options.quick and options.write:
        print("the quick form is no result to write", file=sys.stderr)
        return 2
    wanted = [
        name for name in ROWS if not options.only or any(name.startswith(each) for each in options.only)
    ]
    if not wanted:
        print(f"no such measurement; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    if options.mail is not None:
        options.mail.mkdir(parents=True, exist_ok=True)
    measured, failed = measure(QUICK if options.quick else FULL, wanted, options.mail, progress=True)
    document = report.document(measured)
    print(report.table(measured))
    if options.json is not None:
        options.json.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    if options.write:
        report.write(document)
    for name, reason in failed.items():
        print(f"{name} failed: {reason}", file=sys.stderr)
    return 1 if failed else 0


def measure(
    scale: Scale, wanted: Sequence[str], mail: Path | None = None, *, progress: bool = False
) -> tuple[Sequence[Measured], Mapping[str, str]]:
    """Run the measurements named; returns the figures, and why there are none of others.

    A wrong answer makes the time it took worthless, so that there is no figure then.
    """
    measured: list[Measured] = []
    failed: dict[str, str] = {}

    async def run(stage: Stage) -> None:
        for name in wanted:
            start, load = time.monotonic(), os.getloadavg()[0]
            try:
                figures = await ROWS[name](stage)
            except _FAILURES as error:
                failed[name] = repr(error)
                continue
            noted = {"load before": round(load, 1), "took s": round(time.monotonic() - start)}
            first, *others = figures
            figures = [replace(first, details={**first.details, **noted}), *others]
            measured.extend(figures)
            if progress:
                for each in figures:
                    print(f"{each.name}: {each.value:.4g} {dict(each.details)}", file=sys.stderr, flush=True)

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        stage = stack.enter_context(Stage(scale, mail))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        try:
            runner.run(run(stage))
        finally:
            runner.run(stage.hang_up())
    return measured, failed


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
    parser.add_argument(
        "--write", action="store_true", help="put the figures into RESULTS.md and results.json"
    )
    return parser
