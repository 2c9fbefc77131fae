"""Answers to invitations that devices gave, remembered so that one that is repeated gets the same answer.

The event itself remembers the last answer to it; what is kept here is what the request named: the mail, which
has gone to the trash since, or the event, which has gone when it was declined.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from gateway.ports import State
from gateway.types import NO_DEVICE, UserId

__all__ = ["LEASE", "Given", "Responses"]

LEASE = "meetings"
"""Held by whoever answers an invitation of a user."""
_MEMO = "responses"
_MOST = 200


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered to what: the UID of the event, the occurrence (ISO 8601, "" for all), PARTSTAT."""

    uid: str
    instance: str
    status: str


class Responses:
    """Those of one user. Whoever uses it holds the lease."""

    def __init__(self, state: State, user: UserId) -> None:
        self._state = state
        self._user = user

    async def find(self, name: str) -> Given | None:
        """What was answered when this was named."""
        known = (await self._load()).get(name)
        return Given(**known) if known else None

    async def keep(self, name: str, given: Given) -> None:
        """Note an answer before it is stored."""
        known = dict(await self._load())
        known.pop(name, None)
        known[name] = asdict(given)
        value = json.dumps(dict(list(known.items())[-_MOST:])).encode()
        await self._state.save_memo(self._user, NO_DEVICE, _MEMO, value)

    async def _load(self) -> Mapping[str, Mapping[str, str]]:
        memo = await self._state.load_memo(self._user, NO_DEVICE, _MEMO)
        found: Mapping[str, Mapping[str, str]] = json.loads(memo) if memo else {}
        return found
