"""Replies and forwards of mail of every kind: the original quoted or attached, nothing lost, nothing torn."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Kind, NotFound, Refused
from gateway.mail import compose, html, original
from gateway.mail.compose import Outgoing
from gateway.mail.headers import Headers
from gateway.mail.reply import Verb, threaded, titled, verb, with_original
from gateway.store.spool import FileSpool
from tests.mail.corpus import FAMILIAR, SAMPLES, Sample, base64_part, mail, multi, part
from tests.support import messages
from tests.support.mailboxes import MemoryMailboxes

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TO = "To: Ben <ben@example.test>\nSubject: RE: s\n"
MINE = {
    "plain": mail(part("text/plain; charset=utf-8", "Mine: größer"), TO),
    "html": mail(part("text/html; charset=utf-8", "<html><body>Mine: größer</body></html>"), TO),
    "both": mail(
        multi(
            "alternative",
            part("text/plain; charset=iso-8859-1", "Mine: größer".encode("latin-1")),
            base64_part("text/html; charset=utf-8", "<p>Mine: <b>größer</b></p>".encode()),
            boundary="mine",
        ),
        TO,
    ),
    "file": mail(
        multi(
            "mixed",
            part("text/plain; charset=utf-8", "Mine: größer"),
            base64_part("application/pdf; name=own.pdf", b"%PDF own", "Content-Disposition: attachment"),
            boundary="mine",
        ),
        TO,
    ),
}


def outgoing(mime: bytes) -> Outgoing:
    return compose.prepare(
        mime,
        sender="jo@example.test",
        sender_name="Jo",
        may_send_as=lambda _: False,
        now=NOW,
        unique="c1",
    )


async def answered(raw: bytes, mine: bytes, *, forward: bool) -> EmailMessage:
    """The message a recipient gets; the standard library finds nothing wrong with how it is put together."""
    with ExitStack() as stack:
        mailboxes = MemoryMailboxes([raw]).port
        found = await original.find(mailboxes, "INBOX", 1, 1)
        made = await with_original(
            mailboxes, found, outgoing(mine), forward=forward, spool=FileSpool, stack=stack
        )
        data = bytes(made.message)
        assert len(made.message) == len(data)
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    message = email.message_from_bytes(data, policy=default)
    made_here = [one for one in message.walk() if (one.get_boundary() or "").startswith("=_")]
    assert not [defect for one in made_here for defect in one.defects]
    return message


def bodies(message: EmailMessage) -> Iterator[str]:
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        if body is not None:
            yield str(body.get_content())


def files(message: EmailMessage) -> list[EmailMessage]:
    return [one for one in message.walk() if one.get_filename() and not one.is_multipart()]


@pytest.mark.parametrize("forward", [False, True], ids=["reply", "forward"])
@pytest.mark.parametrize("kind", ["plain", "html", "both"])
@pytest.mark.parametrize("sample", FAMILIAR, ids=lambda sample: sample.name)
async def test_mail_of_every_kind(sample: Sample, kind: str, forward: bool) -> None:
    message = await answered(sample.raw, MINE[kind], forward=forward)
    attached = [one for one in message.walk() if one.get_content_type() == "message/rfc822"]
    whole = any((one.get_filename() or "").endswith(".eml") for one in attached) and message[
        "Content-Type"
    ].startswith("multipart/mixed")
    shown = list(bodies(message))
    assert all("Mine: " in text and "größer" in text for text in shown)
    for text in shown:
        assert whole or "From:" in text or not sample.sender
        assert "<script" not in text
    if not whole and sample.plain:
        words = sample.plain.split()[:5]
        texts = [html.to_text(text, links=False) for text in shown]
        assert any(all(word in text for word in words) for text in texts)


@pytest.mark.parametrize("sample", [one for one in FAMILIAR if one.attachments], ids=lambda one: one.name)
async def test_files_survive_a_forward(sample: Sample) -> None:
    message = await answered(sample.raw, MINE["both"], forward=True)
    names = [one.get_filename() for one in message.walk() if one.get_filename()]
    attached = [one for one in message.walk() if one.get_content_type() == "message/rfc822"]
    if not attached:
        assert set(sample.attachments or ()) <= set(names)


@pytest.mark.parametrize("kind", ["plain", "html"])
@pytest.mark.parametrize("name", ["winmail.dat: text", "winmail.dat: html", "winmail.dat: html in rtf"])
async def test_text_of_a_winmail_dat_is_quoted(name: str, kind: str) -> None:
    (sample,) = (one for one in SAMPLES if one.name == name)
    message = await answered(sample.raw, MINE[kind], forward=True)
    for text in bodies(message):
        assert "Hello Ann" in html.to_text(text, links=False)
    assert [one.get_filename() for one in files(message)] == ["winmail.dat"]


async def test_octets_of_files_are_the_same() -> None:
    octets = bytes(range(256)) * 5000
    raw = messages.with_attachments("s", messages.Attachment("a b.bin", "application/x-any", octets))
    message = await answered(raw, MINE["file"], forward=True)
    own, theirs = files(message)
    assert (own.get_filename(), own.get_content()) == ("own.pdf", b"%PDF own")
    assert (theirs.get_filename(), theirs.get_content()) == ("a b.bin", octets)


@pytest.mark.parametrize(
    ("encoding", "raw", "content"),
    [
        ("binary", b"\x01\x02line\n\xff", b"\x01\x02line\n\xff"),
        ("x-uuencode", b"begin 644 a\r\n#86)C\r\n`\r\nend\r\n", b"abc"),
        ("8bit", "größer".encode(), "größer".encode()),
    ],
)
async def test_unusual_encodings(encoding: str, raw: bytes, content: bytes) -> None:
    file = part("application/octet-stream; name=a.bin", raw, f"Content-Transfer-Encoding: {encoding}")
    message = await answered(
        mail(multi("mixed", part("text/plain", "see"), file)), MINE["plain"], forward=True
    )
    (one,) = files(message)
    assert one.get_payload(decode=True).rstrip(b"\r\n") == content  # type: ignore[union-attr]


async def test_hostile_names_stay_in_their_place() -> None:
    file = part(
        'application/pdf; name="a\\"; filename=evil\r\n\tX: y"',
        "x",
        'Content-Disposition: attachment; filename="a\\"b.pdf"',
        "Content-ID: <a b>",
        "Content-Transfer-Encoding: 7bit; evil",
    )
    raw = mail(multi("mixed", part("text/plain", "see"), file))
    message = await answered(raw, MINE["plain"], forward=True)
    (one,) = files(message)
    assert one.get_filename() == 'a"b.pdf'
    assert set(one.keys()) <= {"Content-Type", "Content-Transfer-Encoding", "Content-Disposition"}


async def test_an_invitation_of_the_phone_stays_beside_its_text() -> None:
    calendar = part("text/calendar; method=REPLY; charset=utf-8", "BEGIN:VCALENDAR")
    mine = mail(multi("alternative", part("text/plain", "Yes"), calendar, boundary="mine"), TO)
    message = await answered(messages.plain(), mine, forward=False)
    assert message.get_content_type() == "multipart/alternative"
    assert [one.get_content_type() for one in message.iter_parts()] == ["text/plain", "text/calendar"]


@pytest.mark.parametrize("text", [[part("text/plain", "Come!")], []], ids=["with text", "alone"])
async def test_an_invitation_goes_along_with_a_forward(text: list[bytes]) -> None:
    calendar = part("text/calendar; method=REQUEST; charset=utf-8", "BEGIN:VCALENDAR")
    message = await answered(mail(multi("alternative", *text, calendar)), MINE["plain"], forward=True)
    (file,) = [one for one in message.walk() if one.get_content_type() == "text/calendar"]
    assert (file.get_param("method"), file.get_filename()) == ("REQUEST", "invite.ics")
    assert "BEGIN:VCALENDAR" in str(file.get_content())


@pytest.mark.parametrize("forward", [False, True])
async def test_pictures_that_are_shown_by_their_location_go_along(forward: bool) -> None:
    original = mail(
        multi(
            "related",
            part("text/html", '<img src="a.png?x=1&amp;y=2"><img alt="not shown: c.png">'),
            base64_part("image/png", b"shown", "Content-Location: a.png?x=1&y=2"),
            base64_part("image/png", b"not shown", "Content-Location: c.png"),
        )
    )
    message = await answered(original, MINE["html"], forward=forward)
    (related,) = [one for one in message.walk() if one.get_content_type() == "multipart/related"]
    _, picture = related.iter_parts()
    assert (picture["Content-Location"], picture.get_content()) == ("a.png?x=1&y=2", b"shown")
    assert [one.get_content() for one in message.iter_attachments()] == (
        [b"not shown"] if forward else [b"shown"]
    )


async def test_own_pictures_stay_in_the_text() -> None:
    mine = mail(
        multi(
            "related",
            part("text/html", '<img src="cid:own">'),
            base64_part("image/png", b"own picture", "Content-ID: <own>"),
            boundary="mine",
        ),
        TO,
    )
    message = await answered(messages.inline_image(), mine, forward=False)
    assert message.get_content_type() == "multipart/related"
    ids = [one["Content-ID"] for one in message.iter_parts()]
    assert ids == [None, "<own>", "<red>"]


SEALED = multi(
    "signed",
    part("text/plain", "I sign this"),
    base64_part("application/pkcs7-signature", b"signature"),
    boundary="seal",
    params="; protocol=application/pkcs7-signature",
)


@pytest.mark.parametrize("forward", [False, True], ids=["reply", "forward"])
async def test_what_the_phone_signed_is_not_touched(forward: bool) -> None:
    mine = mail(SEALED, TO)
    message = await answered(messages.plain("original"), mine, forward=forward)
    kinds = [one.get_content_type() for one in message.iter_parts()]
    assert (message.get_content_type(), kinds) == ("multipart/mixed", ["multipart/signed", "message/rfc822"])
    sealed = next(iter(message.iter_parts())).as_bytes(policy=default.clone(linesep="\r\n"))
    assert mine[mine.index(b"--seal") :].rstrip() in sealed


@pytest.mark.parametrize("forward", [False, True], ids=["reply", "forward"])
@pytest.mark.parametrize(
    "content",
    [
        base64_part("application/pkcs7-mime; smime-type=enveloped-data", b"closed"),
        multi("encrypted", part("application/pgp-encrypted", "Version: 1"), boundary="closed"),
    ],
    ids=["S/MIME", "PGP"],
)
async def test_what_is_encrypted_is_attached(content: bytes, forward: bool) -> None:
    message = await answered(mail(content), MINE["both"], forward=forward)
    kinds = [one.get_content_type() for one in message.iter_parts()]
    assert (message.get_content_type(), kinds) == (
        "multipart/mixed",
        ["multipart/alternative", "message/rfc822"],
    )


LINES = (
    *(f"Content-Type: multipart/{kind}; boundary=b" for kind in ("mixed", "related", "alternative")),
    *(f"Content-Type: {kind}" for kind in ("text/html", "text/calendar", "message/rfc822", "x")),
    *(f"Content-Transfer-Encoding: {name}" for name in ("base64", "quoted-printable", "8bit")),
    *(f"Content-Disposition: attachment; filename={name}" for name in ("a", '"', "\xff")),
    *("Content-ID: <a>", '<img src="cid:a">', "--b", "--b--", "", "text", "<p>&#<b", "=?=E4", "\xe4\xf6\0"),
)
PIECES = st.lists(st.sampled_from(LINES), max_size=20).map(
    lambda lines: "".join(f"{line}\r\n" for line in lines).encode("latin-1")
)


@given(PIECES, PIECES, st.booleans())
async def test_whatever_comes_a_message_is_made(mine: bytes, theirs: bytes, forward: bool) -> None:
    head = b"To: a@x\r\nContent-Type: multipart/mixed; boundary=b\r\n"
    raw = b"From: c@x\r\nContent-Type: multipart/mixed; boundary=b\r\n" + theirs.translate(None, b"\0")
    try:
        outgoing(head + mine)
    except Refused:
        return
    message = await answered(raw + b"\r\n\r\n", head + mine, forward=forward)
    assert message["To"] == "a@x"


@pytest.mark.parametrize("mine", [part("text/plain", ""), multi("mixed", boundary="mine")])
async def test_a_phone_may_write_nothing(mine: bytes) -> None:
    message = await answered(messages.html("page", "<p>their <b>words</b></p>"), mail(mine, TO), forward=True)
    assert all("their" in text and "From: " in html.to_text(text) for text in bodies(message))


async def test_a_long_original_is_attached() -> None:
    raw = messages.plain("too long", "word " * 500_000)
    message = await answered(raw, MINE["plain"], forward=False)
    assert message.get_content_type() == "multipart/mixed"
    (inner,) = [one for one in message.walk() if one.get_content_type() == "message/rfc822"]
    assert inner.get_filename() == "too long.eml"


async def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(original, "LARGEST", 1000)
    large = messages.Attachment("a.bin", "application/x-any", b"x" * 2000)
    for raw in (messages.with_attachments("s", large), messages.signed() + b"x" * 2000):
        with pytest.raises(Refused) as error:
            await answered(raw, MINE["plain"], forward=True)
        assert error.value.kind is Kind.TOO_LARGE


async def test_an_original_that_is_gone() -> None:
    with pytest.raises(NotFound):
        await original.find(MemoryMailboxes([]).port, "INBOX", 1, 1)


def test_verbs() -> None:
    told = Headers(b"From: a@x\r\nTo: ben@example.test, jo@example.test\r\nCc: cy@example.test\r\n")
    to_ben = outgoing(MINE["plain"])
    assert verb(to_ben, told, forward=True) is Verb.FORWARD
    assert verb(to_ben, told, forward=False) is Verb.REPLY_ALL
    assert verb(to_ben, Headers(b"From: Ben@example.test\r\nTo: jo@x\r\n"), forward=False) is Verb.REPLY
    own = Headers(b"From: jo@x\r\nReply-To: ben@example.test\r\nTo: ben@example.test\r\n")
    assert verb(to_ben, own, forward=False) is Verb.REPLY


def test_threads_have_bounded_length() -> None:
    references = b" ".join(b"<%d@x>" % number for number in range(1000))
    told = Headers(b"Message-ID: <last@x>\r\nReferences: " + references + b"\r\n")
    made = threaded(outgoing(MINE["plain"]), told, forward=False)
    (line,) = [each.value for each in made.fields if each.name == b"references"]
    chain = line.split()
    assert (len(chain), chain[0], chain[-2:]) == (40, b"<0@x>", [b"<999@x>", b"<last@x>"])
    own = outgoing(b"In-Reply-To: <own@x>\r\nReferences: <own@x>\r\n" + MINE["plain"])
    assert threaded(own, told, forward=False) == own
    assert threaded(own, Headers(b"Subject: no id\r\n"), forward=False) == own


@pytest.mark.parametrize(
    ("subject", "title"), [("AW: Re: Größe", "FW: Größe"), ("", "FW:"), ("x " * 200, "FW: " + "x " * 200)]
)
def test_titles(subject: str, title: str) -> None:
    made = titled(outgoing(b"To: a@x\r\n\r\n"), Headers(f"Subject: {subject}\r\n".encode()))
    parsed = email.message_from_bytes(bytes(made.message), policy=default)
    assert str(parsed["Subject"]).strip() == title.strip()
