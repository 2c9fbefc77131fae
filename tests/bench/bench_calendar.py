"""What devices' changes of events cost: `python -m tests.bench.bench_calendar`; the last line is JSON.

Processor milliseconds, without any I/O, as the best of several rounds: a series as most are, and one with 50
attendees and 300 exceptions that have them too (1.3 MB of text), the largest that people come near. With the
name of a case as arguments, that case is profiled.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.eas.content.calendar import CalendarContent
from gateway.eas.content.items import Scene
from gateway.eas.content.preferences import PLAIN, BodyOptions, BodyPreference
from gateway.eas.itemoptions import ItemOptions
from gateway.eas.versions import Version
from gateway.items import Item, ItemFolder, ItemKind
from gateway.sync.itemoperations import Given
from gateway.types import CollectionId, Password, Principal, UserId
from tests.support.events import stored_event
from wbxml import Element, element
from wbxml.pages import AirSync, Calendar

ROUNDS = 3
VERSIONS = (Version.V14_1, Version.V16_1)
OWNER = "ann@example.test"
NOW = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
FOLDER = ItemFolder(CollectionId("i1"), UserId(OWNER), ItemKind.CALENDAR, "Calendar", default=True)
CONTENT = CalendarContent()
BEGIN = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
OPTIONS = ItemOptions(body=BodyOptions((BodyPreference(PLAIN, 32768),)))


def main() -> None:
    """Measure, print a table, and all figures as JSON."""
    cases = {
        f"{size} {name} {version}": work
        for size, text in {"usual": event(5, 0), "large": event(50, 300)}.items()
        for version in VERSIONS
        for name, work in works(text, version).items()
    }
    if len(sys.argv) > 1:
        profile = cProfile.Profile()
        profile.runcall(cases[" ".join(sys.argv[1:])])
        pstats.Stats(profile).sort_stats("cumulative").print_stats(40)
        return
    figures = {name: best(work) for name, work in cases.items()}
    for name, value in figures.items():
        print(f"{name:30} {value:10.2f} ms")
    named = {f"{name.replace(' ', '_')}_ms": round(value, 2) for name, value in figures.items()}
    print(json.dumps({"bench": "calendar", **named}))


def event(attendees: int, exceptions: int) -> str:
    """A meeting of each day, with exceptions at the first ones, everybody invited to each."""
    people = [
        f"ATTENDEE;CN=Somebody {number};PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:user{number}@example.test"
        for number in range(attendees)
    ]
    common = [
        "UID:meeting@example.test",
        "DTSTAMP:20260301T080000Z",
        "DESCRIPTION:What there is to talk about",
        "LOCATION:Room 7",
        f"ORGANIZER:mailto:{OWNER}",
        *people,
    ]
    lines = [f"DTSTART:{BEGIN:%Y%m%dT%H%M%SZ}", f"DTEND:{BEGIN + DAY / 24:%Y%m%dT%H%M%SZ}", "SUMMARY:Daily"]
    parts = [["BEGIN:VEVENT", *common, *lines, "RRULE:FREQ=DAILY;COUNT=900", "END:VEVENT"]]
    for number in range(exceptions):
        original = BEGIN + number * DAY
        moved = original + DAY / 12
        lines = [
            f"RECURRENCE-ID:{original:%Y%m%dT%H%M%SZ}",
            f"DTSTART:{moved:%Y%m%dT%H%M%SZ}",
            f"DTEND:{moved + DAY / 24:%Y%m%dT%H%M%SZ}",
            "SUMMARY:Daily, later",
        ]
        parts.append(["BEGIN:VEVENT", *common, *lines, "END:VEVENT"])
    whole = [line for part in parts for line in part]
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN", *whole, "END:VCALENDAR", ""))


def works(text: str, version: Version) -> dict[str, Callable[[], object]]:
    """What devices of a version do to an event."""
    principal = Principal(UserId(OWNER), OWNER, Password(OWNER, "secret"), "Ann")
    scene = Scene(version, principal, FOLDER, OWNER, NOW, {OWNER}.__contains__)
    item = Item(7, FOLDER.id, 1, stored_event(text), NOW, NOW)
    known = element(AirSync.ApplicationData, *CONTENT.render(item, OPTIONS, scene))
    whole = [one for one in known if one.tag not in {Calendar.Subject, Calendar.DtStamp}]
    if version >= Version.V16_0:
        allowed = {Calendar.StartTime, Calendar.EndTime, Calendar.AllDayEvent, Calendar.Timezone}
        whole = [one for one in whole if one.tag in allowed]
    titled = data(*whole, element(Calendar.Subject, "Another title"))

    def change(instance: str, changed: Element) -> object:
        return CONTENT.change(7, instance, "digest", changed, scene).change(item, Given(7))

    def delete() -> object:
        operation = CONTENT.delete(7, f"{BEGIN + 500 * DAY:%Y%m%dT%H%M%SZ}", scene)
        assert operation.change is not None
        return operation.change(item, Given(7))

    made: dict[str, Callable[[], object]] = {
        "render": lambda: CONTENT.render(item, OPTIONS, scene),
        "change": lambda: change("", titled),
    }
    if version >= Version.V16_0:
        instance = f"{BEGIN + 400 * DAY:%Y%m%dT%H%M%SZ}"
        one = data(element(Calendar.Subject, "Once"))
        made |= {"change occurrence": lambda: change(instance, one), "delete occurrence": delete}
    return made


def data(*children: Element) -> Element:
    """An ApplicationData."""
    return element(AirSync.ApplicationData, *children)


def best(work: Callable[[], object]) -> float:
    """Processor milliseconds."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found) * 1000


if __name__ == "__main__":
    main()
