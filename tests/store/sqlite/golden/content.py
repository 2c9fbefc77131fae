"""What is in the golden databases: how it is written, and how it must read after any upgrade.

`python -m tests.store.sqlite.golden.content FILE` writes a file with the newest schema. Do that once for each
migration, at its release, and never change the file again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.items import Edit, FileInfo, Item, ItemChange, ItemFolder, ItemKind, Notice, Right, StoredItem
from gateway.mail.pieces import Joined
from gateway.ports import Act, Commit, Items, People, State
from gateway.ports.audit import Noted, Wanted
from gateway.ports.directory import Entry, Viewer
from gateway.ports.memberships import Membership
from gateway.ports.sessions import Session
from gateway.ports.traces import Traced
from gateway.store.sqlite.database import Database
from gateway.store.sqlite.items import SqliteItems
from gateway.store.sqlite.people import SqlitePeople
from gateway.store.sqlite.state import SqliteState
from gateway.types import (
    Access,
    AppPassword,
    Beginning,
    CollectionId,
    Control,
    Device,
    DeviceId,
    Folder,
    FolderList,
    Move,
    OutboxEntry,
    OutboxStage,
    Password,
    Rewrite,
    Rewrites,
    SentCopy,
    SyncState,
    UserId,
    Visit,
    Wipe,
    WipeStage,
    Writing,
)
from tests.support.notices import pending_notices

USER = UserId("anna@example.com")
BERT = UserId("bert@example.com")
DEVICE = DeviceId("PHONE1")
INBOX = CollectionId("2")
THEN = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
_WITH_ANNOTATIONS = 2
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

PHONE = Device(
    user=USER,
    id=DEVICE,
    type="iPhone",
    policy_key=4000000000,
    version="16.1",
    agent="Apple-iPhone",
    information={"Model": "X"},
    first_seen=THEN,
)
FOLDERS = FolderList(
    0, 3, (Folder(CollectionId("1"), None, "outbox"), Folder(INBOX, "INBOX", "inbox", 7, "F1"))
)
_WITH_BEGINNINGS = 17
BEGINNINGS = Beginning("b1", b"begun", b"other options", "request"), Beginning("c1")
SYNC = SyncState("a1", 5, b"cursor", b"previous", b"results", b"options", beginnings=BEGINNINGS)
MAIL = OutboxEntry(0, USER, DEVICE, "c1", "<1@phone>", "00ff", True, OutboxStage.SUBMITTED, THEN)
ANNOTATIONS = {9: {"flag": b"details"}}
_WITH_REWRITES = 3
REWRITE = Rewrite(7, 3, 5, {"2": "3", "3": ""}, (4,))
WRITTEN = Writing("m1", 4, Rewrite(7, 3, 0, REWRITE.labels, REWRITE.stale), DEVICE, INBOX, "add:1", b"{}")
WRITING = Writing("m2", 5, Rewrite(7, 0, 0), DEVICE, INBOX, "add:2", b"{}")
_WITH_MOVES = 4
MOVED = Move(INBOX, 7, 8, CollectionId("3"), "likeness", 9, 20, THEN, 21, frozenset({"$Forwarded"}))
POISON = (USER, INBOX, "2:9", "0.1", "no header")
_WITH_ITEMS = 5
CALENDAR = CollectionId("i1")
EVENT = StoredItem("u1", "BEGIN:VCALENDAR\r\n", THEN, None, frozenset({1}))
NOTICE = Notice("n2", ("bert@example.com",), b"mail", "?")
"""About an event that is not known, which is what those are that were stored before 0011."""
_WITH_PEOPLE = 6
_WITH_MOVED_FLAGS = 9
_WITH_CONTROL = 12
TABLET = DeviceId("TABLET1")
LOST = Control(Access.BLOCK, Wipe.DEVICE, WipeStage.ASKED, THEN)
_WITH_AUDIT = 13
BLOCKED = Act(THEN, "cli:root", "device.block", USER, TABLET, "lost")
_WITH_SESSIONS = 14
_WITH_APP_PASSWORDS = 15
APP_PASSWORD = AppPassword(USER, "phone", b"digest", THEN, bound=True, number=1)
SIGNED_IN = Session(b"key", USER, "Anna@example.com", THEN, THEN, b"seal")
_WITH_FACTS = 16
_WITH_MEMBERSHIPS = 18
MEMBER = Membership(USER, {"sales": True, "board": False}, THEN)
TRACED = Traced(1, THEN, USER, TABLET, "{}")
PERSON = Entry("Anna@example.com", "Anna")


class _Clock:
    """Stands still at THEN."""

    def now(self) -> datetime:
        return THEN


def stores(database: Database) -> tuple[SqliteState, SqliteItems, SqlitePeople]:
    """All adapters over one file."""
    return SqliteState(database), SqliteItems(database, _Clock()), SqlitePeople(database)


async def fill(state: State, items: Items, people: People) -> None:
    """Write one of everything."""
    await state.save_device(PHONE)
    await state.save_device(
        PHONE.replace(id=TABLET, policy="digest", compliance=2, provisioned=THEN, refused=3)
    )
    await state.note_visits({(USER, TABLET): Visit("192.0.2.1", THEN)})
    await state.set_trace(USER, TABLET, THEN)
    await state.write_trace([TRACED], 9)
    await state.set_access(USER, TABLET, Access.BLOCK, BLOCKED)
    await state.ask_wipe(USER, TABLET, Wipe.DEVICE, THEN)
    await state.save_folders(USER, FOLDERS)
    await state.save_sync(USER, DEVICE, INBOX, SYNC)
    await state.save_intents(USER, DEVICE, INBOX, {"add:1": b"intent"})
    await state.save_memo(USER, DEVICE, "ping", b"memo")
    mail, _ = await state.begin_send(MAIL, LONG_AGO)
    await state.keep_copy(SentCopy(mail.id, USER, "<1@phone>", b"mail"))
    await state.note_poison(*POISON)
    await state.save_annotations(USER, INBOX, 7, ANNOTATIONS)
    await state.begin_writing(USER, "Drafts", WRITTEN)
    await state.finish_writing(USER, "Drafts", WRITTEN, 5, b"intent")
    await state.begin_writing(USER, "Drafts", WRITING)
    await state.begin_moves(USER, DEVICE, [MOVED])
    await items.provide_item_folder(USER, ItemKind.CALENDAR, "Calendar")
    await items.create_item_folder(USER, ItemKind.CALENDAR, "Trips", CALENDAR)
    await items.share_item_folder(CALENDAR, BERT, Right.READ)
    await items.new_item_numbers(4)
    await items.add_item_file("plan.txt", "text/plain", Joined((b"plan",)))
    edits = [Edit(1, 0, EVENT), Edit(2, 0, StoredItem("u2", "x")), Edit(3, 0, StoredItem("u3", "y"))]
    notices = [Notice("n1", (), b""), NOTICE]
    await items.commit_items(Commit(USER, CALENDAR, edits, device=DEVICE, state=SYNC, notices=notices))
    await items.commit_items(Commit(USER, CALENDAR, [Edit(2, 2, None)]))
    await items.move_item(3, CALENDAR, CollectionId("i2"), 4)
    await items.drop_notice(USER, "n1")
    await state.begin_session(SIGNED_IN)
    await state.add_app_password(APP_PASSWORD)
    await state.use_app_password(1, DEVICE, THEN)
    await people.note_person(USER, PERSON, "rules", THEN)
    await state.save_membership(MEMBER)


async def check(state: State, items: Items, people: SqlitePeople, number: int) -> None:
    """Assert that all of it is there, as far as the migration of that number could keep it."""
    devices = await state.list_devices()
    if number >= _WITH_CONTROL:
        tablet = PHONE.replace(id=TABLET, policy="digest", compliance=2, provisioned=THEN, control=LOST)
        if number >= _WITH_FACTS:
            tablet = tablet.replace(refused=3, synced=THEN, address="192.0.2.1")
        assert devices == [PHONE, tablet]
    else:
        assert devices == [PHONE]
    folders = await state.load_folders(USER)
    assert (folders.next_id, folders.folders) == (FOLDERS.next_id, FOLDERS.folders)
    sync = await state.load_sync(USER, DEVICE, INBOX)
    assert sync is not None
    assert (sync.epoch, sync.number, sync.revision) == ("a1", 5, 1)
    assert (sync.cursor, sync.previous, sync.results, sync.options) == (
        b"cursor",
        b"previous",
        b"results",
        b"options",
    )
    assert sync.beginnings == (BEGINNINGS if number >= _WITH_BEGINNINGS else ())
    assert await state.load_intents(USER, DEVICE, INBOX) == {"add:1": b"intent"}
    assert await state.load_memo(USER, DEVICE, "ping") == b"memo"
    mail, new = await state.begin_send(MAIL, LONG_AGO)
    assert (new, mail.message_id, mail.digest, mail.stage) == (
        False,
        "<1@phone>",
        "00ff",
        OutboxStage.SUBMITTED,
    )
    assert (mail.save, mail.created) == (True, THEN)
    assert await state.kept_copies(USER) == [SentCopy(mail.id, USER, "<1@phone>", b"mail")]
    assert list(await state.list_poison()) == [POISON]
    if number >= _WITH_ANNOTATIONS:
        assert sync.annotations == 1
        assert await state.load_annotations(USER, INBOX, 7, [9]) == ANNOTATIONS
    if number >= _WITH_REWRITES:
        assert await state.load_rewrites(USER, "Drafts") == Rewrites((REWRITE,), (WRITING,))
    if number >= _WITH_MOVES:
        found = await state.load_moves(USER, DEVICE, INBOX, MOVED.target, [(7, 8)])
        assert found == {(7, 8): MOVED if number >= _WITH_MOVED_FLAGS else replace(MOVED, flags=None)}
    if number >= _WITH_ITEMS:
        await _check_items(state, items)
    await _check_administration(state, number)
    if number >= _WITH_PEOPLE:
        assert await people.users_at(["anna@example.com"]) == [USER]
        assert (
            await people.search(Viewer(USER, Password("anna", ""), "example.com"), "anna", 0, 9)
        ).entries == (PERSON,)
        await people.prune_people(THEN, "rules")
        assert await people.users_at(["anna@example.com"]) == [USER]


async def _check_administration(state: State, number: int) -> None:
    if number >= _WITH_AUDIT:
        assert await state.list_acts(Wanted(), 9) == [Noted(1, BLOCKED)]
    if number >= _WITH_SESSIONS:
        seal = SIGNED_IN.seal if number >= _WITH_MEMBERSHIPS else b""
        assert await state.load_session(SIGNED_IN.key) == replace(SIGNED_IN, seal=seal)
    if number >= _WITH_APP_PASSWORDS:
        assert await state.app_passwords(USER) == [replace(APP_PASSWORD, device=DEVICE, used=THEN)]
    if number >= _WITH_FACTS:
        assert await state.running_traces(LONG_AGO) == [(USER, TABLET)]
        assert await state.read_trace(USER, TABLET, 0, 9) == [TRACED]
    if number >= _WITH_MEMBERSHIPS:
        assert await state.list_memberships() == [MEMBER]


async def _check_items(state: State, items: Items) -> None:
    calendar = ItemFolder(CALENDAR, USER, ItemKind.CALENDAR, "Calendar", default=True, revision=5)
    trips = ItemFolder(CollectionId("i2"), USER, ItemKind.CALENDAR, "Trips", parent=CALENDAR, revision=1)
    assert list(await items.item_folders(USER)) == [calendar, trips]
    assert await items.item_folder_shares(CALENDAR) == {BERT: Right.READ}
    assert await items.load_items(CALENDAR, [1, 2, 3]) == {1: Item(1, CALENDAR, 1, EVENT, THEN, THEN)}
    assert await items.item_changes(CALENDAR, 0) == [
        ItemChange(1, 1, gone=False, starts=THEN),
        ItemChange(2, 4, gone=True),
        ItemChange(3, 5, gone=True),
    ]
    assert await items.move_item(3, CALENDAR, trips.id, 99) == 4
    assert list(await items.new_item_numbers(1)) == [5]
    assert await items.item_file(CALENDAR, 1) == FileInfo(1, "plan.txt", "text/plain", 4)
    assert await items.read_item_file(1, 0, 10) == b"plan"
    assert await pending_notices(items, USER) == [NOTICE]
    sync = await state.load_sync(USER, DEVICE, CALENDAR)
    assert sync is not None
    assert (sync.epoch, sync.number, sync.cursor) == ("a1", 5, b"cursor")


async def _make(path: Path) -> None:
    async with await Database.open(path) as database:
        await fill(*stores(database))
    connection = sqlite3.connect(path, isolation_level=None)
    # Small pages: most tables hold one row.
    for statement in ("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512", "VACUUM"):
        connection.execute(statement)
    connection.close()


if __name__ == "__main__":
    asyncio.run(_make(Path(sys.argv[1])))
