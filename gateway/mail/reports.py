"""What the machine-readable part of a report says (RFC 3464 2.3.3, RFC 8098 3.2.6)."""

from __future__ import annotations

import re
from enum import Enum, auto

__all__ = ["ENOUGH", "Outcome", "delivery_outcome", "reading_outcome"]

ENOUGH = 4096
"""Octets of the part that are worth fetching."""

_ACTION = re.compile(rb"^action:\s*([a-z]+)", re.IGNORECASE | re.MULTILINE)
_DISPOSITION = re.compile(rb"^disposition:[^;\r\n]*;\s*([a-z]+)", re.IGNORECASE | re.MULTILINE)


class Outcome(Enum):
    """What became of the message that the report is about."""

    FAILED = auto()
    DELAYED = auto()
    DELIVERED = auto()
    READ = auto()
    NOT_READ = auto()


def delivery_outcome(status: bytes) -> Outcome:
    """The worst outcome of a message/delivery-status part; FAILED when it says nothing."""
    actions = {action.lower() for action in _ACTION.findall(status)}
    if not actions or b"failed" in actions:
        return Outcome.FAILED
    return Outcome.DELAYED if b"delayed" in actions else Outcome.DELIVERED


def reading_outcome(status: bytes) -> Outcome:
    """The outcome of a message/disposition-notification part; READ when it says nothing."""
    match = _DISPOSITION.search(status)
    return Outcome.NOT_READ if match and match[1].lower() == b"deleted" else Outcome.READ
