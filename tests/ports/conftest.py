"""Every test of a port of the store runs over each kind of store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ports import State
from gateway.store.people import StoredPeople
from tests.ports.items.helpers import Time
from tests.ports.known import NOON
from tests.support.stores import PostgresStore, SqliteStore, Store, empty


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Each kind of store, empty."""
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path / "gateway.db", Time(NOON))
    else:
        url = request.getfixturevalue("postgres_url")
        await empty(url)
        opened = PostgresStore(url, Time(NOON))
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture
def state(store: Store) -> State:
    return store.state


@pytest.fixture
def people(store: Store) -> StoredPeople:
    return store.people
