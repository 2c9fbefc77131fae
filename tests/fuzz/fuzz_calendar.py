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
from gateway.pim import invitation, lines, recurrence, values, zones
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
    changes,
    definitions,
    invitation,
    lines,
    match,
    meeting,
    names,
    recurrence,
    rules,
    values,
    zones,
)
_RECEIVED = datetime(2026, 3, 1, tzinfo=UTC)


def message(data: bytes) -> invitation.Invitation | None:
    """What an input asks of its reader."""
    return meeting.meeting_of(data.decode("utf-8", "replace"), "REQUEST", "ann@example.org")


def check(data: bytes) -> None:
    """Read a calendar and tell it in several versions: in a form that can be sent, with a time zone."""
    found = message(data)
    if found is None:
        return
    assert meeting.message_class(found).startswith("IPM.Schedule.Meeting."), data
    for version in VERSIONS:
        made = meeting.meeting_request(found, _RECEIVED, "bob@example.org", "ann@example.org", version)
        if made:
            assert len(encode(made)) > 100, data
            unpack(made.child_text(Email.TimeZone) or "")


def reader_functions() -> Iterator[FunctionType]:
    """Yield the functions and methods whose branches the fuzzer should see."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
