"""Who is in which group: as the configuration has it, and as directories said when they were asked last."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from unicodedata import normalize

__all__ = ["Groups", "group_name", "matches"]

_ESCAPED = re.compile(r"((?:\\[0-9a-f]{2})+)|\\(.)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that rules and policies name.

    `named` are those of the configuration, with their users (logins, `*` stands for any text). All others
    are of the directories: `learned` has, for each user, which of them he is in, by `group_name`.
    """

    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    learned: dict[str, Mapping[str, bool]] = field(default_factory=dict)

    def has(self, group: str, user: str) -> bool:
        """Whether a user is in a group, as far as is known."""
        patterns = self.named.get(group)
        if patterns is not None:
            return matches(user, *patterns)
        return self.learned.get(user, {}).get(group_name(group), False)


def matches(text: str, *patterns: str) -> bool:
    """Whether a text is like one of these, in any case of letters; `*` stands for any text."""
    return any(fnmatchcase(text.lower(), pattern.lower().replace("[", "[[]")) for pattern in patterns)


def group_name(written: str) -> str:
    """A name, a mail address or a DN without differences that mean nothing (RFC 4514, RFC 4518).

    Those are case, forms of the same letter, how many blanks there are, and in DNs how a character is
    escaped, and the order of attributes that name an entry together. Servers write DNs in their own way, and
    whoever was not found by that would be barred from nothing.
    """
    if "=" not in written:
        return _plain(written)
    entries = _ESCAPED.sub(_escaped_alike, written).split(",")
    return ",".join("+".join(sorted(map(_assertion, entry.split("+")))) for entry in entries)


def _assertion(written: str) -> str:
    """An attribute and its value in a DN."""
    return "=".join(map(_plain, written.split("=")))


def _escaped_alike(match: re.Match[str]) -> str:
    octets, letter = match.groups()
    text = letter or bytes.fromhex(octets.replace("\\", "")).decode("utf-8", "replace")
    return "".join(f"\\{ord(one):02x}" if one in ",+\\" else one for one in text)


def _plain(text: str) -> str:
    return " ".join(normalize("NFKC", text).lower().split())
