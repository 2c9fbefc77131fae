"""What reading and changing items costs in SQLite, and what is left of a file that was cut off."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from gateway.errors import StateConflict
from gateway.items import Edit, ItemKind, Notice, NoticeFile, Right, StoredItem
from gateway.ports import Commit
from gateway.store.sqlite import Database, SqliteItems
from gateway.store.sqlite.schema import migrate
from gateway.store.sqlite.transactions import SqliteTransaction, run
from gateway.store.tables import itemcommits, itemfiles, itemfolders, itemrows, notices
from gateway.store.transactions import Transaction
from gateway.types import CollectionId
from tests.ports.items.helpers import LIST, Content, Time
from tests.ports.known import ANNA, BERT, FIRST, HOUR, NOON, PHONE

Work = Callable[[Transaction], Coroutine[None, None, object]]


@dataclass(frozen=True)
class Calendar:
    """A folder of `count` items, each an hour after the one before; `first` is the number of the first."""

    folder: CollectionId
    first: int
    count: int


LARGE = Calendar(CollectionId("i1"), 1, 10000)
SMALL = Calendar(CollectionId("i2"), 10001, 100)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database with both calendars, Anna's, and a file."""
    path = tmp_path_factory.mktemp("items") / "gateway.db"
    opened = sqlite3.connect(path, isolation_level=None)
    opened.execute("PRAGMA foreign_keys = ON")
    migrate(opened, path)
    opened.execute("BEGIN")
    transaction = SqliteTransaction(opened)
    run(itemfiles.begin(transaction, "plan.txt", "text/plain", b"octets", 0))
    for calendar in (LARGE, SMALL):
        run(itemfolders.create(transaction, ANNA, ItemKind.CALENDAR, "Calendar", ""))
        edits = [
            Edit(number, 0, StoredItem(f"{number}", "x" * 500, NOON + n * HOUR, NOON + (n + 1) * HOUR))
            for n, number in enumerate(run(itemcommits.new_numbers(transaction, calendar.count)))
        ]
        run(itemcommits.commit(transaction, Commit(ANNA, calendar.folder, edits), 0))
    opened.execute("COMMIT")
    yield opened
    opened.close()


@pytest.fixture
def connection(filled: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """The same database for every test, in a transaction that is undone."""
    filled.execute("BEGIN")
    yield filled
    filled.set_trace_callback(None)
    filled.execute("ROLLBACK")


def edit_one(calendar: Calendar) -> Work:
    """Edit one item, as a device does."""
    number, at = calendar.first + 5, 6
    commit = Commit(
        ANNA,
        calendar.folder,
        [Edit(number, at, StoredItem("new", "text", files=frozenset({1})))],
        device=PHONE,
        state=FIRST,
        notices=[Notice("n", (), b"")],
    )
    return lambda c: itemcommits.commit(c, commit, 1)


def last_hours(calendar: Calendar) -> tuple[datetime, datetime]:
    """When the last five items are."""
    return NOON + (calendar.count - 5) * HOUR, NOON + calendar.count * HOUR


COMMON: dict[str, Callable[[Calendar], Work]] = {
    "folder": lambda of: lambda c: itemfolders.load(c, ANNA, of.folder),
    "load": lambda of: lambda c: itemrows.load(c, of.folder, [of.first, of.first + 5]),
    "find": lambda of: lambda c: itemrows.find(c, ANNA, ItemKind.CALENDAR, [f"{of.first + 9}", "no"]),
    "no changes": lambda of: lambda c: itemrows.changes(c, of.folder, of.count),
    "changes": lambda of: lambda c: itemrows.changes(c, of.folder, of.count - 5),
    "ending": lambda of: lambda c: itemrows.ending(c, of.folder, *last_hours(of)),
    "between": lambda of: lambda c: itemrows.between(c, [of.folder], *last_hours(of)),
    "edit": edit_one,
    "move": lambda of: (
        lambda c: itemcommits.move(c, of.first, of.folder, CollectionId("i3"), moved=99999, now=0)
    ),
}
"""What is done often."""

OTHER: dict[str, Work] = {
    "folders": lambda c: itemfolders.load_all(c, ANNA),
    "default": lambda c: itemfolders.default(c, ANNA, ItemKind.CALENDAR),
    "provide": lambda c: itemfolders.provide(c, BERT, ItemKind.CALENDAR, "Calendar"),
    "provide all": lambda c: itemfolders.provide_all(c, BERT, dict.fromkeys(ItemKind, "It")),
    "create": lambda c: itemfolders.create(c, ANNA, ItemKind.CALENDAR, "More", ""),
    "update": lambda c: itemfolders.update(c, SMALL.folder, "Trips", LARGE.folder),
    "share": lambda c: itemfolders.share(c, SMALL.folder, BERT, Right.READ),
    "unshare": lambda c: itemfolders.share(c, SMALL.folder, BERT, None),
    "shares": lambda c: itemfolders.shares(c, SMALL.folder),
    "delete": lambda c: itemfolders.delete(c, SMALL.folder, 0),
    "numbers": lambda c: itemcommits.new_numbers(c, 5),
    "file": lambda c: itemfiles.find(c, LARGE.folder, 1),
    "read": lambda c: itemfiles.read(c, 1, 5, 10),
    "add file": lambda c: itemfiles.begin(c, "name", "x/y", b"content", 0),
    "are pending": lambda c: notices.are_pending(c, ANNA),
    "next notice": lambda c: notices.take(c, ANNA, ["other"]),
    "notice tried": lambda c: notices.note_attempt(c, ANNA, "n", 0),
    "notice told": lambda c: notices.note_told(c, ANNA, "n"),
    "notice bare": lambda c: notices.bare(c, ANNA, "n"),
    "notice split": lambda c: notices.split(c, ANNA, "n", {"a": (), "b": ()}, tried="a", now=0),
    "add notice": lambda c: notices.add(c, ANNA, Notice("m", (), b"", "uid", (NoticeFile(1),)), 1),
    "drop": lambda c: notices.drop(c, ANNA, "n", 0),
    "prune files": lambda c: itemfiles.prune(c, 0),
    "prune notices": lambda c: notices.prune(c, 0),
}


GIVEN = ("VIRTUAL TABLE", "CONSTANT ROWS", "SCAN doomed")
"""What may be gone through: values that came with the statement, and rows found by it so far."""


def do(connection: sqlite3.Connection, work: Work) -> None:
    """Do some work."""
    run(work(SqliteTransaction(connection)))


def plans(connection: sqlite3.Connection, work: Work) -> dict[str, list[str]]:
    """How SQLite goes about each statement of some work."""
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    do(connection, work)
    connection.set_trace_callback(None)
    return {
        statement: [detail for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        for statement in statements
    }


@pytest.mark.parametrize(
    "work",
    [*(work(LARGE) for work in COMMON.values()), *OTHER.values()],
    ids=[*COMMON, *OTHER],
)
def test_every_statement_goes_by_an_index(connection: sqlite3.Connection, work: Work) -> None:
    do(connection, lambda c: itemfolders.create(c, ANNA, ItemKind.CALENDAR, "Trips", ""))
    found = plans(connection, work)
    assert found
    scanned = [
        (detail, statement)
        for statement, plan in found.items()
        for detail in plan
        if detail.startswith("SCAN") and not any(given in detail for given in GIVEN)
    ]
    assert scanned == []


@pytest.mark.parametrize("name", ["changes", "no changes", "ending"])
def test_the_text_of_items_is_not_touched_for_what_changed(connection: sqlite3.Connection, name: str) -> None:
    ((plan,),) = plans(connection, COMMON[name](LARGE)).values()
    assert "USING COVERING INDEX" in plan


def steps(connection: sqlite3.Connection, work: Work) -> int:
    """How many instructions of its virtual machine SQLite runs for some work."""
    count = 0

    def step() -> int:
        nonlocal count
        count += 1
        return 0

    connection.execute("SAVEPOINT work")
    connection.set_progress_handler(step, 1)
    do(connection, work)
    connection.set_progress_handler(None, 1)
    connection.execute("ROLLBACK TO work")
    return count


@pytest.mark.parametrize("name", COMMON)
def test_cost_follows_changes_and_not_the_number_of_items(connection: sqlite3.Connection, name: str) -> None:
    do(connection, lambda c: itemfolders.create(c, ANNA, ItemKind.CALENDAR, "Trips", ""))
    few, many = (steps(connection, COMMON[name](calendar)) for calendar in (SMALL, LARGE))
    assert 0 < many <= few + 20


async def test_watches_are_told_of_what_another_process_does(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"
    async with await Database.open(path) as here, await Database.open(path) as there:
        items, others = SqliteItems(here, Time(NOON)), SqliteItems(there, Time(NOON))
        calendar = await items.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")
        heard: set[CollectionId] = set()
        items.watch_items(ANNA, heard.add)
        await items.tell_of_others()
        (number,) = await items.new_item_numbers(1)
        await items.tell_of_others()
        assert heard == set()
        await others.commit_items(Commit(ANNA, calendar.id, [Edit(number, 0, StoredItem("u", "text"))]))
        assert heard == set()
        await items.tell_of_others()
        assert heard == {LIST, calendar.id}
        heard.clear()
        await items.tell_of_others()
        assert heard == set()


async def test_processes_that_edit_one_item_do_not_overwrite_each_other(tmp_path: Path) -> None:
    path = tmp_path / "gateway.db"

    async def edit(items: SqliteItems, calendar: CollectionId, name: str) -> list[int]:
        done = []
        for _ in range(50):
            item = (await items.load_items(calendar, [1]))[1]
            text = f"{item.stored.text}{name}"
            with suppress(StateConflict):
                await items.commit_items(
                    Commit(ANNA, calendar, [Edit(1, item.revision, StoredItem("u", text))])
                )
                done.append(item.revision + 1)
        return done

    async with await Database.open(path) as one, await Database.open(path) as other:
        first, second = SqliteItems(one, Time(NOON)), SqliteItems(other, Time(NOON))
        calendar = (await first.provide_item_folder(ANNA, ItemKind.CALENDAR, "Calendar")).id
        await first.new_item_numbers(1)
        await first.commit_items(Commit(ANNA, calendar, [Edit(1, 0, StoredItem("u", ""))]))
        edits = await asyncio.gather(edit(first, calendar, "1"), edit(second, calendar, "2"))
        text = (await first.load_items(calendar, [1]))[1].stored.text
        by_revision = {at: name for name, done in zip("12", edits, strict=True) for at in done}
        assert text == "".join(by_revision[at] for at in sorted(by_revision))
        assert sorted(by_revision) == list(range(2, len(text) + 2))
        assert all(edits)


async def test_a_file_that_was_cut_off_is_forgotten(tmp_path: Path) -> None:
    def left(connection: sqlite3.Connection) -> tuple[int, int]:
        (files,) = connection.execute("SELECT count(*) FROM item_file").fetchone()
        (chunks,) = connection.execute("SELECT count(*) FROM item_file_chunk").fetchone()
        return files, chunks

    async with await Database.open(tmp_path / "gateway.db") as database:
        items = SqliteItems(database, Time(NOON))
        content = Content(100, 256 * 1024)
        storing = asyncio.ensure_future(items.add_item_file("large", "x/y", content))
        while content.taken < 5:
            await asyncio.sleep(0)
        storing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await storing
        files, chunks = await database.read(left)
        assert files == 1
        assert 0 < chunks < 100
        await items.prune_items(NOON + HOUR)
        assert await database.read(left) == (0, 0)
