"""What every adapter of the port `State` does with annotations of messages."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.ports import State
from gateway.types import CollectionId, Folder, FolderList, SyncState
from tests.ports.known import ANNA, BERT, INBOX, MILLISECOND, NOON, PHONE

TRASH = CollectionId("2")


async def newest(state: State, collection: CollectionId = INBOX) -> int:
    """The newest revision, as a request finds it: with the state of the collection."""
    if await state.load_sync(ANNA, PHONE, collection) is None:
        await state.save_sync(ANNA, PHONE, collection, SyncState("e", 1, b""))
    stored = await state.load_sync(ANNA, PHONE, collection)
    assert stored is not None
    assert (await state.load_syncs(ANNA, PHONE))[collection] == stored
    return stored.annotations


async def test_values_come_back_by_message_and_name(state: State) -> None:
    saved = await state.save_annotations(
        ANNA, INBOX, 7, {1: {"flag": bytes(range(256)), "verb": b""}, 4294967295: {"flag": b"x"}}
    )
    assert saved == {(1, "flag"): 1, (1, "verb"): 1, (4294967295, "flag"): 1}
    found = await state.load_annotations(ANNA, INBOX, 7, [4294967295, 2, 1])
    assert found == {1: {"flag": bytes(range(256)), "verb": b""}, 4294967295: {"flag": b"x"}}
    assert await state.load_annotations(ANNA, INBOX, 7, []) == {}


async def test_messages_are_found_by_a_value(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"like": b"a", "flag": b"x"}, 2: {"like": b"b"}})
    await state.save_annotations(ANNA, TRASH, 8, {5: {"like": b"c", "flag": b"a"}})
    await state.save_annotations(BERT, INBOX, 7, {6: {"like": b"d"}})
    found = await state.find_annotated(ANNA, "like", [b"a", b"c", b"d", b"x"])
    assert found == {b"a": (INBOX, 7, 1), b"c": (TRASH, 8, 5)}


async def test_a_user_of_whose_messages_nothing_was_ever_kept_is_known_at_once(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": None}})
    assert not await state.has_annotations(ANNA)
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"x"}})
    assert await state.has_annotations(ANNA)
    assert not await state.has_annotations(BERT)
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": None}})
    assert await state.has_annotations(ANNA)


async def test_whoever_watches_is_told_of_changes(state: State) -> None:
    told: list[CollectionId] = []
    end = state.watch_annotations(ANNA, told.append)
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"x"}})
    await state.save_annotations(BERT, INBOX, 7, {1: {"flag": b"x"}})
    assert told == [INBOX]
    await state.move_annotations(ANNA, (INBOX, 7), (TRASH, 8), {1: 5, 2: 6})
    await state.move_annotations(ANNA, (INBOX, 7), (TRASH, 8), {1: 5, 2: 6})
    assert told == [INBOX, TRASH]
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": None}})
    assert told == [INBOX, TRASH]
    await state.save_annotations(ANNA, TRASH, 8, {5: {"flag": None}})
    assert told == [INBOX, TRASH, TRASH]
    end()
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"y"}})
    assert told == [INBOX, TRASH, TRASH]


async def test_users_collections_and_uidvalidities_are_apart(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"x"}})
    for user, collection, uidvalidity in ((BERT, INBOX, 7), (ANNA, TRASH, 7), (ANNA, INBOX, 8)):
        assert await state.load_annotations(user, collection, uidvalidity, [1]) == {}
        assert await state.changed_annotations(user, collection, uidvalidity, 0) == {}
    assert await newest(state, TRASH) == 0


async def test_each_change_has_the_next_revision_and_a_repetition_none(state: State) -> None:
    assert await newest(state) == 0
    one, two = (1, "flag"), (2, "flag")
    saved = await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a"}, 2: {"flag": b"b"}})
    assert saved == {one: 1, two: 1}
    assert await state.save_annotations(ANNA, INBOX, 7, {2: {"flag": b"c"}}) == {two: 2}
    saved = await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a"}, 2: {"flag": b"c"}})
    assert saved == {one: 1, two: 2}
    assert await newest(state) == 2
    assert await state.changed_annotations(ANNA, INBOX, 7, 0) == {one: 1, two: 2}
    assert await state.changed_annotations(ANNA, INBOX, 7, 1) == {two: 2}
    assert await state.changed_annotations(ANNA, INBOX, 7, 2) == {}


async def test_what_is_taken_away_is_a_change_too(state: State) -> None:
    assert await state.save_annotations(ANNA, INBOX, 7, {3: {"flag": None}}) == {}
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a", "verb": b"v"}})
    assert await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": None}}) == {(1, "flag"): 2}
    assert await state.load_annotations(ANNA, INBOX, 7, [1]) == {1: {"verb": b"v"}}
    assert await state.changed_annotations(ANNA, INBOX, 7, 1) == {(1, "flag"): 2}
    assert await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": None}}) == {(1, "flag"): 2}


async def test_they_follow_a_message_that_moves(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a"}, 2: {"verb": b"v"}, 3: {"flag": b"c"}})
    for _ in range(2):
        await state.move_annotations(ANNA, (INBOX, 7), (TRASH, 9), {1: 100, 2: 101, 50: 102})
        assert await state.load_annotations(ANNA, TRASH, 9, range(100, 110)) == {
            100: {"flag": b"a"},
            101: {"verb": b"v"},
        }
        assert await state.changed_annotations(ANNA, TRASH, 9, 0) == {(100, "flag"): 1, (101, "verb"): 1}
        assert await state.load_annotations(ANNA, INBOX, 7, [1, 2, 3]) == {3: {"flag": b"c"}}
        assert await newest(state, TRASH) == 1


async def test_what_was_taken_away_follows_too(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a"}})
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": None}})
    for _ in range(2):
        await state.move_annotations(ANNA, (INBOX, 7), (TRASH, 9), {1: 100})
        assert await state.load_annotations(ANNA, TRASH, 9, [100]) == {}
        assert await state.changed_annotations(ANNA, TRASH, 9, 0) == {(100, "flag"): 1}


async def test_those_of_gone_messages_are_forgotten_after_a_while(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {uid: {"flag": b"a"} for uid in (1, 2, 3, 4)})
    await state.drop_annotations(ANNA, INBOX, 7, [1, 2, 3, 99], NOON)
    await state.drop_annotations(ANNA, INBOX, 7, [2], NOON + timedelta(days=1))
    await state.prune_annotations(NOON)
    assert set(await state.load_annotations(ANNA, INBOX, 7, [1, 2, 3, 4])) == {1, 2, 3, 4}
    await state.move_annotations(ANNA, (INBOX, 7), (TRASH, 9), {1: 100})
    await state.save_annotations(ANNA, INBOX, 7, {3: {"flag": b"a"}})
    await state.prune_annotations(NOON + MILLISECOND)
    assert set(await state.load_annotations(ANNA, INBOX, 7, [1, 2, 3, 4])) == {3, 4}
    assert set(await state.load_annotations(ANNA, TRASH, 9, [100])) == {100}


async def test_those_of_a_gone_folder_are_forgotten(state: State) -> None:
    for collection in (INBOX, TRASH):
        await state.save_annotations(ANNA, collection, 7, {1: {"flag": b"a"}})
    folders = (Folder(INBOX, "INBOX"), Folder(TRASH, "Trash", gone=True))
    await state.save_folders(ANNA, FolderList(0, 3, folders))
    await state.prune_annotations(NOON)
    assert await state.load_annotations(ANNA, INBOX, 7, [1]) == {1: {"flag": b"a"}}
    assert await state.load_annotations(ANNA, TRASH, 7, [1]) == {}


async def test_the_revision_never_goes_back(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a"}})
    await state.drop_annotations(ANNA, INBOX, 7, [1], NOON)
    await state.prune_annotations(NOON + MILLISECOND)
    assert await newest(state) == 1
    assert await state.save_annotations(ANNA, INBOX, 8, {1: {"flag": b"a"}}) == {(1, "flag"): 2}


async def test_many_writers_have_each_a_revision_of_their_own(state: State) -> None:
    saved = await asyncio.gather(
        *(state.save_annotations(ANNA, INBOX, 7, {uid: {"flag": b"a"}}) for uid in range(1, 51))
    )
    assert sorted(revision for one in saved for revision in one.values()) == list(range(1, 51))


async def test_thousands_are_read_at_once(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {uid: {"flag": b"a"} for uid in range(1, 5001, 2)})
    assert len(await state.load_annotations(ANNA, INBOX, 7, range(1, 5001))) == 2500


async def test_what_changed_after_a_revision_stays(state: State) -> None:
    await state.save_annotations(ANNA, INBOX, 7, {1: {"flag": b"a", "verb": b"v"}, 2: {"flag": b"b"}})
    await state.save_annotations(ANNA, INBOX, 7, {2: {"flag": b"c"}})
    forget = {uid: {"flag": None} for uid in (1, 2, 3)}
    assert await state.save_annotations(ANNA, INBOX, 7, forget, newest=1) == {(1, "flag"): 3}
    assert await state.load_annotations(ANNA, INBOX, 7, [1, 2]) == {1: {"verb": b"v"}, 2: {"flag": b"c"}}
