"""Tasks as devices send and see them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gateway.eas.content.items import ItemContent
from gateway.eas.content.tasks import TaskContent
from gateway.eas.versions import Version
from tests.eas.content.shelf import Shelf, body
from wbxml import Element, element
from wbxml.pages import Tasks

__all__ = ["BERLIN", "CONTENT", "dates", "properties", "shelf", "tasks", "words"]

CONTENT: ItemContent = TaskContent()
BERLIN = ZoneInfo("Europe/Berlin")
_ZONES = (
    "Europe/Berlin",
    "Etc/UTC",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Asia/Kathmandu",
)
words = st.text(
    st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Cn", "Co")),
    min_size=1,
    max_size=20,
)


def shelf(version: Version, zone: tzinfo = BERLIN) -> Shelf:
    return Shelf(version, zone=zone, content=CONTENT)


def properties(**named: object) -> list[Element]:
    """Elements of the Tasks page by name: a text or number, None for an empty one, or children."""
    made: list[Element] = []
    for name, value in named.items():
        tag = getattr(Tasks, name)
        if isinstance(value, (list, tuple)):
            made.append(element(tag, *value))
        else:
            assert value is None or isinstance(value, (str, int))
            made.append(element(tag, value))
    return made


def written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def dates(name: str, moment: datetime) -> list[Element]:
    """Both elements of a date: Start or Due."""
    both = {f"Utc{name}Date": written(moment.astimezone(UTC)), f"{name}Date": written(moment)}
    return properties(**both)


@st.composite
def tasks(draw: st.DrawFn, version: Version) -> list[Element]:
    """The children of the ApplicationData of an Add, in the form in which they are shown again."""
    made = properties(
        Subject=draw(words),
        Importance=draw(st.sampled_from((0, 1, 2, 7))),
        Sensitivity=draw(st.integers(0, 3)),
    )
    made += _completion(draw)
    start = _moment(draw)
    if draw(st.booleans()):
        made += dates("Start", start)
    due = start + timedelta(days=draw(st.integers(0, 30)))
    repeats = draw(st.booleans())
    if repeats or draw(st.booleans()):
        made += dates("Due", due)
    anchor = start if any(one.tag is Tasks.StartDate for one in made) else due
    if draw(st.booleans()):
        rings = start.astimezone(UTC) - timedelta(minutes=draw(st.integers(0, 10000)))
        made += properties(ReminderSet=1, ReminderTime=written(rings))
    else:
        made += properties(ReminderSet=0)
    named = draw(st.lists(words, max_size=3, unique=True))
    if named:
        made += properties(Categories=[element(Tasks.Category, one) for one in named])
    if repeats:
        made += properties(Recurrence=draw(_recurrence(version, anchor)))
    if version < Version.V12_0:
        return [*made, *properties(Body=draw(words))]
    if draw(st.booleans()):
        made += properties(OrdinalDate=written(start.astimezone(UTC)), SubOrdinalDate=draw(words))
    return [*made, body(draw(words))]


def _completion(draw: st.DrawFn) -> list[Element]:
    if draw(st.booleans()):
        return properties(Complete=0)
    at = draw(st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - taken for UTC
    return properties(Complete=1, DateCompleted=written(at.replace(microsecond=0)))


def _moment(draw: st.DrawFn) -> datetime:
    """A day, or a time not in the hours in which clocks are changed."""
    day = draw(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - a clock time
    zone = ZoneInfo(draw(st.sampled_from(_ZONES)))
    hour = {"hour": 0, "minute": 0} if draw(st.booleans()) else {"hour": 5 + day.hour // 2}
    return day.replace(second=0, microsecond=0, tzinfo=zone, **hour)


@st.composite
def _recurrence(draw: st.DrawFn, version: Version, anchor: datetime) -> list[Element]:
    kind = draw(st.sampled_from((0, 1, 2, 3, 5, 6)))
    regenerates = kind in {0, 1, 2, 5} and draw(st.booleans())
    began = anchor - timedelta(days=7 * draw(st.integers(0, 3)))
    made = properties(Type=kind, Interval=draw(st.integers(1, 20)), Start=written(began))
    made += properties(Regenerate=int(regenerates), DeadOccur=draw(st.integers(0, 1)))
    if not regenerates:
        made += _days(kind, anchor)
    if kind >= 2 and version >= Version.V14_0:
        made += properties(CalendarType=0)
    if kind >= 5 and version >= Version.V14_0:
        made += properties(IsLeapMonth=0)
    if kind == 1 and version >= Version.V14_1:
        made += properties(FirstDayOfWeek=1 if regenerates else draw(st.integers(0, 6)))
    ends = draw(st.sampled_from(("never", "count", "until")))
    if ends == "count":
        made += properties(Occurrences=draw(st.integers(30, 999)))
    elif ends == "until":
        made += properties(Until=written(anchor + timedelta(days=366 * 20)))
    return made


def _days(kind: int, anchor: datetime) -> list[Element]:
    weekday = (anchor.weekday() + 1) % 7
    made: list[Element] = []
    if kind in {1, 3, 6}:
        made += properties(DayOfWeek=1 << weekday)
    if kind in {2, 5}:
        made += properties(DayOfMonth=anchor.day)
    if kind in {3, 6}:
        made += properties(WeekOfMonth=min((anchor.day - 1) // 7 + 1, 5))
    if kind in {5, 6}:
        made += properties(MonthOfYear=anchor.month)
    return made
