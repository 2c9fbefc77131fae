"""What becomes of a scheduling message, and whom to believe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.pim.itip.message import same_address

__all__ = ["Applied", "Verdict", "speaks_for"]


class Verdict(StrEnum):
    """What became of a message."""

    APPLIED = "applied"
    OLD = "nothing new"
    """It was applied before, or something newer was."""
    FORGED = "not from whom it speaks for"
    UNKNOWN = "about nothing in the calendar, or from somebody who was not invited"
    OWN = "the user's own"
    """A copy of what he sent himself."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a message; `text` is the event as it is to be stored then, None: nothing changes."""

    verdict: Verdict
    text: str | None = None


def speaks_for(sender: str, person: str, delegate: str, known: str) -> bool:
    """Whether mail of `sender` may say what `person` has to say.

    `delegate` is the SENT-BY of the message, which anybody may write: it counts where the same one was known
    before. A domain in common says nothing: half the world has its mail with the same few.
    """
    return same_address(sender, person) or (same_address(sender, delegate) and same_address(delegate, known))
