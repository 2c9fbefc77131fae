"""What is found when a server, a store or the way to the gateway is examined, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Verdict", "bad", "doubtful", "good"]


class Verdict(StrEnum):
    """How good what was found is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something is lost by it."""
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found, in a sentence without secrets. `remedy` says what to do, "": nothing."""

    verdict: Verdict
    text: str
    remedy: str = ""


def good(text: str) -> Finding:
    """All is well."""
    return Finding(Verdict.OK, text)


def doubtful(text: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(Verdict.WARNING, text, remedy)


def bad(text: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.FAILURE, text, remedy)
