"""ItemSync: whatever is lost, repeated or done at once, devices end with what the folder holds."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from gateway.errors import Kind, NotFound, StateConflict
from gateway.items import Item, ItemKind, ItemNumber, Notice, Right
from gateway.store.sqlite import Database
from gateway.sync.conflict import Policy
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.itemexchange import Record
from gateway.sync.itemoperations import AddItem, ChangeItem, Given, ItemOperation, Made, NewFile
from gateway.sync.keys import KeyUse, format_key
from gateway.types import DeviceId
from tests.support.notices import pending_notices
from tests.sync.itemmodel import (
    ANN,
    BOB,
    START,
    Phone,
    Store,
    adds,
    changes,
    deletes,
    refused,
    refused_add,
    stored,
)

CLIENT_WINS: dict[str, Any] = {"policy": lambda _: Policy.CLIENT_WINS}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        opened = Store.over(database)
        opened.folder = (await opened.items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")).id
        yield opened


@pytest.fixture
async def phone(store: Store) -> Phone:
    made = Phone(store, "p")
    await made.settle()
    return made


async def other(store: Store, **wishes: Any) -> Phone:
    made = Phone(store, "q", **wishes)
    await made.settle()
    return made


# --- computing ---------------------------------------------------------------------------------------------


async def test_the_event_loop_goes_on_while_operations_are_done(store: Store, phone: Phone) -> None:
    begun, turned = threading.Semaphore(0), threading.Semaphore(0)

    def slow(_: Given) -> Made:
        begun.release()
        assert turned.acquire(timeout=20), "the event loop stands still"
        return Made(stored("slow"))

    operations = [AddItem(f"c{number}", "", slow, lambda *_: Made(stored("slow"))) for number in range(3)]
    asked = asyncio.create_task(phone.ask(*operations))
    while not asked.done():
        await asyncio.sleep(0.001)
        if begun.acquire(blocking=False):
            turned.release()
    assert len((await asked).answers) == 3


# --- telling -----------------------------------------------------------------------------------------------


async def test_what_others_do_is_told(store: Store, phone: Phone) -> None:
    one, two, three = [await store.put(text) for text in ("a", "b", "c")]
    await phone.settle()
    assert phone.items == {one: "a", two: "b", three: "c"}
    await store.write(one, "A")
    await store.remove(two)
    reply = await phone.do()
    assert ([item.number for item in reply.told.changed], [*reply.told.removed]) == ([one], [two])
    assert phone.items == await store.content()


async def test_a_long_listing_comes_in_windows_newest_first(store: Store, phone: Phone) -> None:
    numbers = [await store.put(str(number)) for number in range(10)]
    seen = []
    for _ in range(4):
        reply = await phone.do(limit=3)
        seen.append(sorted(item.number for item in reply.told.added))
        assert reply.more == (len(seen) < 4)
    assert seen == [numbers[7:], numbers[4:7], numbers[1:4], numbers[:1]]


async def test_long_texts_come_in_several_replies(store: Store, phone: Phone) -> None:
    numbers = [await store.put("long" * (1 << 16)) for _ in range(50)]
    small = [await store.put("small") for _ in range(60)]
    first = await phone.do()
    assert first.more
    assert {item.number for item in first.told.added} >= set(small)
    assert len(first.told.added) < len(numbers + small)
    assert await phone.settle() == 2
    assert phone.items == await store.content()


async def test_what_comes_and_goes_between_two_windows_is_not_told(store: Store, phone: Phone) -> None:
    numbers = [await store.put(str(number)) for number in range(4)]
    await phone.do(limit=2)
    await store.remove(numbers[0])
    gone = await store.put("new")
    await store.remove(gone)
    await phone.settle()
    assert phone.items == await store.content()


async def test_without_news_nothing_is_listed_and_the_key_stays(
    store: Store, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put("a")
    await phone.settle()

    async def listing(*_: Any) -> Any:
        raise AssertionError("read without need")

    for method in ("item_changes", "items_ending", "load_items", "commit_items"):
        monkeypatch.setattr(store.items, method, listing)
    monkeypatch.setattr(store.state, "save_sync", listing)
    reply = await phone.ask()
    assert (reply.silent, reply.key) == (True, phone.key)


async def test_a_device_is_not_told_what_it_did(store: Store, phone: Phone) -> None:
    reply = await phone.do(adds("c1", "a"), adds("c2", "b"))
    one, two = (answer.number for answer in reply.answers)
    reply = await phone.do(changes(one, "A"), deletes(two))
    assert not len(reply.told)
    assert (await phone.ask()).silent
    assert phone.items == await store.content() == {one: "A"}
    assert (await other(store)).items == {one: "A"}


async def test_changes_that_are_not_wanted_wait(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    reply = await phone.ask(get_changes=False)
    assert (reply.silent, reply.more) == (True, False)
    await phone.settle()
    assert phone.items == {number: "a"}


async def test_a_folder_that_is_gone_or_not_shared_any_more(store: Store, phone: Phone) -> None:
    stranger = Phone(store, "s", user=BOB)
    with pytest.raises(NotFound):
        await stranger.ask()
    await store.items.delete_item_folder(store.folder)
    with pytest.raises(NotFound):
        await phone.ask()


# --- the window --------------------------------------------------------------------------------------------


async def test_items_leave_and_enter_the_window(store: Store) -> None:
    start = [START]
    phone = Phone(store, "p", since=lambda _: start[0])
    ends = [START + timedelta(days=days) for days in (-1, 0, 10, 20)]
    old, edge, middle, late = [await store.put(str(end), ends=end) for end in ends]
    endless = await store.put("series")
    await phone.settle()
    assert set(phone.items) == {edge, middle, late, endless}
    start[0] += timedelta(days=15)
    reply = await phone.do()
    assert (set(reply.told.aged), len(reply.told)) == ({edge, middle}, 2)
    start[0] = START - timedelta(days=5)
    reply = await phone.do()
    assert {item.number for item in reply.told.added} == {old, edge, middle}
    start[0] = None  # type: ignore[call-overload]
    assert (await phone.ask()).silent
    assert set(phone.items) == {old, edge, middle, late, endless}


async def test_an_item_that_is_changed_to_be_outside_or_inside_the_window(store: Store) -> None:
    phone = Phone(store, "p", since=lambda _: START)
    before, after = START - timedelta(days=1), START + timedelta(days=1)
    one, two = await store.put("a", ends=after), await store.put("b", ends=before)
    await phone.settle()
    await store.write(one, "a", ends=before)
    await store.write(two, "b", ends=after)
    reply = await phone.do()
    assert ([*reply.told.aged], [item.number for item in reply.told.added]) == ([one], [two])
    await store.remove(one)
    assert (await phone.ask()).silent


# --- repeating ---------------------------------------------------------------------------------------------


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


# --- conflicts ---------------------------------------------------------------------------------------------


async def test_the_server_wins_a_conflict_and_its_item_is_told(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    await store.write(number, "theirs")
    reply = await phone.do(changes(number, "mine"))
    assert reply.answers[0].refusal is Kind.CONFLICT
    assert [item.stored.text for item in reply.told.changed] == ["theirs"]
    assert phone.items == await store.content()


async def test_answers_noted_meanwhile_are_no_conflict(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    await store.write(number, "a1", answers=True)
    await store.write(number, "a2", answers=True)
    assert (await phone.ask(get_changes=False)).silent  # it is noted by now, and not told
    await store.write(number, "a3", answers=True)
    reply = await phone.do(changes(number, "A"))
    assert (reply.answers[0].refusal, phone.items) == (None, {number: "A a3"})
    await phone.do(changes(number, "B"))  # it knows of them now
    assert phone.items == await store.content() == {number: "B"}


@pytest.mark.parametrize("last", [True, False])
async def test_answers_do_not_hide_what_else_was_changed(store: Store, phone: Phone, last: bool) -> None:
    number = await store.put("a")
    await phone.settle()
    await store.write(number, "b", answers=not last)
    await phone.ask(get_changes=False)
    await store.write(number, "c", answers=last)
    reply = await phone.do(changes(number, "A"))
    assert reply.answers[0].refusal is Kind.CONFLICT
    assert phone.items == await store.content() == {number: "c"}


async def test_the_client_wins_a_conflict_and_is_told_what_came_of_it(store: Store) -> None:
    number = await store.put("a")
    phone = await other(store, **CLIENT_WINS)
    await store.write(number, "theirs")
    reply = await phone.do(changes(number, "mine"))
    assert reply.answers[0].refusal is None
    assert [item.stored.text for item in reply.told.changed] == ["mine"]
    assert await store.content() == {number: "mine"}


async def test_deletions_win(store: Store, phone: Phone) -> None:
    one, two, three = [await store.put(text) for text in "abc"]
    await phone.settle()
    await store.write(one, "theirs")
    await store.remove(two)
    await store.remove(three)
    reply = await phone.do(deletes(one), changes(two, "mine"), deletes(three))
    assert [answer.refusal for answer in reply.answers] == [None, Kind.ITEM_NOT_FOUND, None]
    await phone.settle()
    assert phone.items == await store.content() == {}


async def test_what_was_never_there_is_not_found(phone: Phone) -> None:
    reply = await phone.ask(changes(999, "x"), deletes(999))
    assert [answer.refusal for answer in reply.answers] == [Kind.ITEM_NOT_FOUND] * 2


async def test_a_change_that_is_refused_is_put_right_and_touches_no_other(store: Store, phone: Phone) -> None:
    one, two = await store.put("a"), await store.put("b")
    await phone.settle()
    reply = await phone.do(refused(one), changes(two, "B"))
    assert [answer.refusal for answer in reply.answers] == [Kind.INVALID_XML, None]
    assert phone.items == await store.content() == {one: "a", two: "B"}


async def test_operations_on_one_item_follow_each_other(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    await phone.do(changes(number, "b"), changes(number, "c"), deletes(number))
    assert await store.content() == {}
    assert (await phone.ask()).silent


# --- shared folders ----------------------------------------------------------------------------------------


async def test_a_write_to_a_folder_that_may_only_be_read_is_put_right(store: Store) -> None:
    await store.items.share_item_folder(store.folder, BOB, Right.READ)
    one, two = await store.put("a"), await store.put("b")
    phone = Phone(store, "p", user=BOB)
    await phone.settle()
    operations = changes(one, "mine"), deletes(two), adds("c1", "new")
    for operation in operations:
        phone.act(operation)
    lost = await phone.ask(*operations)
    reply = await phone.ask(*operations)
    assert (reply.answers, reply.told) == (lost.answers, lost.told)
    phone.apply(reply, operations)
    assert phone.refusals == [Kind.ACCESS_DENIED] * 3
    await phone.settle()
    assert phone.items == await store.content() == {one: "a", two: "b"}


async def test_two_users_write_to_one_folder(store: Store, phone: Phone) -> None:
    await store.items.share_item_folder(store.folder, BOB, Right.WRITE)
    theirs = Phone(store, "p", user=BOB)
    await theirs.settle()
    await phone.do(adds("c1", "ann's"))
    await theirs.do(adds("c1", "bob's"))
    await phone.settle()
    assert phone.items == theirs.items == await store.content()
    assert len(phone.items) == 2


# --- at once -----------------------------------------------------------------------------------------------


async def test_a_request_overtaken_by_somebody_else_is_worked_out_anew(
    store: Store, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await store.put("a")
    await phone.settle()
    commit, overtaken = store.items.commit_items, 3

    async def slow(todo: Any) -> Any:
        nonlocal overtaken
        if todo.device and overtaken:
            overtaken -= 1
            await store.put(f"meanwhile {overtaken}")
        return await commit(todo)

    monkeypatch.setattr(store.items, "commit_items", slow)
    reply = await phone.do(changes(number, "mine"), adds("c1", "new"))
    assert [answer.refusal for answer in reply.answers] == [None, None]
    await phone.settle()
    assert phone.items == await store.content()
    assert len(phone.items) == 5


async def test_another_item_comes_of_a_change_once_and_both_are_told(
    store: Store, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when somebody was faster, when the request is repeated, and on another phone."""
    number = await store.put("a")
    watching = await other(store)
    await phone.settle()
    commit, overtaken = store.items.commit_items, True

    async def slow(todo: Any) -> Any:
        nonlocal overtaken
        if todo.device and overtaken:
            overtaken = False
            await store.put("meanwhile")
        return await commit(todo)

    monkeypatch.setattr(store.items, "commit_items", slow)

    def split(item: Item, _: Given) -> Made:
        return Made(replace(item.stored, text="rest"), beside=stored("part"))

    operation = ChangeItem(number, "digest", split, splits=True)
    first = await phone.ask(operation)
    again = await phone.do(operation)
    assert again.key == first.key
    for reply in (first, again):
        assert [item.number for item in reply.told.changed] == [number]
        assert sorted(item.stored.text for item in reply.told.added) == ["meanwhile", "part"]
    assert sorted((await store.content()).values()) == ["meanwhile", "part", "rest"]
    for device in (phone, watching):
        await device.settle()
        assert device.items == await store.content()


async def test_a_request_that_is_always_overtaken_gives_up_with_nothing_done(
    store: Store, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = store.items.commit_items

    async def slow(todo: Any) -> Any:
        if todo.device:
            await store.put("meanwhile")
        return await commit(todo)

    monkeypatch.setattr(store.items, "commit_items", slow)
    with pytest.raises(StateConflict):
        await phone.ask(adds("c1", "mine"))
    assert "mine" not in (await store.content()).values()


async def test_the_same_request_twice_at_once_has_one_effect(store: Store, phone: Phone) -> None:
    first, second = await asyncio.gather(phone.ask(adds("c1", "a")), phone.ask(adds("c1", "a")))
    assert (first.key, first.answers) == (second.key, second.answers)
    assert list((await store.content()).values()) == ["a"]


# --- what goes along ---------------------------------------------------------------------------------------


async def test_notices_are_stored_with_the_change_and_once(store: Store, phone: Phone) -> None:
    operation = adds("c1", "a", notice="invite")
    lost = await phone.ask(operation)
    again = await phone.ask(operation)
    assert (lost.noticed, again.noticed) == (True, False)
    assert [notice.key for notice in await pending_notices(store.items, ANN)] == ["invite"]
    phone.key = again.key
    reply = await phone.ask(changes(lost.answers[0].number, "b", notice="update"), deletes(999, notice="no"))
    assert reply.noticed
    assert [notice.key for notice in await pending_notices(store.items, ANN)] == ["invite", "update"]


def telling(
    number: ItemNumber, text: str, *people: str, whole: bool = True, current: bool = True
) -> ChangeItem:
    """A change that people are told of."""

    def change(item: Item, _given: Given) -> Made:
        stored, keys = replace(item.stored, text=text), frozenset({text})
        notices = [Notice(text, people, b"")]
        return Made(
            stored,
            notices,
            current=keys if current else frozenset(),
            whole=keys if whole else frozenset(),
        )

    return ChangeItem(number, text, change)


async def test_who_is_told_all_of_an_item_is_not_told_what_it_was_in_between(
    store: Store, phone: Phone
) -> None:
    first, second = (await phone.do(adds("c1", "a"), adds("c2", "b"))).answers
    await phone.do(
        telling(first.number, "one", "x", "y"),
        telling(second.number, "of another item", "x"),
        telling(first.number, "to more", "x", "y", "z"),
        telling(first.number, "of a part", "x", whole=False),
        telling(first.number, "farewell", "y", whole=False, current=False),
        telling(first.number, "last", "y", "x"),
    )
    keys = [notice.key for notice in await pending_notices(store.items, ANN)]
    assert keys == ["of another item", "to more", "farewell", "last"]
    await phone.do(telling(first.number, "in the next request", "x", "y"))
    assert len(await pending_notices(store.items, ANN)) == 5


async def test_notices_of_a_shared_folder_are_its_owners(store: Store) -> None:
    await store.items.share_item_folder(store.folder, BOB, Right.WRITE)
    guest = Phone(store, "g", user=BOB)
    await guest.settle()
    reply = await guest.do(adds("c1", "a", notice="n"))
    assert reply.noticed
    assert [one.key for one in await pending_notices(store.items, ANN)] == ["n"]
    assert not await pending_notices(store.items, BOB)


async def test_files_are_stored_first_and_their_numbers_answered_again(store: Store, phone: Phone) -> None:
    def make(given: Any) -> Made:
        return Made(StoredFiles(given.files.values()))

    def StoredFiles(numbers: Any) -> Any:  # noqa: N802
        item = stored("with a file")
        return type(item)(item.uid, item.text, item.starts, item.ends, frozenset(numbers))

    new = NewFile("f1", "plan.pdf", "application/pdf", b"content")
    operation = AddItem("c1", "d", make, lambda item, given: Made(item.stored), files=(new,))  # noqa: ARG005
    lost = await phone.ask(operation)
    again = await phone.ask(operation)
    number = lost.answers[0].files["f1"]
    assert again.answers == lost.answers
    info = await store.items.item_file(store.folder, number)
    assert info is not None
    assert (info.name, info.size) == ("plan.pdf", 7)


async def test_options_stick_and_supported_is_that_of_key_0(store: Store) -> None:
    seen: list[bytes] = []

    def supported(options: bytes) -> frozenset[str]:
        seen.append(options)
        return frozenset({"Subject"})

    phone = Phone(store, "p", options=lambda stored: stored or b"first", supported=supported)
    await phone.settle()
    await phone.do(adds("c1", "a"))
    assert set(seen) == {b"first"}
    state = await store.state.load_sync(ANN, DeviceId("p"), store.folder)
    assert state is not None
    assert state.options == b"first"


async def test_an_item_other_releases_could_not_show_is_told_again_once(store: Store, phone: Phone) -> None:
    number = await store.put("a")
    await phone.settle()
    await store.state.note_poison(ANN, store.folder, str(number), "1", "why")
    newer = Phone(store, "p", release="2")
    newer.key, newer.items = phone.key, phone.items
    reply = await newer.do()
    assert [item.number for item in reply.told.changed] == [number]
    assert (await newer.ask()).silent


def test_a_cursor_is_stored_whole() -> None:
    cursor = ItemCursor(7, datetime(2026, 1, 1, tzinfo=UTC), release="1").noting((), 9)
    assert ItemCursor.unpack(cursor.pack()) == cursor
    assert ItemCursor.unpack(b"") == ItemCursor()
    older = {name: value for name, value in json.loads(cursor.pack()).items() if name != "answered"}
    assert ItemCursor.unpack(json.dumps(older).encode()) == cursor


class Convergence(RuleBasedStateMachine):
    """Two phones, a folder others work on too, and a network that loses and repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = TemporaryDirectory()
        path = Path(self.directory.name) / "g.db"
        self.database = self.loop.run_until_complete(Database.open(path))
        self.store = Store.over(self.database)
        folder = self.store.items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")
        self.store.folder = self.loop.run_until_complete(folder).id
        self.phones = [Phone(self.store, "one"), Phone(self.store, "two", **CLIENT_WINS)]
        self.waiting: list[list[ItemOperation]] = [[], []]
        """What each phone did and was not answered for."""
        self.label = 0

    def teardown(self) -> None:
        for which, phone in enumerate(self.phones):
            self._exchange(which, "arrives", 100)
            self.loop.run_until_complete(phone.settle())
        content = self.loop.run_until_complete(self.store.content())
        for phone in self.phones:
            self.loop.run_until_complete(phone.settle())
            assert phone.items == content
            assert phone.resets == 0
        labels = [text.partition("+")[0] for text in content.values()]
        assert len(labels) == len(set(labels)), "an item twice"
        self.loop.run_until_complete(self.database.aclose())
        self.loop.close()
        self.directory.cleanup()

    def _new(self) -> str:
        self.label += 1
        return f"item{self.label}"

    def _some(self, data: st.DataObject) -> int | None:
        content = self.loop.run_until_complete(self.store.content())
        return data.draw(st.sampled_from(sorted(content))) if content else None

    @rule()
    def arrives(self) -> None:
        self.loop.run_until_complete(self.store.put(self._new()))

    @rule(data=st.data())
    def written_elsewhere(self, data: st.DataObject) -> None:
        number = self._some(data)
        if number is not None:
            text = self.loop.run_until_complete(self.store.content())[number]
            self.loop.run_until_complete(self.store.write(number, f"{text.partition('+')[0]}+{self._new()}"))

    @rule(data=st.data())
    def removed_elsewhere(self, data: st.DataObject) -> None:
        number = self._some(data)
        if number is not None:
            self.loop.run_until_complete(self.store.remove(number))

    @rule(data=st.data(), which=st.integers(0, 1), kind=st.sampled_from(["add", "change", "delete", "bad"]))
    def acts(self, data: st.DataObject, which: int, kind: str) -> None:
        phone = self.phones[which]
        if phone.key == "0":
            return
        label = self._new()
        if kind == "add":
            operation: ItemOperation = adds(label, label)
        elif not phone.items:
            return
        else:
            number = data.draw(st.sampled_from(sorted(phone.items)))
            text = f"{phone.items[number].partition('+')[0]}+{label}"
            choices: dict[str, ItemOperation] = {
                "change": changes(number, text),
                "delete": deletes(number),
                "bad": refused(number),
            }
            operation = choices[kind]
        phone.act(operation)
        self.waiting[which].append(operation)

    @rule(
        which=st.integers(0, 1),
        limit=st.integers(1, 4),
        fate=st.sampled_from(["arrives", "arrives", "reply lost", "repeated"]),
    )
    def syncs(self, which: int, limit: int, fate: str) -> None:
        self._exchange(which, fate, limit)

    def _exchange(self, which: int, fate: str, limit: int) -> None:
        phone, operations = self.phones[which], list(self.waiting[which])
        note(f"{which} {fate} {operations}")
        reply = self.loop.run_until_complete(phone.ask(*operations, limit=limit))
        if fate == "reply lost":
            return
        if fate == "repeated":
            again = self.loop.run_until_complete(phone.ask(*operations, limit=limit))
            assert again.answers == reply.answers
        phone.apply(reply, operations)
        self.waiting[which].clear()


Convergence.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestConvergence = Convergence.TestCase
