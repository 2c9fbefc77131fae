"""What others may see of an item that its owner calls private (CLASS of RFC 5545 3.8.1.3, RFC 2426 3.7.1)."""

from __future__ import annotations

import re

from gateway.items import ItemKind
from gateway.pim.invitation import Sensitivity, sensitivity_of
from gateway.pim.lines import parse_property
from gateway.pim.names import BLOB, BUSY, CALENDAR_TYPE
from gateway.pim.tree import BadText, Node, make_line, parse_calendar

__all__ = ["is_private", "veiled"]

_FOLD = re.compile(r"(?:\r\n|\r|\n)[ \t]")
_SAID = re.compile(r"(?:^|[\r\n])(\ufeff?(?:[A-Z0-9-]+\.)?CLASS[;:][^\r\n]*)", re.IGNORECASE | re.ASCII)
"""A line with CLASS, once lines are no longer folded."""
_SUBJECT = "Private"
_SHOWN = frozenset(
    {
        *("UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "CLASS", "STATUS", "TRANSP"),
        *("DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "EXRULE", "RDATE", "EXDATE"),
        *(BUSY, BLOB, CALENDAR_TYPE),
    }
)
"""What says when somebody is busy, and nothing of what with."""


def is_private(text: str) -> bool:
    """Whether an item, or an occurrence of it, is private or confidential."""
    lines = (parse_property(line) for line in _SAID.findall(_FOLD.sub("", text)))
    return any(_hides(line.value) for line in lines if line)


def veiled(kind: ItemKind, text: str) -> str | None:
    """A private item as others may see it: of an event when it is; of all else, and of rubbish, nothing."""
    if kind is not ItemKind.CALENDAR:
        return None
    try:
        calendar = parse_calendar(text)
    except BadText:
        return None
    events = list(calendar.nodes("VEVENT"))
    main = next((one for one in events if not any(one.lines("RECURRENCE-ID"))), None)
    whole = main is not None and _says_so(main)
    hidden = [one for one in events if whole or _says_so(one)]
    for one in hidden:
        _veil(one)
    return calendar.text if hidden else None


def _says_so(event: Node) -> bool:
    return any(line.read and _hides(line.read.value) for line in event.lines("CLASS"))


def _hides(said: str) -> bool:
    return sensitivity_of(said) >= Sensitivity.PRIVATE


def _veil(event: Node) -> None:
    event.parts = [one for one in event.parts if not isinstance(one, Node) and one.name in _SHOWN]
    event.replace("SUMMARY", [make_line("SUMMARY", _SUBJECT)])
