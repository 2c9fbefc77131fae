"""The mail servers of the demo, inside its own process: IMAP by pymap with sample mail, SMTP by aiosmtpd.

The SMTP server accepts everything; what is addressed to the demo user lands in the INBOX, so that a message
the phone sends comes back as a push. Importing this module needs the packages of the extra `demo`.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import DictBackend, Identity
from pymap.imap import IMAPServer, IMAPService
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials.flag import Flag

from gateway.demo.samples import ADDRESS, samples

USER = ADDRESS
PASSWORD = "demo"  # noqa: S105  # of servers that live for minutes on loopback and hold sample mail
HOST = "127.0.0.1"
FOLDERS = ("Drafts", "Sent", "Trash")


@dataclass(frozen=True, slots=True)
class MailServers:
    """Where the embedded servers listen, and every message the SMTP server took, oldest first."""

    imap_port: int
    smtp_port: int
    accepted: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def mail_servers() -> AsyncIterator[MailServers]:
    """Runs both servers on free loopback ports, filled with sample mail."""
    # Both log at length about ordinary things.
    for name in ("mail", "pymap", "proxyprotocol"):
        logging.getLogger(name).setLevel(logging.ERROR)
    async with imap_server(USER, PASSWORD) as (identity, imap_port):
        async with identity.new_session() as session:
            for name in FOLDERS:
                await session.create_mailbox(name)
        for sample in samples(datetime.now(UTC)):
            await _append(identity, sample.mailbox, sample.message, sample.received, *sample.flags)
        accepted: list[bytes] = []
        smtp = await _start_smtp(_Deliver(identity, accepted))
        try:
            yield MailServers(imap_port, _port(smtp), accepted)
        finally:
            smtp.close()


@asynccontextmanager
async def imap_server(user: str, password: str) -> AsyncIterator[tuple[Identity, int]]:
    """Runs pymap with one user and nothing but an empty INBOX; tells the user's identity and the port."""
    # pymap takes its settings from command-line arguments only.
    parser = ArgumentParser()
    DictBackend.add_subparser("dict", parser.add_subparsers(dest="backend"))
    IMAPService.add_arguments(parser)
    parser.set_defaults(debug=False, passlib_cfg=None)
    credentials = ["--demo-user", user, "--demo-password", password]
    backend, config = await DictBackend.init(parser.parse_args(["--no-tls", "dict", *credentials]))
    config.apply_context()
    serve = IMAPServer(backend.login, config)
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # pymap's own way here runs a connection in a task that nobody refers to: it may vanish at any time.
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await serve(reader, writer, SocketInfo.get(writer, None, unique_id=uuid4().bytes))
        finally:
            connections.discard(task)

    server = await asyncio.start_server(connected, HOST, 0)
    try:
        yield backend.login.demo_user_identity, _port(server)
    finally:
        server.close()
        open_ones = list(connections)
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


def _port(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _append(identity: Identity, mailbox: str, message: bytes, received: datetime, *flags: str) -> None:
    appended = AppendMessage(message, received, frozenset(Flag(flag.encode()) for flag in flags))
    async with identity.new_session() as session:
        await session.append_messages(mailbox, [appended])


async def _start_smtp(handler: _Deliver) -> asyncio.Server:
    def connection() -> SMTP:
        with warnings.catch_warnings():
            # It warns of passwords without TLS at every connection; here they never leave the process.
            warnings.simplefilter("ignore", UserWarning)
            return SMTP(
                handler,
                enable_SMTPUTF8=True,
                hostname="demo.example.test",
                authenticator=_authenticate,
                auth_required=True,
                auth_require_tls=False,
            )

    return await asyncio.get_running_loop().create_server(connection, HOST, 0)


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
) -> AuthResult:
    known = login.login == USER.encode() and login.password == PASSWORD.encode()
    return AuthResult(success=known, handled=False)


# No slots: aiosmtpd reads every attribute, and Python 3.11.2 (Debian 12) fails at that with slots.
@dataclass(frozen=True)
class _Deliver:
    """What the SMTP server does with a message: see handle_DATA in the documentation of aiosmtpd."""

    identity: Identity
    accepted: list[bytes]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content
        assert content is not None
        self.accepted.append(content)
        if any(recipient.casefold() == ADDRESS for recipient in envelope.rcpt_tos):
            await _append(self.identity, "INBOX", content, datetime.now(UTC))
        return "250 2.0.0 accepted"
