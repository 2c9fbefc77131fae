"""What the processes that share a store tell each other, and nobody stores."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from gateway.ports.mailboxes import Unsubscribe

__all__ = ["Bus", "NoOthers", "Subject"]


class Subject(StrEnum):
    """What is told."""

    REQUESTS = "requests"
    """A device waits at another process, or asks anew there."""
    OWED = "owed"
    """Something was stored that a later request of a user is to bring to an end."""
    LOGINS = "logins"
    """Somebody could not log in, or could again."""
    BRAKES = "brakes"
    """A device asks much."""


class Bus(Protocol):
    """The way to the other processes. What is told on it is of use at once or never."""

    @property
    def secret(self) -> bytes:
        """256 bits that all processes on it know, and who else may hear them does not."""
        ...

    def announce(self, subject: Subject, text: str) -> None:
        """Have the others hear a text soon: ids and numbers, of some hundred octets."""
        ...

    def listen(self, subject: Subject, hear: Callable[[str], None]) -> Unsubscribe:
        """Call `hear` with what others announce, "" when some of it may have been missed."""
        ...


class NoOthers:
    """`Bus` of a process that has its store to itself."""

    def __init__(self) -> None:
        self.secret = secrets.token_bytes(32)

    def announce(self, subject: Subject, text: str) -> None:
        """Nobody hears it."""

    def listen(self, subject: Subject, hear: Callable[[str], None]) -> Unsubscribe:  # noqa: ARG002
        """There is nothing to be heard."""
        return lambda: None
