"""Searching the address list, for Search and Find alike. There is no directory to ask yet."""

from __future__ import annotations

from gateway.eas.commands.base import Context
from gateway.errors import NotFound
from wbxml import Element

__all__ = ["search"]


async def search(context: Context, words: str, first: int, last: int) -> tuple[list[list[Element]], int]:
    """The gal: properties of the entries whose words begin like `words`, of this range, and how many in all.

    Raises `NotFound` when there is no directory.
    """
    del words, first, last
    raise NotFound(f"no directory for {context.principal.user}")
