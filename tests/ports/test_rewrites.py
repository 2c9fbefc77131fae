"""What every adapter of the port `State` does with messages that devices edit."""

from __future__ import annotations

from dataclasses import replace

from gateway.ports import State
from gateway.types import CollectionId, Rewrite, Rewrites, SyncState, Writing
from tests.ports.known import ANNA, BERT, PHONE

DRAFTS = CollectionId("3")
BOX = "Drafts"
NEW = Writing("m1", 4, Rewrite(7, 0, 0), PHONE, DRAFTS, "add:1", b"value")
EDIT = Writing("m2", 5, Rewrite(7, 5, 0, {"2": "3", "3": ""}, (5,)), PHONE, DRAFTS, "edit:5", b"value")


async def test_a_message_is_pending_until_it_is_known_to_be_stored(state: State) -> None:
    await state.begin_writing(ANNA, BOX, NEW)
    assert await state.load_rewrites(ANNA, BOX) == Rewrites(pending=(NEW,))
    assert await state.load_rewrites(BERT, BOX) == await state.load_rewrites(ANNA, "Other") == Rewrites()
    await state.finish_writing(ANNA, BOX, NEW, 5, b"answer")
    assert await state.load_rewrites(ANNA, BOX) == Rewrites()
    assert await state.load_intents(ANNA, PHONE, DRAFTS) == {"add:1": b"answer"}
    await state.save_sync(ANNA, PHONE, DRAFTS, SyncState("e", 1, b""))
    assert await state.load_intents(ANNA, PHONE, DRAFTS) == {}


async def test_an_edited_message_keeps_its_name(state: State) -> None:
    await state.begin_writing(ANNA, BOX, EDIT)
    await state.finish_writing(ANNA, BOX, EDIT, 6, b"answer")
    first = replace(EDIT.rewrite, uid=6)
    assert await state.load_rewrites(ANNA, BOX) == Rewrites((first,))
    again = replace(EDIT, marker="m3", rewrite=replace(EDIT.rewrite, labels={}, stale=(5, 6)))
    await state.begin_writing(ANNA, BOX, again)
    assert await state.load_rewrites(ANNA, BOX) == Rewrites((first,), (again,))
    await state.finish_writing(ANNA, BOX, again, 9, b"answer")
    second = replace(again.rewrite, uid=9)
    assert await state.load_rewrites(ANNA, BOX) == Rewrites((second,))
    await state.forget_rewrites(ANNA, BOX, [replace(second, uidvalidity=8)])
    assert await state.load_rewrites(ANNA, BOX) == Rewrites((second,))
    await state.forget_rewrites(ANNA, BOX, [second])
    assert await state.load_rewrites(ANNA, BOX) == Rewrites()


async def test_a_message_that_was_not_stored_leaves_nothing(state: State) -> None:
    await state.begin_writing(ANNA, BOX, NEW)
    await state.begin_writing(ANNA, BOX, EDIT)
    await state.abandon_writing(ANNA, BOX, NEW.marker)
    assert await state.load_rewrites(ANNA, BOX) == Rewrites(pending=(EDIT,))
    assert await state.load_intents(ANNA, PHONE, DRAFTS) == {}
