"""What phones do with folders of items of any kind, and how an administrator shares one."""

from __future__ import annotations

import asyncio

from gateway.app import SystemClock
from gateway.items import Right
from gateway.store.sqlite import Database, SqliteItems
from gateway.types import CollectionId, UserId
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served
from wbxml import Element, element
from wbxml.pages import AirSync, FolderHierarchy, GetItemEstimate, ItemOperations, Move, Ping


def new_folder(phone: Phone, name: str, kind: int) -> str:
    """Make a folder of a Type (13 calendar, 14 contacts, 15 tasks, 17 notes); its id."""
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    asked = element(
        FolderHierarchy.FolderCreate,
        element(FolderHierarchy.SyncKey, key),
        element(FolderHierarchy.ParentId, "0"),
        element(FolderHierarchy.DisplayName, name),
        element(FolderHierarchy.Type, kind),
    )
    return phone.post("FolderCreate", asked).root.child_text(FolderHierarchy.ServerId) or ""


def folder_types(phone: Phone) -> dict[str, str]:
    """The Types of all folders by name."""
    changes = phone.folder_sync().find(FolderHierarchy.Changes)
    assert changes is not None
    return {
        row.child_text(FolderHierarchy.DisplayName) or "": row.child_text(FolderHierarchy.Type) or ""
        for row in changes.findall(FolderHierarchy.Add)
    }


def share(gateway: Gateway, owner: str, folder: str, user: str, right: Right | None) -> None:
    """Share a folder, as an administrator does beside the running gateway."""

    async def work() -> None:
        async with await Database.open(gateway.database) as database:
            items = SqliteItems(database, SystemClock())
            assert await items.item_folder(UserId(owner), CollectionId(folder))
            await items.share_item_folder(CollectionId(folder), UserId(user), right)

    asyncio.run(work())


def named(served: Served, position: int = 0) -> str:
    """The ServerId of an item that was added."""
    response = served.responses[position]
    assert response.child_text(AirSync.Status) == "1"
    return response.child_text(AirSync.ServerId) or ""


def all_of(phone: Phone, folder: str) -> dict[str, Element]:
    """What a phone that begins anew is told."""
    phone.begin(folder)
    return phone.sync(folder).added


def ping(phone: Phone, *folders: str, name: str, seconds: int = 20) -> Element:
    """The answer to a Ping for folders of a Class."""
    asked_for = [
        element(Ping.Folder, element(Ping.Id, folder), element(Ping.Class, name)) for folder in folders
    ]
    asked = element(Ping.Ping, element(Ping.HeartbeatInterval, seconds), element(Ping.Folders, *asked_for))
    return phone.post("Ping", asked).root


def estimate(phone: Phone, folder: str, *more: Element, name: str, key: str | None = None) -> Element:
    """The Response of GetItemEstimate for a folder of a Class; `more` are its options."""
    identity = element(GetItemEstimate.CollectionId, folder)
    held = element(AirSync.SyncKey, phone.keys.get(folder, "0") if key is None else key)
    if phone.number < 14:
        kind = element(GetItemEstimate.Class, name)
        asked = [kind, identity, *(more or [element(AirSync.FilterType, 0)]), held]
    else:
        asked = [held, identity, *([element(AirSync.Options, *more)] if more else [])]
    collection = element(GetItemEstimate.Collection, *asked)
    root = phone.post(
        "GetItemEstimate",
        element(GetItemEstimate.GetItemEstimate, element(GetItemEstimate.Collections, collection)),
    ).root
    (response,) = root.findall(GetItemEstimate.Response)
    return response


def move(phone: Phone, item: str, source: str, target: str) -> tuple[str | None, str | None]:
    """Move an item; the Status and its new name."""
    asked = element(
        Move.Move,
        element(Move.SrcMsgId, item),
        element(Move.SrcFldId, source),
        element(Move.DstFldId, target),
    )
    (told,) = phone.post("MoveItems", element(Move.MoveItems, asked)).root.findall(Move.Response)
    return told.child_text(Move.Status), told.child_text(Move.DstMsgId)


def operate(phone: Phone, operation: Element) -> Element:
    """The answer to one of ItemOperations."""
    root = phone.post("ItemOperations", element(ItemOperations.ItemOperations, operation)).root
    response = root.find(ItemOperations.Response)
    assert response is not None
    return response.children[0]


def fetch_item(phone: Phone, folder: str, name: str) -> Element:
    """The answer to a Fetch of an item."""
    asked = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(AirSync.CollectionId, folder),
        element(AirSync.ServerId, name),
    )
    return operate(phone, asked)
