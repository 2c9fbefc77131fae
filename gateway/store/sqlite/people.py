"""The ports `Directory` and `People` on one SQLite file: the users of this gateway."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.ports.directory import Entry, Found, domain_of
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.times import milliseconds
from gateway.types import UserId

__all__ = ["SqlitePeople"]

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\S+")
_AROUND = ",;\"'()<>"
_MOST_WORDS = 10

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

    async def search(self, text: str, domain: str | None, first: int, count: int) -> Found:
        pieces = (piece.strip(_AROUND) for piece in _PIECE.findall(text.casefold()))
        words = [f" {piece}" for piece in pieces if piece][:_MOST_WORDS]
        if not words:
            return Found()
        conditions, values = [_HAS_WORD] * len(words), words
        if domain is not None:
            conditions, values = [*conditions, _DOMAIN], [*values, domain]
        return await self._find(conditions, values, first, count)

    async def named(self, text: str, domain: str | None, count: int) -> Found:
        wanted = text.strip()
        conditions, values = [_NAMED], [wanted.lower(), wanted.casefold()]
        if domain is not None:
            conditions, values = [*conditions, _ALSO_DOMAIN], [*values, domain]
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
            _words(name, key),
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


def _words(name: str, address: str) -> str:
    """The words of a name and an address, and what is between the separators in them, behind a space each."""
    local = address.rpartition("@")[0]
    texts = [*_PIECE.findall(name), address]
    inner = [word for text in (name, local, domain_of(address)) for word in _WORD.findall(text)]
    return "".join(f" {word}" for word in dict.fromkeys((*texts, *inner)))
