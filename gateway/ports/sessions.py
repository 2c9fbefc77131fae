"""Who is signed in at the web pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from gateway.ports.audit import Act
from gateway.types import DeviceId, UserId

__all__ = ["EVERY_DEVICE", "MOST_SESSIONS", "Session", "Sessions"]

MOST_SESSIONS = 20
"""Sessions of a user; one more ends the one he began first."""


EVERY_DEVICE = DeviceId("")
"""What `decided_devices` tells of a user who was signed out, and of no single device of his."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser of a user that is signed in.

    `key` is a digest of what the browser shows; nobody can sign in with what is stored. `seen` is when it was
    used last, not to the second. `seal` opens what the browser keeps of the password.
    """

    key: bytes = field(repr=False)
    user: UserId
    email: str
    began: datetime
    seen: datetime
    seal: bytes = field(default=b"", repr=False)


class Sessions(Protocol):
    """The sessions of all users. They hold no password, and outlive the process."""

    async def begin_session(self, session: Session) -> None:
        """Store a new one. Of more than `MOST_SESSIONS` of the user those begun first end."""
        ...

    async def load_session(self, key: bytes) -> Session | None: ...

    async def note_session(self, key: bytes, seen: datetime) -> None:
        """Note that it was used; one that ended meanwhile stays ended."""
        ...

    async def end_session(self, key: bytes) -> None: ...

    async def end_sessions(self, user: UserId) -> None:
        """End all of a user's."""
        ...

    async def sign_out(self, user: UserId, act: Act | None = None) -> None:
        """End all of a user's, and have each of his logins checked anew, in whatever process it is known.

        As a decision of `EVERY_DEVICE` it is told by `decided_devices`.
        """
        ...

    async def prune_sessions(self, began: datetime, seen: datetime) -> None:
        """Forget those begun before the one time, or used last before the other."""
        ...
