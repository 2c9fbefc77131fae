"""Two processes on one database, as far as the database can tell, and a server that tests may stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.ports.items.helpers import Time
from tests.ports.known import NOON
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore, empty


@pytest.fixture
async def url(postgres_url: str) -> str:
    """The database, empty."""
    await empty(postgres_url)
    return postgres_url


@pytest.fixture
async def here(url: str) -> AsyncIterator[PostgresStore]:
    opened = PostgresStore(url, Time(NOON))
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture
async def there(url: str, here: PostgresStore) -> AsyncIterator[PostgresStore]:
    """Opened after the first one, which made the schema."""
    opened = PostgresStore(url, Time(NOON))
    await opened.open()
    yield opened
    await opened.aclose()


@pytest.fixture(scope="module")
def fragile() -> Iterator[Postgres]:
    """A server of the file's own, which its tests stop and start."""
    with Postgres() as server:
        yield server


@pytest.fixture
async def victim(fragile: Postgres) -> AsyncIterator[PostgresStore]:
    """A database of that server."""
    opened = PostgresStore(fragile.url(fragile.create()), Time(NOON))
    await opened.open()
    yield opened
    fragile.resume()
    await opened.aclose()
