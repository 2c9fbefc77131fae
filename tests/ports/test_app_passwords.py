"""What every adapter of the port `State` does with app passwords."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Refused
from gateway.ports import Act, State
from gateway.ports.audit import Wanted
from gateway.ports.passwords import MOST_APP_PASSWORDS
from gateway.types import AppPassword, Device, UserId
from tests.ports.known import ANNA, BERT, NOON, PHONE, TABLET

FOR_PHONE = AppPassword(ANNA, "phone", b"1", NOON, bound=True)
FOR_ALL = AppPassword(ANNA, "any", b"2", NOON)


async def test_they_are_listed_by_user(state: State) -> None:
    first = await state.add_app_password(FOR_PHONE)
    second = await state.add_app_password(FOR_ALL)
    others = await state.add_app_password(replace(FOR_ALL, user=BERT))
    assert first == replace(FOR_PHONE, number=first.number)
    assert len({first.number, second.number, others.number}) == 3
    assert await state.app_passwords(ANNA) == [first, second]
    assert await state.app_passwords(BERT) == [others]
    assert await state.app_passwords() == [first, second, others]
    assert await state.app_passwords(UserId("nobody")) == []


async def test_one_is_bound_to_the_first_device_that_uses_it(state: State) -> None:
    bound = await state.add_app_password(FOR_PHONE)
    unbound = await state.add_app_password(FOR_ALL)
    later = NOON + timedelta(hours=1)
    assert await state.use_app_password(bound.number, PHONE, NOON)
    assert not await state.use_app_password(bound.number, TABLET, later)
    assert await state.use_app_password(bound.number, PHONE, later)
    assert await state.use_app_password(unbound.number, PHONE, NOON)
    assert await state.use_app_password(unbound.number, TABLET, later)
    assert await state.app_passwords(ANNA) == [
        replace(bound, device=PHONE, used=later),
        replace(unbound, device=TABLET, used=later),
    ]


async def test_one_that_is_revoked_is_of_no_use_and_its_number_is_not_given_again(state: State) -> None:
    revoked = await state.add_app_password(FOR_PHONE, Act(NOON, "anna", "password.create", ANNA))
    assert not await state.revoke_app_password(BERT, revoked.number)
    assert await state.revoke_app_password(ANNA, revoked.number, Act(NOON, "anna", "password.revoke", ANNA))
    assert not await state.revoke_app_password(ANNA, revoked.number, Act(NOON, "anna", "again", ANNA))
    assert not await state.use_app_password(revoked.number, PHONE, NOON)
    assert (await state.add_app_password(FOR_PHONE)).number > revoked.number
    noted = [one.act.act for one in await state.list_acts(Wanted(), 9)]
    assert noted == ["password.revoke", "password.create"]


async def test_the_devices_of_the_user_are_told_of_a_revocation(state: State) -> None:
    for user, device in ((ANNA, PHONE), (ANNA, TABLET), (BERT, PHONE)):
        await state.save_device(Device(user, device, "iPhone"))
    one = await state.add_app_password(FOR_ALL)
    newest, _ = await state.decided_devices(0)
    await state.revoke_app_password(ANNA, one.number)
    later, told = await state.decided_devices(newest)
    assert set(told) == {(ANNA, PHONE), (ANNA, TABLET)}
    assert await state.decided_devices(later) == (later, [])


async def test_a_user_has_so_many_at_most(state: State) -> None:
    for number in range(MOST_APP_PASSWORDS):
        await state.add_app_password(replace(FOR_ALL, name=f"number {number}"))
    with pytest.raises(Refused, match=f"has {MOST_APP_PASSWORDS} app passwords"):
        await state.add_app_password(FOR_ALL, Act(NOON, "anna", "password.create", ANNA))
    assert await state.list_acts(Wanted(), 9) == []
    await state.add_app_password(replace(FOR_ALL, user=BERT))


async def test_a_user_has_one_of_each_name_however_many_ask_at_once(state: State) -> None:
    asked = (state.add_app_password(replace(FOR_PHONE, digest=bytes([one]))) for one in range(4))
    made = await asyncio.gather(*asked, return_exceptions=True)
    refused = [one for one in made if isinstance(one, Refused)]
    assert (len(made), len(refused)) == (4, 3)
    assert "of this name already" in str(refused[0])
    (kept,) = await state.app_passwords(ANNA)
    await state.add_app_password(replace(FOR_PHONE, user=BERT))
    assert await state.revoke_app_password(ANNA, kept.number)
    await state.add_app_password(FOR_PHONE)
