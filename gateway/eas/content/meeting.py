"""Meeting mail: the class of a scheduling message and its MeetingRequest (MS-ASEMAIL 2.2.2.48).

    iTIP        MessageClass                        MeetingRequest
    REQUEST     IPM.Schedule.Meeting.Request        yes
    CANCEL      IPM.Schedule.Meeting.Canceled       yes
    REPLY       IPM.Schedule.Meeting.Resp.Pos ...   no: it is for attendees
    COUNTER     IPM.Schedule.Meeting.Resp.Tent      since 16.1, for the times that are proposed

A copy of one's own invitation is an ordinary mail: there is nothing to answer. So is every other method.

MeetingRequest is for attendees (MS-ASEMAIL 2.2.2.48), and who got the mail counts as one, whether or not the
calendar names him: lists and aliases stand there for their members, forwarded invitations name the one who
forwarded them, and nobody here can tell a member from a stranger. Phones have no other way to answer than
this element, so an invitation less costs more than one too many.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from gateway.eas.content.limits import LONGEST_UID
from gateway.eas.content.repeating import can_be_told
from gateway.eas.content.values import compact_date_time, date_time
from gateway.eas.versions import Version
from gateway.mail.addresses import Address
from gateway.mail.headers import clean
from gateway.pim.globalid import global_object_id
from gateway.pim.invitation import Answer, Busy, Invitation, Method, Own, Person, read_invitation
from gateway.pim.recurrence import Pattern, Recurrence
from gateway.pim.timezones import ZoneRules, pack, rules_at
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar, Email, Email2, MeetingResponse

__all__ = ["CONTENT_CLASS", "meeting_of", "meeting_request", "message_class"]

CONTENT_CLASS = "urn:content-classes:calendarmessage"
_LONGEST_TEXT = 32768
_LONGEST_REMINDER = 65535
_SINGLE, _SERIES, _EXCEPTION = 0, 1, 3
"""Values of InstanceType (MS-ASEMAIL 2.2.2.40)."""
_UNSPECIFIED, _INITIAL, _UPDATE = 0, 1, 2
"""Values of MeetingMessageType (MS-ASEMAIL 2.2.2.47)."""
_CLASSES = {
    Method.REQUEST: "IPM.Schedule.Meeting.Request",
    Method.CANCEL: "IPM.Schedule.Meeting.Canceled",
    Method.COUNTER: "IPM.Schedule.Meeting.Resp.Tent",
}
_ANSWERS = {
    Answer.ACCEPTED: "IPM.Schedule.Meeting.Resp.Pos",
    Answer.TENTATIVE: "IPM.Schedule.Meeting.Resp.Tent",
    Answer.DECLINED: "IPM.Schedule.Meeting.Resp.Neg",
}
_IN_MONTH = {Pattern.MONTHLY, Pattern.MONTHLY_NTH, Pattern.YEARLY, Pattern.YEARLY_NTH}


def meeting_of(text: str, method: str, owner: str, own: Own, zone: tzinfo) -> Invitation | None:
    """What a calendar in the mail of `owner` asks of him; None when the mail is an ordinary one.

    `own` tells of other addresses whether they are his too; `zone` is that of times in none.
    """
    found = read_invitation(text, method, zone)
    if found is None or (found.method is Method.REPLY and _answer(found) is None):
        return None
    address = found.known_as(owner, own)
    mine = found.organizer and address and found.organizer.address.lower() == address.lower()
    return None if mine and found.method in {Method.REQUEST, Method.CANCEL} else found


def message_class(invitation: Invitation) -> str:
    """The MessageClass of a scheduling message."""
    answer = _answer(invitation)
    if invitation.method is Method.REPLY and answer:
        return _ANSWERS[answer]
    return _CLASSES[invitation.method]


def meeting_request(
    invitation: Invitation, received: datetime, sender: str, owner: str, version: Version
) -> Element | None:
    """The element, where this message has one.

    `received` stands in for a stamp it lacks, and `sender` for an organizer, without whom phones are lost.
    """
    if invitation.method is Method.REPLY:
        return None
    if invitation.method is Method.COUNTER and version < Version.V16_1:
        return None
    if invitation.recurrence and not can_be_told(invitation.recurrence, version):
        invitation = replace(invitation, recurrence=None)
    made: list[Element] = []
    made += _times(invitation, received, version)
    made += _where_and_who(invitation, sender, owner, version)
    if invitation.recurrence:
        recurrence = element(Email.Recurrence, *_recurrence(invitation, invitation.recurrence, version))
        made.append(element(Email.Recurrences, recurrence))
    busy = Busy.FREE if invitation.method is Method.CANCEL else invitation.busy
    if busy is Busy.ELSEWHERE and version < Version.V16_0:
        busy = Busy.FREE
    made += [
        element(Email.Sensitivity, int(invitation.sensitivity)),
        element(Email.BusyStatus, int(busy)),
        element(Email.TimeZone, _time_zone(invitation, version)),
    ]
    made += _identity(invitation, version)
    return element(Email.MeetingRequest, *made)


def _answer(invitation: Invitation) -> Answer | None:
    """What the one who replies answers: a REPLY should name him alone (RFC 5546 3.2.3)."""
    return next((one.answer for one in invitation.attendees if one.answer), None)


def _times(invitation: Invitation, received: datetime, version: Version) -> Iterator[Element]:
    yield element(Email.AllDayEvent, invitation.all_day)
    if invitation.start:
        yield element(Email.StartTime, _time(invitation, invitation.start, version))
    yield element(Email.DtStamp, date_time(invitation.stamp or received))
    if invitation.end:
        yield element(Email.EndTime, _time(invitation, invitation.end, version))
    kind = _SINGLE
    if invitation.recurrence_id:
        kind = _EXCEPTION
    elif invitation.recurrence:
        kind = _SERIES
    yield element(Email.InstanceType, kind)


def _time(invitation: Invitation, moment: datetime, version: Version) -> str:
    return date_time(_moment(invitation, moment, version))


def _moment(invitation: Invitation, moment: datetime, version: Version) -> datetime:
    """A time of the event, in its zone: of whole days the date alone counts in 16.x, in every zone."""
    dated = invitation.all_day and version >= Version.V16_0
    return moment.replace(tzinfo=UTC) if dated else moment


def _where_and_who(invitation: Invitation, sender: str, owner: str, version: Version) -> Iterator[Element]:
    location = clean(invitation.location)[:_LONGEST_TEXT]
    if location and version >= Version.V16_0:
        yield element(AirSyncBase.Location, element(AirSyncBase.DisplayName, location))
    elif location:
        yield element(Email.Location, location)
    organizer = _address(invitation.organizer) or sender
    if organizer:
        yield element(Email.Organizer, organizer[:_LONGEST_TEXT])
    if invitation.recurrence_id:
        yield element(Email.RecurrenceId, _time(invitation, invitation.recurrence_id, version))
    seconds = int(invitation.reminder.total_seconds()) if invitation.reminder is not None else None
    if seconds is not None and seconds <= _LONGEST_REMINDER:
        yield element(Email.Reminder, seconds)
    asked = invitation.method is Method.REQUEST and invitation.wants_answer(owner)
    yield element(Email.ResponseRequested, asked)


def _address(person: Person | None) -> str:
    return str(Address(clean(person.name), clean(person.address))) if person and person.address else ""


def _recurrence(invitation: Invitation, recurrence: Recurrence, version: Version) -> Iterator[Element]:
    yield element(Email.Type, int(recurrence.pattern))
    yield element(Email.Interval, recurrence.interval)
    if recurrence.until:
        until = recurrence.until.astimezone(invitation.zone)
        yield element(Email.Until, compact_date_time(_moment(invitation, until, version)))
    for tag, number in (
        (Email.Occurrences, recurrence.occurrences),
        (Email.WeekOfMonth, recurrence.week),
        (Email.DayOfMonth, recurrence.day_of_month),
        (Email.DayOfWeek, recurrence.days or None),
        (Email.MonthOfYear, recurrence.month),
    ):
        if number is not None:
            yield element(tag, number)
    if version >= Version.V14_0:
        if recurrence.pattern in _IN_MONTH:
            yield element(Email2.CalendarType, recurrence.calendar_type)
        yield element(Email2.IsLeapMonth, recurrence.leap_month)
    if version >= Version.V14_1:
        yield element(Email2.FirstDayOfWeek, recurrence.first_day)


def _time_zone(invitation: Invitation, version: Version) -> str:
    if invitation.start is None or (invitation.all_day and version >= Version.V16_0):
        return pack(ZoneRules.fixed(0))
    return pack(rules_at(invitation.zone, invitation.start.astimezone(UTC)))


def _identity(invitation: Invitation, version: Version) -> Iterator[Element]:
    uid = clean(invitation.uid)
    if version < Version.V16_0:
        occurrence = invitation.recurrence_id.date() if invitation.recurrence_id else None
        name = base64.b64encode(global_object_id(uid, occurrence)).decode("ascii")
        yield element(Email.GlobalObjId, name)
    if version >= Version.V14_0:
        yield element(Email.DisallowNewTimeProposal, not invitation.may_counter)
    if version >= Version.V14_1:
        kind = _UNSPECIFIED
        if invitation.method is Method.REQUEST:
            kind = _UPDATE if invitation.sequence else _INITIAL
        yield element(Email2.MeetingMessageType, kind)
    if version >= Version.V16_0:
        yield element(Calendar.UID, uid[:LONGEST_UID])
    if version >= Version.V16_1 and invitation.proposed:
        start, end = invitation.proposed
        yield element(MeetingResponse.ProposedStartTime, compact_date_time(start))
        yield element(MeetingResponse.ProposedEndTime, compact_date_time(end))
