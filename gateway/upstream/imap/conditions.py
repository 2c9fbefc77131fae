"""A query in the terms of IMAP: what SEARCH decides by itself, and what must be looked at afterwards.

SEARCH knows days but no times, and nothing of attachments and conversations. A query that asks for such has
a superset that SEARCH can find, whose members are then told apart by their `Facts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway import query as q
from gateway.query import Place, Query
from gateway.types import ANSWERED, DELETED, DRAFT, FLAGGED, SEEN, Uids
from gateway.upstream.imap import search_keys as keys
from gateway.upstream.imap.facts import Facts, fits
from gateway.upstream.imap.search_keys import SearchKey

__all__ = ["Conditions", "is_ascii"]

_SYSTEM_FLAGS = {flag.lower(): flag[1:].upper() for flag in (SEEN, FLAGGED, ANSWERED, DRAFT, DELETED)}
_KEYS = {
    Place.SUBJECT: "SUBJECT",
    Place.FROM: "FROM",
    Place.TO: "TO",
    Place.CC: "CC",
    Place.BCC: "BCC",
    Place.BODY: "BODY",
}
_ASCII_RUN = re.compile(r"[\x21-\x7e]+")
_TELLING_RUN = 3
"""Letters of a word that stand for all of it where the server reads ASCII only."""
_LARGEST = 0xFFFFFFFF
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a server is asked for a query.

    `fuzzy`: it offers SEARCH=FUZZY (RFC 6203). `utf8`: it takes text beyond ASCII; when it does not
    (BADCHARSET), header fields are looked at here, and the text of a message must hold the longest ASCII part
    of a word.
    """

    query: Query
    fuzzy: bool = False
    utf8: bool = True
    questions: tuple[Query, ...] = field(init=False)
    """The parts of the query whose members SEARCH must tell too, to decide about a member of the superset."""

    def __post_init__(self) -> None:
        if not self.utf8:
            object.__setattr__(self, "query", _in_ascii(self.query))
        found = dict.fromkeys(self._questions(self.query, implied=True))
        object.__setattr__(self, "questions", tuple(found))

    @property
    def needs_header(self) -> bool:
        """Whether `hold` reads the header."""
        return any(
            isinstance(leaf, q.InConversation)
            or (isinstance(leaf, q.Contains) and leaf.place in _KEYS and not self._is_exact(leaf))
            for leaf in _leaves(self.query)
        )

    @property
    def needs_structure(self) -> bool:
        """Whether `hold` reads the structure."""
        return any(
            isinstance(leaf, q.HasAttachment)
            or (isinstance(leaf, q.Contains) and leaf.place is Place.ATTACHMENT)
            for leaf in _leaves(self.query)
        )

    def superset(self) -> SearchKey:
        """A key that finds every message for which the query holds. Raises `CommandError`."""
        return self._key(self.query, fuzzy=self.fuzzy) or keys.key("ALL")

    def literally(self) -> SearchKey:
        """The same without FUZZY, by which a server may find less: Cyrus nothing where it has no index."""
        return self._key(self.query, fuzzy=False) or keys.key("ALL")

    def exact(self, question: Query) -> SearchKey:
        """The key of one of the `questions`. Raises `CommandError`."""
        return self._key(question, fuzzy=False) or keys.key("ALL")

    def hold(self, facts: Facts, answers: Mapping[Query, Uids]) -> bool:
        """Whether the query holds for a member of the superset, given the answers to the `questions`."""
        return self._holds(self.query, facts, answers)

    def _holds(self, query: Query, facts: Facts, answers: Mapping[Query, Uids]) -> bool:
        answered = answers.get(query)
        if answered is not None:
            return facts.uid in answered
        if self._is_exact(query):
            return True  # else it were not in the superset
        match query:
            case q.And(terms):
                return all(self._holds(term, facts, answers) for term in terms)
            case q.Or(terms):
                return any(self._holds(term, facts, answers) for term in terms)
            case q.Not(term):
                return not self._holds(term, facts, answers)
            case _:
                return fits(query, facts)

    def _questions(self, query: Query, *, implied: bool) -> Iterator[Query]:
        if self._is_exact(query):
            if not implied:
                yield query
            return
        match query:
            case q.And(terms):
                for term in terms:
                    yield from self._questions(term, implied=implied)
            case q.Or(terms):
                for term in terms:
                    yield from self._questions(term, implied=False)
            case q.Not(term):
                yield from self._questions(term, implied=False)

    def _is_exact(self, query: Query) -> bool:
        """Whether SEARCH alone decides it."""
        match query:
            case q.And(terms) | q.Or(terms):
                return all(map(self._is_exact, terms))
            case q.Not(term):
                return self._is_exact(term)
            case q.Contains(place, text):
                return place is not Place.ATTACHMENT and (self.utf8 or text.isascii())
            case q.HeaderContains() | q.HasFlag() | q.Larger():
                return True
            case _:
                return False

    def _key(self, query: Query, *, fuzzy: bool) -> SearchKey | None:
        """The key of a superset, or None for one that finds everything."""
        match query:
            case q.And(terms):
                found = [each for term in terms if (each := self._key(term, fuzzy=fuzzy)) is not None]
                return keys.key_and(*found) if len(found) > 1 else found[0] if found else None
            case q.Or(terms):
                parts = [self._key(term, fuzzy=fuzzy) for term in terms]
                some = [each for each in parts if each is not None]
                return keys.key_any(some) if len(some) == len(parts) else None
            case q.Not(term) if self._is_exact(term):
                return keys.key_not(self._key(term, fuzzy=False) or keys.key("ALL"))
            case q.Received(since, before):
                return _days(since, before)
            case _ if self._is_exact(query):
                return _leaf(query, fuzzy=fuzzy)
            case _:
                return None


def _leaf(query: Query, *, fuzzy: bool) -> SearchKey | None:
    match query:
        case q.Contains(Place.ANYWHERE, text, alike):
            return keys.key_any([_text(name, text, fuzzy=fuzzy and alike) for name in _KEYS.values()])
        case q.Contains(place, text, alike):
            return _text(_KEYS[place], text, fuzzy=fuzzy and alike)
        case q.HeaderContains(name, text):
            return keys.key_header(name, text)
        case q.HasFlag(flag):
            system = _SYSTEM_FLAGS.get(flag.lower())
            return keys.key(system) if system else keys.key_flag("KEYWORD", flag)
        case q.Larger(octets):
            return keys.key_number("LARGER", min(octets, _LARGEST))
        case _:
            return None


def _text(name: str, text: str, *, fuzzy: bool) -> SearchKey:
    made = keys.key_text(name, text)
    return keys.key_fuzzy(made) if fuzzy else made


def _days(since: datetime | None, before: datetime | None) -> SearchKey | None:
    """SEARCH compares days, in whatever zone the server takes: a day more on either side."""
    found = []
    try:
        if since is not None:
            found.append(keys.key_date("SINCE", since.astimezone(UTC).date() - _DAY))
        if before is not None:
            found.append(keys.key_date("BEFORE", before.astimezone(UTC).date() + 2 * _DAY))
    except OverflowError:  # at an end of the calendar
        pass
    return keys.key_and(*found) if len(found) > 1 else found[0] if found else None


# --- servers that read ASCII only --------------------------------------------------------------------------


def is_ascii(query: Query) -> bool:
    """Whether every text that the server would be asked for is ASCII."""
    return not any(
        isinstance(leaf, q.Contains) and leaf.place is not Place.ATTACHMENT and not leaf.text.isascii()
        for leaf in _leaves(query)
    )


def _in_ascii(query: Query) -> Query:
    """The query with the fields of ANYWHERE apart, and no text beyond ASCII looked for in bodies."""
    match query:
        case q.And(terms):
            return q.And(tuple(map(_in_ascii, terms)))
        case q.Or(terms):
            return q.Or(tuple(map(_in_ascii, terms)))
        case q.Not(term):
            return q.Not(_in_ascii(term))
        case q.Contains(Place.ANYWHERE, text) if not text.isascii():
            return q.Or(tuple(_in_ascii(q.Contains(place, text)) for place in _KEYS))
        case q.Contains(Place.BODY, text) if not text.isascii():
            longest = max(_ASCII_RUN.findall(text), key=len, default="")
            return q.Contains(Place.BODY, longest) if len(longest) >= _TELLING_RUN else q.NOTHING
        case _:
            return query


def _leaves(query: Query) -> Iterable[Query]:
    match query:
        case q.And(terms) | q.Or(terms):
            return [leaf for term in terms for leaf in _leaves(term)]
        case q.Not(term):
            return _leaves(term)
        case _:
            return [query]
