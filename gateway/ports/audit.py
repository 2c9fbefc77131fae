"""Who decided what: written with each decision, read by administrators, never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.types import DeviceId, UserId

__all__ = ["Act", "Audit", "Noted", "Wanted"]


_NOBODY, _NONE = UserId(""), DeviceId("")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was decided.

    `who` is the user who did it, or "cli:" and the account of the operating system. `act` says what in a word
    with its subject, as `device.block`. `user` and `device` are whom it was about, "" for nobody and none.
    `details` is for people; no secrets.
    """

    at: datetime
    who: str
    act: str
    user: UserId = _NOBODY
    device: DeviceId = _NONE
    details: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """An act as it was noted; later ones have greater numbers."""

    number: int
    act: Act


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which acts are asked for: those that have all that is given here; "" and None are any.

    `before` is the number of an act, for the page that follows one.
    """

    who: str = ""
    act: str = ""
    user: str = ""
    device: str = ""
    before: int | None = None


class Audit(Protocol):
    """The log of what people decided."""

    async def note_act(self, act: Act) -> None:
        """Note an act that is not noted by what it does itself."""
        ...

    async def list_acts(self, wanted: Wanted, limit: int) -> Sequence[Noted]:
        """The newest acts that are wanted, newest first, so many at most."""
        ...

    async def prune_acts(self, before: datetime) -> None:
        """Forget what was decided before that time."""
        ...
