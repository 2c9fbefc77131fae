"""Numbers and octets of TNEF one after the other (MS-OXTNEF 2.1): the lowest octet first."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CutOff", "OctetReader"]


class CutOff(Exception):
    """The data is over before what is read."""


@dataclass(slots=True)
class OctetReader:
    """Reads from `at` on; raises `CutOff` at the end."""

    data: bytes
    at: int = 0

    def take(self, octets: int) -> bytes:
        """The next octets, as many."""
        if octets > len(self.data) - self.at:
            raise CutOff
        self.at += octets
        return self.data[self.at - octets : self.at]

    def short(self) -> int:
        """A number of two octets."""
        return int.from_bytes(self.take(2), "little")

    def number(self) -> int:
        """A number of four octets."""
        return int.from_bytes(self.take(4), "little")
