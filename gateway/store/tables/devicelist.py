"""Devices of everybody, searched, paged and counted by the database, as transactions.

What an administrator decided by rules (patterns, groups) is said in SQL, so that no more devices are read
than are shown. A statement is put together of constants and of `?` for each text that comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.ports.devicelist import (
    AccessChoice,
    Alike,
    Choice,
    Condition,
    DeviceCounts,
    Fact,
    FoundDevices,
    Place,
    PolicyCount,
    SeenUser,
    Standing,
    WantedDevices,
)
from gateway.store.tables.devices import AWAITED, SELECT, of_row
from gateway.store.tables.times import from_milliseconds
from gateway.store.transactions import Dialects, Transaction
from gateway.types import Access, Device, UserId

__all__ = ["count", "count_policies", "find", "list_after", "list_users"]

_AFTER = f"""
    {SELECT} WHERE (cast(?1 AS text) IS NULL OR d."user" = ?1) AND (d."user", d.id) > (?2, ?3)
    ORDER BY d."user", d.id LIMIT ?4
"""
_USERS = """
    SELECT "user", count(*), max(last_seen) FROM device GROUP BY "user" ORDER BY "user"
"""
_SEEN = "coalesce(d.last_seen, d.first_seen, 0)"
_ASKED_FOR = "d.wipe IS NOT NULL AND d.stage <> 'done'"
_STANDING = {
    Standing.DECIDED: "d.access IS NOT NULL",
    Standing.WIPE: _ASKED_FOR,
    Standing.WIPED: "d.stage = 'done'",
}
_FACTS = {
    Fact.USER: 'd."user"',
    Fact.DEVICE: "d.\"user\" || '/' || d.id",
    Fact.TYPE: "d.type",
    Fact.MODEL: "MODEL",
    Fact.AGENT: "d.agent",
    Fact.VERSION: "d.version",
}
_EVERYTHING = (
    "d.\"user\" || ' ' || d.id || ' ' || d.type || ' ' || MODEL || ' ' || d.agent || ' ' || d.address"
    " || ' ' || FRIENDLY"
)
# PostgreSQL has no character NUL, and fails where it is to read one. A backslash before these letters looks
# like one: pairs of backslashes are put aside meanwhile, as a character that is nowhere else in JSON.
_PLAIN = r"replace(replace(replace(d.information, '\\', chr(1)), '\u0000', ''), chr(1), '\\')::json ->> '{}'"
_GROUP = 'EXISTS (SELECT 1 FROM membership AS m WHERE m."user" = d."user" AND m.held = 1 AND m.name = ?)'


@dataclass(slots=True)
class _Said:
    """A part of a statement, and the values in it, in the order in which they stand there."""

    values: list[object] = field(default_factory=list)

    def like(self, text: str, pattern: str) -> str:
        """Whether a text is like a pattern of LIKE, with `!` before what is meant literally."""
        self.values.append(pattern)
        return f"lower(({text}) LETTERS) LIKE lower(?) ESCAPE '!'"

    def alike(self, alike: Alike) -> str:
        """Whether a fact is like one of some patterns."""
        if alike.fact is Fact.GROUP:
            self.values += alike.patterns
            return _any(_GROUP for _ in alike.patterns)
        fact = _FACTS[alike.fact]
        return _any(self.like(fact, _pattern(one)) for one in alike.patterns)

    def holds(self, condition: Condition) -> str:
        """Whether all of a condition holds."""
        return _all(self.alike(one) for one in condition)

    def chosen(self, choice: Choice, answers: Sequence[str], otherwise: str) -> str:
        """The answer for the first condition that holds."""
        if not choice.conditions:
            return otherwise
        cases = [
            f"WHEN {self.holds(one)} THEN {answer}"
            for one, answer in zip(choice.conditions, answers, strict=True)
        ]
        return f"CASE {' '.join(cases)} ELSE {otherwise} END"

    def access(self, choice: AccessChoice) -> str:
        """What a device may do."""
        barred = _any(("d.stage = 'done'", *(self.holds(one) for one in choice.barred)))
        chosen = self.chosen(choice.rules, [*map(_text, choice.accesses)], _text(choice.otherwise))
        return f"CASE WHEN {barred} THEN 'block' WHEN d.access IS NOT NULL THEN d.access ELSE {chosen} END"

    def wanted(self, wanted: WantedDevices, choice: AccessChoice) -> str:
        """Whether a device is one of those that are looked for."""
        told = (
            (Fact.USER, wanted.user),
            (Fact.TYPE, wanted.type),
            (Fact.MODEL, wanted.model),
            (Fact.AGENT, wanted.agent),
        )
        parts = [self.like(_FACTS[fact], f"%{_literal(text)}%") for fact, text in told if text]
        parts += [self.like(_EVERYTHING, f"%{_literal(word)}%") for word in wanted.words]
        if wanted.standing in _STANDING:
            parts.append(_STANDING[wanted.standing])
        elif wanted.standing is not None:
            parts.append(f"{self.access(choice)} = {_text(Access(wanted.standing.value))}")
        return _all(parts)


async def list_after(
    transaction: Transaction, user: UserId | None, place: Place | None, most: int
) -> list[Device]:
    """Devices by user and id, behind a place; of a user, or of everybody."""
    behind = place or ("", "")
    return [of_row(row) for row in await transaction.rows(_AFTER, (user, *behind, most))]


async def find(
    transaction: Transaction, wanted: WantedDevices, choice: AccessChoice, first: int, most: int
) -> FoundDevices:
    """A part of the devices that are looked for, those seen last first, and those that never came."""
    said = _Said()
    condition = said.wanted(wanted, choice)
    page = f'{_listed("d.*")} WHERE {condition} ORDER BY {_SEEN} DESC, d."user", d.id LIMIT ? OFFSET ?'
    rows = await transaction.rows(_both(page), (*said.values, most, first))
    devices = [of_row(row) for row in rows]
    total = await transaction.row(_both(f"{_listed('count(*)')} WHERE {condition}"), said.values)
    known = await transaction.row(_both(_listed("count(*)")))
    assert total is not None
    assert known is not None
    return FoundDevices(devices, int(total[0]), int(known[0]))


async def count(transaction: Transaction, choice: AccessChoice) -> DeviceCounts:
    """How many devices there are, and how many want something done."""
    said = _Said()
    waiting = f"{said.access(choice)} = 'quarantine'"
    counts = (
        'count(*), count(DISTINCT d."user"),'
        f" coalesce(sum(CASE WHEN {_ASKED_FOR} THEN 1 ELSE 0 END), 0),"
        f" coalesce(sum(CASE WHEN {waiting} THEN 1 ELSE 0 END), 0)"
    )
    row = await transaction.row(_both(f"SELECT {counts} FROM ({SELECT}) AS d"), said.values)
    assert row is not None
    return DeviceCounts(*map(int, row))


async def count_policies(
    transaction: Transaction, choice: Choice, digests: Sequence[str]
) -> Mapping[int, PolicyCount]:
    """How many devices each policy is for, by its place; -1: none. `digests` are what each is known by."""
    said = _Said()
    chosen = said.chosen(choice, [str(place) for place in range(len(choice.conditions))], "-1")
    statement = f"""
        SELECT place, policy, count(*), sum(CASE WHEN policy_key <> 0 THEN 1 ELSE 0 END),
            sum(CASE WHEN refused <> 0 THEN 1 ELSE 0 END)
        FROM (SELECT {chosen} AS place, d.policy, d.policy_key, d.refused FROM ({SELECT}) AS d) AS counted
        GROUP BY place, policy
    """
    counted: dict[int, PolicyCount] = {}
    for place, digest, devices, keyed, refused in await transaction.rows(_both(statement), said.values):
        known = counted.get(place, PolicyCount())
        current = digest == (digests[place] if place >= 0 else "")
        counted[place] = PolicyCount(
            known.devices + int(devices),
            known.acknowledged + (int(keyed) if current else 0),
            known.refused + int(refused),
        )
    return counted


async def list_users(transaction: Transaction) -> list[SeenUser]:
    """Who has devices, by user."""
    return [
        SeenUser(UserId(user), int(devices), None if seen is None else from_milliseconds(seen))
        for user, devices, seen in await transaction.rows(_USERS)
    ]


def _listed(columns: str) -> str:
    """A question about all devices, known or decided of."""
    return f"SELECT {columns} FROM ({SELECT} UNION ALL {AWAITED}) AS d"


def _both(statement: str) -> Dialects:
    """The statement with what databases have differently: JSON that devices tell of themselves, and letters.

    Columns that are sorted by their octets (COLLATE "C") know the case of letters of ASCII alone.
    """

    def told(sqlite: str, postgres: str, name: str) -> tuple[str, str]:
        return f"coalesce({sqlite.format(name)}, '')", f"coalesce({postgres.format(name)}, '')"

    texts = {
        "sqlite": statement.replace("LETTERS", ""),
        "postgres": statement.replace("LETTERS", 'COLLATE "default"'),
    }
    for word, name in (("MODEL", "Model"), ("FRIENDLY", "FriendlyName")):
        said = told("json_extract(d.information, '$.{}')", _PLAIN, name)
        for dialect, text in zip(texts, said, strict=True):
            texts[dialect] = texts[dialect].replace(word, text)
    return Dialects(**texts)


def _pattern(written: str) -> str:
    """A pattern of the configuration as one of LIKE."""
    return _literal(written).replace("*", "%").replace("?", "_")


def _literal(text: str) -> str:
    # A pattern ends at NUL in SQLite, and would match everything that begins so.
    return "".join(
        f"!{one}" if one in "!%_" else one for one in text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def _text(access: Access) -> str:
    return f"'{access.value}'"


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions) or '1 = 0'})"


def _all(conditions: Iterable[str]) -> str:
    return f"({' AND '.join(conditions) or '1 = 1'})"
