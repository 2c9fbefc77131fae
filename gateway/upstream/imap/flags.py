"""Flags and mailbox attributes in one spelling: IMAP compares them without regard to case."""

from __future__ import annotations

import sys
from functools import lru_cache

from gateway.types import ANSWERED, DELETED, DRAFT, FLAGGED, FORWARDED, SEEN

__all__ = ["canonical", "flag_set"]

_KNOWN = {
    name.lower(): name
    for name in (
        # RFC 3501 2.3.2
        *(SEEN, ANSWERED, FLAGGED, DELETED, DRAFT, "\\Recent", "\\*"),
        # RFC 5788 and the registry of keywords
        *(
            FORWARDED,
            "$MDNSent",
            "$SubmitPending",
            "$Submitted",
            "$Junk",
            "$NotJunk",
            "$Phishing",
            "$Important",
        ),
        *("$HasAttachment", "$HasNoAttachment", "NIL"),
        # RFC 3501 7.2.2, RFC 5258, RFC 6154, RFC 8457
        *("\\Noinferiors", "\\Noselect", "\\Marked", "\\Unmarked", "\\HasChildren", "\\HasNoChildren"),
        *("\\NonExistent", "\\Subscribed", "\\Remote", "\\All", "\\Archive", "\\Drafts", "\\Junk", "\\Sent"),
        *("\\Trash", "\\Important"),
    )
}

_CACHED_LENGTH = 256
"""Longer lists are not cached, so that the cache stays small whatever servers send."""


@lru_cache(maxsize=4096)
def _short(name: str) -> str:
    return _KNOWN.get(name.lower()) or sys.intern(name)


def canonical(name: str) -> str:
    """The standard spelling of a known flag or attribute, any other unchanged; interned."""
    return _short(name) if len(name) <= _CACHED_LENGTH else name


@lru_cache(maxsize=4096)
def _short_set(names: str) -> frozenset[str]:
    return frozenset(map(canonical, names.split()))


def flag_set(names: str) -> frozenset[str]:
    """The flags of a list separated by blanks."""
    return _short_set(names) if len(names) <= _CACHED_LENGTH else frozenset(map(canonical, names.split()))
