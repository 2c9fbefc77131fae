"""ItemSync: answers that got lost, requests that are repeated, devices that begin anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import Kind
from gateway.items import ItemNumber
from gateway.sync.itemexchange import Record
from gateway.sync.itemoperations import ItemOperation
from gateway.sync.keys import KeyUse, format_key
from gateway.types import DeviceId
from tests.sync.itemmodel import (
    ANN,
    CLIENT_WINS,
    Phone,
    Store,
    adds,
    changes,
    deletes,
    refused,
    refused_add,
)


async def test_a_lost_reply_is_repeated_to_the_letter(store: Store, phone: Phone) -> None:
    old, doomed = await store.put("old"), await store.put("doomed")
    await phone.settle()
    await store.put("new")
    await store.write(old, "OLD")
    await store.remove(doomed)
    operations = adds("c1", "mine"), refused(old)
    lost = await phone.ask(*operations)
    again = await phone.ask(*operations)
    assert again.use is KeyUse.REPLAY
    assert (again.key, again.answers, again.told, again.more) == (
        lost.key,
        lost.answers,
        lost.told,
        lost.more,
    )
    assert sorted((await store.content()).values()) == ["OLD", "mine", "new"]


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("succeeding", [False, True])
async def test_what_was_refused_belongs_to_a_request_that_is_repeated(
    store: Store, phone: Phone, monkeypatch: pytest.MonkeyPatch, succeeding: bool, dies: bool
) -> None:
    """The same answer and the same key each time, also when the first attempt died before it was stored."""
    changed, deleted = await store.put("c"), await store.put("d")
    await phone.settle()
    await store.put("theirs")
    operations: list[ItemOperation] = [refused_add("c1", "bad"), refused(changed), deletes(ItemNumber(999))]
    if succeeding:
        operations += [adds("c2", "new"), changes(changed, "c2"), deletes(deleted)]

    async def dying(*_: Any) -> None:
        raise ConnectionError

    if dies:
        with monkeypatch.context() as patched:
            patched.setattr(store.items, "commit_items", dying)
            patched.setattr(store.state, "save_sync", dying)
            with pytest.raises(ConnectionError):
                await phone.ask(*operations)
    replies = [await phone.ask(*operations) for _ in range(3)]
    assert [reply.use for reply in replies] == [KeyUse.CURRENT, KeyUse.REPLAY, KeyUse.REPLAY]
    for again in replies[1:]:
        assert (again.key, again.answers, again.more) == (replies[0].key, replies[0].answers, False)
        assert Record.of({}, again.told) == Record.of({}, replies[0].told)
    fewer = await phone.ask(*operations[1:])
    assert (fewer.use, fewer.answers) == (KeyUse.REPLAY, replies[0].answers[1:])
    other = await phone.ask(refused_add("c1", "worse"), *operations[1:])
    assert [answer.refusal for answer in other.answers] == [answer.refusal for answer in replies[0].answers]
    for operation in operations:
        phone.act(operation)
    phone.apply(replies[-1], operations)
    await phone.settle()
    assert phone.resets == 0
    assert phone.items == await store.content()
    assert sorted(phone.items.values()) == (["c2", "new", "theirs"] if succeeding else ["c", "d", "theirs"])


async def test_what_was_done_meanwhile_joins_the_repeat_and_is_done_once(store: Store, phone: Phone) -> None:
    kept = await store.put("kept")
    await phone.settle()
    first = adds("c1", "one")
    await phone.ask(first)
    joined: list[ItemOperation] = [first, adds("c2", "two"), changes(kept, "changed")]
    for operation in joined:
        phone.act(operation)
    await phone.ask(*joined)
    reply = await phone.ask(*joined)
    phone.apply(reply, joined)
    await phone.settle()
    assert sorted(phone.items.values()) == ["changed", "one", "two"]
    assert phone.items == await store.content()


async def test_an_add_that_was_written_on_before_it_was_answered(store: Store, phone: Phone) -> None:
    lost = await phone.ask(adds("c1", "one"))
    later = adds("c1", "one and more")
    phone.act(later)
    await phone.ask(later)
    for reply in (await phone.ask(later), await phone.ask(later)):
        assert [answer.number for answer in reply.answers] == [answer.number for answer in lost.answers]
    phone.apply(reply, [later])
    await phone.settle()
    assert list(phone.items.values()) == ["one and more"]
    assert phone.items == await store.content()


async def test_an_add_written_on_that_another_device_changed_first(store: Store, phone: Phone) -> None:
    lost = await phone.ask(adds("c1", "one"))
    number = lost.answers[0].number
    await store.write(number, "theirs")
    later = adds("c1", "one and more")
    phone.act(later)
    reply = await phone.ask(later)
    assert (reply.answers[0].number, reply.answers[0].refusal, reply.more) == (number, None, True)
    phone.apply(reply, [later])
    await phone.settle()
    assert phone.items == await store.content() == {number: "theirs"}


async def test_a_change_made_in_ignorance_of_a_lost_reply_is_a_conflict(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    await store.write(number, "theirs")
    await phone.ask()  # tells it, and is lost
    reply = await phone.do(changes(number, "mine"))
    assert reply.answers[0].refusal is Kind.CONFLICT
    await phone.settle()
    assert phone.items == await store.content() == {number: "theirs"}


async def test_a_fresh_beginning_keeps_numbers_and_the_keys_before(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    key, phone.key = phone.key, "0"
    first = (await phone.ask()).key
    await phone.ask()
    phone.key = key  # the answers to 0 were of late copies
    assert (await phone.ask()).silent
    phone.key, phone.items = first, {}
    await phone.settle()
    assert phone.items == {number: "a"}
    phone.key = key
    assert (await phone.ask()).use is KeyUse.UNKNOWN


@pytest.mark.parametrize("overtakes", [False, True])
async def test_what_was_given_up_before_a_new_beginning_is_told(
    store: Store, phone: Phone, overtakes: bool
) -> None:
    """Key 0, an Add that is held up, key 0 again; the Add arrives before or after the next request."""
    await phone.settle()
    phone.key = "0"
    phone.apply(await phone.ask())
    given_up = Phone(store, "p")
    given_up.key, phone.key = phone.key, "0"
    phone.apply(await phone.ask())
    if not overtakes:
        await given_up.ask(adds("c1", "early"))
    await phone.do(adds("c2", "mine"))
    if overtakes:
        assert (await given_up.ask(adds("c1", "late"))).use is KeyUse.UNKNOWN
    await phone.settle()
    assert phone.resets == 0
    assert phone.items == await store.content()


@pytest.mark.parametrize("heard", [False, True])
async def test_another_answer_to_a_repeated_request_has_a_key_of_its_own(
    store: Store, phone: Phone, heard: bool
) -> None:
    """More operations under the same key: whether the phone heard of them, its next key tells."""
    changed, deleted = await store.put("c"), await store.put("d")
    await phone.settle()
    first = adds("c1", "one")
    more: list[ItemOperation] = [adds("c2", "two"), changes(changed, "c2"), deletes(deleted)]
    phone.act(first)
    answer = await phone.ask(first)
    other = await phone.ask(first, *more)
    assert (await phone.ask(first, *more)) == other
    assert (await phone.ask(first)) == replace(answer, use=KeyUse.REPLAY)
    if heard:
        for operation in more:
            phone.act(operation)
        phone.apply(other, [first, *more])
    else:
        phone.apply(answer, [first])
    await phone.settle()
    assert phone.resets == 0
    assert phone.items == await store.content()
    assert sorted(phone.items.values()) == ["c2", "one", "two"]
    stored = await store.state.load_sync(ANN, DeviceId("p"), store.folder)
    assert stored is not None
    assert format_key(stored) == phone.key, "what waits for news begins from what the phone has"


async def test_each_repeat_gets_its_answer_again_whatever_came_between(store: Store, phone: Phone) -> None:
    first, second, third = adds("c1", "one"), adds("c2", "two"), adds("c3", "three")
    requests: list[list[ItemOperation]] = [
        [first],
        [first, second],
        [first, third],
        [first, second, third],
        [],
    ]
    replies = [await phone.ask(*request) for request in requests]
    assert len({reply.key for reply in replies}) == len(requests)
    await store.put("theirs")
    for request, reply in zip(requests, replies, strict=True):
        again = await phone.ask(*request)
        assert (again.key, again.answers) == (reply.key, reply.answers)
    assert sorted((await store.content()).values()) == ["one", "theirs", "three", "two"]
    for operation in requests[1]:
        phone.act(operation)
    phone.apply(replies[1], requests[1])
    await phone.settle()
    assert phone.items == await store.content()


async def test_a_late_copy_does_not_take_back_what_was_written_on(store: Store, phone: Phone) -> None:
    early, late = adds("c1", "one"), adds("c1", "one and more")
    first = await phone.ask(early)
    phone.act(late)
    reply = await phone.ask(late)
    assert (await phone.ask(early)).key == first.key
    phone.apply(reply, [late])
    await phone.settle()
    assert list(phone.items.values()) == ["one and more"]
    assert phone.items == await store.content()


@pytest.mark.parametrize("get_changes", [True, False])
async def test_a_phone_that_adds_later_what_it_had_asked_for_keeps_it(
    store: Store, phone: Phone, get_changes: bool
) -> None:
    """The answer to a repeat without the Add leaves open whether the phone has what came of it."""
    operation = adds("c1", "mine", uid="U")
    phone.act(operation)
    await phone.ask(operation)
    phone.apply(await phone.ask())
    phone.apply(await phone.ask(operation, get_changes=get_changes), [operation])
    await phone.settle()
    assert phone.items == await store.content()
    assert list(phone.items.values()) == ["mine"]


async def test_a_phone_that_forgot_what_it_asked_for_is_told(store: Store, phone: Phone) -> None:
    """Its user took back what he had made while the request was on its way."""
    kept = await store.put("k")
    await phone.settle()
    await phone.ask(adds("c1", "one"), changes(kept, "k2"))
    await phone.do(adds("c2", "two"))
    await phone.settle()
    assert phone.resets == 0
    assert phone.items == await store.content()
    assert sorted(phone.items.values()) == ["k2", "one", "two"]


async def test_a_phone_that_begins_anew_and_adds_again_does_not_double(store: Store, phone: Phone) -> None:
    lost = await phone.ask(adds("c1", "mine", uid="U"))
    phone.key, phone.items = "0", {}
    phone.apply(await phone.ask())
    reply = await phone.do(adds("c9", "mine", uid="U"), limit=1)
    assert reply.answers[0].number == lost.answers[0].number
    assert not len(reply.told)  # not before the phone knows its name
    assert reply.more
    await phone.settle()
    assert phone.items == await store.content() == {lost.answers[0].number: "mine"}


@pytest.mark.parametrize(("wishes", "text"), [({}, "theirs"), (CLIENT_WINS, "mine")])
async def test_an_add_of_what_is_there_is_settled_as_a_conflict(
    store: Store, wishes: dict[str, Any], text: str
) -> None:
    number = await store.put("theirs", uid="U")
    phone = Phone(store, "p", **wishes)
    phone.apply(await phone.ask())
    await phone.do(adds("c1", "mine", uid="U"))
    await phone.settle()
    assert phone.items == await store.content() == {number: text}


async def test_two_adds_of_one_uid_in_one_request(store: Store, phone: Phone) -> None:
    reply = await phone.do(adds("c1", "one", uid="U"), adds("c2", "two", uid="U"))
    assert reply.answers[0].number == reply.answers[1].number
    await phone.settle()
    assert phone.items == await store.content()
    assert len(phone.items) == 1
