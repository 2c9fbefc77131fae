"""The values of properties in the query language that are no text: yes and no, dates, sizes, importance."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gateway.mail.categories import spellings
from gateway.query import (
    EVERYTHING,
    NOTHING,
    And,
    HasAttachment,
    HasFlag,
    HeaderContains,
    Larger,
    Not,
    Or,
    Query,
    Received,
)
from gateway.types import FLAGGED, SEEN

__all__ = ["PROPERTIES", "KqlError", "received", "size"]


class KqlError(ValueError):
    """The query cannot be understood; the message names no text of it."""


def received(relation: str, value: str, now: datetime) -> Query:
    """The condition of `received` and `sent`; `relation` is : = <> < <= > or >=. Raises `KqlError`."""
    first, dots, last = value.partition("..")
    if dots:
        begin = _span(first, now)[0] if first else None
        return Received(begin, _span(last, now)[1] if last else None)
    begin, end = _span(first, now)
    match relation:
        case ":" | "=":
            return Received(begin, end)
        case "<>":
            return Not(Received(begin, end))
        case "<":
            return Received(before=begin)
        case "<=":
            return Received(before=end)
        case ">":
            return Received(since=end)
        case _:
            return Received(since=begin)


def size(relation: str, value: str) -> Query:
    """The condition of `size`, in octets. Raises `KqlError`."""
    match = re.fullmatch(r"([0-9]{1,12})([km]?)b?", value.lower())
    if match is None:
        raise KqlError("a size that is no number")
    octets = int(match[1]) * {"": 1, "k": 1024, "m": 1024 * 1024}[match[2]]
    match relation:
        case ">":
            return Larger(octets)
        case ">=":
            return Larger(max(octets - 1, 0))
        case "<":
            return Not(Larger(max(octets - 1, 0)))
        case "<=":
            return Not(Larger(octets))
        case _:
            equal = And((Larger(max(octets - 1, 0)), Not(Larger(octets))))
            return Not(equal) if relation == "<>" else equal


_TRUE, _FALSE = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})
_DAY, _MINUTE, _SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
_ISO = re.compile(
    r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:t([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?z?)?"
)
_AMERICAN = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_EUROPEAN = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def _flag(condition: Query) -> Callable[[str], Query]:
    def read(value: str) -> Query:
        if value.lower() in _TRUE:
            return condition
        if value.lower() in _FALSE:
            return Not(condition)
        raise KqlError("neither yes nor no")

    return read


def _is(value: str) -> Query:
    match value.lower():
        case "read":
            return HasFlag(SEEN)
        case "unread":
            return Not(HasFlag(SEEN))
        case "flagged":
            return HasFlag(FLAGGED)
        case "unflagged":
            return Not(HasFlag(FLAGGED))
        case _:
            raise KqlError("a state that mail does not have")


_HIGH = Or(
    (
        HeaderContains("Importance", "high"),
        HeaderContains("X-Priority", "1"),
        HeaderContains("X-Priority", "2"),
        HeaderContains("Priority", "urgent"),
    )
)
_LOW = Or(
    (
        HeaderContains("Importance", "low"),
        HeaderContains("X-Priority", "4"),
        HeaderContains("X-Priority", "5"),
        HeaderContains("Priority", "non-urgent"),
    )
)


def _importance(value: str) -> Query:
    high = And((_HIGH, Not(_LOW)))  # "non-urgent" holds "urgent"
    match value.lower():
        case "high":
            return high
        case "low":
            return _LOW
        case "normal" | "medium":
            return And((Not(_HIGH), Not(_LOW)))
        case _:
            raise KqlError("an importance that mail does not have")


def _kind(value: str) -> Query:
    """All that is searched is mail."""
    return EVERYTHING if value.lower() in {"email", "emails", "mail"} else NOTHING


def _category(value: str) -> Query:
    """By the keywords it is kept as, whose spelling follows the letters of its name."""
    names = dict.fromkeys((value, value.lower(), value.title()))
    keywords = dict.fromkeys(keyword for name in names for keyword in sorted(spellings(name)))
    return Or(tuple(map(HasFlag, keywords)))


def _span(value: str, now: datetime) -> tuple[datetime, datetime]:
    """The time from its beginning until its end that a value stands for."""
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    value = " ".join(value.lower().split())
    match value:
        case "today":
            return today, today + _DAY
        case "yesterday":
            return today - _DAY, today
        case "this week" | "last week":
            monday = today - today.weekday() * _DAY - (value == "last week") * 7 * _DAY
            return monday, monday + 7 * _DAY
        case "this month":
            first = today.replace(day=1)
            return first, _next_month(first)
        case "last month":
            this = today.replace(day=1)
            return (this - _DAY).replace(day=1), this
        case "this year" | "last year":
            year = today.year - (value == "last year")
            return datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        case _:
            return _date(value)


def _next_month(first: datetime) -> datetime:
    return (first + 31 * _DAY).replace(day=1)


def _date(value: str) -> tuple[datetime, datetime]:
    try:
        if match := _ISO.fullmatch(value):
            year, month, day, hour, minute, second = (int(group or 0) for group in match.groups())
            moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            length = _DAY if match[4] is None else _MINUTE if match[6] is None else _SECOND
            return moment, moment + length
        if match := _AMERICAN.fullmatch(value):
            moment = datetime(int(match[3]), int(match[1]), int(match[2]), tzinfo=UTC)
            return moment, moment + _DAY
        if match := _EUROPEAN.fullmatch(value):
            moment = datetime(int(match[3]), int(match[2]), int(match[1]), tzinfo=UTC)
            return moment, moment + _DAY
    except (ValueError, OverflowError):
        pass
    raise KqlError("not a date")


PROPERTIES: dict[str, Callable[[str], Query]] = {
    "hasattachment": _flag(HasAttachment()),
    "hasattachments": _flag(HasAttachment()),
    "isread": _flag(HasFlag(SEEN)),
    "isflagged": _flag(HasFlag(FLAGGED)),
    "is": _is,
    "importance": _importance,
    "kind": _kind,
    "category": _category,
}
"""How the value of a property is read. Raises `KqlError`."""
