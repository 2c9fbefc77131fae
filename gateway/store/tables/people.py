"""The users of this gateway by their addresses, as transactions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.pim.people import words_of
from gateway.ports.directory import Entry, Found, domain_of
from gateway.store.tables.times import milliseconds
from gateway.store.transactions import Dialects, Transaction
from gateway.types import UserId

__all__ = ["named", "note", "prune", "search", "users_at"]

_NOTE = """
    INSERT INTO person (key, "user", domain, address, name, sorting, words, rules, seen)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (key, "user") DO UPDATE SET
        address = excluded.address, name = excluded.name, sorting = excluded.sorting,
        words = excluded.words, rules = excluded.rules, seen = excluded.seen
"""
_USERS_AT = Dialects(
    sqlite="""
        SELECT DISTINCT user FROM json_each(?1) AS wanted CROSS JOIN person ON person.key = wanted.value
        ORDER BY user
    """,
    postgres="""
        SELECT DISTINCT "user" FROM person WHERE key = ANY ($1::text[]) ORDER BY "user"
    """,
)
_FOUND = Dialects(
    sqlite="""
        SELECT address, name, count(*) OVER () FROM person WHERE {condition}
        GROUP BY key ORDER BY sorting, key LIMIT ?
    """,
    postgres="""
        SELECT address, name, count(*) OVER () FROM (
            SELECT DISTINCT ON (key) key, address, name, sorting FROM person WHERE {condition} ORDER BY key
        ) AS found ORDER BY sorting, key LIMIT ?
    """,
)
_DOMAIN = "domain = ?"
_ALSO_DOMAIN = "domain || '' = ?"
"""Not looked for by its index: names are rarer."""
_NAMED = "(key = ? OR sorting = ?)"
_HAS_WORD = Dialects(sqlite="instr(words, ?)", postgres="strpos(words, ?) > 0")


async def search(
    transaction: Transaction, words: Sequence[str], domain: str | None, first: int, count: int
) -> Found:
    """Those who have a word that begins so for each of these, in a mail domain or (None) any."""
    condition = Dialects(
        *(" AND ".join([word] * len(words)) for word in (_HAS_WORD.sqlite, _HAS_WORD.postgres))
    )
    values = [f" {word}" for word in words]
    if domain is not None:
        condition = Dialects(f"{condition.sqlite} AND {_DOMAIN}", f"{condition.postgres} AND {_DOMAIN}")
        values.append(domain)
    return await _find(transaction, condition, values, first, count)


async def named(transaction: Transaction, name: str, domain: str | None, count: int) -> Found:
    """Those with this address or whole name, in a mail domain or (None) any."""
    condition, values = _NAMED, [name.lower(), name.casefold()]
    if domain is not None:
        condition, values = f"{condition} AND {_ALSO_DOMAIN}", [*values, domain]
    return await _find(transaction, Dialects(condition, condition), values, 0, count)


async def note(transaction: Transaction, user: UserId, entry: Entry, rules: str, now: datetime) -> None:
    """Note who came with which address. Those that other rules made are forgotten."""
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
    await transaction.run('DELETE FROM person WHERE "user" = ? AND rules <> ?', (user, rules))
    await transaction.run(_NOTE, row)


async def users_at(transaction: Transaction, addresses: Sequence[str]) -> list[UserId]:
    """The users who have one of these addresses (in lower case)."""
    return [UserId(user) for (user,) in await transaction.rows(_USERS_AT, (list(addresses),))]


async def prune(transaction: Transaction, before: datetime, rules: str) -> None:
    """Forget who did not come since that time, and addresses made by other rules."""
    await transaction.run("DELETE FROM person WHERE seen < ? OR rules <> ?", (milliseconds(before), rules))


async def _find(
    transaction: Transaction, condition: Dialects, values: Sequence[str], first: int, count: int
) -> Found:
    statement = Dialects(
        _FOUND.sqlite.format(condition=condition.sqlite), _FOUND.postgres.format(condition=condition.postgres)
    )
    rows = list(await transaction.rows(statement, (*values, first + count)))
    total = rows[0][2] if rows else 0
    return Found(tuple(Entry(address, name) for address, name, _ in rows[first:]), total)
