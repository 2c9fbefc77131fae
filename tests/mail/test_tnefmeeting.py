"""Meetings in a winmail.dat: as iCalendar, with all that it says of when, or not at all."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mail import tnef
from gateway.mail.headers import Headers
from gateway.mail.tnefmeeting import meeting_in
from gateway.pim.events.document import read_event
from gateway.pim.events.expansion import instances
from gateway.pim.events.model import Event
from gateway.pim.invitation import Invitation, Method, read_invitation
from tests.support import tnef as packed
from tests.support.tnef import APPOINTMENT, MEETING, Numbered

HEADERS = Headers(
    b'From: "Bob B." <bob@example.org>\r\n'
    b"To: Ann <ann@example.org>, cid@example.org\r\n"
    b"Cc: dan@example.org\r\n"
)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = START + timedelta(hours=1)
SAID = datetime(2026, 3, 1, 8, tzinfo=UTC)
ID = bytes.fromhex("040000008200e00074c5b7101a82e008") + bytes(24) + bytes.fromhex("cafe")
BERLIN = struct.pack("<iiiH8HH8H", -60, 0, -60, 0, 0, 10, 0, 5, 3, 0, 0, 0, 0, 0, 3, 0, 5, 2, 0, 0, 0)
"""PidLidTimeZoneStruct."""
WINTER_DAY = datetime(2026, 3, 2, tzinfo=UTC)

USUAL: Mapping[Numbered, object] = {
    (APPOINTMENT, 0x8201): 2,
    (APPOINTMENT, 0x8208): "Room 1; left, or right",
    (APPOINTMENT, 0x820D): START,
    (APPOINTMENT, 0x820E): END,
    (APPOINTMENT, 0x8224): 3,
    (MEETING, 0x0003): ID,
    (MEETING, 0x001A): SAID,
}


def text_of(
    kind: str = "IPM.Schedule.Meeting.Request",
    more: Mapping[Numbered, object] = USUAL,
    *several: tuple[int, object],
) -> str | None:
    properties = packed.properties((packed.P_BODY, "the\r\nplan"), *several, named=["x"], numbered=more)
    data = packed.stream(
        (packed.CLASS, kind.encode() + b"\0"),
        (packed.SUBJECT, b"Planning, all\0"),
        (packed.PROPERTIES, properties),
    )
    return meeting_in(tnef.read(data), HEADERS)


def invitation(kind: str, more: Mapping[Numbered, object] = USUAL) -> Invitation:
    text = text_of(kind, more)
    assert text is not None
    found = read_invitation(text)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", ["IPM.Schedule.Meeting.Request", "IPM.Microsoft Schedule.MtgReq"])
def test_an_invitation(kind: str) -> None:
    found = invitation(kind)
    assert (found.method, found.start, found.end) == (Method.REQUEST, START, END)
    assert (found.summary, found.location) == ("Planning, all", "Room 1; left, or right")
    assert found.description == "the\nplan"
    assert (found.sequence, found.stamp, found.busy) == (2, SAID, 3)
    assert found.organizer is not None
    assert (found.organizer.address, found.organizer.name) == ("bob@example.org", "Bob B.")
    assert [one.person.address for one in found.attendees] == [
        "ann@example.org",
        "cid@example.org",
        "dan@example.org",
    ]
    assert found.wants_answer("ann@example.org")
    assert found.uid == ID.hex().upper()


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("IPM.Schedule.Meeting.Resp.Pos", "ACCEPTED"),
        ("IPM.Microsoft Schedule.MtgRespN", "DECLINED"),
        ("ipm.schedule.meeting.resp.tent", "TENTATIVE"),
    ],
)
def test_an_answer(kind: str, answer: str) -> None:
    found = invitation(kind, {(MEETING, 0x0003): ID, (MEETING, 0x0001): SAID})
    assert (found.method, found.start) == (Method.REPLY, None)
    (attendee,) = found.attendees
    assert (attendee.person.address, attendee.answer) == ("bob@example.org", answer)
    assert found.organizer is not None
    assert found.organizer.address == "ann@example.org"


def test_other_times_are_proposed() -> None:
    more = {
        **USUAL,
        (MEETING, 0x0001): SAID,
        (APPOINTMENT, 0x8257): 1,
        (APPOINTMENT, 0x8250): END,
        (APPOINTMENT, 0x8251): END + timedelta(hours=1),
    }
    found = invitation("IPM.Schedule.Meeting.Resp.Tent", more)
    assert found.method is Method.COUNTER
    assert found.proposed == (END, END + timedelta(hours=1))


def test_a_cancellation() -> None:
    text = text_of("IPM.Schedule.Meeting.Canceled")
    assert text is not None
    assert invitation("IPM.Schedule.Meeting.Canceled").method is Method.CANCEL
    assert "STATUS:CANCELLED" in text


def test_a_uid_that_is_not_outlooks() -> None:
    more = {**USUAL, (MEETING, 0x0003): ID[:40] + b"vCal-Uid\x01\0\0\0monday@example.org\0"}
    assert invitation("IPM.Schedule.Meeting.Request", more).uid == "monday@example.org"


def test_one_occurrence() -> None:
    of_day = ID[:16] + bytes((7, 0xEA, 3, 2)) + ID[20:]
    more = {**USUAL, (MEETING, 0x0003): of_day, (MEETING, 0x0023): ID}
    assert text_of("IPM.Schedule.Meeting.Request", more) is None
    found = invitation("IPM.Schedule.Meeting.Request", {**more, (APPOINTMENT, 0x8228): START})
    assert (found.recurrence_id, found.uid) == (START, ID.hex().upper())


def test_whole_days() -> None:
    first = datetime(2026, 7, 1, 22, tzinfo=UTC)  # midnight in Berlin, in summer
    more = {
        **USUAL,
        (APPOINTMENT, 0x820D): first,
        (APPOINTMENT, 0x820E): first + timedelta(days=2),
        (APPOINTMENT, 0x8215): 1,
        (APPOINTMENT, 0x8233): BERLIN,
    }
    text = text_of("IPM.Schedule.Meeting.Request", more)
    assert text is not None
    assert "DTSTART;VALUE=DATE:20260702" in text
    assert "DTEND;VALUE=DATE:20260704" in text


@pytest.mark.parametrize("missing", [(APPOINTMENT, 0x820D), (MEETING, 0x0003), (MEETING, 0x001A)])
def test_what_cannot_be_told_is_no_meeting(missing: Numbered) -> None:
    assert (
        text_of("IPM.Schedule.Meeting.Request", {name: one for name, one in USUAL.items() if name != missing})
        is None
    )


def test_nobody_writes_lines_of_the_calendar() -> None:
    line = "\r\nATTENDEE:mailto:eve@example.org\nx\x85y\u2028z"
    properties = packed.properties(
        (0x0E1D, f"Plan{line}"),
        (packed.P_BODY, line),
        numbered={**USUAL, (APPOINTMENT, 0x8208): line},
    )
    data = packed.stream((packed.CLASS, b"IPM.Schedule.Meeting.Request\0"), (packed.PROPERTIES, properties))
    encoded = base64.b64encode(line.encode()).decode()
    headers = (
        f'From: "=?utf-8?b?{encoded}?=" <bob@example.org>\r\nTo: =?utf-8?b?{encoded}?= <ann@example.org>\r\n'
    )
    text = meeting_in(tnef.read(data), Headers(headers.encode()))
    assert text is not None
    found = read_invitation(text)
    assert found is not None
    assert [one.person.address for one in found.attendees] == ["ann@example.org"]


def test_another_message_is_no_meeting() -> None:
    assert text_of("IPM.Note") is None


# --- series ------------------------------------------------------------------------------------------------


def minutes(moment: datetime) -> int:
    return (moment.replace(tzinfo=None) - datetime(1601, 1, 1)) // timedelta(minutes=1)  # noqa: DTZ001 - by the clock


def rule(
    frequency: int,
    kind: int,
    period: int,
    pattern: tuple[int, ...],
    end: int = 0x2022,
    count: int = 4,
    deleted: tuple[datetime, ...] = (),
    changed: tuple[tuple[datetime, datetime], ...] = (),
    last: datetime = WINTER_DAY,
) -> bytes:
    """PidLidAppointmentRecur of a series from 2 March 2026, from ten to eleven by the clock."""
    data = struct.pack("<HHHHHIII", 0x3004, 0x3004, frequency, kind, 0, 0, period, 0)
    data += b"".join(struct.pack("<I", one) for one in pattern)
    data += struct.pack("<III", end, count, 1)
    gone = sorted([*deleted, *(original.replace(hour=0) for original, _ in changed)])
    data += struct.pack("<I", len(gone)) + b"".join(struct.pack("<I", minutes(one)) for one in gone)
    data += struct.pack("<I", len(changed))
    data += b"".join(struct.pack("<I", minutes(new.replace(hour=0))) for _, new in changed)
    data += struct.pack(
        "<IIIIIIH", minutes(WINTER_DAY), minutes(last), 0x3006, 0x3009, 600, 660, len(changed)
    )
    for original, new in changed:
        data += struct.pack("<IIIH", minutes(new), minutes(new) + 60, minutes(original), 0x0011 | 0x0004)
        data += struct.pack("<HH", 4, 3) + b"New" + struct.pack("<I", 15) + struct.pack("<HH", 2, 1) + b"x"
    return data


def series(data: bytes) -> Event:
    more = {
        **USUAL,
        (APPOINTMENT, 0x8216): data,
        (APPOINTMENT, 0x8223): 1,
        (APPOINTMENT, 0x8233): BERLIN,
    }
    text = text_of("IPM.Schedule.Meeting.Request", more)
    assert text is not None
    return read_event(text, "ann@example.org")


def starts(event: Event) -> list[str]:
    until = datetime(2027, 6, 1, tzinfo=UTC)
    found = instances(event, START - timedelta(days=9), until)
    return [f"{one.start.astimezone(UTC):%Y-%m-%d %H:%M}" for one in found]


@pytest.mark.parametrize(
    ("data", "days"),
    [
        (rule(0x200A, 0, 2 * 1440, ()), ["03-02 09", "03-04 09", "03-06 09", "03-08 09"]),
        (rule(0x200A, 1, 1, (0x3E,)), ["03-02 09", "03-03 09", "03-04 09", "03-05 09"]),
        (rule(0x200B, 1, 2, (0x02 | 0x10,)), ["03-02 09", "03-05 09", "03-16 09", "03-19 09"]),
        (rule(0x200C, 2, 1, (2,)), ["03-02 09", "04-02 08", "05-02 08", "06-02 08"]),
        (rule(0x200C, 2, 1, (31,), count=2), ["03-31 08", "04-30 08"]),
        (rule(0x200C, 3, 1, (0x02, 5), count=2), ["03-30 08", "04-27 08"]),
        (rule(0x200C, 3, 1, (0x02, 1), count=2), ["03-02 09", "04-06 08"]),
        (rule(0x200D, 2, 12, (2,), count=2), ["03-02 09", "03-02 09"]),
    ],
    ids=["days", "weekdays", "weeks", "date", "last day", "last Monday", "first Monday", "years"],
)
def test_a_series_is_that_of_the_organizer(data: bytes, days: list[str]) -> None:
    assert [start[5:13] for start in starts(series(data))] == days


def test_a_series_until_a_day() -> None:
    event = series(rule(0x200A, 0, 1440, (), end=0x2021, count=0, last=WINTER_DAY + timedelta(days=2)))
    assert [start[5:13] for start in starts(event)] == ["03-02 09", "03-03 09", "03-04 09"]


def test_what_is_different_in_a_series() -> None:
    day = timedelta(days=1)
    ten = WINTER_DAY.replace(hour=10)
    data = rule(
        0x200A,
        0,
        1440,
        (),
        deleted=(WINTER_DAY + day,),
        changed=((ten + 2 * day, ten + 2 * day + timedelta(hours=4)),),
    )
    assert [start[5:13] for start in starts(series(data))] == ["03-02 09", "03-04 13", "03-05 09"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        rule(0x200A, 0, 7, ()),
        rule(0x2009, 0, 1440, ()),
        rule(0x200C, 10, 1, (2,)),
        rule(0x200B, 1, 1, (0,)),
        rule(0x200A, 0, 1440, (), end=7),
        rule(0x200A, 0, 1440, (), count=0),
        rule(0x200A, 0, 1440, ())[:-3],
    ],
)
def test_a_series_that_cannot_be_told_is_no_meeting(data: bytes) -> None:
    more = {**USUAL, (APPOINTMENT, 0x8216): data, (APPOINTMENT, 0x8223): 1}
    assert text_of("IPM.Schedule.Meeting.Request", more) is None


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([BERLIN, rule(0x200B, 1, 2, (0x12,), changed=((START, END),))]),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=6),
    st.integers(0, 120),
)
def test_whatever_octets_there_are(octets: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(octets)
    for at, value in changes:
        if at < len(data):
            data[at] = value
    broken = bytes(data[: max(len(data) - cut, 0)])
    for name in (0x8216, 0x8233):
        more = {
            **USUAL,
            (APPOINTMENT, 0x8216): rule(0x200B, 1, 2, (0x12,)),
            (APPOINTMENT, 0x8223): 1,
            (APPOINTMENT, 0x8233): BERLIN,
            (APPOINTMENT, name): broken,
        }
        text = text_of("IPM.Schedule.Meeting.Request", more)
        assert text is None or read_invitation(text) is not None
