"""Meeting mail on the wire: every shape in every version, and the mail around it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.eas.content.email import render
from gateway.eas.content.preferences import PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.pim.timezones import pack, rules_at, unpack, zone_for
from gateway.types import CollectionId
from tests.pim.test_invitation import BERLIN, broken
from tests.support import invitations
from tests.support.globalid import uid_of
from tests.support.invitations import ANN, BOB, SHAPES, calendar, event, reply
from tests.support.mailboxes import MemoryMailboxes
from wbxml import Element
from wbxml.decoder import decode
from wbxml.encoder import encode
from wbxml.pages import AirSync, AirSyncBase, Calendar, Email, Email2, MeetingResponse

COLLECTION = CollectionId("5")
METHODS = {"cancelled": "CANCEL", "counter proposal": "COUNTER"} | dict.fromkeys(
    ("accepted", "tentative", "declined"), "REPLY"
)


async def properties(
    raw: bytes,
    version: Version = Version.V16_1,
    *,
    owner: str = ANN,
    drafts: bool = False,
    options: BodyOptions = BodyOptions((BodyPreference(PLAIN),)),  # noqa: B008 - immutable
    zone: tzinfo = UTC,
) -> list[Element]:
    mailboxes = MemoryMailboxes([raw])
    done = await render(
        mailboxes.port,
        "m",
        7,
        [1],
        options,
        version,
        collection=COLLECTION,
        drafts=drafts,
        owner=owner,
        zone=zone,
    )
    assert done[1].poison is None
    tree = Element(AirSync.ApplicationData, None, done[1].elements)
    assert decode(encode(tree)) == tree
    for one in tree.iter():
        assert float(one.tag.min_version or "0") <= version / 10
    return done[1].elements


def text(elements: Sequence[Element], tag: object) -> str | None:
    return next((one.text() for one in elements if one.tag is tag), None)


def request(elements: Sequence[Element]) -> Element:
    (found,) = [one for one in elements if one.tag is Email.MeetingRequest]
    return found


def files(elements: Sequence[Element]) -> list[str | None]:
    found = [one for one in elements if one.tag is AirSyncBase.Attachments]
    return [one.child_text(AirSyncBase.DisplayName) for one in (found[0] if found else [])]


def told(element: Element) -> dict[str, str]:
    """Names and texts of children."""
    return {child.tag.name: child.text() for child in element}


CLASSES = {
    "cancelled": "Canceled",
    "counter proposal": "Resp.Tent",
    "accepted": "Resp.Pos",
    "tentative": "Resp.Tent",
    "declined": "Resp.Neg",
}


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize("name", SHAPES)
async def test_every_shape_in_every_version(name: str, version: Version) -> None:
    raw = invitations.exchange_mail(SHAPES[name], METHODS.get(name, "REQUEST"))
    got = await properties(raw, version)
    assert text(got, Email.MessageClass) == f"IPM.Schedule.Meeting.{CLASSES.get(name, 'Request')}"
    content_class = "urn:content-classes:calendarmessage" if version >= Version.V12_0 else None
    assert text(got, Email.ContentClass) == content_class
    assert files(got) == []
    asked = METHODS.get(name) not in {"REPLY", "COUNTER"} or (name == "counter proposal" and version >= 161)
    assert any(one.tag is Email.MeetingRequest for one in got) == asked


async def test_the_element_of_14_1() -> None:
    raw = invitations.exchange_mail(invitations.OUTLOOK_SERIES)
    found = request(await properties(raw, Version.V14_1))
    zone = pack(rules_at(BERLIN, datetime(2026, 3, 2, tzinfo=UTC)))
    assert [(child.tag.name, child.text()) for child in found] == [
        ("AllDayEvent", "0"),
        ("StartTime", "2026-03-02T09:00:00.000Z"),
        ("DtStamp", "2026-03-01T08:00:00.000Z"),
        ("EndTime", "2026-03-02T10:00:00.000Z"),
        ("InstanceType", "1"),
        ("Location", "Raum Köln"),
        ("Organizer", '"Bob" <bob@example.org>'),
        ("Reminder", "900"),
        ("ResponseRequested", "1"),
        ("Recurrences", ""),
        ("Sensitivity", "2"),
        ("BusyStatus", "3"),
        ("TimeZone", zone),
        ("GlobalObjId", base64.b64encode(bytes.fromhex(invitations.OUTLOOK_UID)).decode()),
        ("DisallowNewTimeProposal", "1"),
        ("MeetingMessageType", "1"),
    ]
    (recurrence,) = [*found.findall(Email.Recurrences)[0]]
    assert [(child.tag.name, child.text()) for child in recurrence] == [
        ("Type", "3"),
        ("Interval", "2"),
        ("Occurrences", "10"),
        ("WeekOfMonth", "1"),
        ("DayOfWeek", "2"),
        ("CalendarType", "0"),
        ("IsLeapMonth", "0"),
        ("FirstDayOfWeek", "1"),
    ]


@pytest.mark.parametrize(
    ("version", "absent", "present"),
    [
        (
            Version.V12_0,
            {"DisallowNewTimeProposal", "MeetingMessageType", "UID"},
            {"GlobalObjId", "Location"},
        ),
        (Version.V14_0, {"MeetingMessageType", "UID"}, {"GlobalObjId", "DisallowNewTimeProposal"}),
        (Version.V16_0, {"GlobalObjId"}, {"UID", "MeetingMessageType", "Location"}),
        (Version.V16_1, {"GlobalObjId"}, {"UID", "MeetingMessageType", "Location"}),
    ],
)
async def test_what_a_version_has(version: Version, absent: set[str], present: set[str]) -> None:
    found = request(await properties(invitations.exchange_mail(invitations.OUTLOOK_SERIES), version))
    names = set(told(found))
    assert not names & absent
    assert names >= present
    (location,) = [child for child in found if child.tag.name == "Location"]
    assert location.tag is (AirSyncBase.Location if version >= 160 else Email.Location)
    recurrence = told(found.findall(Email.Recurrences)[0].children[0])
    assert ("CalendarType" in recurrence) == (version >= 140)
    assert ("FirstDayOfWeek" in recurrence) == (version >= 141)


async def test_a_series_of_another_calendar() -> None:
    """Told since 14.0; before that phones are told of the first time alone."""
    rule = "RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=5L;BYMONTHDAY=14;SKIP=BACKWARD"
    raw = invitations.exchange_mail(calendar(*event(rule)))
    found = request(await properties(raw, Version.V14_0))
    recurrence = told(found.findall(Email.Recurrences)[0].children[0])
    assert (recurrence["CalendarType"], recurrence["IsLeapMonth"]) == ("8", "1")
    assert (recurrence["MonthOfYear"], recurrence["DayOfMonth"]) == ("5", "14")
    before = told(request(await properties(raw, Version.V12_1)))
    assert "Recurrences" not in before
    assert before["InstanceType"] == "0"


async def test_an_exception() -> None:
    raw = invitations.exchange_mail(invitations.OUTLOOK_EXCEPTION)
    found = told(request(await properties(raw, Version.V14_1)))
    assert (found["InstanceType"], found["MeetingMessageType"]) == ("3", "2")
    assert found["RecurrenceId"] == "2026-03-09T09:00:00.000Z"
    octets = base64.b64decode(found["GlobalObjId"])
    assert octets[16:20] == bytes([7, 0xEA, 3, 9])
    assert uid_of(octets) == invitations.OUTLOOK_UID
    assert "Recurrences" not in found


@pytest.mark.parametrize(
    ("lines", "times"),
    [
        (("DTEND:20260302T110000", "DTSTART:20260302T100000"), ("T09:00", "T10:00")),
        (("DTEND;VALUE=DATE:20260303", "DTSTART;VALUE=DATE:20260302"), ("T23:00", "T23:00")),
    ],
    ids=["times", "whole days"],
)
async def test_what_is_in_no_zone_is_in_the_users(lines: tuple[str, str], times: tuple[str, str]) -> None:
    end, start = lines
    mail = invitations.file_mail(calendar(*event(end, start=start)))
    shown = request(await properties(mail, Version.V14_1, zone=BERLIN))
    told = [shown.find(tag) for tag in (Email.StartTime, Email.EndTime)]
    assert [one.text()[10:16] for one in told if one] == [*times]


async def test_whole_days() -> None:
    """Midnights in the zone up to 14.1, dates in every zone since 16.0."""
    raw = invitations.exchange_mail(
        invitations.OUTLOOK_ALL_DAY.replace("TZID:Pacific", "X-WR-TIMEZONE:x\r\nTZID:Pacific")
    )
    before, after = [told(request(await properties(raw, one))) for one in (Version.V14_1, Version.V16_1)]
    assert (before["AllDayEvent"], after["AllDayEvent"]) == ("1", "1")
    assert (before["StartTime"], before["EndTime"]) == (
        "2026-03-02T08:00:00.000Z",
        "2026-03-04T08:00:00.000Z",
    )
    assert unpack(before["TimeZone"]).standard == -480
    assert (after["StartTime"], after["EndTime"]) == ("2026-03-02T00:00:00.000Z", "2026-03-04T00:00:00.000Z")
    assert unpack(after["TimeZone"]).standard == 0


async def test_a_custom_zone_reaches_the_phone() -> None:
    raw = invitations.exchange_mail(invitations.OUTLOOK_CUSTOM_ZONE)
    rules = unpack(told(request(await properties(raw)))["TimeZone"])
    assert (rules.standard, rules.daylight) == (83, 143)
    at = datetime(2026, 7, 2, tzinfo=UTC)
    assert rules_at(zone_for(rules, at), at) == rules


async def test_a_counter_proposal() -> None:
    raw = invitations.exchange_mail(invitations.COUNTER, "COUNTER", sender=ANN, recipient=BOB)
    found = request(await properties(raw, owner=BOB))
    assert found.child_text(Email.StartTime) == "2026-03-02T09:00:00.000Z"
    assert found.child_text(MeetingResponse.ProposedStartTime) == "20260303T090000Z"
    assert found.child_text(MeetingResponse.ProposedEndTime) == "20260303T100000Z"
    assert found.child_text(Email.ResponseRequested) == "0"


async def test_a_cancellation_frees_the_time_and_wants_no_answer() -> None:
    found = told(request(await properties(invitations.exchange_mail(invitations.CANCEL, "CANCEL"))))
    assert (found["BusyStatus"], found["ResponseRequested"], found["MeetingMessageType"]) == ("0", "0", "0")


async def test_a_long_reminder_is_left_out() -> None:
    raw = invitations.exchange_mail(invitations.APPLE_ALL_DAY_SERIES)
    assert "Reminder" not in told(request(await properties(raw)))


async def test_working_elsewhere_is_of_16() -> None:
    raw = invitations.exchange_mail(calendar(*event("X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE")))
    got = [told(request(await properties(raw, one)))["BusyStatus"] for one in (Version.V14_1, Version.V16_0)]
    assert got == ["0", "4"]


@pytest.mark.parametrize(
    ("raw", "left"),
    [
        (invitations.exchange_mail(invitations.GOOGLE_SINGLE), []),
        (invitations.google_mail(invitations.GOOGLE_SINGLE), []),
        (invitations.attached_mail(invitations.GOOGLE_SINGLE), []),
        (invitations.file_mail(invitations.GOOGLE_SINGLE), []),
        (
            invitations.message(
                invitations.multipart(
                    "mixed",
                    invitations.TEXT,
                    invitations.calendar_text(invitations.GOOGLE_SINGLE),
                    invitations.calendar_file(invitations.OUTLOOK_SERIES),
                )
            ),
            ["invite.ics"],
        ),
    ],
)
async def test_where_the_calendar_may_be(raw: bytes, left: list[str]) -> None:
    """It is not shown as a file too, nor is its copy; a file that is another one stays."""
    got = await properties(raw)
    assert text(got, Email.MessageClass) == "IPM.Schedule.Meeting.Request"
    assert request(got).child_text(Calendar.UID) == "1a2b3c4d5e6f@google.com"
    assert files(got) == left
    (body,) = [one for one in got if one.tag is AirSyncBase.Body]
    assert "You are invited" in (body.child_text(AirSyncBase.Data) or "").replace("\r\n", " ")


async def test_a_calendar_alone_gives_its_description_as_text() -> None:
    got = await properties(invitations.bare_mail(invitations.GOOGLE_SINGLE))
    assert files(got) == []
    (body,) = [one for one in got if one.tag is AirSyncBase.Body]
    assert body.child_text(AirSyncBase.Data) == "Agenda\r\n\r\nJoin: https://meet.example.org/abc"
    silent = await properties(invitations.bare_mail(invitations.GOOGLE_SERIES))
    assert text(silent, Email.MessageClass) == "IPM.Schedule.Meeting.Request"


@pytest.mark.parametrize(
    ("raw", "owner"),
    [
        (invitations.exchange_mail(invitations.GOOGLE_SINGLE[:150]), ANN),
        (invitations.exchange_mail("no calendar at all"), ANN),
        (invitations.exchange_mail(calendar(*event(), method="PUBLISH"), "PUBLISH"), ANN),
        (invitations.exchange_mail(calendar(*event(), method="REFRESH"), "REFRESH"), ANN),
        (invitations.exchange_mail(reply("DELEGATED"), "REPLY"), ANN),
        (invitations.exchange_mail(reply("NEEDS-ACTION"), "REPLY"), ANN),
        (invitations.exchange_mail(invitations.GOOGLE_SINGLE), BOB),
        (invitations.exchange_mail(invitations.CANCEL, "CANCEL"), BOB.upper()),
        (invitations.file_mail(calendar(*event()).replace("METHOD:REQUEST\r\n", "")), ANN),
        (invitations.exchange_mail(calendar(*event("X:" + "x" * 600_000))), ANN),
    ],
)
async def test_what_stays_an_ordinary_mail(raw: bytes, owner: str) -> None:
    """And keeps the calendar where it was a file."""
    got = await properties(raw, owner=owner)
    assert text(got, Email.MessageClass) == "IPM.Note"
    assert text(got, Email.ContentClass) == "urn:content-classes:message"
    assert not any(one.tag is Email.MeetingRequest for one in got)
    assert files(got) == (["invite.ics"] if b"application/ics" in raw else [])


async def test_a_draft_is_no_meeting_mail() -> None:
    got = await properties(invitations.exchange_mail(invitations.GOOGLE_SINGLE), drafts=True)
    assert text(got, Email.MessageClass) == "IPM.Note"


async def test_a_signed_invitation_is_left_to_the_phone() -> None:
    signature = "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nMIIB\r\n"
    inner = invitations.multipart(
        "alternative", invitations.TEXT, invitations.calendar_text(invitations.GOOGLE_SINGLE)
    )
    signed = invitations.multipart("signed", inner, signature).replace(
        "multipart/signed;", 'multipart/signed; protocol="application/pkcs7-signature";'
    )
    got = await properties(invitations.message(signed))
    assert text(got, Email.MessageClass) == "IPM.Note.SMIME.MultipartSigned"


@pytest.mark.parametrize("version", Version)
async def test_who_is_invited_by_another_name_can_answer(version: Version) -> None:
    raw = invitations.exchange_mail(SHAPES["Google, single"])
    got = await properties(raw, version, owner="member.of.a.list@example.net")
    assert text(got, Email.MessageClass) == "IPM.Schedule.Meeting.Request"
    assert request(got).child_text(Email.ResponseRequested) == "1"


async def test_an_answer_is_wanted_of_the_user() -> None:
    lines = event(
        "ATTENDEE;RSVP=TRUE:mailto:cy@example.org", attendee="ATTENDEE;RSVP=FALSE:mailto:ann@example.org"
    )
    raw = invitations.exchange_mail(calendar(*lines))
    for owner, wanted in ((ANN, "0"), ("cy@example.org", "1"), ("", "1")):
        assert told(request(await properties(raw, owner=owner)))["ResponseRequested"] == wanted


async def test_the_calendar_comes_with_the_bodies() -> None:
    """In one round, and never the copy."""
    mailboxes = MemoryMailboxes([invitations.google_mail(invitations.GOOGLE_SERIES)] * 3)
    options = BodyOptions((BodyPreference(PLAIN),))
    await render(mailboxes.port, "m", 7, [1, 2, 3], options, Version.V16_1, collection=COLLECTION)
    assert mailboxes.rounds == 1
    assert {one.section for one in mailboxes.asked} == {"1.1", "1.3"}


async def test_a_stamp_that_is_missing_is_the_time_of_the_mail() -> None:
    lines = [line for line in event() if not line.startswith("DTSTAMP")]
    found = request(await properties(invitations.exchange_mail(calendar(*lines))))
    assert found.child_text(Email.DtStamp) == "2026-03-01T09:15:00.000Z"


async def test_the_sender_is_the_organizer_when_none_is_named() -> None:
    for lines in (
        [line for line in event() if not line.startswith("ORGANIZER")],
        [line.replace("mailto:bob@example.org", "invalid:nomail") for line in event()],
    ):
        found = request(await properties(invitations.exchange_mail(calendar(*lines))))
        assert found.child_text(Email.Organizer) == BOB


async def test_the_end_of_a_series_of_whole_days() -> None:
    text = invitations.APPLE_ALL_DAY_SERIES.replace("VERSION", "X-WR-TIMEZONE:Asia/Tokyo\r\nVERSION")
    raw = invitations.exchange_mail(text)
    ends = [
        told(request(await properties(raw, one)).findall(Email.Recurrences)[0].children[0])["Until"]
        for one in (Version.V14_1, Version.V16_1)
    ]
    assert ends == ["20300301T150000Z", "20300302T000000Z"]


async def test_control_characters_reach_no_phone() -> None:
    dirty = "\x01\x0b\x1f\ufffe"
    raw = invitations.exchange_mail(
        calendar(*event(f"LOCATION:a{dirty}b", uid=f"u{dirty}v", attendee="X:1")).replace(
            "CN=Bob", f"CN=B{dirty}"
        )
    )
    found = request(await properties(raw))
    assert found.child_text(Calendar.UID) == "uv"
    for one in found.iter():
        assert all(character.isprintable() for character in one.text())


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(SHAPES)),
    st.integers(0, 2**32),
    st.sampled_from([Version.V12_1, Version.V14_1, Version.V16_1]),
)
async def test_a_broken_calendar_never_makes_a_stub(name: str, seed: int, version: Version) -> None:
    raw = invitations.google_mail(broken(SHAPES[name], seed), METHODS.get(name, "REQUEST"))
    got = await properties(raw, version)
    kind = text(got, Email.MessageClass) or ""
    assert kind == "IPM.Note" or kind.startswith("IPM.Schedule.Meeting.")
    assert (kind == "IPM.Schedule.Meeting.Request") <= any(one.tag is Email.MeetingRequest for one in got)
    found = [one for one in got if one.tag is Email.MeetingRequest]
    if found and version >= Version.V14_1:
        assert found[0].find(Email2.MeetingMessageType)
