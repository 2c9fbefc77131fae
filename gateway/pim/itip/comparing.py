"""What tells two versions of an event apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gateway.pim.events.document import Document
from gateway.pim.events.model import Busy, Event, Response

__all__ = ["differ_by_answers"]


def differ_by_answers(before: Document, after: Document, owner: str) -> bool:
    """Whether nothing is new but answers: those of attendees, or in a meeting of others that of `owner`.

    When answered, such a meeting also counts otherwise. An occurrence that is as its series would have it,
    but for answers, is no exception here. Raises `BadEvent`.
    """
    return _unanswered(before.event(owner)) == _unanswered(after.event(owner))


def _unanswered(event: Event) -> Event:
    """The event as if nobody had answered, and of any version."""
    asked = tuple(replace(one, status=None, proposed=None, replied=None) for one in event.attendees)
    plain = replace(
        event,
        attendees=asked,
        busy=Busy.BUSY if event.received else event.busy,
        response=Response.NONE,
        reply_time=None,
        stamp=None,
        created=None,
        modified=None,
        sequence=0,
        occurrences=(),
    )
    exceptions = (
        replace(one, event=_unanswered(one.event)) if one.event else one for one in event.occurrences
    )
    told = tuple(
        one for one in exceptions if not one.event or replace(one.event, blob="") != _at(plain, one.original)
    )
    return replace(plain, occurrences=told)


def _at(series: Event, original: datetime) -> Event:
    """The occurrence of a series without exceptions that starts then."""
    length = series.end.replace(tzinfo=None) - series.start.replace(tzinfo=None)
    end = original + length
    if not series.all_day:
        end = (original.astimezone(UTC) + (series.end - series.start)).astimezone(series.zone)
    return replace(
        series, start=original, end=end, blob="", recurrence=None, rule="", extra=(), original=original
    )
