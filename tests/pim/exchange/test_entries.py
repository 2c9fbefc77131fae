"""Events of a file: what is left out, what is told of it, and that the rest is taken over."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import Refused
from gateway.pim.events.document import read_event
from gateway.pim.exchange import components, filelines, scan
from tests.pim.exchange.samples import calendar, event, event_of, read

GOOD = event("good", "DURATION:PT1H")


def uids(text: str | bytes) -> list[str]:
    return [one.uid for one in read(text)[0]]


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (event("bad", start="SUMMARY:no start"), [(10, "an event without a start", True)]),
        (event("bad", start="DTSTART:tomorrow"), [(10, "an event without a start", True)]),
        (event("bad", start="DTSTART:99990101T000000Z"), [(10, "an event without a start", True)]),
        (event("u" * 2000), [(10, "a UID that is too long, or empty", True)]),
        (event("bad")[:-1], [(10, "an event without an end", True)]),
        (
            ("BEGIN:VTODO", "UID:x"),
            [],
        ),
    ],
    ids=["no start", "no date", "far away", "long name", "no end", "task without an end"],
)
def test_what_is_no_event_costs_itself_alone(bad: tuple[str, ...], told: list[tuple[int, str, bool]]) -> None:
    found, problems = read(calendar(*GOOD, *bad, *event("next")))
    assert {one.uid for one in found} == {"good", "next"}
    assert [(one.line, one.reason, one.whole) for one in problems] == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("this is rubbish", "a line that is no property"),
        ("SUMMARY:" + "x" * (1 << 20), "a line that is too long"),
        ("ATTACH:x-activesync-file:7", "a file that is not in the text"),
        ("ATTACH;ENCODING=BASE64;VALUE=BINARY:*not base64*", "a file that cannot be read"),
    ],
)
def test_a_line_that_cannot_be_taken_over_costs_itself_alone(line: str, told: str) -> None:
    ((found,), problems) = read(calendar(*event("one", "LOCATION:here", line, "COMMENT:there")))
    assert [(one.line, one.reason, one.whole) for one in problems] == [(9, told, False)]
    assert found.stored().text.split("\r\n")[-5:-2] == ["LOCATION:here", "COMMENT:there", "END:VEVENT"]
    assert found.stored().files == frozenset()


def test_a_changed_occurrence_that_cannot_be_understood_costs_itself_alone() -> None:
    (found,), (problem,) = read(
        calendar(
            *event("one", "RRULE:FREQ=DAILY;COUNT=3"),
            *event("one", "RECURRENCE-ID:never"),
            *event("one", "RECURRENCE-ID:20260303T090000Z", start="DTSTART:20260303T110000Z"),
        )
    )
    assert (problem.line, problem.whole) == (10, False)
    assert len(event_of(found).occurrences) == 1


@pytest.mark.parametrize("rule", ["FREQ=NEVER", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "nonsense"])
def test_a_rule_without_occurrences_leaves_the_event(rule: str) -> None:
    (found,), (problem,) = read(calendar(*event("one", f"RRULE:{rule}")))
    assert "comes to no occurrence" in problem.reason
    assert not event_of(found).recurring
    assert "RRULE" not in found.stored().text


def test_of_several_versions_the_newest_counts() -> None:
    text = calendar(
        *event("one", "SUMMARY:first", "SEQUENCE:1"),
        *event("one", "SUMMARY:third", "SEQUENCE:2", "LAST-MODIFIED:20260302T000000Z"),
        *event("one", "SUMMARY:second", "SEQUENCE:2", "LAST-MODIFIED:20260301T000000Z"),
    )
    (found,), problems = read(text)
    assert event_of(found).subject == "third"
    assert [one.line for one in problems] == [4, 19]
    assert not any(one.whole for one in problems)


def test_an_occurrence_without_its_series_is_kept() -> None:
    (found,), problems = read(calendar(*event("one", "RECURRENCE-ID:20260302T090000Z")))
    assert problems == []
    assert event_of(found).original == event_of(found).start


def test_an_event_without_a_name_gets_one_from_what_it_says() -> None:
    nameless = tuple(line for line in event("", "SUMMARY:x") if not line.startswith("UID"))
    (first,), _ = read(calendar(*nameless))
    stamped = tuple(line.replace("20260301", "20260407") for line in nameless)
    (again,), _ = read(calendar(*GOOD, *stamped).replace("UID:good", "UID:"))[0][:1], None
    assert len(first.uid) > 30
    assert [one.uid for one in read(calendar(*stamped))[0]] == [first.uid]
    assert again.uid != first.uid
    assert read_event(first.stored().text, "").uid == first.uid


def test_the_old_form_is_told_from_the_new_one() -> None:
    found, (problem,) = read(calendar(*event("one"), head=("VERSION:1.0",)))
    assert found == []
    assert "vCalendar 1.0" in problem.reason


# --- times -------------------------------------------------------------------------------------------------


def test_times_in_no_zone_are_in_the_one_given() -> None:
    text = calendar(
        *event("one", "RRULE:FREQ=DAILY;COUNT=2", "EXDATE:20260703T100000", start="DTSTART:20260702T100000")
    )
    (found,), problems = read(text, ZoneInfo("America/New_York"))
    assert problems == []
    stored = read_event(found.stored().text, "")
    assert stored.start.isoformat() == "2026-07-02T10:00:00-04:00"
    assert stored.occurrences[0].original.isoformat() == "2026-07-03T10:00:00-04:00"
    assert "BEGIN:VTIMEZONE\r\nTZID:America/New_York" in found.stored().text


def test_times_in_no_zone_stay_so_without_one() -> None:
    (found,), problems = read(calendar(*event("one", start="DTSTART:20260702T100000")))
    assert problems == []
    assert "DTSTART:20260702T100000\r\n" in found.stored().text


def test_a_zone_nobody_knows_is_told_and_counts_as_none() -> None:
    lines = event("one", start="DTSTART;TZID=Middle Earth:20260702T100000")
    (found,), (problem,) = read(calendar(*lines))
    assert "'Middle Earth'" in problem.reason
    assert "DTSTART:20260702T100000\r\n" in found.stored().text
    (found,), (problem,) = read(calendar(*lines), ZoneInfo("Asia/Tokyo"))
    assert event_of(found).start.isoformat() == "2026-07-02T10:00:00+09:00"
    whole = calendar(*lines, head=("VERSION:2.0", "X-WR-TIMEZONE:America/New_York"))
    (found,), (problem,) = read(whole, ZoneInfo("Asia/Tokyo"))
    assert "'Middle Earth'" in problem.reason
    assert event_of(found).start.isoformat() == "2026-07-02T10:00:00-04:00"


# --- octets ------------------------------------------------------------------------------------------------


def test_nothing_reaches_the_store_that_it_cannot_hold() -> None:
    text = calendar(*event("one", "SUMMARY:a\0b\x1bc", "\x01 LOCATION:x")).encode()
    text = text.replace(b"c\r\n", b"c\xed\xa0\x80d\r\n")
    (found,), _ = read(text)
    stored = found.stored()
    stored.text.encode()  # no lone surrogates
    assert "\0" not in stored.text
    assert event_of(found).subject.startswith("abc")
    assert read_event(stored.text, "") == event_of(found)


def test_lines_folded_within_characters_and_other_charsets() -> None:
    folded = calendar(*event("one", "SUMMARY:Grüße")).encode().replace("ü".encode(), b"\xc3\r\n \xbc")
    assert event_of(read(folded)[0][0]).subject == "Grüße"
    assert event_of(read(calendar(*event("one", "SUMMARY:Grüße")).encode("cp1252"))[0][0]).subject == "Grüße"
    assert uids(b"\xef\xbb\xbf" + calendar(*GOOD).encode()) == ["good"]


@pytest.mark.parametrize("text", [b"", b"hello", b"\xff\xfeB\0E\0", b"BEGIN:VCARD\r\nEND:VCARD\r\n"])
def test_what_is_no_calendar_is_refused(text: bytes) -> None:
    with pytest.raises(Refused):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        "\r\n".join(GOOD) + "\r\n",
        calendar(*GOOD).removesuffix("END:VCALENDAR\r\n"),
        calendar(*GOOD).lower(),
        calendar("BEGIN:X-WHATEVER", "BEGIN:VEVENT", "UID:inner", "END:VEVENT", "END:X-WHATEVER", *GOOD),
        calendar(*["BEGIN:X"] * 50, *["END:X"] * 50, *GOOD),
        calendar("END:VEVENT", "END:VCALENDAR", "END:NOTHING") + calendar(*GOOD),
        calendar(*GOOD).replace("\r\n", " \r\n\r\n"),
    ],
    ids=["no calendar around", "no end", "lower case", "unknown around", "deep", "ends alone", "blanks"],
)
def test_it_is_found_however_it_stands(text: str) -> None:
    assert "good" in uids(text)


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "LARGEST", 200)
    found, (problem,) = read(calendar(*event("large", "SUMMARY:" + "x" * 300), *GOOD))
    assert ([one.uid for one in found], problem.line, problem.whole) == (["good"], 4, True)
    monkeypatch.setattr(scan, "MOST_EVENTS", 2)
    assert uids(calendar(*GOOD, *event("two"), *event("three"))) == ["good", "two", "three"]
    for text in (
        calendar(*event("one") * 4),
        "BEGIN:VCALENDAR\r\n" * 5,
        calendar(*["BEGIN:VEVENT"] * 4),
    ):
        with pytest.raises(Refused):
            read(text)


def test_a_series_of_too_many_components_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pim.exchange.entries._MOST_COMPONENTS", 2)
    found, (problem,) = read(calendar(*event("many") * 3, *GOOD))
    assert ([one.uid for one in found], problem.whole) == (["good"], True)


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["rubbish"] * 19_000, True),
        (["rubbish"] * 30_000, False),
        (["COMMENT:x"] * 30_000, False),
        (["BEGIN:X"] * 30_000, False),
        (["COMMENT:" + "x" * 1_000_000] * 5, False),
        ([""] * 100_000, True),
        (["COMMENT:x", *[" x"] * 100_000], True),
        (["ATTACH;ENCODING=BASE64;VALUE=BINARY:eA=="] * 1500, True),
    ],
    ids=["rubbish", "more rubbish", "lines", "components", "text", "blank lines", "folds", "files"],
)
def test_an_event_of_too_much(lines: list[str], left: bool) -> None:
    found, problems = read(calendar(*event("much", *lines), *GOOD))
    assert [one.uid for one in found] == (["much", "good"] if left else ["good"])
    assert len(problems) <= 20
    assert [one.whole for one in problems if one.whole] == ([] if left else [True])
    assert all(len(one.files) <= 1000 for one in found)


def test_kinds_and_definitions_without_end() -> None:
    lines = [line for number in range(300) for line in (f"BEGIN:X-{number}", f"END:X-{number}")]
    lines += ["BEGIN:VTIMEZONE", "END:VTIMEZONE"] * 300
    contents = scan.scan(io.BytesIO(calendar(*lines, *GOOD).encode()))
    assert len(contents.others) <= 100
    assert len(contents.heads[0].definitions) <= 200


def test_a_long_line_is_scanned_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filelines, "_CHUNK", 64)
    monkeypatch.setattr(filelines, "_LONGEST", 100)
    found, problems = read(calendar(*event("one", "SUMMARY:" + "x" * 1000), *event("bad", start="")))
    assert [event_of(one).subject for one in found] == ["x" * 1000]
    assert [one.line for one in problems] == [10]
