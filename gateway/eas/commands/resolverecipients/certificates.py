"""The certificates of a recipient, or of all members of a group (MS-ASCMD 2.2.3.23.1)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.eas.commands.base import Context
from gateway.eas.commands.resolverecipients.request import Retrieval
from gateway.ports.directory import Entry
from gateway.sync.background import compute
from wbxml import Element, element
from wbxml.pages import ResolveRecipients as Page

__all__ = ["Certificates"]

_SUCCESS, _NONE, _LIMIT = 1, 7, 8
_MOST_MEMBERS = 200
_MOST = 1000
"""Certificates in an answer to a device that sets no limit; each has some thousand octets."""


@dataclass(slots=True)
class Certificates:
    """Answers for one request. Nobody gets a part of what he has (MS-ASCMD 2.2.3.101).

    A mini-certificate is a form of Exchange's own that is published nowhere. A device that asks for some is
    told how many certificates there are, and that they are not in the answer: it can ask for these.
    """

    context: Context
    retrieval: Retrieval
    left: int = _MOST

    async def element(self, entry: Entry) -> Element:
        """The element Certificates of somebody, or of a group. Raises `UpstreamError`."""
        if not entry.group:
            return self._answer(await self._of([entry]), 1)
        services, viewer = self.context.services, self.context.principal
        members = await services.directory.members(viewer, entry, _MOST_MEMBERS)
        if members is None or not members.entries:
            return element(Page.Certificates, element(Page.Status, _NONE))
        if not members.complete:
            return _counted(_LIMIT, len(members.entries), len(members.entries))
        return self._answer(await self._of(members.entries, each=1), len(members.entries))

    async def _of(self, entries: Sequence[Entry], each: int | None = None) -> list[bytes]:
        """The certificates of people, all or so many of each, the newest."""
        services, viewer = self.context.services, self.context.principal
        stored = await services.directory.certificates(viewer, entries)
        of_each = [stored.get(entry.address.lower(), ()) for entry in entries]
        return await compute(_newest, of_each, services.clock.now(), each)

    def _answer(self, certificates: list[bytes], recipients: int) -> Element:
        """`recipients` is how many people there are; by it the device sees whether each has a certificate."""
        if not certificates:
            return element(Page.Certificates, element(Page.Status, _NONE))
        count = len(certificates)
        if count > self.left or self.retrieval is Retrieval.MINI:
            return _counted(_LIMIT, count, recipients)
        self.left -= count
        told = _counted(_SUCCESS, count, recipients)
        told.extend(element(Page.Certificate, base64.b64encode(one).decode("ascii")) for one in certificates)
        return told


def _newest(stored: Sequence[Sequence[bytes]], now: datetime, each: int | None) -> list[bytes]:
    """Of what is stored of each recipient, all or so many certificates, the newest."""
    # What reads certificates is large, and few directories have any.
    from gateway.mail.recipientcerts import encryption_certificates  # noqa: PLC0415

    return [one for certificates in stored for one in encryption_certificates(certificates, now)[:each]]


def _counted(status: int, count: int, recipients: int) -> Element:
    return element(
        Page.Certificates,
        element(Page.Status, status),
        element(Page.CertificateCount, count),
        element(Page.RecipientCount, recipients),
    )
