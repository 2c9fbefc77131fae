"""Every test of this folder runs over each kind of directory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.ports import Directory
from gateway.ports.directory import Entry, Viewer
from gateway.store.sqlite import Database, SqlitePeople
from gateway.types import Credentials, UserId

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ANYBODY = Viewer(UserId("ben"), Credentials("ben", "secret"))
"""Somebody who is shown all there is."""


def limited(domain: str) -> Viewer:
    """Somebody who is shown those of a mail domain."""
    return Viewer(ANYBODY.user, ANYBODY.credentials, domain)


class Filled(ABC):
    """A directory under test."""

    directory: Directory

    @abstractmethod
    async def put(self, entries: Iterable[Entry]) -> None:
        """Put people into it."""


class Users(Filled):
    """The users of the gateway, in SQLite."""

    def __init__(self, database: Database) -> None:
        self.directory = self.people = SqlitePeople(database)

    async def put(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            await self.people.note_person(UserId(entry.address.lower()), entry, "rules", NOON)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture(params=[Users])
def filled(request: pytest.FixtureRequest, database: Database) -> Filled:
    """Each adapter, empty."""
    made: Filled = request.param(database)
    return made
