"""What tells two versions of an event apart."""

from __future__ import annotations

from dataclasses import replace

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
        one
        for one in exceptions
        if not one.event or replace(one.event, days=0, blob="") != plain.instance(one.original)
    )
    return replace(plain, occurrences=told)
