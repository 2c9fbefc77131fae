"""Events as devices of each version send them, in the form in which they are shown again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gateway.eas.versions import Version
from gateway.pim.timezones import pack, rules_at
from tests.eas.content.calendar.support import ANN, attendee, body, properties
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar

__all__ = ["events", "words"]

ZONES = [
    *("Etc/UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"),
    *("Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu", "Europe/Dublin"),
]
words = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Cn", "Co")),
    min_size=1,
    max_size=20,
)
addresses = st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.test", fullmatch=True)
_DAY = timedelta(days=1)


def compact(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@st.composite
def events(draw: st.DrawFn, version: Version) -> list[Element]:
    """The children of the ApplicationData of an Add."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    all_day = draw(st.booleans())
    start = _start(draw, zone, all_day=all_day)
    length = draw(st.integers(1, 5)) * _DAY if all_day else timedelta(minutes=draw(st.integers(0, 3000)))
    made = _times(version, start, length, zone, all_day=all_day)
    made += draw(_properties(version))
    if draw(st.booleans()):
        made += draw(_series(version, start, length, all_day=all_day))
    return made


def _start(draw: st.DrawFn, zone: tzinfo, *, all_day: bool) -> datetime:
    day = draw(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - a clock time
    if all_day:
        return day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=zone)
    # Not in the hours in which clocks are changed.
    return day.replace(hour=5 + day.hour // 2, second=0, microsecond=0, tzinfo=zone)


def _told(moment: datetime, version: Version, *, all_day: bool) -> str:
    return compact(moment.replace(tzinfo=UTC) if all_day and version >= Version.V16_0 else moment)


def _later(moment: datetime, length: timedelta, *, all_day: bool) -> datetime:
    """By the clock for dates, else by the stopwatch."""
    return moment + length if all_day else (moment.astimezone(UTC) + length).astimezone(moment.tzinfo)


def _times(
    version: Version, start: datetime, length: timedelta, zone: tzinfo, *, all_day: bool
) -> list[Element]:
    made = properties(
        StartTime=_told(start, version, all_day=all_day),
        EndTime=_told(_later(start, length, all_day=all_day), version, all_day=all_day),
        AllDayEvent=int(all_day),
    )
    if all_day and version >= Version.V16_0:
        return made
    return [*properties(Timezone=pack(rules_at(zone, start.astimezone(UTC)))), *made]


@st.composite
def _properties(draw: st.DrawFn, version: Version) -> list[Element]:
    made = properties(
        Subject=draw(words),
        Sensitivity=draw(st.integers(0, 3)),
        BusyStatus=draw(st.integers(0, 3 if version < Version.V16_0 else 4)),
    )
    if draw(st.booleans()):
        made += properties(Reminder=draw(st.integers(0, 20000)))
    if draw(st.booleans()):
        made.append(_place(draw, version))
    named = draw(st.lists(words, max_size=4, unique=True))
    if named:
        made += properties(Categories=[element(Calendar.Category, one) for one in named])
    made += draw(_meeting(version))
    if version < Version.V12_0:
        return [*made, *properties(Body=draw(words))]
    return [*made, body(draw(words))]


def _place(draw: st.DrawFn, version: Version) -> Element:
    if version < Version.V16_0:
        return element(Calendar.Location, draw(words))
    texts = draw(
        st.dictionaries(
            st.sampled_from(
                ("DisplayName", "Annotation", "Street", "City", "State", "Country", "PostalCode")
            ),
            words,
            min_size=1,
        )
    )
    made = [element(getattr(AirSyncBase, name), one) for name, one in texts.items()]
    if draw(st.booleans()):
        made.append(element(AirSyncBase.Latitude, repr(draw(st.floats(-90, 90)))))
        made.append(element(AirSyncBase.Longitude, repr(draw(st.floats(-180, 180)))))
    return element(AirSyncBase.Location, *made)


@st.composite
def _meeting(draw: st.DrawFn, version: Version) -> list[Element]:
    guests = draw(st.lists(addresses, max_size=3, unique=True))
    if version < Version.V16_0:
        made = properties(UID=draw(st.from_regex(r"[0-9A-Za-z-]{1,60}", fullmatch=True)))
        made += properties(DtStamp=compact(draw(st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1)))))  # noqa: DTZ001
    else:
        made = []
    if not guests:
        return [*made, *properties(MeetingStatus=0)]
    shown = []
    for one in guests:
        kind = draw(st.integers(1, 3)) if version >= Version.V12_0 else None
        known = Version.V12_0 <= version < Version.V16_0
        status = draw(st.sampled_from((0, 2, 3, 4, 5))) if known else None
        shown.append(attendee(one, draw(words), status, kind))
    made += properties(Attendees=shown, MeetingStatus=1)
    if version < Version.V16_0:
        made += properties(OrganizerName="Ann", OrganizerEmail=ANN)
    if version >= Version.V14_0:
        made += properties(
            ResponseRequested=int(draw(st.booleans())), DisallowNewTimeProposal=int(draw(st.booleans()))
        )
    return made


@st.composite
def _series(
    draw: st.DrawFn, version: Version, start: datetime, length: timedelta, *, all_day: bool
) -> list[Element]:
    weekday = (start.weekday() + 1) % 7
    kind = draw(st.sampled_from((0, 1, 2, 3, 5, 6)))
    made = properties(Type=kind, Interval=draw(st.integers(1, 20)))
    if kind in {1, 3, 6}:
        made += properties(DayOfWeek=1 << weekday)
    if kind in {2, 5}:
        made += properties(DayOfMonth=start.day)
    if kind in {3, 6}:
        made += properties(WeekOfMonth=min((start.day - 1) // 7 + 1, 5))
    if kind in {5, 6}:
        made += properties(MonthOfYear=start.month)
    if kind >= 2 and version >= Version.V14_0:
        made += properties(CalendarType=0)
    if kind >= 5 and version >= Version.V14_0:
        made += properties(IsLeapMonth=0)
    if kind == 1 and version >= Version.V14_1:
        made += properties(FirstDayOfWeek=draw(st.integers(0, 6)))
    ends = draw(st.sampled_from(("never", "count", "until")))
    if ends == "count":
        made += properties(Occurrences=draw(st.integers(30, 999)))
    elif ends == "until":
        last = start + timedelta(days=366 * 20)
        made += properties(Until=_told(last, version, all_day=all_day))
    series = properties(Recurrence=made)
    if kind == 0:
        series += draw(_exceptions(version, start, length, made, all_day=all_day))
    return series


@st.composite
def _exceptions(
    draw: st.DrawFn,
    version: Version,
    start: datetime,
    length: timedelta,
    rule: list[Element],
    *,
    all_day: bool,
) -> list[Element]:
    """Of a daily series, some occurrences that are gone or different."""
    every = int(rule[1].text())
    which = sorted(draw(st.sets(st.integers(0, 20), max_size=3)))
    made: list[Element] = []
    for number in which:
        original = start + number * every * _DAY
        key = AirSyncBase.InstanceId if version >= Version.V16_0 else Calendar.ExceptionStartTime
        named = element(key, _told(original, version, all_day=all_day))
        if draw(st.booleans()):
            made.append(element(Calendar.Exception, element(Calendar.Deleted, 1), named))
            continue
        begin = original + (_DAY if all_day else timedelta(hours=1))
        times = properties(
            StartTime=_told(begin, version, all_day=all_day),
            EndTime=_told(_later(begin, length, all_day=all_day), version, all_day=all_day),
        )
        subject = properties(Subject=f"other {draw(words)}")
        made.append(element(Calendar.Exception, named, *times, *subject))
    return properties(Exceptions=made) if made else []
