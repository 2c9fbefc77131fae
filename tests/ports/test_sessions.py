"""What every adapter of the port `State` does with sessions of the web pages."""

from __future__ import annotations

from datetime import datetime

from gateway.ports import State
from gateway.ports.sessions import MOST_SESSIONS, Session
from gateway.types import UserId
from tests.ports.known import ANNA, BERT, HOUR, MILLISECOND, NOON


def session(key: bytes, user: UserId = ANNA, began: datetime = NOON) -> Session:
    return Session(key, user, f"{user}", began, began)


async def test_a_session_is_there_until_it_ends(state: State) -> None:
    await state.begin_session(session(b"1"))
    await state.begin_session(session(b"2"))
    await state.begin_session(session(b"3", BERT))
    assert await state.load_session(b"1") == session(b"1")
    assert await state.load_session(b"4") is None
    await state.end_session(b"1")
    await state.end_session(b"1")
    assert await state.load_session(b"1") is None
    assert await state.load_session(b"2") == session(b"2")
    await state.end_sessions(ANNA)
    assert await state.load_session(b"2") is None
    assert await state.load_session(b"3") == session(b"3", BERT)


async def test_using_a_session_is_noted_and_does_not_bring_it_back(state: State) -> None:
    await state.begin_session(session(b"1"))
    await state.note_session(b"1", NOON + HOUR)
    assert await state.load_session(b"1") == Session(b"1", ANNA, ANNA, NOON, NOON + HOUR)
    await state.end_session(b"1")
    await state.note_session(b"1", NOON + HOUR)
    assert await state.load_session(b"1") is None


async def test_sessions_are_forgotten_by_age_and_when_they_are_not_used(state: State) -> None:
    for key, began, seen in (
        (b"old", NOON, HOUR),
        (b"unused", NOON + HOUR, HOUR / 2),
        (b"new", NOON + HOUR, HOUR),
    ):
        await state.begin_session(session(key, began=began))
        await state.note_session(key, began + seen)
    await state.prune_sessions(NOON + MILLISECOND, NOON + HOUR * 2)
    left = [key for key in (b"old", b"unused", b"new") if await state.load_session(key)]
    assert left == [b"new"]


async def test_of_too_many_sessions_of_a_user_the_oldest_ends(state: State) -> None:
    await state.begin_session(session(b"other", BERT))
    for number in range(MOST_SESSIONS + 2):
        await state.begin_session(session(b"%d" % number, began=NOON + number * MILLISECOND))
    left = [number for number in range(MOST_SESSIONS + 2) if await state.load_session(b"%d" % number)]
    assert left == list(range(2, MOST_SESSIONS + 2))
    assert await state.load_session(b"other")
