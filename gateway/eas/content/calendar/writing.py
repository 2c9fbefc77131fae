"""Events as devices see them: ApplicationData (MS-ASCAL 2.2.2).

The order of the elements is free, but some devices read TimeZone and StartTime before AllDayEvent, and the
organizer before the exceptions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from gateway.eas.content.calendar.files import shown_files
from gateway.eas.content.calendar.notes import native_type, shown_body
from gateway.eas.content.calendar.people import meeting_status, shown_attendees
from gateway.eas.content.calendar.places import shown_location
from gateway.eas.content.calendar.series import shown_recurrence
from gateway.eas.content.calendar.times import shown, shown_zone
from gateway.eas.content.ids import ItemName
from gateway.eas.content.limits import LONGEST_UID, MOST_CATEGORIES
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.content.values import compact_date_time
from gateway.eas.versions import Version
from gateway.mail.headers import clean
from gateway.pim.events.model import Busy, Event, Occurrence, Response
from gateway.pim.limits import MOST_EXCEPTIONS
from gateway.pim.timezones import ZoneRules, pack
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Calendar

__all__ = ["shown_event", "shown_properties", "shown_stub"]

_ANSWERS = frozenset({Response.TENTATIVE, Response.ACCEPTED, Response.DECLINED})
_MINUTE = timedelta(minutes=1)
_LENGTH_OF_STUB = timedelta(minutes=30)


def shown_event(event: Event, version: Version, item: ItemName, options: BodyOptions) -> list[Element]:
    """All that a device is told of an event."""
    made = [*shown_properties(event, version), *shown_body(event.body, options, version)]
    if version >= Version.V12_0:
        made.append(element(AirSyncBase.NativeBodyType, native_type(event.body)))
    if version >= Version.V16_0 and event.files:
        made.append(shown_files(event.files, item))
    if version >= Version.V16_0 and event.original and not event.recurring:
        made.append(element(AirSyncBase.InstanceId, shown(event.original, version, all_day=event.all_day)))
    if event.recurrence:
        made.append(shown_recurrence(event, event.recurrence, version))
        made.extend(_exceptions(event, version, item, options))
    return made


def shown_properties(event: Event, version: Version) -> list[Element]:
    """What of an event is neither text nor file nor series."""
    made = [*shown_zone(event, version), *_stamps(event)]
    made += _times(event, version)
    made += [
        element(Calendar.AllDayEvent, event.all_day),
        element(Calendar.Subject, _subject(event)),
        element(Calendar.UID, clean(event.uid)[:LONGEST_UID]),
        *_organizer(event),
        *_unless_empty(shown_location(event.location, version), version),
        *_unless_empty(shown_attendees(event.attendees, version), version),
        *_unless_empty(_categories(event), version),
        *_unless_empty(_reminder(event), version),
        element(Calendar.Sensitivity, int(event.sensitivity)),
        element(Calendar.BusyStatus, _busy(event, version)),
        element(Calendar.MeetingStatus, meeting_status(event)),
    ]
    if version >= Version.V14_0:
        if event.response_requested is not None:
            made.append(element(Calendar.ResponseRequested, event.response_requested))
        made.append(element(Calendar.DisallowNewTimeProposal, not event.may_counter))
        made.append(element(Calendar.ResponseType, int(event.response)))
        if event.reply_time and event.response in _ANSWERS:
            made.append(element(Calendar.AppointmentReplyTime, compact_date_time(event.reply_time)))
    if version >= Version.V14_1:
        made += (one for one in _links(event) if one.value)
    return made


def shown_stub(uid: str, start: datetime, version: Version) -> list[Element]:
    """What stands for an event that cannot be shown."""
    end = start + _LENGTH_OF_STUB
    return [
        element(Calendar.Timezone, pack(ZoneRules.fixed(0))),
        element(Calendar.StartTime, compact_date_time(start)),
        element(Calendar.EndTime, compact_date_time(end)),
        element(Calendar.AllDayEvent, 0),
        element(Calendar.Subject, "(This event cannot be shown)"),
        element(Calendar.UID, clean(uid)[:LONGEST_UID]),
        element(Calendar.BusyStatus, int(Busy.FREE)),
        *shown_body(None, BodyOptions(), version),
    ]


def _unless_empty(made: Element, version: Version) -> Iterator[Element]:
    """Since 16.0 an element that is not there may mean no change, and an empty one that nothing is left."""
    if version >= Version.V16_0 or made.value or made.children:
        yield made


# --- single properties -------------------------------------------------------------------------------------


def _stamps(event: Event) -> Iterator[Element]:
    stamp = event.stamp or event.modified or event.created
    if stamp:
        yield element(Calendar.DtStamp, compact_date_time(stamp))


def _times(event: Event, version: Version) -> list[Element]:
    return [
        element(Calendar.StartTime, shown(event.start, version, all_day=event.all_day)),
        element(Calendar.EndTime, shown(event.end, version, all_day=event.all_day)),
    ]


def _subject(event: Event) -> str:
    return clean(event.subject)


def _organizer(event: Event) -> Iterator[Element]:
    if event.organizer and event.organizer.address:
        address = clean(event.organizer.address)
        yield element(Calendar.OrganizerName, clean(event.organizer.name) or address)
        yield element(Calendar.OrganizerEmail, address)


def _categories(event: Event) -> Element:
    listed = [name for one in event.categories if (name := clean(one))]
    return element(
        Calendar.Categories, *(element(Calendar.Category, name) for name in listed[:MOST_CATEGORIES])
    )


def _reminder(event: Event) -> Element:
    """Whole minutes before the start, at least as early; none for what comes after it."""
    before = event.reminder
    told = None if before is None or before < timedelta() else math.ceil(before / _MINUTE)
    return element(Calendar.Reminder, told)


def _busy(event: Event, version: Version) -> int:
    return int(Busy.FREE if event.busy is Busy.ELSEWHERE and version < Version.V16_0 else event.busy)


def _links(event: Event) -> list[Element]:
    return [
        element(Calendar.OnlineMeetingConfLink, clean(event.conference_link) or None),
        element(Calendar.OnlineMeetingExternalLink, clean(event.external_link) or None),
    ]


# --- exceptions --------------------------------------------------------------------------------------------


def _exceptions(series: Event, version: Version, item: ItemName, options: BodyOptions) -> Iterator[Element]:
    """Those of a series; of more than there may be the latest."""
    latest = sorted(series.occurrences, key=lambda one: one.original.astimezone(UTC))[-MOST_EXCEPTIONS:]
    usual = _comparable(series, version, item) if latest else {}
    told = [_exception(series, usual, one, version, item, options) for one in latest]
    if told:
        yield element(Calendar.Exceptions, *told)


def _exception(  # noqa: PLR0917 - the series as it is, and as it is told
    series: Event,
    usual: Mapping[Tag, Element],
    occurrence: Occurrence,
    version: Version,
    item: ItemName,
    options: BodyOptions,
) -> Element:
    """One of them: what it has like the series is left out, what it has not is empty (MS-ASCAL 3.1.5.3.1)."""
    made = element(Calendar.Exception)
    changed = occurrence.event
    if changed is None:
        made.append(element(Calendar.Deleted, 1))
    key = AirSyncBase.InstanceId if version >= Version.V16_0 else Calendar.ExceptionStartTime
    made.append(element(key, shown(occurrence.original, version, all_day=series.all_day)))
    if changed is None:
        return made
    made.extend(_stamps(changed))
    made.extend(_times(changed, version))
    if changed.all_day != series.all_day:
        made.append(element(Calendar.AllDayEvent, changed.all_day))
    made.extend(_differences(series, usual, changed, version, item))
    if changed.body != series.body:
        made.extend(shown_body(changed.body, options, version))
    return made


def _differences(
    series: Event, usual: Mapping[Tag, Element], changed: Event, version: Version, item: ItemName
) -> Iterator[Element]:
    told = _comparable(changed, version, item, but_guests=changed.attendees == series.attendees)
    for tag, one in told.items():
        if one == usual[tag]:
            continue
        empty = not one.value and not one.children
        if tag is Calendar.Reminder and empty and version < Version.V14_1:
            continue  # there is no way to tell
        yield one
    answered = changed.reply_time if changed.response in {Response.TENTATIVE, Response.ACCEPTED} else None
    if version >= Version.V14_0 and answered and answered != series.reply_time:
        yield element(Calendar.AppointmentReplyTime, compact_date_time(answered))


def _comparable(
    event: Event, version: Version, item: ItemName, *, but_guests: bool = False
) -> dict[Tag, Element]:
    """What an exception may have of its own, empty where it has not; `but_guests`, who are many."""
    made = [
        element(Calendar.Subject, _subject(event)),
        shown_location(event.location, version),
        _categories(event),
        element(Calendar.Sensitivity, int(event.sensitivity)),
        element(Calendar.BusyStatus, _busy(event, version)),
        _reminder(event),
        element(Calendar.MeetingStatus, meeting_status(event)),
    ]
    if version >= Version.V14_0 and not but_guests:
        made.append(shown_attendees(event.attendees, version))
    if version >= Version.V14_0:
        made.append(element(Calendar.ResponseType, int(event.response)))
    if version >= Version.V14_1:
        made += _links(event)
    if version >= Version.V16_0:
        made.append(shown_files(event.files, item))
    return {one.tag: one for one in made}
