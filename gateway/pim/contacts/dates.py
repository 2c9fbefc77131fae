"""Days in a vCard: BDAY and ANNIVERSARY (RFC 6350 4.3.1, 6.2.5), also of a year that nobody knows."""

from __future__ import annotations

import re
from datetime import date

from gateway.pim.lines import Property
from gateway.pim.tree import Line, make_line
from gateway.pim.values import FIRST_YEAR, LAST_YEAR

__all__ = ["date_line", "read_date"]

_NO_YEAR = 1604
"""The year that Apple's programs and phones give a day whose year is not known; it is a leap year."""
_OMITTED = "X-APPLE-OMIT-YEAR"
_DATE = re.compile(r"([0-9]{4}|--)-?([0-9]{2})-?([0-9]{2})(?:[Tt ].*)?", re.ASCII | re.DOTALL)


def read_date(found: Property) -> str:
    """The day as `YYYY-MM-DD`, whatever time is beside it; "" for text, and for a year or month alone."""
    match = _DATE.fullmatch(found.value.strip())
    if match is None or found.params.get("VALUE", "").upper() == "TEXT":
        return ""
    year = _NO_YEAR if match[1] in {"--", found.params.get(_OMITTED)} else int(match[1])
    try:
        day = date(year, int(match[2]), int(match[3]))
    except ValueError:
        return ""
    return day.isoformat() if FIRST_YEAR <= day.year <= LAST_YEAR else ""


def date_line(name: str, day: str, known: Line | None, *, is_new: bool) -> Line:
    """A line with a day (`YYYY-MM-DD`) in a vCard 4.0 (`is_new`) or before, made of the one there is."""
    omitted = day.startswith(f"{_NO_YEAR}-")
    value = day.replace("-", "") if is_new else day
    if omitted and is_new:
        value = f"--{value[4:]}"
    line = known or make_line(name, value)
    marked = str(_NO_YEAR) if omitted and not is_new else None
    return line.with_params(value, VALUE=None, CALSCALE=None, X_APPLE_OMIT_YEAR=marked)
