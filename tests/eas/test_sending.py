"""A message on its way from the request to the outbox."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gateway.app import SystemClock
from gateway.eas import sending
from gateway.eas.commands.base import Context
from gateway.eas.identity import Identity
from gateway.mail import compose
from gateway.types import Password, Principal, UserId

PRINCIPAL = Principal(UserId("jo"), "jo@example.test", Password("jo", "pw"))


@pytest.mark.parametrize(("octets", "in_the_loop"), [(1_000, True), (2_000_000, False)])
async def test_large_messages_are_composed_outside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, octets: int, in_the_loop: bool
) -> None:
    where: list[threading.Thread] = []
    prepare = compose.prepare

    def noted(*args: Any, **kwargs: Any) -> compose.Outgoing:
        where.append(threading.current_thread())
        return prepare(*args, **kwargs)

    monkeypatch.setattr(compose, "prepare", noted)
    services = SimpleNamespace(identity=Identity(), clock=SystemClock())
    context = SimpleNamespace(principal=PRINCIPAL, services=services)
    mime = b"To: ben@example.test\r\n\r\n" + b"a\r\n" * (octets // 3)
    outgoing = await sending.outgoing(cast("Context", context), "c1", mime)
    assert outgoing.recipients == ("ben@example.test",)
    assert len(outgoing.message) >= octets
    assert [thread is threading.main_thread() for thread in where] == [in_the_loop]
