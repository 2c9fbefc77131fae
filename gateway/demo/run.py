"""Starts the gateway with embedded mail servers and an empty store, and plays a phone against it."""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from gateway.app import create_app
from gateway.config import Settings
from gateway.demo import screen
from gateway.demo.client import PATH, Account, Client
from gateway.demo.phone import Phone
from gateway.demo.samples import ADDRESS
from gateway.demo.session import Session
from gateway.web import logs
from gateway.web.protocol import BoundedProtocol

if TYPE_CHECKING:
    from gateway.demo.embedded import MailServers

HOST = "127.0.0.1"
PORT = 8080
START_SECONDS = 15.0
GRACE = 2

MISSING = """\
The demo needs two packages that the gateway itself does not: pymap and aiosmtpd ({error}).
Install them with:  {python} -m pip install 'activesync-gateway[demo]'"""


def main(once: bool) -> int:
    """Runs the demo, with `once` only the session; returns the exit status: 1 when a step failed."""
    try:
        from gateway.demo import embedded  # noqa: F401, PLC0415  # its packages may be missing
    except ModuleNotFoundError as error:
        print(MISSING.format(error=error, python=sys.executable), file=sys.stderr)
        return 1
    logs.configure("error", "text")
    try:
        return asyncio.run(_demo(once))
    except KeyboardInterrupt:
        return 0


async def _demo(once: bool) -> int:
    from gateway.demo.embedded import PASSWORD, USER, mail_servers  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="activesync-demo-") as folder:
        async with mail_servers() as servers, _gateway(_settings(servers, Path(folder))) as (server, port):
            print(f"The gateway listens on http://{HOST}:{port}{PATH}")
            print(f"Embedded servers: IMAP on port {servers.imap_port}, SMTP on port {servers.smtp_port}\n")
            phone, second = (
                Phone(Client(Account(HOST, port, USER, PASSWORD, device)))
                for device in ("DEMOPHONE1", "DEMOPHONE2")
            )
            session = Session(phone, second, ADDRESS, lambda: len(servers.accepted))
            passed = await asyncio.to_thread(session.play)
            screen.show_table(session.steps)
            if not passed:
                print("\nThe demo FAILED: the step marked FAIL above did not do what a phone expects.")
            if not once:
                _invite(port, USER, PASSWORD)
                await server.finished()
            return 0 if passed else 1


def _settings(servers: MailServers, folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "server": {"listen": f"{HOST}:{PORT}", "shutdown_grace": GRACE},
            "imap": {"host": HOST, "port": servers.imap_port, "security": "none"},
            "smtp": {"host": HOST, "port": servers.smtp_port, "security": "none"},
            "identity": {"name": "Demo User"},
            "store": {"url": f"sqlite://{folder}/gateway.db"},
            "log": {"level": "error"},
        }
    )


class _Server:
    """The gateway's ASGI application under uvicorn, in this event loop."""

    def __init__(self, settings: Settings) -> None:
        self._app = create_app(settings)
        config = uvicorn.Config(
            self._app,
            http=BoundedProtocol,
            log_config=None,
            lifespan="on",
            timeout_graceful_shutdown=GRACE + 1,
        )
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Starts serving; raises RuntimeError when the application does not start."""
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        async with asyncio.timeout(START_SECONDS):
            while not self._server.started:
                if self._task.done():
                    raise RuntimeError("the gateway did not start") from self._task.exception()
                await asyncio.sleep(0.02)

    async def finished(self) -> None:
        """Waits until Ctrl-C or SIGTERM, which uvicorn catches, has ended the server."""
        assert self._task is not None
        await self._task

    async def stop(self) -> None:
        """Ends the server; a request it holds is answered first."""
        self._app.stop()
        self._server.should_exit = True
        await self.finished()


@asynccontextmanager
async def _gateway(settings: Settings) -> AsyncIterator[tuple[_Server, int]]:
    listening = _listen()
    server = _Server(settings)
    await server.start(listening)
    try:
        yield server, listening.getsockname()[1]
    finally:
        await server.stop()
        listening.close()


def _listen() -> socket.socket:
    """Takes port 8080, or any free one when that is in use."""
    for port in (PORT, 0):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except OSError:
            listening.close()
            continue
        return listening
    raise RuntimeError("there is no free port")


def _invite(port: int, user: str, password: str) -> None:
    print(f"""
The gateway goes on serving; Ctrl-C ends it.

  From this machine:   curl -si -u {user}:{password} -X OPTIONS http://{HOST}:{port}{PATH}

  From a phone or an emulator on this machine, add an "Exchange" (or "ActiveSync") account by hand:
    e-mail    {user}            password  {password}
    server    {HOST}:{port}          domain    (empty)    TLS off
  A real phone wants TLS: put a reverse proxy with a certificate in front (deploy/admin-guide.md).
""")
