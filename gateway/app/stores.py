"""The store that a configuration names: opened, backed up, put back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.app.release import SystemClock
from gateway.app.rounds import attending, running
from gateway.config import Settings
from gateway.ports import Items, State
from gateway.store.sqlite import Database, SqliteItems, SqlitePeople, SqliteState, parse_url
from gateway.store.sqlite.copies import back_up, put_back


@asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[tuple[State, Items]]:
    """Open the store for as long as the context lasts. Raises GatewayError."""
    async with open_ports(settings) as (state, items, _):
        yield state, items


@asynccontextmanager
async def open_ports(settings: Settings) -> AsyncIterator[tuple[SqliteState, SqliteItems, SqlitePeople]]:
    """Open the store and what watches it for as long as the context lasts. Raises GatewayError."""
    async with await Database.open(parse_url(settings.store.url)) as database:
        items = SqliteItems(database, SystemClock())
        async with running(attending(items)):
            yield SqliteState(database), items, SqlitePeople(database)


async def back_up_store(settings: Settings, target: Path) -> int:
    """Copy the store to a file, checked, while a gateway may serve from it; returns its octets.

    Raises `GatewayError`.
    """
    return await back_up(parse_url(settings.store.url), target)


async def put_back_store(settings: Settings, source: Path) -> Path | None:
    """Put a backup in the place of the store; returns where what was there is kept. Raises `GatewayError`."""
    return await put_back(source, parse_url(settings.store.url))
