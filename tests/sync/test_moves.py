"""Moves of a device: once, whatever is cut off, repeated or late, and no echo of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from gateway.app import SystemClock
from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.store.sqlite.state import SqliteState
from gateway.sync.keys import KeyUse
from gateway.sync.mail import MailReply, MailRequest, MailSync
from gateway.sync.moves import Message, Moved, MoveOutcome, Mover, Place
from gateway.types import FLAGGED, SEEN, CollectionId, DeviceId, MessageData, Uids, UserId
from tests.sync.model import Box, MemoryUpstream

ANN, PHONE = UserId("ann"), DeviceId("p")
INBOX, WORK = Place(CollectionId("1"), "INBOX"), Place(CollectionId("2"), "Work")
MOVED = MoveOutcome.DONE


class Silent(MemoryUpstream):
    """A server that does not tell where messages went."""

    async def move(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        return dict.fromkeys(await super().move(mailbox, uidvalidity, uids, target))


class Phone:
    """Holds what it was told of two collections, and what it moved itself."""

    def __init__(self, state: SqliteState, upstream: MemoryUpstream) -> None:
        self._state = state
        self._upstream = upstream
        self.mover = Mover(state, upstream.port, SystemClock(), ANN, PHONE)
        self.keys = {INBOX: "0", WORK: "0"}
        self.items: dict[Place, dict[Message, frozenset[str]]] = {INBOX: {}, WORK: {}}

    async def ask(self, place: Place) -> MailReply:
        sync = MailSync(
            self._state,
            self._upstream.port,
            user=ANN,
            device=PHONE,
            collection=place.collection,
            mailbox=place.mailbox,
            trash=None,
            release="1",
            clock=SystemClock(),
        )
        return await sync.run(MailRequest(self.keys[place], limit=2))

    def apply(self, place: Place, reply: MailReply) -> list[str]:
        """Make the changes; returns what kinds there were."""
        assert reply.use is not KeyUse.UNKNOWN
        self.keys[place] = reply.key
        validity, told, items = reply.after.uidvalidity, reply.told, self.items[place]
        for former, uids in told.former:
            for uid in uids:
                items.pop((former, uid), None)
        for uid in (*told.removed, *told.aged):
            items.pop((validity, uid), None)
        for uid in told.added:
            assert (validity, uid) not in items, "the same message twice"
        for uid in (*told.added, *told.changed, *told.renewed):
            if uid in told.added or (validity, uid) in items:  # changes of what it has not it passes over
                items[validity, uid] = reply.after.flags_of(uid)
        kinds = ("added", "changed", "removed", "former", "renewed")
        return [kind for kind in kinds if getattr(told, kind)]

    async def sync(self, *places: Place) -> list[str]:
        """Sync until there is nothing more; returns what kinds of changes there were."""
        kinds: list[str] = []
        for place in places or (INBOX, WORK):
            for _ in range(50):
                reply = await self.ask(place)
                kinds += self.apply(place, reply)
                if reply.silent:
                    break
            else:
                raise AssertionError("never quiet")
        return kinds

    def begin_anew(self, place: Place) -> None:
        self.keys[place], self.items[place] = "0", {}

    async def move(self, *uids: int) -> Mapping[Message, Moved]:
        """Ask for a move without hearing the answer."""
        return await self.mover.move(INBOX, WORK, [(1, uid) for uid in uids])

    def hear(self, answers: Mapping[Message, Moved]) -> None:
        for message, moved in answers.items():
            held = self.items[INBOX].pop(message, None)
            if moved.uid and held is not None:
                self.items[WORK].setdefault((moved.uidvalidity, moved.uid), held)

    def agrees(self) -> None:
        for place, items in self.items.items():
            box = self._upstream.boxes[place.mailbox]
            assert items == {(box.uidvalidity, uid): frozenset(flags) for uid, flags in box.flags.items()}


@pytest.fixture(params=[MemoryUpstream, Silent])
def upstream(request: pytest.FixtureRequest) -> MemoryUpstream:
    made: MemoryUpstream = request.param(INBOX=Box(), Work=Box(uidvalidity=7, next_uid=40))
    for flags in ((), (SEEN,), (FLAGGED,), ()):
        made.boxes["INBOX"].deliver(*flags)
    return made


@pytest.fixture
async def phone(state: SqliteState, upstream: MemoryUpstream) -> Phone:
    made = Phone(state, upstream)
    await made.sync()
    return made


async def test_a_move_is_not_echoed(phone: Phone) -> None:
    answers = await phone.move(1, 2)
    assert answers == {(1, 1): Moved(MOVED, 7, 40), (1, 2): Moved(MOVED, 7, 41)}
    phone.hear(answers)
    assert await phone.sync() == []
    phone.agrees()


async def test_a_message_the_server_cannot_show_can_be_moved(
    phone: Phone, upstream: MemoryUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = upstream.fetch

    async def without_second(*asked: Any) -> Mapping[int, MessageData]:
        return {uid: message for uid, message in (await fetch(*asked)).items() if uid != 2}

    monkeypatch.setattr(upstream, "fetch", without_second)
    answers = await phone.move(1, 2)
    assert {message for message, moved in answers.items() if moved.outcome is MOVED} == {(1, 1), (1, 2)}
    assert sorted(upstream.boxes["INBOX"].flags) == [3, 4]


async def test_a_repeat_has_the_same_answer_and_moves_nothing(phone: Phone, upstream: MemoryUpstream) -> None:
    first = await phone.move(1, 3)
    assert await phone.move(1, 3) == first
    again = await phone.move(1, 2, 3)
    assert {message: again[message] for message in first} == first
    assert sorted(upstream.boxes["Work"].flags) == [40, 41, 42]
    phone.hear(again)
    await phone.sync()
    phone.agrees()


@pytest.mark.parametrize("half", [False, True], ids=["after-move", "after-copy"])
async def test_a_move_that_was_cut_off_is_found_again(
    phone: Phone, upstream: MemoryUpstream, *, half: bool
) -> None:
    upstream.half_a_move, upstream.fail_after = half, None if half else 1
    with pytest.raises(UpstreamUnavailable):
        await phone.move(1, 2)
    upstream.boxes["Work"].deliver(header=b"Subject: another\r\n\r\n")
    answers = await phone.move(1, 2)
    assert {moved.uid for moved in answers.values()} == {40, 41}
    assert sorted(upstream.boxes["INBOX"].flags) == [3, 4]
    assert sorted(upstream.boxes["Work"].flags) == [40, 41, 42]
    phone.hear(answers)
    await phone.sync()
    phone.agrees()


async def test_a_sync_between_a_crash_and_the_repeat(phone: Phone, upstream: MemoryUpstream) -> None:
    upstream.fail_after = 1
    with pytest.raises(UpstreamUnavailable):
        await phone.move(1, 2)
    assert "added" in await phone.sync()
    phone.hear(await phone.move(1, 2))
    assert await phone.sync() == []
    phone.agrees()


async def test_what_is_gone_by_the_time_of_a_repeat_is_told_as_gone(
    phone: Phone, upstream: MemoryUpstream
) -> None:
    await phone.move(1, 2)  # nobody hears the answer
    upstream.boxes["Work"].remove(40)
    await phone.sync()
    phone.hear(await phone.move(1, 2))
    await phone.sync()
    phone.agrees()


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("flags", [(SEEN,), (FLAGGED, SEEN)])
async def test_changes_told_before_a_lost_answer_was_repeated_are_told_again(
    phone: Phone, upstream: MemoryUpstream, times: int, flags: tuple[str, ...]
) -> None:
    work = upstream.boxes["Work"]
    answers = await phone.move(1, 2)
    for number in range(times):
        for flag in flags:
            work.mark(40, flag, on=number % 2 == 0)
        assert await phone.sync(WORK) == ["changed" if number == 0 else "renewed"]
        answers = await phone.move(1, 2)
    phone.hear(answers)
    # After the second time it has the flags it took along.
    assert await phone.sync() == (["renewed"] if times == 1 else [])
    phone.agrees()


async def test_a_change_told_with_a_lost_answer_is_told_again(phone: Phone, upstream: MemoryUpstream) -> None:
    await phone.move(1, 2)
    upstream.boxes["Work"].mark(40, FLAGGED, on=True)
    assert (await phone.ask(WORK)).told.changed == Uids((40,))  # lost
    phone.hear(await phone.move(1, 2))
    assert "changed" in phone.apply(WORK, await phone.ask(WORK))
    await phone.sync()
    phone.agrees()


async def test_a_late_copy_of_a_request_leaves_what_the_device_was_told_since(
    phone: Phone, upstream: MemoryUpstream
) -> None:
    work = upstream.boxes["Work"]
    phone.hear(await phone.move(1))
    work.mark(40, FLAGGED, on=True)
    await phone.sync()
    await phone.move(1)  # nobody hears that
    work.mark(40, FLAGGED, on=False)
    await phone.sync()
    phone.agrees()


async def test_flags_nobody_was_sure_of_are_told_after_each_repeat(
    phone: Phone, upstream: MemoryUpstream
) -> None:
    upstream.boxes["INBOX"].mark(1, SEEN, on=True)
    await phone.ask(INBOX)  # lost
    await phone.move(1)  # lost
    assert await phone.sync(WORK) == ["renewed"]
    phone.hear(await phone.move(1))
    assert await phone.sync(WORK) == ["renewed"]
    phone.agrees()


async def test_annotations_told_before_a_lost_answer_was_repeated_are_told_again(
    phone: Phone, state: SqliteState
) -> None:
    await phone.move(1, 2)
    await state.save_annotations(ANN, WORK.collection, 7, {40: {"flag": b"details"}})
    assert await phone.sync(WORK) == ["changed"]
    phone.hear(await phone.move(1, 2))
    reply = await phone.ask(WORK)
    assert (reply.told.renewed, reply.told.changed) == (Uids((40,)), Uids())


async def test_a_sync_with_other_flags_between_a_crash_and_the_repeat(
    phone: Phone, upstream: MemoryUpstream
) -> None:
    upstream.fail_after = 1
    with pytest.raises(UpstreamUnavailable):
        await phone.move(1)
    upstream.boxes["Work"].mark(40, FLAGGED, on=True)
    assert await phone.sync(WORK) == ["added"]
    # A device may give its own copy the name it is answered, with the flags that copy has.
    phone.items[WORK].clear()
    phone.hear(await phone.move(1))
    assert await phone.sync(WORK) == ["renewed"]
    await phone.sync()
    phone.agrees()


async def test_a_late_copy_hides_nothing_from_a_device_that_began_anew(phone: Phone) -> None:
    phone.hear(await phone.move(1, 2))
    phone.begin_anew(WORK)
    phone.apply(WORK, await phone.ask(WORK))
    await phone.move(1, 2)  # a late copy: nobody hears the answer
    await phone.sync()
    phone.agrees()


async def test_a_repeat_after_a_new_beginning_is_no_message_twice(phone: Phone) -> None:
    answers = await phone.move(1, 2)  # lost
    phone.begin_anew(WORK)
    phone.apply(WORK, await phone.ask(WORK))
    assert await phone.move(1, 2) == answers
    phone.hear(answers)
    await phone.sync()
    phone.agrees()


@pytest.mark.parametrize("heard", [True, False])
async def test_a_move_to_where_no_mailbox_was_yet(
    state: SqliteState, upstream: MemoryUpstream, *, heard: bool
) -> None:
    phone = Phone(state, upstream)
    place = Place(WORK.collection, "")
    phone.keys[place] = "0"
    for _ in range(2):
        phone.keys[place] = (await phone.ask(place)).key
    phone.keys[WORK] = phone.keys.pop(place)
    await phone.sync(INBOX)
    first = await phone.move(1, 2)
    phone.hear(first if heard else await phone.move(1, 2))
    assert await phone.sync() == []
    phone.agrees()


async def test_a_move_cut_off_before_the_mailbox_became_another_one(
    phone: Phone, upstream: MemoryUpstream
) -> None:
    upstream.half_a_move = True
    with pytest.raises(UpstreamUnavailable):
        await phone.move(1)
    upstream.boxes["Work"] = Box(uidvalidity=8)
    answers = await phone.move(1)
    assert answers == {(1, 1): Moved(MOVED, 8, 1)}
    phone.hear(answers)
    await phone.sync()
    phone.agrees()


@pytest.mark.parametrize("known", [True, False])
async def test_a_move_to_another_mailbox_of_that_name(
    phone: Phone, upstream: MemoryUpstream, *, known: bool
) -> None:
    phone.hear(await phone.move(1))
    again = Box(uidvalidity=8)
    again.deliver(header=b"Subject: another\r\n\r\n")
    upstream.boxes["Work"] = again
    if known:
        await phone.sync()
    phone.hear(await phone.move(2))
    kinds = await phone.sync()
    assert "former" in kinds or known
    phone.agrees()


async def test_a_repeat_after_the_mailbox_became_another_one(phone: Phone, upstream: MemoryUpstream) -> None:
    lost = await phone.move(1)
    upstream.boxes["Work"] = Box(uidvalidity=8)
    await phone.sync(WORK)
    again = await phone.move(1)
    assert again == lost
    phone.hear(again)
    await phone.sync()
    phone.agrees()


@pytest.mark.parametrize("removed", [False, True])
async def test_a_move_to_where_nothing_was_told_yet(
    state: SqliteState, upstream: MemoryUpstream, *, removed: bool
) -> None:
    phone = Phone(state, upstream)
    await phone.sync(INBOX)
    phone.apply(WORK, await phone.ask(WORK))
    upstream.boxes["Work"].deliver(header=b"Subject: another\r\n\r\n")
    phone.hear(await phone.move(1))
    if removed:
        upstream.boxes["Work"].remove(41)
    await phone.sync()
    phone.agrees()


async def test_a_move_into_a_new_beginning(phone: Phone, upstream: MemoryUpstream) -> None:
    phone.begin_anew(WORK)
    phone.apply(WORK, await phone.ask(WORK))
    phone.hear(await phone.move(1))
    upstream.boxes["Work"].mark(40, SEEN, on=True)
    assert "added" not in await phone.sync()
    phone.agrees()


async def test_marks_the_device_may_not_have_heard_of_are_told_again(
    phone: Phone, upstream: MemoryUpstream
) -> None:
    upstream.boxes["INBOX"].mark(1, SEEN, on=True)
    await phone.ask(INBOX)  # the answer is lost
    phone.hear(await phone.move(1))
    await phone.sync()
    phone.agrees()


@pytest.mark.parametrize(("code", "outcome"), [("NOPERM", MoveOutcome.REFUSED), ("INUSE", MoveOutcome.LATER)])
async def test_what_a_server_refuses_stays(
    phone: Phone,
    upstream: MemoryUpstream,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    outcome: MoveOutcome,
) -> None:
    async def refuse(*_: object) -> Mapping[int, int | None]:
        raise UpstreamRefused("no", code)

    monkeypatch.setattr(upstream, "move", refuse)
    assert await phone.move(1, 9) == {(1, 1): Moved(outcome), (1, 9): Moved(MoveOutcome.NOT_FOUND)}
    del upstream.boxes["Work"]
    assert await phone.move(1) == {(1, 1): Moved(MoveOutcome.NO_TARGET)}
    assert sorted(upstream.boxes["INBOX"].flags) == [1, 2, 3, 4]
    await phone.sync(INBOX)


async def test_a_server_that_says_ok_and_moved_nothing(
    phone: Phone, upstream: MemoryUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = type(upstream).move

    async def too_late(
        self: MemoryUpstream, mailbox: str, uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        asked = list(uids)
        self.boxes["INBOX"].remove(1)  # another mail program takes it away in this very moment
        told = dict(await move(self, mailbox, uidvalidity, asked, target))
        return dict.fromkeys(asked) if isinstance(self, Silent) else told

    monkeypatch.setattr(type(upstream), "move", too_late)
    answers = await phone.move(1, 2)
    assert answers == {(1, 1): Moved(MoveOutcome.NOT_FOUND), (1, 2): Moved(MOVED, 7, 40)}
    phone.hear({message: moved for message, moved in answers.items() if moved.outcome is MOVED})
    assert await phone.sync() == ["removed"]
    phone.agrees()


async def test_annotations_go_along(phone: Phone, state: SqliteState) -> None:
    await state.save_annotations(ANN, INBOX.collection, 1, {1: {"flag": b"details"}})
    await phone.move(1)
    kept = await state.load_annotations(ANN, WORK.collection, 7, [40])
    assert kept == {40: {"flag": b"details"}}


async def test_a_device_hears_after_a_move_what_was_taken_away_before_it(
    phone: Phone, state: SqliteState
) -> None:
    await state.save_annotations(ANN, INBOX.collection, 1, {1: {"flag": b"details"}})
    assert await phone.sync() == ["changed"]
    await state.save_annotations(ANN, INBOX.collection, 1, {1: {"flag": None}})
    phone.hear(await phone.move(1))
    reply = await phone.ask(WORK)
    assert reply.told.noted == {"flag": Uids((40,))}
