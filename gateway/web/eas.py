"""The ActiveSync endpoint, as a plain ASGI application.

Checks come in the order that gives the error a client expects (MS-ASHTTP 3.1.5): method, credentials, query,
command, policy key, body, document. The body is not touched before the credentials are known to be good.
While a command holds its answer, nothing of the request is kept but its head.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import traceback
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from gateway.eas import request as head
from gateway.eas.commands.base import Command, Services
from gateway.eas.versions import OFFERED, Version
from gateway.errors import GatewayError
from gateway.mail.pieces import PIECE
from gateway.ports import MailboxesFactory
from gateway.sync.waiter import Signal
from gateway.types import DeviceId, Principal, UserId
from gateway.web.auth import Authentication
from gateway.web.brakes import Brakes
from gateway.web.client import Proxies
from gateway.web.http import (
    ClientGone,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    put_aside,
    send_response,
    while_connected,
)
from gateway.web.login import log_in
from gateway.web.loops import Turn
from gateway.web.metrics import Metrics
from gateway.web.record import Record, refused
from gateway.web.running import CommandRunner
from gateway.web.trace import Trace
from gateway.web.visits import Visits

if TYPE_CHECKING:
    from gateway.web.spans import Spans

__all__ = ["EasEndpoint", "discovery", "is_eas_path"]

_PATH = re.compile(r"/+microsoft-server-activesync(/.*)?", re.IGNORECASE | re.DOTALL)
_METHODS = "OPTIONS,POST"
_BAD_REQUEST = 400
_NO_DEVICE = DeviceId("")
_STOPPED_RETRY_AFTER = 5
"""Seconds a device is asked to wait by a gateway that stops: another one serves, or this one soon does."""
_WELL = frozenset({"", "1", "2"})
"""Status of requests that are of use; Ping has two such."""
_IMPLEMENTATION = "15.2"
"""Value of MS-Server-ActiveSync: the Exchange release whose protocol this is."""


def is_eas_path(path: str) -> bool:
    """Whether a path is the endpoint's; clients write it in any case, and some add to it at either end."""
    return _PATH.fullmatch(path) is not None


def discovery(commands: Iterable[Command]) -> dict[str, str]:
    """Return the headers that tell which versions and commands are served (MS-ASHTTP 2.2.3.1.2)."""
    return {
        "MS-ASProtocolVersions": OFFERED,
        "MS-ASProtocolCommands": ",".join(command.name for command in commands),
    }


class EasEndpoint:
    """Serves the commands. `stopping` is set `grace` seconds before the server shuts down."""

    def __init__(
        self,
        commands: Iterable[Command],
        services: Services,
        authentication: Authentication,
        mailboxes: MailboxesFactory,
        *,
        proxies: Proxies,
        metrics: Metrics,
        trace: Trace,
        brakes: Brakes,
        visits: Visits,
        stopping: Signal,
        grace: float,
        spans: Spans | None = None,
    ) -> None:
        commands = tuple(commands)
        self._discovery = discovery(commands)
        self._runner = CommandRunner(
            commands,
            services,
            authentication,
            mailboxes,
            metrics=metrics,
            trace=trace,
            visits=visits,
            stopping=stopping,
        )
        self._spool = services.spool
        self._authentication = authentication
        self._proxies = proxies
        self._metrics = metrics
        self._trace = trace
        self._brakes = brakes
        self._spans = spans
        self._stopping = stopping
        self._grace = grace
        # Bound once, not for each line: every request has one.
        self._log = structlog.get_logger("gateway.eas").bind()

    def interrupt(self, user: UserId, device: DeviceId) -> None:
        """Have the requests of a device answered that are held, because something was decided of it."""
        self._runner.interrupt(user, device)

    def sign_out(self, user: UserId) -> None:
        """Have each login of a user checked anew, also of requests that are held: these are answered now."""
        self._runner.sign_out(user)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and log it in one line."""
        started = time.perf_counter()
        headers = headers_of(scope)
        record = Record(address=self._proxies.client(scope, headers))
        if self._spans is not None:
            record.span = self._spans.begin(headers)
        try:
            response = await self._unless_stopped(self._answer(scope, headers, receive, record), record)
        except ClientGone:
            record.reason = "client gone"
            self._note(record, 0, 0, started)
            return
        except Exception:  # noqa: BLE001  # the boundary: whatever went wrong, the device gets an answer
            failure = secrets.token_hex(4)
            # Formatted here, since some renderers show the values of variables: message text, passwords.
            trace = traceback.format_exc()
            self._log.error("unexpected error", error_id=failure, exception=trace, **record.names())
            error = GatewayError(f"unexpected error {failure}")
            response = refused(record.command, Version.parse(record.version), error, record)
        response.headers.setdefault("Cache-Control", "private")
        response.headers.setdefault("MS-Server-ActiveSync", _IMPLEMENTATION)
        if "expect" in headers and not record.body_read:
            # The client may or may not send the body it announced; only a new connection is sure to be in
            # step.
            response.headers["Connection"] = "close"
        await self._send(response, receive, send, record)
        self._note(record, response.code, len(response.body), started)

    async def _send(self, response: Response, receive: Receive, send: Send, record: Record) -> None:
        try:
            if len(response.body) <= PIECE:
                await send_response(send, response)
            else:
                await put_aside(response, self._spool)
                await while_connected(receive, send_response(send, response))
        except ClientGone:
            record.reason = "client gone before the end of the answer"
        except GatewayError as error:  # too late to say so: the connection is closed, the answer cut off
            record.reason = f"answer cut off: {error.detail}"
        finally:
            response.close()

    async def _unless_stopped(self, work: Coroutine[Any, Any, Response], record: Record) -> Response:
        """Give up work that is not done when the grace of a shutdown is over: uvicorn would answer 500."""
        loop, limit = asyncio.get_running_loop(), asyncio.timeout(None)
        try:
            async with limit:
                unsubscribe = self._stopping.listen(lambda: limit.reschedule(loop.time() + self._grace))
                try:
                    return await work
                finally:
                    unsubscribe()
        except TimeoutError:
            if not limit.expired():
                raise
            record.reason = "not done when the gateway stopped"
            return Response(503, {"Retry-After": str(_STOPPED_RETRY_AFTER)})

    def _note(self, record: Record, code: int, bytes_out: int, started: float) -> None:
        seconds = time.perf_counter() - started
        self._metrics.answered(
            record.command or "none", record.version or "none", code, record.status, seconds
        )
        self._log.info(
            "request",
            http=code,
            ms=round(seconds * 1000),
            bytes_in=record.bytes_in,
            bytes_out=bytes_out,
            address=record.address,
            **record.names(),
        )
        if record.span is not None:
            record.span.end(record.names(), code)

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, record: Record
    ) -> Response:
        method: str = scope["method"]
        if method not in {"OPTIONS", "POST"}:
            record.reason = "method not supported"
            return Response(501, {"Allow": _METHODS})
        try:
            request: head.EasRequest | head.BadRequest = head.parse(scope["query_string"], headers)
        except head.BadRequest as error:
            request = error
        device = request.device_id if isinstance(request, head.EasRequest) else ""
        trusted = self._proxies.hand_on(scope)
        principal = await self._log_in(headers, device, record, trusted=trusted)
        if isinstance(principal, Response):
            return principal
        record.user = principal.user
        if method == "OPTIONS":
            record.command = "OPTIONS"
            if (slowed := self._slowed(principal, None, record)) is not None:
                return slowed
            return Response(200, {"Allow": _METHODS, "Public": _METHODS} | self._discovery)
        record.command, record.version = request.command or "", str(request.version or "")
        if isinstance(request, head.BadRequest):
            return refused(request.command, request.version, request, record)
        record.device = request.device_id
        if (slowed := self._slowed(principal, request, record)) is not None:
            return slowed
        began = time.perf_counter()
        record.traced = self._trace.wants(principal.user, request.device_id)
        response = await self._runner.run(principal, request, headers, receive, record)
        if record.traced:
            self._trace.reply(principal.user, request, record.document, response.code, record.reason)
            record.document = None
        if response.code >= _BAD_REQUEST or record.status not in _WELL:
            self._brakes.failed(principal.user, request.device_id)
        if response.code < _BAD_REQUEST:
            turn = Turn(request.command, record.digest, time.perf_counter() - began, record.news)
            self._brakes.answered(principal.user, request.device_id, turn)
        return response

    def _slowed(
        self, principal: Principal, request: head.EasRequest | None, record: Record
    ) -> Response | None:
        """The answer to who asks too much; None to everybody else. OPTIONS name no device."""
        device, agent = (request.device_id, request.user_agent) if request else (_NO_DEVICE, "")
        seconds, storm = self._brakes.wait(principal.user, device, agent, record.command)
        if not seconds:
            return None
        if storm:
            self._log.warning("device is slowed", reason=storm, **record.names())
        record.reason = "slowed"
        return Response(503, {"Retry-After": str(seconds), "Connection": "close"})

    async def _log_in(
        self, headers: Mapping[str, str], device: str, record: Record, *, trusted: bool
    ) -> Principal | Response:
        """Return who sends the request, or the answer to whom nobody knows."""
        shared = self._proxies.is_trusted(record.address)
        address = record.address
        found = await log_in(self._authentication, headers, address, device, shared=shared, trusted=trusted)
        if isinstance(found, Principal):
            return found
        record.reason = found.reason
        return found.response
