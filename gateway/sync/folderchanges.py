"""Folders that a device creates, renames, moves and deletes, each once however often it asks.

MS-ASCMD 2.2.1.3, 2.2.1.4, 2.2.1.6. A change made takes effect on what the device knows, so that the next
FolderSync does not report it back. It is found again when the device did not get the answer:

- with the key before the newest: by the results stored with the newest key;
- after a crash in between: a creation and a deletion by a memo written before, a rename by the name noted
  with the folder, and because the folder is called so already.

A device that asks for something else with the key before the newest did not hear of what came with that. It
gets a key of its own, beside those there are, for what it knows by then.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from gateway.errors import AlreadyExists, Kind, NotFound, Refused, StateConflict, UpstreamRefused
from gateway.items import ItemKind
from gateway.ports import Items, Mailboxes, State
from gateway.sync import hierarchy, itemfolders
from gateway.sync.folders import HIERARCHY, HIERARCHY_LEASE, Folders, advanced, begun, with_beginning
from gateway.sync.hierarchy import RECIPIENT_CACHE, FolderRow
from gateway.sync.itemfolders import ItemPlaces
from gateway.sync.keys import KeyUse, classify, format_key
from gateway.sync.places import Places, plain_name
from gateway.types import CollectionId, DeviceId, FolderList, Mailbox, UserId

_MEMO = "folders"
_ATTEMPTS = 5

Rows = tuple[FolderRow, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was made: the folder, and the key from now on."""

    folder: CollectionId
    key: str


@dataclass(frozen=True, slots=True)
class _Request:
    """A change asked for. `effect` makes what the device knows after it from what it knew before."""

    key: str
    name: str
    make: Callable[[_Request], Awaitable[CollectionId]]
    effect: Callable[[Rows, CollectionId], Rows]

    @property
    def memo(self) -> bytes:
        """By what the same request is known again."""
        return json.dumps([self.key, self.name]).encode()


class FolderChanges:
    """The changes one device makes; `recipients` as of `Folders`.

    Every method raises `Refused`, whose kind says why, and `UpstreamError`; the key stays good then.
    """

    def __init__(
        self,
        state: State,
        mailboxes: Mailboxes,
        items: Items,
        user: UserId,
        device: DeviceId,
        *,
        recipients: bool = True,
    ) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._user = user
        self._device = device
        self._items = items
        self._folders = Folders(state, mailboxes, user, items, recipients=recipients)

    async def create(self, key: str, parent: str, name: str, kind: int) -> Changed:
        """Create a folder; `kind` is the type the device gave it: one of items that are served, or mail."""
        holds = itemfolders.kind_of_type(kind)

        async def make(request: _Request) -> CollectionId:
            if holds is not None:
                return await self._create_for_items(request, holds, parent, name)
            return await self._create(request, parent, name)

        def effect(rows: Rows, folder: CollectionId) -> Rows:
            return (*_without(rows, folder), FolderRow(folder, parent, name, kind))

        return await self._change(_Request(key, f"create {kind} {parent} {name}", make, effect))

    async def update(self, key: str, folder: str, parent: str, name: str) -> Changed:
        """Rename a folder, move it below another, or both."""

        async def make(_: _Request) -> CollectionId:
            if itemfolders.is_item_folder(folder):
                return await self._update_of_items(folder, parent, name)
            return await self._update(folder, parent, name)

        def effect(rows: Rows, folder: CollectionId) -> Rows:
            return tuple(replace(row, parent=parent, name=name) if row.id == folder else row for row in rows)

        return await self._change(_Request(key, f"update {folder} {parent} {name}", make, effect))

    async def delete(self, key: str, folder: str) -> Changed:
        """Delete a folder with all below it."""

        async def make(request: _Request) -> CollectionId:
            if itemfolders.is_item_folder(folder):
                return await self._delete_of_items(request, folder)
            return await self._delete(request, folder)

        return await self._change(_Request(key, f"delete {folder}", make, _without))

    # --- keys ----------------------------------------------------------------------------------------------

    async def _change(self, request: _Request) -> Changed:
        async with self._state.lease(self._user, self._device, HIERARCHY_LEASE):
            stored = begun(await self._state.load_sync(self._user, self._device, HIERARCHY), request.key)
            use = classify(stored, request.key)
            if stored is None or use not in (KeyUse.CURRENT, KeyUse.REPLAY):
                raise Refused(Kind.SYNC_STATE_NOT_FOUND, "unknown hierarchy key")
            results = json.loads(stored.results or b"{}") if use is KeyUse.REPLAY else {}
            if request.name in results:
                folder, key = results[request.name]
                return Changed(CollectionId(folder), key)
            made = await self._make(request)
            if use is KeyUse.CURRENT:
                issued = advanced(stored, request.effect(hierarchy.unpack(stored.cursor), made))
                key = format_key(issued)
            else:
                known = hierarchy.unpack(stored.previous or b"")
                issued, key = with_beginning(stored, request.effect(known, made))
            results[request.name] = (made, key)
            issued = replace(issued, results=json.dumps(results).encode())
            await self._state.save_sync(self._user, self._device, HIERARCHY, issued)
            return Changed(made, key)

    async def _make(self, request: _Request) -> CollectionId:
        try:
            return await request.make(request)
        except UpstreamRefused as error:
            if error.code == "CANNOT":  # it will never work, with such a name above all (RFC 5530)
                raise Refused(Kind.INVALID_XML, error.detail) from error
            raise

    async def _begun(self, request: _Request) -> bool:
        """Whether this very request was about to be done before."""
        return await self._state.load_memo(self._user, self._device, _MEMO) == request.memo

    async def _begin(self, request: _Request) -> None:
        await self._state.save_memo(self._user, self._device, _MEMO, request.memo)

    # --- the changes ---------------------------------------------------------------------------------------

    async def _create(self, request: _Request, parent: str, name: str) -> CollectionId:
        _forbid_items(parent)
        folders, mailboxes = await self._folders.refresh()
        places = Places(folders, mailboxes)
        target = places.target(parent, name)
        if not (places.exists(target) and await self._begun(request)):
            places.forbid_twin(parent, name)
            if places.exists(target):
                raise AlreadyExists("there is a mailbox of that name")
            await self._begin(request)
            await self._mailboxes.create(target)
            folders, _ = await self._folders.refresh()
        for folder in folders.folders:
            if folder.mailbox == target and not folder.gone:
                return folder.id
        raise Refused(Kind.SERVER_ERROR, "the mailbox was created and is not there")

    async def _update(self, identity: str, parent: str, name: str) -> CollectionId:
        if RECIPIENT_CACHE in (identity, parent):
            raise Refused(Kind.RECIPIENT_CACHE, "the recipient cache has no place in the hierarchy")
        _forbid_items(parent)
        places = Places(*await self._folders.refresh())
        folder, mailbox = places.own(identity)
        target = places.target(parent, name, folder)
        if target == mailbox.name:
            return folder.id
        if hierarchy.within(target, mailbox):
            raise Refused(Kind.INVALID_XML, "a folder cannot be moved below itself")
        places.below(mailbox)  # which must not be moved either
        places.forbid_twin(parent, name, folder.id)
        if places.exists(target):
            raise AlreadyExists("there is a mailbox of that name")
        await self._note(lambda known: hierarchy.begin_rename(known, mailbox, target))
        try:
            await self._mailboxes.rename(mailbox.name, target)
        except (UpstreamRefused, Refused):
            await self._note(lambda known: hierarchy.end_rename(known, mailbox, mailbox.name))
            raise
        await self._note(lambda known: hierarchy.end_rename(known, mailbox, target))
        return folder.id

    async def _delete(self, request: _Request, identity: str) -> CollectionId:
        if identity == RECIPIENT_CACHE:
            raise Refused(Kind.RECIPIENT_CACHE, "the recipient cache cannot be deleted")
        folders, mailboxes = await self._folders.refresh()
        gone = any(folder.id == identity and folder.gone for folder in folders.folders)
        if gone and await self._begun(request):
            return CollectionId(identity)
        places = Places(folders, mailboxes)
        folder, mailbox = places.own(identity)
        doomed = places.below(mailbox)
        await self._begin(request)
        await remove(self._mailboxes, doomed)
        await self._folders.refresh()
        return folder.id

    # --- folders of items ----------------------------------------------------------------------------------

    async def _places(self) -> ItemPlaces:
        rows = await self._folders.rows()
        return ItemPlaces(await itemfolders.provide(self._items, self._user), rows)

    async def _create_for_items(
        self, request: _Request, kind: ItemKind, parent: str, name: str
    ) -> CollectionId:
        places = await self._places()
        place, plain = places.place(kind, parent), plain_name(name)
        there = places.named(kind, place, plain)
        if there is not None and await self._begun(request):
            return there.id
        places.forbid_twin(parent, plain)
        await self._begin(request)
        return (await self._items.create_item_folder(self._user, kind, plain, place)).id

    async def _update_of_items(self, identity: str, parent: str, name: str) -> CollectionId:
        places = await self._places()
        folder = places.own(identity)
        place, plain = places.place(folder.kind, parent), plain_name(name)
        places.forbid_circle(folder, place)
        places.forbid_twin(parent, plain, folder.id)
        await self._items.update_item_folder(folder.id, plain, place)
        return folder.id

    async def _delete_of_items(self, request: _Request, identity: str) -> CollectionId:
        folder = CollectionId(identity)
        if await self._items.item_folder(self._user, folder) is None and await self._begun(request):
            return folder
        places = await self._places()
        places.own(identity)
        await self._begin(request)
        await self._items.delete_item_folder(folder)
        return folder

    async def _note(self, change: Callable[[FolderList], FolderList]) -> None:
        """Change the stored folder list, whoever else does."""
        for _ in range(_ATTEMPTS):
            with suppress(StateConflict):
                await self._state.save_folders(self._user, change(await self._folders.all()))
                return
        raise StateConflict("the folder list keeps changing")


def _forbid_items(parent: str) -> None:
    """Refuse a folder for mail below one of items. Raises `Refused`."""
    if itemfolders.is_item_folder(parent):
        raise Refused(Kind.DEFAULT_FOLDER, "no folder for mail can be below one of items")


async def remove(mailboxes: Mailboxes, doomed: Sequence[Mailbox]) -> None:
    """Delete mailboxes, those below others first. Raises `UpstreamError`."""
    for mailbox in from_below(doomed):
        with suppress(NotFound):  # somebody was faster, or it stood for those below it alone
            await mailboxes.delete(mailbox.name)


def from_below(mailboxes: Iterable[Mailbox]) -> list[Mailbox]:
    """Mailboxes in an order in which those below others come first."""
    return sorted(mailboxes, key=lambda mailbox: len(mailbox.name), reverse=True)


def _without(rows: Rows, folder: CollectionId) -> Rows:
    """What a device knows that deleted a folder; it is told of those below when it asks."""
    return tuple(row for row in rows if row.id != folder)
