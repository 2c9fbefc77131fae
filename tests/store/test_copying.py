"""A store copied to the other kind of database and back: the same row by row, whenever the copy is ended."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest

from gateway.app.stores import serve_store
from gateway.config import Settings
from gateway.errors import GatewayError
from gateway.mail.pieces import Joined
from gateway.ports import Act
from gateway.store.copying import ORDER, Side, copy, layout
from gateway.store.postgres import PostgresTransactions, connect_alone, parse_url
from gateway.store.sqlite import Database
from gateway.store.sqlite.transactions import SqliteTransactions
from gateway.store.transactions import Transaction, Work
from gateway.types import Device, DeviceId
from tests.store.sqlite.golden import content
from tests.support.postgres import Postgres

T = TypeVar("T")
P = ParamSpec("P")
MANY = 1100
"""Rows of a table, in more than two batches."""
LARGE = bytes(range(256)) * 4096 * 5
"""A file of 5 MiB, in more than one batch too."""
ODD = "a\0b\x1ac\x1a0 ü 😀"
"""What PostgreSQL does not take as it is."""

NOTICE_FILE = (
    "INSERT INTO notice_file SELECT notice_mail.id, 0, number, 'c', 1 FROM notice_mail, item_file LIMIT 1"
)


def settings(url: str) -> Settings:
    return Settings.model_validate({"imap": {"host": "h"}, "smtp": {"host": "h"}, "store": {"url": url}})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one of everything, and much of some."""
    path = tmp_path_factory.mktemp("filled") / "gateway.db"

    async def fill() -> None:
        async with await Database.open(path) as database:
            state, items, people = content.stores(database)
            await content.fill(state, items, people)
            acts = [Act(content.THEN, "cli", f"act {number}", details=ODD) for number in range(MANY)]
            await asyncio.gather(*map(state.note_act, acts))
            await items.add_item_file(ODD, "text/plain", Joined((LARGE,)))
            for name in ("\0", "\x1a", "\x1b", "é", "Z"):  # which the databases put in different orders
                await state.save_device(Device(content.BERT, DeviceId(name), ODD))
            # A number that was given to a row that is gone is not given again.
            entry, _ = await state.begin_send(
                replace(content.MAIL, client_id="c2", message_id="", digest="11"), content.LONG_AGO
            )
            await database.write(lambda it: it.execute(NOTICE_FILE))
            await database.write(lambda it: it.execute("DELETE FROM outbox WHERE id = ?", (entry.id,)))

    asyncio.run(fill())
    return path


def quiet(*_: object) -> None:
    """Progress that nobody looks at."""


class Ended(Exception):
    """The process is no more."""


class Mortal:
    """A side that is no more after so many transactions."""

    def __init__(self, side: Side, writes: int) -> None:
        self._side = side
        self._left = writes

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._side.read(work, *args, **kwargs)

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._left == 0:
            raise Ended
        self._left -= 1
        return await self._side.write(work, *args, **kwargs)


async def rows(side: Side) -> dict[str, list[tuple[Any, ...]]]:
    """All that is kept, in one order."""
    tables = await side.read(layout)

    async def every(transaction: Transaction, name: str, columns: Iterable[str]) -> Sequence[Any]:
        listed = ", ".join(f'"{column}"' for column in columns)
        return list(await transaction.rows(f'SELECT {listed} FROM "{name}"'))  # noqa: S608

    return {
        name: sorted((tuple(row) for row in await side.read(every, name, table.columns)), key=repr)
        for name, table in tables.items()
    }


async def open_sqlite(path: Path, stack: AsyncExitStack) -> SqliteTransactions:
    return SqliteTransactions(await stack.enter_async_context(await Database.open(path)))


async def test_there_and_back_all_is_the_same(filled: Path, tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.url(postgres.create())
    async with AsyncExitStack() as stack:
        source = await open_sqlite(filled, stack)
        there = await stack.enter_async_context(connect_alone(parse_url(url)))
        back = await open_sqlite(tmp_path / "back.db", stack)
        before = await rows(source)
        assert [name for name, found in before.items() if not found] == []
        counts = await copy(source, there, "the source", quiet)
        assert counts == {name: len(found) for name, found in before.items()}
        assert await rows(there) == before
        await copy(there, back, "there", quiet)
        assert await rows(back) == before

    def counters(path: Path) -> dict[str, int]:
        with closing(sqlite3.connect(path)) as connection:
            return dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))

    assert counters(tmp_path / "back.db") == counters(filled)
    async with await PostgresTransactions.open(parse_url(url)) as opened:
        entry = await opened.write(_next_entry)
        assert entry == counters(filled)["outbox"] + 1


async def _next_entry(transaction: Transaction) -> int:
    row = await transaction.row(
        'INSERT INTO outbox ("user", device, client_id, message_id, digest, save, stage, created) '
        "VALUES ('u', 'd', 'c', 'm', 'x', 0, 'done', 1) RETURNING id"
    )
    assert row is not None
    return int(row[0])


async def test_ended_after_each_batch_it_goes_on(filled: Path, tmp_path: Path, postgres: Postgres) -> None:
    async with AsyncExitStack() as stack:
        source = await open_sqlite(filled, stack)
        before = await rows(source)
        there: Side = await stack.enter_async_context(
            connect_alone(parse_url(postgres.url(postgres.create())))
        )
        back: Side = await open_sqlite(tmp_path / "back.db", stack)
        for one, other, name in ((source, there, "here"), (there, back, "there")):
            ends = 0
            while True:
                # One to begin or to go on, and a batch or the end.
                try:
                    await copy(one, Mortal(other, 2), name, quiet)
                except Ended:
                    ends += 1
                else:
                    break
            assert ends > len(before)
            assert await rows(other) == before


async def test_no_gateway_serves_from_half_a_copy(filled: Path, tmp_path: Path, postgres: Postgres) -> None:
    url, path = postgres.url(postgres.create()), tmp_path / "half.db"
    async with AsyncExitStack() as stack:
        source = await open_sqlite(filled, stack)
        half = Mortal(await open_sqlite(path, stack), 5)
        with pytest.raises(Ended):
            await copy(source, half, "/the/source", quiet)
        async with connect_alone(parse_url(url)) as other:
            with pytest.raises(Ended):
                await copy(source, Mortal(other, 5), "/the/source", quiet)
            with pytest.raises(GatewayError, match="a copy of /the/source that is not whole yet"):
                await copy(source, other, "/another", quiet)
    for store in (f"sqlite://{path}", url):
        with pytest.raises(
            GatewayError, match="a copy of /the/source that is not whole yet: run migrate again"
        ):
            async with serve_store(settings(store)):
                raise AssertionError("it serves")


async def test_what_changed_meanwhile_is_found_and_copied_anew(filled: Path, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        source, target = (
            await open_sqlite(tmp_path / "source.db", stack),
            await open_sqlite(tmp_path / "x", stack),
        )
        await copy(await open_sqlite(filled, stack), source, "filled", quiet)
        with pytest.raises(Ended):
            await copy(source, Mortal(target, 10), "source", quiet)

        async def change(transaction: Transaction) -> None:
            assert await transaction.run("UPDATE folder_list SET revision = revision + 1") > 0

        await source.write(change)
        with pytest.raises(GatewayError, match="the table folder_list is not the same in both stores"):
            await copy(source, target, "source", quiet)
        await copy(source, target, "source", quiet, anew=True)
        assert await rows(target) == await rows(source)
        with pytest.raises(GatewayError, match="the target is not empty: there is something in its table"):
            await copy(source, target, "source", quiet, anew=True)


async def test_postgres_is_had_alone_or_not_at_all(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.postgres.alone._WAIT_SECONDS", 0.2)
    location = parse_url(postgres.url(postgres.create()))
    async with connect_alone(location):
        with pytest.raises(GatewayError, match="migrate copies it just now"):
            await PostgresTransactions.open(location)
    async with await PostgresTransactions.open(location):
        with pytest.raises(GatewayError, match="a gateway is using it: stop all of them first"):
            async with connect_alone(location):
                raise AssertionError("it is not alone")


def test_no_row_refers_to_one_that_is_copied_later(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        refers = connection.execute(
            'SELECT m.name, f."table" FROM sqlite_schema AS m JOIN pragma_foreign_key_list(m.name) AS f '
            "WHERE m.type = 'table'"
        ).fetchall()
    assert refers
    places = {name: place for place, name in enumerate(ORDER)}
    for name, other in refers:
        assert places[other] < places.get(name, len(ORDER)), f"{name} refers to {other}"
