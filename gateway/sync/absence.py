"""What a user wants people to be answered while he is away, kept where no mail server answers anybody.

Only the texts are: that he is away is never noted, for he was told that nobody is answered.
"""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.ports import State
from gateway.ports.filters import AwayState, OutOfOffice
from gateway.types import NO_DEVICE, UserId

__all__ = ["LEASE", "KeptReplies"]

LEASE = "away"
"""Held by whoever changes what is kept."""
_MEMO = "away"


class KeptReplies:
    """Those of one user."""

    def __init__(self, state: State, user: UserId) -> None:
        self._state = state
        self._user = user

    async def load(self) -> OutOfOffice:
        """What is kept; he is never away."""
        memo = await self._state.load_memo(self._user, NO_DEVICE, _MEMO)
        return OutOfOffice.from_values(json.loads(memo)) if memo else OutOfOffice()

    async def keep(self, away: OutOfOffice) -> None:
        """Keep the texts."""
        texts = replace(away, state=AwayState.OFF, start=None, end=None)
        memo = json.dumps(texts.values()).encode()
        await self._state.save_memo(self._user, NO_DEVICE, _MEMO, memo)

    async def forget(self) -> None:
        """Forget them: the mail server has them by now."""
        await self._state.save_memo(self._user, NO_DEVICE, _MEMO, None)
