"""The store that a configuration names: opened, backed up, put back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.app.extras import missing
from gateway.app.release import SystemClock
from gateway.app.rounds import attending, running
from gateway.config import Settings
from gateway.errors import GatewayError
from gateway.ports import Bus, Items, NoOthers, State, Turns
from gateway.store.copying import Progress, Side, check_whole, copy
from gateway.store.items import StoredItems
from gateway.store.people import StoredPeople
from gateway.store.sqlite import Database, SqliteItems, SqlitePeople, SqliteState, parse_url, serving
from gateway.store.sqlite.copies import back_up, look_over, put_back
from gateway.store.sqlite.transactions import SqliteTransactions
from gateway.store.turns import OwnTurns

if TYPE_CHECKING:
    from gateway.store import postgres


@dataclass(frozen=True, slots=True)
class Stores:
    """An open store, as the ports it has."""

    state: State
    items: Items
    people: StoredPeople
    transactions: Callable[[], int]
    """Writes done since it was opened."""
    commits: Callable[[], int]
    """Commits that made them durable."""
    bus: Bus
    """The way to the other processes that have the store open."""
    turns: Turns
    """Which of them does what one of them is to do."""


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[tuple[State, Items]]:
    """Open the store for as long as the context lasts, beside a gateway that serves. Raises GatewayError."""
    async with open_stores(settings) as stores:
        yield stores.state, stores.items


@asynccontextmanager
async def serve_store(settings: Settings) -> AsyncIterator[Stores]:
    """Open the store to serve from it, alone if that is how it is with this kind. Raises GatewayError."""
    if is_shared(settings):
        async with open_stores(settings) as stores:
            yield stores
    else:
        async with serving(parse_url(settings.store.url)), open_stores(settings) as stores:
            yield stores


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Open the store and what watches it for as long as the context lasts. Raises GatewayError."""
    if is_shared(settings):
        location = shared_location(settings)
        from gateway.store.postgres import PostgresState, PostgresTransactions  # noqa: PLC0415 (an extra)

        async with await PostgresTransactions.open(
            location, connections=settings.store.connections
        ) as shared:
            await shared.read(check_whole)
            yield Stores(
                PostgresState(shared),
                StoredItems(shared, SystemClock()),
                StoredPeople(shared),
                lambda: shared.transactions,
                lambda: shared.transactions,
                shared.bus,
                shared.turns,
            )
        return
    async with await Database.open(parse_url(settings.store.url)) as database:
        await SqliteTransactions(database).read(check_whole)
        items = SqliteItems(database, SystemClock())
        async with running(attending(items)):
            yield Stores(
                SqliteState(database),
                items,
                SqlitePeople(database),
                lambda: database.transactions,
                lambda: database.commits,
                NoOthers(),
                OwnTurns(),
            )


def is_shared(settings: Settings) -> bool:
    """Whether several processes may serve from the store at once."""
    return settings.store.url.startswith("postgres")


def shared_location(settings: Settings) -> postgres.Location:
    """Where the PostgreSQL database is. Raises `ConfigError`."""
    try:
        from gateway.store import postgres  # noqa: PLC0415 (an extra)
    except ImportError:
        raise missing("postgres", "store.url: PostgreSQL") from None
    store = settings.store
    return postgres.parse_url(store.url, pooled=store.pooled, direct=store.direct_url)


async def back_up_store(settings: Settings, target: Path) -> int:
    """Copy the store to a file, checked, while a gateway may serve from it; returns its octets.

    Raises `GatewayError`.
    """
    return await back_up(store_file(settings), target)


async def look_over_backup(settings: Settings, source: Path) -> None:
    """See whether a backup could be put in the place of the store. Raises `GatewayError`: why not."""
    await look_over(source, store_file(settings))


async def put_back_store(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the place of the store; returns where what was there is kept. Raises `GatewayError`."""
    return await put_back(source, store_file(settings))


async def copy_store(
    settings: Settings, target: Settings, progress: Progress, *, anew: bool = False
) -> Mapping[str, int]:
    """Copy the store to that of other settings, or go on with a copy; no gateway may use either of them.

    Returns the rows of each table. Raises `GatewayError`: see `gateway.store.copying.copy`.
    """
    source, name = settings.store.url, store_name(settings)
    if name == store_name(target):
        raise GatewayError(f"{name} is the store itself")
    if not is_shared(settings) and not parse_url(source).is_file():
        raise GatewayError(f"there is no database {name}")
    async with _alone(settings) as here, _alone(target) as there:
        await here.read(check_whole)
        return await copy(here, there, name, progress, anew=anew)


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[Side]:
    """The store to oneself, made and upgraded as needed. Raises `GatewayError`."""
    if is_shared(settings):
        location = shared_location(settings)
        from gateway.store.postgres import connect_alone  # noqa: PLC0415 (an extra)

        async with connect_alone(location) as shared:
            yield shared
        return
    path = parse_url(settings.store.url)
    async with serving(path), await Database.open(path) as database:
        yield SqliteTransactions(database)


def store_name(settings: Settings) -> str:
    """What the store is called where all may read it: without a password. Raises `GatewayError`."""
    if is_shared(settings):
        return shared_location(settings).name
    return str(parse_url(settings.store.url).resolve())


def store_file(settings: Settings) -> Path:
    """The file of the store. Raises `GatewayError` when it is none."""
    if is_shared(settings):
        raise GatewayError(
            "store.url names PostgreSQL: back it up with pg_dump, and put it back with pg_restore"
        )
    return parse_url(settings.store.url)
