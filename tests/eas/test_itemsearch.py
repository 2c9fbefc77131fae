"""Searching items: how many are looked at, for how long, and what one that cannot be read does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.app import SystemClock
from gateway.eas import itemsearch
from gateway.eas.commands.base import Context
from gateway.eas.content.items import Scene
from gateway.eas.content.kinds import content_of
from gateway.eas.identity import Identity
from gateway.eas.versions import Version
from gateway.items import Edit, Item, ItemFolder, ItemKind, StoredItem
from gateway.pim.contacts.document import new_contact
from gateway.pim.contacts.model import Contact, Field
from gateway.pim.events.document import new_event
from gateway.pim.events.model import Attendee, Body, EventPatch, Location, Person
from gateway.pim.invitation import nobody
from gateway.pim.matching import Searched, may_match
from gateway.pim.notes.document import NotePatch, new_note
from gateway.ports import Commit
from gateway.query import EVERYTHING, Contains, Place
from gateway.store.sqlite import Database, SqliteItems
from gateway.sync.searches import ListedItem, Listing, Scope
from gateway.types import CollectionId, Password, Principal, UserId

ANN = UserId("ann")
PRINCIPAL = Principal(ANN, "ann@example.com", Password("ann", "secret"))
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
NOTE = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:{0}\r\nDTSTAMP:20260101T000000Z\r\n"
    "SUMMARY:note {0}\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n"
)
FOREVER = float("inf")


@pytest.fixture
async def items(tmp_path: Path) -> AsyncIterator[SqliteItems]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield SqliteItems(database, SystemClock())


@pytest.fixture
async def notes(items: SqliteItems) -> ItemFolder:
    return await items.provide_item_folder(ANN, ItemKind.NOTES, "Notes")


@pytest.fixture
def context(items: SqliteItems) -> Context:
    made = SimpleNamespace(
        request=SimpleNamespace(version=Version.V16_1, device_type="iPhone"),
        principal=PRINCIPAL,
        services=SimpleNamespace(items=items, identity=Identity(), clock=SystemClock(), zone=UTC),
        log=structlog.get_logger("test"),
    )
    return cast("Context", made)


async def store(items: SqliteItems, folder: ItemFolder, *texts: str) -> list[int]:
    numbers = await items.new_item_numbers(len(texts))
    edits = [
        Edit(number, 0, StoredItem(f"u{number}", text.format(number)))
        for number, text in zip(numbers, texts, strict=True)
    ]
    await items.commit_items(Commit(ANN, folder.id, edits))
    return list(numbers)


def numbers_of(listing: Listing) -> list[int]:
    return [one.number for one in listing.entries if isinstance(one, ListedItem)]


async def search(context: Context, words: str = "", *, limit: int = 1000, ends: float = FOREVER) -> Listing:
    query = Contains(Place.ANYWHERE, words) if words else EVERYTHING
    return await itemsearch.search(context, query, Scope(kinds=(ItemKind.NOTES,)), limit, ends)


async def test_no_more_are_looked_at_than_is_said(
    context: Context, items: SqliteItems, notes: ItemFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await store(items, notes, *[NOTE] * 7)
    monkeypatch.setattr(itemsearch, "_AT_ONCE", 2)
    assert numbers_of(await search(context)) == stored[::-1]
    monkeypatch.setattr(itemsearch, "MOST_LOOKED_AT", 3)
    found = await search(context)
    assert (numbers_of(found), found.total, found.complete) == (stored[:3:-1], 3, True)
    assert numbers_of(await search(context, f"note {stored[0]}")) == []
    few = await search(context, limit=2)
    assert (numbers_of(few), few.total) == (stored[:4:-1], 3)


async def test_when_the_time_is_over(context: Context, items: SqliteItems, notes: ItemFolder) -> None:
    await store(items, notes, NOTE)
    found = await search(context, ends=asyncio.get_running_loop().time())
    assert (found.entries, found.complete) == ([], False)


async def test_what_cannot_be_read_is_not_found_and_keeps_back_nothing(
    context: Context, items: SqliteItems, notes: ItemFolder
) -> None:
    first, rubbish, last = await store(items, notes, NOTE, "secret rubbish", NOTE)
    with capture_logs() as logs:
        assert numbers_of(await search(context)) == [last, first]
    ((event, numbers, (reason,)),) = ((line["event"], line["items"], line["reasons"]) for line in logs)
    assert (event, numbers) == ("items not searched", [rubbish])
    assert ", line " in reason, "an administrator can find where it failed"
    assert "secret" not in str(logs)


@given(st.text(max_size=40), st.text(max_size=20))
def test_whatever_can_be_found_is_looked_at(one: str, other: str) -> None:
    """The quick look before an item is read lets pass all that reading it would find."""
    guest = Attendee(Person("bob@example.test", other or "Bob"))
    at = Location(name=one)
    patch = EventPatch(start=NOON, end=NOON, subject=other, location=at, attendees=(guest,), body=Body(one))
    called: Contact = {Field.LAST_NAME: one, Field.COMPANY_NAME: other, Field.IM1: one, Field.NOTE: other}
    for kind, text in (
        (ItemKind.CALENDAR, new_event(patch, "u1", "ann@example.com", NOON).text),
        (ItemKind.CONTACTS, new_contact(called, "u2", NOON)),
        (ItemKind.NOTES, new_note(NotePatch(subject=one, body=Body(other)), "u3", NOON)),
    ):
        folder = ItemFolder(CollectionId("i1"), ANN, kind, "Folder")
        scene = Scene(Version.V16_1, PRINCIPAL, folder, PRINCIPAL.email, NOON, nobody)
        item = Item(1, folder.id, 1, StoredItem("u", text), NOON, NOON)
        texts = content_of(kind).texts(item, scene)
        for said in (said for several in texts.values() for said in several):
            for words in (said, *said.split()):
                query = Contains(Place.ANYWHERE, words)
                assert Searched.of(texts, NOON).matches(query)
                assert may_match(query, text), (kind, words)


async def test_what_others_have_is_not_looked_at(
    context: Context, items: SqliteItems, notes: ItemFolder
) -> None:
    bobs = await items.provide_item_folder(UserId("bob"), ItemKind.NOTES, "Notes")
    await store(items, notes, NOTE)
    await items.commit_items(
        Commit(UserId("bob"), bobs.id, [Edit(4711, 0, StoredItem("u", NOTE.format("of bob")))])
    )
    assert numbers_of(await search(context, "of bob")) == []
