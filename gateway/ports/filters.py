"""What the mail server does with a user's mail by itself: answer while he is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol, Self

from gateway.types import Principal

__all__ = ["Audience", "AutoReply", "AwayState", "Filters", "OutOfOffice"]


class AwayState(StrEnum):
    """Whether mail is answered."""

    OFF = "off"
    ON = "on"
    TIMED = "timed"


class Audience(StrEnum):
    """Who gets a text: people of the user's mail domain, others he knows, all others."""

    INTERNAL = "internal"
    KNOWN = "known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AutoReply:
    """What one audience is answered; nothing while not `enabled`, or without a text."""

    enabled: bool = False
    text: str = field(default="", repr=False)
    html: bool = False


@dataclass(frozen=True, slots=True)
class OutOfOffice:
    """Whether a user is away, from when till when (TIMED alone), and what he has answered to whom.

    `replies` has every audience. `known` are the addresses of those he knows, in lower case; they are taken
    as they are given, and not told again.
    """

    state: AwayState = AwayState.OFF
    start: datetime | None = None
    end: datetime | None = None
    replies: Mapping[Audience, AutoReply] = field(
        default_factory=lambda: dict.fromkeys(Audience, AutoReply())
    )
    known: tuple[str, ...] = ()

    def shown(self, audience: Audience) -> AutoReply | None:
        """What an audience is answered while mail is; None for nothing."""
        reply = self.replies[audience]
        return reply if reply.enabled and reply.text.strip() else None

    @property
    def tells_known_apart(self) -> bool:
        """Whether people he knows are answered otherwise than all others outside."""
        return self.state is not AwayState.OFF and self.shown(Audience.KNOWN) != self.shown(Audience.UNKNOWN)

    def values(self) -> dict[str, Any]:
        """All but the people he knows, for JSON."""
        return {
            "state": self.state,
            "start": self.start.isoformat() if self.start else None,
            "end": self.end.isoformat() if self.end else None,
            "replies": {
                audience: {"enabled": reply.enabled, "text": reply.text, "html": reply.html}
                for audience, reply in self.replies.items()
            },
        }

    @classmethod
    def from_values(cls, values: Any) -> Self:
        """What `values` told, with further values or without.

        Raises for anything else `ValueError`, `KeyError`, `TypeError`, `AttributeError` or `OverflowError`.
        """
        replies = {
            audience: AutoReply(bool(one["enabled"]), str(one["text"]), bool(one["html"]))
            for audience in Audience
            for one in (values["replies"][audience],)
        }
        away = cls(AwayState(values["state"]), _moment(values["start"]), _moment(values["end"]), replies)
        if away.state is AwayState.TIMED and not (away.start and away.end):
            raise ValueError("times are missing")
        return away


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written).astimezone(UTC)


class Filters(Protocol):
    """Out-of-office replies, sent by the mail server.

    Both methods raise `UpstreamUnavailable` when nobody could be asked, `AuthenticationFailed` and
    `Refused(ACCESS_DENIED)` when the server does not let the user or cannot do it, `Refused(CONFLICT)` when
    the user's own filters are in the way, `Refused(INVALID_CONTENT)` for texts longer than the server takes,
    and other `UpstreamError`s.
    """

    async def out_of_office(self, principal: Principal) -> OutOfOffice:
        """What holds now, be it that another program changed it."""
        ...

    async def change_out_of_office(
        self,
        principal: Principal,
        addresses: tuple[str, ...],
        change: Callable[[OutOfOffice], Awaitable[OutOfOffice]],
    ) -> None:
        """Put what `change` makes of what holds now into its place; in force on return.

        `addresses` are the user's own, his main one first: only mail to one of them is answered. Repeating a
        change does no harm. What `change` raises is passed on, and nothing is changed then.
        """
        ...
