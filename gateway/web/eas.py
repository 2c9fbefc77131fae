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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

import wbxml
from gateway.eas import request as head
from gateway.eas import status
from gateway.eas.commands import quarantine
from gateway.eas.commands.base import BodyRule, Command, Context, Reply, Services
from gateway.eas.versions import OFFERED, Version
from gateway.errors import AuthenticationFailed, GatewayError, Kind, Refused
from gateway.mail.pieces import PIECE
from gateway.ports import MailboxesFactory
from gateway.sync.editable import EditableMailboxes
from gateway.sync.waiter import Signal
from gateway.types import Access, DeviceId, Principal, UserId
from gateway.web import documents
from gateway.web.auth import Authentication
from gateway.web.brakes import Brakes
from gateway.web.client import Proxies
from gateway.web.devices import Devices
from gateway.web.http import (
    BodyStalled,
    BodyTooLarge,
    ClientGone,
    Receive,
    Response,
    Scope,
    Send,
    headers_of,
    read_body,
    send_response,
    while_connected,
)
from gateway.web.login import log_in, unauthorized
from gateway.web.loops import Turn, tells
from gateway.web.metrics import Metrics
from gateway.web.presence import Presence
from gateway.web.trace import Trace
from gateway.web.visits import Visits

if TYPE_CHECKING:
    from gateway.web.spans import RequestSpan, Spans

__all__ = ["EasEndpoint", "discovery", "is_eas_path"]

_PATH = re.compile(r"/microsoft-server-activesync(/.*)?", re.IGNORECASE | re.DOTALL)
_METHODS = "OPTIONS,POST"
_BAD_REQUEST = 400
_NO_DEVICE = DeviceId("")
_WELL = frozenset({"", "1", "2"})
"""Status of requests that are of use; Ping has two such."""
_IMPLEMENTATION = "15.2"
"""Value of MS-Server-ActiveSync: the Exchange release whose protocol this is."""


def is_eas_path(path: str) -> bool:
    """Whether a path is the endpoint's; clients write it in any case and some add to it."""
    return _PATH.fullmatch(path) is not None


def discovery(commands: Iterable[Command]) -> dict[str, str]:
    """Return the headers that tell which versions and commands are served (MS-ASHTTP 2.2.3.1.2)."""
    return {
        "MS-ASProtocolVersions": OFFERED,
        "MS-ASProtocolCommands": ",".join(command.name for command in commands),
    }


@dataclass(slots=True)
class _Record:
    """What the log line of a request says, filled in as it becomes known."""

    address: str = ""
    user: str = ""
    device: str = ""
    command: str = ""
    version: str = ""
    status: str = ""
    reason: str = ""
    bytes_in: int = 0
    body_read: bool = False
    span: RequestSpan | None = None
    traced: bool = False
    document: wbxml.Element | None = None
    digest: int = 0
    news: bool = False

    def names(self) -> dict[str, str]:
        """Return what is known of who asked for what, and how it went."""
        names = ("user", "device", "command", "version", "status", "reason")
        return {name: text for name in names if (text := getattr(self, name))}


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
        self._commands = {command.name: command for command in commands}
        self._services = services
        self._authentication = authentication
        self._mailboxes = mailboxes
        self._devices = Devices(services.state, services.clock, services.admission)
        self._presence = Presence(services.directory.people, services.identity, services.clock)
        self._proxies = proxies
        self._metrics = metrics
        self._trace = trace
        self._brakes = brakes
        self._visits = visits
        self._spans = spans
        self._stopping = stopping
        self._grace = grace
        self._latest: dict[tuple[str, str, str], Signal] = {}
        self._log = structlog.get_logger("gateway.eas")

    def interrupt(self, user: UserId, device: DeviceId) -> None:
        """Have the requests of a device answered that are held, because something was decided of it."""
        for (whose, which, _), superseded in list(self._latest.items()):
            if (whose, which) == (user, device):
                superseded.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and log it in one line."""
        started = time.perf_counter()
        headers = headers_of(scope)
        record = _Record(address=self._proxies.client(scope, headers))
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
            response = self._refuse(record.command, Version.parse(record.version), error, record)
        response.headers.setdefault("Cache-Control", "private")
        response.headers.setdefault("MS-Server-ActiveSync", _IMPLEMENTATION)
        if "expect" in headers and not record.body_read:
            # The client may or may not send the body it announced; only a new connection is sure to be in
            # step.
            response.headers["Connection"] = "close"
        await self._send(response, receive, send, record)
        self._note(record, response.code, len(response.body), started)

    async def _send(self, response: Response, receive: Receive, send: Send, record: _Record) -> None:
        try:
            if len(response.body) <= PIECE:
                await send_response(send, response)
            else:
                await while_connected(receive, send_response(send, response))
        except ClientGone:
            record.reason = "client gone before the end of the answer"
        except GatewayError as error:  # too late to say so: the connection is closed, the answer cut off
            record.reason = f"answer cut off: {error.detail}"
        finally:
            response.close()

    async def _unless_stopped(self, work: Coroutine[Any, Any, Response], record: _Record) -> Response:
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
            return Response(503, {"Retry-After": str(status.RETRY_AFTER)})

    def _note(self, record: _Record, code: int, bytes_out: int, started: float) -> None:
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

    # --- credentials ---------------------------------------------------------------------------------------

    async def _answer(
        self, scope: Scope, headers: Mapping[str, str], receive: Receive, record: _Record
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
            return Response(200, {"Allow": _METHODS, "Public": _METHODS} | discovery(self._commands.values()))
        record.command, record.version = request.command or "", str(request.version or "")
        if isinstance(request, head.BadRequest):
            return self._refuse(request.command, request.version, request, record)
        record.device = request.device_id
        if (slowed := self._slowed(principal, request, record)) is not None:
            return slowed
        began = time.perf_counter()
        record.traced = self._trace.wants(principal.user, request.device_id)
        response = await self._command(principal, request, headers, receive, record)
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
        self, principal: Principal, request: head.EasRequest | None, record: _Record
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
        self, headers: Mapping[str, str], device: str, record: _Record, *, trusted: bool
    ) -> Principal | Response:
        """Return who sends the request, or the answer to whom nobody knows."""
        shared = self._proxies.is_trusted(record.address)
        address = record.address
        found = await log_in(self._authentication, headers, address, device, shared=shared, trusted=trusted)
        if isinstance(found, Principal):
            return found
        record.reason = found.reason
        return found.response

    # --- the command ---------------------------------------------------------------------------------------

    async def _command(
        self,
        principal: Principal,
        request: head.EasRequest,
        headers: Mapping[str, str],
        receive: Receive,
        record: _Record,
    ) -> Response:
        log = self._log.bind(user=principal.user, device=request.device_id, command=request.command)
        try:
            admission = self._services.admission
            admission.check_user(principal.user)
            command = self._find(request)
            device = await self._devices.of(principal.user, request)
            await self._presence.note(principal)
            now = self._services.clock.now()
            admission.check(request, device, now, needs_key=command.needs_policy_key)
            root, body = await self._read(command, request, headers, receive, record)
            if record.traced:
                self._trace.request(principal.user, request, root, 0 if root is not None else len(body))
            context = Context(
                request=request,
                principal=principal,
                device=device,
                mailboxes=EditableMailboxes(
                    self._mailboxes(principal), self._services.state, principal.user, self._services.clock
                ),
                services=self._services,
                stopping=self._stopping,
                superseded=Signal(),
                log=log,
            )
            in_quarantine = admission.access_of(device) is Access.QUARANTINE
            waits = in_quarantine and not quarantine.is_open(command.name, root)
            work = self._tracked(command, context, root, body, quarantined=waits)
            del root, body  # the handler alone decides how long they live
            reply = await while_connected(receive, work)
            if record.traced and isinstance(reply, wbxml.Element):
                record.document = reply
            record.news = tells(reply)
            response = await documents.written(reply, request)
            if context.superseded.is_set():
                await self._still_in(principal, response)
        except AuthenticationFailed as error:
            # The password was changed since it was last checked, or the login ended while the request waited.
            record.reason = error.detail or "credentials no longer good"
            return unauthorized(self._authentication.ways)
        except BodyTooLarge:
            response = self._too_large(request, record)
            response.headers["Connection"] = "close"
            return response
        except BodyStalled:
            record.reason = "the body stands still"
            return Response(408, {"Connection": "close"})
        except GatewayError as error:
            return self._refuse(request.command, request.version, error, record)
        if isinstance(reply, wbxml.Element) and command.status is not None:
            record.status = reply.child_text(command.status) or ""
        record.status, record.reason = record.status or context.status, context.reason
        self._visits.note(device, record.address, request.command, record.status)
        response.headers.update(context.reply_headers)
        return response

    def _find(self, request: head.EasRequest) -> Command:
        command = self._commands.get(request.command)
        if command is None:
            raise Refused(Kind.COMMAND_NOT_SUPPORTED, f"{request.command} is not served")
        if request.version < command.first or (command.last is not None and request.version > command.last):
            raise Refused(
                Kind.VERSION_NOT_SUPPORTED, f"{request.command} is not part of version {request.version}"
            )
        return command

    async def _read(
        self,
        command: Command,
        request: head.EasRequest,
        headers: Mapping[str, str],
        receive: Receive,
        record: _Record,
    ) -> tuple[wbxml.Element | None, bytes]:
        """Read the body: a document, or a message, as the command has it in this version."""
        limits = self._services.limits
        body = await read_body(receive, headers, limits.max_body)
        record.bytes_in, record.body_read = len(body), True
        record.digest = hash((request.command, body))
        encoding = headers.get("content-encoding", "")
        return await documents.opened(command, request, body, encoding, limits)

    async def _tracked(
        self,
        command: Command,
        context: Context,
        root: wbxml.Element | None,
        body: bytes,
        *,
        quarantined: bool,
    ) -> Reply:
        """Run the handler; an earlier request of the device for the same command is superseded by it."""
        key = (context.principal.user, context.request.device_id, command.name)
        earlier = self._latest.get(key)
        if earlier is not None:
            earlier.set()
        self._latest[key] = context.superseded
        self._metrics.opened(command.name)
        ends = self._end_of(context)
        if quarantined:
            handler = quarantine.serve(command.name, context, root)
        else:
            handler = command.handle(context, root, body)
        del root, body
        try:
            return await handler
        finally:
            self._metrics.closed(command.name)
            if ends is not None:
                ends.cancel()
            if self._latest.get(key) is context.superseded:
                del self._latest[key]

    def _end_of(self, context: Context) -> asyncio.TimerHandle | None:
        """What ends the waiting of a request when its login does; None: it holds for good."""
        way = self._authentication.ways.tokens
        seconds = None if way is None else way.seconds_left(context.principal)
        if seconds is None or seconds > self._services.limits.heartbeat_max:
            return None
        # A little later, so that it is over by then for the clock that says so, too.
        return asyncio.get_running_loop().call_later(max(0.0, seconds) + 0.5, context.superseded.set)

    async def _still_in(self, principal: Principal, response: Response) -> None:
        """Raises `AuthenticationFailed` in the place of a response to whom it is not for any more.

        What was done for the request is done; repeated with another login it gets the same answer.
        """
        try:
            await self._authentication.check(principal)
        except GatewayError:
            response.close()
            raise

    def _too_large(self, request: head.EasRequest, record: _Record) -> Response:
        """The answer to a body beyond the limit: of a message to be sent, phones tell their user."""
        reason = f"body larger than {self._services.limits.max_body} bytes"
        if self._find(request).body is BodyRule.MIME and request.version.compose_in_wbxml:
            error = Refused(Kind.TOO_LARGE, reason)
            return self._refuse(request.command, request.version, error, record)
        record.reason = reason
        return Response(413)

    def _refuse(
        self, command: str | None, version: Version | None, error: GatewayError, record: _Record
    ) -> Response:
        record.reason = f"{error.kind}: {error.detail}" if error.detail else str(error.kind)
        answer = status.answer(command, error.kind, version)
        if isinstance(answer, status.StatusAnswer):
            record.status = str(answer.value)
            record.document = answer.document()
            return Response(200, {"Content-Type": documents.WBXML}, wbxml.encode(record.document))
        if answer.retry_after is None:
            return Response(answer.code)
        return Response(answer.code, {"Retry-After": str(answer.retry_after)})
