"""One connection to the ManageSieve server, for one user."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Iterator
from contextlib import suppress

from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    Kind,
    Refused,
    UpstreamConfused,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.types import BearerToken, Credentials
from gateway.upstream import sasl
from gateway.upstream.sieve.settings import SieveSettings
from gateway.upstream.sieve.wire import Reply, ReplyReader, literal, quoted

__all__ = ["Session"]

_FARTHEST = 4096
_TOO_WEAK = frozenset({"AUTH-TOO-WEAK", "ENCRYPT-NEEDED"})


class Session:
    """A connection. Made by `connect`, ended by `close`; whoever uses it bounds the time of everything."""

    def __init__(
        self, settings: SieveSettings, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._settings = settings
        self._reader = reader
        self._writer = self._plain = writer
        self._replies = ReplyReader()
        self._capabilities: dict[str, str] = {}

    @classmethod
    async def connect(
        cls, settings: SieveSettings, tls: ssl.SSLContext | None, credentials: Credentials | None
    ) -> Session:
        """Connect, secure, and with credentials log in.

        Raises `AuthenticationFailed` and `UpstreamError`.
        """
        first = tls if settings.security == "tls" else None
        try:
            reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=first)
        except OSError as error:
            raise UpstreamUnavailable(f"no connection to {settings.host}:{settings.port}: {error}") from error
        session = cls(settings, reader, writer)
        try:
            session._learn(await session._greeting())
            if settings.security == "starttls" and tls is not None:
                await session._secure(tls)
            if credentials is not None:
                await session._login(credentials)
        except BaseException:
            session.close()
            raise
        return session

    def close(self) -> None:
        """Take leave and drop the connection at once: all it had to do is answered by then, or given up."""
        with suppress(OSError):
            self._writer.write(b"LOGOUT\r\n")
        self._writer.transport.abort()

    @property
    def extensions(self) -> frozenset[str]:
        """The extensions of Sieve that scripts may use, in lower case."""
        return frozenset(self._capabilities.get("SIEVE", "").lower().split())

    async def scripts(self) -> dict[str, bool]:
        """The names of all scripts, and which is the active one. Raises `UpstreamError`."""
        reply = await self._ask(b"LISTSCRIPTS")
        return {line[0]: len(line) > 1 and line[1].upper() == "ACTIVE" for line in reply.lines}

    async def read(self, name: str) -> str:
        """The text of a script. Raises `UpstreamError`."""
        reply = await self._ask(b"GETSCRIPT " + quoted(name))
        if len(reply.lines) != 1:
            raise UpstreamConfused("the ManageSieve server answers GETSCRIPT without a script")
        return reply.lines[0][0]

    async def store(self, name: str, text: str) -> None:
        """Put a script into the place of what had its name, at once or not at all.

        Raises `UpstreamError`, and `Refused` (INVALID_CONTENT) for one that is longer than the server takes.
        """
        await self._ask(b"PUTSCRIPT " + quoted(name) + b" " + literal(text.encode("utf-8", "replace")))

    async def activate(self, name: str) -> None:
        """Make a script the active one; "": none. Raises `UpstreamError`."""
        await self._ask(b"SETACTIVE " + quoted(name))

    async def _greeting(self) -> Reply:
        """The capabilities, as they come unasked after connecting and after STARTTLS."""
        return self._judge(await self._next(), "greeting")

    async def _secure(self, tls: ssl.SSLContext) -> None:
        if "STARTTLS" not in self._capabilities:
            raise UpstreamRefused(f"{self._settings.host} offers no STARTTLS", "NOPERM")
        await self._ask(b"STARTTLS")
        loop = asyncio.get_running_loop()
        # A new reader: what somebody put in before the handshake must not be taken for the server's.
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        try:
            transport = await loop.start_tls(
                self._writer.transport, protocol, tls, server_hostname=self._settings.host
            )
        except OSError as error:
            raise UpstreamUnavailable(f"no TLS with {self._settings.host}: {error}") from error
        if transport is None:
            raise UpstreamUnavailable(f"connection lost in the TLS handshake with {self._settings.host}")
        protocol.connection_made(transport)
        self._reader = reader
        # The writer in clear text is kept: it would close the connection as it is forgotten.
        self._plain, self._writer = self._writer, asyncio.StreamWriter(transport, protocol, reader, loop)
        self._learn(await self._greeting())

    async def _login(self, credentials: Credentials) -> None:
        settings, offered = self._settings, set(self._capabilities.get("SASL", "").upper().split())
        initial = sasl.choose(credentials, offered, settings.host, settings.port)
        if initial is None:
            wanted = "OAUTHBEARER or XOAUTH2" if isinstance(credentials, BearerToken) else "PLAIN"
            raise UpstreamRefused(
                f"{settings.host} offers no login by {wanted}: look at sieve.security", "NOPERM"
            )
        response = base64.b64encode(initial.response).decode()
        command = b"AUTHENTICATE " + quoted(initial.mechanism) + b" " + quoted(response)
        reply = await self._exchange(command, challenged=initial.surrender is not None)
        if reply.outcome == "NO" and reply.code not in {"TRYLATER", *_TOO_WEAK}:
            raise AuthenticationFailed(f"{settings.host} refused the login of {credentials.login!a}")
        self._judge(reply, "AUTHENTICATE")

    def _learn(self, reply: Reply) -> None:
        self._capabilities = {
            line[0].upper(): line[1] if len(line) > 1 else "" for line in reply.lines if line
        }

    async def _ask(self, command: bytes) -> Reply:
        return self._judge(await self._exchange(command), command.partition(b" ")[0].decode())

    async def _exchange(self, command: bytes, *, challenged: bool = False) -> Reply:
        """Ask. `challenged`: a challenge in the place of a reply says that a token is refused, and why."""
        try:
            self._writer.write(command + b"\r\n")
            await self._writer.drain()
        except OSError as error:
            raise _lost(error) from error
        return await self._next(challenged=challenged)

    async def _next(self, *, challenged: bool = False) -> Reply:
        """The next reply, after which nothing may follow unasked."""
        replies: Iterator[Reply]
        while True:
            try:
                data = await self._reader.read(_FARTHEST)
            except OSError as error:
                raise _lost(error) from error
            if not data:
                raise _lost(None)
            replies = self._replies.feed(data)
            reply = next(replies, None)
            if reply is None:
                if challenged and self._replies.challenge:
                    return Reply("NO", text="the token is refused")
                continue
            if next(replies, None) is not None or self._replies.pending:
                raise UpstreamConfused("the ManageSieve server says more than it was asked")
            return reply

    def _judge(self, reply: Reply, command: str) -> Reply:
        """Raises unless the outcome is OK."""
        if reply.outcome == "OK":
            return reply
        raise _failure(reply, f"{command}: {reply.outcome} {reply.code} {reply.text[:200]!a}")


def _lost(error: OSError | None) -> UpstreamUnavailable:
    return UpstreamUnavailable(f"the ManageSieve server closed the connection: {error}")


def _failure(reply: Reply, detail: str) -> GatewayError:
    if reply.outcome == "BYE":
        return UpstreamUnavailable(detail)
    if reply.code == "QUOTA/MAXSIZE":
        return Refused(Kind.INVALID_CONTENT, detail)
    if reply.code.startswith("QUOTA"):
        return UpstreamRefused(detail, "OVERQUOTA")
    if reply.code == "TRYLATER":
        return UpstreamRefused(detail, "UNAVAILABLE")
    return UpstreamRefused(detail, "NOPERM" if reply.code in _TOO_WEAK else reply.code)
