"""MailSync: whatever is lost, repeated or cut off, the device ends with what the mailbox holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.app import SystemClock
from gateway.errors import NotFound, UpstreamUnavailable
from gateway.store.sqlite.state import SqliteState
from gateway.sync.changes import Change, Outcome
from gateway.sync.keys import KeyUse
from gateway.sync.mail import MailReply, MailRequest, MailSync
from gateway.sync.operations import Delete, Operation
from gateway.types import FLAGGED, SEEN, CollectionId, DeviceId, UserId
from tests.sync.model import EPOCH, Box, MemoryUpstream


class Phone:
    """A device's local store, which applies replies as a phone does."""

    def __init__(
        self,
        state: SqliteState,
        upstream: MemoryUpstream,
        device: str,
        mailbox: str = "INBOX",
        trash: str | None = "Trash",
        release: str = "1",
    ) -> None:
        self.sync = MailSync(
            state,
            upstream.port,
            user=UserId("ann"),
            device=DeviceId(device),
            collection=CollectionId("1"),
            mailbox=mailbox,
            trash=trash,
            release=release,
            clock=SystemClock(),
        )
        self.key = "0"
        self.items: dict[tuple[int, int], frozenset[str]] = {}
        self.resets = 0

    async def ask(self, **request: object) -> MailReply:
        """Send a request without applying the answer: as if the reply were lost."""
        return await self.sync.run(MailRequest(self.key, **request))  # type: ignore[arg-type]

    def apply(self, reply: MailReply) -> None:
        if reply.use is KeyUse.UNKNOWN:
            self.key, self.items = "0", {}
            self.resets += 1
            return
        self.key = reply.key
        validity, told = reply.after.uidvalidity, reply.told
        for former, uids in told.former:
            for uid in uids:
                self.items.pop((former, uid), None)
        for uid in (*told.removed, *told.aged):
            self.items.pop((validity, uid), None)
        for uid in told.added:
            assert (validity, uid) not in self.items, "the same message twice"
            self.items[validity, uid] = reply.after.flags_of(uid)
        for uid in told.changed | told.renewed:
            assert (validity, uid) in self.items, "a change of a message the device does not have"
            self.items[validity, uid] = reply.after.flags_of(uid)

    def act(self, operation: Operation) -> None:
        """Do an operation locally, before the server hears of it."""
        assert isinstance(operation, Change | Delete)
        name = (operation.uidvalidity, operation.uid)
        if isinstance(operation, Delete):
            self.items.pop(name, None)
            return
        flags = set(self.items.get(name, ()))
        for flag, wanted in ((SEEN, operation.read), (FLAGGED, operation.flagged)):
            if wanted is not None:
                (flags.add if wanted else flags.discard)(flag)
        if name in self.items:
            self.items[name] = frozenset(flags)

    async def settle(self, **request: object) -> None:
        """Sync until there is nothing more."""
        for _ in range(200):
            reply = await self.ask(**request)
            self.apply(reply)
            if reply.silent:
                return
        raise AssertionError("never quiet")


def contents(box: Box) -> dict[tuple[int, int], frozenset[str]]:
    return {(box.uidvalidity, uid): frozenset(flags) for uid, flags in box.flags.items()}


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def upstream() -> MemoryUpstream:
    return MemoryUpstream(INBOX=Box(), Trash=Box())


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


async def test_a_deletion_cut_off_by_the_upstream_counts_when_repeated(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    upstream.boxes["INBOX"].deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    upstream.fail_after = 1
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[Delete(1, 1)])
    assert not upstream.boxes["INBOX"].flags
    reply = await phone.ask(operations=[Delete(1, 1)])
    assert reply.outcomes == [Outcome.DONE]
    assert len(upstream.boxes["Trash"].flags) == 1


@pytest.mark.parametrize("message_ids", [("<1@example.test>", "<2@example.test>"), ("", "")])
async def test_a_move_to_the_trash_cut_off_between_copy_and_expunge_is_ended_when_repeated(
    message_ids: tuple[str, str], state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox, trash = upstream.boxes["INBOX"], upstream.boxes["Trash"]
    for message_id in message_ids:
        inbox.deliver(message_id=message_id)
    trash.deliver(header=inbox.headers[2])
    phone = Phone(state, upstream, "p")
    await phone.settle()
    upstream.half_a_move = True
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[Delete(1, 1)])
    assert len(inbox.flags) == 2
    reply = await phone.ask(operations=[Delete(1, 1), Delete(1, 2)])
    assert reply.outcomes == [Outcome.DONE, Outcome.DONE]
    assert not inbox.flags
    assert [trash.headers[uid][:10] for uid in sorted(trash.flags)] == [
        b"Subject: 2",
        b"Subject: 1",
        b"Subject: 2",
    ]


async def test_a_late_copy_of_an_earlier_attempt_takes_no_intents_away(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox, trash = upstream.boxes["INBOX"], upstream.boxes["Trash"]
    for _ in range(3):
        inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    overtaken = [Delete(1, 3)]
    upstream.half_a_move = True
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[*overtaken, Delete(1, 1), Change(1, 2, read=True)])
    await phone.ask(operations=overtaken)
    operations: list[Operation] = [*overtaken, Delete(1, 1), Change(1, 2, read=True)]
    reply = await phone.ask(operations=operations)
    assert reply.outcomes == [Outcome.DONE] * 3
    assert not len(reply.told)
    assert len(trash.flags) == 2
    for operation in operations:
        phone.act(operation)
    phone.apply(reply)
    await phone.settle()
    assert phone.items == contents(inbox)


async def test_intents_are_kept_until_the_next_key_is_proven(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    for _ in range(2):
        inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    place = UserId("ann"), DeviceId("p"), CollectionId("1")
    for uid in (1, 2):
        key = phone.key
        phone.apply(await phone.ask(operations=[Delete(1, uid)]))
        assert set(await state.load_intents(*place)) == {f"{key} delete:1.{uid}"}
    inbox.deliver()
    await phone.settle()
    assert await state.load_intents(*place) == {}


async def test_messages_that_are_alike_are_not_taken_for_one(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox, trash = upstream.boxes["INBOX"], upstream.boxes["Trash"]
    for _ in range(3):
        inbox.deliver(header=b"Subject: same\r\n\r\n")
    phone = Phone(state, upstream, "p")
    await phone.settle()
    upstream.half_a_move = True
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[Delete(1, 1), Delete(1, 2)])
    await phone.ask(operations=[Delete(1, 1), Delete(1, 2), Delete(1, 3)])
    assert not inbox.flags
    assert len(trash.flags) == 3


async def test_a_move_cut_off_twice_is_ended_by_the_third_attempt(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox, trash = upstream.boxes["INBOX"], upstream.boxes["Trash"]
    inbox.deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    upstream.half_a_move = True
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[Delete(1, 1)])
    upstream.fail_after = 1
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[Delete(1, 1)])
    assert (await phone.ask(operations=[Delete(1, 1)])).outcomes == [Outcome.DONE]
    assert not inbox.flags
    assert len(trash.flags) == 1


async def test_a_message_of_which_the_trash_holds_a_copy_anyway_is_moved_there_too(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox, trash = upstream.boxes["INBOX"], upstream.boxes["Trash"]
    inbox.deliver(message_id="<one@example.test>")
    trash.deliver(message_id="<one@example.test>")
    phone = Phone(state, upstream, "p")
    await phone.settle()
    await phone.ask(operations=[Delete(1, 1)])
    assert not inbox.flags
    assert len(trash.flags) == 2


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


async def test_from_the_trash_mail_is_removed_for_good(state: SqliteState, upstream: MemoryUpstream) -> None:
    trash = upstream.boxes["Trash"]
    trash.deliver()
    phone = Phone(state, upstream, "p", "Trash")
    await phone.settle()
    await phone.ask(operations=[Delete(1, 1)])
    assert not trash.flags


async def test_deletes_as_moves_can_be_refused(state: SqliteState, upstream: MemoryUpstream) -> None:
    upstream.boxes["INBOX"].deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    await phone.ask(operations=[Delete(1, 1)], deletes_as_moves=False)
    assert not upstream.boxes["INBOX"].flags
    assert not upstream.boxes["Trash"].flags


async def test_nothing_is_removed_for_good_that_was_to_be_moved(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    inbox = upstream.boxes["INBOX"]
    inbox.deliver()
    phone = Phone(state, upstream, "p", trash=None)
    await phone.settle()
    phone.act(Delete(1, 1))
    reply = await phone.ask(operations=[Delete(1, 1)])
    assert reply.outcomes == [Outcome.REFUSED]
    phone.apply(reply)
    await phone.settle()
    assert phone.items == contents(inbox) != {}


async def test_a_deletion_cut_off_before_an_upgrade_counts_when_repeated_after_it(
    state: SqliteState, upstream: MemoryUpstream
) -> None:
    upstream.boxes["INBOX"].deliver()
    phone = Phone(state, upstream, "p")
    await phone.settle()
    upstream.fail_after = 1
    with pytest.raises(UpstreamUnavailable):
        await phone.ask(operations=[Delete(1, 1)])
    new = Phone(state, upstream, "p", release="2")
    new.key = phone.key
    assert (await new.ask(operations=[Delete(1, 1)])).outcomes == [Outcome.DONE]


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


class Convergence(RuleBasedStateMachine):
    """Two phones, a mailbox others work on too, and a network that loses and repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.state = self.loop.run_until_complete(SqliteState.open(Path(self.folder.name) / "g.db"))
        self.upstream = MemoryUpstream(INBOX=Box(), Trash=Box())
        self.inbox = self.upstream.boxes["INBOX"]
        self.phones = [Phone(self.state, self.upstream, name) for name in ("one", "two")]
        self.expunged = 0

    def teardown(self) -> None:
        for phone in self.phones:
            self.loop.run_until_complete(phone.settle())
            assert phone.items == contents(self.inbox)
            assert phone.resets == 0
        self.loop.run_until_complete(self.state.aclose())
        self.loop.close()
        self.folder.cleanup()

    @rule(flags=st.sets(st.sampled_from([SEEN, FLAGGED])))
    def arrives(self, flags: set[str]) -> None:
        self.inbox.deliver(*flags)

    @rule(data=st.data(), name=st.sampled_from([SEEN, FLAGGED]), on=st.booleans())
    def marked_elsewhere(self, data: st.DataObject, name: str, on: bool) -> None:
        if self.inbox.flags:
            self.inbox.mark(data.draw(st.sampled_from(sorted(self.inbox.flags))), name, on=on)

    @rule(data=st.data())
    def removed_elsewhere(self, data: st.DataObject) -> None:
        if self.inbox.flags:
            self.inbox.remove(data.draw(st.sampled_from(sorted(self.inbox.flags))))

    @rule()
    def rebuilt(self) -> None:
        self.inbox.rebuild()

    @rule(
        data=st.data(),
        which=st.integers(0, 1),
        limit=st.integers(1, 6),
        fate=st.sampled_from(["arrives", "reply lost", "repeated", "cut off"]),
    )
    def syncs(self, data: st.DataObject, which: int, limit: int, fate: str) -> None:
        phone = self.phones[which]
        operations = self._operations(data, phone) if phone.key != "0" else []
        for operation in operations:
            phone.act(operation)
        note(f"{which} {fate} {operations}")
        if fate == "cut off":
            self.upstream.fail_after = 1
        replies: list[MailReply] = []
        for _ in range(1 if fate == "arrives" else 2):
            with suppress(UpstreamUnavailable):
                ask = phone.ask(operations=operations, limit=limit)
                replies.append(self.loop.run_until_complete(ask))
            self.upstream.fail_after = None
        # A request that a proxy repeated is answered twice, and the phone hears the first answer.
        phone.apply(replies[0] if fate == "repeated" else replies[-1])

    def _operations(self, data: st.DataObject, phone: Phone) -> list[Operation]:
        if not phone.items:
            return []
        chosen = data.draw(st.lists(st.sampled_from(sorted(phone.items)), unique=True, max_size=3))
        made: list[Operation] = []
        for name in chosen:
            kinds: list[Operation] = [
                Delete(*name),
                Change(*name, read=True),
                Change(*name, read=False, flagged=True),
            ]
            made.append(data.draw(st.sampled_from(kinds)))
        return made

    @invariant()
    def nothing_is_lost(self) -> None:
        """A phone never removes more than the messages it deleted."""
        assert all(phone.resets == 0 for phone in self.phones)


Convergence.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestConvergence = Convergence.TestCase
