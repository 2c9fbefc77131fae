"""The time zone structure of phones, read and written."""

from __future__ import annotations

import base64
import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.timezones import BadBlob, Onset, ZoneRules, pack, rules_at, unpack

MARCH = datetime(2026, 3, 2, 9, tzinfo=UTC)


def octets(
    bias: int = 0,
    standard: tuple[int, ...] = (0,) * 8,
    standard_bias: int = 0,
    daylight: tuple[int, ...] = (0,) * 8,
    daylight_bias: int = 0,
    name: str = "",
) -> str:
    dates = [struct.pack("<8H", *date) for date in (standard, daylight)]
    names = name.encode("utf-16-le")
    return base64.b64encode(
        struct.pack("<i64s16si64s16si", bias, names, dates[0], standard_bias, names, dates[1], daylight_bias)
    ).decode()


@pytest.mark.parametrize(
    ("zone", "bias", "standard", "daylight", "daylight_bias"),
    [
        ("Europe/Berlin", -60, (0, 10, 0, 5, 3, 0, 0, 0), (0, 3, 0, 5, 2, 0, 0, 0), -60),
        ("America/Los_Angeles", 480, (0, 11, 0, 1, 2, 0, 0, 0), (0, 3, 0, 2, 2, 0, 0, 0), -60),
        ("Etc/UTC", 0, (0,) * 8, (0,) * 8, 0),
        ("Australia/Lord_Howe", -630, (0, 4, 0, 1, 2, 0, 0, 0), (0, 10, 0, 1, 2, 0, 0, 0), -30),
        ("Africa/Cairo", -120, (0, 10, 4, 5, 23, 59, 59, 999), (0, 4, 5, 5, 0, 0, 0, 0), -60),
    ],
)
def test_octets(
    zone: str, bias: int, standard: tuple[int, ...], daylight: tuple[int, ...], daylight_bias: int
) -> None:
    rules = rules_at(ZoneInfo(zone), MARCH)
    assert pack(rules) == octets(bias, standard, 0, daylight, daylight_bias)
    assert unpack(pack(rules)) == rules
    assert len(base64.b64decode(pack(rules))) == 172


def test_the_text_of_a_well_known_zone() -> None:
    """As Exchange writes it, but for the names, which it leaves out too."""
    text = pack(rules_at(ZoneInfo("Europe/Berlin"), MARCH))
    assert len(text) == 232
    assert (text[:6], text[-12:]) == ("xP///w", "AAAAxP///w==")


def test_names() -> None:
    rules = unpack(octets(-60, name="W. Europe Standard Time"))
    assert (rules.standard_name, rules.daylight_name) == ("W. Europe Standard Time",) * 2
    assert unpack(pack(rules)) == rules
    assert unpack(pack(ZoneRules(0, 0, standard_name="x" * 40))).standard_name == "x" * 31
    assert unpack(octets(0, name="\U0001f600" * 16)).standard_name == "\U0001f600" * 16


def test_without_daylight_time_its_bias_is_nothing() -> None:
    assert unpack(octets(-330, daylight_bias=-60)) == ZoneRules.fixed(330)


def test_a_bias_of_standard_time_counts() -> None:
    rules = unpack(octets(0, (0, 10, 0, 5, 2, 0, 0, 0), -60, (0, 3, 0, 5, 1, 0, 0, 0), -120))
    assert (rules.standard, rules.daylight) == (60, 120)


def test_a_date_stands_for_those_of_other_years() -> None:
    october, march = (2026, 10, 0, 25, 3, 0, 0, 0), (2026, 3, 0, 8, 2, 0, 0, 0)
    rules = unpack(octets(-60, october, 0, march, -60))
    assert rules.standard_onset == Onset(10, 4, 0, timedelta(hours=3))
    assert rules.daylight_onset == Onset(3, 2, 0, timedelta(hours=2))


def test_negative_daylight_time_is_the_same_clocks_under_other_names() -> None:
    """Dublin as the law has it: standard time in summer, an hour less in winter."""
    october, march = (0, 10, 0, 5, 2, 0, 0, 0), (0, 3, 0, 5, 1, 0, 0, 0)
    turned = unpack(octets(-60, march, 0, october, 60))
    assert turned == rules_at(ZoneInfo("Europe/Dublin"), MARCH)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "AAAA",
        "Ä",
        octets()[:-8],
        octets(bias=100_000),
        octets(0, (2026, 2, 0, 30, 0, 0, 0, 0), 0, (0, 3, 0, 1, 0, 0, 0, 0)),
        octets(0, (0, 13, 0, 1, 0, 0, 0, 0), 0, (0, 3, 0, 1, 0, 0, 0, 0)),
        octets(0, (0, 10, 7, 1, 0, 0, 0, 0), 0, (0, 3, 0, 1, 0, 0, 0, 0)),
        octets(0, (0, 10, 0, 0, 0, 0, 0, 0), 0, (0, 3, 0, 1, 0, 0, 0, 0)),
        octets(0, (0, 10, 0, 1, 24, 0, 0, 0), 0, (0, 3, 0, 1, 0, 0, 0, 0)),
    ],
)
def test_broken(text: str) -> None:
    with pytest.raises(BadBlob):
        unpack(text)


onsets = st.builds(
    Onset,
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(0, 6),
    st.integers(0, 86_399_999).map(lambda milliseconds: timedelta(milliseconds=milliseconds)),
)
offsets = st.integers(-720, 840)
all_rules = st.one_of(
    offsets.map(ZoneRules.fixed),
    st.tuples(offsets, st.integers(1, 120), onsets, onsets).map(
        lambda made: ZoneRules(made[0], made[0] + made[1], made[2], made[3], "standard", "daylight")
    ),
)


@given(all_rules)
def test_what_is_written_is_read(rules: ZoneRules) -> None:
    assert unpack(pack(rules)) == rules


@given(st.binary(min_size=172, max_size=172))
def test_any_octets_are_a_zone_or_refused(data: bytes) -> None:
    text = base64.b64encode(data).decode()
    try:
        rules = unpack(text)
    except BadBlob:
        return
    assert unpack(pack(rules)) == rules
