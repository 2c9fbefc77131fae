"""Mail on the wire: every message of the corpus in every form, and the promises of rendering."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
import tracemalloc
import zlib
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.eas.content import email as module
from gateway.eas.content.email import Rendered, Room, prepare, render
from gateway.eas.content.ids import parse_file_reference
from gateway.eas.content.preferences import HTML, MIME, PLAIN, RTF, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.sync.background import compute
from gateway.types import (
    ANSWERED,
    DRAFT,
    FLAGGED,
    FORWARDED,
    SEEN,
    BodyPart,
    CollectionId,
    MessageData,
    SectionRequest,
)
from tests.mail.corpus import SAMPLES, Sample
from tests.support.mailboxes import MemoryMailboxes
from wbxml import Element
from wbxml.decoder import decode
from wbxml.encoder import encode, encode_pieces
from wbxml.pages import AirSync, AirSyncBase, Email, Email2, ItemOperations

COLLECTION = CollectionId("5")
AS_HTML = BodyOptions((BodyPreference(HTML), BodyPreference(PLAIN)))
AS_PLAIN = BodyOptions((BodyPreference(PLAIN),))
AS_MIME = BodyOptions((BodyPreference(MIME),), mime_support=2)
EVERYTHING = (
    BodyOptions(),
    AS_HTML,
    AS_PLAIN,
    AS_MIME,
    BodyOptions((BodyPreference(HTML),)),
    BodyOptions((BodyPreference(RTF),)),
    BodyOptions((BodyPreference(HTML, 50, True), BodyPreference(PLAIN, 20, preview=100))),
    BodyOptions((BodyPreference(HTML, 0, preview=255),)),
    BodyOptions((BodyPreference(HTML, 7),), part=BodyPreference(HTML, 9, preview=10)),
    BodyOptions((BodyPreference(MIME, 100), BodyPreference(HTML, 100)), mime_support=1),
    BodyOptions((BodyPreference(MIME, 0),), mime_support=2),
    BodyOptions((BodyPreference(MIME, 300, True), BodyPreference(HTML, 300, True)), mime_support=2),
    BodyOptions((BodyPreference(RTF, 90, preview=30), BodyPreference(PLAIN, 0))),
    BodyOptions(
        (BodyPreference(PLAIN, 3, True), BodyPreference(HTML, 3, True), BodyPreference(RTF, 3, True))
    ),
    BodyOptions((BodyPreference(PLAIN),), part=BodyPreference(HTML, 30, True)),
    BodyOptions((), mime_support=1, mime_truncation=1, part=BodyPreference(HTML)),
)
_SLOWEST = 1.0
"""Seconds of CPU for a message in one form."""
_LARGE = 90_000


async def rendered(
    raw: bytes,
    options: BodyOptions = AS_HTML,
    version: Version = Version.V16_1,
    *,
    flags: Iterable[str] = (),
    drafts: bool = False,
) -> list[Element]:
    mailboxes = MemoryMailboxes([raw], {1: flags})
    done = await render(mailboxes.port, "m", 7, [1], options, version, collection=COLLECTION, drafts=drafts)
    assert done[1].poison is None
    return done[1].elements


def values(elements: Sequence[Element], tag: object) -> list[str]:
    return [one.text() for one in elements if one.tag is tag]


def value(elements: Sequence[Element], tag: object) -> str | None:
    found = values(elements, tag)
    assert len(found) <= 1
    return found[0] if found else None


def child(elements: Sequence[Element], tag: object) -> Element:
    return next(one for one in elements if one.tag is tag)


def body_data(elements: Sequence[Element]) -> str:
    return child(elements, AirSyncBase.Body).child_text(AirSyncBase.Data) or ""


def names(elements: Sequence[Element], *, inline_only: bool = False) -> tuple[str | None, ...]:
    found = [one for one in elements if one.tag is AirSyncBase.Attachments]
    return tuple(
        one.child_text(AirSyncBase.DisplayName)
        for one in (found[0] if found else [])
        if not inline_only or one.child_text(AirSyncBase.IsInline) == "1"
    )


def differences(sample: Sample, rich: Sequence[Element], plain: Sequence[Element]) -> list[str]:
    """What a phone is shown of a message otherwise than expected: in HTML (`rich`) and in text."""
    wanted: dict[str, tuple[object, object]] = {
        "subject": (sample.subject, value(rich, Email.Subject) or ""),
        "sender": (sample.sender, value(rich, Email.From) or ""),
        "class": (sample.message_class, value(rich, Email.MessageClass)),
        "native": (sample.native, int(value(rich, AirSyncBase.NativeBodyType) or "0")),
        "attachments": (sample.attachments, names(rich)),
        "inline": (sample.inline, names(rich, inline_only=True)),
    }
    found = [f"{name}: {shown!r}" for name, (right, shown) in wanted.items() if right not in (None, shown)]
    html, text = body_data(rich), body_data(plain)
    if sample.plain is not None and (sample.plain not in text or (text and not sample.plain)):
        found.append(f"plain: {text[:200]!r}")
    if sample.html not in html:
        found.append(f"html: {html[:200]!r}")
    if sample.absent and sample.absent in html + text:
        found.append(f"shown: {sample.absent!r}")
    return found


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name[:60])
class TestCorpus:
    """Each message of the corpus."""

    async def test_it_is_shown_as_expected(self, sample: Sample) -> None:
        rich = await rendered(sample.raw, BodyOptions((BodyPreference(HTML),)))
        plain = await rendered(sample.raw, AS_PLAIN)
        assert differences(sample, rich, plain) == []

    async def test_every_form_is_well_formed(self, sample: Sample) -> None:
        mailboxes = MemoryMailboxes([sample.raw])
        await mailboxes.fetch("m", 7, [1], None)  # parsed, which is not to be measured
        slowest = 0.0
        for options, version in forms(sample):
            before = time.process_time()
            done = await render(mailboxes.port, "m", 7, [1], options, version, collection=COLLECTION)
            slowest = max(slowest, time.process_time() - before)
            assert done[1].poison is None
            check_form(done[1].elements, options, version)
        assert slowest < _SLOWEST


def forms(sample: Sample) -> Iterable[tuple[BodyOptions, Version]]:
    """Every kind of body, each in one of the versions: which one goes round from sample to sample."""
    turn = zlib.crc32(sample.name.encode())
    versions = list(Version)
    for number, options in enumerate(EVERYTHING):
        yield options, versions[(turn + number) % len(versions)]


def test_the_corpus_has_enough_of_everything() -> None:
    assert len(SAMPLES) >= 500
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize(
    "sample", [one for one in SAMPLES if len(one.raw) > _LARGE], ids=lambda one: one.name
)
async def test_large_messages_take_bounded_memory(sample: Sample) -> None:
    mailboxes = MemoryMailboxes([sample.raw])
    await mailboxes.fetch("m", 7, [1], None)
    for options in EVERYTHING:
        tracemalloc.start()
        await render(mailboxes.port, "m", 7, [1], options, Version.V16_1, collection=COLLECTION)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 12 * len(sample.raw) + (1 << 20), options


async def test_a_large_message_is_not_copied_for_a_reply() -> None:
    raw = b"Content-Type: text/plain\r\n\r\n" + b"x" * 76 * 100_000
    mailboxes = MemoryMailboxes([raw])
    await mailboxes.fetch("m", 7, [1], None)
    tracemalloc.start()
    done = await render(mailboxes.port, "m", 7, [1], AS_MIME, Version.V16_1, collection=COLLECTION)
    written = encode_pieces(Element(AirSync.ApplicationData, None, done[1].elements))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raw in written
    assert peak < 1 << 20


def check_form(elements: list[Element], options: BodyOptions, version: Version) -> None:
    """What holds for every message in every form."""
    tree = Element(AirSync.ApplicationData, None, elements)
    assert decode(encode(tree)) == tree
    for one in tree.iter():
        assert float(one.tag.min_version or "0") <= version / 10
        text = "" if isinstance(one.value, bytes) else one.text()
        assert not any(ord(character) < 32 and character not in "\t\r\n" for character in text)
    for tag in (AirSyncBase.Attachments, AirSyncBase.Body, AirSyncBase.BodyPart):
        assert all(len(one) for one in elements if one.tag is tag)
    if version < Version.V12_0 or (options.part and not options.preferences):
        return  # it has a body of another form, or may have a BodyPart alone
    body = child(elements, AirSyncBase.Body)
    order = [
        AirSyncBase.Type,
        AirSyncBase.EstimatedDataSize,
        AirSyncBase.Truncated,
        AirSyncBase.Data,
        AirSyncBase.Preview,
    ]
    positions = [order.index(one.tag) for one in body]
    assert positions == sorted(positions)
    data = (body.child_text(AirSyncBase.Data) or "").encode()
    kind = int(body.child_text(AirSyncBase.Type) or "0")
    wanted = options.preference(kind)
    if wanted and wanted.truncation is not None:
        assert len(data) <= wanted.truncation
    if body.find(AirSyncBase.Truncated):
        assert int(body.child_text(AirSyncBase.EstimatedDataSize) or "0") > len(data)
    elif body.find(AirSyncBase.Data):
        assert body.child_text(AirSyncBase.EstimatedDataSize) == str(len(data))


FULL = (
    b"From: Ann <ann@example.org>\r\nSender: Sec <sec@example.org>\r\n"
    b"To: Ben <ben@example.org>, c@example.org\r\n"
    b"Cc: D <d@example.org>\r\nBcc: Eve <e@example.org>\r\nReply-To: a@example.org, b@example.org\r\n"
    b"Subject: Re: AW: Plan\r\nX-Priority: 1 (Highest)\r\nMessage-ID: <2@x>\r\nReferences: <1@x>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello"
)


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


async def test_attachments_are_never_fetched_to_show_a_message() -> None:
    big = b"A" * 100_000
    raw = (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\n"
        + b"x" * 300_000
        + b"\r\n--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + big
        + b"\r\n--b--\r\n"
    )
    mailboxes = MemoryMailboxes([raw])
    options = BodyOptions((BodyPreference(PLAIN, 1000),))
    await render(mailboxes.port, "m", 7, [1], options, Version.V16_1, collection=COLLECTION)
    assert {request.section for request in mailboxes.asked} == {"1"}
    assert all(request.limit and request.limit < 2000 for request in mailboxes.asked)


async def test_nothing_is_fetched_for_a_body_of_no_octets() -> None:
    mailboxes = MemoryMailboxes([FULL])
    options = BodyOptions((BodyPreference(HTML, 0),))
    done = await render(mailboxes.port, "m", 7, [1], options, Version.V16_1, collection=COLLECTION)
    assert mailboxes.asked == []
    body = child(done[1].elements, AirSyncBase.Body)
    assert body.find(AirSyncBase.Data) is None
    assert body.child_text(AirSyncBase.Truncated) == "1"


async def test_vanished_messages_are_left_out_and_the_order_is_kept() -> None:
    mailboxes = MemoryMailboxes([FULL, FULL, FULL])
    done = await render(mailboxes.port, "m", 7, [3, 9, 1], AS_HTML, Version.V16_1, collection=COLLECTION)
    assert list(done) == [3, 1]


@pytest.mark.parametrize("version", [Version.V2_5, Version.V16_1])
async def test_a_body_that_is_not_given_is_told_of_and_not_shown_as_empty(version: Version) -> None:
    class Withholding(MemoryMailboxes):
        async def fetch_sections(self, *_arguments: object) -> dict[object, bytes]:  # type: ignore[override]
            return {}

    done = await render(Withholding([FULL]).port, "m", 7, [1], AS_PLAIN, version, collection=COLLECTION)
    assert done[1].unread
    assert done[1].poison
    if version is Version.V2_5:
        shown = child(done[1].elements, Email.Body).text()
    else:
        shown = child(done[1].elements, AirSyncBase.Body).child_text(AirSyncBase.Data) or ""
    assert "could not read" in shown
    assert child(done[1].elements, Email.Subject).text() == "Re: AW: Plan"


async def test_what_was_prepared_without_its_body_is_fetched_again() -> None:
    mailboxes = MemoryMailboxes([FULL])
    prepared = await prepare(mailboxes.port, "m", 7, [1], AS_PLAIN, Version.V16_1)
    lacking = dataclasses.replace(prepared, answers={})
    done = await render(
        mailboxes.port, "m", 7, [1], AS_PLAIN, Version.V16_1, collection=COLLECTION, prepared=lacking
    )
    assert not done[1].unread
    assert done[1].poison is None


async def test_large_windows_are_fetched_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []

    class Counting(MemoryMailboxes):
        async def fetch_sections(self, mailbox: str, uidvalidity: int, requests: Sequence[object]) -> object:  # type: ignore[override]
            rounds.append(len(requests))
            return await super().fetch_sections(mailbox, uidvalidity, requests)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "LARGEST_BATCH", 31_000)
    monkeypatch.setattr(module, "_THREAD_OCTETS", 10_000)
    raw = b"Content-Type: text/plain\r\n\r\n" + b"x" * 10_000
    done = await render(
        Counting([raw] * 10).port, "m", 7, range(1, 11), AS_PLAIN, Version.V16_1, collection=COLLECTION
    )
    assert len(done) == 10
    assert rounds == [3, 3, 3, 1]


async def test_others_have_the_computing_thread_between_large_messages() -> None:
    large = b"Content-Type: text/plain\r\n\r\n" + b"x" * 200_000
    box = MemoryMailboxes([large] * 4)
    ended: list[str] = []

    async def note(name: str, work: Awaitable[object]) -> None:
        await work
        ended.append(name)

    rendering = render(box.port, "m", 7, range(1, 5), AS_PLAIN, Version.V16_1, collection=COLLECTION)
    other = compute(lambda: None)
    first = asyncio.create_task(note("mail", rendering))
    while not box.rounds:
        await asyncio.sleep(0)
    await asyncio.gather(first, note("other", other))
    assert ended == ["other", "mail"]


async def test_a_large_header_does_not_hold_up_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    render_batch = module._render_batch

    def noted(*args: Any) -> Mapping[int, Rendered]:
        threads.extend(threading.current_thread() for _ in args[0])
        return render_batch(*args)

    monkeypatch.setattr(module, "_render_batch", noted)
    head = b"Subject: " + b"Re: " * 100_000 + b"lunch\r\n"
    small, large = (top + b"Content-Type: text/plain\r\n\r\nx" for top in (b"Subject: lunch\r\n", head))
    shown = [await rendered(raw, AS_PLAIN) for raw in (small, large)]
    assert [value(got, Email.ThreadTopic) for got in shown] == ["lunch", "lunch"]
    assert [thread is threading.main_thread() for thread in threads] == [True, False]


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("options", [AS_PLAIN, AS_HTML, AS_MIME, BodyOptions()])
async def test_a_reply_holds_a_bounded_number_of_octets(
    monkeypatch: pytest.MonkeyPatch, options: BodyOptions, *, ahead: bool
) -> None:
    monkeypatch.setattr(module, "LARGEST_REPLY", 50_000)
    monkeypatch.setattr(module, "LARGEST_BATCH", 30_000)
    head = b"Content-Type: text/plain\r\n\r\n"
    mailboxes = MemoryMailboxes([*[head + b"x" * 20_000] * 6, head + b"small"])
    uids = range(1, 8)
    prepared = await prepare(mailboxes.port, "m", 7, uids, options, Version.V16_1) if ahead else None
    done = await render(
        mailboxes.port, "m", 7, uids, options, Version.V16_1, collection=COLLECTION, prepared=prepared
    )
    bodies = [child(one.elements, AirSyncBase.Body) for one in done.values()]
    *large, small = bodies
    for body in large[:3]:
        assert len(body.child_text(AirSyncBase.Data) or "") >= 20_000
        assert body.child_text(AirSyncBase.Truncated) is None
    for body in large[3:]:
        assert body.find(AirSyncBase.Data) is None
        assert body.child_text(AirSyncBase.Truncated) == "1"
        assert int(body.child_text(AirSyncBase.EstimatedDataSize) or "") >= 20_000
    assert "small" in (small.child_text(AirSyncBase.Data) or "")


async def test_several_collections_share_the_room_of_a_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST_REPLY", 50_000)
    mailboxes = MemoryMailboxes([b"Content-Type: text/plain\r\n\r\n" + b"x" * 20_000] * 2)
    room = Room()
    withheld = []
    for ahead in (False, True, True, False):
        prepared = await prepare(mailboxes.port, "m", 7, [1, 2], AS_PLAIN, Version.V16_1) if ahead else None
        done = await render(
            mailboxes.port,
            "m",
            7,
            [1, 2],
            AS_PLAIN,
            Version.V16_1,
            collection=COLLECTION,
            prepared=prepared,
            room=room,
        )
        withheld += [one.withheld for one in done.values()]
        assert [body_data(one.elements) == "" for one in done.values()] == withheld[-2:]
    assert withheld == [False] * 3 + [True] * 5


async def test_what_was_prepared_is_rendered_with_the_marks_of_now() -> None:
    raw = [f"Subject: {n}\r\n\r\ntext {n}".encode() for n in range(1, 151)]
    mailboxes = MemoryMailboxes(raw, {3: [SEEN]})
    uids = [*range(150, 0, -1)]
    prepared = await prepare(mailboxes.port, "m", 7, uids, AS_PLAIN, Version.V16_1)
    assert list(prepared.jobs) == uids[:100]
    fetched = len(mailboxes.asked)
    flags = {150: [SEEN], 3: []}
    done = await render(
        mailboxes.port,
        "m",
        7,
        uids,
        AS_PLAIN,
        Version.V16_1,
        collection=COLLECTION,
        flags=flags,
        prepared=prepared,
    )
    afresh = await render(
        mailboxes.port, "m", 7, uids, AS_PLAIN, Version.V16_1, collection=COLLECTION, flags=flags
    )
    assert list(done) == uids
    assert [done[uid].elements for uid in uids] == [afresh[uid].elements for uid in uids]
    assert value(done[150].elements, Email.Read) == "1"
    assert {request.uid for request in mailboxes.asked[fetched : fetched + 50]} == {*range(1, 51)}


@pytest.mark.parametrize(
    ("uidvalidity", "options", "version"),
    [(8, AS_PLAIN, Version.V16_1), (7, AS_HTML, Version.V16_1), (7, AS_PLAIN, Version.V14_1)],
)
async def test_what_was_prepared_for_another_request_is_not_used(
    uidvalidity: int, options: BodyOptions, version: Version
) -> None:
    before = MemoryMailboxes([b"Subject: before\r\n\r\ntext"])
    prepared = await prepare(before.port, "m", 7, [1], AS_PLAIN, Version.V16_1)
    now = MemoryMailboxes([b"Subject: now\r\n\r\ntext"])
    done = await render(
        now.port, "m", uidvalidity, [1], options, version, collection=COLLECTION, prepared=prepared
    )
    assert value(done[1].elements, Email.Subject) == "now"


async def test_many_small_messages_are_fetched_in_batches() -> None:
    mailboxes = MemoryMailboxes([FULL] * 250)
    done = await render(mailboxes.port, "m", 7, range(1, 251), AS_PLAIN, Version.V16_1, collection=COLLECTION)
    assert len(done) == 250
    assert mailboxes.rounds == 3


async def test_parts_of_a_multipart_reply_take_the_data() -> None:
    mailboxes, sink = MemoryMailboxes([FULL, FULL]), PartList()
    done = await render(
        mailboxes.port, "m", 7, [1, 2], AS_PLAIN, Version.V14_1, collection=COLLECTION, parts=sink
    )
    assert sink.parts == [b"Hello", b"Hello"]
    bodies = [child(one.elements, AirSyncBase.Body) for one in done.values()]
    assert [one.child_text(ItemOperations.Part) for one in bodies] == ["1", "2"]
    assert all(one.find(AirSyncBase.Data) is None for one in bodies)


class PartList:
    """What was given to a sink: data, or how much of the message is wanted."""

    def __init__(self) -> None:
        self.parts: list[bytes | int | None] = []

    def add(self, data: bytes) -> int:
        return self.whole(data)

    def whole(self, limit: bytes | int | None) -> int:
        self.parts.append(limit)
        return len(self.parts)


@pytest.mark.parametrize(
    ("wish", "part", "truncated"),
    [
        (BodyPreference(MIME), None, None),
        (BodyPreference(MIME, len(FULL)), len(FULL), None),
        (BodyPreference(MIME, 50), 50, "1"),
        (BodyPreference(MIME, len(FULL), True), len(FULL), None),
    ],
)
async def test_mime_of_a_multipart_reply_is_not_fetched(
    wish: BodyPreference, part: int | None, truncated: str | None
) -> None:
    mailboxes, sink = MemoryMailboxes([FULL]), PartList()
    options = BodyOptions((wish,), mime_support=2)
    done = await render(
        mailboxes.port, "m", 7, [1], options, Version.V14_1, collection=COLLECTION, parts=sink
    )
    body = child(done[1].elements, AirSyncBase.Body)
    assert body.child_text(ItemOperations.Part) == "1"
    assert body.child_text(AirSyncBase.EstimatedDataSize) == str(len(FULL))
    assert body.child_text(AirSyncBase.Truncated) == truncated
    assert sink.parts == [part]
    assert not mailboxes.asked


class Poisoned(MemoryMailboxes):
    """The second message has something that the renderer cannot cope with."""

    broken: Mapping[str, object] = {}

    async def fetch(self, *arguments: object) -> dict[int, MessageData]:
        found = dict(await super().fetch(*arguments))  # type: ignore[arg-type]
        found[2] = dataclasses.replace(found[2], **self.broken)  # type: ignore[arg-type]
        return found


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        ({"structure": None}, "Re: AW: Plan"),
        ({"structure": BodyPart("1", "text", "plain", {"charset": 5}, size=5)}, "Re: AW: Plan"),  # type: ignore[dict-item]
        ({"structure": BodyPart("x:y", "image", "png", size=5)}, "Re: AW: Plan"),
        ({"header": None}, "(message could not be shown)"),
    ],
    ids=["structure", "body", "attachment", "header"],
)
async def test_a_poison_message_becomes_a_stub_and_holds_up_nobody(
    broken: dict[str, object], subject: str
) -> None:
    mailboxes = Poisoned([FULL] * 3)
    mailboxes.broken = broken
    done = await render(mailboxes.port, "m", 7, [1, 2, 3], AS_HTML, Version.V16_1, collection=COLLECTION)
    assert [one.poison is None for one in done.values()] == [True, False, True]
    stub: Rendered = done[2]
    assert "Plan" not in (stub.poison or "")
    assert value(stub.elements, Email.Subject) == subject
    assert "could not be converted" in body_data(stub.elements)
    check_form(stub.elements, BodyOptions(), Version.V16_1)


async def test_a_message_without_a_body_whose_header_breaks_too_says_both() -> None:
    class Unread(Poisoned):
        async def fetch_sections(self, *_: object) -> dict[SectionRequest, bytes]:
            return {}

    mailboxes = Unread([FULL] * 2)
    mailboxes.broken = {"header": "no octets"}
    done = await render(mailboxes.port, "m", 7, [1, 2], AS_HTML, Version.V16_1, collection=COLLECTION)
    alone, both = done[1].poison, done[2].poison
    assert done[2].unread
    assert alone
    assert both
    assert both.startswith(f"{alone}; ")
    assert "Error in " in both.removeprefix(alone)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from(
        ["text/plain", "text/html; charset=utf-7", "multipart/mixed; boundary=b", "message/rfc822"]
    ),
    st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode"]),
    st.binary(max_size=300),
    st.sampled_from(EVERYTHING),
)
async def test_arbitrary_messages_are_rendered(
    fields: bytes, content_type: str, encoding: str, content: bytes, options: BodyOptions
) -> None:
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n".encode()
    raw = head + b"Subject: " + fields + b"\r\nTo: " + fields + b"\r\n\r\n" + content
    got = await rendered(raw, options)
    check_form(got, options, Version.V16_1)
