"""Serving ResolveRecipients: each name is looked up, and what was asked of whom it means is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.commands.resolverecipients.availability import Availability
from gateway.eas.commands.resolverecipients.certificates import Certificates
from gateway.eas.commands.resolverecipients.request import Retrieval, Wanted, parse
from gateway.eas.mergeddirectories import all_answers
from gateway.eas.pictures import Photos
from gateway.eas.versions import Version
from gateway.errors import UpstreamError
from gateway.ports.directory import Entry, Found
from wbxml import Element, element
from wbxml.pages import ResolveRecipients as Page

_SUCCESS = 1
_RESOLVED, _AMBIGUOUS, _AMBIGUOUS_IN_PART, _UNKNOWN = 1, 2, 3, 4
_FROM_DIRECTORY, _CONTACT = 1, 2
_MOST_SUGGESTIONS = 100
_AT_ONCE = 8
_PICTURE = (Page.Picture, Page.Status, Page.Data)
_PATIENCE = 10.0
"""Seconds for the availability of all recipients together."""
_WHOLE = 25.0
"""Seconds for the whole answer: phones hang up on who says nothing for half a minute."""


class ResolveRecipients:
    """Serves the directories and the address books of who asks."""

    name = "ResolveRecipients"
    code = 21
    root = Page.ResolveRecipients
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` (Status 5) for a request that is none, `UpstreamError` of a directory (6)."""
        root = fields.document(root)
        wanted = parse(root, context.request.version)
        answer = _Answer.begin(context, wanted)
        reply = element(Page.ResolveRecipients, element(Page.Status, _SUCCESS))
        try:
            async with asyncio.timeout(_WHOLE):
                found = await answer.look_up()
                for name in wanted.names:
                    reply.append(await answer.response(name, found[name]))
        except TimeoutError:
            raise UpstreamError("the directory answers too slowly") from None
        return reply


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer in the making, with what counts or is remembered over all its names."""

    context: Context
    wanted: Wanted
    availability: Availability | None
    certificates: Certificates | None

    @classmethod
    def begin(cls, context: Context, wanted: Wanted) -> _Answer:
        until = asyncio.get_running_loop().time() + _PATIENCE
        span = wanted.availability
        certificates = None
        if wanted.certificates is not Retrieval.NONE:
            certificates = Certificates(context, wanted.certificates)
            if wanted.most_certificates is not None:
                certificates.left = min(certificates.left, wanted.most_certificates)
        return cls(
            context,
            wanted,
            Availability(context, span, wanted.too_many, until) if span else None,
            certificates,
        )

    async def look_up(self) -> Mapping[str, Found]:
        """Whom each name means. A directory may be far away, so some are looked up at a time."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def means(name: str) -> tuple[str, Found]:
            async with gate:
                return name, await self._look_up(name)

        return dict(await all_answers(means(name) for name in set(self.wanted.names)))

    async def response(self, name: str, found: Found) -> Element:
        """The Response to a name, and whom it means."""
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
        recipients = [await self._recipient(one, resolved=status == _RESOLVED) for one in found.entries]
        await self._add_pictures(found.entries, recipients)
        response.extend(recipients)
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
        """Somebody, with what is told only of whom a name means for sure."""
        recipient = element(
            Page.Recipient,
            element(Page.Type, _CONTACT if entry.contact else _FROM_DIRECTORY),
            element(Page.DisplayName, entry.name or entry.address),
            element(Page.EmailAddress, entry.address),
        )
        if resolved and self.availability:
            recipient.append(await self.availability.element(entry))
        if resolved and self.certificates:
            recipient.append(await self.certificates.element(entry))
        return recipient

    async def _add_pictures(self, entries: tuple[Entry, ...], recipients: list[Element]) -> None:
        """The limits count for each name by itself (MS-ASCMD 2.2.3.104.2)."""
        if self.wanted.pictures is None:
            return
        services, viewer = self.context.services, self.context.principal
        known = await services.directory.pictures(viewer, entries)
        photos = Photos(self.wanted.pictures, _PICTURE)
        for entry, recipient in zip(entries, recipients, strict=True):
            recipient.append(photos.element(known.get(entry.address.lower())))
