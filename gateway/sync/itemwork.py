"""The operations of one request, done on copies of the items: nothing is stored, nothing waits.

What comes of it is committed at once, or thrown away and worked out anew when somebody was faster. What is
refused is put right: the device is told the item again, be it as a Change, as an Add of what it deleted, or
as a Delete of what it may not add.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pyroaring import BitMap

from gateway.errors import Kind, Refused
from gateway.items import Edit, FileNumber, Item, ItemFolder, ItemNumber, Notice, Numbers, Right
from gateway.sync.conflict import Policy
from gateway.sync.guests import check_open, hides
from gateway.sync.itemcursor import ItemCursor
from gateway.sync.itemoperations import (
    NO_FILES,
    AddItem,
    Answer,
    ChangeItem,
    DeleteItem,
    Given,
    ItemOperation,
    Made,
    Revise,
)

__all__ = ["Rules", "Supplies", "Work"]


@dataclass(frozen=True, slots=True)
class Supplies:
    """What was fetched before operations are done.

    The items they name, which item has a UID they name, the numbers for items that may come of them and those
    that new files got, both by the name of the operation.
    """

    items: Mapping[ItemNumber, Item] = field(default_factory=dict)
    by_uid: Mapping[str, ItemNumber] = field(default_factory=dict)
    numbers: Mapping[str, ItemNumber] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, FileNumber]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the operations of a request: who wins a conflict, what is ghosted, and when it is."""

    policy: Policy
    supported: frozenset[str] | None
    now: datetime


class Work:
    """The operations of one request on a folder. `answers` are by the name of the operation."""

    def __init__(self, folder: ItemFolder, cursor: ItemCursor, supplies: Supplies, rules: Rules) -> None:
        self._folder = folder
        self._cursor = cursor
        self._supplies = supplies
        self._rules = rules
        self._held = BitMap(cursor.held)
        self._due = BitMap(cursor.due)
        self._later = BitMap()
        self._items: dict[ItemNumber, Item | None] = dict(supplies.items)
        self._by_uid = dict(supplies.by_uid)
        self._changed: dict[ItemNumber, int] = {}
        """The revisions that changed items were made from, in the order of the changes."""
        self._current: dict[ItemNumber, list[Notice]] = {}
        """The notices that say how an item is."""
        self.answers: dict[str, Answer] = {}
        self.notices: list[Notice] = []

    def do_some(self, todo: deque[tuple[str, ItemOperation]], seconds: float) -> None:
        """Do operations, from the first on, for so long; they are taken out of `todo`."""
        ends = time.monotonic() + seconds
        while todo:
            self.do(*todo.popleft())
            if time.monotonic() >= ends:
                return

    def do(self, name: str, operation: ItemOperation) -> None:
        """Do one operation."""
        try:
            answer = self._done(name, operation)
        except Refused as error:
            if isinstance(operation, AddItem):
                answer = Answer(error.kind, digest=operation.digest)
            else:
                answer = Answer(error.kind, operation.number)
                self._put_right(operation.number)
        self.answers[name] = answer

    def _done(self, name: str, operation: ItemOperation) -> Answer:
        files = self._supplies.files.get(name, NO_FILES)
        match operation:
            case AddItem():
                return self._add(operation, self._supplies.numbers[name], files)
            case ChangeItem():
                return self._change(operation, self._supplies.numbers.get(name, 0), files)
            case DeleteItem(instance=""):
                return self._delete(operation)
            case DeleteItem():
                return self._delete_instance(operation)

    def tell_later(self, number: ItemNumber) -> None:
        """Have the device told of an item, not with the answers of these operations."""
        self._due.add(number)
        self._later.add(number)

    # --- what came of it ---------------------------------------------------------------------------------

    @property
    def cursor(self) -> ItemCursor:
        """What the device knows when all is done and stored."""
        revision = self._cursor.revision + len(self.edits)
        cursor = self._cursor.owing(Numbers(self._due))
        return replace(cursor, revision=revision, held=Numbers(self._held))

    @property
    def later(self) -> Numbers:
        """Items that the device is to be told of, and not with the answers of these operations.

        It learns of their ServerIds from these, or has yet to hear that a deletion was refused.
        """
        return Numbers(self._later)

    @property
    def edits(self) -> Sequence[Edit]:
        """What is to be stored, in the order in which it gets its revisions."""
        return [
            Edit(number, based_on, item.stored if item else None)
            for number, based_on in self._changed.items()
            if (item := self._items[number]) or based_on
        ]

    @property
    def items(self) -> Mapping[ItemNumber, Item | None]:
        """The items that were changed, as they are to be stored; None: they go."""
        return {number: self._items[number] for number in self._changed}

    # --- the operations ----------------------------------------------------------------------------------

    def _add(self, operation: AddItem, number: ItemNumber, files: Mapping[str, FileNumber]) -> Answer:
        if self._folder.right is Right.READ:
            self._held.add(number)  # it will be found gone, and told so
            self.tell_later(number)
            return Answer(Kind.ACCESS_DENIED, number, digest=operation.digest)
        there = self._items.get(self._by_uid.get(operation.uid, 0))
        if there is not None:
            return self._meet(operation, there, files)
        made = operation.make(Given(number, self._rules.supported, files))
        if made.stored is None:
            raise Refused(Kind.SERVER_ERROR, "nothing was made of an Add")
        now = self._rules.now
        item = Item(number, self._folder.id, 0, made.stored, created=now, modified=now)
        self._store(item, made)
        self._by_uid[made.stored.uid] = number
        self._held.add(number)
        if made.incomplete or hides(self._folder, made.stored.text):
            self.tell_later(number)
        return Answer(None, number, made.stored.uid, files, operation.digest, made.incomplete)

    def _meet(self, operation: AddItem, there: Item, files: Mapping[str, FileNumber]) -> Answer:
        """Answer an Add of what is there: the device gets its name, and is told what it is."""
        if self._rules.policy is Policy.CLIENT_WINS and not hides(self._folder, there.stored.text):
            self._revise(there, operation.merge, files)
        self._held.add(there.number)
        self.tell_later(there.number)
        return Answer(None, there.number, there.stored.uid, files, operation.digest)

    def _change(self, operation: ChangeItem, spare: ItemNumber, files: Mapping[str, FileNumber]) -> Answer:
        item = self._writable(operation.number)
        number = operation.number
        unknown = self._cursor.due - self._cursor.answered
        changed_there = number in unknown and number in self._cursor.held
        if changed_there and self._rules.policy is Policy.SERVER_WINS:
            raise Refused(Kind.CONFLICT, "the item was changed on the server")
        made = self._revise(item, operation.change, files)
        if made.beside is not None:
            now = self._rules.now
            other = Item(spare, self._folder.id, 0, made.beside, created=now, modified=now)
            self._store(other, Made(made.beside))
            self._due |= BitMap((spare, number))
        if number not in self._held:
            self._due.add(number)
        return Answer(None, number, item.stored.uid, files)

    def _delete(self, operation: DeleteItem) -> Answer:
        number = operation.number
        known = number in self._held
        if known and self._items.get(number) is None:  # both sides deleted it
            self._forget(number)
            return Answer(None, number)
        try:
            item = self._writable(number)
            made = operation.change(item, self._given(number)) if operation.change else Made(None)
        except Refused:
            self._held.discard(number)  # as it is on the device
            self._later.add(number)
            raise
        self._forget(number)
        self._store(item, Made(None, made.notices))
        return Answer(None, number, item.stored.uid)

    def _delete_instance(self, operation: DeleteItem) -> Answer:
        """Delete an occurrence; a deletion wins over what was changed on the server."""
        item = self._writable(operation.number)
        if operation.change is None:
            raise Refused(Kind.INVALID_XML, "an occurrence of what has none")
        self._revise(item, operation.change, NO_FILES)
        return Answer(None, operation.number, item.stored.uid)

    # --- what they have in common ------------------------------------------------------------------------

    def _writable(self, number: ItemNumber) -> Item:
        """An item that may be changed. Raises `Refused`."""
        item = self._items.get(number)
        if item is None:
            raise Refused(Kind.ITEM_NOT_FOUND, "no such item")
        if self._folder.right is Right.READ:
            raise Refused(Kind.ACCESS_DENIED, "the folder may only be read")
        check_open(self._folder, item)
        return item

    def _revise(self, item: Item, revise: Revise, files: Mapping[str, FileNumber]) -> Made:
        made = revise(item, self._given(item.number, files))
        if made.stored is None or hides(self._folder, made.stored.text):
            self._due.add(item.number)
        self._store(item, made)
        return made

    def _given(self, number: ItemNumber, files: Mapping[str, FileNumber] = NO_FILES) -> Given:
        return Given(number, self._rules.supported, files, number in self._cursor.answered)

    def _store(self, item: Item, made: Made) -> None:
        number = item.number
        self._notify(number, made)
        if made.stored is not None and item.revision and made.stored == item.stored:
            return
        self._changed.setdefault(number, item.revision)
        if made.stored is None:
            self._items[number] = None
        else:
            self._items[number] = replace(item, stored=made.stored, modified=self._rules.now)

    def _notify(self, number: ItemNumber, made: Made) -> None:
        """Take up notices, in place of those that say no more: people get one mail of many small changes."""
        current = self._current.setdefault(number, [])
        reached = [set(one.recipients) for one in made.notices if one.key in made.whole]
        for earlier in list(current) if reached else ():
            if any(people.issuperset(earlier.recipients) for people in reached):
                current.remove(earlier)
                self.notices.remove(earlier)
        self.notices += made.notices
        current += [one for one in made.notices if one.key in made.current]

    def _forget(self, number: ItemNumber) -> None:
        self._held.discard(number)
        self._due.discard(number)

    def _put_right(self, number: ItemNumber) -> None:
        """Have the device told of an item as it is, whose change was refused."""
        if number in self._held or self._items.get(number) is not None:
            self._due.add(number)
