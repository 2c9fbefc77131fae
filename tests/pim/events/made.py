"""Events for tests: texts with given lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.pim.events.document import read_event
from gateway.pim.events.model import Event
from gateway.pim.timezones import Onset, RuleZone, ZoneRules

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
ANN, BOB = "ann@example.org", "bob@example.org"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + HOUR
NOWHERE = RuleZone(
    ZoneRules(83, 143, Onset(9, 3, 2, timedelta(hours=5)), Onset(2, 1, 1, timedelta(hours=1)), "a", "b")
)
"""Clocks that go as they do at no place."""
OLD_BERLIN = (
    "BEGIN:VTIMEZONE",
    "TZID:Europe/Berlin",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "END:VTIMEZONE",
)
"""A definition that knows nothing of summer time."""


def text(
    *lines: str,
    start: str = "DTSTART;TZID=Europe/Berlin:20260302T100000",
    end: str = "DTEND;TZID=Europe/Berlin:20260302T110000",
    more: tuple[str, ...] = (),
) -> str:
    """A calendar with one event that has these lines; `more` stand behind it."""
    times = [line for line in (start, end) if line]
    event = ["BEGIN:VEVENT", "UID:one@example.org", "DTSTAMP:20260301T080000Z", *times, *lines, "END:VEVENT"]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN"]
    return "".join(f"{line}\r\n" for line in (*head, *event, *more, "END:VCALENDAR"))


def changed(original: str, *lines: str) -> tuple[str, ...]:
    """An exception of it, by the lines that say which and how."""
    return (
        "BEGIN:VEVENT",
        "UID:one@example.org",
        "DTSTAMP:20260301T080000Z",
        f"RECURRENCE-ID;TZID=Europe/Berlin:{original}",
        *lines,
        "END:VEVENT",
    )


def event(*lines: str, owner: str = ANN, **parts: str) -> Event:
    """What such a text says."""
    return read_event(text(*lines, **parts), owner)  # type: ignore[arg-type]


def berlin(*parts: int) -> datetime:
    """A time by the clocks of Berlin."""
    return datetime(*parts, tzinfo=BERLIN)  # type: ignore[misc,arg-type]
