"""Work under way, counted by user."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from gateway.errors import Kind, Refused
from gateway.sync.crowding import Crowding
from gateway.types import UserId

ANN, BEN = UserId("ann"), UserId("ben")


def test_what_is_too_much_for_one_user_is_refused_until_something_ends() -> None:
    crowding = Crowding(2)
    with ExitStack() as stack, crowding.enter(ANN):
        stack.enter_context(crowding.enter(ANN))
        with pytest.raises(Refused) as refused, crowding.enter(ANN):
            raise AssertionError("not to be reached")
        assert refused.value.kind is Kind.SERVER_ERROR_RETRY
        with crowding.enter(BEN):
            pass
        stack.close()
        with crowding.enter(ANN):
            pass


def test_what_fails_has_ended() -> None:
    crowding = Crowding(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), crowding.enter(ANN):
            raise ZeroDivisionError
    with crowding.enter(ANN):
        pass
