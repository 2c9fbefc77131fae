"""Items of a file brought into a folder, in batches. Devices are told of each once.

Nothing is mailed because of them. Reading a file again changes nothing: an item is known by its UID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gateway.errors import Kind, Refused, StateConflict
from gateway.items import Edit, FileNumber, Item, ItemFolder, ItemKind, Right, StoredItem
from gateway.pim.exchange.attachments import Enclosed
from gateway.pim.exchange.cards import card_version
from gateway.pim.exchange.scan import Problem
from gateway.pim.exchange.sorts import SORTS, Version
from gateway.ports import Commit, Items
from gateway.types import UserId

__all__ = ["Entry", "Import", "Known", "Tally"]

_BATCH = 100
"""Items of one transaction, for which a gateway beside has to wait."""
_BATCH_OCTETS = 4 << 20
_ATTEMPTS = 5
_VERSIONS: Mapping[ItemKind, Callable[[str], Version]] = {
    **{kind: sort.version_of for kind, sort in SORTS.items()},
    ItemKind.CONTACTS: card_version,
}
"""What tells which version of an item a stored text is."""


class Entry(Protocol):
    """An item of a file, as `pim.exchange` reads it; `size` counts its octets there."""

    @property
    def uid(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def version(self) -> Version: ...

    @property
    def files(self) -> Sequence[Enclosed]: ...

    def stored(self, numbers: Sequence[FileNumber] = ()) -> StoredItem:
        """What is to be stored of it; `numbers` are those its files have got, in their order."""
        ...


class Known(Enum):
    """What becomes of an item that the folder has already."""

    NEWER = "newer"
    """It is replaced by a newer version."""
    REPLACE = "replace"
    """It is replaced."""
    KEEP = "keep"
    """It stays."""


@dataclass(slots=True)
class Tally:
    """What became of the items of a file."""

    added: int = 0
    replaced: int = 0
    kept: int = 0
    """Those that were there, and stayed as they were."""
    left_out: int = 0
    problems: int = 0
    """Of items that were taken over without something."""

    @property
    def done(self) -> int:
        return self.added + self.replaced + self.kept + self.left_out


@dataclass(slots=True)
class _Batch:
    entries: dict[str, Entry] = field(default_factory=dict)
    octets: int = 0
    files: dict[str, tuple[FileNumber, ...]] = field(default_factory=dict)
    """The files that were stored for an attempt, by UID."""


class Import:
    """One import by a user into a folder that he may write to.

    The file is read for what folders of this kind hold. `problem` is called with what cannot be taken over,
    `progress` after each batch. `rehearse`: nothing is stored.
    """

    def __init__(
        self,
        items: Items,
        user: UserId,
        folder: ItemFolder,
        *,
        known: Known = Known.NEWER,
        rehearse: bool = False,
        problem: Callable[[Problem], None],
        progress: Callable[[Tally], None],
    ) -> None:
        if folder.right is Right.READ:
            raise Refused(Kind.ACCESS_DENIED, f"{user} may only read the folder {folder.id}")
        self._items = items
        self._user = user
        self._folder = folder
        self._version_of = _VERSIONS[folder.kind]
        self._known = known
        self._rehearse = rehearse
        self._problem = problem
        self._progress = progress
        self._tally = Tally()

    async def run(self, found: Iterable[Entry | Problem]) -> Tally:
        """Bring it all in. Raises what the store raises; what was committed by then stays."""
        batch = _Batch()
        for one in found:
            if isinstance(one, Problem):
                self._note(one)
                continue
            if one.uid in batch.entries or len(batch.entries) == _BATCH or batch.octets > _BATCH_OCTETS:
                await self._store(batch)
                batch = _Batch()
            batch.entries[one.uid] = one
            batch.octets += one.size
        await self._store(batch)
        return self._tally

    def _note(self, problem: Problem) -> None:
        if problem.whole:
            self._tally.left_out += 1
        else:
            self._tally.problems += 1
        self._problem(problem)

    async def _store(self, batch: _Batch) -> None:
        if not batch.entries:
            return
        for _ in range(_ATTEMPTS):
            there = await self._there(batch.entries)
            wanted = [one for one in batch.entries.values() if self._goes(one, there[one.uid])]
            try:
                if not self._rehearse:
                    await self._commit(batch, wanted, there)
            except StateConflict:
                continue
            replaced = sum(there[one.uid] is not None for one in wanted)
            self._tally.replaced += replaced
            self._tally.added += len(wanted) - replaced
            self._tally.kept += len(batch.entries) - len(wanted)
            self._progress(self._tally)
            return
        raise StateConflict("the folder keeps changing: try again, what is done already is not done twice")

    async def _there(self, uids: Iterable[str]) -> Mapping[str, Item | None]:
        """The items of the folder with these UIDs."""
        found = await self._items.find_items(self._folder.owner, self._folder.kind, *uids)
        there = {one.stored.uid: one for one in found if one.folder == self._folder.id}
        return {uid: there.get(uid) for uid in uids}

    def _goes(self, entry: Entry, there: Item | None) -> bool:
        """Whether an item is stored."""
        if there is None or self._known is Known.REPLACE:
            return True
        return self._known is Known.NEWER and entry.version > self._version_of(there.stored.text)

    async def _commit(self, batch: _Batch, wanted: list[Entry], there: Mapping[str, Item | None]) -> None:
        fresh = [one for one in wanted if there[one.uid] is None]
        numbers = iter(await self._items.new_item_numbers(len(fresh)) if fresh else ())
        edits = []
        for one in wanted:
            if one.uid not in batch.files:
                batch.files[one.uid] = tuple([await self._add(one, at) for at in range(len(one.files))])
            stored = one.stored(batch.files[one.uid])
            before = there[one.uid]
            number, revision = (before.number, before.revision) if before else (next(numbers), 0)
            edits.append(Edit(number, revision, stored))
        if edits:
            await self._items.commit_items(Commit(self._user, self._folder.id, edits))

    async def _add(self, entry: Entry, at: int) -> FileNumber:
        found = entry.files[at]
        return await self._items.add_item_file(found.file.name, found.file.content_type, [found.content])
