"""An SMTP server for the tests: records what it takes, and fails in the ways a test asks for."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.ports import LOOPBACK
from tests.support.tls import Certificate

PASSWORD = "pw"
STOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it arrived: envelope, bytes, and who had logged in ("" for nobody)."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    data: bytes
    login: str = ""


@dataclass(slots=True)
class Switches:
    """What the server does next; may be changed at any time.

    A reply such as "451 4.3.0 later" takes the place of the normal one; `reply_rcpt` may be limited to the
    recipients in `bad_recipients`, and `replies` has those to single recipients. `die_after_data` takes the
    message, then cuts the connection instead of answering: the client cannot know whether it was taken.
    """

    reply_mail: str | None = None
    reply_rcpt: str | None = None
    bad_recipients: frozenset[str] = frozenset()
    replies: dict[str, str] = field(default_factory=dict)
    reply_data: str | None = None
    die_after_data: bool = False


# No slots: aiosmtpd reads every attribute, and Python 3.11.2 (Debian 12) fails at that with slots.
@dataclass
class _Handler:
    switches: Switches
    deliver: Callable[[Received], object] | None
    received: list[Received] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.switches.reply_mail is not None:
            return self.switches.reply_mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        bad = self.switches.bad_recipients
        if self.switches.reply_rcpt is not None and (not bad or address in bad):
            return self.switches.reply_rcpt
        if address in self.switches.replies:
            return self.switches.replies[address]
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.switches.reply_data is not None:
            return self.switches.reply_data
        assert envelope.original_content is not None
        who: object = session.auth_data
        login = who.decode() if isinstance(who, bytes) else ""
        message = Received(
            envelope.mail_from or "", tuple(envelope.rcpt_tos), envelope.original_content, login
        )
        self.received.append(message)
        if self.deliver is not None:
            await asyncio.to_thread(self.deliver, message)
        if self.switches.die_after_data:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 2.0.0 accepted"


class _Smtp(SMTP):
    """Takes answers of a login that are as long as they may be (RFC 4954 4.5)."""

    line_length_limit = 12288


class SmtpSink:
    """Runs in a thread of its own on a free loopback port; a context manager.

    `security`: "none", "starttls" (refuses mail and passwords before STARTTLS) or "tls" (from the first
    byte); the last two need a certificate. With `auth`, mail needs a login (PLAIN or LOGIN): any user with
    the password "pw". `deliver` is called, in a thread, with each message before it is acknowledged.
    """

    host = LOOPBACK
    password = PASSWORD

    def __init__(
        self,
        *,
        security: Literal["none", "starttls", "tls"] = "none",
        auth: bool = False,
        certificate: Certificate | None = None,
        deliver: Callable[[Received], object] | None = None,
    ) -> None:
        self.security = security
        self.auth = auth
        self.switches = Switches()
        self.port = 0
        self._tls = certificate.server_context() if certificate else None
        self._handler = _Handler(self.switches, deliver)
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="smtp-sink", daemon=True)

    @property
    def received(self) -> list[Received]:
        """What was taken so far, oldest first."""
        return list(self._handler.received)

    def clear(self) -> None:
        """Forgets what was received and puts all switches back."""
        self._handler.received.clear()
        self._handler.switches = self.switches = Switches()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(STOP_SECONDS):
            raise TimeoutError("the SMTP sink did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        for name in ("mail", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        tls = self._tls if self.security == "tls" else None
        server = self._loop.run_until_complete(
            self._loop.create_server(self._connection, self.host, 0, ssl=tls)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._finish(server))
        self._loop.close()

    async def _finish(self, server: asyncio.Server) -> None:
        """End every connection, also one that is just being taken or whose client left unnoticed."""
        async with asyncio.timeout(STOP_SECONDS):
            for listening in server.sockets:
                self._loop.remove_reader(listening)
            await asyncio.sleep(0)  # asyncio never closes a connection if its server closes before this turn
            server.close()
            rest = self._hang_up()
            while rest or any(connection.transport for connection in self._connections):
                await asyncio.gather(*rest, return_exceptions=True)
                await asyncio.sleep(0)  # a transport is closed in a turn of its own
                rest = self._hang_up()

    def _hang_up(self) -> set[asyncio.Task[Any]]:
        """Abort all connections, and cancel the tasks there are; returns these."""
        for connection in self._connections:
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()
        rest = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
        for task in rest:
            task.cancel()
        return rest

    def _connection(self) -> SMTP:
        starttls: ssl.SSLContext | None = self._tls if self.security == "starttls" else None
        with warnings.catch_warnings():
            # It warns of passwords in clear text, which is what some tests are about.
            warnings.simplefilter("ignore", UserWarning)
            connection = _Smtp(
                self._handler,
                enable_SMTPUTF8=True,
                hostname="sink.example.test",
                loop=self._loop,
                tls_context=starttls,
                require_starttls=starttls is not None,
                authenticator=_authenticate,
                auth_required=self.auth,
                auth_require_tls=starttls is not None,
            )
        self._connections.add(connection)
        return connection


class Mailboxes(Protocol):
    """Where mail can be put into the mailboxes of users, as a Dovecot does it."""

    def deliver(self, user: str, message: bytes) -> int: ...


def delivering(server: Mailboxes, domain: str = "example.test") -> Callable[[Received], None]:
    """What has an `SmtpSink` deliver mail for a domain into the INBOX of the users of a server."""

    def deliver(message: Received) -> None:
        for address in message.rcpt_tos:
            user, _, its_domain = address.rpartition("@")
            if its_domain == domain:
                server.deliver(user, message.data)

    return deliver


def _authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
) -> AuthResult:
    return AuthResult(success=login.password == PASSWORD.encode(), handled=False, auth_data=login.login)
