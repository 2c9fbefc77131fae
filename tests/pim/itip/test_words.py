"""What people read of a scheduling message."""

from __future__ import annotations

import pytest

from gateway.pim.invitation import Invitation, read_invitation
from gateway.pim.itip.words import describe, title
from gateway.pim.timezones import RuleZone, ZoneRules
from tests.pim.itip.meetings import ZONE, series, vevent
from tests.support import invitations
from tests.support.invitations import calendar, event


def shown(text: str) -> Invitation:
    found = read_invitation(text)
    assert found is not None
    return found


def told(*lines: str, method: str = "REQUEST") -> str:
    return describe(shown(calendar(*ZONE, *lines, method=method)))


def test_a_series() -> None:
    text = told(*series("LOCATION:Room 2\\, left", "DESCRIPTION:Bring cake\\nand tea"))
    assert text == (
        "What:  Monday\n"
        "When:  Monday, 2 March 2026, 10:00 to 11:00 (Europe/Berlin)\n"
        "       every week on Monday\n"
        "Where: Room 2, left\n"
        "Host:  Bob\n"
        "\n"
        "Bring cake\nand tea\n"
    )


def test_a_comment_comes_first_and_the_description_only_in_invitations() -> None:
    cancelled = shown(calendar(*ZONE, *series("DESCRIPTION:secret"), method="CANCEL"))
    text = describe(cancelled, "Sorry")
    assert text.startswith("Sorry\n\nWhat:  Monday\n")
    assert "secret" not in text


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY;INTERVAL=3;COUNT=4", "every 3 days, 4 times"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week on weekdays"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU", "every 2 weeks on Tuesday and Sunday"),
        ("FREQ=MONTHLY;BYMONTHDAY=2", "every month on day 2"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month on the last Friday"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2", "every year on day 2 of March"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", "every year on the fourth Thursday of November"),
        ("FREQ=WEEKLY;BYDAY=MO;UNTIL=20260330T080000Z", "every week on Monday, until Monday, 30 March 2026"),
    ],
)
def test_a_rhythm(rule: str, words: str) -> None:
    text = told(*vevent(f"RRULE:{rule}", "SUMMARY:x"))
    assert f"       {words}\n" in text


def test_whole_days() -> None:
    one = told(*event("DTEND;VALUE=DATE:20260303", start="DTSTART;VALUE=DATE:20260302"))
    assert "When:  Monday, 2 March 2026\n" in one
    three = told(*event("DTEND;VALUE=DATE:20260305", start="DTSTART;VALUE=DATE:20260302"))
    assert "When:  Monday, 2 March 2026 to Wednesday, 4 March 2026\n" in three


def test_over_midnight_and_in_zones_without_a_name() -> None:
    text = told(*vevent("SUMMARY:x", clock="20260302T230000", end="20260303T010000"))
    assert "Monday, 2 March 2026, 23:00 to Tuesday, 3 March 2026, 01:00 (Europe/Berlin)" in text
    utc = calendar(*event("DTEND:20260302T100000Z", start="DTSTART:20260302T090000Z"))
    assert "09:00 to 10:00 (UTC)" in describe(shown(utc))
    custom = shown(invitations.OUTLOOK_CUSTOM_ZONE)
    assert "10:00 to 11:00 (UTC+02:23)" in describe(custom)
    west = RuleZone(ZoneRules.fixed(-210))
    assert custom.start is not None
    assert custom.end is not None
    moved = Invitation(
        custom.method, custom.uid, custom.start.astimezone(west), custom.end.astimezone(west), west
    )
    assert "(UTC-03:30)" in describe(moved)


def test_other_times_are_proposed() -> None:
    text = describe(shown(invitations.COUNTER))
    assert "New:   Tuesday, 3 March 2026, 09:00 to 10:00 (UTC)\n" in text
    assert "When:  Monday, 2 March 2026, 09:00 to 10:00 (UTC)\n" in text


@pytest.mark.parametrize(
    ("method", "answer", "again", "expected"),
    [
        ("REQUEST", "", False, "Monday"),
        ("REQUEST", "", True, "Updated: Monday"),
        ("CANCEL", "", False, "Canceled: Monday"),
        ("REPLY", "ACCEPTED", False, "Accepted: Monday"),
        ("REPLY", "TENTATIVE", False, "Tentative: Monday"),
        ("REPLY", "DECLINED", False, "Declined: Monday"),
        ("COUNTER", "TENTATIVE", False, "New time proposed: Monday"),
    ],
)
def test_titles(method: str, answer: str, again: bool, expected: str) -> None:
    found = shown(calendar(*ZONE, *series(), method=method))
    assert title(found, answer=answer, again=again) == expected
    nameless = shown(calendar(*ZONE, *vevent(), method=method))
    assert title(nameless, answer=answer, again=again) == expected.replace("Monday", "(no title)")


@pytest.mark.parametrize("name", list(invitations.SHAPES))
def test_every_shape_can_be_told(name: str) -> None:
    assert describe(shown(invitations.SHAPES[name])).startswith("What:  Team\n")
