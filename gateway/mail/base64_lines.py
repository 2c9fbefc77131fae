"""Where the octets of a file are in its base64 text, when all lines of that have one length (RFC 2045 6.8).

Nearly all senders write such lines, so a piece of a large file can be fetched without what stands before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Lines", "measure"]

_FIRST_LINE = re.compile(rb"([A-Za-z0-9+/]{4,1000})(\r?\n)")


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of `length` characters with `end` behind each but the last, which may be shorter."""

    length: int
    end: bytes

    @property
    def stride(self) -> int:
        """Octets from one line to the next."""
        return self.length + len(self.end)

    @property
    def decoded(self) -> int:
        """Octets that one line stands for."""
        return self.length // 4 * 3

    def fit(self, text: bytes) -> bool:
        """Whether text that starts at the start of a line is made of such lines."""
        *lines, last = text.rstrip(b"\r\n").split(self.end)
        return len(last) <= self.length and all(
            len(line) == self.length and b"=" not in line for line in lines
        )


def measure(beginning: bytes) -> Lines | None:
    """The lines that a text begins with; None when they are not all alike."""
    match = _FIRST_LINE.match(beginning)
    if match is None or len(match[1]) % 4:
        return None
    lines = Lines(len(match[1]), match[2])
    whole = len(beginning) - len(beginning) % lines.stride
    return lines if lines.fit(beginning[:whole]) else None
