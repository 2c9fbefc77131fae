"""What every adapter of the port `State` does with the groups users are in."""

from __future__ import annotations

from gateway.ports import State
from gateway.ports.memberships import Membership
from tests.ports.known import ANNA, BERT, HOUR, NOON


async def test_what_was_said_last_of_a_user_is_kept_until_it_is_too_old(state: State) -> None:
    assert await state.load_membership(ANNA) is None
    await state.save_membership(Membership(ANNA, {"sales": True, "board": True}, NOON))
    await state.save_membership(Membership(BERT, {"sales": False}, NOON))
    newest = Membership(ANNA, {"sales": True, "leavers": False}, NOON + HOUR)
    await state.save_membership(newest)
    assert await state.load_membership(ANNA) == newest
    assert await state.list_memberships() == [newest, Membership(BERT, {"sales": False}, NOON)]
    assert await state.list_memberships(NOON + HOUR) == [newest]
    await state.prune_memberships(NOON + HOUR)
    assert await state.list_memberships() == [newest]
