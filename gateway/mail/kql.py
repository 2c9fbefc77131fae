"""What people type to search for mail: a subset of the Keyword Query Language, as a tree of conditions.

    words "a phrase" prefix*        in the addresses, the subject and the text
    from:ann subject:"the plan"     in one place; also to: cc: bcc: recipients: participants:
                                    body: attachment:
    received:today                  yesterday, this week, last month, 2026-03-01, 2026-03-01..2026-03-31;
                                    received>=2026-03-01 and the like
    size>100000                     octets; K and M multiply
    hasattachment:yes isread:no isflagged:yes is:unread importance:high kind:email category:name
    a OR (b AND NOT c) -d           side by side means AND; from:ann from:ben means either

Operators are in capitals, anything else is a word. What is half typed is understood as far as it goes: open
quotes and parentheses are closed, an operator without operand is passed over. Days are days of UTC.

KqlError     a value that its property does not have
TooComplex   more characters, terms or parentheses than anybody types
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.mail.kql_values import PROPERTIES, KqlError, received, size
from gateway.query import And, Contains, Not, Or, Place, Query

__all__ = ["KqlError", "TooComplex", "parse"]

MAX_LENGTH = 1024
"""Characters of a query, the limit of the protocol for a value (MS-ASCMD 2.2.3.142)."""
MAX_TERMS = 30
MAX_DEPTH = 16


class TooComplex(KqlError):
    """The query is longer or deeper than what is searched for."""


def parse(text: str, now: datetime) -> Query | None:
    """The conditions of a query; None when it holds no term. `now` tells what "today" is.

    Raises `KqlError`.
    """
    if len(text) > MAX_LENGTH:
        raise TooComplex("a query of too many characters")
    return _Parser(list(_tokens(text)), now.astimezone(UTC)).query()


# --- tokens ------------------------------------------------------------------------------------------------

_PLACES: dict[str, tuple[Place, ...]] = {
    "from": (Place.FROM,),
    "to": (Place.TO,),
    "cc": (Place.CC,),
    "bcc": (Place.BCC,),
    "recipients": (Place.TO, Place.CC, Place.BCC),
    "participants": (Place.FROM, Place.TO, Place.CC, Place.BCC),
    "subject": (Place.SUBJECT,),
    "body": (Place.BODY,),
    "attachment": (Place.ATTACHMENT,),
    "attachmentnames": (Place.ATTACHMENT,),
}
_ORDERED = ("received", "sent", "size")
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_QUOTES = str.maketrans("\u201c\u201d\u201e\u201f\u2033\uff02", '""""""')
_TOKEN = re.compile(
    rf"""
    (?P<open>\() | (?P<close>\))
    | (?P<operator>AND|OR|NOT)(?![^\s()"])
    | (?P<sign>[-+])(?=[^\s()+-]|\()
    | (?P<name>{"|".join((*_PLACES, *sorted(PROPERTIES, reverse=True)))})[:=]
    | (?P<ordered>{"|".join(_ORDERED)}):?(?P<relation><=|>=|<>|<|>|:|=|(?<=:))
    | "(?P<phrase>[^"]*)"?
    | (?P<word>[^\s()"]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind` is the name of a group above; `relation` only belongs to properties with an order."""

    kind: str
    text: str
    relation: str = ":"


def _tokens(text: str) -> Iterator[_Token]:
    for match in _TOKEN.finditer(_UNWANTED.sub(" ", text.translate(_QUOTES))):
        kind = match.lastgroup or ""
        if kind == "operator" and not match[0].isupper():
            kind = "word"
        if kind == "relation":
            yield _Token("ordered", match["ordered"].lower(), match["relation"] or ":")
        else:
            text = match["phrase"] if kind == "phrase" else match[0]
            yield _Token(kind, match["name"].lower() if kind == "name" else text)


# --- the grammar -------------------------------------------------------------------------------------------

_Term = tuple[str, Query]
"""A condition, and the property it is about: "" when it is about none."""


class _Parser:
    """Reads the tokens from left to right; OR binds weakest, side by side strongest."""

    def __init__(self, tokens: list[_Token], now: datetime) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._terms = 0
        self._now = now

    def query(self) -> Query | None:
        found: list[Query] = []
        while self._peek() is not None:
            if (one := self._either((Place.ANYWHERE,))) is not None:
                found.append(one)
            self._take_if("close")  # one that nobody opened
        return _all(found) if found else None

    def _either(self, places: tuple[Place, ...]) -> Query | None:
        found: list[Query] = []
        while True:
            if (one := self._both(places)) is not None:
                found.append(one)
            if not self._take_operator("OR"):
                return _any(found) if found else None

    def _both(self, places: tuple[Place, ...]) -> Query | None:
        found: list[Query] = []
        run: list[_Term] = []
        while (token := self._peek()) is not None and token.kind != "close":
            if token.kind == "operator" and token.text == "OR":
                break
            if self._take_operator("AND"):
                found += _merged(run)
                run = []
            elif (term := self._unary(places)) is not None:
                run.append(term)
        found += _merged(run)
        return _all(found) if found else None

    def _unary(self, places: tuple[Place, ...]) -> _Term | None:
        negated = False
        while (token := self._peek()) is not None:
            if not (token.kind == "sign" or (token.kind == "operator" and token.text == "NOT")):
                break
            negated ^= token.text != "+"
            self._at += 1
        if token is None or token.kind in {"close", "operator"}:
            return None
        term = self._primary(places)
        if term is None or not negated:
            return term
        return "", Not(term[1])

    def _primary(self, places: tuple[Place, ...]) -> _Term | None:
        token = self._tokens[self._at]
        self._at += 1
        if token.kind == "open":
            inner = self._group(places)
            return None if inner is None else ("", inner)
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise TooComplex("a query of too many terms")
        match token.kind:
            case "name" if token.text in _PLACES:
                found = self._in_places(_PLACES[token.text])
                return None if found is None else (token.text, found)
            case "name":
                value = self._value()
                return (token.text, PROPERTIES[token.text](value)) if value else None
            case "ordered":
                value = self._value()
                if not value:
                    return None
                if token.text == "size":
                    compared = size(token.relation, value)
                else:
                    compared = received(token.relation, value, self._now)
                return token.text if token.relation in {":", "="} else "", compared
            case _:
                found = _text(token, places)
                return None if found is None else ("", found)

    def _group(self, places: tuple[Place, ...]) -> Query | None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TooComplex("a query of too many parentheses")
        inner = self._either(places)
        self._take_if("close")
        self._depth -= 1
        return inner

    def _in_places(self, places: tuple[Place, ...]) -> Query | None:
        """What follows the name of a property of text: a word, a phrase, or several in parentheses."""
        token = self._peek()
        if token is not None and token.kind == "open":
            self._at += 1
            return self._group(places)
        value = self._take_if("phrase") or self._take_if("word")
        return None if value is None else _text(value, places)

    def _value(self) -> str:
        """What follows the name of another property; "" for nothing."""
        token = self._take_if("phrase") or self._take_if("word")
        if token is None:
            return ""
        if token.text.lower() in {"this", "last"} and (unit := self._take_if("word")) is not None:
            return f"{token.text} {unit.text}"
        return token.text.strip()

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take_if(self, kind: str) -> _Token | None:
        token = self._peek()
        if token is None or token.kind != kind:
            return None
        self._at += 1
        return token

    def _take_operator(self, name: str) -> bool:
        token = self._peek()
        if token is None or token.kind != "operator" or token.text != name:
            return False
        self._at += 1
        return True


def _text(token: _Token, places: tuple[Place, ...]) -> Query | None:
    """A word or a phrase in some of these places; None when nothing of it can be searched for."""
    whole = token.kind == "phrase"
    text = " ".join(token.text.split()) if whole else token.text.strip("*")
    if not any(letter.isalnum() for letter in text):
        return None
    fuzzy = not whole and places == (Place.ANYWHERE,)
    return _any([Contains(place, text, fuzzy) for place in places])


def _merged(run: list[_Term]) -> list[Query]:
    """Terms side by side: those about the same property are alternatives."""
    by_property: dict[str, list[Query]] = {}
    found: list[Query] = []
    for name, condition in run:
        if name:
            by_property.setdefault(name, []).append(condition)
        else:
            found.append(condition)
    return [*(_any(conditions) for conditions in by_property.values()), *found]


def _all(found: list[Query]) -> Query:
    return found[0] if len(found) == 1 else And(tuple(found))


def _any(found: list[Query]) -> Query:
    return found[0] if len(found) == 1 else Or(tuple(found))
