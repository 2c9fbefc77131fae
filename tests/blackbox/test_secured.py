"""Signed and encrypted mail: every octet as it was, both ways, and something to read; messages as files."""

from __future__ import annotations

import base64

import pytest

from tests.blackbox.test_bodies import body_of, item, mime_support
from tests.blackbox.test_itemoperations import fetched, file, post
from tests.blackbox.test_sendmail import arrived, kept, send
from tests.mail.corpus import TEXT, base64_part, mail, multi, part
from tests.support import cms
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, body_preference
from tests.support.smtp_sink import SmtpSink
from wbxml import Element
from wbxml.pages import AirSyncBase, Email, ItemOperations

FROM = "From: Ann <ann@example.test>\nTo: Ben <ben@example.test>\nSubject: s\n"
S_MIME = base64_part("application/pkcs7-signature; name=smime.p7s", b"signature" * 30)
PGP = part("application/pgp-signature; name=signature.asc", "-----BEGIN PGP SIGNATURE-----\n\nx\n-----END")
VERSION = part("application/pgp-encrypted", "Version: 1")
SEALED = part("application/octet-stream; name=encrypted.asc", "-----BEGIN PGP MESSAGE-----\n\nx\n-----END")
ODD = part("text/plain; charset=utf-8", "Trailing blanks   \n\tTabs\n\n\n-- \nlast line without an end")
KINDS = {
    "S/MIME signed": multi(
        "signed", ODD, S_MIME, params='; protocol="application/pkcs7-signature"; micalg=sha-256'
    ),
    "PGP signed": multi(
        "signed", ODD, PGP, params='; protocol="application/pgp-signature"; micalg=pgp-sha256'
    ),
    "PGP encrypted": multi("encrypted", VERSION, SEALED, params='; protocol="application/pgp-encrypted"'),
    "opaque": base64_part("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", cms.signed(TEXT)),
    "encrypted": base64_part("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"sealed"),
}
CLASSES = {
    "S/MIME signed": "IPM.Note.SMIME.MultipartSigned",
    "opaque": "IPM.Note.SMIME",
    "encrypted": "IPM.Note.SMIME",
}
SHOWN = {"S/MIME signed": "Tabs", "PGP signed": "Tabs", "opaque": "Hello Ann"}
kinds = pytest.mark.parametrize("kind", KINDS)


@kinds
def test_as_mime_every_octet_is_there(phone: Phone, dovecot: Dovecot, kind: str) -> None:
    message = mail(KINDS[kind], FROM)
    data = item(phone, dovecot, message, mime_support(2), body_preference(1), body_preference(4))
    _, form, shown = body_of(data)
    assert (form, shown.encode()) == ("4", message)
    assert data.child_text(Email.MessageClass) == CLASSES.get(kind, "IPM.Note")


@kinds
def test_without_mime_there_is_something_to_read(phone: Phone, dovecot: Dovecot, kind: str) -> None:
    data = item(phone, dovecot, mail(KINDS[kind], FROM), body_preference(1))
    _, form, shown = body_of(data)
    assert form == "1"
    assert SHOWN.get(kind, "encrypted") in shown


@kinds
def test_only_s_mime_counts_where_mime_is_wanted_for_that(phone: Phone, dovecot: Dovecot, kind: str) -> None:
    wanted = (mime_support(1), body_preference(1), body_preference(4))
    _, form, _ = body_of(item(phone, dovecot, mail(KINDS[kind], FROM), *wanted))
    assert form == ("4" if kind in CLASSES else "1")


@kinds
def test_what_is_sent_keeps_every_octet(
    some_phone: Phone, dovecot: Dovecot, sink: SmtpSink, kind: str
) -> None:
    head = f"From: {some_phone.user}@example.test\nTo: Ben <ben@example.test>\nSubject: s\n"
    own = "Date: Sun, 01 Mar 2026 09:15:00 +0000\nMessage-ID: <1@phone>\n"
    message = mail(KINDS[kind], head + own + "Bcc: Eve <eve@example.test>\n")
    assert send(some_phone, message, save=True).empty
    sent = arrived(sink)
    assert set(sent.rcpt_tos) == {"ben@example.test", "eve@example.test"}
    assert sent.data == message.replace(b"Bcc: Eve <eve@example.test>\r\n", b"")
    (copy,) = kept(dovecot, some_phone)
    assert copy.partition(b"\r\n\r\n")[2] == message.partition(b"\r\n\r\n")[2]


# --- messages and pictures as attachments ------------------------------------------------------------------


def attachments_of(data: Element) -> list[Element]:
    found = data.find(AirSyncBase.Attachments)
    return list(found) if found else []


def content(phone: Phone, attachment: Element) -> bytes:
    (got,) = fetched(post(phone, file(attachment.child_text(AirSyncBase.FileReference) or "")).root)
    shown = got.find(ItemOperations.Properties)
    assert shown is not None
    assert shown.child_text(AirSyncBase.ContentType)
    return base64.b64decode(shown.child_text(ItemOperations.Data) or "")


def test_a_message_in_a_message_is_a_file_with_all_in_it(some_phone: Phone, dovecot: Dovecot) -> None:
    deepest = mail(multi("mixed", TEXT, base64_part("application/pdf; name=a.pdf", b"%PDF"), boundary="c"))
    inner = mail(multi("mixed", TEXT, part("message/rfc822", deepest), boundary="b"))
    data = item(
        some_phone, dovecot, mail(multi("mixed", TEXT, part("message/rfc822", inner))), body_preference(1)
    )
    (attachment,) = attachments_of(data)
    assert attachment.child_text(AirSyncBase.Method) == "5"
    assert (attachment.child_text(AirSyncBase.DisplayName) or "").endswith(".eml")
    assert content(some_phone, attachment) == inner


def test_files_signed_with_the_text_can_be_had(some_phone: Phone, dovecot: Dovecot) -> None:
    html = part("text/html", '<img src="cid:one@x">Hello')
    one = base64_part("image/gif; name=one.gif", b"GIF1", "Content-ID: <one@x>")
    files = (base64_part("application/pdf; name=a.pdf", b"%PDF" * 99), part("message/rfc822", mail(TEXT)))
    inner = multi("mixed", multi("related", html, one, boundary="r"), *files)
    message = mail(base64_part("application/pkcs7-mime; name=smime.p7m", cms.signed(inner)), FROM)
    data = item(some_phone, dovecot, message, body_preference(2))
    assert "cid:one@x" in body_of(data)[2]
    found = attachments_of(data)
    assert [each.child_text(AirSyncBase.DisplayName) for each in found] == [
        "smime.p7m",
        "one.gif",
        "a.pdf",
        "s.eml",
    ]
    assert [each.child_text(AirSyncBase.IsInline) for each in found] == [None, "1", None, None]
    assert [each.child_text(AirSyncBase.Method) for each in found] == ["1", "1", "1", "5"]
    assert [content(some_phone, each) for each in found[1:]] == [b"GIF1", b"%PDF" * 99, mail(TEXT)]
    reference = (found[1].child_text(AirSyncBase.FileReference) or "").rpartition("~")[0]
    for wrong in (f"{reference}~4", f"{reference}.1~1"):
        (got,) = fetched(post(some_phone, file(wrong)).root)
        assert got.child_text(ItemOperations.Status) == "15"


def test_pictures_are_named_as_the_html_names_them(some_phone: Phone, dovecot: Dovecot) -> None:
    html = part(
        "text/html", '<img src="cid:one@x"><img src="pictures/two.gif">Hello', "Content-Base: http://x/"
    )
    one = base64_part("image/gif; name=one.gif", b"GIF1", "Content-ID: <one@x>")
    two = base64_part("image/gif; name=two.gif", b"GIF2", "Content-Location: pictures/two.gif")
    spare = base64_part("image/gif; name=spare.gif", b"GIF3", "Content-Disposition: attachment")
    message = mail(multi("mixed", multi("related", html, one, two, boundary="r"), spare))
    found = attachments_of(item(some_phone, dovecot, message, body_preference(2)))
    told = [
        tuple(
            each.child_text(tag)
            for tag in (AirSyncBase.ContentId, AirSyncBase.ContentLocation, AirSyncBase.IsInline)
        )
        for each in found
    ]
    assert told == [("one@x", None, "1"), (None, "pictures/two.gif", "1"), (None, None, None)]
    assert [content(some_phone, each) for each in found] == [b"GIF1", b"GIF2", b"GIF3"]
