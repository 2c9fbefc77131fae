"""Mail on the wire: the properties of a message."""

from __future__ import annotations

import pytest

from gateway.eas.content.ids import parse_file_reference
from gateway.eas.versions import Version
from gateway.types import (
    ANSWERED,
    DRAFT,
    FLAGGED,
    FORWARDED,
    SEEN,
)
from tests.eas.content.mailshown import AS_HTML, AS_PLAIN, FULL, child, names, rendered, value
from tests.mail.corpus import SAMPLES
from wbxml.pages import AirSyncBase, Email, Email2


async def test_all_properties_in_the_order_of_exchange() -> None:
    got = await rendered(FULL, AS_PLAIN, Version.V14_1, flags=[SEEN, FLAGGED, ANSWERED, FORWARDED])
    assert [one.tag for one in got] == [
        Email.To,
        Email.Cc,
        Email.From,
        Email.ReplyTo,
        Email.Subject,
        Email.DateReceived,
        Email.DisplayTo,
        Email.ThreadTopic,
        Email.Importance,
        Email.Read,
        AirSyncBase.Body,
        Email.MessageClass,
        Email.InternetCPID,
        Email.Flag,
        Email.ContentClass,
        AirSyncBase.NativeBodyType,
        Email2.ConversationId,
        Email2.ConversationIndex,
        Email2.LastVerbExecuted,
        Email.Categories,
        Email2.Sender,
    ]
    assert value(got, Email.To) == '"Ben" <ben@example.org>, c@example.org'
    assert value(got, Email.ReplyTo) == "a@example.org; b@example.org"
    assert value(got, Email.DateReceived) == "2026-03-01T09:15:00.000Z"
    assert value(got, Email.DisplayTo) == "Ben; c@example.org"
    assert value(got, Email.ThreadTopic) == "Plan"
    assert value(got, Email.Importance) == "2"
    assert value(got, Email.Read) == "1"
    assert value(got, Email.InternetCPID) == "65001"
    assert child(got, Email.Flag).child_text(Email.Status) == "2"
    assert value(got, Email2.LastVerbExecuted) == "1"
    assert value(got, Email2.Sender) == '"Sec" <sec@example.org>'
    assert len(child(got, Email2.ConversationId).data()) == 16
    assert len(child(got, Email2.ConversationIndex).data()) == 10


async def test_what_older_versions_do_not_know_is_left_out() -> None:
    for version in Version:
        for one in await rendered(FULL, AS_HTML, version, flags=[DRAFT, ANSWERED]):
            assert float(one.tag.min_version or "0") <= version / 10


async def test_drafts_show_their_hidden_recipients() -> None:
    for flags, drafts in (([DRAFT], False), ([], True)):
        got = await rendered(FULL, flags=flags, drafts=drafts)
        assert value(got, Email2.IsDraft) == "1"
        assert value(got, Email2.Bcc) == '"Eve" <e@example.org>'
    got = await rendered(FULL)
    assert value(got, Email2.IsDraft) == "0"
    assert value(got, Email2.Bcc) is None


@pytest.mark.parametrize(
    ("field", "importance"),
    [
        ("Importance: high", "2"),
        ("Importance: Low", "0"),
        ("X-Priority: 5", "0"),
        ("X-Priority: 2(High)", "2"),
        ("Priority: non-urgent", "0"),
        ("Priority: urgent", "2"),
        ("X-Priority: nonsense", "1"),
        ("X-Other: 1", "1"),
    ],
)
async def test_importance(field: str, importance: str) -> None:
    assert value(await rendered(f"{field}\r\n\r\nx".encode()), Email.Importance) == importance


async def test_flags_are_compared_without_regard_to_case() -> None:
    got = await rendered(FULL, flags=["\\SEEN", "\\flagged", "$forwarded"])
    assert value(got, Email.Read) == "1"
    assert len(child(got, Email.Flag))
    assert value(got, Email2.LastVerbExecuted) == "3"


async def test_long_recipient_lists_end_with_a_whole_address() -> None:
    many = next(sample for sample in SAMPLES if sample.name == "5,000 recipients")
    to = value(await rendered(many.raw), Email.To) or ""
    assert 32000 < len(to) <= 32768
    assert to.endswith("@example.org>")


async def test_file_references_lead_back_to_the_part() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "mixed of alternative")
    attachment = child(await rendered(sample.raw), AirSyncBase.Attachments).children[0]
    reference = parse_file_reference(attachment.child_text(AirSyncBase.FileReference) or "")
    assert (reference.collection, reference.uidvalidity, reference.uid, reference.section) == ("5", 7, 1, "2")
    assert attachment.child_text(AirSyncBase.Method) == "1"
    assert attachment.child_text(AirSyncBase.EstimatedDataSize) in {"4", "5", "6", "7"}


async def test_embedded_messages_have_their_own_method() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "forwarded message")
    attachment = child(await rendered(sample.raw), AirSyncBase.Attachments).children[0]
    assert attachment.child_text(AirSyncBase.Method) == "5"


@pytest.mark.parametrize("flags", [[DRAFT], []])
async def test_an_inline_file_of_a_plain_draft_is_told_as_such(flags: list[str]) -> None:
    raw = (
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
        b"--b\r\nContent-Type: image/png; name=i.png\r\nContent-Disposition: inline; filename=i.png\r\n"
        b"Content-ID: <c>\r\n\r\nx\r\n"
        b"--b\r\nContent-Type: image/png; name=a.png\r\n"
        b"Content-Disposition: attachment; filename=a.png\r\n\r\nx\r\n--b--\r\n"
    )
    got = await rendered(raw, AS_PLAIN, Version.V16_1, flags=flags)
    assert names(got) == ("i.png", "a.png")
    assert names(got, inline_only=True) == (("i.png",) if flags else ())


async def test_inline_pictures_are_named_as_the_html_names_them() -> None:
    sample = next(sample for sample in SAMPLES if sample.name == "alternative with related")
    attachment = child(await rendered(sample.raw), AirSyncBase.Attachments).children[0]
    assert attachment.child_text(AirSyncBase.ContentId) == "dot@x"


async def test_replies_share_the_conversation_and_continue_the_index() -> None:
    def message(own: str, references: str) -> bytes:
        return f"Message-ID: <{own}>\r\nReferences: {references}\r\n\r\nx".encode()

    first = await rendered(b"Message-ID: <1@x>\r\n\r\nx")
    second = await rendered(message("2@x", "<1@x>"))
    third = await rendered(message("3@x", "<1@x>\r\n <2@x>"))
    other = await rendered(b"Message-ID: <9@x>\r\n\r\nx")
    conversation = [child(one, Email2.ConversationId).data() for one in (first, second, third, other)]
    index = [child(one, Email2.ConversationIndex).data() for one in (first, second, third, other)]
    assert conversation[0] == conversation[1] == conversation[2] != conversation[3]
    assert index[2].startswith(index[1])
    assert index[1].startswith(index[0])
    assert [len(one) for one in index] == [5, 10, 15, 5]
