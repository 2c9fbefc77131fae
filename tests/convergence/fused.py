"""Starts gateways quickly, with a fuse at every I/O boundary: a process that has imported all, and forks.

It reads lines from standard input, each the configuration file and the log file of a gateway to start, of how
many processes, and the file of a further migration of PostgreSQL that it has ("-": none). It writes the
process id, and when that process has ended, its exit status; one gateway runs at a time. When standard input
ends, so do both. The gateway is the whole one; its code is wrapped from outside only. It lists flags anew
after `RELIST_SECONDS`.

Two variables make it a release that never was: CONVERGENCE_RELEASE is what it calls itself, and it fails to
render messages whose header contains CONVERGENCE_POISON.
"""

from __future__ import annotations

import functools
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import gateway.app.services
import gateway.web.eas
from gateway.cli import main
from gateway.eas.content import email_message
from gateway.mail.structure import Layout
from gateway.store.postgres import PostgresTransactions, schema
from gateway.store.sqlite.database import Database
from gateway.types import MessageData
from gateway.upstream.imap import snapshot
from gateway.upstream.imap.session import Session
from gateway.upstream.smtp.submission import SmtpSubmission
from tests.convergence.fuse import ENVIRONMENT, Fuse
from tests.convergence.process import RELIST_SECONDS

RELEASE, POISON = "CONVERGENCE_RELEASE", "CONVERGENCE_POISON"


def install(fuse: Fuse) -> None:
    """Put the fuse just before and just after each commit, IMAP command, submission and HTTP answer."""
    _around(Database, "_write_group", fuse, "commit")
    _around_async(PostgresTransactions, "write", fuse, "commit")
    _around_async(SmtpSubmission, "submit", fuse, "submission")
    _around_async(gateway.web.eas, "send_response", fuse, "answer")
    _around_commands(fuse)


def make_release(name: str, poison: str) -> None:
    """Give the gateway a version and a defect, where they are not ""."""
    if name:
        setattr(gateway.app.services, "RELEASE", name)  # noqa: B010 - not an assignment that types allow
    original: Callable[..., Any] = vars(email_message)["properties"]

    @functools.wraps(original)
    def properties(told: MessageData, layout: Layout, *args: Any, **kwargs: Any) -> Any:
        if poison and poison.encode() in told.header and layout.blocks:
            raise ValueError("a defect")
        return original(told, layout, *args, **kwargs)

    setattr(email_message, "properties", properties)  # noqa: B010 - not an assignment that types allow


def add_migration(script: str) -> None:
    """Give the gateway one more migration of PostgreSQL: of a newer release."""
    original: Callable[..., Any] = vars(schema)["scripts_in"]

    def scripts_in(package: str, kind: type[schema.Migration]) -> Sequence[schema.Migration]:
        known = original(package, kind)
        return [*known, kind(known[-1].number + 1, "further", script)]

    setattr(schema, "scripts_in", scripts_in)  # noqa: B010 - not an assignment that types allow


def _around(owner: Any, name: str, fuse: Fuse, boundary: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        fuse.at(f"before {boundary}")
        result = original(*args, **kwargs)
        fuse.at(f"after {boundary}")
        return result

    setattr(owner, name, wrapped)


def _around_async(owner: Any, name: str, fuse: Fuse, boundary: str) -> None:
    original: Callable[..., Any] = getattr(owner, name)

    @functools.wraps(original)
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        fuse.at(f"before {boundary}")
        result = await original(*args, **kwargs)
        fuse.at(f"after {boundary}")
        return result

    setattr(owner, name, wrapped)


def _around_commands(fuse: Fuse) -> None:
    """A command ends when its tagged response is here; what waits for it runs after the fuse."""
    original: Callable[..., Any] = Session._enqueue

    @functools.wraps(original)
    def enqueue(session: Session, command: Any, *args: Any) -> Any:
        fuse.at(f"before {command.name}")
        pending = original(session, command, *args)
        pending.future.add_done_callback(lambda _: fuse.at(f"after {command.name}"))
        return pending

    setattr(Session, "_enqueue", enqueue)  # noqa: B010 - not an assignment that types allow


def _serve(config: str, log: str, workers: str, migration: str) -> NoReturn:
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(old, new)
    if migration != "-":
        add_migration(Path(migration).read_text())
    main(["serve", "--config", config, "--workers", workers])
    raise AssertionError("the command line ends the process")


def _until_ended(child: int) -> int:
    """Wait for the gateway; kill it when whoever started us is gone. Returns its exit status."""
    handle = os.pidfd_open(child)
    ready, _, _ = select.select([handle, sys.stdin], [], [])
    if handle not in ready:
        os.kill(child, signal.SIGKILL)
    os.close(handle)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run() -> None:
    """Start gateways until standard input ends."""
    install(Fuse(Path(os.environ[ENVIRONMENT])))
    snapshot.RESELECT_AFTER = RELIST_SECONDS
    make_release(os.environ.get(RELEASE, ""), os.environ.get(POISON, ""))
    # Not by the buffered reader: what it had read ahead would be hidden from select.
    while line := os.read(0, 4096):
        config, log, workers, migration = line.decode().split()
        child = os.fork()
        if child == 0:
            _serve(config, log, workers, migration)
        os.write(1, f"{child}\n".encode())
        os.write(1, f"{_until_ended(child)}\n".encode())


if __name__ == "__main__":
    run()
