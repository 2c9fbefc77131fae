"""A bound on the work for one request, since whoever asks chooses the certificates."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SIGNATURE", "Effort", "TooMuchEffort"]

SIGNATURE = 1000
"""What checking a signature costs; comparing a name costs 1, and so does reading an octet."""


class TooMuchEffort(Exception):
    """The certificates would take too long to judge."""


@dataclass(slots=True)
class Effort:
    """How much may still be done."""

    left: int = 1000 * SIGNATURE

    def spend(self, amount: int) -> None:
        """Raises `TooMuchEffort` when all is spent."""
        self.left -= amount
        if self.left < 0:
            raise TooMuchEffort
