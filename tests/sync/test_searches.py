"""Lists of hits: what is kept, for how long, and what becomes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.query import Found, Hit
from gateway.sync import searches
from gateway.sync.hierarchy import CONTAINER, FolderRow
from gateway.sync.searches import LIFETIME, MOST_OF_DEVICE, Listed, Listing, Searches, below, in_order
from gateway.types import CollectionId, DeviceId, Folder, Role, UserId

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANN, PHONE = UserId("ann"), DeviceId("PHONE1")
ONE, TWO = CollectionId("1"), CollectionId("2")


def listing(count: int = 3) -> Listing:
    return Listing([Listed(ONE, 7, uid) for uid in range(1, count + 1)], count)


def test_a_listing_of_hits() -> None:
    found = Found((Hit("Work", 7, 3, NOW), Hit("INBOX", 9, 5, NOW)), 12, complete=False)
    made = Listing.of(found, {"INBOX": ONE, "Work": TWO})
    assert made == Listing([Listed(TWO, 7, 3), Listed(ONE, 9, 5)], 12, complete=False)


def test_what_is_gone_drops_out_and_is_no_longer_counted() -> None:
    made = Listing([Listed(ONE, 7, uid) for uid in (3, 2, 1)], 10)
    made.drop({Listed(ONE, 7, 2), Listed(TWO, 7, 3)})
    assert made == Listing([Listed(ONE, 7, 3), Listed(ONE, 7, 1)], 9)


def test_lists_are_kept_by_user_device_and_query() -> None:
    kept, mine = Searches(), listing()
    kept.keep(ANN, PHONE, b"query", mine, NOW)
    assert kept.recall(ANN, PHONE, b"query", NOW) is mine
    for user, device, query in (
        (UserId("ben"), PHONE, b"query"),
        (ANN, DeviceId("PHONE2"), b"query"),
        (ANN, PHONE, b"other"),
    ):
        assert kept.recall(user, device, query, NOW) is None
    other = listing()
    kept.keep(ANN, PHONE, b"query", other, NOW)
    assert kept.recall(ANN, PHONE, b"query", NOW) is other
    assert len(kept) == 1


def test_lists_nobody_looks_at_are_forgotten() -> None:
    kept = Searches()
    kept.keep(ANN, PHONE, b"query", listing(), NOW)
    assert kept.recall(ANN, PHONE, b"query", NOW + LIFETIME * 0.9)
    assert kept.recall(ANN, PHONE, b"query", NOW + LIFETIME * 1.8)
    assert kept.recall(ANN, PHONE, b"query", NOW + LIFETIME * 2.8) is None
    assert len(kept) == 0


def test_a_device_has_few_lists() -> None:
    kept = Searches()
    for number in range(MOST_OF_DEVICE + 2):
        kept.keep(ANN, PHONE, b"%d" % number, listing(), NOW)
    kept.keep(ANN, DeviceId("PHONE2"), b"0", listing(), NOW)
    assert len(kept) == MOST_OF_DEVICE + 1
    assert kept.recall(ANN, PHONE, b"1", NOW) is None
    assert kept.recall(ANN, PHONE, b"2", NOW) is not None


def test_all_lists_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MOST_ENTRIES", 100)
    kept = Searches()
    for number in range(50):
        made = listing(30)
        kept.keep(UserId(str(number)), PHONE, b"query", made, NOW + timedelta(seconds=number))
        made.drop(made.entries[:20])
    assert len(kept) == 3


def test_folders_below_others() -> None:
    rows = [
        FolderRow(CollectionId(name), parent, name, 12)
        for name, parent in (("1", "0"), ("2", "1"), ("3", "2"), ("4", "0"), ("5", "4"))
    ]
    assert below(rows, [ONE]) == {"1", "2", "3"}
    assert below(rows, [CollectionId("3"), CollectionId("4")]) == {"3", "4", "5"}
    assert below(rows, [CollectionId("0")]) == {"0", "1", "2", "3", "4", "5"}


def test_the_order_of_searching() -> None:
    folders = [
        Folder(ONE, "Junk", Role.JUNK),
        Folder(TWO, "Work"),
        Folder(CollectionId("3"), "INBOX", Role.INBOX),
        Folder(CollectionId("4"), None, "outbox"),
        Folder(CollectionId("5"), "Lists", CONTAINER),
        Folder(CollectionId("6"), "Bin", Role.TRASH),
    ]
    assert list(in_order(folders).items()) == [("INBOX", "3"), ("Work", "2"), ("Junk", "1"), ("Bin", "6")]


class Slow:
    """A search that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()
        self.listing = listing()

    async def __call__(self) -> Listing:
        self.begun += 1
        await self.go_on.wait()
        return self.listing


async def test_the_same_search_is_joined() -> None:
    kept, slow = Searches(), Slow()
    joined = [asyncio.create_task(kept.join(ANN, PHONE, b"query", slow)) for _ in range(3)]
    await asyncio.sleep(0)
    joined[0].cancel()  # the device went away, and asks again
    await asyncio.sleep(0)
    joined.append(asyncio.create_task(kept.join(ANN, PHONE, b"query", slow)))
    await asyncio.sleep(0)
    slow.go_on.set()
    found = await asyncio.gather(*joined, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(one is slow.listing for one in found[1:])
    assert slow.begun == 1
    await kept.join(ANN, PHONE, b"query", slow)
    assert slow.begun == 2


async def test_another_query_ends_the_search_before() -> None:
    kept, slow, other = Searches(), Slow(), Slow()
    older = asyncio.create_task(kept.join(ANN, PHONE, b"query", slow))
    elsewhere = asyncio.create_task(kept.join(ANN, DeviceId("PHONE2"), b"query", slow))
    await asyncio.sleep(0)
    newer = asyncio.create_task(kept.join(ANN, PHONE, b"other", other))
    assert await older == Listing(complete=False)
    other.go_on.set()
    slow.go_on.set()
    assert await newer is other.listing
    assert await elsewhere is slow.listing


async def test_a_search_can_be_ended_and_can_fail() -> None:
    kept, slow = Searches(), Slow()
    joined = asyncio.create_task(kept.join(ANN, PHONE, b"query", slow))
    await asyncio.sleep(0)
    kept.end(ANN, PHONE)
    assert await joined == Listing(complete=False)
    kept.end(ANN, PHONE)

    async def failing() -> Listing:
        raise UpstreamUnavailable("gone")

    with pytest.raises(UpstreamUnavailable):
        await kept.join(ANN, PHONE, b"query", failing)
