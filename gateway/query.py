"""What mail is searched for, as a tree of conditions, and what a search found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "And",
    "Contains",
    "Found",
    "HasAttachment",
    "HasFlag",
    "HeaderContains",
    "Hit",
    "InConversation",
    "Larger",
    "Not",
    "Or",
    "Place",
    "Query",
    "Received",
]


class Place(StrEnum):
    """Where a text is looked for."""

    ANYWHERE = "anywhere"
    """In the addresses, the subject and the text."""
    FROM = "from"
    TO = "to"
    CC = "cc"
    BCC = "bcc"
    SUBJECT = "subject"
    BODY = "body"
    ATTACHMENT = "attachment"
    """In the name of an attachment."""


@dataclass(frozen=True, slots=True)
class And:
    """All of the terms hold."""

    terms: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the terms holds."""

    terms: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The term does not hold."""

    term: Query


@dataclass(frozen=True, slots=True)
class Contains:
    """A text occurs there, whatever the case of its letters.

    With `fuzzy` the server may find words that are like it, where it has an index for that (RFC 6203).
    """

    place: Place
    text: str
    fuzzy: bool = False


@dataclass(frozen=True, slots=True)
class HeaderContains:
    """A header field contains an ASCII text; "": the field is there."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class HasFlag:
    """The message has a flag, or a keyword."""

    flag: str


@dataclass(frozen=True, slots=True)
class Received:
    """The internal date is not before `since` and is before `before`; None leaves that side open."""

    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Larger:
    """The message has more than so many octets."""

    octets: int


@dataclass(frozen=True, slots=True)
class HasAttachment:
    """The message has a file that its text does not show."""


@dataclass(frozen=True, slots=True)
class InConversation:
    """The message belongs to the conversation with this id (`gateway/mail/conversations.py`)."""

    id: bytes


Query: TypeAlias = (
    And | Or | Not | Contains | HeaderContains | HasFlag | Received | Larger | HasAttachment | InConversation
)

EVERYTHING = And(())
NOTHING = Or(())


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found. `received` is its internal date."""

    mailbox: str
    uidvalidity: int
    uid: int
    received: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the newest hits, newest first, and about how many there are in all.

    `complete` is False when time ran out before everything was looked at.
    """

    hits: tuple[Hit, ...]
    total: int
    complete: bool = True
