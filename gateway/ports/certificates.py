"""What is told of certificates of mail."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Protocol

__all__ = ["Certificates", "Verdict"]


class Verdict(Enum):
    """The later ones are found later: of several paths that fail, the one that comes farthest is told of."""

    UNREADABLE = auto()
    """It is no certificate."""
    EXHAUSTED = auto()
    """It would have taken too long to find out."""
    UNTRUSTED = auto()
    """The authority at the end is not trusted, or not known at all."""
    CHAIN = auto()
    """The chain that came with it does not lead from it, or is longer than an authority allows."""
    SIGNATURE = auto()
    """Not signed by whom it names, or by a method that proves nothing."""
    ROLE = auto()
    """Somebody signed who is no authority, or an authority is used as a person."""
    EXPIRED = auto()
    """Not valid yet, or not any more."""
    PERIODS = auto()
    """It is valid now, but an authority above it is not."""
    INCOMPLETE = auto()
    """Something in it must be understood and cannot be."""
    USAGE = auto()
    """An authority above it is not one for mail."""
    NAME = auto()
    """An authority above it may not vouch for this address."""
    PURPOSE = auto()
    """It is not for mail."""
    VALID = auto()
    REVOKED = auto()
    CHAIN_REVOKED = auto()
    """An authority above it was revoked."""
    UNREACHABLE = auto()
    """Nobody could be asked whether it was revoked."""
    UNCLEAR = auto()
    """Nobody says whether it was revoked."""


class Certificates(Protocol):
    """Judges certificates."""

    async def verdicts(
        self, asked: Sequence[bytes], chain: Sequence[bytes], *, strict: bool
    ) -> Sequence[Verdict]:
        """A verdict for each certificate (DER), with the help of those in `chain`.

        `strict`: that nothing can be learned about revocation counts against it (MS-ASCMD 2.2.3.26).
        """
        ...
