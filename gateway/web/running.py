"""Running a command for a device that is let in: its body read, its handler called, its answer written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import wbxml
from gateway.eas import request as head
from gateway.eas import status
from gateway.eas.commands import quarantine
from gateway.eas.commands.base import BodyRule, Command, Context, Reply, Services
from gateway.errors import AuthenticationFailed, GatewayError, Kind, Refused, UpstreamError
from gateway.ports import MailboxesFactory
from gateway.sync.editable import EditableMailboxes
from gateway.sync.waiter import Signal
from gateway.types import Access, DeviceId, Principal, UserId
from gateway.web import documents
from gateway.web.auth import Authentication
from gateway.web.devices import Devices
from gateway.web.http import (
    BodyStalled,
    BodyTooLarge,
    Receive,
    Response,
    read_body,
    while_connected,
)
from gateway.web.login import unauthorized
from gateway.web.loops import tells
from gateway.web.metrics import Metrics
from gateway.web.newest import Asked, Newest
from gateway.web.presence import Presence
from gateway.web.record import Record, refused
from gateway.web.trace import Trace
from gateway.web.visits import Visits

__all__ = ["CommandRunner"]


class CommandRunner:
    """Runs the commands. Of one device and command the later request ends the waiting of the earlier one."""

    def __init__(
        self,
        commands: Iterable[Command],
        services: Services,
        authentication: Authentication,
        mailboxes: MailboxesFactory,
        *,
        metrics: Metrics,
        trace: Trace,
        visits: Visits,
        stopping: Signal,
    ) -> None:
        self._commands = {command.name: command for command in commands}
        self._services = services
        self._authentication = authentication
        self._mailboxes = mailboxes
        self._devices = Devices(services.state, services.clock, services.admission)
        self._presence = Presence(services.directory.people, services.identity, services.clock)
        self._metrics = metrics
        self._trace = trace
        self._visits = visits
        self._stopping = stopping
        self._newest = Newest(services.bus)

    def interrupt(self, user: UserId, device: DeviceId) -> None:
        """Have the requests of a device answered that are held, because something was decided of it."""
        self._newest.interrupt(user, device)

    def sign_out(self, user: UserId) -> None:
        """Have each login of a user checked anew, also of requests that are held: these are answered now."""
        self._authentication.forget(user)
        self._newest.interrupt(user)

    async def run(
        self,
        principal: Principal,
        request: head.EasRequest,
        headers: Mapping[str, str],
        receive: Receive,
        record: Record,
    ) -> Response:
        """Answer the request of who is known; the caller names what fails unexpectedly. Raises ClientGone."""
        try:
            admission = self._services.admission
            if not await self._knows_groups(principal, record):
                return Response(503, {"Retry-After": str(status.RETRY_AFTER)})
            admission.check_user(principal.user)
            command = self._find(request)
            device = await self._devices.of(principal.user, request)
            await self._presence.note(principal)
            now = self._services.clock.now()
            admission.check(request, device, now, needs_key=command.needs_policy_key)
            root, body = await self._read(command, request, headers, receive, record)
            if record.traced:
                self._trace.request(principal.user, request, root, 0 if root is not None else len(body))
            asked = Asked(principal.user, request.device_id, command.name)
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
                on_hold=lambda: self._newest.holds(asked),
            )
            in_quarantine = admission.access_of(device) is Access.QUARANTINE
            waits = in_quarantine and not quarantine.is_open(command.name, root)
            work = self._tracked(command, asked, context, root, body, quarantined=waits)
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
            return refused(request.command, request.version, error, record)
        if isinstance(reply, wbxml.Element) and command.status is not None:
            record.status = reply.child_text(command.status) or ""
        record.status, record.reason = record.status or context.status, context.reason
        self._visits.note(device, record.address, request.command, record.status)
        response.headers.update(context.reply_headers)
        return response

    async def _knows_groups(self, principal: Principal, record: Record) -> bool:
        """Whether it can be decided of the user at all: what he may do depends on his groups."""
        try:
            if self._services.groups is not None:
                await self._services.groups.learn(principal)
        except UpstreamError as error:
            record.reason = f"the groups of the user are not known: {error.detail}"
            return False
        return True

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
        record: Record,
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
        asked: Asked,
        context: Context,
        root: wbxml.Element | None,
        body: bytes,
        *,
        quarantined: bool,
    ) -> Reply:
        """Run the handler; an earlier request of the device for the same command is superseded by it."""
        self._newest.begin(asked, context.superseded)
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
            self._newest.end(asked, context.superseded)

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

    def _too_large(self, request: head.EasRequest, record: Record) -> Response:
        """The answer to a body beyond the limit: of a message to be sent, phones tell their user."""
        reason = f"body larger than {self._services.limits.max_body} bytes"
        if self._find(request).body is BodyRule.MIME and request.version.compose_in_wbxml:
            error = Refused(Kind.TOO_LARGE, reason)
            return refused(request.command, request.version, error, record)
        record.reason = reason
        return Response(413)
