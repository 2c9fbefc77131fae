"""Items by time: at the boundaries to the millisecond, and without bounds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gateway.items import ItemChange, ItemFolder, ItemKind
from gateway.ports import Items
from tests.ports.items.helpers import add, edit, event
from tests.ports.known import ANNA, BERT, HOUR, MILLISECOND, NOON

LATER = NOON + 24 * HOUR
FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts", "ends", "meets"),
    [
        (NOON, LATER, True),
        (NOON - HOUR, NOON, False),
        (NOON - HOUR, NOON + MILLISECOND, True),
        (NOON + HOUR, NOON + 2 * HOUR, True),
        (NOON - HOUR, LATER + HOUR, True),
        (LATER, LATER + HOUR, False),
        (LATER - MILLISECOND, LATER + HOUR, True),
        (NOON + HOUR, NOON + HOUR, True),
        (NOON, NOON, False),
        (LATER, LATER, False),
        (None, NOON, False),
        (None, NOON + MILLISECOND, True),
        (LATER - MILLISECOND, None, True),
        (LATER, None, False),
        (None, None, True),
        (FIRST_MOMENT, LAST_MOMENT, True),
    ],
)
async def test_items_between_two_times(
    items: Items, calendar: ItemFolder, starts: datetime | None, ends: datetime | None, meets: bool
) -> None:
    (number,) = await add(items, calendar.id, event("a", starts, ends))
    found = await items.items_between([calendar.id], NOON, LATER)
    assert [item.number for item in found] == ([number] if meets else [])
    assert list(found) == list((await items.load_items(calendar.id, [number])).values())[: len(found)]


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        (NOON - MILLISECOND, False),
        (NOON, True),
        (LATER - MILLISECOND, True),
        (LATER, False),
        (None, False),
    ],
)
@pytest.mark.parametrize("starts", [NOON - HOUR, None])
async def test_items_that_end_between_two_times(
    items: Items, calendar: ItemFolder, starts: datetime | None, ends: datetime | None, told: bool
) -> None:
    (number,) = await add(items, calendar.id, event("a", starts, ends))
    expected = [ItemChange(number, 1, gone=False, starts=starts, ends=ends)] if told else []
    assert list(await items.items_ending(calendar.id, NOON, LATER)) == expected


async def test_for_ever_ends_at_no_time(items: Items, calendar: ItemFolder) -> None:
    (number,) = await add(items, calendar.id, event("a", None, None))
    assert list(await items.items_ending(calendar.id, FIRST_MOMENT, LAST_MOMENT)) == []
    found = await items.items_between([calendar.id], FIRST_MOMENT, LAST_MOMENT)
    assert [item.number for item in found] == [number]


async def test_times_are_compared_as_moments(items: Items, calendar: ItemFolder) -> None:
    zone = timezone(timedelta(hours=-9, minutes=-30))
    await add(items, calendar.id, event("a", NOON.astimezone(zone), LATER.astimezone(zone)))
    for start, end, count in ((NOON - HOUR, NOON, 0), (NOON - HOUR, NOON + MILLISECOND, 1)):
        found = await items.items_between([calendar.id], start.astimezone(zone), end.astimezone(zone))
        assert len(found) == count


async def test_what_is_gone_is_in_no_window(items: Items, calendar: ItemFolder) -> None:
    one, two = await add(items, calendar.id, event("a"), event("b", None, None))
    for number in (one, two):
        await edit(items, calendar.id, number, None)
    assert list(await items.items_between([calendar.id], FIRST_MOMENT, LAST_MOMENT)) == []
    assert list(await items.items_ending(calendar.id, FIRST_MOMENT, LAST_MOMENT)) == []


async def test_a_window_follows_an_edit(items: Items, calendar: ItemFolder) -> None:
    (number,) = await add(items, calendar.id, event("a"))
    await edit(items, calendar.id, number, event("a", LATER, LATER + HOUR))
    assert list(await items.items_between([calendar.id], NOON, LATER)) == []
    found = await items.items_ending(calendar.id, LATER, LATER + 2 * HOUR)
    assert [(change.number, change.revision) for change in found] == [(number, 2)]


async def test_windows_over_several_folders(items: Items, calendar: ItemFolder) -> None:
    trips = await items.create_item_folder(ANNA, ItemKind.CALENDAR, "Trips")
    berts = await items.provide_item_folder(BERT, ItemKind.CALENDAR, "Calendar")
    (one,) = await add(items, calendar.id, event("a"))
    (two,) = await add(items, trips.id, event("a"))
    (three,) = await add(items, berts.id, event("a"), user=BERT)
    for folders, numbers in (
        ([calendar.id, trips.id], [one, two]),
        ([trips.id, trips.id], [two]),
        ([berts.id, calendar.id], [one, three]),
        ([], []),
    ):
        found = await items.items_between(folders, NOON, LATER)
        assert sorted(item.number for item in found) == numbers


async def test_a_bound_on_what_is_between(items: Items, calendar: ItemFolder) -> None:
    await add(items, calendar.id, event("a"), event("b"), event("c", None, None))
    for limit, count in ((0, 0), (2, 2), (3, 3), (9, 3), (None, 3)):
        found = await items.items_between([calendar.id], FIRST_MOMENT, LAST_MOMENT, limit)
        assert len(found) == count
