"""What processes tell each other and nobody stores."""

from __future__ import annotations

import asyncio

from gateway.ports import Subject
from tests.support.postgres import Postgres
from tests.support.stores import PostgresStore


def heard_by(store: PostgresStore, subject: Subject) -> asyncio.Queue[str]:
    found: asyncio.Queue[str] = asyncio.Queue()
    store.database.bus.listen(subject, found.put_nowait)
    return found


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


async def test_what_was_announced_last_is_told_before_the_end(
    here: PostgresStore, there: PostgresStore
) -> None:
    away = heard_by(there, Subject.OWED)
    here.database.bus.announce(Subject.OWED, "last")
    await here.aclose()
    assert await away.get() == "last"
