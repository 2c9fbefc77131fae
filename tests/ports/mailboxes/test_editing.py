"""Editing messages over each kind of server: names last, and what was cut off is brought to an end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.app import SystemClock
from gateway.mail.draft import MARKER
from gateway.ports import Mailboxes
from gateway.store.sqlite.state import SqliteState
from gateway.sync.editable import EditableMailboxes
from gateway.types import (
    DRAFT,
    NO_DEVICE,
    SEEN,
    CollectionId,
    DeviceId,
    Rewrite,
    SectionRequest,
    Uids,
    UserId,
    Writing,
)

ANN = UserId("ann")
PHONE = DeviceId("PHONE1")
BOX = CollectionId("3")
INBOX = "INBOX"


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def editable(mail: Mailboxes, state: SqliteState) -> EditableMailboxes:
    return EditableMailboxes(mail, state, ANN, SystemClock())


def text(word: str, marker: str) -> bytes:
    return f"{MARKER}: {marker}\r\nSubject: {word}\r\nMessage-ID: <d@x.test>\r\n\r\n{word}\r\n".encode()


async def writing(mail: Mailboxes, marker: str, item: int = 0, stale: tuple[int, ...] = ()) -> Writing:
    validity, end = await mail.next_uid(INBOX)
    return Writing(marker, end - 1, Rewrite(validity, item, 0, {}, stale), PHONE, BOX, marker, b'{"a":1}')


async def stored(editable: EditableMailboxes, note: Writing, word: str) -> dict[str, int]:
    async with editable.editing(INBOX) as editing:
        answer = json.loads(await editing.store(note, text(word, note.marker), {DRAFT, SEEN}))
    assert answer.pop("a") == 1
    return dict(answer)


async def contents(mailboxes: Mailboxes) -> dict[int, bytes]:
    view = await mailboxes.view(INBOX)
    wanted = [SectionRequest(uid, "1") for uid in view.uids]
    found = await mailboxes.fetch_sections(INBOX, view.uidvalidity, wanted)
    return {request.uid: data.strip() for request, data in found.items()}


async def test_an_edited_message_goes_by_its_first_uid(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState
) -> None:
    first = await stored(editable, await writing(mail, "m1"), "one")
    item = first["uid"]
    assert first["edition"] == 0
    assert await contents(editable) == {item: b"one"}
    known = stale = item
    view = await editable.view(INBOX)
    for number, word in enumerate(("two", "three"), 2):
        answer = await stored(editable, await writing(mail, f"m{number}", item, (stale,)), word)
        assert answer["uid"] == item
        assert answer["edition"] not in {0, known}
        known = stale = answer["edition"]
        view = await editable.view(INBOX)
        assert (view.uids, view.editions) == (Uids([item]), {item: known})
        assert await contents(editable) == {item: word.encode()}
        assert list((await mail.view(INBOX)).uids) == [known]
        assert await editable.find_message_id(INBOX, "<d@x.test>") == Uids([item])
    assert set(await state.load_intents(ANN, PHONE, BOX)) == {"m1", "m2", "m3"}
    assert await editable.set_flags(INBOX, view.uidvalidity, [item], remove=[SEEN]) == Uids([item])
    (found,) = (await editable.fetch(INBOX, view.uidvalidity, [item], ["Subject"])).values()
    assert (found.uid, SEEN in found.flags) == (item, False)
    assert await editable.expunge(INBOX, view.uidvalidity, [item]) == Uids([item])
    assert await contents(editable) == {}
    assert (await state.load_rewrites(ANN, INBOX)).done == ()


async def test_a_message_is_found_again_that_was_stored_and_not_noted(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    note = await writing(mail, "m2", item, (item,))
    await state.begin_writing(ANN, INBOX, note)
    await mail.append(INBOX, text("noise", "other"))
    await mail.append(INBOX, text("two", "m2"))
    view = await editable.view(INBOX)
    assert set(view.editions) == {item}
    assert sorted((await contents(editable)).values()) == [b"noise", b"two"]
    assert (await contents(editable))[item] == b"two"
    assert sorted((await contents(mail)).values()) == [b"noise", b"two"]
    intents = await state.load_intents(ANN, PHONE, BOX)
    assert json.loads(intents["m2"]) == {"a": 1, "uid": item, "edition": view.editions[item]}


class LaterClock(SystemClock):
    """Some time ahead."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


async def test_a_message_that_was_not_stored_is_forgotten_in_the_end(
    mail: Mailboxes, state: SqliteState
) -> None:
    clock = LaterClock()
    editable = EditableMailboxes(mail, state, ANN, clock)
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    await state.begin_writing(ANN, INBOX, await writing(mail, "m2", item, (item,)))
    for minutes, left in ((0, 1), (59, 1), (61, 0)):
        clock.ahead = timedelta(minutes=minutes)
        assert await contents(editable) == {item: b"one"}
        assert len((await state.load_rewrites(ANN, INBOX)).pending) == left
    assert "m2" not in await state.load_intents(ANN, PHONE, BOX)
    assert await state.load_memo(ANN, NO_DEVICE, f"doubt {INBOX}") is None


@pytest.mark.parametrize("edited", [False, True], ids=["new", "edited"])
async def test_what_a_slow_server_stores_late_is_found_by_who_asks_again(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState, edited: bool
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    await state.begin_writing(ANN, INBOX, await writing(mail, "m2", *((item, (item,)) if edited else ())))
    assert await contents(editable) == {item: b"one"}
    await mail.append(INBOX, text("noise", "other"))
    assert sorted((await contents(editable)).values()) == [b"noise", b"one"]
    await mail.append(INBOX, text("two", "m2"))
    left = [b"noise", b"two"] if edited else [b"noise", b"one", b"two"]
    assert sorted((await contents(editable)).values()) == left
    assert sorted((await contents(mail)).values()) == left
    assert json.loads((await state.load_intents(ANN, PHONE, BOX))["m2"])["a"] == 1
    assert (await state.load_rewrites(ANN, INBOX)).pending == ()


@pytest.mark.parametrize("edited", [False, True], ids=["new", "edited"])
async def test_what_a_slow_server_stores_after_the_repeat_is_removed(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState, edited: bool
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    place = (item, (item,)) if edited else ()
    await state.begin_writing(ANN, INBOX, replace(await writing(mail, "m2", *place), name="op"))
    again = await stored(editable, replace(await writing(mail, "m3", *place), name="op"), "three")
    await mail.append(INBOX, text("two", "m2"))
    left = [b"three"] if edited else [b"one", b"three"]
    assert sorted((await contents(editable)).values()) == left
    assert sorted((await contents(mail)).values()) == left
    assert json.loads((await state.load_intents(ANN, PHONE, BOX))["op"]) == {"a": 1, **again}
    assert (await state.load_rewrites(ANN, INBOX)).pending == ()


async def test_a_late_version_does_not_undo_what_another_device_wrote_since(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    await state.begin_writing(ANN, INBOX, await writing(mail, "m2", item, (item,)))
    other = replace(await writing(mail, "m3", item, (item,)), device=DeviceId("PHONE2"))
    await stored(editable, other, "three")
    await mail.append(INBOX, text("two", "m2"))
    found = await contents(editable)
    assert found[item] == b"three"
    assert sorted(found.values()) == [b"three", b"two"]  # no text is lost


async def test_an_old_version_that_is_still_there_is_hidden_and_removed(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    note = await writing(mail, "m2", item, (item,))
    await state.begin_writing(ANN, INBOX, note)
    await mail.append(INBOX, text("two", "m2"))
    newest = max((await mail.view(INBOX)).uids)
    await state.finish_writing(ANN, INBOX, note, newest, b"{}")
    assert await contents(editable) == {item: b"two"}
    assert list((await mail.view(INBOX)).uids) == [newest]


async def test_nobody_sees_a_mailbox_between_two_versions(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    note = await writing(mail, "m2", item, (item,))
    async with editable.editing(INBOX):
        await state.begin_writing(ANN, INBOX, note)
        await mail.append(INBOX, text("two", "m2"))
        # As a request does and what it began beside itself.
        other = EditableMailboxes(mail, state, ANN, SystemClock())
        looking = [asyncio.create_task(other.view(INBOX)) for _ in range(2)]
        done, _ = await asyncio.wait(looking, timeout=0.3)
        assert not done
    for view in await asyncio.wait_for(asyncio.gather(*looking), 20):
        assert list(view.uids) == [item]
        assert set(view.editions) == {item}


async def test_names_belong_to_one_uidvalidity(
    editable: EditableMailboxes, mail: Mailboxes, state: SqliteState
) -> None:
    item = (await stored(editable, await writing(mail, "m1"), "one"))["uid"]
    note = await writing(mail, "m2")
    other = replace(note, rewrite=replace(note.rewrite, uidvalidity=note.rewrite.uidvalidity + 1, item=item))
    await state.begin_writing(ANN, INBOX, other)
    await state.finish_writing(ANN, INBOX, other, 99, b"{}")
    assert await contents(editable) == {item: b"one"}
