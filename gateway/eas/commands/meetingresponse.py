"""MeetingResponse (MS-ASCMD 2.2.1.11): the user answers invitations, each with a Status of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from gateway.eas import fields, meetings, status
from gateway.eas.answers import Response, Wording
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.content.ids import (
    ItemName,
    MessageName,
    parse_item_server_id,
    parse_long_id,
    parse_server_id,
)
from gateway.eas.content.preferences import HTML, PLAIN
from gateway.eas.content.readers import parse_moment
from gateway.eas.content.values import BadItem, parse_date_time
from gateway.eas.responding import respond
from gateway.eas.versions import Version
from gateway.errors import ENDS_REQUEST, GatewayError
from gateway.pim.events.model import Participation
from gateway.sync.itemfolders import is_item_name
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Search
from wbxml.pages import MeetingResponse as Page

_SUCCESS = 1
_MOST = 100
_ANSWERS: Mapping[int, Participation] = {
    1: Participation.ACCEPTED,
    2: Participation.TENTATIVE,
    3: Participation.DECLINED,
}


class MeetingResponse:
    """Answers invitations. Up to 14.1 the device mails its reply itself; since then the server does."""

    name = "MeetingResponse"
    code = 15
    root = Page.MeetingResponse
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises what concerns the whole request: `Refused` and `ENDS_REQUEST`."""
        root = fields.document(root)
        requests = root.findall(Page.Request)
        if not 0 < len(requests) <= _MOST or len(requests) != len(root):
            raise fields.malformed("no Request, too many, or something else")
        reply = element(Page.MeetingResponse)
        for request in requests:
            # Once begun it goes on when the client goes away: it would only ask again.
            work = context.services.background.start(_result(context, request))
            reply.append(await asyncio.shield(work))
        meetings.mail(context)  # what a repeated answer stored before, too
        return reply


async def _result(context: Context, request: Element) -> Element:
    named = request.find(Page.RequestId)
    result = element(Page.Result)
    if named is not None:
        result.add(Page.RequestId, named.text())
    calendar = None
    value = _SUCCESS
    try:
        calendar = await respond(context, _response(context, request))
    except ENDS_REQUEST:
        raise  # it concerns every request
    except GatewayError as error:
        version = context.request.version
        value = status.value("MeetingResponse", status.Level.ITEM, error.kind, version)
        context.note("", f"answer refused: {error.detail}, Status {value}")
    result.add(Page.Status, str(value))
    if calendar is not None:
        result.add(Page.CalendarId, calendar)
    instance = request.find(Page.InstanceId)
    if instance is not None and value == _SUCCESS:
        result.add(Page.InstanceId, instance.text())
    return result


def _response(context: Context, request: Element) -> Response:
    """What a Request asks for. Raises `Refused`."""
    version = context.request.version
    answer = _ANSWERS.get(fields.number(request, Page.UserResponse) or 0)
    if answer is None:
        raise fields.malformed("UserResponse is neither 1, 2 nor 3")
    named = _named(context, request)
    instance = fields.only(request, Page.InstanceId)
    text = instance.text().strip() if instance is not None else ""
    if instance is not None and not text:
        raise fields.malformed("an InstanceId of nothing")
    if instance is not None and version < Version.V14_1:
        raise fields.malformed("an InstanceId before 14.1")
    if text and isinstance(named, ItemName):
        parse_date_time(text)
    if isinstance(named, ItemName) and version < Version.V14_1:
        raise fields.malformed("an event is answered before 14.1")
    return Response(named, text, answer, _wording(request, version))


def _named(context: Context, request: Element) -> MessageName | ItemName:
    long_id = (request.child_text(Search.LongId) or "").strip()
    item = (request.child_text(Page.RequestId) or "").strip()
    folder = (request.child_text(Page.CollectionId) or "").strip()
    if bool(long_id) == bool(item) or (long_id and folder):
        raise fields.malformed("the invitation is named in no way, or in two")
    if long_id:
        return parse_long_id(context.principal.user, long_id)
    if not folder:
        raise fields.malformed("a RequestId without a CollectionId")
    name = parse_item_server_id(item) if is_item_name(item) else parse_server_id(item)
    if name.collection != folder:
        raise fields.malformed("an item of another collection")
    return name


def _wording(request: Element, version: Version) -> Wording | None:
    """What SendResponse asks for; None without one."""
    sent = fields.only(request, Page.SendResponse)
    if sent is None or version < Version.V16_0:
        return None
    text, rich = "", False
    body = fields.only(sent, AirSyncBase.Body)
    if body is not None:
        kind = fields.number(body, AirSyncBase.Type, PLAIN)
        if kind not in {PLAIN, HTML}:
            raise fields.malformed("a Body that is neither text nor HTML")
        text, rich = body.child_text(AirSyncBase.Data) or "", kind == HTML
    times = [fields.only(sent, tag) for tag in (Page.ProposedStartTime, Page.ProposedEndTime)]
    if version < Version.V16_1 or times == [None, None]:
        return Wording(text, rich and bool(text))
    try:
        start, end = (parse_moment(one.text().strip()) for one in times if one is not None)
    except (BadItem, ValueError):
        raise fields.malformed("one time is proposed without the other, or is none") from None
    if end < start:
        raise fields.malformed("an end is proposed that is before the start")
    return Wording(text, rich and bool(text), (start, end))
