"""ItemSync: several who change the same items, one after the other or at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import Kind, StateConflict
from gateway.items import Item, Right
from gateway.sync.itemoperations import ChangeItem, Given, Made
from tests.sync.itemmodel import (
    BOB,
    CLIENT_WINS,
    Phone,
    Store,
    adds,
    changes,
    deletes,
    other,
    refused,
    stored,
)

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
