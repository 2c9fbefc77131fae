"""What processes tell each other and nobody stores."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import asyncpg

from gateway.ports import Subject
from gateway.store.postgres.bus import Bus
from gateway.store.transactions import Topic
from gateway.store.watchers import Watchers
from gateway.types import CollectionId, FolderList
from tests.ports.known import ANNA
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore


def heard_by(store: PostgresStore, subject: Subject) -> asyncio.Queue[str]:
    found: asyncio.Queue[str] = asyncio.Queue()
    store.database.bus.listen(subject, found.put_nowait)
    return found


async def test_all_processes_of_a_database_have_one_secret(
    postgres: Postgres, url: str, here: PostgresStore
) -> None:
    """Whatever each of them calls the database, and also after a restart; no other database has it."""
    secret = here.database.bus.secret
    assert len(secret) == 32
    await here.restart()
    elsewhere = PostgresStore(postgres.url(postgres.create()), here.clock)
    other = PostgresStore(f"{url}?sslmode=disable", here.clock)
    for each in (elsewhere, other):
        await each.open()
        await each.aclose()
    assert here.database.bus.secret == other.database.bus.secret == secret
    assert elsewhere.database.bus.secret != secret


async def test_the_others_hear_what_is_announced(here: PostgresStore, there: PostgresStore) -> None:
    """Each text as often as it was announced, in order; who says it hears nothing of it."""
    at_home, away = heard_by(here, Subject.LOGINS), heard_by(there, Subject.LOGINS)
    others = heard_by(there, Subject.BRAKES)
    texts = ["a", "a", "ünïcode \U0001f600\n", *(f"{number}" for number in range(200)), "a"]
    for text in texts:
        here.database.bus.announce(Subject.LOGINS, text)
    assert [await away.get() for _ in texts] == texts
    there.database.bus.announce(Subject.LOGINS, "back")
    assert await at_home.get() == "back"
    assert at_home.empty()
    assert others.empty()


async def test_what_cannot_be_told_is_heard_as_missed(here: PostgresStore, there: PostgresStore) -> None:
    away = heard_by(there, Subject.OWED)
    here.database.bus.announce(Subject.OWED, "a" * 5000)
    assert await away.get() == ""
    for number in range(2500):
        here.database.bus.announce(Subject.OWED, f"{number}")
    heard = [await away.get()]
    while heard[-1] != "2499":
        heard.append(await away.get())
    assert heard[0] == ""
    assert len(heard) < 2000


async def test_who_was_cut_off_hears_that_he_missed_some(fragile: Postgres, victim: PostgresStore) -> None:
    away = heard_by(victim, Subject.REQUESTS)
    fragile.stop()
    assert await away.get() == ""
    fragile.start()
    while not away.empty():
        away.get_nowait()
    assert await away.get() == ""  # once more, when the way is there again


async def test_what_was_announced_long_before_the_way_is_there_again_is_told_as_missed(
    fragile: Postgres, victim: PostgresStore
) -> None:
    """What was used of a budget in an hour without a way must not be charged at once."""
    other = PostgresStore(fragile.url(victim.name), victim.clock)
    await other.open()
    away, here = heard_by(other, Subject.BRAKES), heard_by(victim, Subject.BRAKES)
    fragile.stop()
    assert await here.get() == ""
    victim.database.bus.announce(Subject.BRAKES, "late")
    for _ in range(2):  # attempts to have the way again
        assert await here.get() == ""
    fragile.start()
    heard: list[str] = []
    while "soon" not in heard:
        victim.database.bus.announce(Subject.BRAKES, "soon")
        await asyncio.sleep(0.05)
        while not away.empty():
            heard.append(away.get_nowait())
    assert set(heard) == {"", "soon"}
    await other.aclose()


async def test_a_process_that_does_not_know_what_it_did_hears_of_it_itself(here: PostgresStore) -> None:
    """Once by what it was about to tell, and once when that is committed."""
    looked: asyncio.Queue[CollectionId] = asyncio.Queue()
    here.state.watch_folders(ANNA, looked.put_nowait)
    here.database.bus.doubt()
    await here.state.save_folders(ANNA, FolderList(0, 1))
    assert [await looked.get() for _ in range(2)] == ["", ""]


class Deaf:
    """A connection that takes no LISTEN, as that to a standby."""

    def add_termination_listener(self, _: object) -> None:
        """It ends with its first word."""

    async def add_listener(self, *_: object) -> None:
        raise asyncpg.ReadOnlySQLTransactionError("cannot execute LISTEN during recovery")

    async def close(self) -> None:
        """It is gone."""


async def test_where_nothing_can_be_heard_it_is_tried_less_and_less_often() -> None:
    tried: asyncio.Queue[float] = asyncio.Queue()

    async def connect(*, seconds: float) -> Any:
        tried.put_nowait(asyncio.get_running_loop().time())
        return Deaf()

    watchers = {topic: Watchers() for topic in Topic}
    trying = Bus(connect, "it", "node", watchers, b"")
    starting = asyncio.create_task(trying.start())
    times = [await tried.get() for _ in range(4)]
    starting.cancel()
    await trying.aclose()
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause > least for pause, least in zip(pauses, (0.19, 0.39, 0.79), strict=True))


async def test_what_was_announced_last_is_told_before_the_end(
    here: PostgresStore, there: PostgresStore
) -> None:
    away = heard_by(there, Subject.OWED)
    here.database.bus.announce(Subject.OWED, "last")
    await here.aclose()
    assert await away.get() == "last"
