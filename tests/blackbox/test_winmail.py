"""Outlook's winmail.dat: the phone sees what is in it, and opens it (MS-ASAIRS 2.2.2.8)."""

from __future__ import annotations

import base64
import struct
import uuid
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from tests.blackbox.conftest import MakePerson
from tests.blackbox.meeting import ACCEPT, MONDAY, compact, eventually
from tests.blackbox.test_bodies import body_of, item
from tests.blackbox.test_itemoperations import fetched, file, post, properties
from tests.support import tnef
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, body_preference
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar, ItemOperations
from wbxml.pages import MeetingResponse as Page

INNER = tnef.stream((tnef.SUBJECT, b"Inner\0"), (tnef.BODY, b"deep\0"), *tnef.file("x.txt", b"yy"))
PICTURE = ((tnef.P_MIME, "image/png"), (tnef.P_CONTENT_ID, "pic@x"), (tnef.P_DATA, b"\x89PNG"))
PACKED = tnef.stream(
    (
        tnef.PROPERTIES,
        tnef.properties((tnef.P_BODY, "plain Grüße"), (tnef.P_HTML, "<p>rich Grüße</p>".encode("cp1252"))),
    ),
    *tnef.file("Übersicht.txt", b"0123456789", (tnef.P_LONG_NAME, "Übersicht 日本.txt")),
    *tnef.file("pic.png", b"", *PICTURE),
    *tnef.file("forwarded", b"", (tnef.P_DATA, tnef.Object(tnef.MESSAGE + INNER))),
    *tnef.file("chart", b"", (tnef.P_METHOD, 6), (tnef.P_DATA, tnef.Object(tnef.STORAGE + b"chart"))),
)


def winmail(data: bytes, text: str | None = None) -> bytes:
    """A message with this winmail.dat, and a text of its own if there is one."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = "from Outlook"
    message["From"] = "ann@example.test"
    message["To"] = "ben@example.test"
    if text is not None:
        message.set_content(text)
        message.add_attachment(data, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    else:
        message.set_content(data, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    return message.as_bytes()


def test_an_invitation_that_outlook_packed(person: MakePerson, dovecot: Dovecot) -> None:
    bob, ann = person("bob"), person("ann")
    uid = bytes.fromhex("040000008200e00074c5b7101a82e008") + bytes(24) + uuid.uuid4().bytes
    meeting: dict[tnef.Numbered, object] = {
        (tnef.APPOINTMENT, 0x820D): MONDAY,
        (tnef.APPOINTMENT, 0x820E): MONDAY + timedelta(hours=1),
        (tnef.APPOINTMENT, 0x8208): "Room 1",
        (tnef.MEETING, 0x0003): uid,
        (tnef.MEETING, 0x001A): datetime.now(UTC),
    }
    data = tnef.stream(
        (tnef.CLASS, b"IPM.Microsoft Schedule.MtgReq\0"),
        (tnef.SUBJECT, b"Planning\0"),
        (tnef.PROPERTIES, tnef.properties((tnef.P_BODY, "the plan"), numbered=meeting)),
    )
    mail = winmail(data)
    for old, new in (("ann@example.test", bob.address), ("ben@example.test", ann.address)):
        mail = mail.replace(old.encode(), new.encode())
    dovecot.deliver(ann.phone.user, mail)
    event = ann.sees(lambda _: True)
    assert event.child_text(Calendar.StartTime) == compact(MONDAY)
    assert event.child_text(Calendar.BusyStatus) == "1"
    invitation = ann.invitation()
    shown = ann.mail[invitation]
    assert body_of(shown)[2] == "the plan"
    assert attachments(shown) == {}
    assert (
        ann.respond(ACCEPT, ann.inbox, invitation, element(Page.SendResponse)).child_text(Page.Status) == "1"
    )
    ((subject, reply),) = eventually(ann.letters)
    assert subject == "Accepted: Planning"
    (calendar,) = [part for part in reply.walk() if part.get_content_type() == "text/calendar"]
    text = calendar.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert uid.hex().upper().encode() in text.replace(b"\r\n ", b"")


def attachments(data: Element) -> dict[str, dict[str, str]]:
    """Name to its properties, in order."""
    listed = data.find(AirSyncBase.Attachments)
    return {
        one.child_text(AirSyncBase.DisplayName) or "": {child.tag.name: child.text() for child in one}
        for one in listed or ()
    }


def fetch_file(phone: Phone, reference: str, wanted: str = "") -> bytes:
    options = [element(ItemOperations.Range, wanted)] if wanted else []
    (one,) = fetched(post(phone, file(reference, *options)).root)
    return base64.b64decode(properties(one).child_text(ItemOperations.Data) or "")


def test_text_and_files_are_shown(each_phone: Phone, dovecot: Dovecot) -> None:
    data = item(each_phone, dovecot, winmail(PACKED), body_preference(2))
    assert body_of(data)[1:] == ("2", "<p>rich Grüße</p>")
    listed = attachments(data)
    assert list(listed) == ["Übersicht 日本.txt", "pic.png", "forwarded.eml", "chart"]
    assert [one["Method"] for one in listed.values()] == ["1", "1", "5", "6"]
    assert listed["pic.png"]["ContentId"] == "pic@x"
    assert listed["pic.png"]["IsInline"] == "1"
    assert listed["Übersicht 日本.txt"]["EstimatedDataSize"] == "10"


def test_text_of_the_message_itself_comes_first(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, winmail(PACKED, "own text\r\n"), body_preference(1))
    assert body_of(data)[2].strip() == "own text"
    assert "Übersicht 日本.txt" in attachments(data)


RTF = rb"{\rtf1\ansi\pard{\b bold} words\par}"
FROM_HTML = rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}words{\*\htmltag72 </p>}}"


def with_rtf(rtf: bytes, *more: tuple[int, object], cut: int = 0) -> bytes:
    """A winmail.dat with RTF that is not compressed, for whoever packed it may leave that out."""
    packed = struct.pack("<II4sI", len(rtf) + 12, len(rtf), b"MELA", 0) + rtf[: len(rtf) - cut]
    return tnef.stream((tnef.PROPERTIES, tnef.properties((tnef.P_RTF, packed), *more)))


def native(data: Element) -> str | None:
    return data.child_text(AirSyncBase.NativeBodyType)


@pytest.mark.parametrize("text", [None, "own text\r\n"], ids=["alone", "beside plain text"])
def test_rtf_is_given_as_it_came(some_phone: Phone, dovecot: Dovecot, text: str | None) -> None:
    data = item(some_phone, dovecot, winmail(with_rtf(RTF), text), body_preference(3))
    names, kind, shown = body_of(data)
    assert (names, kind) == (["Type", "EstimatedDataSize", "Data"], "3")
    assert base64.b64decode(shown) == RTF
    assert native(data) == "3"


@pytest.mark.parametrize("wanted", [1, 2])
def test_of_rtf_other_forms_are_made(some_phone: Phone, dovecot: Dovecot, wanted: int) -> None:
    data = item(some_phone, dovecot, winmail(with_rtf(RTF)), body_preference(wanted))
    assert body_of(data)[1] == str(wanted)
    assert "bold words" in body_of(data)[2]
    assert native(data) == "3"


def test_rtf_that_hides_html_is_html(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, winmail(with_rtf(FROM_HTML)), body_preference(3))
    assert base64.b64decode(body_of(data)[2]) == FROM_HTML
    assert native(data) == "2"


@pytest.mark.parametrize(("cut", "size"), [(3, None), (0, 40)], ids=["damaged", "too long"])
def test_rtf_is_made_of_the_text_where_it_cannot_be_given(
    some_phone: Phone, dovecot: Dovecot, cut: int, size: int | None
) -> None:
    packed = winmail(with_rtf(RTF, (tnef.P_BODY, "plain words"), cut=cut))
    shown = body_of(item(some_phone, dovecot, packed, body_preference(3, size)))[2]
    made = base64.b64decode(shown)
    assert made != RTF
    assert size is None or len(shown) <= size
    assert size is not None or b"plain words" in made


def test_files_can_be_fetched(some_phone: Phone, dovecot: Dovecot) -> None:
    listed = attachments(item(some_phone, dovecot, winmail(PACKED), body_preference(1)))
    content = {name: fetch_file(some_phone, one["FileReference"]) for name, one in listed.items()}
    assert content["Übersicht 日本.txt"] == b"0123456789"
    assert content["pic.png"] == b"\x89PNG"
    assert content["chart"] == b"chart"
    assert b"Subject: Inner" in content["forwarded.eml"]
    assert b"deep" in content["forwarded.eml"]
    reference = listed["Übersicht 日本.txt"]["FileReference"]
    assert fetch_file(some_phone, reference, "3-5") == b"345"


def test_a_broken_one_stays_a_file(some_phone: Phone, dovecot: Dovecot) -> None:
    user = some_phone.user
    for number, data in enumerate((b"no tnef", b"\x78\x9f\x3e\x22", PACKED[:6] + b"\xff" * 40)):
        some_phone.user = f"{user}-{number}"
        some_phone.provision()
        listed = attachments(item(some_phone, dovecot, winmail(data, "text"), body_preference(1)))
        assert list(listed) == ["winmail.dat"]
