"""Events brought into a calendar of the store, and calendars written, with their files."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.errors import NotFound, Refused, StateConflict
from gateway.items import Edit, FileNumber, Item, ItemFolder, ItemKind, Right
from gateway.pim.events.document import read_event
from gateway.pim.events.model import EventPatch, File
from gateway.pim.exchange.entries import entries
from gateway.pim.exchange.scan import Problem, scan
from gateway.ports import Commit
from gateway.store.sqlite import Database, SqliteItems
from gateway.sync import importing
from gateway.sync.exporting import export_folder, export_item
from gateway.sync.importing import Import, Known, Tally
from gateway.types import UserId
from tests.pim.events.made import HOUR, NOW
from tests.pim.exchange.samples import SAMPLES, calendar, event, event_of
from tests.support.events import new_event, patch_event, stored_event

ANN, BOB = UserId("ann"), UserId("bob")


class Clock:
    """A clock that stands still."""

    def now(self) -> object:
        return NOW


@pytest.fixture
async def items(tmp_path: Path) -> AsyncIterator[SqliteItems]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield SqliteItems(database, Clock())  # type: ignore[arg-type]


@pytest.fixture
async def folder(items: SqliteItems) -> ItemFolder:
    return await items.provide_item_folder(ANN, ItemKind.CALENDAR, "Calendar")


async def bring(
    items: SqliteItems,
    folder: ItemFolder,
    text: str | bytes,
    known: Known = Known.NEWER,
    *,
    user: UserId = ANN,
    rehearse: bool = False,
) -> Tally:
    """Import a text; the reports are in step with the tally."""
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    problems: list[Problem] = []
    seen: list[int] = []
    work = Import(
        items,
        user,
        folder,
        known=known,
        rehearse=rehearse,
        problem=problems.append,
        progress=lambda tally: seen.append(tally.done),
    )
    tally = await work.run(entries(file, scan(file)))
    assert sum(one.whole for one in problems) == tally.left_out
    assert len(problems) == tally.left_out + tally.problems
    assert seen == sorted(seen)
    return tally


async def content(items: SqliteItems, folder: ItemFolder) -> dict[str, Item]:
    """What the calendar holds, by UID."""
    numbers = [one.number for one in await items.item_changes(folder.id, 0) if not one.gone]
    return {one.stored.uid: one for one in (await items.load_items(folder.id, numbers)).values()}


async def exported(items: SqliteItems, folder: ItemFolder) -> bytes:
    problems: list[str] = []
    pieces = [
        piece async for piece in export_folder(items, folder, lambda _, reason: problems.append(reason))
    ]
    assert problems == []
    return b"".join(pieces)


def counts(tally: Tally) -> tuple[int, int, int, int]:
    return tally.added, tally.replaced, tally.kept, tally.left_out


@pytest.mark.parametrize("name", sorted(SAMPLES))
async def test_reading_a_file_again_changes_nothing(
    items: SqliteItems, folder: ItemFolder, name: str
) -> None:
    sample = SAMPLES[name]
    assert counts(await bring(items, folder, sample.text)) == (len(sample.starts), 0, 0, 0)
    before = await content(items, folder)
    assert counts(await bring(items, folder, sample.text)) == (0, 0, len(sample.starts), 0)
    assert await content(items, folder) == before
    assert [*before] == [*sample.starts]


@pytest.mark.parametrize("name", sorted(SAMPLES))
async def test_what_was_exported_is_there_again(items: SqliteItems, folder: ItemFolder, name: str) -> None:
    await bring(items, folder, SAMPLES[name].text)
    other = await items.create_item_folder(ANN, ItemKind.CALENDAR, "Other")
    await bring(items, other, await exported(items, folder))
    before, after = await content(items, folder), await content(items, other)
    assert {uid: one.stored for uid, one in after.items()} == {uid: one.stored for uid, one in before.items()}


async def test_events_without_a_name_are_not_doubled(items: SqliteItems, folder: ItemFolder) -> None:
    nameless = tuple(line for line in event("") if not line.startswith("UID"))
    text = calendar(*nameless, *nameless, *event("other"))
    assert counts(await bring(items, folder, text)) == (2, 0, 1, 0)
    assert counts(await bring(items, folder, text)) == (0, 0, 3, 0)


@pytest.mark.parametrize(
    ("known", "version", "subject"),
    [
        (Known.NEWER, "SEQUENCE:2", "new"),
        (Known.NEWER, "SEQUENCE:1", "new"),
        (Known.NEWER, "SEQUENCE:0", "old"),
        (Known.REPLACE, "SEQUENCE:0", "new"),
        (Known.KEEP, "SEQUENCE:2", "old"),
    ],
)
async def test_what_is_there_already(
    items: SqliteItems, folder: ItemFolder, known: Known, version: str, subject: str
) -> None:
    await bring(items, folder, calendar(*event("one", "SUMMARY:old", "SEQUENCE:1")))
    (before,) = (await content(items, folder)).values()
    newer = event("one", "SUMMARY:new", version, "LAST-MODIFIED:20260401T000000Z")
    tally = await bring(items, folder, calendar(*newer), known)
    assert counts(tally) == ((0, 1, 0, 0) if subject == "new" else (0, 0, 1, 0))
    (after,) = (await content(items, folder)).values()
    assert read_event(after.stored.text, "").subject == subject
    assert after.number == before.number


async def test_a_rehearsal_stores_nothing(items: SqliteItems, folder: ItemFolder) -> None:
    tally = await bring(items, folder, calendar(*event("one"), *event("bad", start="")), rehearse=True)
    assert counts(tally) == (1, 0, 0, 1)
    assert await content(items, folder) == {}


async def test_who_may_only_read_brings_nothing_in(items: SqliteItems, folder: ItemFolder) -> None:
    await items.share_item_folder(folder.id, BOB, Right.READ)
    seen = await items.item_folder(BOB, folder.id)
    assert seen is not None
    with pytest.raises(Refused):
        await bring(items, seen, calendar(*event("one")), user=BOB)
    await items.share_item_folder(folder.id, BOB, Right.WRITE)
    seen = await items.item_folder(BOB, folder.id)
    assert seen is not None
    assert counts(await bring(items, seen, calendar(*event("one")), user=BOB)) == (1, 0, 0, 0)
    assert counts(await bring(items, seen, calendar(*event("one")), user=BOB)) == (0, 0, 1, 0)


async def test_what_a_device_does_meanwhile_counts(
    items: SqliteItems, folder: ItemFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, overtaken = items.commit_items, 3

    async def slow(todo: Commit) -> object:
        nonlocal overtaken
        if overtaken:
            overtaken -= 1
            stored = stored_event(
                calendar(*event("one", f"SUMMARY:{overtaken}", f"SEQUENCE:{3 - overtaken}"))
            )
            there = (await content(items, folder)).get("one")
            (number,) = [there.number] if there else await items.new_item_numbers(1)
            await commit(Commit(ANN, folder.id, [Edit(number, there.revision if there else 0, stored)]))
        return await commit(todo)

    monkeypatch.setattr(items, "commit_items", slow)
    text = calendar(*event("one", "SEQUENCE:9", "SUMMARY:mine"), *event("two"))
    assert counts(await bring(items, folder, text)) == (1, 1, 0, 0)
    overtaken = 99
    with pytest.raises(StateConflict):
        await bring(items, folder, calendar(*event("one", "SEQUENCE:200"), *event("three")))
    assert sorted(await content(items, folder)) == ["one", "two"]


async def test_many_events_come_in_batches(
    items: SqliteItems, folder: ItemFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_BATCH", 7)
    lines = [line for number in range(50) for line in event(f"u{number}")]
    assert counts(await bring(items, folder, calendar(*lines))) == (50, 0, 0, 0)
    assert len(await content(items, folder)) == 50


# --- files -------------------------------------------------------------------------------------------------


async def files_of(items: SqliteItems, folder: ItemFolder, item: Item) -> dict[str, bytes]:
    found = {}
    for number in item.stored.files:
        info = await items.item_file(folder.id, number)
        assert info is not None
        found[f"{info.name} {info.content_type}"] = await items.read_item_file(number, 0, info.size)
    return found


async def with_file(items: SqliteItems, folder: ItemFolder, contents: bytes) -> FileNumber:
    """Put an event with a file into the store."""
    number = await items.add_item_file("Grüße; 1.pdf", "application/pdf", [contents])
    file = File(number, "Grüße; 1.pdf", "application/pdf", len(contents), "cid-1", inline=True)
    made = new_event(EventPatch(start=NOW, end=NOW + HOUR, files=(file,)), "one", "", NOW)
    (item,) = await items.new_item_numbers(1)
    await items.commit_items(Commit(ANN, folder.id, [Edit(item, 0, stored_event(made))]))
    return number


@pytest.mark.parametrize("size", [0, 1, 54, 55, 54 * 4096, 54 * 4096 + 1, 700_000])
async def test_files_go_along(items: SqliteItems, folder: ItemFolder, size: int) -> None:
    contents = bytes(number * 7 % 251 for number in range(size))
    number = await with_file(items, folder, contents)
    text = await exported(items, folder)
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))
    assert b"x-activesync-file" not in text
    other = await items.create_item_folder(ANN, ItemKind.CALENDAR, "Other")
    await bring(items, other, text)
    (item,) = (await content(items, other)).values()
    assert await files_of(items, other, item) == {"Grüße; 1.pdf application/pdf": contents}
    (again,) = read_event(item.stored.text, "").files
    assert again.number != number
    assert (again.name, again.size, again.content_id, again.inline) == ("Grüße; 1.pdf", size, "cid-1", True)
    # The same again, with its files, in place of what is there.
    assert counts(await bring(items, other, text, Known.REPLACE)) == (0, 1, 0, 0)
    (item,) = (await content(items, other)).values()
    assert await files_of(items, other, item) == {"Grüße; 1.pdf application/pdf": contents}


async def test_a_file_of_somebody_else_is_not_taken(items: SqliteItems, folder: ItemFolder) -> None:
    number = await with_file(items, folder, b"secret")
    bobs = await items.provide_item_folder(BOB, ItemKind.CALENDAR, "Calendar")
    text = calendar(*event("thief", f"ATTACH;MANAGED-ID={number}:x-activesync-file:{number}"))
    tally = await bring(items, bobs, text, user=BOB)
    assert (tally.added, tally.problems) == (1, 1)
    (item,) = (await content(items, bobs)).values()
    assert "x-activesync-file" not in item.stored.text


# --- export ------------------------------------------------------------------------------------------------


async def test_one_event_alone(items: SqliteItems, folder: ItemFolder) -> None:
    await bring(items, folder, calendar(*event("one", "SUMMARY:x"), *event("two")))
    written = b"".join([piece async for piece in export_item(items, folder, "one")])
    assert written.decode() == (await content(items, folder))["one"].stored.text
    with pytest.raises(NotFound):
        [piece async for piece in export_item(items, folder, "three")]


async def test_events_that_mean_the_same_by_themselves_alone(items: SqliteItems, folder: ItemFolder) -> None:
    """Times in no zone, and zones of which others have the name for another one."""
    zone = ("BEGIN:VTIMEZONE", "TZID:Ours", "BEGIN:STANDARD", "DTSTART:16010101T000000")
    zones = [
        (*zone, f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE")
        for offset in ("+0111", "+0222")
    ]
    texts = [
        calendar(*one, *event(f"zone {number}", start="DTSTART;TZID=Ours:20260302T100000"))
        for number, one in enumerate(zones)
    ]
    texts.append(calendar(*event("floating", start="DTSTART:20260302T100000")))
    for text in texts:
        await bring(items, folder, text)
    written = await exported(items, folder)
    assert written.count(b"BEGIN:VCALENDAR") == 3
    other = await items.create_item_folder(ANN, ItemKind.CALENDAR, "Other")
    await bring(items, other, written)
    before, after = await content(items, folder), await content(items, other)
    assert {uid: one.stored for uid, one in after.items()} == {uid: one.stored for uid, one in before.items()}


async def test_what_changes_while_it_is_written(items: SqliteItems, folder: ItemFolder) -> None:
    await bring(items, folder, calendar(*event("one"), *event("two"), *event("three")))
    pieces: list[bytes] = []
    async for piece in export_folder(items, folder, lambda _, reason: pytest.fail(reason)):
        if not pieces:
            there = await content(items, folder)
            one, two = there["one"], there["two"]
            text = patch_event(one.stored.text, EventPatch(subject="NEW"), "", NOW)
            edits = [Edit(one.number, one.revision, stored_event(text)), Edit(two.number, two.revision, None)]
            await items.commit_items(Commit(ANN, folder.id, edits))
        pieces.append(piece)
    file = io.BytesIO(b"".join(pieces))
    found = [one for one in entries(file, scan(file)) if not isinstance(one, Problem)]
    assert {one.uid: event_of(one).subject for one in found} == {"one": "NEW", "three": ""}
