"""What others see of private items: when an event is, and nothing of anything else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.items import ItemKind
from gateway.pim.events.document import Document
from gateway.pim.events.model import Busy, Sensitivity
from gateway.pim.privacy import is_private, veiled
from tests.pim.exchange.samples import calendar, event

SECRETS = (
    *("SUMMARY:secret", "LOCATION:secret", "DESCRIPTION:secret", "CATEGORIES:secret", "URL:secret:x"),
    *("ORGANIZER:mailto:secret@example.test", "ATTENDEE:mailto:secret@example.test", "COMMENT:secret"),
    *("ATTACH:secret:x", "X-ALT-DESC:secret", "CONTACT:secret", "GEO:1;2", "RESOURCES:secret"),
    *("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:secret", "TRIGGER:-PT5M", "END:VALARM"),
    *("X-MICROSOFT-LOCATIONS:secret", "X-ACTIVESYNC-RESPONSE:secret", "COLOR:secret", "rubbish secret"),
)
START = "DTSTART:20260302T090000Z"
PRIVATE = "CLASS:PRIVATE"


@pytest.mark.parametrize(
    "said",
    [
        *(PRIVATE, "class:Confidential", "CLASS;X-A=b:PRIVATE ", "CLASS:\tPRIVATE"),
        *("CLASS:PRI\r\n VATE", "CL\r\n\tASS:PRIVATE", 'CLASS;X-A="b:c;d":PRIVATE', "a1.CLASS:PRIVATE"),
        *("CLASS:X-OURS-ALONE", "CLASS:SECRET"),  # RFC 5545 3.8.1.3: as PRIVATE
    ],
)
def test_what_is_private(said: str) -> None:
    text = calendar(*event("u", said, "SUMMARY:secret", start=START))
    assert is_private(text)
    shown = veiled(ItemKind.CALENDAR, text)
    assert shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    "said",
    [
        "CLASS:PUBLIC",
        "CLASS:X-PERSONAL",
        "SUMMARY:CLASS:PRIVATE",
        "DESCRIPTION:a\r\n CLASS:PRIVATE",
        "X-CLASS:PRIVATE",
    ],
)
def test_what_is_not(said: str) -> None:
    assert not is_private(calendar(*event("u", said, start=START)))


def test_an_event_shows_when_it_is() -> None:
    rule = ("RRULE:FREQ=DAILY;COUNT=9", "EXDATE:20260304T090000Z", "X-MICROSOFT-CDO-BUSYSTATUS:OOF")
    text = calendar(*event("u", PRIVATE, *rule, *SECRETS, start=START))
    shown = veiled(ItemKind.CALENDAR, text)
    assert shown is not None
    assert "secret" not in shown
    found, whole = (Document(one).event("ann@example.test", UTC) for one in (shown, text))
    assert (found.start, found.end, found.rule) == (whole.start, whole.end, whole.rule)
    assert found.occurrences == whole.occurrences
    assert (found.subject, found.busy, found.sensitivity) == (
        "Private",
        Busy.OUT_OF_OFFICE,
        Sensitivity.PRIVATE,
    )
    hidden = (found.attendees, found.organizer, found.body, found.location, found.reminder)
    assert hidden == ((), None, None, None, None)


def test_of_a_series_that_is_not_private_an_occurrence_can_be() -> None:
    series = event("u", "SUMMARY:told", "RRULE:FREQ=DAILY;COUNT=9", start=START)
    exception = event("u", "SUMMARY:secret", PRIVATE, "RECURRENCE-ID:20260303T090000Z", start=START)
    shown = veiled(ItemKind.CALENDAR, calendar(*series, *exception))
    assert shown is not None
    assert "secret" not in shown
    found = Document(shown).event("", UTC)
    assert found.subject == "told"
    known = found.occurrence(datetime(2026, 3, 3, 9, tzinfo=UTC))
    assert known
    assert known.event
    assert known.event.subject == "Private"


def test_a_private_series_hides_its_exceptions_too() -> None:
    series = event("u", PRIVATE, "RRULE:FREQ=DAILY;COUNT=9", start=START)
    exception = event("u", "SUMMARY:secret", "RECURRENCE-ID:20260303T090000Z", start=START)
    shown = veiled(ItemKind.CALENDAR, calendar(*series, *exception))
    assert shown is not None
    assert "secret" not in shown


@pytest.mark.parametrize("kind", [ItemKind.TASKS, ItemKind.CONTACTS, ItemKind.NOTES])
def test_nothing_is_seen_of_other_kinds_and_of_rubbish(kind: ItemKind) -> None:
    assert veiled(kind, calendar("BEGIN:VTODO", PRIVATE, "END:VTODO")) is None
    assert veiled(ItemKind.CALENDAR, PRIVATE) is None
    assert veiled(ItemKind.CALENDAR, calendar("BEGIN:VTODO", PRIVATE, "END:VTODO")) is None
