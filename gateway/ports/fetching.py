"""Getting small documents from the web, whose addresses others chose."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Fetcher"]


class Fetcher(Protocol):
    """Asks servers in public networks, and others only where the administrator named them."""

    async def fetch(self, url: str, limit: int, *, posted: bytes | None = None, kind: str = "") -> bytes:
        """What is at an http or https URL, at most `limit` octets; `posted`, of type `kind`, is sent.

        Raises `UpstreamUnavailable` when there is no answer in time, and `UpstreamRefused` for one that is
        none, is too long, or may not be asked for.
        """
        ...
