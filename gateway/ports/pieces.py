"""Octets in pieces, so that a large message need not be held whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Pieces(Protocol):
    """A message of which no more than a piece has to be in memory. It can be gone through more than once."""

    def __len__(self) -> int:
        """Octets in all."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Its octets in order, a few hundred kilobytes at a time."""
        ...


class Spool(Pieces, Protocol):
    """Room for pieces that come from elsewhere: empty at first, and gone once closed."""

    async def write(self, data: bytes) -> None:
        """Append. Raises `GatewayError` when there is no room."""
        ...

    def cut(self, size: int) -> None:
        """Forget all but the first `size` octets."""
        ...

    def close(self) -> None: ...
