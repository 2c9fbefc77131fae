"""What every database behind the gateway does for the tables: transactions, and telling of changes.

The tables (`store/tables`) are written once, as coroutines that get a `Transaction`. A database that answers
at once, as SQLite in its thread does, runs them without ever waiting; one behind a network waits in each
statement.

A statement is SQL that all databases understand alike: with `?` or `?1` for its values, and `"user"` in
quotes. Where they differ it is a `Dialects`, and its values may be lists.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

from gateway.ports import Unsubscribe
from gateway.store.watchers import Told
from gateway.types import CollectionId, UserId

__all__ = [
    "EVERYBODY",
    "Dialects",
    "Row",
    "Statement",
    "Topic",
    "Transaction",
    "Transactions",
    "Values",
    "Work",
    "is_single",
    "single",
]

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Dialects:
    """One statement, said to each database in its own words.

    A value that is a list is an array in PostgreSQL (`ANY ($1::bigint[])`), and in SQLite the text of one
    in JSON (`json_each(?1)`).
    """

    sqlite: str
    postgres: str


Statement: TypeAlias = str | Dialects
Values: TypeAlias = Sequence[Any]
Row: TypeAlias = Sequence[Any]


class Topic(StrEnum):
    """What watches are about."""

    ITEMS = "items"
    """Items of a folder changed, or the list of folders of items ("")."""
    ANNOTATIONS = "annotations"
    """Annotations of messages of a collection changed."""
    FOLDERS = "folders"
    """The list of mailboxes changed."""
    DECISIONS = "decisions"
    """Something was decided of a device; told to `EVERYBODY`."""


EVERYBODY = UserId("")
"""Watches what is about nobody's folders."""


class Transaction(Protocol):
    """What is done within it happens at once, or not at all.

    Each statement sees what others committed before it began, and nothing of what they are about. So who
    reads first and writes by that takes care: with `alone`, or by a condition in the statement that writes.
    """

    distant: bool
    """Whether each statement is a journey over a network, so that one long one is better than two."""

    async def rows(self, statement: Statement, values: Values = ()) -> Iterable[Row]:
        """The rows of its result, to be gone through once, before what they are of is changed."""
        ...

    async def row(self, statement: Statement, values: Values = ()) -> Row | None:
        """The first row of its result."""
        ...

    async def run(self, statement: Statement, values: Values = ()) -> int:
        """Run it; returns how many rows it wrote."""
        ...

    async def run_all(self, statement: Statement, rows: Iterable[Values]) -> None:
        """Run it for each of some values."""
        ...

    async def alone(self, *names: str) -> None:
        """Wait for the end of other transactions that said one of these names, and keep new ones waiting.

        What is read after it is what they left. To be said once, with all names.
        """
        ...

    def tell(self, topic: Topic, changes: Told) -> None:
        """Have those who watch learn of changes, once they are committed."""
        ...


Work: TypeAlias = Callable[Concatenate[Transaction, P], Coroutine[Any, Any, T]]
"""What is done in a transaction. It awaits nothing else, and may be done again from its beginning."""


_SINGLE: set[Callable[..., object]] = set()
AnyWork = TypeVar("AnyWork", bound=Callable[..., Coroutine[Any, Any, Any]])


def single(work: AnyWork) -> AnyWork:
    """Marks work that says one statement to a database behind a network, and tells nobody of it.

    There the statement is a transaction by itself, for which nothing need be begun and committed.
    """
    _SINGLE.add(work)
    return work


def is_single(work: Callable[..., object]) -> bool:
    """Whether work is marked so."""
    return work in _SINGLE


class Transactions(Protocol):
    """A database that runs work as transactions. Each method raises `GatewayError` when it fails."""

    async def write(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work as one transaction, durable on return. What it raises undoes it and is raised here.

        It goes on when whoever waits for it is cancelled.
        """
        ...

    async def read(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work that only reads, with one statement as a rule; it sees all writes that returned."""
        ...

    async def look_up(self, work: Work[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The same for one statement that reads a few rows by their key."""
        ...

    def watch(self, topic: Topic, user: UserId, notify: Callable[[CollectionId], None]) -> Unsubscribe:
        """Call `notify` with what of the user's changed, until the returned function is called."""
        ...

    def lease(self, user: UserId, device: str, name: str) -> AbstractAsyncContextManager[None]:
        """Hold an exclusive right while the context lasts."""
        ...

    async def check_writable(self) -> None:
        """Raises `GatewayError` when nothing can be written."""
        ...
