"""Free and busy times out of calendars: which count, whose zone, and bounds on what it costs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.items import Edit, ItemKind, Right, StoredItem
from gateway.ports import Commit, Items
from gateway.store.sqlite import Database, SqliteItems
from gateway.sync.background import compute
from gateway.sync.freebusy import free_busy
from gateway.types import CollectionId, UserId
from tests.support.events import stored_event

ANN, BEN = UserId("ann"), UserId("ben")
ADDRESS = "ann@example.com"
START = datetime(2026, 3, 2, 8, tzinfo=UTC)
END = START + timedelta(hours=4)
NEVER = float("inf")


class Clock:
    """Stands still."""

    def now(self) -> datetime:
        return START


@pytest.fixture
async def items(tmp_path: Path) -> AsyncIterator[Items]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield SqliteItems(database, Clock())


def event(uid: str, *lines: str) -> str:
    rows = ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT")
    return "".join(f"{line}\r\n" for line in (*rows, "END:VCALENDAR"))


def at(start: str, end: str, *lines: str) -> tuple[str, ...]:
    """Lines of an event of that Monday, by the hours of UTC."""
    return (f"DTSTART:20260302T{start}00Z", f"DTEND:20260302T{end}00Z", *lines)


async def store(items: Items, folder: CollectionId, *texts: str, user: UserId = ANN) -> None:
    numbers = await items.new_item_numbers(len(texts))
    edits = [Edit(number, 0, stored_event(text)) for number, text in zip(numbers, texts, strict=True)]
    await items.commit_items(Commit(user, folder, edits))


async def calendar(items: Items, *texts: str, user: UserId = ANN) -> CollectionId:
    """The user's default calendar, with these events."""
    folder = (await items.provide_item_folder(user, ItemKind.CALENDAR, "Calendar")).id
    await store(items, folder, *texts, user=user)
    return folder


async def digits(items: Items, *users: UserId, until: float = NEVER, zone: tzinfo = UTC) -> str:
    return await free_busy(items, users or (ANN,), ADDRESS, START, END, zone=zone, until=until)


async def test_all_own_calendars_count_and_no_others(items: Items) -> None:
    await calendar(items, event("a", *at("0800", "0830")))
    trips = await items.create_item_folder(ANN, ItemKind.CALENDAR, "Trips")
    await store(items, trips.id, event("b", *at("0900", "0930", "X-MICROSOFT-CDO-BUSYSTATUS:OOF")))
    theirs = await calendar(items, event("c", *at("1000", "1030")), user=BEN)
    await items.share_item_folder(theirs, ANN, Right.WRITE)
    assert await digits(items) == "20300000"


async def test_who_shares_an_address_shares_the_digits(items: Items) -> None:
    await calendar(items, event("a", *at("0800", "0830", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE")))
    await calendar(items, event("b", *at("0800", "0900")), user=BEN)
    assert await digits(items, ANN, BEN) == "22000000"


async def test_of_whom_there_is_no_calendar_there_is_no_data(items: Items) -> None:
    assert await digits(items) == "44444444"
    await calendar(items)
    assert await digits(items) == "00000000"


async def test_what_was_declined_takes_no_time(items: Items) -> None:
    invited = ("ORGANIZER:mailto:ben@example.com", "ATTENDEE;PARTSTAT={}:mailto:Ann@example.com")
    declined = [line.format("DECLINED") for line in invited]
    accepted = [line.format("ACCEPTED") for line in invited]
    await calendar(
        items,
        event("a", *at("0800", "0830", *declined)),
        event("b", *at("0900", "0930", *accepted)),
        event("c", *at("1000", "1030", "STATUS:CANCELLED")),
        event("d", *at("1100", "1130", "TRANSP:TRANSPARENT")),
    )
    assert await digits(items) == "00200000"


async def test_whole_days_are_those_of_the_zone_of_other_events(items: Items) -> None:
    day = event("day", "DTSTART;VALUE=DATE:20260303", "DTEND;VALUE=DATE:20260304", "TRANSP:OPAQUE")
    folder = await calendar(items, day)
    assert await digits(items) == "00000000"
    assert await digits(items, zone=ZoneInfo("Pacific/Auckland")) == "00000022"
    there = ("DTSTART;TZID=Pacific/Auckland:20260303T090000", "DTEND;TZID=Pacific/Auckland:20260303T100000")
    await store(items, folder, event("there", *there))
    # In Auckland that Tuesday begins at 11:00 UTC on Monday.
    assert await digits(items) == "00000022"


async def test_a_series_without_end(items: Items) -> None:
    rule = ("DTSTART:20100101T090000Z", "DTEND:20100101T093000Z", "RRULE:FREQ=DAILY")
    await calendar(items, event("a", *rule))
    assert await digits(items) == "00200000"


@pytest.mark.parametrize("frequency", ["SECONDLY", "MINUTELY"])
async def test_a_rule_that_is_too_much_makes_free_times_unknown(items: Items, frequency: str) -> None:
    bomb = ("DTSTART:20260101T000000Z", "DTEND:20260101T000001Z", f"RRULE:FREQ={frequency};COUNT=99999999")
    await calendar(items, event("bomb", *bomb), event("a", *at("0900", "0930")))
    began = time.process_time()
    found = await digits(items)
    assert time.process_time() - began < 2
    assert (found[2], found.replace("2", "")) == ("2", "4" * (8 - found.count("2")))


async def test_text_that_is_no_event_takes_no_time(items: Items) -> None:
    folder = await calendar(items, event("a", *at("0900", "0930")))
    (number,) = await items.new_item_numbers(1)
    await items.commit_items(Commit(ANN, folder, [Edit(number, 0, StoredItem("x", "rubbish"))]))
    assert await digits(items) == "00200000"


async def test_too_many_events_make_free_times_unknown(items: Items, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sync.freebusy._MOST_EVENTS", 2)
    folder = await calendar(items, *(event(f"{number}", *at("0800", "0830")) for number in range(2)))
    assert await digits(items) == "20000000"
    await store(items, folder, event("one more", *at("0800", "0830")))
    assert await digits(items) == "24444444"


async def test_no_time_left(items: Items) -> None:
    await calendar(items, event("a", *at("0900", "0930")))
    assert await digits(items, until=0.0) == "44444444"


@pytest.mark.usefixtures("steady_clock")
async def test_others_compute_in_between(items: Items) -> None:
    """What looks at many events gives way, and ends when its time is over."""
    many = (event(f"{number}", *at("0900", "0930")) for number in range(2000))
    await calendar(items, *many)
    loop = asyncio.get_running_loop()
    looking = asyncio.ensure_future(digits(items, until=loop.time() + 0.5))
    waits = []
    while not looking.done():
        began = loop.time()
        await compute(int)
        waits.append(loop.time() - began)
    assert await looking in {"00200000", "44244444"}
    assert len(waits) > 1
    assert max(waits) < 1
