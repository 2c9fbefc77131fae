"""Reading around what a server cannot read: bounded, and remembered for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.errors import UpstreamHungUp, UpstreamUnavailable
from gateway.upstream.imap import unreadable
from gateway.upstream.imap.unreadable import Unreadable, read_around


class Server:
    """Hangs up over some messages."""

    def __init__(self, *bad: int) -> None:
        self.bad = set(bad)
        self.asked: list[list[int]] = []
        self.afresh: list[int] = []

    async def read(self, uids: Sequence[int]) -> dict[int, str]:
        self.asked.append([*uids])
        if self.bad.intersection(uids):
            raise UpstreamHungUp("connection lost")
        return dict.fromkeys(uids, "read")

    async def read_afresh(self, uids: Sequence[int]) -> dict[int, str]:
        self.afresh += uids
        return await self.read(uids)


def _name(uid: int) -> tuple[object, ...]:
    return ("user", "INBOX", uid)


async def around(server: Server, uids: Sequence[int], known: Unreadable) -> dict[int, str]:
    return await read_around(uids, server.read, server.read_afresh, known, _name)


async def test_all_others_are_read_and_each_is_proven_alone() -> None:
    server, known = Server(1, 50, 100), Unreadable()
    assert (await around(server, range(1, 101), known)).keys() == set(range(1, 101)) - {1, 50, 100}
    assert sorted(server.afresh) == [1, 1, 1, 50, 50, 50, 100, 100, 100]
    server.asked.clear()
    await around(server, range(1, 101), known)
    assert len(server.asked) == 1


async def test_it_is_asked_for_again_when_it_was_forgotten() -> None:
    now = 0.0
    server, known = Server(2), Unreadable(lambda: now)
    assert 2 not in await around(server, [1, 2], known)
    server.bad.clear()
    now = unreadable.MEMORY_SECONDS - 1
    assert 2 not in await around(server, [1, 2], known)
    now += 2
    assert 2 in await around(server, [1, 2], known)


async def test_no_more_is_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "MEMORY_SIZE", 2)
    known = Unreadable()
    for item in "abc":
        known.note(item)
    assert [item in known for item in "abc"] == [False, True, True]


async def test_a_reading_is_given_up_and_the_next_one_goes_on_from_there() -> None:
    server, known = Server(*range(1, 101)), Unreadable()
    rounds = 0
    while True:
        server.asked.clear()
        rounds += 1
        try:
            assert await around(server, range(1, 102), known) == {101: "read"}
            break
        except UpstreamHungUp:
            assert len(server.asked) == unreadable.MOST_HANG_UPS
    assert rounds < 30


async def test_a_reading_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unreadable, "LONGEST", 0.0)
    server = Server(1)
    with pytest.raises(UpstreamHungUp):
        await around(server, [1, 2], Unreadable())
    assert len(server.asked) == 1


async def test_a_server_that_cannot_be_reached_proves_nothing() -> None:
    class Stopping(Server):
        async def read_afresh(self, uids: Sequence[int]) -> dict[int, str]:
            raise UpstreamUnavailable(f"cannot connect for {uids}")

    known = Unreadable()
    with pytest.raises(UpstreamUnavailable):
        await around(Stopping(1), [1], known)
    assert _name(1) not in known


async def test_two_readers_of_a_mailbox_prove_it_once() -> None:
    class Slow(Server):
        async def read(self, uids: Sequence[int]) -> dict[int, str]:
            await asyncio.sleep(0)
            return await super().read(uids)

    server, known = Slow(3), Unreadable()
    found = await asyncio.gather(*(around(server, range(1, 9), known) for _ in range(4)))
    assert all(each.keys() == {1, 2, 4, 5, 6, 7, 8} for each in found)
    assert server.afresh == [3, 3, 3]
