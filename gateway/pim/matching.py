"""Whether an item is what somebody searches for: the conditions of a query, held against its texts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeAlias

from gateway.pim.names import ALT_DESC
from gateway.query import And, Contains, HasAttachment, Not, Or, Place, Query, Received

__all__ = ["Searched", "Texts", "folded", "may_match"]

Texts: TypeAlias = Mapping[Place, Sequence[str]]
"""What an item says, by where a query looks for it; under ANYWHERE what has no other place."""


_FOLD = re.compile(r"(?:\r\n|\r|\n)[ \t]")
_LETTERS = re.compile(r"[^\W\d_]+")
_CODED = ("%", ALT_DESC.casefold())
"""Behind these a text may stand in another form than it is read in: of a URL, or as HTML."""


def folded(text: str) -> str:
    """A text as it is compared: whatever the case and form of its letters and the blanks between words."""
    return " ".join(_plain(text).split())


def may_match(query: Query, stored: str) -> bool:
    """Whether an item with this stored text can fit: a look that takes a tenth of the time of reading it.

    What is searched for must be in it letter by letter; only marks and digits may stand in it differently.
    """
    plain = _plain(_FOLD.sub("", stored))
    return any(one in plain for one in _CODED) or _is_possible(query, plain)


@dataclass(frozen=True, slots=True)
class Searched:
    """An item as it is searched: its folded texts, each in a line of its own.

    `created` is when it was stored first, which for an item is what DateReceived is for mail.
    """

    texts: Mapping[Place, str]
    created: datetime

    @classmethod
    def of(cls, texts: Texts, created: datetime) -> Self:
        """That of an item with these texts."""
        lines = {place: "\n".join(map(folded, several)) for place, several in texts.items()}
        return cls({**lines, Place.ANYWHERE: "\n".join(lines.values())}, created)

    def matches(self, query: Query, *, negated: bool = False) -> bool:
        """Whether the query holds; `negated`: whether its contrary does.

        Of what only mail has (flags, header fields, conversations) neither is true of an item.
        """
        match query:
            case And(terms):
                every = any if negated else all
                return every(self.matches(term, negated=negated) for term in terms)
            case Or(terms):
                some = all if negated else any
                return some(self.matches(term, negated=negated) for term in terms)
            case Not(term):
                return self.matches(term, negated=not negated)
            case Contains(place, text):
                return (folded(text) in self.texts.get(place, "")) is not negated
            case HasAttachment():
                return bool(self.texts.get(Place.ATTACHMENT)) is not negated
            case Received(since, before):
                late = since is None or since <= self.created
                return (late and (before is None or self.created < before)) is not negated
            case _:
                return False


def _is_possible(query: Query, plain: str) -> bool:
    match query:
        case And(terms):
            return all(_is_possible(term, plain) for term in terms)
        case Or(terms):
            return any(_is_possible(term, plain) for term in terms)
        case Contains(_, text):
            return all(word in plain for word in _LETTERS.findall(folded(text)))
        case _:
            return True


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
