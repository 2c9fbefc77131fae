"""What every adapter of the port `State` does with moves of messages and mailboxes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import StateConflict
from gateway.ports import State
from gateway.types import (
    CollectionId,
    Folder,
    FolderList,
    Move,
)
from tests.ports.known import ANNA, BERT, FIRST, INBOX, NOON, PHONE, TABLET

SENT = CollectionId("2")


def moved(uid: int, target_uid: int | None = None, **changes: object) -> Move:
    """A move from the inbox to Sent, with some fields changed."""
    move = Move(INBOX, 7, uid, SENT, "likeness", 9, 100, NOON, target_uid)
    return replace(move, **changes)  # type: ignore[arg-type]


async def test_moves_are_found_by_device_message_and_target(state: State) -> None:
    await state.begin_moves(ANNA, PHONE, [moved(1), moved(2)])
    await state.begin_moves(ANNA, TABLET, [moved(3)])
    found = await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 1), (7, 3), (8, 1)])
    assert found == {(7, 1): moved(1)}
    assert not await state.load_moves(ANNA, PHONE, SENT, INBOX, [(7, 1)])
    assert not await state.load_moves(BERT, PHONE, INBOX, SENT, [(7, 1)])
    ended = [moved(1, 100, flags=frozenset({"\\Seen", "category:Büro"})), moved(2, 0, flags=frozenset())]
    await state.finish_moves(ANNA, PHONE, ended, {})
    found = await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 1), (7, 2)])
    assert found == {(7, 1): ended[0], (7, 2): ended[1]}


async def test_a_finished_move_and_what_the_device_knows_are_stored_together(state: State) -> None:
    first = await state.save_sync(ANNA, PHONE, INBOX, FIRST)
    await state.save_intents(ANNA, PHONE, INBOX, {"delete": b"1"})
    await state.finish_moves(ANNA, PHONE, [moved(1, 100)], {INBOX: replace(first, cursor=b"two")})
    stored = await state.load_sync(ANNA, PHONE, INBOX)
    assert stored is not None
    assert (stored.cursor, stored.revision) == (b"two", first.revision + 1)
    assert await state.load_intents(ANNA, PHONE, INBOX) == {"delete": b"1"}
    with pytest.raises(StateConflict):
        await state.finish_moves(ANNA, PHONE, [moved(2, 101)], {INBOX: replace(first, cursor=b"three")})
    assert not await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 2)])
    assert await state.load_sync(ANNA, PHONE, INBOX) == stored


async def test_moves_under_way(state: State) -> None:
    later = moved(2, began=NOON + timedelta(seconds=1))
    await state.begin_moves(ANNA, PHONE, [later, moved(1), moved(3)])
    await state.begin_moves(ANNA, TABLET, [moved(4)])
    await state.finish_moves(ANNA, PHONE, [moved(3, 100)], {})
    assert await state.open_moves(ANNA, PHONE) == [moved(1), later]


async def test_old_moves_are_forgotten(state: State) -> None:
    later = moved(2, began=NOON + timedelta(days=1))
    await state.begin_moves(ANNA, PHONE, [moved(1), later])
    await state.prune_moves(NOON + timedelta(hours=1))
    assert await state.load_moves(ANNA, PHONE, INBOX, SENT, [(7, 1), (7, 2)]) == {(7, 2): later}


async def test_a_rename_under_way_is_stored_with_the_folder(state: State) -> None:
    folder = Folder(INBOX, "Old", uidvalidity=7, renaming="New")
    await state.save_folders(ANNA, FolderList(0, 2, (folder,)))
    assert (await state.load_folders(ANNA)).folders == (folder,)
