"""Serving ResolveRecipients: each name is looked up, and what was asked of whom it means is told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.commands.resolverecipients.request import Span, Wanted, parse
from gateway.eas.content.galentry import NO_PICTURE
from gateway.eas.versions import Version
from gateway.errors import GatewayError, Kind, Refused
from gateway.ports.directory import Entry, Found
from gateway.sync.freebusy import free_busy
from wbxml import Element, element
from wbxml.pages import ResolveRecipients as Page

_SUCCESS = 1
_RESOLVED, _AMBIGUOUS, _AMBIGUOUS_IN_PART, _UNKNOWN = 1, 2, 3, 4
_FROM_DIRECTORY = 1
_NO_CERTIFICATE = 7
_TOO_MANY, _LATER, _NO_DATA = 160, 162, 163
_MOST_SUGGESTIONS = 100
_PATIENCE = 10.0
"""Seconds for the availability of all recipients together."""


class ResolveRecipients:
    """Serves the directory; there are neither certificates nor pictures in it."""

    name = "ResolveRecipients"
    code = 21
    root = Page.ResolveRecipients
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` (Status 5) for a request that is none, `GatewayError` of the directory (6)."""
        if root is None:
            raise Refused(Kind.INVALID_CONTENT, "ResolveRecipients without a body")
        wanted = parse(root, context.request.version)
        answer = _Answer(context, wanted, asyncio.get_running_loop().time() + _PATIENCE)
        reply = element(Page.ResolveRecipients, element(Page.Status, _SUCCESS))
        for name in wanted.names:
            reply.append(await answer.response(name))
        return reply


@dataclass(slots=True)
class _Answer:
    """One answer in the making; `until` is when the time for availability is over."""

    context: Context
    wanted: Wanted
    until: float
    known: dict[str, Element] = field(default_factory=dict)
    """Availability by address: names may come twice, and mean the same."""

    async def response(self, name: str) -> Element:
        found = await self._look_up(name)
        response = element(Page.Response, element(Page.To, name))
        if not found.total:
            response.append(element(Page.Status, _UNKNOWN))
            return response
        if found.total == 1:
            status = _RESOLVED
        else:
            status = _AMBIGUOUS if len(found.entries) == found.total else _AMBIGUOUS_IN_PART
        response.append(element(Page.Status, status))
        response.append(element(Page.RecipientCount, found.total))
        for entry in found.entries:
            response.append(await self._recipient(entry, resolved=status == _RESOLVED))
        return response

    async def _look_up(self, name: str) -> Found:
        """Whom a name means: with one entry, or with as many suggestions as wanted."""
        services, viewer = self.context.services, self.context.principal
        found = await services.directory.resolve(viewer, name, _MOST_SUGGESTIONS)
        if not found.total and self.wanted.availability:
            user = await services.directory.user_behind(viewer, name)
            return Found((user,), 1) if user else found
        if found.total > 1 and self.wanted.most_suggestions is not None:
            return Found(found.entries[: self.wanted.most_suggestions], found.total)
        return found

    async def _recipient(self, entry: Entry, *, resolved: bool) -> Element:
        recipient = element(
            Page.Recipient,
            element(Page.Type, _FROM_DIRECTORY),
            element(Page.DisplayName, entry.name or entry.address),
            element(Page.EmailAddress, entry.address),
        )
        if resolved and self.wanted.availability:
            address = entry.address.lower()
            if address not in self.known:
                self.known[address] = await self._availability(address, self.wanted.availability)
            recipient.append(self.known[address])
        if resolved and self.wanted.certificates:
            recipient.append(element(Page.Certificates, element(Page.Status, _NO_CERTIFICATE)))
        if self.wanted.pictures:
            recipient.append(element(Page.Picture, element(Page.Status, NO_PICTURE)))
        return recipient

    async def _availability(self, address: str, span: Span) -> Element:
        if self.wanted.too_many:
            return _no_availability(_TOO_MANY)
        services, viewer = self.context.services, self.context.principal
        if asyncio.get_running_loop().time() >= self.until:
            return _no_availability(_LATER)
        try:
            users = await services.directory.users_at(viewer, address)
            if not users:
                return _no_availability(_NO_DATA)
            digits = await free_busy(
                services.items,
                users,
                address,
                span.start,
                span.end,
                zone=services.zone,
                until=self.until,
            )
        except GatewayError as error:
            self.context.note(str(_LATER), error.detail)
            return _no_availability(_LATER)
        return element(
            Page.Availability, element(Page.Status, _SUCCESS), element(Page.MergedFreeBusy, digits)
        )


def _no_availability(status: int) -> Element:
    return element(Page.Availability, element(Page.Status, status))
