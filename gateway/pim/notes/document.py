"""The text of a note in the store, read and changed: what is not changed survives as it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from gateway.items import StoredItem
from gateway.pim.clock import Clock
from gateway.pim.limits import LONGEST_UID
from gateway.pim.lines import Component, read
from gateway.pim.names import ALT_DESC, MESSAGE_CLASS
from gateway.pim.properties import (
    UNSET,
    Body,
    Unset,
    natural,
    put_text,
    read_body,
    read_categories,
    read_text,
    settled_body,
    write_body,
    write_categories,
)
from gateway.pim.tree import BadText, Node, escaped, make_line, parse_calendar
from gateway.pim.values import utc_text

__all__ = [
    "PLACES",
    "STICKY_NOTE",
    "BadNote",
    "Note",
    "NotePatch",
    "Place",
    "new_note",
    "patch_note",
    "read_component",
    "read_note",
    "stored_note",
]

STICKY_NOTE = "IPM.StickyNote"
"""The class of every note that has no other."""
_PRODUCT = "-//ActiveSync Gateway//Notes//EN"


class BadNote(BadText):
    """It is no note, or would become one that cannot be."""


@dataclass(frozen=True, slots=True)
class Note:
    """A note. `modified` and `stamp` are in UTC; `message_class` is that of MS-ASNOTE 2.2.2.5."""

    uid: str
    subject: str = ""
    body: Body | None = None
    categories: tuple[str, ...] = ()
    message_class: str = STICKY_NOTE
    stamp: datetime | None = None
    modified: datetime | None = None
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotePatch:
    """What is to change of a note. UNSET keeps a value, None removes it."""

    subject: str | Unset | None = UNSET
    body: Body | Unset | None = UNSET
    categories: tuple[str, ...] | Unset | None = UNSET
    message_class: str | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is in a VJOURNAL: the properties that are written, and what writes them."""

    properties: tuple[str, ...]
    write: Callable[[Node, Any], None]


def read_note(text: str) -> Note:
    """The note in a text. Raises `BadNote` when there is none."""
    calendar = next(iter(read(text)), None)
    if calendar is None:
        raise BadNote("no calendar")
    return read_component(calendar)


def read_component(calendar: Component) -> Note:
    """The note of a calendar. Raises `BadNote`."""
    journal = next(calendar.parts("VJOURNAL"), None)
    if journal is None:
        raise BadNote("no note")
    clock = Clock(calendar, UTC)
    return Note(
        uid=journal.text("UID"),
        subject=read_text(journal, "SUMMARY"),
        body=read_body(journal),
        categories=tuple(read_categories(journal)),
        message_class=journal.text(MESSAGE_CLASS) or STICKY_NOTE,
        stamp=clock.instant(journal.get("DTSTAMP")),
        modified=clock.instant(journal.get("LAST-MODIFIED")),
        sequence=natural(journal.text("SEQUENCE")),
    )


def new_note(patch: NotePatch, uid: str, now: datetime) -> str:
    """The text of a new note. Raises `BadNote`."""
    if not 0 < len(uid) <= LONGEST_UID:
        raise BadNote("a note needs a UID of some length")
    calendar = Node.new("VCALENDAR", [make_line("VERSION", "2.0"), make_line("PRODID", _PRODUCT)])
    lines = [("UID", escaped(uid)), *((name, utc_text(now)) for name in ("DTSTAMP", "CREATED"))]
    calendar.parts.append(Node.new("VJOURNAL", [make_line(name, value) for name, value in lines]))
    return _patched(calendar, patch, now)


def patch_note(text: str, patch: NotePatch, now: datetime) -> str:
    """The text after a change; the same text when nothing is different. Raises `BadNote`."""
    return _patched(parse_calendar(text), patch, now)


def stored_note(text: str) -> StoredItem:
    """What is to be stored of a note: its text with all that the store knows of it. Raises `BadNote`."""
    return StoredItem(read_note(text).uid, text)


def _write_message_class(journal: Node, message_class: str) -> None:
    usual = message_class == STICKY_NOTE
    journal.replace(MESSAGE_CLASS, [] if usual else [make_line(MESSAGE_CLASS, escaped(message_class))])


PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "subject": Place(("SUMMARY",), lambda journal, subject: put_text(journal, "SUMMARY", subject)),
        "body": Place(("DESCRIPTION", ALT_DESC), write_body),
        "categories": Place(("CATEGORIES",), write_categories),
        "message_class": Place((MESSAGE_CLASS,), _write_message_class),
        "modified": Place(
            ("LAST-MODIFIED",),
            lambda journal, at: journal.replace("LAST-MODIFIED", [make_line("LAST-MODIFIED", utc_text(at))]),
        ),
    }
)
"""Where each value of a note is."""
_DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Note) if one.name != "uid"}
"""What a note has where nothing is said: what None in a patch stands for."""


def _patched(calendar: Node, patch: NotePatch, now: datetime) -> str:
    before, old = calendar.text, read_component(calendar.component)
    journal = next(calendar.nodes("VJOURNAL"))
    for one in fields(patch):
        wanted, known = getattr(patch, one.name), getattr(old, one.name)
        if isinstance(wanted, Unset):
            continue
        value = _DEFAULTS[one.name] if wanted is None else _settled(wanted, known)
        if value != known:
            PLACES[one.name].write(journal, value)
    if calendar.text == before:
        return before
    PLACES["modified"].write(journal, now)
    journal.replace("DTSTAMP", [make_line("DTSTAMP", utc_text(now))])
    return calendar.text


def _settled(wanted: Any, known: Any) -> Any:
    return settled_body(wanted, known) if isinstance(wanted, Body) else wanted
