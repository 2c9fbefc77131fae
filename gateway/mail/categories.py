"""Categories of a message as IMAP keywords, so that all devices and mail programs share them.

IMAP compares keywords without regard to case and allows few characters in them (RFC 3501 flag-keyword). A
category that is a keyword as it stands, all in lower case, is one: `work`. Every other is written with a mark
and an encoding that can be undone: `Blue Category` is `cat-^blue_^category-`. Of other programs' keywords,
Thunderbird's five labels are the categories they are shown as there, the keywords of mail systems are hidden,
and the rest are categories by their own names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["LONGEST_CATEGORY", "categories", "category", "keyword", "spellings"]

LONGEST_CATEGORY = 255
"""Characters of a name."""
_LONGEST_KEYWORD = 50
"""Octets: what Dovecot allows by default, the least of the servers looked at."""

_MARK = "cat-"
_ATOM = re.compile(r"[!#$&'+-\[^-z|}~]+")
_LABELS = {
    "$label1": "Important",
    "$label2": "Work",
    "$label3": "Personal",
    "$label4": "To Do",
    "$label5": "Later",
}
_LABEL_OF = {name: label for label, name in _LABELS.items()}
_HIDDEN = frozenset(
    {
        *("junk", "nonjunk", "notjunk", "junkrecorded", "junkscore", "spam", "forwarded", "redirected"),
        *("mdnsent", "old", "recent", "receipt-handled", "nil", "attachment", "hasattachment", "unknown"),
        *("signed", "encrypted", "todo-done", "watched", "ignored"),
    }
)
"""What mail programs note for themselves; besides these everything that begins with `$` (RFC 5788)."""
_ESCAPE = re.compile(r"=([0-9a-f]{2})|\^([a-z])|_|[=^]")


def category(name: str) -> str | None:
    """The category a keyword stands for, None for a system flag or one that is no user's business."""
    return _category(name) if len(name) <= LONGEST_CATEGORY else None


def categories(flags: Iterable[str]) -> frozenset[str]:
    """The categories among the flags of a message."""
    return frozenset(name for flag in flags if (name := category(flag)) is not None)


def keyword(name: str) -> str | None:
    """The keyword for a category; None when it would be longer than servers allow."""
    made = _LABEL_OF.get(name) or (name if _is_plain(name) else _encode(name))
    return made if len(made) <= _LONGEST_KEYWORD else None


def spellings(name: str) -> frozenset[str]:
    """All keywords that stand for a category: what has to be cleared to take it away."""
    return frozenset(
        one for one in (keyword(name), name) if one and _ATOM.fullmatch(one) and category(one) == name
    )


@lru_cache(maxsize=4096)
def _category(name: str) -> str | None:
    lower = name.lower()
    if lower in _LABELS:
        return _LABELS[lower]
    if name.startswith("$") or lower in _HIDDEN or not _ATOM.fullmatch(name):
        return None
    if lower.startswith(_MARK):
        decoded = _decode(lower)
        if decoded is not None and not _is_plain(decoded) and _encode(decoded) == lower:
            return decoded
    return name


def _is_plain(name: str) -> bool:
    """Whether the name is a keyword that stands for itself, however a server writes it."""
    if not _ATOM.fullmatch(name) or name != name.lower() or name.startswith("$") or name in _HIDDEN:
        return False
    return not name.startswith(_MARK)


def _encode(name: str) -> str:
    """Mark, then punycode (RFC 3492) of the name with what keywords do not keep escaped."""
    escaped = "".join(map(_escaped, name))
    return _MARK + escaped.encode("punycode").decode("ascii")


def _escaped(char: str) -> str:
    if char == " ":
        return "_"
    if "A" <= char <= "Z":
        return f"^{char.lower()}"
    if not char.isascii() or (_ATOM.fullmatch(char) and char not in "_^="):
        return char
    return f"={ord(char):02x}"


def _decode(name: str) -> str | None:
    try:
        escaped = name[len(_MARK) :].encode("ascii").decode("punycode")
    except UnicodeError:
        return None
    return _ESCAPE.sub(_unescaped, escaped)


def _unescaped(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1], 16))
    return match[2].upper() if match[2] else {"_": " "}.get(match[0], match[0])
