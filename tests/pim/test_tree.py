"""Calendars as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pim.lines import read
from gateway.pim.tree import BadText, Line, escaped, make_line, parse_calendar
from tests.support.invitations import SHAPES


def calendar(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", *lines, "END:VCALENDAR"))


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_read_is_written_as_it_was(name: str) -> None:
    tree = parse_calendar(SHAPES[name])
    assert tree.text == SHAPES[name]
    assert tree.component == read(SHAPES[name])[0]


def test_rubbish_stays() -> None:
    text = calendar("X;bad", "BEGIN:X-A", "no colon", "Y;P=a\r\n b:c", "END:X-A", 'Z;P="x:y')
    assert parse_calendar(text).text == text


def test_lines_end_as_they_should() -> None:
    assert parse_calendar("BEGIN:VCALENDAR\nX:1\r a\rEND:VCALENDAR").text == calendar("X:1\r\n a")


def test_what_is_left_open_ends() -> None:
    assert parse_calendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nX:1").text == calendar(
        "BEGIN:VEVENT", "X:1", "END:VEVENT"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "X:1",
        "BEGIN:VEVENT\r\nEND:VEVENT",
        calendar(*["X:1"] * 100_001),
        calendar("X:" + "1" * (9 << 20)),
    ],
)
def test_no_calendar_or_too_long(text: str) -> None:
    with pytest.raises(BadText):
        parse_calendar(text)


def test_depth_is_bounded() -> None:
    tree = parse_calendar(calendar(*["BEGIN:X"] * 5000, *["END:X"] * 5000, "Y:1"))
    assert tree.component.text("Y") == "1"
    assert len(tree.text) < 1000


@pytest.mark.parametrize(
    ("raw", "changes", "value", "expected"),
    [
        ("X;A=b;C=d:e", {"A": "z"}, None, "X;A=z;C=d:e"),
        ("X;A=b;C=d:e", {"A": None}, None, "X;C=d:e"),
        ("X;a=b:e", {"A": "z"}, "f", "X;a=z:f"),
        ("X:e", {"A": 'q "r"; s'}, None, "X;A=\"q ^'r^'; s\":e"),
        ('X;A="b:c";D=e:f', {"D": None}, None, 'X;A="b:c":f'),
        ("X;A=b:a\\,b", {}, None, "X;A=b:a\\,b"),
        ("X:e", {"A": "b\nc^d\x00"}, "f\r\nINJECTED:1", "X;A=b^nc^^d:fINJECTED:1"),
    ],
)
def test_parameters_change_one_by_one(
    raw: str, changes: dict[str, str | None], value: str | None, expected: str
) -> None:
    assert Line.of(raw).with_params(value, **changes).raw == expected


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_text_comes_back(text: str) -> None:
    """But for characters that a calendar cannot have."""
    line = make_line("SUMMARY", escaped(text), {"X-P": text})
    assert all(len(piece.encode()) <= 75 for piece in line.raw.split("\r\n"))
    assert parse_calendar(calendar(line.raw)).component.get("SUMMARY") == line.read
    assert line.read
    allowed = [one for one in text.replace("\r\n", "\n").replace("\r", "\n") if one >= " " or one in "\t\n"]
    expected = "".join(allowed).replace("\x7f", "")
    assert line.read.text == expected
    assert line.read.params["X-P"] == expected.strip()


@given(st.text(st.sampled_from('BEGIN:VCALENDARTEND\r\n \t;="\\,:X^'), max_size=300))
def test_any_text_is_kept(text: str) -> None:
    whole = f"BEGIN:VCALENDAR\r\nX:1\r\n{text}"
    once = parse_calendar(whole).text
    assert parse_calendar(once).text == once
