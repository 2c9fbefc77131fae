"""Views are shared by calls that began before the refresh did, and forgotten when memory runs short."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.errors import UpstreamUnavailable
from gateway.types import DELETED, TRACKED_FLAGS, Uids
from gateway.upstream.fingerprint import Fingerprint
from gateway.upstream.imap.snapshot import Snapshot
from gateway.upstream.imap.views import SnapshotCache, Views

OWNER = Fingerprint(b"owner")


def snapshot(*uids: int, modseq: int | None = None, seen: tuple[int, ...] = (), deleted: int = 0) -> Snapshot:
    flags = {flag: Uids() for flag in (*TRACKED_FLAGS, DELETED)}
    flags["\\Seen"] = Uids(seen)
    flags[DELETED] = Uids([deleted] if deleted else [])
    return Snapshot(7, max(uids, default=0) + 1, len(uids), modseq, Uids(uids), flags)


class Server:
    """Counts refreshes; each takes until `go` is set."""

    def __init__(self) -> None:
        self.refreshes = 0
        self.exact: list[list[int]] = []
        self.go = asyncio.Event()

    async def refresh(self, _known: Snapshot | None, exact: Uids) -> Snapshot:
        self.refreshes += 1
        self.exact.append(list(exact))
        number = self.refreshes
        await self.go.wait()
        return snapshot(*range(1, number + 1))


async def test_later_calls_share_the_next_refresh() -> None:
    server, views = Server(), Views(SnapshotCache(), OWNER)
    first = asyncio.create_task(views.view("INBOX", server.refresh))
    await asyncio.sleep(0)
    later = [asyncio.create_task(views.view("INBOX", server.refresh)) for _ in range(5)]
    elsewhere = asyncio.create_task(views.view("Other", server.refresh))
    await asyncio.sleep(0)
    server.go.set()
    assert len((await first).uids) == 1
    assert {len((await view).uids) for view in later} == {3}
    await elsewhere
    assert server.refreshes == 3
    assert not views.busy


async def test_who_shares_a_refresh_gets_what_each_of_them_wants_exactly() -> None:
    server, views = Server(), Views(SnapshotCache(), OWNER)
    server.go.set()
    wanted = [[], [1], [2, 3], []]
    await asyncio.gather(*(views.view("INBOX", server.refresh, Uids(uids)) for uids in wanted))
    await views.view("INBOX", server.refresh)
    assert server.exact == [[], [1, 2, 3], []]


@pytest.mark.parametrize("modseq", [None, 5])
@pytest.mark.parametrize("own", [True, False])
async def test_a_refresh_that_a_change_overtook_is_not_kept_without_modseqs(
    modseq: int | None, *, own: bool
) -> None:
    cache = SnapshotCache()
    views, go = Views(cache, OWNER), asyncio.Event()

    given: list[Snapshot | None] = []

    async def refresh(known: Snapshot | None, _exact: Uids) -> Snapshot:
        given.append(known)
        await go.wait()
        return snapshot(1, modseq=modseq)

    early = asyncio.create_task(views.view("INBOX", refresh))
    while not given:
        await asyncio.sleep(0)
    views.changed("INBOX") if own else views.told(["INBOX", "Other"])
    late = asyncio.create_task(views.view("INBOX", refresh))
    go.set()
    await asyncio.gather(early, late)
    assert given == [None, None if modseq is None else snapshot(1, modseq=modseq)]
    assert cache.get(OWNER, "INBOX") == snapshot(1, modseq=modseq)


@pytest.mark.parametrize("modseq", [None, 5])
def test_what_the_server_tells_makes_doubtful_what_is_known(modseq: int | None) -> None:
    cache = SnapshotCache()
    known = replace(snapshot(1, 2, modseq=modseq), taken=100.0)
    cache.put(OWNER, "INBOX", known)
    Views(cache, OWNER).told(["INBOX", "Other"])
    kept = cache.get(OWNER, "INBOX")
    assert kept == known
    assert (kept.taken < 0) is (modseq is None)


async def test_a_failure_is_told_to_those_who_share_it_and_forgotten() -> None:
    async def fail(_: Snapshot | None, _exact: Uids) -> Snapshot:
        await asyncio.sleep(0)
        raise UpstreamUnavailable("gone")

    views = Views(SnapshotCache(), OWNER)
    results = await asyncio.gather(*(views.view("INBOX", fail) for _ in range(4)), return_exceptions=True)
    assert {type(result) for result in results} == {UpstreamUnavailable}
    server = Server()
    server.go.set()
    assert len((await views.view("INBOX", server.refresh)).uids) == 1


async def test_closing_ends_what_is_under_way() -> None:
    server, views = Server(), Views(SnapshotCache(), OWNER)
    tasks = [asyncio.create_task(views.view("INBOX", server.refresh)) for _ in range(3)]
    await asyncio.sleep(0.01)
    await views.aclose()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)


def test_the_cache_forgets_what_was_longest_unused() -> None:
    one = snapshot(*range(1, 1001))
    cache = SnapshotCache(memory=3 * one.cost)
    for name in ("a", "b", "c"):
        cache.put(OWNER, name, snapshot(*range(1, 1001)))
    assert cache.get(OWNER, "a") is not None
    cache.put(OWNER, "d", one)
    assert [cache.get(OWNER, name) is not None for name in "abcd"] == [True, False, True, True]
    assert cache.get(Fingerprint(b"another"), "a") is None
    cache.put(OWNER, "d", snapshot(1))
    assert len(cache) == 3
    cache.drop(OWNER, "d")
    cache.drop(OWNER, "d")
    assert len(cache) == 2


@pytest.mark.parametrize("modseq", [None, 5])
def test_versions_differ_when_views_do(modseq: int | None) -> None:
    base = snapshot(1, 2, 3, modseq=modseq)
    others = [
        snapshot(1, 2, modseq=modseq),
        snapshot(1, 2, 3, 4, modseq=modseq and 6),
        snapshot(1, 2, 3, seen=(1,), modseq=modseq and 6),
        snapshot(1, 2, 3, deleted=2, modseq=modseq and 7),
    ]
    assert base.view.version not in {other.view.version for other in others}
    assert snapshot(1, 2, 3, modseq=modseq).view == base.view


def test_equal_content_has_an_equal_version_however_it_came_about() -> None:
    whole = Uids(range(1, 5001))
    grown = Uids(range(1, 7001)) - Uids(range(5001, 7001))
    flags = {flag: Uids() for flag in (*TRACKED_FLAGS, DELETED)}
    versions = {Snapshot(7, 7001, 5000, None, uids, flags).view.version for uids in (whole, grown)}
    assert len(versions) == 1


def resident() -> int:
    """Octets of memory the process takes (tracemalloc does not see those of bitmaps)."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096


def test_a_view_of_10_000_messages_takes_less_than_it_is_counted_for() -> None:
    chance = random.Random(7)

    def large() -> Snapshot:
        uids = sorted(chance.sample(range(1, 30_001), 10_000))
        seen = tuple(uid for uid in uids if chance.random() < 0.85)
        made = snapshot(*uids, modseq=5, seen=seen, deleted=uids[0])
        assert len(made.view.uids) == 9_999
        return made

    warm = large()
    before = resident()
    kept = [large() for _ in range(100)]
    each = (resident() - before) / len(kept)
    assert each < 80 * 1024
    assert each < warm.cost
