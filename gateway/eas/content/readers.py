"""Reading typed values out of the ApplicationData of an item. Whatever does not fit raises `BadItem`."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import structlog

from gateway.eas.content.values import BadItem
from gateway.pim.values import FIRST_YEAR, LAST_YEAR
from wbxml import Element, Tag

__all__ = [
    "boolean",
    "decimal",
    "integer",
    "misplaced",
    "moment",
    "names",
    "no_instance",
    "once",
    "parse_moment",
    "text",
    "without_no_dates",
]

_MOMENT = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})"
    r"(?:T([0-9]{2}):?([0-9]{2})(?::?([0-9]{2})(?:\.[0-9]{1,9})?)?Z?)?",
    re.ASCII,
)
_YEAR_TO_DAY = re.compile(r"\s*([0-9]{4})-?([0-9]{2})-?([0-9]{2})", re.ASCII)
_NO_DATE = f"{FIRST_YEAR:04}0101", f"{LAST_YEAR:04}1231"
"""The first and last day that are none: programs that need a date write one of these, or one beyond."""
_INTEGER = re.compile(r"-?[0-9]{1,10}", re.ASCII)


def once(data: Element, tag: Tag) -> Element | None:
    """The child with this tag, of which there may be one at most."""
    found = data.findall(tag)
    if len(found) > 1:
        raise BadItem(f"{tag!r} more than once")
    return found[0] if found else None


def misplaced(container: Element, order: Sequence[Tag], *, in_order: bool = True) -> bool:
    """Whether children of the page of these tags are others than they, repeated or in another order.

    What the page has not is left alone (MS-ASAIRS 3.2.5.1).
    """
    known = [child.tag for child in container if child.tag.page == order[0].page and child.tag.min_version]
    if not in_order:
        known.sort(key=lambda tag: order.index(tag) if tag in order else len(order))
    return known != [tag for tag in order if tag in known]


def text(data: Element, tag: Tag, longest: int | None = None) -> str | None:
    """The text of a child, without blanks around it; None when it is not there."""
    child = once(data, tag)
    if child is None:
        return None
    found = child.text().strip()
    if longest is not None and len(found) > longest:
        raise BadItem(f"{tag!r} has more than {longest} characters")
    return found


def integer(data: Element, tag: Tag, lowest: int, highest: int) -> int | None:
    """The number in a child; None when it is not there or empty."""
    found = text(data, tag)
    if not found:
        return None
    if not _INTEGER.fullmatch(found) or not lowest <= int(found) <= highest:
        raise BadItem(f"{tag!r} is no number from {lowest} to {highest}")
    return int(found)


def decimal(data: Element, tag: Tag) -> float | None:
    """The double in a child; None when it is not there or empty."""
    found = text(data, tag, 64)
    if not found:
        return None
    try:
        number = float(found)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadItem(f"{tag!r} is no number")
    return number


def boolean(data: Element, tag: Tag) -> bool | None:
    """The boolean in a child; an empty one is true (MS-ASDTYPE 2.1). None when it is not there."""
    found = text(data, tag)
    if found is None:
        return None
    if found not in ("", "0", "1"):
        raise BadItem(f"{tag!r} is neither 0 nor 1")
    return found != "0"


def moment(data: Element, tag: Tag) -> datetime | None:
    """The time in a child, in UTC; None when it is not there or empty."""
    found = text(data, tag)
    return parse_moment(found) if found else None


def parse_moment(written: str) -> datetime:
    """The moment a dateTime or a Compact DateTime names (MS-ASDTYPE 2.3, 2.7.2); of a date its midnight.

    Devices mix the forms up. Fractions of seconds are dropped.
    """
    match = _MOMENT.fullmatch(written)
    try:
        if match is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(digits or 0) for digits in match.groups())
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise ValueError
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise BadItem("no date and time") from None


def without_no_dates(data: Element, tags: Collection[Tag]) -> Element:
    """The data with those of the dates empty that say there is none: 4501-01-01 in Outlook, 1601 and before.

    Such an item is not refused for them; each has a line in the log.
    """
    usable = [Element(one.tag) if one.tag in tags and _is_no_date(one.text()) else one for one in data]
    log = structlog.get_logger("gateway.eas")
    for before, after in zip(data, usable, strict=True):
        if before is not after:
            log.info("a date that means none is left out", element=after.tag.name)
    return Element(data.tag, None, usable)


def _is_no_date(written: str) -> bool:
    found = _YEAR_TO_DAY.match(written)
    first, last = _NO_DATE
    return found is not None and not first < "".join(found.groups()) < last


def names(data: Element, container: Tag, item: Tag, most: int, longest: int) -> tuple[str, ...] | None:
    """The different texts listed in a container, in order; None when it is not there."""
    found = once(data, container)
    if found is None:
        return None
    listed = found.findall(item)
    texts = [one.text().strip() for one in listed]
    if len(listed) > most or any(len(one) > longest for one in texts):
        raise BadItem(f"{container!r} holds too many texts, or one too long")
    return tuple(dict.fromkeys(one for one in texts if one))


def no_instance(instance: str) -> None:
    """An item whose class knows no occurrences is meant as a whole: it has no InstanceId."""
    if instance:
        raise BadItem("an InstanceId of an item that has no occurrences")
