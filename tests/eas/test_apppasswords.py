"""App passwords: made, recognised, bound to a device, revoked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.eas.apppasswords import LONGEST_NAME, AppPasswordBook, recognised
from gateway.errors import NotFound, Refused
from gateway.ports import State
from gateway.ports.audit import Wanted
from gateway.store.sqlite.state import SqliteState
from gateway.types import DeviceId, UserId

ANNA = UserId("anna@example.com")
BERT = UserId("bert@example.com")
PHONE = DeviceId("PHONE1")
TABLET = DeviceId("TABLET2")


class Time:
    """A clock to set."""

    def __init__(self) -> None:
        self.value = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.value


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[State]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def book(state: State, clock: Time) -> AppPasswordBook:
    return AppPasswordBook(state, clock, "cli:root")


async def test_one_is_recognised_as_people_type_it(state: State, clock: Time, book: AppPasswordBook) -> None:
    made = await book.create(ANNA, " my  phone ")
    assert (made.password.name, made.password.user) == ("my phone", ANNA)
    assert len(made.text.replace("-", "")) == 16
    for text in (
        made.text,
        made.text.replace("-", ""),
        made.text.upper().replace("-", " "),
        f" {made.text} ",
    ):
        assert await recognised(state, clock, ANNA, text, None) == made.password
    wrong = made.text[:-1] + ("a" if made.text[-1] != "a" else "b")
    for text in (wrong, "", made.text[:-1], made.text + "a", "\udcff" * 16):
        assert await recognised(state, clock, ANNA, text, None) is None
    assert await recognised(state, clock, BERT, made.text, None) is None


async def test_no_two_are_alike_and_none_is_shown_or_stored(state: State, book: AppPasswordBook) -> None:
    made = [await book.create(ANNA, f"phone {number}") for number in range(20)]
    assert len({one.text for one in made}) == len({one.password.digest for one in made}) == 20
    stored = repr(await state.app_passwords()) + repr(await state.list_acts(Wanted(), 99)) + repr(made)
    assert not any(one.text in stored or one.text.replace("-", "") in stored for one in made)


async def test_a_bound_one_is_for_the_first_device(state: State, clock: Time, book: AppPasswordBook) -> None:
    text = (await book.create(ANNA, "phone", bound=True)).text
    assert await recognised(state, clock, ANNA, text, None) is not None  # a look from Autodiscover
    assert await recognised(state, clock, ANNA, text, PHONE) is not None
    assert await recognised(state, clock, ANNA, text, TABLET) is None
    assert await recognised(state, clock, ANNA, text, PHONE) is not None
    (known,) = await book.listed(ANNA)
    assert (known.device, known.used) == (PHONE, clock.value)


async def test_when_it_was_used_is_noted_now_and_then(
    state: State, clock: Time, book: AppPasswordBook
) -> None:
    text = (await book.create(ANNA, "phone")).text
    first = clock.value
    for minutes, noted in ((0, 0), (9, 0), (11, 11)):
        clock.value = first + timedelta(minutes=minutes)
        await recognised(state, clock, ANNA, text, PHONE)
        (known,) = await book.listed(ANNA)
        assert known.used == first + timedelta(minutes=noted)


async def test_a_revoked_one_is_not_recognised(state: State, clock: Time, book: AppPasswordBook) -> None:
    made = await book.create(ANNA, "phone")
    await book.revoke(ANNA, made.password.number)
    assert await recognised(state, clock, ANNA, made.text, PHONE) is None
    with pytest.raises(NotFound):
        await book.revoke(ANNA, made.password.number)
    acts = [(one.act.act, one.act.who, one.act.details) for one in await state.list_acts(Wanted(), 9)]
    assert acts == [("password.revoke", "cli:root", "phone"), ("password.create", "cli:root", "phone")]


async def test_users_have_to_do_with_their_own_alone(
    state: State, clock: Time, book: AppPasswordBook
) -> None:
    made = await book.create(ANNA, "phone")
    bert = AppPasswordBook(state, clock, "bert", owner=BERT)
    for attempt in (bert.create(ANNA, "x"), bert.listed(ANNA), bert.listed(), bert.revoke(ANNA, 1)):
        with pytest.raises(NotFound):
            await attempt
    await bert.create(BERT, "mine")
    assert [one.name for one in await bert.listed(BERT)] == ["mine"]
    assert await recognised(state, clock, ANNA, made.text, PHONE) is not None


@pytest.mark.parametrize("name", ["", "  ", "x" * (LONGEST_NAME + 1), "a\x1b[1m"])
async def test_a_name_is_needed(book: AppPasswordBook, name: str) -> None:
    with pytest.raises(Refused, match="name"):
        await book.create(ANNA, name)
