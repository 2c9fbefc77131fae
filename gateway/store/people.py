"""The ports `Directory` and `People` for the users of this gateway, on any database that has transactions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from gateway.pim.people import wanted_words
from gateway.ports.directory import Entry, Found, Viewer
from gateway.store.tables import people
from gateway.store.transactions import Transactions
from gateway.types import UserId

__all__ = ["StoredPeople"]


class StoredPeople:
    """The users of this gateway. What each method does is said in the ports."""

    def __init__(self, store: Transactions) -> None:
        self._store = store

    async def search(self, viewer: Viewer, text: str, first: int, count: int) -> Found:
        words = wanted_words(text)
        if not words:
            return Found()
        return await self._store.read(people.search, words, viewer.domain, first, count)

    async def named(self, viewer: Viewer, text: str, count: int) -> Found:
        return await self._store.read(people.named, text.strip(), viewer.domain, count)

    async def note_person(self, user: UserId, entry: Entry, rules: str, now: datetime) -> None:
        await self._store.write(people.note, user, entry, rules, now)

    async def users_at(self, addresses: Collection[str]) -> Sequence[UserId]:
        wanted = [address.strip().lower() for address in addresses]
        return await self._store.look_up(people.users_at, wanted)

    async def prune_people(self, before: datetime, rules: str) -> None:
        await self._store.write(people.prune, before, rules)
