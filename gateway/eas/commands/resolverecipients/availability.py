"""When a recipient is free, or all members of a group are (MS-ASCMD 2.2.3.16, 2.2.3.107)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce

from gateway.eas.commands.base import Context
from gateway.eas.commands.resolverecipients.request import Span
from gateway.errors import GatewayError, StoreUnavailable
from gateway.pim.events.freebusy import NO_DATA, no_free_busy
from gateway.ports.directory import Entry
from gateway.sync.freebusy import free_busy
from wbxml import Element, element
from wbxml.pages import ResolveRecipients as Page

__all__ = ["Availability"]

_MOST_MEMBERS = 20
"""Of a group for which it means something that one of them is busy (MS-ASCMD 2.2.3.183)."""
_SUCCESS = 1
_TOO_MANY, _GROUP_TOO_LARGE, _LATER, _NO_DATA = 160, 161, 162, 163
_RANK = f"0{NO_DATA}123".index
"""What is said of a half hour: that somebody is busy counts more than that nothing is known of another."""


@dataclass(slots=True)
class Availability:
    """Answers for one request; `until` is when the time for it is over, by the clock of the event loop."""

    context: Context
    span: Span
    too_many: bool
    until: float
    _known: dict[str, Element] = field(default_factory=dict)
    """By address: names may come twice, and mean the same."""

    async def element(self, entry: Entry) -> Element:
        """The element Availability of somebody, or of a group."""
        address = entry.address.lower()
        if address not in self._known:
            self._known[address] = await self._element(entry)
        return self._known[address]

    async def _element(self, entry: Entry) -> Element:
        if self.too_many:
            return _refusal(_TOO_MANY)
        if asyncio.get_running_loop().time() >= self.until:
            return _refusal(_LATER)
        try:
            if not entry.group:
                return _answer(await self._digits(entry))
            services, viewer = self.context.services, self.context.principal
            members = await services.directory.members(viewer, entry, _MOST_MEMBERS)
            if members is None:
                return _refusal(_NO_DATA)
            if not members.complete:
                return _refusal(_GROUP_TOO_LARGE)
            return _answer(await self._together(members.entries))
        except StoreUnavailable:
            raise  # it concerns every recipient, other than a directory that is away
        except GatewayError as error:
            self.context.note(str(_LATER), error.detail)
            return _refusal(_LATER)

    async def _together(self, members: Sequence[Entry]) -> str | None:
        """The digits of people merged, 4 where one of them is unknown and nobody busy; None: all are."""
        known = [await self._digits(member) for member in members]
        if not any(known):
            return None
        unknown = no_free_busy(self.span.start, self.span.end)
        return reduce(_merged, (digits or unknown for digits in known))

    async def _digits(self, entry: Entry) -> str | None:
        """One digit for each half hour; None: nothing is known of him, or not to be told."""
        services, viewer = self.context.services, self.context.principal
        users = await services.directory.users_at(viewer, *entry.addresses)
        if not users:
            return None
        return await free_busy(
            services.items,
            users,
            entry.address.lower(),
            self.span.start,
            self.span.end,
            zone=services.zone,
            until=self.until,
        )


def _merged(one: str, other: str) -> str:
    return "".join(max(pair, key=_RANK) for pair in zip(one, other, strict=True))


def _answer(digits: str | None) -> Element:
    if digits is None:
        return _refusal(_NO_DATA)
    return element(Page.Availability, element(Page.Status, _SUCCESS), element(Page.MergedFreeBusy, digits))


def _refusal(status: int) -> Element:
    return element(Page.Availability, element(Page.Status, status))
