"""MailSync: a message that a device deletes goes to the trash once, whatever is cut off."""

from __future__ import annotations

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.store.sqlite.state import SqliteState
from gateway.sync.changes import Change, Outcome
from gateway.sync.operations import Delete, Operation
from gateway.types import CollectionId, DeviceId, UserId
from tests.sync.mailphone import Phone, contents
from tests.sync.model import MemoryUpstream


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
