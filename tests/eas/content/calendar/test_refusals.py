"""What of a calendar item is refused with Status 6, and that nothing is half done then."""

from __future__ import annotations

import time

import pytest

from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused
from gateway.pim.limits import MOST_ATTENDEES
from tests.eas.content.calendar.support import DAILY, NEW, OLD, TIMES, Shelf, attendee, body, properties
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar


def rule(*more: Element, **named: object) -> list[Element]:
    return properties(Recurrence=[*properties(**named), *more])


def exception(key: str, version: Version, **named: object) -> Element:
    tag = AirSyncBase.InstanceId if version >= Version.V16_0 else Calendar.ExceptionStartTime
    return element(Calendar.Exception, element(tag, key), *properties(**named))


BAD: dict[str, list[Element]] = {
    "ends before it starts": properties(StartTime="20260305T080000Z", EndTime="20260305T070000Z"),
    "no time at all": properties(StartTime="tomorrow", EndTime="20260305T070000Z"),
    "a date that there is not": properties(StartTime="20260230T080000Z", EndTime="20260305T070000Z"),
    "a year nobody means": properties(StartTime="00010305T080000Z", EndTime="00010305T080000Z"),
    "past end without a start": properties(EndTime="20260101T080000Z"),
    "future start without an end": properties(StartTime="20270101T080000Z"),
    "two subjects": [*TIMES, *properties(Subject="a"), *properties(Subject="b")],
    "whole days, perhaps": [*TIMES, *properties(AllDayEvent=2)],
    "more sensitive than there is": [*TIMES, *properties(Sensitivity=4)],
    "busier than there is": [*TIMES, *properties(BusyStatus=5)],
    "a reminder that is no number": [*TIMES, *properties(Reminder="soon")],
    "a reminder after it": [*TIMES, *properties(Reminder=-5)],
    "a meeting of no kind": [*TIMES, *properties(MeetingStatus=2)],
    "an attendee without a name": [
        *TIMES,
        *properties(Attendees=[element(Calendar.Attendee, element(Calendar.Email, "b@example.test"))]),
    ],
    "too many attendees": [
        *TIMES,
        *properties(Attendees=[attendee("b@example.test")] * (MOST_ATTENDEES + 1)),
    ],
    "too many categories": [
        *TIMES,
        *properties(Categories=[element(Calendar.Category, str(one)) for one in range(301)]),
    ],
    "a rule without a Type": [*TIMES, *rule(Interval=1)],
    "a rule of Type 4": [*TIMES, *rule(Type=4)],
    "a rule of Type 7": [*TIMES, *rule(Type=7)],
    "too rare": [*TIMES, *rule(Type=0, Interval=1000)],
    "never": [*TIMES, *rule(Type=0, Occurrences=0)],
    "a thousand times": [*TIMES, *rule(Type=0, Occurrences=1000)],
    "until before the start": [*TIMES, *rule(Type=0, Until="20260304T080000Z")],
    "weekly on no day": [*TIMES, *rule(Type=1)],
    "weekly on an empty day": [*TIMES, *rule(Type=1, DayOfWeek=None)],
    "weekly on an eighth day": [*TIMES, *rule(Type=1, DayOfWeek=128)],
    "weekly on a date": [*TIMES, *rule(Type=1, DayOfWeek=2, DayOfMonth=1)],
    "daily in a month": [*TIMES, *rule(Type=0, MonthOfYear=1)],
    "daily in a week": [*TIMES, *rule(Type=0, WeekOfMonth=1)],
    "daily on a date": [*TIMES, *rule(Type=0, DayOfMonth=1)],
    "monthly on no date": [*TIMES, *rule(Type=2)],
    "monthly on the 32nd": [*TIMES, *rule(Type=2, DayOfMonth=32)],
    "monthly on a weekday": [*TIMES, *rule(Type=2, DayOfMonth=1, DayOfWeek=1)],
    "monthly in a month": [*TIMES, *rule(Type=2, DayOfMonth=1, MonthOfYear=1)],
    "nth of the month without n": [*TIMES, *rule(Type=3, DayOfWeek=2)],
    "nth of the month without a day": [*TIMES, *rule(Type=3, WeekOfMonth=2)],
    "the sixth week": [*TIMES, *rule(Type=3, DayOfWeek=2, WeekOfMonth=6)],
    "yearly without a month": [*TIMES, *rule(Type=5, DayOfMonth=5)],
    "yearly without a date": [*TIMES, *rule(Type=5, MonthOfYear=5)],
    "yearly in the 13th month": [*TIMES, *rule(Type=5, DayOfMonth=5, MonthOfYear=13)],
    "yearly in a week": [*TIMES, *rule(Type=5, DayOfMonth=5, MonthOfYear=5, WeekOfMonth=1)],
    "nth of the year without a month": [*TIMES, *rule(Type=6, DayOfWeek=2, WeekOfMonth=2)],
    "two rules": [*TIMES, *DAILY, *DAILY],
    "two Types": [*TIMES, *rule(*properties(Type=0), Type=0)],
}


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("why", BAD)
def test_an_event_that_cannot_be_is_refused(why: str, version: Version) -> None:
    with pytest.raises(BadItem):
        Shelf(version).add(*BAD[why])


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("why", [why for why in BAD if "without a" not in why or "rule" in why])
def test_a_change_to_what_cannot_be_is_refused(why: str, version: Version) -> None:
    """With item Status 6, or what leads to it."""
    shelf = Shelf(version).add(*TIMES, *properties(Subject="kept"))
    before = shelf.text
    with pytest.raises((BadItem, Refused)) as caught:
        shelf.change(*BAD[why])
    if isinstance(caught.value, Refused):
        assert caught.value.kind in {Kind.INVALID_XML, Kind.INVALID_CONTENT}
    assert shelf.text == before


SINCE: dict[str, tuple[Version, list[Element]]] = {
    "an attendee of no kind": (
        Version.V12_0,
        properties(Attendees=[attendee("b@example.test", kind=4)]),
    ),
    "an attendee who answered nonsense": (
        Version.V12_0,
        properties(Attendees=[attendee("b@example.test", status=1)]),
    ),
    "a body as MIME": (Version.V12_0, [body("x", 4)]),
    "a body of another form": (Version.V12_0, [body("x", 5)]),
    "a body that is no RTF": (Version.V12_0, [body("eHh4eA==", 3)]),
    "an answer wanted, perhaps": (Version.V14_0, properties(ResponseRequested=2)),
    "a calendar that there is not": (Version.V14_0, rule(Type=2, DayOfMonth=1, CalendarType=13)),
    "a calendar beyond all": (Version.V14_0, rule(Type=2, DayOfMonth=1, CalendarType=24)),
    "two calendars": (
        Version.V14_0,
        rule(*properties(CalendarType=1), Type=2, DayOfMonth=1, CalendarType=1),
    ),
    "half a leap month": (Version.V14_0, rule(Type=5, DayOfMonth=1, MonthOfYear=1, IsLeapMonth=2)),
    "an eighth first day": (Version.V14_1, rule(Type=1, DayOfWeek=1, FirstDayOfWeek=7)),
    "a body as RTF": (Version.V16_0, [body("e1xydGYxIHh9", 3)]),
    "nowhere on earth": (
        Version.V16_0,
        [element(AirSyncBase.Location, element(AirSyncBase.Latitude, "north"))],
    ),
    "infinitely far": (
        Version.V16_0,
        [element(AirSyncBase.Location, element(AirSyncBase.Altitude, "inf"))],
    ),
    "a client uid too long": (Version.V16_0, properties(ClientUid="x" * 301)),
}


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("why", SINCE)
def test_what_a_version_knows_is_checked_and_what_it_does_not_is_passed_over(
    why: str, version: Version
) -> None:
    since, elements = SINCE[why]
    if version >= since:
        with pytest.raises(BadItem):
            Shelf(version).add(*TIMES, *elements)
    elif version >= Version.V12_0 or not why.startswith("a body"):
        Shelf(version).add(*TIMES, *elements)


@pytest.mark.parametrize("version", OLD)
def test_a_uid_has_300_characters_at_most(version: Version) -> None:
    Shelf(version).add(*TIMES, *properties(UID="x" * 300))
    with pytest.raises(BadItem):
        Shelf(version).add(*TIMES, *properties(UID="x" * 301))


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("status", [-1, 4])
def test_old_devices_are_neither_elsewhere_nor_unknown(version: Version, status: int) -> None:
    with pytest.raises(BadItem):
        Shelf(version).add(*TIMES, *properties(BusyStatus=status))


# --- exceptions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
def test_ten_thousand_exceptions_are_refused_before_one_is_looked_at(version: Version) -> None:
    one = exception("no time at all", version, Deleted=1)
    many = properties(Exceptions=[one] * 10_000)
    shelf = Shelf(version).add(*TIMES, *DAILY)
    for attempt in (Shelf(version).add, shelf.change):
        with pytest.raises(BadItem, match="more than"):
            attempt(*TIMES, *DAILY, *many)


@pytest.mark.parametrize("version", Version)
def test_a_thousand_exceptions_are_taken(version: Version) -> None:
    days = [f"20{26 + day // 336:02}{day // 28 % 12 + 1:02}{day % 28 + 1:02}" for day in range(70, 1070)]
    many = [exception(f"{day}T080000Z", version, Deleted=1) for day in days]
    began = time.process_time()
    shelf = Shelf(version).add(*TIMES, *DAILY, *properties(Exceptions=many))
    listed = shelf.shown().find(Calendar.Exceptions)
    assert listed is not None
    assert len(listed) == 1000
    assert time.process_time() - began < 10


@pytest.mark.parametrize("version", OLD)
def test_an_exception_must_name_its_occurrence(version: Version) -> None:
    nameless = properties(Exceptions=[element(Calendar.Exception, *properties(Deleted=1))])
    with pytest.raises(BadItem):
        Shelf(version).add(*TIMES, *DAILY, *nameless)


@pytest.mark.parametrize("version", OLD)
def test_an_exception_must_not_end_before_it_starts(version: Version) -> None:
    times = {"StartTime": "20260306T100000Z", "EndTime": "20260306T090000Z"}
    with pytest.raises(BadItem):
        Shelf(version).add(
            *TIMES, *DAILY, *properties(Exceptions=[exception("20260306T080000Z", version, **times)])
        )


@pytest.mark.parametrize("version", NEW)
class TestInstances:
    """Occurrences by InstanceId."""

    def test_the_id_must_be_a_time(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, *DAILY)
        with pytest.raises(BadItem):
            shelf.change(*properties(Subject="x"), instance="yesterday")
        with pytest.raises(BadItem):
            shelf.delete("yesterday")

    def test_there_must_be_a_series(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES)
        with pytest.raises(Refused) as caught:
            shelf.change(*properties(Subject="x"), instance="20260306T080000Z")
        assert caught.value.kind is Kind.NO_RECURRENCE
        with pytest.raises(Refused) as caught:
            shelf.delete("20260306T080000Z")
        assert caught.value.kind is Kind.NO_RECURRENCE

    def test_there_must_be_the_occurrence(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, *DAILY)
        before = shelf.text
        with pytest.raises(NotFound):
            shelf.change(*properties(Subject="x"), instance="20260304T080000Z")
        with pytest.raises(NotFound):
            shelf.delete("20260304T080000Z")
        assert shelf.text == before

    def test_one_that_is_gone_cannot_be_changed_but_deleted_again(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, *DAILY).delete("20260306T080000Z")
        before = shelf.text
        with pytest.raises(NotFound):
            shelf.change(*properties(Subject="x"), instance="20260306T080000Z")
        assert shelf.delete("20260306T080000Z").text == before

    def test_whole_days_are_those_of_the_series(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, *DAILY)
        with pytest.raises((BadItem, Refused)):
            shelf.change(*properties(AllDayEvent=1), instance="20260306T080000Z")

    @pytest.mark.parametrize(
        ("key", "named"),
        [
            ("", {"Subject": "of nothing"}),
            ("whenever", {"Subject": "at no time"}),
            ("20260306T080000Z", {"AllDayEvent": 1}),
            ("20260306T080000Z", {"StartTime": "20260306T100000Z", "EndTime": "20260306T090000Z"}),
            ("20260304T080000Z", {"Subject": "before the first"}),
        ],
    )
    def test_a_series_is_added_without_exceptions_that_cannot_be(
        self, version: Version, key: str, named: dict[str, object]
    ) -> None:
        bad = exception(key, version, **named)
        good = exception("20260307T080000Z", version, Subject="good")
        shelf = Shelf(version).add(*TIMES, *DAILY, *properties(Exceptions=[bad, good]))
        assert shelf.incomplete
        listed = shelf.shown().find(Calendar.Exceptions)
        assert listed is not None
        assert [one.child_text(Calendar.Subject) for one in listed] == ["good"]
        assert not Shelf(version).add(*TIMES, *DAILY, *properties(Exceptions=[good])).incomplete

    def test_exceptions_do_not_come_with_a_change(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, *DAILY)
        gone = exception("20260306T080000Z", version, Deleted=1)
        with pytest.raises((BadItem, Refused)):
            shelf.change(*properties(Exceptions=[gone]))


@pytest.mark.parametrize("version", OLD)
def test_old_devices_have_no_instances(version: Version) -> None:
    shelf = Shelf(version).add(*TIMES, *DAILY)
    with pytest.raises(BadItem):
        shelf.change(*properties(Subject="x"), instance="20260306T080000Z")
    with pytest.raises(BadItem):
        shelf.delete("20260306T080000Z")
