"""Turns of a process that has its store to itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.store.turns import OwnTurns

DAY = timedelta(days=1)


async def test_a_job_is_due_again_after_its_time() -> None:
    turns = OwnTurns()
    async with turns.turn("house", DAY) as mine, turns.turn("house", DAY) as again:
        assert (mine, again) == (True, False)
    async with turns.turn("house", DAY) as again, turns.turn("another", timedelta(0)) as other:
        assert (again, other) == (False, True)
    async with turns.turn("another", DAY) as other:
        assert other


async def test_what_fails_is_due_at_once() -> None:
    turns = OwnTurns()
    with pytest.raises(ValueError, match="it"):
        async with turns.turn("house", DAY):
            raise ValueError("it")
    async with turns.turn("house", DAY) as mine:
        assert mine
