"""The IMAP servers the mail port is tested over, from rich to poor, and a second mail program on each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateway.demo.embedded import imap_server
from gateway.types import TRACKED_FLAGS, Credentials, Password, Principal, UserId
from gateway.upstream.imap import commands
from gateway.upstream.imap.exchange import Reply
from gateway.upstream.imap.handshake import log_in, open_connection
from gateway.upstream.imap.responses import Fetch, Search
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.syntax import Command
from tests.support.courier import Courier
from tests.support.cyrus import Cyrus
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import PASSWORD

MASKED = {
    # A server with CONDSTORE and ESEARCH, but without QRESYNC and much else.
    "condstore": frozenset(
        {"QRESYNC", "NOTIFY", "MOVE", "LITERAL+", "SASL-IR", "LIST-STATUS", "LIST-EXTENDED", "SPECIAL-USE"}
    ),
    # A server with IDLE and UIDPLUS that can say nothing in sets and nothing of changes.
    "idle": frozenset(
        {"QRESYNC", "CONDSTORE", "NOTIFY", "ESEARCH", "ENABLE", "NAMESPACE", "ID", "AUTH=PLAIN"}
    ),
}
"""What the gateway does not get to see of the capabilities of a full Dovecot."""

PYMAP_USER = "demouser"
PYMAP_PASSWORD = "pw"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where a server is, who may log in, and how it names mailboxes of the personal namespace."""

    settings: ImapSettings
    credentials: Credentials
    masked: frozenset[str] = frozenset()
    prefix: str = ""
    delimiter: str = "/"
    flags: tuple[str, ...] = TRACKED_FLAGS
    """Which of the tracked flags it can keep."""
    unnameable: str = ""
    """Characters it allows in no name."""
    renaming_keeps_uidvalidity: bool = True
    names_at_once: int = 1
    """How many mailboxes tests rename or remove at a time: Courier takes two seconds for each."""
    folds_case: bool = True
    """Whether its SEARCH overlooks the case of letters beyond ASCII."""

    @property
    def principal(self) -> Principal:
        return Principal(
            UserId(self.credentials.login), f"{self.credentials.login}@example.test", self.credentials
        )

    def name(self, *parts: str) -> str:
        """The full name of a mailbox, given by the parts of its path."""
        return self.prefix + self.delimiter.join(parts)

    def allows(self, name: str) -> bool:
        """Whether a mailbox may have this name."""
        return not set(name) & set(self.unnameable)

    def mask(self) -> Callable[[Session, frozenset[str]], None]:
        """A `Session.learn_capabilities` that overlooks what is masked."""
        original = Session.learn_capabilities

        def learn(session: Session, names: frozenset[str]) -> None:
            original(session, names - self.masked)

        return learn


def on_dovecot(dovecot: Dovecot, user: str, masked: frozenset[str] = frozenset()) -> MailServer:
    """A user's mail on a Dovecot; polls fast, so that tests need not wait."""
    settings = ImapSettings(dovecot.host, dovecot.port, "none", poll_interval=0.15)
    options = dovecot.options
    return MailServer(settings, Password(user, dovecot.password), masked, options.prefix, options.separator)


def on_cyrus(cyrus: Cyrus, user: str, *, shared: bool = False) -> MailServer:
    """A user's mail on a Cyrus: QRESYNC, but neither NOTIFY nor a mailbox other than INBOX to begin with."""
    settings = ImapSettings(cyrus.host, cyrus.port, "none", poll_interval=0.15, shared_mailboxes=shared)
    return MailServer(settings, Password(user, PASSWORD), unnameable='"\\%{')


def on_courier(courier: Courier, user: str) -> MailServer:
    """A user's mail on a Courier: all mailboxes below INBOX, UTF8=ACCEPT, nothing that tells changes."""
    settings = ImapSettings(courier.host, courier.port, "none", poll_interval=0.15)
    return MailServer(
        settings,
        Password(user, PASSWORD),
        prefix="INBOX.",
        delimiter=".",
        renaming_keeps_uidvalidity=False,
        names_at_once=4,
    )


@asynccontextmanager
async def on_pymap() -> AsyncIterator[MailServer]:
    """A fresh pymap in this process: UIDPLUS, MOVE and IDLE, no idea of modseqs or sets."""
    for name in ("pymap", "proxyprotocol"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    async with imap_server(PYMAP_USER, PYMAP_PASSWORD) as (_, port):
        settings = ImapSettings("127.0.0.1", port, "none", poll_interval=0.15)
        yield MailServer(
            settings, Password(PYMAP_USER, PYMAP_PASSWORD), flags=TRACKED_FLAGS[:3], folds_case=False
        )


@dataclass(slots=True)
class MailProgram:
    """Another mail program of the same user: one plain connection, without the gateway's views and pool."""

    session: Session
    appended: list[int] = field(default_factory=list)

    async def do(self, *several: Command) -> list[Reply]:
        """Run commands one after the other."""
        return [await self.session.execute(command) for command in several]

    async def select(self, mailbox: str) -> None:
        await self.do(commands.select(self.session.dialect, mailbox))

    async def append(self, mailbox: str, *messages: bytes, flags: tuple[str, ...] = ()) -> None:
        await self.session.pipeline(
            *(commands.append(self.session.dialect, mailbox, message, flags=flags) for message in messages)
        )

    async def until(self, told: Callable[[], bool], change: Callable[[], Awaitable[object]]) -> None:
        """Make a change, and again every now and then, until somebody was told.

        That it tells of each is the server's own affair: Dovecot 2.3 compares its index half a second after a
        file changed, and on a machine full of work has passed over one.
        """
        async with asyncio.timeout(120):
            while not told():
                await change()
                with suppress(TimeoutError):
                    async with asyncio.timeout(10):
                        while not told():
                            await asyncio.sleep(0.01)

    async def store(self, mailbox: str, uids: list[int], action: str, *flags: str) -> None:
        await self.select(mailbox)
        await self.do(*commands.uid_store(uids, action, flags))

    async def expunge(self, mailbox: str, uids: list[int]) -> None:
        await self.store(mailbox, uids, "+", "\\Deleted")
        await self.do(commands.simple("EXPUNGE"))

    async def on(self, command: str, *mailboxes: str) -> None:
        """CREATE or DELETE mailboxes."""
        await self.do(*(commands.on_mailbox(self.session.dialect, command, mailbox) for mailbox in mailboxes))

    async def flags(self, mailbox: str) -> dict[int, frozenset[str]]:
        """Every message with its flags, asked for in the plainest way there is."""
        await self.select(mailbox)
        [found] = await self.do(commands.uid_search(self.session.dialect, commands.key("ALL")))
        uids = [uid for answer in found.of(Search) for uid in answer.numbers]
        if not uids:
            return {}
        [reply] = await self.do(*commands.uid_fetch(uids, ["FLAGS"]))
        return {
            told.uid: told.flags - {"\\Recent"}
            for told in reply.of(Fetch)
            if told.uid and told.flags is not None
        }


@asynccontextmanager
async def mail_program(server: MailServer) -> AsyncIterator[MailProgram]:
    """Logs in and out."""
    session = await open_connection(server.settings)
    await log_in(session, server.credentials)
    try:
        yield MailProgram(session)
    finally:
        session.close()
