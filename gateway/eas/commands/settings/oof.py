"""Oof in Settings (MS-ASCMD 2.2.3.122): out-of-office replies told and changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.eas import fields
from gateway.eas.acquaintances import known_addresses
from gateway.eas.commands.base import Context
from gateway.eas.commands.settings.properties import answered
from gateway.eas.content.values import date_time, parse_date_time
from gateway.errors import Kind, Refused
from gateway.mail import html
from gateway.ports.filters import Audience, AutoReply, AwayState, OutOfOffice
from gateway.sync.absence import LEASE, KeptReplies
from gateway.types import NO_DEVICE
from wbxml import Element, Tag, element
from wbxml.pages import Settings as Page

__all__ = ["answer"]

_LONGEST_REPLY = 128_000
"""Characters of one text."""
_MOST_KNOWN = 1000
"""Addresses that a mail server is told of as those the user knows."""
_STATES = {"0": AwayState.OFF, "1": AwayState.ON, "2": AwayState.TIMED}
_STATE_VALUES = {state: value for value, state in _STATES.items()}
_AUDIENCES: Mapping[Tag, Audience] = {
    Page.AppliesToInternal: Audience.INTERNAL,
    Page.AppliesToExternalKnown: Audience.KNOWN,
    Page.AppliesToExternalUnknown: Audience.UNKNOWN,
}


async def answer(context: Context, asked: Element) -> Element:
    """Tell what holds (Get), or change it (Set).

    Raises `Refused` for a request that cannot be done, and what `Filters` raises.
    """
    get, wanted = fields.only(asked, Page.Get), fields.only(asked, Page.Set)
    if (get is None) == (wanted is None):
        raise fields.malformed("Oof holds neither Get nor Set alone")
    if wanted is None:
        html_wanted = _is_html(fields.required(asked, Page.Get))
        return answered(asked, _told(await _Absence(context).now(), html_wanted=html_wanted))
    await _Absence(context).change(_parse(wanted))
    return answered(asked)


def _is_html(parent: Element) -> bool:
    """The required BodyType, in any case of letters."""
    match fields.required(parent, Page.BodyType).text().strip().lower():
        case "text":
            return False
        case "html":
            return True
        case _:
            raise fields.malformed("a BodyType is neither Text nor HTML")


# --- Get ---------------------------------------------------------------------------------------------------


def _told(away: OutOfOffice, *, html_wanted: bool) -> Element:
    told = element(Page.Get, element(Page.OofState, _STATE_VALUES[away.state]))
    if away.state is AwayState.TIMED and away.start and away.end:
        told.add(Page.StartTime, date_time(away.start))
        told.add(Page.EndTime, date_time(away.end))
    for tag, audience in _AUDIENCES.items():
        reply = away.replies[audience]
        message = element(Page.OofMessage, element(tag), element(Page.Enabled, int(reply.enabled)))
        message.append(element(Page.ReplyMessage, _in_form(reply, html_wanted=html_wanted)))
        message.append(element(Page.BodyType, "HTML" if html_wanted else "Text"))
        told.append(message)
    return told


def _in_form(reply: AutoReply, *, html_wanted: bool) -> str:
    """The text in the form that was asked for, whichever it was given in."""
    if reply.html == html_wanted or not reply.text:
        return reply.text
    return html.from_text(reply.text) if html_wanted else html.to_text(reply.text)


# --- Set ---------------------------------------------------------------------------------------------------


class _Absence:
    """What holds for a user: on the mail server if that answers people, else that nobody is answered.

    What he cannot have is refused, but the texts are kept, for him to find them again.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._filters = context.services.filters
        self._kept = KeptReplies(context.services.state, context.principal.user)

    async def now(self) -> OutOfOffice:
        """Raises what `Filters` raises."""
        held = OutOfOffice()
        if self._filters is not None:
            held = await self._filters.out_of_office(self._context.principal)
        return await self._or_kept(held)

    async def change(self, change: _Change) -> None:
        """Raises `Refused` and what `Filters` raises."""
        context = self._context
        async with context.services.state.lease(context.principal.user, NO_DEVICE, LEASE):
            try:
                await self._have_answered(change)
            except Refused as error:
                if error.kind is Kind.ACCESS_DENIED:
                    await self._kept.keep(change.apply(await self.now()))
                raise

    async def _have_answered(self, change: _Change) -> None:
        """Have the mail server answer people, or not any more."""
        context = self._context

        async def changed(held: OutOfOffice) -> OutOfOffice:
            away = change.apply(await self._or_kept(held))
            if not away.tells_known_apart:
                return away
            items, user = context.services.items, context.principal.user
            return replace(away, known=await known_addresses(items, user, _MOST_KNOWN))

        if self._filters is not None:
            addresses = context.services.identity.addresses(context.principal.email)
            await self._filters.change_out_of_office(context.principal, addresses, changed)
            await self._kept.forget()
            return
        away = change.apply(await self._kept.load())
        if away.state is not AwayState.OFF:
            raise Refused(Kind.ACCESS_DENIED, "there is no server that sends replies (section [sieve])")
        await self._kept.keep(away)

    async def _or_kept(self, held: OutOfOffice) -> OutOfOffice:
        """What the mail server holds; what is kept when it holds nothing."""
        return await self._kept.load() if held == OutOfOffice() else held


@dataclass(frozen=True, slots=True)
class _Message:
    """What is said of one audience; None where nothing is."""

    enabled: bool | None
    text: str | None
    html: bool


@dataclass(frozen=True, slots=True)
class _Change:
    """What a Set says; None where it says nothing."""

    state: AwayState | None
    times: tuple[datetime, datetime] | None
    messages: Mapping[Audience, _Message]

    def apply(self, held: OutOfOffice) -> OutOfOffice:
        """Raises `Refused` when a time-limited absence has no times, or ends before it begins.

        Times beside another state count for nothing, whatever they are (MS-ASCMD 2.2.3.124).
        """
        replies = {audience: self._reply(audience, reply) for audience, reply in held.replies.items()}
        away = replace(held, state=self.state or held.state, replies=replies)
        if away.state is not AwayState.TIMED:
            return replace(away, start=None, end=None)
        if self.times is not None:
            away = replace(away, start=self.times[0], end=self.times[1])
        if away.start is None or away.end is None:
            raise Refused(Kind.INVALID_CONTENT, "OofState 2 without times")
        if away.start >= away.end:
            raise Refused(Kind.CONFLICT, "the EndTime is not after the StartTime")
        return away

    def _reply(self, audience: Audience, held: AutoReply) -> AutoReply:
        message = self.messages.get(audience)
        if message is None:
            return held
        enabled = held.enabled if message.enabled is None else message.enabled
        if message.text is None:
            return replace(held, enabled=enabled)
        return AutoReply(enabled, message.text, message.html)


def _parse(wanted: Element) -> _Change:
    state = fields.only(wanted, Page.OofState)
    if state is not None and state.text().strip() not in _STATES:
        raise Refused(Kind.INVALID_CONTENT, "an OofState is none of 0, 1 and 2")
    messages: dict[Audience, _Message] = {}
    for one in wanted.findall(Page.OofMessage):
        audience, message = _message(one)
        if audience in messages:
            raise fields.malformed(f"two messages for {audience}")
        messages[audience] = message
    return _Change(None if state is None else _STATES[state.text().strip()], _times(wanted), messages)


def _times(wanted: Element) -> tuple[datetime, datetime] | None:
    start, end = fields.only(wanted, Page.StartTime), fields.only(wanted, Page.EndTime)
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise fields.malformed("one of StartTime and EndTime without the other")
    return parse_date_time(start.text()), parse_date_time(end.text())


def _message(one: Element) -> tuple[Audience, _Message]:
    named = [tag for tag in _AUDIENCES if fields.only(one, tag) is not None]
    if len(named) != 1:
        raise fields.malformed("a message for no audience, or for several")
    said = fields.only(one, Page.Enabled) is not None
    enabled = fields.boolean(one, Page.Enabled, default=True) if said else None
    reply = fields.only(one, Page.ReplyMessage)
    if reply is None:
        return _AUDIENCES[named[0]], _Message(enabled, None, html=False)
    if len(reply.text()) > _LONGEST_REPLY:
        raise Refused(Kind.INVALID_CONTENT, "a ReplyMessage is too long")
    return _AUDIENCES[named[0]], _Message(enabled, reply.text(), html=_is_html(one))
