"""Items that devices move from one folder to another: once, and without being told of it themselves.

The store remembers where an item went, so that a repeated request finds it. What the device knows is noted
after that; should the process die in between, the device is told of the move, which does no harm. Before a
repeated request it may have been told what became of the item in the target, where it did not know it yet and
passed over that: so it is told again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

from gateway.errors import Kind, Refused, StateConflict
from gateway.items import ItemFolder, ItemNumber, Numbers, Right
from gateway.ports import Items, State
from gateway.sync.beginnings import affected
from gateway.sync.guests import check_open, hides
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.itemexchange import Record
from gateway.types import CollectionId, DeviceId, UserId

__all__ = ["ItemMover"]

_Effect = Callable[[ItemCursor, Numbers], ItemCursor]
"""What a device knows after an item, the one in the set, went or came."""


class ItemMover:
    """The moves of one device."""

    def __init__(self, state: State, items: Items, user: UserId, device: DeviceId) -> None:
        self._state = state
        self._items = items
        self._user = user
        self._device = device

    async def move(self, number: ItemNumber, source: ItemFolder, target: ItemFolder) -> ItemNumber:
        """Move an item between folders of one kind; returns its number in the target.

        Raises `NotFound`, and `Refused` when one of them may only be read, the item is private and not the
        user's, or the target has it already.
        """
        if Right.READ in {source.right, target.right}:
            raise Refused(Kind.ACCESS_DENIED, "the folder may only be read")
        async with AsyncExitStack() as leases:
            for collection in sorted((source.id, target.id)):  # always in this order: no deadlock
                await leases.enter_async_context(self._state.lease(self._user, self._device, collection))
            item = (await self._items.load_items(source.id, [number])).get(number)
            if item is not None:
                check_open(source, item)
            (reserved,) = await self._items.new_item_numbers(1)
            try:
                moved = await self._items.move_item(number, source.id, target.id, reserved)
            except StateConflict as error:
                raise Refused(Kind.SERVER_ERROR, error.detail) from error
            await self._note(source.id, number, _left)
            if moved != reserved:
                effect = _come_again
            elif item is not None and hides(target, item.stored.text):
                effect = _come_otherwise
            else:
                effect = _come
            await self._note(target.id, moved, effect, told=True)
        return moved

    async def _note(
        self, collection: CollectionId, number: ItemNumber, effect: _Effect, *, told: bool = False
    ) -> None:
        """Note what the device knows of an item; `told`: that it has it from elsewhere."""
        stored = await self._state.load_sync(self._user, self._device, collection)
        if stored is None:
            return

        def after(data: bytes) -> bytes:
            cursor = ItemCursor.unpack(data)
            changed = effect(cursor, Numbers((number,)))
            return data if changed == cursor else changed.pack()

        # The device may come with any of its keys, also with one that nothing was told with so far, or with
        # the one before: what was added then is by now changed at most.
        results = _told_of(stored.results, number) if told else stored.results
        noted = affected(replace(stored, cursor=after(stored.cursor), results=results), after)
        if noted != stored:
            with suppress(StateConflict):
                await self._state.finish_moves(self._user, self._device, (), {collection: noted})


def _left(cursor: ItemCursor, one: Numbers) -> ItemCursor:
    if not one & cursor.held:
        return cursor
    return replace(cursor.owing(cursor.due - one), held=cursor.held - one)


def _come(cursor: ItemCursor, one: Numbers) -> ItemCursor:
    if one & cursor.held:
        return cursor
    return replace(cursor.owing(cursor.due - one), held=cursor.held | one)


def _come_otherwise(cursor: ItemCursor, one: Numbers) -> ItemCursor:
    """It shows less there than it did: the device is told what."""
    return replace(cursor.owing(cursor.due | one), held=cursor.held | one)


def _come_again(cursor: ItemCursor, one: Numbers) -> ItemCursor:
    """The device may hold it by an answer before, or not any more, or nobody hears this answer."""
    return cursor.owing(cursor.due | one) if one & cursor.held else cursor.doubting(one)


def _told_of(results: bytes, number: ItemNumber) -> bytes:
    """What is kept of a reply that told an item, which the device has now from elsewhere."""
    record, one = Record.unpack(results), Numbers((number,))
    if number not in record.added:
        return results
    return replace(record, added=record.added - one, changed=record.changed | one).pack()
