"""What a ResolveRecipients asks for (MS-ASCMD 2.2.1.15): elements to a typed request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from gateway.eas import fields
from gateway.eas.content.values import parse_date_time
from gateway.eas.pictures import Wish, parse_wish
from gateway.eas.versions import Version
from gateway.pim.values import FIRST_YEAR, LAST_YEAR
from wbxml import Element, Tag, element
from wbxml.pages import ResolveRecipients as Page

__all__ = ["MOST_RECIPIENTS", "Retrieval", "Span", "Wanted", "parse"]

MOST_RECIPIENTS = 100
"""MS-ASCMD 2.2.3.183."""
_MOST_WITH_AVAILABILITY = 200
"""Of these, each is resolved and told that they are too many."""
_LONGEST_TO = 256
_LARGEST_NUMBER = 9999
_WEEK = timedelta(days=7)
_SHORTEST, _LONGEST = timedelta(minutes=30), timedelta(days=42)


class Retrieval(IntEnum):
    """Which certificates the device wants (MS-ASCMD 2.2.3.22)."""

    NONE = 1
    FULL = 2
    MINI = 3


@dataclass(frozen=True, slots=True)
class Span:
    """The time for which the device wants to know who is free."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request. What is None the server decides: how many suggestions a name has, and certificates all."""

    names: tuple[str, ...]
    certificates: Retrieval = Retrieval.NONE
    most_certificates: int | None = None
    most_suggestions: int | None = None
    availability: Span | None = None
    pictures: Wish | None = None

    @property
    def too_many(self) -> bool:
        """Whether they are more than availability is told of."""
        return len(self.names) > MOST_RECIPIENTS


def parse(root: Element, version: Version) -> Wanted:
    """Raises `Refused` for whatever does not fit, which is Status 5 of the whole request."""
    options = fields.only(root, Page.Options) or element(Page.Options)
    if any(child.tag not in {Page.To, Page.Options} for child in root):
        raise fields.malformed("ResolveRecipients holds To and Options alone")
    availability = _availability(options, version)
    names = tuple(child.text() for child in root.findall(Page.To))
    most = _MOST_WITH_AVAILABILITY if availability else MOST_RECIPIENTS
    if not 0 < len(names) <= most or any(len(name) > _LONGEST_TO for name in names):
        raise fields.malformed("no To, too many of them, or one that is too long")
    return Wanted(
        names,
        _retrieval(options),
        _small(options, Page.MaxCertificates),
        _small(options, Page.MaxAmbiguousRecipients),
        availability,
        parse_wish(options, (Page.Picture, Page.MaxSize, Page.MaxPictures), version),
    )


def _retrieval(options: Element) -> Retrieval:
    value = fields.number(options, Page.CertificateRetrieval, Retrieval.NONE)
    if value not in set(Retrieval):
        raise fields.malformed("a CertificateRetrieval that does not exist")
    return Retrieval(value)


def _small(options: Element, tag: Tag) -> int | None:
    value = fields.number(options, tag)
    if value is not None and value > _LARGEST_NUMBER:
        raise fields.malformed(f"{tag!r} beyond {_LARGEST_NUMBER}")
    return value


def _availability(options: Element, version: Version) -> Span | None:
    asked = fields.only(options, Page.Availability)
    if asked is None:
        return None
    if version < Version.V14_0:
        raise fields.malformed("Availability in a version without")
    start = _moment(fields.required(asked, Page.StartTime))
    ends = fields.only(asked, Page.EndTime)
    end = _moment(ends) if ends else start + _WEEK
    if not _SHORTEST <= end - start <= _LONGEST:
        raise fields.malformed("a time that is too short or too long")
    return Span(start, end)


def _moment(child: Element) -> datetime:
    moment = parse_date_time(child.text())
    if not FIRST_YEAR < moment.year < LAST_YEAR:
        raise fields.malformed("a time that is in no calendar")
    return moment
