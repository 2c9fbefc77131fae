"""Commands that serve phones: serve, demo."""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import click
import structlog
import uvicorn

from gateway.app import App, create_app, is_shared
from gateway.cli.common import config, told
from gateway.cli.readiness import tell_systemd
from gateway.cli.workers import beside, cannot_listen, reserved, supervise
from gateway.config import Settings, load
from gateway.errors import ConfigError
from gateway.web import logs
from gateway.web.fleet import Fleet
from gateway.web.protocol import BoundedProtocol

__all__ = ["demo", "phones_allowed", "serve"]

_KEEP_ALIVE = 75
"""Seconds an idle connection stays open: longer than proxies keep theirs, so that the proxy closes first."""
_TURN = 0.0002
"""Seconds a thread that computes goes on while the event loop wants its turn. Python's own rule is 5 ms, and
a request needs half a dozen turns."""
_GARBAGE = (10_000, 20, 50)
"""How much is allocated until garbage is looked for, by generation. Python's own rule suits small heaps: here
it took a tenth of the time, and now and then 50 ms at once."""
_OTHER_FILES = 100
"""Open files that are no connection of a phone or for one: the store, libraries, the log."""


@click.command()
@config
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes serve; several need PostgreSQL.",
)
@told
def serve(file: Path, workers: int) -> None:
    """Serve phones until SIGTERM or Ctrl-C."""
    settings = load(file, os.environ)
    if workers > 1 and not is_shared(settings):
        raise ConfigError("store.url: one process serves from an SQLite file; --workers needs PostgreSQL")
    logs.configure(settings.log.level, settings.log.format)
    _allow_many_connections(settings.imap.max_connections // workers)
    sys.setswitchinterval(_TURN)
    gc.freeze()  # modules and classes stay
    gc.set_threshold(*_GARBAGE)
    for each in (signal.SIGTERM, signal.SIGINT):
        # uvicorn puts its own handlers over these, and raises the signal again once it has stopped.
        signal.signal(each, _end)
    if workers == 1:
        sys.exit(_serve(settings))
    with (
        reserved(settings.server.host, settings.server.port) as address,
        TemporaryDirectory(prefix="activesync-gateway-") as folder,
    ):
        serve_slot = partial(
            _serve_beside_others, settings, address, partial(Fleet, Path(folder), size=workers)
        )
        sys.exit(supervise(workers, serve_slot))


def _serve(settings: Settings) -> int:
    """Serve until the process is told to end; returns its exit status."""
    server = _Server(settings, lambda: tell_systemd("READY=1"))
    server.run()
    return 0 if server.started else 1


def _serve_beside_others(
    settings: Settings,
    address: socket.socket,
    fleet: Callable[[int], Fleet],
    slot: int,
    on_start: Callable[[], None],
) -> int:
    """The same as one of several processes that have an address and a fleet in common."""
    server = _Server(settings, on_start, fleet(slot))
    with beside(address) as own:
        server.run([own])
    return 0 if server.started else 1


@click.command()
@click.option("--once", is_flag=True, help="End after the phone's session instead of serving on.")
def demo(once: bool) -> None:
    """Show the gateway at work with embedded mail servers and a small phone."""
    from gateway.demo.run import main as run  # noqa: PLC0415  # its packages are optional

    sys.exit(run(once))


class _Server(uvicorn.Server):
    """uvicorn, except that requests held for hours are answered as soon as it is told to stop."""

    def __init__(self, settings: Settings, on_start: Callable[[], None], fleet: Fleet | None = None) -> None:
        self._app: App = create_app(settings, fleet)
        self._on_start = on_start
        super().__init__(
            uvicorn.Config(
                self._app,
                host=settings.server.host,
                port=settings.server.port,
                http=BoundedProtocol,
                loop="uvloop",
                ws="none",
                lifespan="on",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=int(settings.server.shutdown_grace) + 1,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve, and say so."""
        try:
            await super().startup(sockets)
        except SystemExit as end:  # uvicorn has logged in its own words that it cannot listen
            if isinstance(end.__context__, OSError):
                text = cannot_listen(self.config.host, self.config.port, end.__context__)
                structlog.get_logger("gateway").error(text)
            raise
        if self.started:
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and let what is under way end within the grace."""
        self._app.stop()
        await super().shutdown(sockets)


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _allow_many_connections(users: int) -> None:
    """Raise the limit of open files, and warn when it is too low for a waiting phone of each of the users.

    A phone that waits is one open file, and the watch of its user's mail another one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    phones = phones_allowed(hard)
    if phones < users:
        structlog.get_logger("gateway").warning("few files may be open", limit=hard, phones=phones)


def phones_allowed(files: int) -> int:
    """How many phones can wait where so many files may be open."""
    return sys.maxsize if files == resource.RLIM_INFINITY else max(0, (files - _OTHER_FILES) // 2)
