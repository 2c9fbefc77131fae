"""MailSync: whatever is lost, repeated or cut off, the device ends with what the mailbox holds."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import NotFound
from gateway.store.sqlite.state import SqliteState
from gateway.sync.changes import Change, Outcome
from gateway.sync.keys import KeyUse
from gateway.sync.operations import Delete, Operation
from gateway.types import FLAGGED, SEEN, CollectionId, DeviceId, UserId
from tests.sync.mailphone import Phone, contents
from tests.sync.model import EPOCH, MemoryUpstream


async def test_an_initial_sync_in_windows(state: SqliteState, upstream: MemoryUpstream) -> None:
    inbox = upstream.boxes["INBOX"]
    for _ in range(25):
        inbox.deliver()
    phone = Phone(state, upstream, "p")
    phone.apply(await phone.ask())
    first = await phone.ask(limit=10)
    assert list(first.told.added) == list(range(16, 26))
    assert first.more
    phone.apply(first)
    await phone.settle(limit=10)
    assert phone.items == contents(inbox)


async def test_a_lost_reply_is_given_again_under_the_same_key(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    phone = Phone(state, upstream, "p")
    phone.apply(await phone.ask())
    lost = await phone.ask()
    inbox.deliver()
    again = await phone.ask()
    assert (again.use, again.key) == (KeyUse.REPLAY, lost.key)
    assert list(again.told.added) == list(lost.told.added) == [1]
    phone.apply(again)
    await phone.settle()
    assert phone.items == contents(inbox)


async def test_a_repeated_operation_has_the_same_outcome(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    for _ in range(3):
        inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    operations: list[Operation] = [
        Delete(1, 1),
        Change(1, 2, read=True),
        Delete(1, 99),
        Change(7, 3, read=True),
    ]
    lost = await phone.ask(operations=operations)
    expected = [Outcome.DONE, Outcome.DONE, Outcome.NOT_FOUND, Outcome.NOT_FOUND]
    assert lost.outcomes == expected
    again = await phone.ask(operations=operations)
    assert again.outcomes == expected
    assert len(upstream.boxes["Trash"].flags) == 1
    for operation in operations:
        phone.act(operation)
    phone.apply(again)
    await phone.settle()
    assert phone.items == contents(inbox)


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("succeeding", [False, True])
async def test_what_was_refused_belongs_to_a_request_that_is_repeated(
    state: SqliteState,
    upstream: MemoryUpstream,
    monkeypatch: pytest.MonkeyPatch,
    succeeding: bool,
    dies: bool,
) -> None:
    """The same answer and the same key each time, also when the first attempt died before it was stored."""
    inbox = upstream.boxes["INBOX"]
    for _ in range(4):
        inbox.deliver()
    upstream.refused.add(FLAGGED)
    phone = Phone(state, upstream, "p")
    await phone.settle()
    inbox.deliver()
    operations: list[Operation] = [Delete(1, 99), Change(7, 3, read=True), Change(1, 4, flagged=True)]
    if succeeding:
        operations += [Change(1, 2, read=True), Delete(1, 1)]

    async def dying(*_: object, **__: object) -> None:
        raise ConnectionError

    if dies:
        with monkeypatch.context() as patched:
            patched.setattr(state, "save_sync", dying)
            with pytest.raises(ConnectionError):
                await phone.ask(operations=operations)
    replies = [await phone.ask(operations=operations) for _ in range(3)]
    refused = [Outcome.NOT_FOUND, Outcome.NOT_FOUND, Outcome.REFUSED]
    for reply in replies:
        assert reply.outcomes == refused + [Outcome.DONE] * (len(operations) - 3)
        assert (reply.key, reply.told, reply.more) == (replies[0].key, replies[0].told, replies[0].more)
    assert [reply.use for reply in replies] == [KeyUse.CURRENT, KeyUse.REPLAY, KeyUse.REPLAY]
    for operation in operations:
        phone.act(operation)
    phone.apply(replies[-1])
    await phone.settle()
    assert phone.resets == 0
    assert phone.items == contents(inbox)


async def test_a_retry_may_carry_more_operations(state: SqliteState, upstream: MemoryUpstream) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    await phone.ask(operations=[Delete(1, 1)])
    more: list[Operation] = [Delete(1, 1), Change(1, 2, flagged=True)]
    reply = await phone.ask(operations=more)
    assert reply.outcomes == [Outcome.DONE, Outcome.DONE]
    for operation in more:
        phone.act(operation)
    phone.apply(reply)
    await phone.settle()
    assert phone.items == contents(inbox) == {(1, 2): frozenset({FLAGGED})}


@pytest.mark.parametrize("heard", [False, True])
async def test_another_answer_to_a_repeated_request_has_a_key_of_its_own(
    state: SqliteState, upstream: MemoryUpstream, heard: bool
) -> None:
    """A late copy of a mark that its user took back, or a repeat with one more: the next key tells."""
    inbox = upstream.boxes["INBOX"]
    for _ in range(3):
        inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    first: list[Operation] = [Change(1, 1, flagged=True)]
    more = [*first, Change(1, 2, read=True), Delete(1, 3)]
    answer = await phone.ask(operations=first)
    other = await phone.ask(operations=more)
    assert (await phone.ask(operations=more)).key == other.key
    assert (await phone.ask(operations=first)).key == answer.key
    for operation in more if heard else first:
        phone.act(operation)
    phone.apply(other if heard else answer)
    await phone.settle()
    assert phone.resets == 0
    assert phone.items == contents(inbox) == {(1, 1): frozenset({FLAGGED}), (1, 2): frozenset({SEEN})}


async def test_a_mark_set_again_after_it_was_cleared_is_no_repetition(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    first: list[Operation] = [Change(1, 1, read=True), Change(1, 1, read=False)]
    await phone.ask(operations=first)
    more = [*first, Change(1, 1, read=True)]
    lost = await phone.ask(operations=more)
    again = await phone.ask(operations=more)
    assert again.outcomes == lost.outcomes
    assert inbox.flags[1] == {SEEN}
    for operation in more:
        phone.act(operation)
    phone.apply(again)
    await phone.settle()
    assert phone.items == contents(inbox) == {(1, 1): frozenset({SEEN})}


async def test_an_own_change_does_not_come_back_but_others_hear_of_it(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    upstream.boxes["INBOX"].deliver()
    one, two = Phone(state, upstream, "one"), Phone(state, upstream, "two")
    await one.settle()
    await two.settle()
    reply = await one.ask(operations=[Change(1, 1, read=True)])
    assert not len(reply.told)
    heard = await two.ask()
    assert list(heard.told.changed) == [1]
    assert heard.after.flags_of(1) == {SEEN}


async def test_stubs_are_told_again_once_by_another_release(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    for _ in range(3):
        inbox.deliver()
    old = Phone(state, upstream, "p")
    await old.settle()
    user, collection = UserId("ann"), CollectionId("1")
    for item in ("1.2", "1.3", "7.1"):
        await state.note_poison(user, collection, item, "1", "reason")
    assert (await old.ask()).silent
    new = Phone(state, upstream, "p", release="2")
    new.key, new.items = old.key, old.items
    inbox.mark(3, SEEN, on=True)
    lost = await new.ask()
    again = await new.ask()
    assert list(lost.told.renewed) == list(again.told.renewed) == [2, 3]
    assert not lost.told.changed
    new.apply(again)
    assert new.items == contents(inbox)
    assert (await new.ask()).silent
    await state.note_poison(user, collection, "1.2", "2", "still")
    third = Phone(state, upstream, "p", release="3")
    third.key, third.items = new.key, new.items
    assert list((await third.ask()).told.renewed) == [2, 3]


async def test_key_zero_twice_has_two_good_answers(state: SqliteState, upstream: MemoryUpstream) -> None:
    phone, other = Phone(state, upstream, "p"), Phone(state, upstream, "p")
    first, second = await phone.ask(), await phone.ask()
    other.apply(first)
    phone.apply(second)
    await other.settle()
    await phone.settle()
    assert (other.resets, phone.resets) == (0, 0)


async def test_a_late_key_zero_takes_nothing_away(state: SqliteState, upstream: MemoryUpstream) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    phone, late = Phone(state, upstream, "p"), Phone(state, upstream, "p")
    await phone.settle()
    await late.ask(options=b"late")
    inbox.deliver()
    await phone.settle()
    assert phone.items == contents(inbox)
    assert phone.resets == 0
    assert (await phone.ask()).options == b""


async def test_a_new_beginning_holds_once_its_key_is_used(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    old, new = Phone(state, upstream, "p"), Phone(state, upstream, "p")
    await old.settle()
    first = await new.ask(options=b"new")
    await new.ask(options=b"newer")
    assert (await old.ask()).use is KeyUse.CURRENT
    new.apply(first)
    lost = await new.ask()
    assert (lost.use, lost.options, list(lost.told.added)) == (KeyUse.CURRENT, b"new", [1])
    assert (await old.ask()).use is KeyUse.UNKNOWN
    repeated = await new.ask()
    assert (repeated.use, repeated.key) == (KeyUse.REPLAY, lost.key)
    new.apply(repeated)
    await new.settle()
    assert new.items == contents(inbox)


async def test_a_mailbox_that_is_gone_leaves_the_state_alone(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    phone = Phone(state, upstream, "p")
    await phone.settle()
    del upstream.boxes["INBOX"]
    with pytest.raises(NotFound):
        await phone.ask()
    fresh = Phone(state, upstream, "q")
    with pytest.raises(NotFound):
        await fresh.ask()
    assert await state.load_sync(UserId("ann"), DeviceId("q"), CollectionId("1")) is None


async def test_the_filter_window_moves(state: SqliteState, upstream: MemoryUpstream) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver(date=EPOCH)
    inbox.deliver(date=EPOCH + timedelta(days=2))
    phone = Phone(state, upstream, "p")
    await phone.settle(since=lambda _: EPOCH)
    assert len(phone.items) == 2
    reply = await phone.ask(since=lambda _: EPOCH + timedelta(days=1))
    assert list(reply.told.aged) == [1]
    phone.apply(reply)
    reply = await phone.ask(since=lambda _: None)
    assert list(reply.told.added) == [1]


async def test_nothing_new_writes_nothing(state: SqliteState, upstream: MemoryUpstream) -> None:
    upstream.boxes["INBOX"].deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    before = await state.load_sync(UserId("ann"), DeviceId("p"), CollectionId("1"))
    reply = await phone.ask()
    assert reply.silent
    assert reply.key == phone.key
    assert await state.load_sync(UserId("ann"), DeviceId("p"), CollectionId("1")) == before


async def test_changes_not_asked_for_stay_pending(state: SqliteState, upstream: MemoryUpstream) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    inbox.deliver()
    reply = await phone.ask(operations=[Change(1, 1, read=True)], get_changes=False)
    assert not len(reply.told)
    assert not reply.more
    phone.act(Change(1, 1, read=True))
    phone.apply(reply)
    await phone.settle()
    assert phone.items == contents(inbox)


async def test_the_same_request_twice_at_once_has_one_effect(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    upstream.boxes["INBOX"].deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    first, second = await asyncio.gather(
        phone.ask(operations=[Delete(1, 1)]), phone.ask(operations=[Delete(1, 1)])
    )
    assert first.key == second.key
    assert first.outcomes == second.outcomes == [Outcome.DONE]
    assert len(upstream.boxes["Trash"].flags) == 1
