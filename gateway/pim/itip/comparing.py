"""What tells two versions of an event apart."""

from __future__ import annotations

from dataclasses import replace

from gateway.pim.events.document import read_event
from gateway.pim.events.model import Busy, Event, Response

__all__ = ["differ_by_answers"]


def differ_by_answers(before: str, after: str, owner: str) -> bool:
    """Whether nothing is new but answers: those of attendees, or in a meeting of others that of `owner`.

    When answered, such a meeting also counts otherwise. Raises `BadEvent`.
    """
    return _unanswered(read_event(before, owner)) == _unanswered(read_event(after, owner))


def _unanswered(event: Event) -> Event:
    """The event as if nobody had answered, and of any version."""
    asked = tuple(replace(one, status=None, proposed=None, replied=None) for one in event.attendees)
    exceptions = tuple(
        replace(one, event=_unanswered(one.event)) if one.event else one for one in event.occurrences
    )
    return replace(
        event,
        attendees=asked,
        busy=Busy.BUSY if event.received else event.busy,
        response=Response.NONE,
        reply_time=None,
        stamp=None,
        modified=None,
        sequence=0,
        occurrences=exceptions,
    )
