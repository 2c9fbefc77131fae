"""The recipient information cache (MS-ASCMD 2.2.3.95): to whom a user wrote of late, kept for his phones.

It is no address book: nothing of it appears among contacts, in searches or to other users. What becomes of it
is a folder of items like any other, of a bounded number.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from gateway.errors import StateConflict
from gateway.items import Edit, Item, ItemFolder, ItemKind
from gateway.mail.addresses import Address
from gateway.pim.contacts.recipient import Recipient, read_recipient, stored_recipient
from gateway.ports import Clock, Commit, Items
from gateway.sync.itemfolders import default_folder
from gateway.types import UserId

__all__ = ["MOST", "Recipients", "ends_of", "forget_recipients"]

MOST = 100
"""People a user's cache holds; of more, those he wrote to longest ago go."""
_MOST_AT_ONCE = 20
"""People of one message that are noted: more are no sign of knowing them."""
_LONGEST_ADDRESS = 254
_ATTEMPTS = 5
_FOREVER = datetime(9000, 1, 1, tzinfo=UTC)
_STEP = timedelta(milliseconds=1)


class Recipients:
    """Notes to whom users write."""

    def __init__(self, items: Items, clock: Clock) -> None:
        self._items = items
        self._clock = clock

    async def provide(self, user: UserId) -> ItemFolder:
        """The cache of a user, made if there is none yet."""
        return await default_folder(self._items, user, ItemKind.RECIPIENTS)

    async def wrote_to(self, user: UserId, people: Sequence[Address]) -> None:
        """Note that a message went to people. Within a day, once for each: devices are told of a change."""
        known = {one.address.lower(): one for one in people if 0 < len(one.address) <= _LONGEST_ADDRESS}
        if not 0 < len(known) <= _MOST_AT_ONCE:
            return
        folder = await self.provide(user)
        for _ in range(_ATTEMPTS):
            with suppress(StateConflict):
                await self._note(user, folder, list(known.values()))
                break

    async def _note(self, user: UserId, folder: ItemFolder, people: Sequence[Address]) -> None:
        now = self._clock.now()
        uids = [one.address.lower() for one in people]
        there = {item.stored.uid: item for item in await self._items.find_items(user, folder.kind, *uids)}
        numbers = iter(await self._items.new_item_numbers(len(people)))
        edits: list[Edit] = []
        fresh = 0
        for at, one in enumerate(people):
            before = there.get(one.address.lower())
            if before is None:
                fresh += 1
                stored = stored_recipient(Recipient(one.address, one.name), now + at * _STEP)
                edits.append(Edit(next(numbers), 0, stored))
            elif (after := _again(before, one, now)) is not None:
                stored = stored_recipient(after, now + at * _STEP)
                edits.append(Edit(before.number, before.revision, stored))
        if fresh:
            edits = [*await self._oldest(folder, fresh, set(uids)), *edits]
        if edits:
            await self._items.commit_items(Commit(user, folder.id, edits))

    async def _oldest(self, folder: ItemFolder, fresh: int, but: set[str]) -> list[Edit]:
        """What makes room for so many new ones."""
        changes = await self._items.items_ending(folder.id, datetime(1970, 1, 1, tzinfo=UTC), _FOREVER)
        surplus = len(changes) + fresh - MOST
        if surplus <= 0:
            return []
        oldest = sorted(changes, key=lambda change: change.ends or _FOREVER)[: surplus + len(but)]
        items = await self._items.load_items(folder.id, [change.number for change in oldest])
        gone = [items[one.number] for one in oldest if one.number in items]
        return [Edit(item.number, item.revision, None) for item in gone if item.stored.uid not in but][
            :surplus
        ]


def _again(before: Item, one: Address, now: datetime) -> Recipient | None:
    """Somebody who is written to again; None when that is known already."""
    known = read_recipient(before.stored.text)
    name = one.name or known.name
    last = before.stored.ends
    if name == known.name and last is not None and last.date() == now.date():
        return None
    return Recipient(one.address, name, known.rank + (last is None or last.date() != now.date()))


async def ends_of(items: Items, folder: ItemFolder) -> Sequence[datetime]:
    """When each in a cache was written to last, the latest first; nothing for other folders."""
    if folder.kind is not ItemKind.RECIPIENTS:
        return ()
    changes = await items.items_ending(folder.id, datetime(1970, 1, 1, tzinfo=UTC), _FOREVER)
    return sorted((change.ends for change in changes if change.ends), reverse=True)


async def forget_recipients(items: Items) -> None:
    """Forget the caches of all users."""
    for folder in await items.all_item_folders():
        if folder.kind is ItemKind.RECIPIENTS:
            await items.delete_item_folder(folder.id)
