"""Names made of what they stand for: the same text gives the same one, in every process and after years."""

from __future__ import annotations

import hashlib

__all__ = ["digest_of"]


def digest_of(text: str, length: int = 40) -> str:
    """So many hexadecimal digits (64 at most) that tell one text from another."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]
