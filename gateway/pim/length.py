"""How long something lasts, and when it ends where clocks are changed meanwhile (RFC 5545 3.3.6, 3.8.5.3).

Days of a DURATION, and of events that have dates, are counted by the clock; its hours, and all that is
between a DTSTART and a DTEND with times, by what passes. Each occurrence of a series lasts as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["Length", "later", "length_between"]

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Length:
    """So many days by the clock, then a time that passes."""

    days: int = 0
    time: timedelta = timedelta()

    @property
    def about(self) -> timedelta:
        """All of it, where no clocks are changed."""
        return self.days * _DAY + self.time


def later(start: datetime, length: Length) -> datetime:
    """So long after a start, in its zone; one without a zone has a clock that is never changed."""
    end = start + length.days * _DAY
    if end.tzinfo is None or not length.time:
        return end + length.time
    return (end.astimezone(UTC) + length.time).astimezone(start.tzinfo)


def length_between(start: datetime, end: datetime, *, days: int = 0) -> Length:
    """The length of what ends then; `days` are those of it that are counted by the clock."""
    begun = later(start, Length(days))
    return Length(days, end.astimezone(UTC) - begun.astimezone(UTC))
