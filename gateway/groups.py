"""Who is in which group: as the configuration has it, and as directories said when they were asked last."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

__all__ = ["Groups", "group_name", "matches"]


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
    """A name, a mail address or a DN without differences that mean nothing: case, and blanks in DNs."""
    name = written.strip().lower()
    return re.sub(r"\s*([,=+])\s*", r"\1", name) if "=" in name else name
