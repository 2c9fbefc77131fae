"""Which zone a phone or a calendar means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pim.timezones import Onset, RuleZone, ZoneRules, rules_at, zone_for
from gateway.pim.timezones.names import zone_names
from gateway.pim.timezones.windows import WINDOWS_ZONES

MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)
KNOWN = sorted(set(WINDOWS_ZONES.values()))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(zone_names())), st.integers(0, 20 * 365 * 24))
def test_rules_of_a_zone_lead_to_one_with_the_same_clocks(name: str, hours: int) -> None:
    at = datetime(2015, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    found = zone_for(rules_at(ZoneInfo(name), at), at)
    for weeks in range(50):
        instant = at + timedelta(weeks=weeks)
        # The structure says no more; where it does not tell the year, the zone found does at the start.
        if weeks == 0 or not isinstance(found, RuleZone):
            assert instant.astimezone(found).utcoffset() == instant.astimezone(ZoneInfo(name)).utcoffset()


@pytest.mark.parametrize("name", KNOWN)
def test_a_zone_that_is_preferred_is_found_again(name: str) -> None:
    zone = ZoneInfo(name)
    assert zone_for(rules_at(zone, MARCH), MARCH, prefer=[ZoneInfo("Europe/Paris"), zone]) in {
        zone,
        ZoneInfo("Europe/Paris"),
    }
    assert zone_for(rules_at(zone, MARCH), MARCH, prefer=[zone]) == zone


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Romance Standard Time", "Europe/Paris"),
        ("Central European Standard Time", "Europe/Warsaw"),
        ("Europe/Rome", "Europe/Rome"),
        ("Mitteleuropäische Zeit", "Europe/Berlin"),
        ("", "Europe/Berlin"),
        ("Tokyo Standard Time", "Europe/Berlin"),
    ],
)
def test_among_zones_with_the_same_rules_the_name_decides(name: str, zone: str) -> None:
    rules = replace(rules_at(ZoneInfo("Europe/Berlin"), MARCH), standard_name=name)
    assert zone_for(rules, MARCH) == ZoneInfo(zone)


def test_no_daylight_time_and_no_bias_is_utc() -> None:
    assert zone_for(ZoneRules.fixed(0), MARCH) == ZoneInfo("Etc/UTC")
    assert zone_for(
        ZoneRules.fixed(
            0,
        ),
        MARCH,
        prefer=[ZoneInfo("Atlantic/Reykjavik")],
    ) == ZoneInfo("Atlantic/Reykjavik")


def test_rules_of_another_year_are_understood() -> None:
    """A phone may tell the rules of now for an event of long ago, or have old ones."""
    now = rules_at(ZoneInfo("America/New_York"), MARCH)
    assert zone_for(now, datetime(2009, 3, 2, tzinfo=UTC)) == ZoneInfo("America/New_York")
    morocco = rules_at(ZoneInfo("Africa/Casablanca"), datetime(2026, 6, 1, tzinfo=UTC))
    assert zone_for(morocco, datetime(2026, 1, 10, tzinfo=UTC)) in {
        ZoneInfo("Africa/Casablanca"),
        ZoneInfo("Africa/El_Aaiun"),
    }


def test_a_name_counts_alone_when_its_zone_is_near() -> None:
    """Rules that were in force never, from a device that does not know better."""
    rules = ZoneRules(-300, -240, Onset(11, 1, 0), Onset(4, 3, 0), standard_name="Eastern Standard Time")
    assert zone_for(rules, MARCH) == ZoneInfo("America/New_York")
    elsewhere = replace(rules, standard_name="Tokyo Standard Time")
    assert zone_for(elsewhere, MARCH) == RuleZone(elsewhere)


def test_what_nobody_knows_keeps_its_clocks_and_is_not_gmt() -> None:
    odd = ZoneRules(83, 143, Onset(9, 3, 2, timedelta(hours=5)), Onset(2, 1, 1, timedelta(hours=1)))
    zone = zone_for(odd, MARCH)
    assert zone == RuleZone(odd)
    assert datetime(2026, 7, 1, 12, tzinfo=zone).astimezone(UTC) == datetime(2026, 7, 1, 9, 37, tzinfo=UTC)
    assert rules_at(zone, MARCH) == odd
