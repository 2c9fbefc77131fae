"""Drafts: what a device fills in is there, what it does not name stays."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, compat32

import pytest

from gateway.errors import Kind, Refused
from gateway.mail.addresses import Address
from gateway.mail.draft import MARKER, Draft, DraftPatch, DraftText, Original, for_sending, write
from gateway.mail.fields import crlf
from gateway.mail.newparts import NewFile
from gateway.mail.structure import lay_out
from tests.mail.corpus import FAMILIAR, Sample
from tests.support.mailboxes import structure_of

ANN = Address("Ann Ähre", "ann@example.test")
NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def made(patch: DraftPatch, original: Original | None = None, edition: str = "e1") -> Draft:
    now = NOW if original is None else LATER
    return write(patch, original, author=ANN, now=now, name="<d1@example.test>", edition=edition)


def again(draft: Draft | bytes) -> Original:
    message = draft if isinstance(draft, bytes) else draft.message
    return Original(message, structure_of(message)[0])


def parsed(draft: Draft | bytes) -> EmailMessage:
    message = draft if isinstance(draft, bytes) else draft.message
    found = email.message_from_bytes(message, policy=SMTP)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert not part.defects, part.defects
    return found


def text(draft: Draft | bytes, kind: str = "plain") -> str:
    body = parsed(draft).get_body((kind,))
    assert body is not None
    return str(body.get_content())


def names(draft: Draft | bytes) -> list[str | None]:
    """File names as a phone is shown them."""
    message = draft if isinstance(draft, bytes) else draft.message
    return [each.name for each in lay_out(structure_of(message)[0]).attachments]


def file(client_id: str, data: bytes = b"data", **more: object) -> NewFile:
    return NewFile(client_id, f"{client_id}.bin", data, **more)  # type: ignore[arg-type]


def foreign() -> bytes:
    """A draft of another program, with everything a phone knows nothing of."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Ann <ann@example.test>"
    message["To"] = "bob@example.test"
    message["Subject"] = "old"
    message["Message-ID"] = "<foreign@example.test>"
    message["In-Reply-To"] = "<parent@example.test>"
    message["References"] = "<root@example.test> <parent@example.test>"
    message["X-Strange"] = "kept   as it is"
    message["X-Mozilla-Draft-Info"] = "internal/draft"
    message.set_content("old text\r\n")
    message.add_alternative('<p>old <img src="cid:pic"></p>', subtype="html")
    page = message.get_payload(1)
    assert isinstance(page, EmailMessage)
    page.add_related(b"\x89PNG", "image", "png", cid="<pic>")
    message.add_attachment(b"one" * 99, maintype="application", subtype="x-one", filename="one.bin")
    message.add_attachment("zwei ä", filename="two.txt")
    return message.as_bytes()


def test_a_new_draft_has_what_was_filled_in() -> None:
    draft = made(
        DraftPatch(
            to='"Bob Öl" <bob@example.test>, carl@example.test',
            cc="dora@example.test",
            bcc="eve@example.test",
            reply_to="ann@home.test; ann@work.test",
            subject="Grüße =?x",
            importance=2,
            text=DraftText("Täxt\n.\nFrom me".encode()),
        )
    )
    message = parsed(draft)
    assert str(message["To"]) == "Bob Öl <bob@example.test>, carl@example.test"
    assert str(message["Cc"]) == "dora@example.test"
    assert str(message["Bcc"]) == "eve@example.test"
    assert str(message["Reply-To"]) == "ann@home.test, ann@work.test"
    assert str(message["Subject"]) == "Grüße =?x"
    assert str(message["Importance"]) == "high"
    assert str(message["From"]) == "Ann Ähre <ann@example.test>"
    assert str(message["Message-ID"]) == "<d1@example.test>"
    assert message["Date"].datetime == NOW
    assert str(message[MARKER]) == "e1"
    assert text(draft) == "Täxt\r\n.\r\nFrom me"
    assert draft.message.isascii()


def test_an_empty_draft_is_one() -> None:
    draft = made(DraftPatch())
    assert text(draft) == ""
    assert "To" not in parsed(draft)


def test_a_html_text_comes_with_a_plain_one() -> None:
    draft = made(DraftPatch(text=DraftText("<p>Hällo <b>you</b></p>".encode(), rich=True)))
    assert parsed(draft).get_content_type() == "multipart/alternative"
    assert text(draft).strip() == "Hällo you"
    assert text(draft, "html") == "<p>Hällo <b>you</b></p>"


def test_files_are_where_the_answer_says() -> None:
    draft = made(
        DraftPatch(
            text=DraftText(b'<img src="cid:p1">', rich=True),
            files=(
                file("a", bytes(range(256))),
                file("pic", b"\x89PNG", content_type="image/png", content_id="p1", inline=True),
                file("mail", b"Subject: x\n\nbody \xc3\xa4", message=True),
                NewFile("z", "../ä\r\nb.txt", b"z"),
            ),
        )
    )
    _, sections = structure_of(draft.message)
    assert {name: sections[section][:12] for name, section in draft.files.items()} == {
        "a": b"AAECAwQFBgcI",
        "pic": b"iVBORw==\r\n",
        "mail": b"Subject: x\r\n",
        "z": b"eg==\r\n",
    }
    assert names(draft) == ["pic.bin", "a.bin", "mail.bin", "_ä b.txt"]
    layout = lay_out(structure_of(draft.message)[0])
    assert [each.inline for each in layout.attachments] == [True, False, False, False]
    assert [each.embedded for each in layout.attachments] == [False, False, True, False]


def test_what_is_not_named_stays_to_the_octet() -> None:
    before = foreign()
    after = made(DraftPatch(subject="new", cc="carl@example.test"), again(before)).message
    old, new = parsed(before), parsed(after)
    assert (str(new["Subject"]), str(new["Cc"]), str(new["To"])) == (
        "new",
        "carl@example.test",
        "bob@example.test",
    )
    assert before.partition(b"\r\n\r\n")[2] == after.partition(b"\r\n\r\n")[2]
    for name in ("From", "Message-ID", "In-Reply-To", "References", "X-Strange"):
        assert old[name] == new[name]
    assert b"X-Strange: kept   as it is\r\n" in after


def test_empty_values_take_a_property_away() -> None:
    draft = made(DraftPatch(to="", subject="", importance=1), again(foreign()))
    message = parsed(draft)
    assert "To" not in message
    assert "Subject" not in message
    assert "Importance" not in message


@pytest.mark.parametrize("rich", [True, False])
def test_a_new_text_leaves_every_attachment(rich: bool) -> None:
    new = '<p>new</p><img src="cid:pic">' if rich else "new"
    before = again(foreign())
    draft = made(DraftPatch(text=DraftText(new.encode(), rich=rich)), before)
    assert text(draft, "html" if rich else "plain") == new
    assert sorted(filter(None, names(draft))) == ["image.png", "one.bin", "two.txt"]
    was, now = structure_of(before.message)[1], structure_of(draft.message)[1]
    kept = [each.part.section for each in lay_out(before.structure).attachments]
    assert all(was[section] == now[draft.moved[section]] for section in kept)
    inline = {each.name: each.inline for each in lay_out(structure_of(draft.message)[0]).attachments}
    assert inline["image.png"] is rich
    assert b"old" not in draft.message.partition(b"\r\n\r\n")[2]


def test_attachments_come_and_go() -> None:
    before = again(foreign())
    sections = {each.name: each.part.section for each in lay_out(before.structure).attachments}
    one = made(DraftPatch(removed=(sections["one.bin"],), files=(file("a"),)), before)
    assert sorted(filter(None, names(one))) == ["a.bin", "image.png", "two.txt"]
    assert text(one) == "old text\r\n"
    assert sections["one.bin"] not in one.moved
    two = made(DraftPatch(removed=(one.files["a"],)), again(one), edition="e2")
    assert sorted(filter(None, names(two))) == ["image.png", "two.txt"]
    picture = one.moved[sections["image.png"]]
    three = made(DraftPatch(removed=(picture,)), again(one), edition="e3")
    assert sorted(filter(None, names(three))) == ["a.bin", "two.txt"]
    assert text(three, "html").startswith("<p>old")


def test_an_inline_file_joins_the_page_that_shows_it() -> None:
    plain = again(made(DraftPatch(text=DraftText(b"<p>x</p>", rich=True))))
    draft = made(DraftPatch(files=(file("p", content_id="p", inline=True),)), plain, edition="e2")
    assert lay_out(structure_of(draft.message)[0]).attachments[0].inline
    more = made(DraftPatch(files=(file("q", content_id="q", inline=True),)), again(draft), edition="e3")
    attachments = lay_out(structure_of(more.message)[0]).attachments
    assert [(each.name, each.inline) for each in attachments] == [("p.bin", True), ("q.bin", True)]


def test_a_text_shown_in_part_and_sent_back_is_no_change() -> None:
    whole = ("Zeile ä\r\n" * 500).encode()
    original = again(made(DraftPatch(text=DraftText(whole))))
    shown = whole[:1000]
    same = made(DraftPatch(subject="s", text=DraftText(shown, shown=1000)), original, edition="e2")
    assert text(same).encode() == whole
    partial = DraftText(b"New. " + shown, shown=1000, partial=True)
    assert text(made(DraftPatch(text=partial), original, edition="e2")).encode() == b"New. " + whole
    other = DraftText(b"All of it", shown=1000)
    assert text(made(DraftPatch(text=other), original, edition="e2")) == "All of it"


def test_a_mime_text_takes_the_place_of_everything_but_what_it_continues() -> None:
    mime = b"From: ann@example.test\nTo: x@example.test\nSubject: mime\n\nwhole\n"
    draft = made(DraftPatch(mime=mime, files=(file("a"),), importance=0), again(foreign()))
    message = parsed(draft)
    assert (str(message["To"]), str(message["Subject"])) == ("x@example.test", "mime")
    assert str(message["In-Reply-To"]) == "<parent@example.test>"
    assert str(message["Message-ID"]) == "<foreign@example.test>"
    assert str(message["Importance"]) == "low"
    assert names(draft) == ["a.bin"]
    assert text(draft) == "whole\r\n"


def test_a_mime_text_that_is_none_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        made(DraftPatch(mime=b"no header at all"))
    assert refused.value.kind is Kind.INVALID_MIME


def test_a_draft_of_broken_structure_loses_nothing() -> None:
    raw = (
        b"Subject: s\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\ntext\r\n--b\r\nContent-Type: x/y\r\n\r\ndata\r\n"
    )
    structure = structure_of(raw)[0]
    draft = made(DraftPatch(text=DraftText(b"new")), Original(raw.replace(b"--b\r\n\r\n", b"--c"), structure))
    assert b"data" in draft.message
    assert structure_of(draft.message)[1]["1"] == b"new"


def test_a_draft_to_be_sent_is_a_plain_message() -> None:
    sent = for_sending(made(DraftPatch(bcc="eve@example.test"), again(foreign())).message)
    message = email.message_from_bytes(sent, policy=compat32)
    assert not {MARKER, "Date", "X-Mozilla-Draft-Info"} & set(message.keys())
    assert message["Bcc"] == "eve@example.test"
    assert message["X-Strange"] == "kept   as it is"


def test_patches_have_digests_that_tell_them_apart() -> None:
    patches = [
        DraftPatch(),
        DraftPatch(to="a"),
        DraftPatch(cc="a"),
        DraftPatch(to=""),
        DraftPatch(text=DraftText(b"a")),
        DraftPatch(text=DraftText(b"a", rich=True)),
        DraftPatch(mime=b"a"),
        DraftPatch(files=(file("a"),)),
        DraftPatch(files=(file("a", b"datb"),)),
        DraftPatch(removed=("2",)),
    ]
    assert len({patch.digest() for patch in patches}) == len(patches)
    assert not patches[0]
    assert all(patches[1:])


@pytest.mark.parametrize("sample", FAMILIAR, ids=lambda sample: sample.name)
def test_any_message_can_be_edited(sample: Sample) -> None:
    before = again(crlf(sample.raw))
    was = structure_of(before.message)[1]
    kept = made(DraftPatch(subject="new"), before)
    assert kept.message.endswith(before.message.partition(b"\r\n\r\n")[2])
    draft = made(DraftPatch(text=DraftText(b"new text")), before)
    now = structure_of(draft.message)[1]
    assert now[next(iter(sorted(set(now) - {"", "HEADER"})))] == b"new text"
    layout = lay_out(before.structure)
    for each in layout.attachments:
        section = each.part.section
        if section in draft.moved:
            assert now.get(draft.moved[section]) == was.get(section)
        else:  # of a structure that is broken
            assert was.get(section, b"") in draft.message
