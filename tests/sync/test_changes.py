"""Changes of flags and categories through MailSync: what the server cannot keep is kept beside it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gateway.app import SystemClock
from gateway.eas.content.marks import Marks
from gateway.errors import UpstreamUnavailable
from gateway.store.sqlite.state import SqliteState
from gateway.sync.annotations import FlagStatus, FollowUp
from gateway.sync.changes import Change, Outcome
from gateway.sync.mail import MailReply, MailRequest, MailSync
from gateway.types import FLAGGED, SEEN, CollectionId, DeviceId, UserId
from tests.sync.model import Box, MemoryUpstream

ANN, INBOX = UserId("ann"), CollectionId("1")
KIND = {"FlagType": "later"}
TODAY = FollowUp(FlagStatus.ACTIVE, {**KIND, "Subject": "today"})


class Device:
    """A device that takes what it is told of marks."""

    def __init__(self, state: SqliteState, upstream: MemoryUpstream, name: str) -> None:
        self.state = state
        self.sync = MailSync(
            state,
            upstream.port,
            user=ANN,
            device=DeviceId(name),
            collection=INBOX,
            mailbox="INBOX",
            trash=None,
            release="1",
            clock=SystemClock(),
        )
        self.key = "0"
        self.marks: dict[int, Marks] = {}
        self.told: list[int] = []

    async def begin(self) -> None:
        for _ in range(2):
            self.take(await self.ask())
        await self.look(self.marks)

    async def ask(self, *changes: Change, **asked: object) -> MailReply:
        return await self.sync.run(MailRequest(self.key, changes, **asked))  # type: ignore[arg-type]

    def take(self, reply: MailReply) -> MailReply:
        self.key = reply.key
        self.told = [*reply.told.changed, *reply.told.added]
        self.reply = reply
        return reply

    async def run(self, *changes: Change) -> list[int]:
        """A request; returns which messages the device was told of."""
        self.take(await self.ask(*changes))
        await self.look(self.told)
        return self.told

    async def look(self, uids: object) -> None:
        known = await self.state.load_annotations(ANN, INBOX, 1, self.told)
        for uid in self.told:
            self.marks[uid] = Marks.of(self.reply.after.flags_of(uid), known.get(uid, {}))


def sorting(uid: int, *names: str) -> Change:
    return Change(1, uid, categories=frozenset(names))


def flagging(uid: int, flag: FollowUp) -> Change:
    return Change(1, uid, flagged=flag.active, flag=flag)


@pytest.fixture
def upstream() -> MemoryUpstream:
    inbox = Box()
    inbox.deliver()
    inbox.deliver()
    return MemoryUpstream(INBOX=inbox)


@pytest.fixture
async def devices(state: SqliteState, upstream: MemoryUpstream) -> tuple[Device, Device]:
    pair = Device(state, upstream, "one"), Device(state, upstream, "two")
    for device in pair:
        await device.begin()
    return pair


def flags(upstream: MemoryUpstream) -> Mapping[int, set[str]]:
    return upstream.boxes["INBOX"].flags


Pair = tuple[Device, Device]


async def test_categories_become_keywords_where_they_can(devices: Pair, upstream: MemoryUpstream) -> None:
    one, two = devices
    assert await one.run(sorting(1, "Red", "work", "x" * 99), sorting(2, "work")) == []
    assert flags(upstream) == {1: {"cat-^red-", "work"}, 2: {"work"}}
    assert await one.run() == []
    assert await two.run() == [1, 2]
    assert two.marks[1].categories == {"Red", "work", "x" * 99}
    assert two.marks[2].categories == {"work"}
    assert await two.run() == []
    assert await two.run(sorting(1)) == []
    assert flags(upstream)[1] == set()
    assert await one.run() == [1]
    assert one.marks[1].categories == frozenset()


async def test_a_server_without_new_keywords(devices: Pair, upstream: MemoryUpstream) -> None:
    one, two = devices
    upstream.boxes["INBOX"].mark(2, "there", on=True)
    upstream.new_keywords = False
    for device in devices:
        assert await device.run() == [2]
    await one.run(sorting(1, "there", "not"))
    assert flags(upstream)[1] == {"there"}
    await one.run()
    assert await one.run() == []
    assert await two.run() == [1]
    assert two.marks[1].categories == {"there", "not"}


async def test_a_server_that_refuses_a_keyword(devices: Pair, upstream: MemoryUpstream) -> None:
    one, two = devices
    upstream.refused = {"full"}
    assert (await one.ask(sorting(1, "full"))).outcomes == [Outcome.DONE]
    assert await two.run() == [1]
    assert two.marks[1].categories == {"full"}


async def test_keywords_of_a_mailbox_are_bounded(devices: Pair, upstream: MemoryUpstream) -> None:
    one, two = devices
    names = [f"c{number}" for number in range(200)]
    await one.run(sorting(1, *names))
    assert len(flags(upstream)[1]) == 80
    assert await one.run() == []
    await two.run()
    assert two.marks[1].categories == set(names)


async def test_details_alone_are_told_though_the_mailbox_is_unchanged(
    devices: Pair, upstream: MemoryUpstream
) -> None:
    one, two = devices
    await one.run(flagging(1, FollowUp(FlagStatus.ACTIVE, KIND)))
    await two.run()
    before = upstream.boxes["INBOX"].modseq
    assert await one.run(flagging(1, TODAY)) == []
    assert upstream.boxes["INBOX"].modseq == before
    assert await one.run() == []
    assert await two.run() == [1]
    assert two.marks[1].follow_up == TODAY
    assert await two.run() == []


async def test_a_lost_reply_with_details_is_told_again_and_then_no_more(devices: Pair) -> None:
    one, two = devices
    await one.run(flagging(1, FollowUp(FlagStatus.ACTIVE, KIND)))
    await two.run()
    await one.run(flagging(1, TODAY))
    lost = await two.ask()
    again = await two.ask()
    assert lost.told == again.told
    two.take(again)
    assert two.told == [1]
    assert await two.run() == []


async def test_a_window_is_no_wider_for_annotations(devices: Pair) -> None:
    one, two = devices
    await one.run(flagging(1, TODAY), flagging(2, TODAY))
    seen: list[int] = []
    for _ in range(2):
        reply = two.take(await two.ask(limit=1))
        assert len(reply.told) == 1
        seen += reply.told.changed
    assert sorted(seen) == [1, 2]
    assert await two.run() == []


@pytest.mark.parametrize("cut", [1, 2, 3])
async def test_cut_off_on_the_way_and_repeated(devices: Pair, upstream: MemoryUpstream, cut: int) -> None:
    one, two = devices
    changes = (flagging(1, TODAY), sorting(1, "Red"), flagging(2, TODAY), sorting(2, "blue"))
    upstream.fail_after = cut
    with pytest.raises(UpstreamUnavailable):
        await one.ask(*changes)
    upstream.fail_after = None
    assert await one.run(*changes) == []
    assert await one.run() == []
    assert await two.run() == [1, 2]
    assert [two.marks[uid].follow_up for uid in (1, 2)] == [TODAY, TODAY]
    assert [two.marks[uid].categories for uid in (1, 2)] == [{"Red"}, {"blue"}]


async def test_both_devices_at_once_end_alike(devices: Pair) -> None:
    one, two = devices
    later = FollowUp(FlagStatus.ACTIVE, {**KIND, "Subject": "tomorrow"})
    await one.run(flagging(1, TODAY), sorting(1, "Red"))
    assert await two.run(flagging(1, later), sorting(1, "blue")) == [1]
    assert await one.run() == [1]
    for device in devices:
        await device.run()
        assert device.marks[1].follow_up == later
        assert device.marks[1].categories == {"blue"}
        assert await device.run() == []


@pytest.mark.parametrize("lost", [False, True])
async def test_what_another_program_did_a_moment_ago_is_compared_with(
    devices: Pair, upstream: MemoryUpstream, *, lost: bool
) -> None:
    """A view may show its flags late, but not to an operation."""
    one, two = devices
    if lost:
        await one.ask(sorting(2, "Red"))
    upstream.late = {uid: set(flags) for uid, flags in flags(upstream).items()}
    for flag in (FLAGGED, SEEN, "blue"):
        upstream.boxes["INBOX"].mark(1, flag, on=True)
    assert await two.run() == ([2] if lost else [])
    unmarked = Change(1, 1, read=False, flagged=False, categories=frozenset())
    repeated = (sorting(2, "Red"),) if lost else ()
    assert await one.run(unmarked, *repeated) == []
    assert flags(upstream)[1] == set()
    await one.run()
    for device in devices:
        assert await device.run() == []


async def test_a_flag_needs_its_kind_to_be_set(devices: Pair, upstream: MemoryUpstream) -> None:
    one, _ = devices
    bare = FollowUp(FlagStatus.ACTIVE, {"Subject": "today"})
    assert (await one.ask(flagging(1, bare))).outcomes == [Outcome.INVALID]
    assert FLAGGED not in flags(upstream)[1]


async def test_no_news_costs_no_reading_of_annotations(
    devices: Pair, state: SqliteState, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = devices
    await one.run(flagging(1, TODAY))
    for device in devices:
        await device.run()
        await device.run()
    asked: list[str] = []
    for name in ("changed_annotations", "load_annotations", "save_annotations", "save_sync"):
        monkeypatch.setattr(state, name, lambda *_, name=name, **__: asked.append(name))
    for device in devices:
        assert (await device.ask()).silent
    assert asked == []


@pytest.mark.parametrize("later", [False, True])
async def test_a_repeated_request_is_answered_alike_and_tells_a_device_nothing_of_its_own(
    devices: Pair, upstream: MemoryUpstream, later: bool
) -> None:
    """Also when the changes came with the repeat only, and what of them is kept here and not upstream."""
    one, two = devices
    upstream.new_keywords = False
    changes = [sorting(1, "Red", "a b"), flagging(2, TODAY)]
    if later:
        await one.ask(Change(1, 1, read=True))
        changes.insert(0, Change(1, 1, read=True))
    replies = [await one.ask(*changes) for _ in range(3)]
    assert {reply.key for reply in replies} == {replies[0].key}
    assert [len(reply.told) for reply in replies] == [0, 0, 0]
    one.take(replies[2])
    assert await one.run() == []
    await two.run()
    assert (two.marks[1].categories, two.marks[2].follow_up) == (frozenset({"Red", "a b"}), TODAY)
