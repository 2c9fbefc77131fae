"""Tasks, notes and contacts brought into folders of the store from files; tasks and notes written as such."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.items import Item, ItemFolder, ItemKind
from gateway.pim.exchange.cards import card_entries
from gateway.pim.exchange.entries import Entry, entries
from gateway.pim.exchange.scan import Problem, scan
from gateway.pim.exchange.sorts import SORTS
from gateway.pim.notes.document import read_note
from gateway.pim.tasks.document import read_task
from gateway.store.sqlite import Database, SqliteItems
from gateway.sync.exporting import export_folder
from gateway.sync.importing import Import, Tally
from gateway.types import UserId
from tests.eas.content.shelf import NOW
from tests.eas.content.tasks.test_samples import APPLE, NEXTCLOUD, OPENTASKS, OUTLOOK, THUNDERBIRD
from tests.pim.exchange.samples import event

ANN = UserId("ann")
BERLIN = ZoneInfo("Europe/Berlin")


class Clock:
    """A clock that stands still."""

    def now(self) -> object:
        return NOW


@pytest.fixture
async def items(tmp_path: Path) -> AsyncIterator[SqliteItems]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield SqliteItems(database, Clock())  # type: ignore[arg-type]


async def bring(items: SqliteItems, folder: ItemFolder, text: str) -> tuple[Tally, list[Problem]]:
    problems: list[Problem] = []
    work = Import(items, ANN, folder, problem=problems.append, progress=lambda _: None)
    file = io.BytesIO(text.encode())
    tally = await work.run(entries(file, scan(file, SORTS[folder.kind]), BERLIN))
    return tally, problems


async def content(items: SqliteItems, folder: ItemFolder) -> dict[str, Item]:
    numbers = [one.number for one in await items.item_changes(folder.id, 0) if not one.gone]
    return {one.stored.uid: one for one in (await items.load_items(folder.id, numbers)).values()}


async def exported(items: SqliteItems, folder: ItemFolder) -> str:
    pieces = [piece async for piece in export_folder(items, folder, lambda _, why: pytest.fail(why))]
    return b"".join(pieces).decode()


def lines(*more: str) -> str:
    return "".join(f"{line}\r\n" for line in ("BEGIN:VCALENDAR", "VERSION:2.0", *more, "END:VCALENDAR"))


def todo(uid: str, *more: str) -> tuple[str, ...]:
    return ("BEGIN:VTODO", *([f"UID:{uid}"] if uid else []), "DTSTAMP:20260301T080000Z", *more, "END:VTODO")


async def test_tasks_of_all_programs_come_in_once_and_out_as_they_were(items: SqliteItems) -> None:
    folder = await items.provide_item_folder(ANN, ItemKind.TASKS, "Tasks")
    text = f"{APPLE}{THUNDERBIRD}{NEXTCLOUD}{OPENTASKS}{OUTLOOK}"
    tally, problems = await bring(items, folder, text)
    assert (tally.added, tally.left_out, problems) == (5, 0, [])
    again, _ = await bring(items, folder, text)
    assert (again.added, again.kept) == (0, 5)
    before = await content(items, folder)
    seen = {uid: read_task(one.stored.text, BERLIN) for uid, one in before.items()}
    assert seen["tb1"].due == read_task(THUNDERBIRD, BERLIN).due
    assert (before["ot1"].stored.ends is None, before["nc1"].stored.ends is None) == (False, True)
    other = await items.create_item_folder(ANN, ItemKind.TASKS, "Copy")
    written = await exported(items, folder)
    assert written.count("BEGIN:VTIMEZONE") == 1
    await bring(items, other, written)
    assert {
        uid: read_task(one.stored.text, BERLIN) for uid, one in (await content(items, other)).items()
    } == seen


async def test_what_is_no_task_costs_itself_alone(items: SqliteItems) -> None:
    folder = await items.provide_item_folder(ANN, ItemKind.TASKS, "Tasks")
    text = lines(
        *todo("one", "SUMMARY:good", "DUE:20260305T090000"),
        *event("party"),
        *todo("", "SUMMARY:nameless"),
        *todo("two")[:-1],
        *todo("two", "SUMMARY:two", "LAST-MODIFIED:20260302T080000Z"),
        *todo("two", "SUMMARY:older"),
    )
    tally, problems = await bring(items, folder, text)
    assert (tally.added, tally.left_out, tally.problems) == (3, 1, 1)
    assert [one.reason for one in problems] == [
        "a task without an end",
        "another version of a task that is there, no newer one",
    ]
    there = await content(items, folder)
    assert {read_task(one.stored.text).subject for one in there.values()} == {"good", "nameless", "two"}
    due = read_task(there["one"].stored.text).due
    assert due is not None
    assert due.tzinfo == BERLIN, "times in no zone are in the one that was named"
    newer = text.replace("SUMMARY:two", "SUMMARY:TWO").replace("20260302T080000Z", "20260303T080000Z")
    assert (await bring(items, folder, newer))[0].replaced == 1


async def test_notes_come_in_and_out(items: SqliteItems) -> None:
    folder = await items.provide_item_folder(ANN, ItemKind.NOTES, "Notes")
    note = ("BEGIN:VJOURNAL", "UID:n1", "SUMMARY:Recipe", "DESCRIPTION:flour\\, water", "END:VJOURNAL")
    tally, problems = await bring(items, folder, lines(*note, *todo("one")))
    assert (tally.added, problems) == (1, [])
    stored = (await content(items, folder))["n1"].stored
    seen = read_note(stored.text)
    assert (seen.subject, seen.body.plain if seen.body else "") == ("Recipe", "flour, water")
    assert "\r\n".join(note) in await exported(items, folder)


async def test_contacts_come_in_once(items: SqliteItems) -> None:
    folder = await items.provide_item_folder(ANN, ItemKind.CONTACTS, "Contacts")
    card = (
        "BEGIN:VCARD",
        "VERSION:3.0",
        "UID:c1",
        "FN:Bob",
        "N:;Bob;;;",
        "REV:20260301T080000Z",
        "END:VCARD",
        "",
    )
    for text, counts in (
        ("\r\n".join(card), (1, 0, 0)),
        ("\r\n".join(card), (0, 0, 1)),
        ("\r\n".join(card).replace("20260301", "20260302").replace("FN:Bob", "FN:Rob"), (0, 1, 0)),
    ):
        work = Import(
            items, ANN, folder, problem=lambda one: pytest.fail(one.reason), progress=lambda _: None
        )
        tally = await work.run(card_entries(io.BytesIO(text.encode())))
        assert (tally.added, tally.replaced, tally.kept) == counts
    (stored,) = [one.stored for one in (await content(items, folder)).values()]
    assert "FN:Rob" in stored.text


_MANY, _LONG = 600, 40_000


class Endless(io.RawIOBase):
    """A file of so many tasks, of which there is no more than what is asked for."""

    def __init__(self, count: int) -> None:
        self._head, self._tail = b"BEGIN:VCALENDAR\r\n", b"END:VCALENDAR\r\n"
        self._size = len(self._task(0))
        self._count = count
        self._at = 0

    def _task(self, number: int) -> bytes:
        inner = f"UID:{number:08}\r\nSUMMARY:{number:08}\r\nDESCRIPTION:{'x' * _LONG}"
        return f"BEGIN:VTODO\r\n{inner}\r\nEND:VTODO\r\n".encode()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        assert whence == 0
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        found = b"".join(self._pieces(self._at, self._at + size))
        self._at += len(found)
        return found

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        head = len(self._head)
        body = head + self._count * self._size
        yield self._head[start:end]
        first = max(start - head, 0) // self._size
        while first < self._count and head + first * self._size < end:
            at = head + first * self._size
            yield self._task(first)[max(start - at, 0) : max(end - at, 0)]
            first += 1
        yield self._tail[max(start - body, 0) : max(end - body, 0)]


def test_of_a_file_of_any_size_the_places_alone_are_kept() -> None:
    file = Endless(_MANY)
    tracemalloc.start()
    contents = scan(file, SORTS[ItemKind.TASKS])  # type: ignore[arg-type]
    found = entries(file, contents)  # type: ignore[arg-type]
    size = sum(one.size for one in found if isinstance(one, Entry))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert contents.count == _MANY
    assert size > _MANY * _LONG
    assert peak < _MANY * _LONG / 3
