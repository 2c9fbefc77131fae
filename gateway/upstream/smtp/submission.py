"""The port `Submission`: connections are kept for a moment for the next message of the same user."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gateway.errors import Kind, SubmissionError, UpstreamUnavailable
from gateway.mail.fields import crlf
from gateway.mail.pieces import Joined, pieces
from gateway.ports import Pieces
from gateway.types import Credentials, Password, Principal
from gateway.upstream.fingerprint import fingerprint
from gateway.upstream.smtp.replies import temporary
from gateway.upstream.smtp.session import Envelope, Session
from gateway.upstream.smtp.settings import SmtpSettings
from gateway.upstream.tls import client_context

__all__ = ["SmtpSubmission"]

_Key = tuple[str, bytes]

_UNSAFE = re.compile(r"[\x00-\x1f\x7f<>\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z0-9.-]+|\[[A-Fa-f0-9.:]+\]")
_ANONYMOUS = "[127.0.0.1]"


class SmtpSubmission:
    """Submits mail to one server. Opens connections as they are needed; `aclose` ends them."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.max_connections)
        self._idle: dict[_Key, dict[Session, asyncio.TimerHandle]] = {}
        self._idle_count = 0
        self._leaving: set[asyncio.Task[None]] = set()
        self._tls: ssl.SSLContext | None = None
        self._hello_name = settings.hello_name
        self._closed = False
        self.sent = 0
        """Messages that the server took since the start."""
        self.failed = 0
        """Attempts at which it took none, for whatever reason."""

    async def submit(
        self, principal: Principal, sender: str, recipients: Sequence[str], message: bytes | Pieces
    ) -> None:
        """Submit one message to all recipients or to none; see `ports.Submission`.

        `sender` and `recipients` are bare addresses; the domain is ASCII. Line ends of a message in one piece
        are made CRLF. Raises `SubmissionError`.
        """
        try:
            await self._submit(principal, await _envelope(sender, recipients, message))
        except SubmissionError:
            self.failed += 1
            raise
        self.sent += 1

    async def _submit(self, principal: Principal, envelope: Envelope) -> None:
        credentials = self.login_of(principal.credentials)
        key = self._key(credentials)
        async with _slot(self._slots, self._settings.timeout):
            session = await self._begin(key, credentials, envelope)
            try:
                await session.send(envelope)
            except SubmissionError:
                self._keep(key, session)
                raise
            except BaseException:
                session.close()
                raise
            self._keep(key, session)

    def login_of(self, user: Credentials) -> Credentials | None:
        """What a user's mail is submitted with; None: no login."""
        match self._settings.auth:
            case "user":
                return user
            case "service":
                return Password(self._settings.login, self._settings.password)
            case "none":
                return None

    async def check(self) -> None:
        """Connect and take leave, without a login. Raises `UpstreamUnavailable`."""
        try:
            session = await self.connect(None)
        except SubmissionError as error:
            raise UpstreamUnavailable(error.detail) from error
        await session.quit()

    async def connect(self, credentials: Credentials | None) -> Session:
        """Open a connection that is not kept, with a login or without one. Raises `SubmissionError`."""
        settings = self._settings
        try:
            if self._tls is None and settings.security != "none":
                self._tls = await asyncio.to_thread(client_context, settings.ca_file, settings.verify)
            if self._hello_name is None:
                name = await asyncio.to_thread(socket.getfqdn)
                self._hello_name = name if _NAME.fullmatch(name) else _ANONYMOUS
        except OSError as error:
            raise temporary(f"smtp.ca_file {settings.ca_file} cannot be used: {error}") from error
        return await Session.connect(settings, self._tls, self._hello_name, credentials)

    async def aclose(self) -> None:
        """End the connections; those in use end with their message. May be called again."""
        self._closed = True
        for key, group in list(self._idle.items()):
            for session in list(group):
                self._dismiss(key, session)
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _begin(self, key: _Key, credentials: Credentials | None, envelope: Envelope) -> Session:
        """A session that has taken the sender: a waiting one that still lives, or else a new one."""
        while (waiting := self._take(key)) is not None:
            if await self._offer(key, waiting, envelope):
                return waiting
        fresh = await self.connect(credentials)
        if not await self._offer(key, fresh, envelope):
            raise temporary(f"{self._settings.host} closed the connection")
        return fresh

    async def _offer(self, key: _Key, session: Session, envelope: Envelope) -> bool:
        try:
            return await session.mail(envelope)
        except SubmissionError:
            self._keep(key, session)
            raise
        except BaseException:
            session.close()
            raise

    def _take(self, key: _Key) -> Session | None:
        """The waiting session used last, which is the likeliest to live."""
        group = self._idle.get(key)
        if not group:
            return None
        session = next(reversed(group))
        self._forget(key, session)
        return session

    def _keep(self, key: _Key, session: Session) -> None:
        """Let a session wait for the next message, if it can take one."""
        if not session.usable:
            session.close()
            return
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._settings.idle_seconds, self._dismiss, key, session)
        self._idle.setdefault(key, {})[session] = timer
        self._idle_count += 1
        if self._closed or self._idle_count > self._settings.max_idle:
            self._dismiss(key, session)

    def _forget(self, key: _Key, session: Session) -> None:
        group = self._idle[key]
        group.pop(session).cancel()
        self._idle_count -= 1
        if not group:
            del self._idle[key]

    def _dismiss(self, key: _Key, session: Session) -> None:
        self._forget(key, session)
        task = asyncio.get_running_loop().create_task(session.quit())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    @staticmethod
    def _key(credentials: Credentials | None) -> _Key:
        """Tells connections of different logins and passwords apart, without keeping the password."""
        if credentials is None:
            return "", b""
        return credentials.login, fingerprint(credentials)


@asynccontextmanager
async def _slot(slots: asyncio.Semaphore, seconds: float) -> AsyncIterator[None]:
    """One of the places for messages being sent. Raises `SubmissionError` when none gets free in time."""
    try:
        async with asyncio.timeout(seconds):
            await slots.acquire()
    except TimeoutError as error:
        raise temporary("too many messages are being sent at the moment") from error
    try:
        yield
    finally:
        slots.release()


async def _envelope(sender: str, recipients: Sequence[str], message: bytes | Pieces) -> Envelope:
    """Checked for what would break out of a command; servers judge the rest."""
    if not recipients:
        raise SubmissionError("no recipient", kind=Kind.NO_RECIPIENT, permanent=True)
    if any("@" not in address or _UNSAFE.search(address) for address in (sender, *recipients)):
        raise SubmissionError("an address is malformed", kind=Kind.RECIPIENT_UNRESOLVED, permanent=True)
    if isinstance(message, bytes):
        message = crlf(message)
    ended, ascii_only = False, True
    for piece in pieces(message):
        ended = piece.endswith(b"\n")
        ascii_only = ascii_only and piece.isascii()
        await asyncio.sleep(0)
    if not ended:
        message = Joined((message, b"\r\n"))
    return Envelope(sender, tuple(recipients), message, ascii_only)
