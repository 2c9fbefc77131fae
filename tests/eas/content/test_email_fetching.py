"""Mail on the wire: what is fetched of messages, in which batches, and how much of them a reply holds."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import pytest

from gateway.eas.content import email as module
from gateway.eas.content.email import Rendered, Room, prepare, render
from gateway.eas.content.preferences import HTML, MIME, PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.sync.background import compute
from gateway.types import (
    SEEN,
)
from tests.eas.content.mailshown import (
    AS_HTML,
    AS_MIME,
    AS_PLAIN,
    COLLECTION,
    FULL,
    body_data,
    child,
    rendered,
    value,
)
from tests.support.mailboxes import MemoryMailboxes
from wbxml.pages import AirSyncBase, Email, ItemOperations


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
