"""Messages of which everything is known, trees of conditions made at random, and which of them hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

from gateway.query import And, Contains, HasAttachment, HasFlag, Not, Or, Place, Query, Received
from gateway.types import SEEN

BEGIN = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
COLOURS, FRUITS = ("red", "green", "blue"), ("apple", "pear", "plum")


@dataclass(frozen=True, slots=True)
class Known:
    """A message: its subject, whether it was read and has files, and its internal date."""

    subject: str
    seen: bool
    files: bool
    received: datetime


KNOWN = [
    Known(f"{colour} {fruit}", number % 2 == 0, number % 3 == 0, BEGIN + timedelta(hours=7 * number))
    for number, (colour, fruit) in enumerate(product(COLOURS, FRUITS))
]
"""From old to new."""


def holds(query: Query, known: Known) -> bool:
    """Whether a query made by `random_tree` holds for a message."""
    match query:
        case And(terms):
            return all(holds(term, known) for term in terms)
        case Or(terms):
            return any(holds(term, known) for term in terms)
        case Not(term):
            return not holds(term, known)
        case Contains(_, text):
            return text in known.subject
        case Received(since, _):
            return since is None or known.received >= since
        case HasAttachment():
            return known.files
        case _:
            return known.seen


def random_tree(chance: Random, depth: int) -> Query:
    """A tree with at most so many levels of And, Or and Not."""
    match chance.randrange(7 if depth else 4):
        case 0:
            return Contains(Place.SUBJECT, chance.choice((*COLOURS, *FRUITS)))
        case 1:
            return HasFlag(SEEN)
        case 2:
            return HasAttachment()
        case 3:
            return Received(since=BEGIN + timedelta(hours=chance.randrange(70)))
        case 4:
            return Not(random_tree(chance, depth - 1))
        case kind:
            terms = tuple(random_tree(chance, depth - 1) for _ in range(chance.randrange(4)))
            return And(terms) if kind == 5 else Or(terms)
