"""The users who come, noted with their addresses so that others find them."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import date

import structlog

from gateway.eas.identity import Identity
from gateway.errors import GatewayError
from gateway.mail.headers import clean
from gateway.ports import Clock, People
from gateway.ports.directory import Entry
from gateway.types import Principal

__all__ = ["Presence"]

_CAPACITY = 10_000
_ADDRESS = re.compile(r"[^\s@<>()\[\]\",:;\\]{1,64}@[^\s@<>()\",;\\]{1,255}")
_LONGEST_NAME = 256


class Presence:
    """Notes each user once a day, and when his address or name is another one."""

    def __init__(self, people: People, identity: Identity, clock: Clock) -> None:
        self._people = people
        self._identity = identity
        self._clock = clock
        self._noted: OrderedDict[tuple[str, str, str], date] = OrderedDict()

    async def note(self, principal: Principal) -> None:
        """Note who sends a request. Whose login makes no address, is found by nobody."""
        now, name = self._clock.now(), clean(principal.display_name)[:_LONGEST_NAME]
        key = (principal.user, principal.email, name)
        if self._noted.get(key) == now.date() or not _ADDRESS.fullmatch(principal.email):
            return
        try:
            entry = Entry(principal.email, name)
            await self._people.note_person(principal.user, entry, self._identity.rules, now)
        except GatewayError as error:
            # What he asked for may well be possible.
            structlog.get_logger("gateway.web").warning(
                "user not noted", user=principal.user, reason=error.detail
            )
            return
        self._noted[key] = now.date()
        self._noted.move_to_end(key)
        if len(self._noted) > _CAPACITY:
            self._noted.popitem(last=False)
