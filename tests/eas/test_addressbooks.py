"""Folders of contacts as directories: one's own, and one that somebody keeps for all."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.app import SystemClock
from gateway.eas.addressbooks import AddressBooks, OwnBooks, SharedBook
from gateway.eas.addresslist import AddressList, Reach
from gateway.items import Edit, Item, ItemFolder, ItemKind, ItemNumber, StoredItem
from gateway.ports import Commit
from gateway.ports.directory import LARGEST_PICTURE, Entry, Found, Viewer
from gateway.store.sqlite import Database, SqliteItems, SqlitePeople
from gateway.types import CollectionId, Password, Principal, UserId

ANN, BEN = UserId("ann@a.example"), UserId("ben@a.example")
PHOTO = b"\xff\xd8\xff" + b"x" * LARGEST_PICTURE


def viewer(user: UserId = BEN, domain: str | None = None) -> Viewer:
    return Viewer(user, Password(user, "secret"), domain)


def card(name: str, *lines: str) -> str:
    told = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{name}", f"FN:{name}", f"N:X;{name};;;", *lines, "END:VCARD"]
    return "\r\n".join([*told, ""])


@dataclass
class Stored:
    """Items, and ways to change them."""

    items: SqliteItems
    people: SqlitePeople

    async def folder(self, owner: UserId, name: str, kind: ItemKind = ItemKind.CONTACTS) -> ItemFolder:
        return await self.items.create_item_folder(owner, kind, name)

    async def put(self, folder: ItemFolder, text: str, number: ItemNumber = 0) -> ItemNumber:
        """Store a card, or (with "") remove it."""
        known = await self.items.load_items(folder.id, [number])
        if not number:
            (number,) = await self.items.new_item_numbers(1)
        stored = StoredItem(f"uid-{number}", text) if text else None
        edit = Edit(number, known[number].revision if known else 0, stored)
        await self.items.commit_items(Commit(folder.owner, folder.id, [edit]))
        return number


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[Stored]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield Stored(SqliteItems(database, SystemClock()), SqlitePeople(database))


async def names(book: OwnBooks | SharedBook, text: str, who: Viewer | None = None) -> list[str]:
    return [one.name for one in (await book.search(who or viewer(), text, 0, 9)).entries]


async def test_own_contacts(stored: Stored) -> None:
    """Of all his folders of contacts, whatever their domain; nobody else's, and no other kind of folder."""
    for folder, name in (
        (await stored.folder(BEN, "Contacts"), "Carl One"),
        (await stored.folder(BEN, "More"), "Carl Two"),
        (await stored.folder(ANN, "Contacts"), "Carl Three"),
        (await stored.folder(BEN, "Notes", ItemKind.NOTES), "Carl Four"),
    ):
        await stored.put(folder, card(name, f"EMAIL:{name.replace(' ', '.')}@far.example"))
    own = OwnBooks(AddressBooks(stored.items))
    assert await names(own, "carl", viewer(domain="a.example")) == ["Carl One", "Carl Two"]
    assert await own.named(viewer(), "CARL.ONE@far.example", 9) == Found(
        (Entry("Carl.One@far.example", "Carl One", "", "Carl One", "X", contact=True),), 1
    )
    (entry,) = await own.entries(viewer(), ["carl.two@far.example", "carl two"])
    assert (entry.name, entry.contact) == ("Carl Two", True)


async def test_what_changes_is_seen_at_once(stored: Stored) -> None:
    folder = await stored.folder(BEN, "Contacts")
    own = OwnBooks(AddressBooks(stored.items))
    assert await names(own, "carl") == []
    carl = await stored.put(folder, card("Carl", "EMAIL:carl@a.example"))
    await stored.put(folder, card("Carla", "EMAIL:carla@a.example"))
    await stored.put(folder, card("Carl without"))
    await stored.put(folder, "BEGIN:VCARD\r\nrubbish")
    assert await names(own, "carl") == ["Carl", "Carla"]
    await stored.put(folder, card("Charles", "EMAIL:carl@a.example"), carl)
    assert await names(own, "charles") == ["Charles"]
    await stored.put(folder, "", carl)
    assert await names(own, "carl") == ["Carla"]


async def test_folders_are_read_and_put_together_once(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [await stored.folder(BEN, name) for name in ("Contacts", "More")]
    for folder in folders:
        await stored.put(folder, card(folder.name, f"EMAIL:{folder.name}@far.example"))
    read: list[CollectionId] = []
    load = stored.items.load_items

    async def noted(collection: CollectionId, numbers: Iterable[ItemNumber]) -> Mapping[ItemNumber, Item]:
        read.append(collection)
        return await load(collection, numbers)

    monkeypatch.setattr(stored.items, "load_items", noted)
    books = AddressBooks(stored.items)
    folders = list(await books.folders(BEN))
    several = await asyncio.gather(*(books.people(folders) for _ in range(9)))
    assert [entry.name for entry in several[0].entries] == ["Contacts", "More"]
    assert all(one is several[0] for one in several)
    assert sorted(read) == sorted(folder.id for folder in folders)
    await stored.put(folders[0], card("Another", "EMAIL:another@far.example"))
    after = await books.people(await books.folders(BEN))
    assert [entry.name for entry in after.entries] == ["Another", "Contacts", "More"]
    # Whoever looked at the folders before the change, and comes late.
    assert await books.people(folders) is after


async def test_a_shared_book(stored: Stored) -> None:
    books = AddressBooks(stored.items)
    shared = SharedBook(books, ANN, "company")
    assert await names(shared, "carl") == []
    folder = await stored.folder(ANN, "Company")
    await stored.put(folder, card("Carl", "EMAIL:carl@a.example", "EMAIL:carl@b.example", "TITLE:Head"))
    await stored.put(folder, card("Carla", "EMAIL:carla@b.example"))
    assert await names(shared, "carl") == ["Carl", "Carla"]
    (found,) = (await shared.search(viewer(domain="a.example"), "carl", 0, 9)).entries
    assert found == Entry("carl@a.example", "Carl", "", "Carl", "X", "Head")
    assert await names(shared, "carl@b.example", viewer(domain="a.example")) == []
    assert await shared.entries(viewer(domain="a.example"), ["carl@b.example", "carla@b.example"]) == []
    await stored.items.delete_item_folder(folder.id)
    assert await names(shared, "carl") == []


async def test_photos_and_certificates(stored: Stored) -> None:
    folder = await stored.folder(BEN, "Contacts")
    photo, key = (base64.b64encode(octets).decode() for octets in (PHOTO, b"key"))
    lines = ("EMAIL:carl@a.example", f"PHOTO;ENCODING=b:{photo}", f"KEY;ENCODING=b:{key}")
    await stored.put(folder, card("Carl", *lines))
    await stored.put(folder, card("Dora", "EMAIL:dora@a.example"))
    own = OwnBooks(AddressBooks(stored.items))
    asked = ["carl@a.example", "dora@a.example", "nobody@a.example"]
    photos = await own.pictures(viewer(), asked)
    assert {address: len(found) for address, found in photos.items()} == {asked[0]: LARGEST_PICTURE + 1}
    assert await own.certificates(viewer(), asked) == {asked[0]: [b"key"]}
    assert await own.members(viewer(), asked[0], 9) is None


@pytest.mark.parametrize("listed", [Reach.DOMAIN, Reach.NONE])
async def test_a_recipient_in_both(stored: Stored, listed: Reach) -> None:
    """Whom everybody knows is no contact, but what only the own contacts say of him counts, too."""
    folder = await stored.folder(BEN, "Contacts")
    key = base64.b64encode(b"key").decode()
    await stored.put(folder, card("My Ann", f"EMAIL:{ANN}", "TITLE:Friend", f"KEY;ENCODING=b:{key}"))
    await stored.people.note_person(ANN, Entry(ANN, "Ann"), "rules", SystemClock().now())
    ben = Principal(BEN, BEN, Password(BEN, "secret"))
    own = [OwnBooks(AddressBooks(stored.items))]
    people = AddressList([stored.people], stored.people, listed=listed, own=own)
    (found,) = (await people.resolve(ben, ANN, 9)).entries
    mine = Entry(ANN, "My Ann", "", "My Ann", "X", "Friend", contact=True)
    assert found == (mine if listed is Reach.NONE else replace(mine, name="Ann", contact=False))
    assert await people.certificates(ben, [found]) == {ANN: (b"key",)}
    if listed is Reach.DOMAIN:
        assert (await people.search(ben, "ann", 0, 9)).entries == (Entry(ANN, "Ann"),)


async def test_private_contacts_are_found_by_their_owner_alone(stored: Stored) -> None:
    folder = await stored.folder(ANN, "Company")
    for name, *lines in (("Carl One", "CLASS:PRIVATE"), ("Carl Two", "CLASS:PUBLIC")):
        await stored.put(folder, card(name, f"EMAIL:{name[5:]}@far.example", *lines))
    shared = SharedBook(AddressBooks(stored.items, private=False), ANN, "Company")
    assert await names(shared, "carl") == ["Carl Two"]
    assert await names(OwnBooks(AddressBooks(stored.items)), "carl", viewer(ANN)) == ["Carl One", "Carl Two"]


@pytest.mark.parametrize(("memory", "reads"), [(100_000, 2), (2_000, 3), (0, 4)])
async def test_what_is_kept_is_bound_by_what_it_takes(
    stored: Stored, monkeypatch: pytest.MonkeyPatch, memory: int, reads: int
) -> None:
    """There is room for both folders, for the one used last, or for none."""
    for name in ("One", "Two"):
        await stored.put(await stored.folder(ANN, name), card(f"Carl {name}", "EMAIL:c@far.example"))
    read: list[CollectionId] = []
    load = stored.items.load_items

    async def counted(folder: CollectionId, numbers: Iterable[ItemNumber]) -> Mapping[ItemNumber, Item]:
        read.append(folder)
        return await load(folder, numbers)

    monkeypatch.setattr(stored.items, "load_items", counted)
    books = AddressBooks(stored.items, memory=memory)
    for name in ("Two", "One", "One", "Two"):
        assert await names(SharedBook(books, ANN, name), "carl") == [f"Carl {name}"]
    assert len(read) == reads
