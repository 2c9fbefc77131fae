"""The INBOX read into the calendar: once, in any order, after anything that breaks off."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import GatewayError, StateConflict, UpstreamUnavailable
from gateway.items import Edit, Item, ItemKind
from gateway.pim.events.document import read_event
from gateway.pim.events.model import Event, Participation
from gateway.ports import Commit, Mailboxes
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.sync.background import Background
from gateway.sync.intake import Intake
from gateway.sync.meetingmail import MeetingMail, Reader
from gateway.types import (
    NO_DEVICE,
    BodyPart,
    CollectionId,
    MailboxView,
    MessageData,
    SectionRequest,
    Uids,
    UserId,
)
from tests.pim.itip.meetings import NOW, ZONE, occurrence, series
from tests.support.invitations import ANN, BOB, calendar
from tests.support.killed import Fuse, Killed

USER = UserId("ann")


@dataclass
class Inbox:
    """A mailbox with calendars in it. It counts what is asked of it, and fails when told to."""

    uidvalidity: int = 1
    mail: dict[int, tuple[str, str, str, datetime]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    next_uid: int = 1
    broken: bool = False

    def receive(
        self, method: str, *events: tuple[str, ...], sender: str = BOB, text: str = "", days_ago: int = 0
    ) -> None:
        lines = (line for event in events for line in event)
        text = text or calendar(*ZONE, *lines, method=method)
        self.mail[self.next_uid] = (sender, method, text, NOW - timedelta(days=days_ago))
        self.next_uid += 1

    async def view(self, mailbox: str) -> MailboxView:
        assert mailbox == "INBOX"
        self.asked.append("view")
        return MailboxView(self.uidvalidity, f"{self.uidvalidity}.{self.next_uid}", Uids(self.mail), {})

    async def received_since(self, mailbox: str, uidvalidity: int, since: datetime) -> Uids:
        return Uids(uid for uid, (*_, date) in self.mail.items() if date >= since)

    async def fetch(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], header_fields: Sequence[str] | None
    ) -> Mapping[int, MessageData]:
        self.asked.append("fetch")
        if self.broken:
            raise UpstreamUnavailable("cut off")
        return {uid: self._data(uid) for uid in uids}

    def _data(self, uid: int) -> MessageData:
        sender, method, text, date = self.mail[uid]
        params = {"charset": "utf-8", "method": method}
        part = BodyPart("1", "text", "calendar", params, encoding="8bit", size=len(text))
        named = sender if "<" in sender else f"Bob <{sender}>"
        return MessageData(uid, frozenset(), date, 1, part, f"From: {named}\r\n\r\n".encode())

    async def fetch_sections(
        self, mailbox: str, uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        return {request: self.mail[request.uid][2].encode() for request in requests}


class Clock:
    """Noon, until a test says otherwise."""

    time = NOW

    def now(self) -> datetime:
        return self.time


class World:
    """Ann's calendar and her INBOX."""

    zone: tzinfo = UTC

    def __init__(self, database: Database) -> None:
        self.database = database
        self.state = SqliteState(database)
        self.clock = Clock()
        self.items = SqliteItems(database, self.clock)
        self.inbox = Inbox()
        self.begin_anew()

    def begin_anew(self, *, tentative: bool = True) -> None:
        """As after a restart."""
        self.background = Background()
        self.meetings = MeetingMail(self.items, self.clock, tentative, self.zone)
        self.intake = Intake(self.state, self.background, self.meetings)

    @property
    def reader(self) -> Reader:
        return Reader(USER, ANN, cast("Mailboxes", self.inbox), {ANN, "ann@alias.example"}.__contains__)

    async def read(self) -> None:
        await self.intake.read(self.reader)

    async def events(self) -> list[Event]:
        """What is in the calendar."""
        folders = await self.items.item_folders(USER)
        found: list[Event] = []
        for folder in folders:
            changes = await self.items.item_changes(folder.id, 0)
            there = await self.items.load_items(folder.id, [one.number for one in changes if not one.gone])
            found += [read_event(item.stored.text, ANN) for item in there.values()]
        return found

    async def delete_all(self) -> None:
        for folder in await self.items.item_folders(USER):
            changes = [one for one in await self.items.item_changes(folder.id, 0) if not one.gone]
            edits = [Edit(one.number, one.revision, None) for one in changes]
            await self.items.commit_items(Commit(USER, folder.id, edits))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield World(database)


async def test_an_alias_is_the_user_too(world: World) -> None:
    people = ("ORGANIZER:mailto:bob@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@alias.example")
    world.inbox.receive("REQUEST", series(people=people))
    own = ("ORGANIZER:mailto:ann@alias.example", "ATTENDEE:mailto:bob@example.org")
    world.inbox.receive("REQUEST", series(people=own, uid="own@example.org"), sender="ann@alias.example")
    await world.read()
    (event,) = await world.events()  # and not what the user sent himself
    assert event.attendees[0].status is Participation.NEEDS_ACTION


async def test_times_in_no_zone_are_those_of_the_users(world: World) -> None:
    world.zone = ZoneInfo("America/New_York")
    world.begin_anew()
    lines = ("BEGIN:VEVENT", "UID:x", "DTSTAMP:20260301T080000Z", "DTSTART:20260302T100000", "DURATION:PT1H")
    people = ("ORGANIZER:mailto:bob@example.org", "ATTENDEE:mailto:ann@example.org")
    text = calendar(*lines, *people, "RRULE:FREQ=DAILY;COUNT=3", "EXDATE:20260303T100000", "END:VEVENT")
    world.inbox.receive("REQUEST", text=text)
    await world.read()
    (event,) = await world.events()
    assert event.start == datetime(2026, 3, 2, 15, tzinfo=UTC)
    assert event.zone == ZoneInfo("America/New_York")
    assert [one.original for one in event.occurrences] == [datetime(2026, 3, 3, 15, tzinfo=UTC)]


async def test_what_arrived_is_read_once(world: World) -> None:
    world.inbox.receive("REQUEST", series())
    await world.read()
    (event,) = await world.events()
    assert event.subject == "Monday"
    world.inbox.asked.clear()
    await world.read()
    assert world.inbox.asked == ["view"]
    world.inbox.receive("REQUEST", series("LOCATION:Room 2", sequence=1))
    await world.read()
    (event,) = await world.events()
    assert event.location is not None
    (folder,) = await world.items.item_folders(USER)
    assert (folder.kind, folder.default, folder.revision) == (ItemKind.CALENDAR, True, 2)


async def test_only_the_latest_mail_is_read_at_first(world: World) -> None:
    world.inbox.receive("REQUEST", series(uid="old@x"), days_ago=40)
    world.inbox.receive("REQUEST", series(uid="new@x"), days_ago=3)
    await world.read()
    assert [one.uid for one in await world.events()] == ["new@x"]


async def test_an_inbox_without_recent_mail(world: World) -> None:
    world.inbox.receive("REQUEST", series(uid="old@x"), days_ago=40)
    await world.read()
    assert await world.events() == []
    world.inbox.receive("REQUEST", series(uid="new@x"))
    await world.read()
    assert [one.uid for one in await world.events()] == ["new@x"]


async def test_an_inbox_made_anew_brings_nothing_back(world: World) -> None:
    world.inbox.receive("REQUEST", series(uid="kept@x"))
    world.inbox.receive("REQUEST", series(uid="deleted@x"))
    await world.read()
    await world.delete_all()
    world.inbox.uidvalidity = 2
    world.inbox.receive("REQUEST", series(uid="new@x"))
    await world.read()
    assert [one.uid for one in await world.events()] == ["new@x"]


async def test_a_declined_meeting_that_is_changed_is_there_again(world: World) -> None:
    world.inbox.receive("REQUEST", series())
    await world.read()
    await world.delete_all()
    world.inbox.receive("REQUEST", series())
    await world.read()
    assert await world.events() == []
    world.inbox.receive("REQUEST", series(sequence=1))
    await world.read()
    assert len(await world.events()) == 1


async def test_a_cancellation_that_overtakes_its_invitation(world: World) -> None:
    world.inbox.receive("CANCEL", series("STATUS:CANCELLED", sequence=1))
    world.inbox.receive("REQUEST", series())
    world.inbox.receive("REQUEST", occurrence("20260309"))
    await world.read()
    assert await world.events() == []


async def test_forged_mail_is_not_remembered(world: World) -> None:
    world.inbox.receive("CANCEL", series(sequence=9), sender="mallory@example.net")
    world.inbox.receive("REQUEST", series(sequence=8), sender="mallory@example.net")
    hers = ("ORGANIZER:mailto:mallory@example.net", "ATTENDEE:mailto:ann@example.org")
    world.inbox.receive("CANCEL", series(sequence=9, people=hers), sender="mallory@example.net")
    world.inbox.receive("REQUEST", series())
    await world.read()
    assert len(await world.events()) == 1


@pytest.mark.parametrize(
    ("sender", "count"),
    [
        (f"Bob <{BOB}>, Mallory <mallory@example.net>", 0),
        (f"Bob <{BOB}>\r\nFrom: <mallory@example.net>", 0),
        (f"Builder, Bob <{BOB}>", 1),
        (f"Bob <{BOB}>\r\nFrom: <{BOB.upper()}>", 1),
    ],
)
async def test_mail_of_several_is_of_nobody(world: World, sender: str, count: int) -> None:
    world.inbox.receive("REQUEST", series(), sender=sender)
    await world.read()
    assert len(await world.events()) == count


async def test_mail_that_names_two_methods_changes_nothing(world: World) -> None:
    world.inbox.receive("REPLY", text=calendar(*ZONE, *series(), method="REQUEST"))
    world.inbox.receive("PUBLISH", text=calendar(*ZONE, *series(), method="REQUEST"))
    await world.read()
    assert await world.events() == []
    world.inbox.receive("request", text=calendar(*ZONE, *series(), method="REQUEST"))
    await world.read()
    assert len(await world.events()) == 1


async def test_one_that_cannot_be_read_blocks_nothing(world: World) -> None:
    broken = (
        "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:x\r\nORGANIZER:mailto:bob@example.org\r\n"
    )
    world.inbox.receive("REQUEST", text=broken)
    world.inbox.receive("REQUEST", text="rubbish")
    world.inbox.receive("REQUEST", text=broken + "DTSTART:99999999T000000Z\r\nRRULE:FREQ=SECONDLY\r\n")
    world.inbox.receive("REQUEST", series())
    await world.read()
    assert [one.uid for one in await world.events()] == ["monday@example.org"]


async def test_an_error_of_ours_blocks_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    world.inbox.receive("REQUEST", series(uid="bad@x"))
    with monkeypatch.context() as patched:
        patched.setattr("gateway.sync.meetingmail.apply", fail)
        await world.read()
    world.inbox.receive("REQUEST", series(uid="good@x"))
    await world.read()
    assert [one.uid for one in await world.events()] == ["good@x"]


async def test_what_breaks_off_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(120):
        world.inbox.receive("REQUEST", series(uid=f"{number}@x"))
    with monkeypatch.context() as patched:
        Fuse(5).put(patched, world.state, "save_memo")
        with pytest.raises(Killed):
            await world.read()
    world.begin_anew()
    await world.read()
    uids = [one.uid for one in await world.events()]
    assert len(uids) == len(set(uids)) == 120


async def test_the_mail_server_goes_away(world: World) -> None:
    world.inbox.receive("REQUEST", series())
    world.inbox.broken = True
    await world.intake.settle(world.reader, 5)
    assert await world.events() == []
    world.inbox.broken = False
    await world.intake.settle(world.reader, 5)
    assert len(await world.events()) == 1


async def test_so_much_at_once_and_no_more(world: World) -> None:
    await world.read()  # the first time only the newest are looked at
    for _ in range(700):
        world.inbox.receive("REPLY", text="rubbish")
    world.inbox.receive("REQUEST", series())
    await world.read()
    assert await world.events() == []
    await world.read()
    assert len(await world.events()) == 1


async def test_many_at_once_share_the_work(world: World) -> None:
    world.inbox.receive("REQUEST", series())
    await asyncio.gather(*(world.intake.settle(world.reader, 5) for _ in range(10)))
    assert len(await world.events()) == 1
    assert world.inbox.asked.count("fetch") == 1


async def test_requests_about_other_things_look_now_and_then(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.intake.settle(world.reader, 5)
    for _ in range(5):
        world.intake.glance(world.reader)
    await world.background.aclose(5)
    assert world.inbox.asked.count("view") == 1
    monkeypatch.setattr("gateway.sync.intake._SELDOM", 0.0)
    world.intake.glance(world.reader)
    await world.background.aclose(5)
    assert world.inbox.asked.count("view") == 2


async def test_nothing_is_read_for_who_uses_no_calendar(world: World) -> None:
    for _ in range(5):
        world.intake.glance(world.reader)
    await world.background.aclose(5)
    assert not world.inbox.asked


async def test_invitations_may_be_left_alone_until_they_are_answered(world: World) -> None:
    world.inbox.receive("REQUEST", series())
    await world.read()
    world.begin_anew(tentative=False)
    world.inbox.receive("REQUEST", series(uid="new@x"))
    world.inbox.receive("REQUEST", series("LOCATION:Room 2", sequence=1))
    await world.read()
    (event,) = await world.events()
    assert event.location is not None


# --- what is in the way -------------------------------------------------------------------------------------


class InTheWay:
    """Somebody who is always faster where the event of one UID is stored."""

    def __init__(self, world: World, uid: str, patch: pytest.MonkeyPatch) -> None:
        self.uid = uid
        self.there = True
        self.asked = 0
        self._commit = world.items.commit_items
        patch.setattr(world.items, "commit_items", self.commit)

    async def commit(self, commit: Commit) -> object:
        if self.there and any(one.stored and one.stored.uid == self.uid for one in commit.edits):
            self.asked += 1
            raise StateConflict("somebody was faster")
        return await self._commit(commit)


async def test_a_message_that_cannot_be_brought_in_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = InTheWay(world, "bad@x", monkeypatch)
    world.inbox.receive("REQUEST", series(uid="bad@x"))
    world.inbox.receive("REQUEST", series(uid="good@x"))
    await world.read()
    assert [one.uid for one in await world.events()] == ["good@x"]
    tries = other.asked
    await world.read()
    assert other.asked == tries  # not at once again
    world.clock.time += timedelta(minutes=1)
    world.begin_anew()
    await world.read()
    assert other.asked == 2 * tries
    other.there = False
    world.clock.time += timedelta(minutes=2)
    await world.read()
    assert {one.uid for one in await world.events()} == {"good@x", "bad@x"}
    world.inbox.asked.clear()
    world.clock.time += timedelta(days=1)
    for _ in range(2):
        await world.read()
    assert world.inbox.asked == ["view", "view"]


async def test_what_can_never_be_brought_in_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = InTheWay(world, "bad@x", monkeypatch)
    world.inbox.receive("REQUEST", series(uid="bad@x"))
    for _ in range(20):
        await world.read()
        world.clock.time += timedelta(days=1)
    assert 1 < other.asked < 100
    world.inbox.asked.clear()
    await world.read()
    assert world.inbox.asked == ["view"]


async def test_one_that_waits_may_be_gone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    InTheWay(world, "bad@x", monkeypatch)
    world.inbox.receive("REQUEST", series(uid="bad@x"))
    await world.read()
    world.inbox.mail.clear()
    world.clock.time += timedelta(days=1)
    for _ in range(2):
        await world.read()
    world.inbox.asked.clear()
    await world.read()
    assert world.inbox.asked == ["view"]


async def test_what_was_remembered_before_any_message_could_wait(world: World) -> None:
    world.inbox.receive("REQUEST", series(uid="old@x"))
    await world.state.save_memo(USER, NO_DEVICE, "intake", b'[1,1,{"x":[0,1.5]},0.0]')
    world.inbox.receive("REQUEST", series(uid="new@x"))
    await world.read()
    assert [one.uid for one in await world.events()] == ["new@x"]


async def test_a_calendar_that_goes_while_its_event_is_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The change then makes a meeting as new as any other."""
    trips = await world.items.create_item_folder(USER, ItemKind.CALENDAR, "Trips")
    world.inbox.receive("REQUEST", series())
    await world.read()
    await move_all(world, trips.id)
    find = world.items.find_items

    async def delete_behind(*about: Any) -> Sequence[Item]:
        found = await find(*about)
        await world.items.delete_item_folder(trips.id)
        return found

    monkeypatch.setattr(world.items, "find_items", delete_behind)
    world.inbox.receive("REQUEST", series("LOCATION:Room 2", sequence=1))
    await world.read()
    (event,) = await world.events()
    assert event.location is not None


async def test_an_event_that_is_moved_while_it_is_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips = await world.items.create_item_folder(USER, ItemKind.CALENDAR, "Trips")
    world.inbox.receive("REQUEST", series())
    await world.read()
    find = world.items.find_items

    async def move_behind(*about: Any) -> Sequence[Item]:
        found = await find(*about)
        await move_all(world, trips.id)
        return found

    monkeypatch.setattr(world.items, "find_items", move_behind)
    world.inbox.receive("REQUEST", series("LOCATION:Room 2", sequence=1))
    await world.read()
    (event,) = await world.events()
    assert event.location is not None


async def move_all(world: World, target: CollectionId) -> None:
    """Move what is in the default calendar."""
    folder = next(one for one in await world.items.item_folders(USER) if one.default)
    for change in await world.items.item_changes(folder.id, 0):
        if not change.gone:
            (number,) = await world.items.new_item_numbers(1)
            await world.items.move_item(change.number, folder.id, target, number)


async def test_a_full_disk_loses_nothing(world: World) -> None:
    async def leave_room(pages: int) -> None:
        def work(connection: sqlite3.Connection) -> None:
            (used,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {used + pages}")

        await world.database.write(work)

    await world.read()
    for number in range(60):
        world.inbox.receive("REQUEST", series(f"DESCRIPTION:{'x' * 3000}", uid=f"{number}@x"))
    await leave_room(20)
    with pytest.raises(GatewayError):
        await world.read()
    assert len(await world.events()) < 60
    await leave_room(100_000)
    await world.read()
    assert sorted(one.uid for one in await world.events()) == sorted(f"{number}@x" for number in range(60))
