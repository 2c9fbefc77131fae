"""The ports `Directory` and `People` on one SQLite file: the users of this gateway."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.pim.people import wanted_words, words_of
from gateway.ports.directory import Entry, Found, Viewer, domain_of
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.times import milliseconds
from gateway.types import UserId

__all__ = ["SqlitePeople"]

_NOTE = """
    INSERT INTO person (key, user, domain, address, name, sorting, words, rules, seen)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET address = excluded.address, name = excluded.name, sorting = excluded.sorting,
        words = excluded.words, rules = excluded.rules, seen = excluded.seen
"""
_USERS_AT = """
    SELECT DISTINCT user FROM json_each(?) AS wanted CROSS JOIN person ON person.key = wanted.value
    ORDER BY user
"""
_FOUND = """
    SELECT address, name, count(*) OVER () FROM person WHERE {condition}
    GROUP BY key ORDER BY sorting, key LIMIT ?
"""
_DOMAIN = "domain = ?"
_ALSO_DOMAIN = "+domain = ?"
"""Not looked for by its index: names are rarer."""
_NAMED = "(key = ? OR sorting = ?)"
_HAS_WORD = "instr(words, ?)"


class SqlitePeople:
    """The users of this gateway, in the file of `SqliteState`. What each method does is said in the ports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        words = [f" {word}" for word in wanted_words(text)]
        if not words:
            return Found()
        conditions, values = [_HAS_WORD] * len(words), words
        if viewer.domain is not None:
            conditions, values = [*conditions, _DOMAIN], [*values, viewer.domain]
        return await self._find(conditions, values, first, count)

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        wanted = text.strip()
        conditions, values = [_NAMED], [wanted.lower(), wanted.casefold()]
        if viewer.domain is not None:
            conditions, values = [*conditions, _ALSO_DOMAIN], [*values, viewer.domain]
        return await self._find(conditions, values, 0, count)

    async def note_person(self, user: UserId, entry: Entry, rules: str, now: datetime) -> None:
        key, name = entry.address.lower(), entry.name.casefold()
        row = (
            key,
            user,
            domain_of(key),
            entry.address,
            entry.name,
            name or key,
            words_of([name], [key]),
            rules,
            milliseconds(now),
        )

        def note(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM person WHERE user = ? AND rules != ?", (user, rules))
            connection.execute(_NOTE, row)

        await self._database.write(note)

    async def users_at(self, addresses: Collection[str]) -> Sequence[UserId]:
        wanted = json.dumps([address.strip().lower() for address in addresses])
        return await self._database.look_up(
            lambda connection: [UserId(user) for (user,) in connection.execute(_USERS_AT, (wanted,))]
        )

    async def prune_people(self, before: datetime, rules: str) -> None:
        row = (milliseconds(before), rules)
        await self._database.write(
            lambda connection: connection.execute("DELETE FROM person WHERE seen < ? OR rules != ?", row)
        )

    async def _find(self, conditions: list[str], values: list[str], first: int, count: int) -> Found:
        statement = _FOUND.format(condition=" AND ".join(conditions))

        def find(connection: sqlite3.Connection) -> Found:
            rows = connection.execute(statement, (*values, first + count)).fetchall()
            total = rows[0][2] if rows else 0
            return Found(tuple(Entry(address, name) for address, name, _ in rows[first:]), total)

        return await self._database.read(find)
