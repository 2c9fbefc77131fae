"""One connection to an IMAP server: sends commands, pairs them with what comes back, notices when it is dead.

The bytes are read by `inflow`, the commands written by `commands`. They are pipelined: `start` may be called
again before the last future is done. Untagged responses are given to the oldest command that has not ended,
and to `listener`. The first failure ends the connection and every command on it at once:

UpstreamUnavailable   no connection, connection lost, BYE, nothing heard for `timeout` seconds
UpstreamHungUp        of these, connection lost or BYE while a UID FETCH or SEARCH is to be answered; also too
                      much in the answer to it, which may be due to one message of many
UpstreamConfused      what came is no IMAP, fits no command, or exceeds a limit elsewhere; also BAD
UpstreamRefused       NO, with its response code; the connection stays
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gateway.errors import (
    UpstreamConfused,
    UpstreamError,
    UpstreamHungUp,
    UpstreamRefused,
    UpstreamUnavailable,
)
from gateway.upstream.imap import commands
from gateway.upstream.imap.exchange import Ended, Exchange, Pending, Reply, printable, retrieve
from gateway.upstream.imap.inflow import Inflow
from gateway.upstream.imap.keepalive import keep_alive
from gateway.upstream.imap.protocol import Protocol
from gateway.upstream.imap.responses import (
    Capability,
    Condition,
    Continuation,
    Enabled,
    Namespace,
    Response,
    ResponseCode,
    Status,
    Tagged,
    Unparsed,
)
from gateway.upstream.imap.selected import Selected
from gateway.upstream.imap.settings import ImapSettings
from gateway.upstream.imap.syntax import Command, Dialect, Step
from gateway.upstream.imap.turns import Turns
from gateway.upstream.imap.watchdog import Watchdog
from gateway.upstream.imap.writer import Writer
from gateway.upstream.tls import client_context

log = logging.getLogger(__name__)


class Session:
    """A connection. Made by `connect`; of no use any more once `closed`."""

    def __init__(self, settings: ImapSettings) -> None:
        self.settings = settings
        self.capabilities: frozenset[str] = frozenset()
        self.enabled: frozenset[str] = frozenset()
        self.namespace: Namespace | None = None
        self.dialect = Dialect()
        self.selected: Selected | None = None
        self.listener: Callable[[Response], None] | None = None
        self.on_close: Callable[[], None] | None = None
        """Belongs to the pool; `listener` and `on_lost` to whom the session is leased."""
        self.on_lost: Callable[[], None] | None = None
        self.silent = False
        """Whether it ended because the server stopped answering."""
        self.ailing = False
        """Whether the server said SERVERBUG (RFC 5530 3): on another connection it may do better."""
        self.uses = 0
        self._loop = asyncio.get_running_loop()
        self._protocol = Protocol(self._loop, self._data_received, self._connection_lost)
        self._transport: asyncio.Transport | None = None
        self._inflow = Inflow(
            Turns.of(self._loop), self._dispatch, self.confused, self._flooded, lambda: self.closed
        )
        self._greeting: asyncio.Future[Status] = self._loop.create_future()
        self._greeting.add_done_callback(retrieve)
        self._exchange = Exchange(self._write)
        self._writer = Writer(self._cannot_write)
        self._idle: tuple[Pending, asyncio.Future[None]] | None = None
        self._failure: tuple[type[UpstreamError], str] | None = None
        self._watchdog = Watchdog(settings.timeout, self._owed, self._progress, self._fell_silent)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "busy" if self.busy else "idle"
        return f"<Session {self.settings.host}:{self.settings.port} {state}>"

    # --- opening and closing -------------------------------------------------------------------------------

    async def connect(self) -> Status:
        """Connect (with TLS when the settings say so) and return the greeting. Raises `UpstreamError`."""
        settings = self.settings
        context = client_context(settings.ca_file, settings.verify) if settings.security == "tls" else None
        try:
            async with asyncio.timeout(settings.timeout):
                self._transport, _ = await self._loop.create_connection(
                    lambda: self._protocol,
                    settings.host,
                    settings.port,
                    ssl=context,
                    server_hostname=settings.host if context else None,
                )
                keep_alive(self._transport)
                return await self._greeting
        except TimeoutError as error:
            self._fail(UpstreamUnavailable, f"no answer from {settings.host}:{settings.port}")
            raise self._error() from error
        except OSError as error:
            self._fail(UpstreamUnavailable, f"cannot connect to {settings.host}:{settings.port}: {error}")
            raise self._error() from error
        except BaseException:
            self.close()
            raise

    async def starttls(self) -> None:
        """Turn on TLS (RFC 3501 6.2.1).

        Raises `UpstreamConfused` when anything came in the clear behind the server's OK.
        """
        await self.execute(commands.simple("STARTTLS"))
        # _ended has paused reading, so that no octet of the old, unprotected stream can be taken for one of
        # the new.
        assert self._transport is not None
        transport: asyncio.Transport | None = None
        try:
            transport = await self._loop.start_tls(
                self._transport,
                self._protocol,
                client_context(self.settings.ca_file, self.settings.verify),
                server_hostname=self.settings.host,
                ssl_handshake_timeout=self.settings.timeout,
            )
        except (TimeoutError, OSError) as error:
            self._fail(UpstreamUnavailable, f"no TLS with {self.settings.host}: {error}")
        except asyncio.CancelledError:
            self.close()
            raise
        if self._failure or transport is None:
            self._fail(UpstreamUnavailable, f"connection lost in the TLS handshake with {self.settings.host}")
            raise self._error()
        self._transport = transport
        self._protocol.transport = transport
        self._inflow.restart()
        self.learn_capabilities(frozenset())

    @property
    def closed(self) -> bool:
        """Whether the connection is of no use any more."""
        return self._failure is not None

    def check(self) -> None:
        """Raises why the connection is closed, if it is."""
        if self._failure:
            raise self._error()

    @property
    def busy(self) -> bool:
        """Whether a command has not ended."""
        return self._exchange.busy

    def close(self) -> None:
        """Say LOGOUT when nothing else is under way, and close."""
        if self.closed:
            return
        greeted = self._greeting.done() and not self._greeting.cancelled()
        polite = self._transport is not None and not self.busy and greeted
        if polite and self._transport is not None:
            self._transport.write(f"{self._protocol.next_tag()} LOGOUT\r\n".encode())
        self._fail(UpstreamUnavailable, "connection closed", abort=not polite)

    # --- commands ------------------------------------------------------------------------------------------

    async def execute(self, command: Command) -> Reply:
        """Send a command and wait for its end; see the module for what is raised."""
        return self.accept(command, await self.start(command))

    async def pipeline(self, *several: Command) -> list[Reply]:
        """Send commands at once and wait for the end of all. Raises for the first that did not succeed."""
        with self.together():
            futures = [self.start(command) for command in several]
        replies = [await future for future in futures]
        return [self.accept(command, reply) for command, reply in zip(several, replies, strict=True)]

    def accept(self, command: Command, reply: Reply) -> Reply:
        """Return a reply that is OK. Raises `UpstreamRefused`, or `UpstreamConfused` and closes."""
        if reply.succeeded:
            return reply
        tagged, detail = reply.tagged, f"{command.name}: {reply.detail}"
        if tagged.status is Condition.NO:
            code = tagged.code.name if tagged.code else ""
            self.ailing |= code == "SERVERBUG"
            raise UpstreamRefused(detail, code)
        # The server and we disagree about the protocol: nothing more can be trusted.
        self.confused(detail)
        raise UpstreamConfused(detail)

    def start(self, command: Command, ended: Ended | None = None) -> asyncio.Future[Reply]:
        """Send a command; the future gives the reply whatever its status.

        `ended` is called the moment the tagged response has come, before anything behind it is read. Raises
        `UpstreamError` when the connection is closed.
        """
        return self._enqueue(command, ended).future

    @contextmanager
    def together(self) -> Iterator[None]:
        """Have what is started in the context sent in one go; it must not await anything."""
        self.check()
        assert self._transport is not None
        with self._writer.together(self._transport):
            yield

    async def select(
        self, mailbox: str, *, qresync: tuple[int, int] | None = None, condstore: bool = False
    ) -> Reply:
        """SELECT; afterwards `selected` tells about the mailbox, or is None after `UpstreamRefused`."""
        command = commands.select(self.dialect, mailbox, qresync=qresync, condstore=condstore)

        def ended(tagged: Tagged, responses: list[Response]) -> None:
            succeeded = tagged.status is Condition.OK
            now = self._loop.time()
            self.selected = Selected.after_select(mailbox, responses, tagged, now) if succeeded else None

        self.selected = None
        return self.accept(command, await self.start(command, ended))

    async def idle(self) -> None:
        """Begin to IDLE (RFC 2177); returns once the server says so. What comes goes to `listener`."""
        pending = self._enqueue(commands.simple("IDLE"))
        started: asyncio.Future[None] = self._loop.create_future()
        self._idle = (pending, started)
        waiting: set[asyncio.Future[Any]] = {pending.future, started}
        await asyncio.wait(waiting, timeout=self.settings.timeout, return_when=asyncio.FIRST_COMPLETED)
        if not started.done() and not pending.future.done():
            self._fell_silent("did not answer IDLE")
        if pending.future.done():
            self._idle = None
            self.accept(pending.command, await pending.future)
            raise self.confused("IDLE ended before it began")

    async def done(self) -> None:
        """End IDLE."""
        assert self._idle is not None
        pending, _ = self._idle
        self._idle = None
        if not self.closed and self._transport is not None:
            self._transport.write(b"DONE\r\n")
            pending.began = self._loop.time()
            self._watchdog.heard()
            self._watchdog.watch()
        self.accept(pending.command, await pending.future)

    def learn_capabilities(self, names: frozenset[str]) -> None:
        """Take what the server can do."""
        self.capabilities = names
        self.dialect = Dialect.of(names, self.enabled)

    # --- sending -------------------------------------------------------------------------------------------

    def _enqueue(self, command: Command, ended: Ended | None = None) -> Pending:
        self.check()
        assert self._idle is None, "the connection is idling"
        if not self.busy:
            self._watchdog.heard()
        now = self._loop.time()
        pending = Pending(command, self._protocol.next_tag(), self._loop.create_future(), now, ended)
        self._exchange.send(pending)
        self._watchdog.watch()
        return pending

    def _write(self, step: Step) -> None:
        assert self._transport is not None
        self._writer.write(self._transport, step)

    def _cannot_write(self, error: Exception) -> None:
        self._fail(UpstreamUnavailable, f"a command could not be sent to its end: {error}")

    # --- receiving -----------------------------------------------------------------------------------------

    def _data_received(self, data: bytes) -> None:
        if self._failure:
            return
        self._watchdog.heard()
        self._inflow.take(data, self._transport)

    def _dispatch(self, response: Response) -> bool:
        """Give a response to whom it belongs; True when it allows STARTTLS."""
        match response:
            case Tagged():
                return self._ended(response)
            case Continuation():
                self._continued()
            case Unparsed(reason=reason, raw=raw):
                if not self._greeting.done() or not raw.startswith((b"*", b"+")):
                    self.confused(f"not understood: {reason}")
                log.debug("response from %s not understood: %s", self.settings.host, reason)
            case Status() if not self._greeting.done():
                self._greet(response)
            case Status(status=Condition.BYE, text=text):
                self._hung_up(f"{self.settings.host} said BYE: {printable(text)}")
            case _:
                self._untagged(response)
        return False

    def _greet(self, greeting: Status) -> None:
        if greeting.status is Condition.BYE:
            detail = f"{self.settings.host} greeted with BYE: {printable(greeting.text)}"
            self._fail(UpstreamUnavailable, detail)
            return
        self._learn_code(greeting.code)
        self._greeting.set_result(greeting)

    def _untagged(self, response: Response) -> None:
        match response:
            case Capability(names=names):
                self.learn_capabilities(names)
            case Enabled(names=names):
                self.enabled |= names
                self.dialect = Dialect.of(self.capabilities, self.enabled)
            case Namespace():
                self.namespace = response
            case Status(code=code):
                self._learn_code(code)
        if self.selected is not None:
            self.selected.update(response)
        oldest = self._exchange.oldest
        if oldest is not None and not oldest.future.done() and self._idle is None:
            oldest.responses.append(response)
        if self.listener is not None:
            self.listener(response)

    def _learn_code(self, code: ResponseCode | None) -> None:
        if code is not None and code.name == "CAPABILITY" and isinstance(code.value, frozenset):
            self.learn_capabilities(code.value)

    def _continued(self) -> None:
        if not self._exchange.continued() and self._idle is not None and not self._idle[1].done():
            self._idle[1].set_result(None)

    def _ended(self, tagged: Tagged) -> bool:
        self._inflow.reply_ended()
        self._learn_code(tagged.code)
        pending = self._exchange.ended(tagged)
        if pending is None:
            self.confused("an answer to a command never sent")
            return False
        upgrading = pending.command.name == "STARTTLS" and tagged.status is Condition.OK
        if upgrading and self._transport is not None:
            self._transport.pause_reading()
        return upgrading

    # --- failing -------------------------------------------------------------------------------------------

    def _connection_lost(self, error: Exception | None) -> None:
        reason = f": {error}" if error else ""
        self._hung_up(f"connection to {self.settings.host} lost{reason}")

    def _hung_up(self, detail: str) -> None:
        self._fail(UpstreamHungUp if self._reading else UpstreamUnavailable, detail)

    def _flooded(self, reason: str) -> None:
        self._fail(UpstreamHungUp if self._reading else UpstreamConfused, f"{self.settings.host}: {reason}")

    @property
    def _reading(self) -> bool:
        oldest = self._exchange.oldest
        return oldest is not None and oldest.command.name in ("UID FETCH", "UID SEARCH")

    def confused(self, reason: str) -> UpstreamError:
        """Close the connection because the server broke the protocol; returns the error to raise."""
        self._fail(UpstreamConfused, f"{self.settings.host}: {reason}")
        return self._error()

    def _error(self) -> UpstreamError:
        assert self._failure is not None
        kind, detail = self._failure
        return kind(detail)

    def _fail(self, kind: type[UpstreamError], detail: str, *, abort: bool = True) -> None:
        if self._failure:
            return
        self._failure = (kind, detail)
        self.selected = None
        self._watchdog.stop()
        self._writer.close()
        waiting: list[asyncio.Future[Any]] = [self._greeting]
        waiting += self._exchange.abandon()
        for future in waiting:
            if not future.done():
                future.set_exception(self._error())
        if self._transport is not None:
            self._transport.abort() if abort else self._transport.close()
        for callback in (self.on_close, self.on_lost):
            if callback is not None:
                callback()

    def _fell_silent(self, what: str) -> None:
        self.silent = True
        self._fail(UpstreamUnavailable, f"{self.settings.host} {what}")

    def _owed(self) -> Pending | None:
        return self._exchange.oldest if self._idle is None and not self._failure else None

    def _progress(self) -> tuple[int, bool]:
        assert self._transport is not None
        return self._transport.get_write_buffer_size(), self._inflow.behind
