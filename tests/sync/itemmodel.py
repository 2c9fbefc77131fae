"""A kind of item for tests, which is nothing but a text, and a phone that holds such items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from gateway.errors import Kind, Refused
from gateway.items import Edit, Item, ItemNumber, Notice, StoredItem
from gateway.ports import Commit, Items, State
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.sync.conflict import Policy
from gateway.sync.itemexchange import ItemReply, ItemRequest
from gateway.sync.itemoperations import (
    AddItem,
    Answer,
    ChangeItem,
    DeleteItem,
    Given,
    ItemOperation,
    Made,
)
from gateway.sync.items import ItemSync
from gateway.sync.keys import KeyUse
from gateway.types import CollectionId, DeviceId, UserId

ANN, BOB = UserId("ann"), UserId("bob")
START = datetime(2026, 11, 1, tzinfo=UTC)
CLIENT_WINS: Mapping[str, Any] = {"policy": lambda _: Policy.CLIENT_WINS}
"""Wishes of a phone."""
_uids = count(1)


@dataclass
class Time:
    """A clock that the test sets."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment


@dataclass
class Store:
    """Both ports over one file."""

    state: State
    items: Items
    clock: Time
    folder: CollectionId = field(default=CollectionId(""))

    @classmethod
    def over(cls, database: Database) -> Store:
        clock = Time()
        return cls(SqliteState(database), SqliteItems(database, clock), clock)

    async def content(self) -> dict[ItemNumber, str]:
        """What the folder holds."""
        numbers = [one.number for one in await self.items.item_changes(self.folder, 0) if not one.gone]
        found = await self.items.load_items(self.folder, numbers)
        return {number: item.stored.text for number, item in found.items()}

    async def put(self, text: str, *, ends: datetime | None = None, uid: str = "") -> ItemNumber:
        """Have somebody else add an item."""
        (number,) = await self.items.new_item_numbers(1)
        await self._commit(Edit(number, 0, stored(text, ends=ends, uid=uid)))
        return number

    async def write(
        self, number: ItemNumber, text: str, *, ends: datetime | None = None, answers: bool = False
    ) -> None:
        """Have somebody else change an item, or (`answers`) note answers in it."""
        item = (await self.items.load_items(self.folder, [number]))[number]
        await self._commit(Edit(number, item.revision, replace(item.stored, text=text, ends=ends), answers))

    async def remove(self, number: ItemNumber) -> None:
        """Have somebody else delete an item."""
        item = (await self.items.load_items(self.folder, [number]))[number]
        await self._commit(Edit(number, item.revision, None))

    async def _commit(self, edit: Edit) -> None:
        await self.items.commit_items(Commit(ANN, self.folder, [edit]))


def stored(text: str, *, ends: datetime | None = None, uid: str = "") -> StoredItem:
    """An item that is nothing but a text, for ever or until some time."""
    return StoredItem(uid or f"uid-{next(_uids)}", text, START - timedelta(days=1000), ends)


def adds(
    client_id: str, text: str, *, uid: str = "", ends: datetime | None = None, notice: str = ""
) -> AddItem:
    """A new item; the UID is known only with `uid`."""

    def make(given: Given) -> Made:
        assert given.number
        return Made(stored(text, ends=ends, uid=uid), _notices(notice))

    def merge(item: Item, given: Given) -> Made:
        assert given.number == item.number
        return Made(replace(item.stored, text=text))

    return AddItem(client_id, text, make, merge, uid)


def changes(number: ItemNumber, text: str, *, instance: str = "", notice: str = "") -> ChangeItem:
    """Another text for an item; behind it what is there, when there are answers nobody knew of."""

    def change(item: Item, given: Given) -> Made:
        assert given.number == item.number == number
        if given.answered:
            return Made(replace(item.stored, text=f"{text} {item.stored.text}"), _notices(notice))
        return Made(replace(item.stored, text=text), _notices(notice))

    return ChangeItem(number, text, change, instance)


def refused(number: ItemNumber) -> ChangeItem:
    """A change that cannot be made."""

    def change(item: Item, given: Given) -> Made:
        raise Refused(Kind.INVALID_XML, "no")

    return ChangeItem(number, "bad", change)


def refused_add(client_id: str, text: str) -> AddItem:
    """A new item that cannot be made."""

    def make(given: Given) -> Made:
        raise Refused(Kind.INVALID_XML, "no")

    def merge(item: Item, given: Given) -> Made:
        raise Refused(Kind.INVALID_XML, "no")

    return AddItem(client_id, text, make, merge)


def deletes(number: ItemNumber, *, notice: str = "") -> DeleteItem:
    """An item goes."""
    return DeleteItem(number, lambda item, given: Made(None, _notices(notice)))  # noqa: ARG005


def _notices(key: str) -> tuple[Notice, ...]:
    return (Notice(key, ("bob@example.com",), b"mail"),) if key else ()


class Phone:
    """A device that applies replies as a phone does: Commands first, then Responses."""

    def __init__(
        self, store: Store, device: str, *, user: UserId = ANN, release: str = "1", **wishes: object
    ) -> None:
        self.sync = ItemSync(
            store.state,
            store.items,
            user=user,
            device=DeviceId(device),
            collection=store.folder,
            release=release,
            clock=store.clock,
        )
        self.wishes = wishes
        self.key = "0"
        self.items: dict[ItemNumber, str] = {}
        self.new: dict[str, str] = {}
        """Items of its own that have no name yet, by ClientId."""
        self.refusals: list[Kind] = []
        self.resets = 0

    async def ask(self, *operations: ItemOperation, limit: int = 100, get_changes: bool = True) -> ItemReply:
        """Send a request without applying the answer: as if the reply were lost."""
        request = ItemRequest(self.key, operations, get_changes, limit, **self.wishes)  # type: ignore[arg-type]
        return await self.sync.run(request)

    def act(self, operation: ItemOperation) -> None:
        """Do an operation locally, before the server hears of it."""
        match operation:
            case AddItem():
                self.new[operation.client_id] = operation.digest
            case ChangeItem():
                self.items[operation.number] = operation.digest
            case DeleteItem():
                self.items.pop(operation.number, None)

    def apply(self, reply: ItemReply, operations: Sequence[ItemOperation] = ()) -> None:
        """Believe an answer to these operations."""
        if reply.use is KeyUse.UNKNOWN:
            self.key, self.items = "0", {}
            self.resets += 1
            return
        self.key = reply.key
        for number in (*reply.told.removed, *reply.told.aged):
            self.items.pop(number, None)
        for item in reply.told.added:
            assert item.number not in self.items, "the same item twice"
            self.items[item.number] = item.stored.text
        for item in reply.told.changed:
            if item.number in self.items:  # else it was deleted here, and the answer to that comes later
                self.items[item.number] = item.stored.text
        for operation, answer in zip(operations, reply.answers, strict=True):
            self._answered(operation, answer)

    def _answered(self, operation: ItemOperation, answer: Answer) -> None:
        if answer.refusal is not None:
            self.refusals.append(answer.refusal)
        if isinstance(operation, AddItem):
            text = self.new.pop(operation.client_id)
            if answer.number:
                assert answer.number not in self.items or operation.uid
                self.items[answer.number] = text

    async def do(self, *operations: ItemOperation, limit: int = 100) -> ItemReply:
        """Do operations, and hear the answer."""
        for operation in operations:
            self.act(operation)
        reply = await self.ask(*operations, limit=limit)
        self.apply(reply, operations)
        return reply

    async def settle(self, limit: int = 100) -> int:
        """Sync until there is nothing more; how many requests that took."""
        for asked in range(1, 200):
            key = self.key
            reply = await self.ask(limit=limit)
            self.apply(reply)
            if key == self.key and not reply.more:
                return asked
        raise AssertionError("it never ends")


async def other(store: Store, **wishes: Any) -> Phone:
    """Another phone, which has all there is."""
    made = Phone(store, "q", **wishes)
    await made.settle()
    return made
