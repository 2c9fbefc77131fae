"""Fuzz the reading of scheduling messages: `python -m tests.fuzz.fuzz_calendar -max_total_time=60 [CORPUS]`.

Takes any libFuzzer option. An input is a calendar in UTF-8. CORPUS is a folder that keeps the inputs found on
the way; without it, the seeds of this repository are the start and nothing is kept. An input that fails is
written to the working directory as `crash-...`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from gateway.eas.content import meeting
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.pim import invitation, lines, recurrence, values, zones
from gateway.pim.events.document import Document
from gateway.pim.events.model import Participation
from gateway.pim.itip import answers, incoming, merge, responding, times, words
from gateway.pim.itip import message as message_parts
from gateway.pim.itip.message import read_message
from gateway.pim.timezones import blob, changes, definitions, match, names, rules, unpack
from tests.fuzz.target import functions_of, fuzz
from wbxml import encode
from wbxml.pages import Email

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).parent / "corpus" / "calendar"
VERSIONS = (Version.V12_1, Version.V14_1, Version.V16_1)

_INNER = (
    blob,
    answers,
    changes,
    definitions,
    incoming,
    invitation,
    lines,
    match,
    meeting,
    merge,
    message_parts,
    names,
    recurrence,
    responding,
    rules,
    times,
    values,
    words,
    zones,
)
_ANN, _BOB = "ann@example.org", "bob@example.org"
_RECEIVED = datetime(2026, 3, 1, tzinfo=UTC)


def message(data: bytes) -> invitation.Invitation | None:
    """What an input asks of its reader."""
    return meeting.meeting_of(data.decode("utf-8", "replace"), _method(data), _ANN, invitation.nobody, UTC)


def _method(data: bytes) -> str:
    """What the mail says of a calendar: nothing else than the calendar itself, where that says something."""
    return "" if b"METHOD" in data else "REQUEST"


def check(data: bytes) -> None:
    """Read a calendar and tell it in several versions: in a form that can be sent, with a time zone."""
    take(data)
    found = message(data)
    if found is None:
        return
    assert meeting.message_class(found).startswith("IPM.Schedule.Meeting."), data
    for version in VERSIONS:
        made = meeting.meeting_request(found, _RECEIVED, "bob@example.org", "ann@example.org", version)
        if made:
            assert len(encode(made)) > 100, data
            unpack(made.child_text(Email.TimeZone) or "")


def take(data: bytes) -> None:
    """Bring it into the calendars of attendee and organizer: what comes of it can be stored and told."""
    told = read_message(data.decode("utf-8", "replace"), _method(data))
    if told is None:
        return
    try:
        for owner, sender in ((_ANN, _BOB), (_BOB, _ANN)):
            text = incoming.apply(told, None, sender=sender, owner=owner, now=_RECEIVED).text
            if text is None:
                continue
            assert Document(text).stored.uid == told.parts.uid, data
            again = incoming.apply(told, text, sender=sender, owner=owner, now=_RECEIVED)
            assert again.text is None, data
            instance = told.parts.instance_of_all
            accepted, held = Participation.ACCEPTED, Document(text)
            answered = responding.answered(held, instance, accepted, "mark", owner, _RECEIVED)
            assert answered.stored == Document(answered.text).stored, data
            reply = responding.reply(answered, instance, accepted, invitation.Person(owner), _RECEIVED)
            shown = invitation.read_invitation(reply)
            assert shown is None or words.describe(shown), data
    except Refused:
        return


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
