"""The whole content of one database copied to another one, of the same kind or not, a batch at a time.

The target has a table `half_copy` from the first moment of the copy to the last, which says what it is a copy
of and how far it is. Each batch is written in one transaction with the place it reaches, so a copy that was
ended at any point goes on where it was. Nobody serves from a database with that table. At the end, both are
read once more and compared: what changed in the source meanwhile is found, and the table stays.

Whoever calls this sees to it that nobody else uses either of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar

from gateway.errors import GatewayError
from gateway.store.transactions import Dialects, Row, Transaction, Work

__all__ = ["ORDER", "Progress", "Side", "check_whole", "copy", "layout"]

T = TypeVar("T")
P = ParamSpec("P")

Progress: TypeAlias = Callable[[str, str, int, int], None]
"""Called with what is done ("copy", "compare"), the table, how many rows it has, and how many are done."""

ORDER = ("folder_list", "outbox", "item_folder", "item", "item_file", "notice_mail", "notice")
"""Tables that others refer to, each behind those it refers to itself. All others come after them."""

_OWN = frozenset({"migration", "secret", "lease", "probe", "half_copy"})
"""What belongs to the one database, and is not copied."""
_ROWS = 500
_FEW_ROWS = {"item": 50, "item_file_chunk": 16, "notice_mail": 1, "outbox_copy": 1}
"""Rows of a batch, where they may be large: a batch is held in memory."""
_DIGEST = 1 << 128

# Number of a column in the primary key, 0 outside of it.
_COLUMNS = Dialects(
    sqlite="""
        SELECT m.name, c.name, c.pk FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c
        WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'
    """,
    # A number that only tells which row was first is SQLite's rowid: nobody names a row by it.
    postgres="""
        SELECT c.table_name::text, c.column_name::text, coalesce(k.ordinal_position, 0)::bigint
        FROM information_schema.columns AS c
        LEFT JOIN information_schema.table_constraints AS t
            ON t.table_schema = c.table_schema AND t.table_name = c.table_name
                AND t.constraint_type = 'PRIMARY KEY'
        LEFT JOIN information_schema.key_column_usage AS k
            ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name
                AND k.table_name = c.table_name AND k.column_name = c.column_name
        WHERE c.table_schema = current_schema()
            AND NOT (c.is_identity = 'YES' AND k.ordinal_position IS NULL)
    """,
)
_IS_HALF = Dialects(
    sqlite="SELECT 1 FROM sqlite_schema WHERE name = 'half_copy'",
    postgres="""
        SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = 'half_copy'
    """,
)
# Numbers that are never given again, though what had them is gone: table, column, the last one.
_COUNTERS = Dialects(
    sqlite="""
        SELECT m.name, c.name, coalesce(s.seq, 0) FROM sqlite_schema AS m
        JOIN pragma_table_info(m.name) AS c ON c.pk = 1
        LEFT JOIN sqlite_sequence AS s ON s.name = m.name
        WHERE m.type = 'table' AND m.sql LIKE '%AUTOINCREMENT%'
    """,
    postgres="""
        SELECT table_name::text, column_name::text,
            coalesce(pg_sequence_last_value(
                pg_get_serial_sequence(quote_ident(table_name), column_name)::regclass), 0)
        FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'
    """,
)
# SQLite keeps them in a table without a key.
_FORGET_COUNTER = Dialects(
    sqlite="DELETE FROM sqlite_sequence WHERE name = ?1", postgres="SELECT 1 WHERE $1::text IS NULL"
)
_COUNT = Dialects(
    sqlite="INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?3 WHERE ?3 > 0",
    postgres="""
        SELECT setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, greatest($3::bigint, 1), $3 > 0)
    """,
)


class Side(Protocol):
    """A database that nobody else uses meanwhile. `write` and `read` are those of `Transactions`."""

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in the order of their names, and those of its primary key in its order."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]

    @property
    def limit(self) -> int:
        """Rows of a batch."""
        return _FEW_ROWS.get(self.name, _ROWS)

    def place(self, row: Row) -> list[Any]:
        """The primary key of a row."""
        return [row[self.columns.index(column)] for column in self.key]

    def select(self, after: Sequence[Any]) -> str:
        """The next rows in the order of the primary key, behind a place or from the first."""
        key = _list(self.key)
        where = f"WHERE ({key}) > ({_marks(after)})" if after else ""
        order = f"ORDER BY {key} LIMIT {self.limit}"
        return f'SELECT {_list(self.columns)} FROM "{self.name}" {where} {order}'  # noqa: S608 - our own names

    @property
    def insert(self) -> str:
        columns, marks = _list(self.columns), _marks(self.columns)
        return f'INSERT INTO "{self.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Half:
    """How far a copy is: the tables before this one are done, and of this one the rows up to the place."""

    source: str
    table: str
    place: Sequence[Any]


async def check_whole(transaction: Transaction) -> None:
    """Raises `GatewayError` for a database that was not copied to its end."""
    half = await _half(transaction)
    if half is not None:
        raise GatewayError(
            f"the store is a copy of {half.source} that is not whole yet: run migrate again, to its end"
        )


async def layout(transaction: Transaction) -> Mapping[str, Table]:
    """The tables to be copied, in the order in which no row refers to one that comes later."""
    columns: dict[str, dict[str, int]] = {}
    for name, column, place in await transaction.rows(_COLUMNS):
        if name not in _OWN:
            columns.setdefault(name, {})[column] = place
    names = [*ORDER, *sorted(columns.keys() - set(ORDER))]
    return {name: _table(name, columns[name]) for name in names}


async def copy(
    source: Side, target: Side, name: str, progress: Progress, *, anew: bool = False
) -> Mapping[str, int]:
    """Copy all of it, or go on with it; `name` is what the source is called. Returns the rows of each table.

    `anew` has a copy that was begun emptied first. Raises `GatewayError` when the target has a content of its
    own, when the schemas differ, and when both do not have the same in the end.
    """
    tables = await source.read(layout)
    if tables != await target.read(layout):
        raise GatewayError("the two stores do not have the same schema: use one release for both")
    half = await target.write(_begin, tables, name, anew)
    sizes = {table: await source.read(_size, table) for table in tables}
    names = list(tables)
    for table in names[names.index(half.table) :]:
        place = half.place if table == half.table else ()
        told = partial(progress, "copy", table, sizes[table])
        await _copy_table(source, target, tables[table], place, told)
    for table, size in sizes.items():
        await _compare(source, target, tables[table], partial(progress, "compare", table, size))
    await target.write(_end, await source.read(_counters))
    return sizes


async def _copy_table(
    source: Side, target: Side, table: Table, place: Sequence[Any], told: Callable[[int], None]
) -> None:
    done = await target.read(_size, table.name) if place else 0
    told(done)
    async for rows in _pages(source, table, place):
        await target.write(_append, table, rows)
        done += len(rows)
        told(done)


async def _compare(source: Side, target: Side, table: Table, told: Callable[[int], None]) -> None:
    """Raises `GatewayError` unless both have the same rows."""
    told(0)
    count, _ = found = await _digest(source, table)
    if found != await _digest(target, table):
        raise GatewayError(
            f"the table {table.name} is not the same in both stores: the source was changed since the copy "
            "was begun: run migrate with --anew"
        )
    told(count)


async def _digest(side: Side, table: Table) -> tuple[int, int]:
    """How many rows a table has, and the sum of their digests: databases put text in different orders."""
    count = total = 0
    async for rows in _pages(side, table, ()):
        count += len(rows)
        for row in rows:
            digest = hashlib.blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
            total = (total + int.from_bytes(digest, "big")) % _DIGEST
    return count, total


async def _pages(side: Side, table: Table, place: Sequence[Any]) -> AsyncIterator[Sequence[Row]]:
    while rows := await side.read(_next, table, place):
        yield rows
        place = table.place(rows[-1])


async def _next(transaction: Transaction, table: Table, place: Sequence[Any]) -> Sequence[Row]:
    return list(await transaction.rows(table.select(place), place))


async def _append(transaction: Transaction, table: Table, rows: Sequence[Row]) -> None:
    await transaction.run_all(table.insert, rows)
    await transaction.run(
        "UPDATE half_copy SET done = ?, place = ?", (table.name, _text(table.place(rows[-1])))
    )


async def _begin(transaction: Transaction, tables: Mapping[str, Table], source: str, anew: bool) -> Half:
    """Have the target be a copy of the source that has just begun, or see how far it is."""
    half = await _half(transaction)
    if half is not None and not anew:
        if half.source != source:
            raise GatewayError(f"the target is a copy of {half.source} that is not whole yet")
        return half
    if half is None:
        await _check_empty(transaction, tables)
        await transaction.row("CREATE TABLE half_copy (source text, done text, place text)")
    # Also the one row that every database begins with.
    for table in reversed([*tables]):
        await transaction.run(f'DELETE FROM "{table}"')  # noqa: S608 - names of our own
    await transaction.run("DELETE FROM half_copy")
    begun = Half(source, next(iter(tables)), ())
    await transaction.run(
        "INSERT INTO half_copy (source, done, place) VALUES (?, ?, '[]')", (source, begun.table)
    )
    return begun


async def _check_empty(transaction: Transaction, tables: Mapping[str, Table]) -> None:
    for table in tables:
        condition = "WHERE newest > 0" if table == "item_number" else ""
        if await transaction.row(f'SELECT 1 FROM "{table}" {condition} LIMIT 1'):  # noqa: S608 - our own names
            raise GatewayError(f"the target is not empty: there is something in its table {table}")


async def _half(transaction: Transaction) -> Half | None:
    if await transaction.row(_IS_HALF) is None:
        return None
    row = await transaction.row("SELECT source, done, place FROM half_copy")
    assert row is not None
    return Half(row[0], row[1], json.loads(row[2], object_hook=lambda value: bytes.fromhex(value["hex"])))


async def _size(transaction: Transaction, table: str) -> int:
    row = await transaction.row(f'SELECT count(*) FROM "{table}"')  # noqa: S608 - a name of our own
    assert row is not None
    return int(row[0])


async def _counters(transaction: Transaction) -> Mapping[str, int]:
    return {table: last for table, _, last in await transaction.rows(_COUNTERS)}


async def _end(transaction: Transaction, counters: Mapping[str, int]) -> None:
    """Have no number given again that was given before, and the copy be whole."""
    await transaction.row("DROP TABLE half_copy")
    for table, column, last in list(await transaction.rows(_COUNTERS)):
        row = await transaction.row(f'SELECT coalesce(max("{column}"), 0) FROM "{table}"')  # noqa: S608 - our own
        assert row is not None
        newest = max(last, row[0], counters.get(table, 0))
        await transaction.row(_FORGET_COUNTER, (table,))
        await transaction.row(_COUNT, (table, column, newest))


def _table(name: str, columns: Mapping[str, int]) -> Table:
    key = sorted((place, column) for column, place in columns.items() if place)
    return Table(name, tuple(sorted(columns)), tuple(column for _, column in key))


def _text(place: Sequence[Any]) -> str:
    return json.dumps(place, default=lambda octets: {"hex": octets.hex()})


def _list(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
