"""What a ResolveRecipients asks for (MS-ASCMD 2.2.1.15): elements to a typed request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.eas import fields
from gateway.eas.content.values import parse_date_time
from gateway.eas.pictures import wants_pictures
from gateway.eas.versions import Version
from gateway.pim.values import FIRST_YEAR, LAST_YEAR
from wbxml import Element, Tag, element
from wbxml.pages import ResolveRecipients as Page

__all__ = ["MOST_RECIPIENTS", "Span", "Wanted", "parse"]

MOST_RECIPIENTS = 100
"""MS-ASCMD 2.2.3.183."""
_MOST_WITH_AVAILABILITY = 200
"""Of these, each is resolved and told that they are too many."""
_LONGEST_TO = 256
_LARGEST_NUMBER = 9999
_NO_CERTIFICATES, _MINI_CERTIFICATES = 1, 3
_WEEK = timedelta(days=7)
_SHORTEST, _LONGEST = timedelta(minutes=30), timedelta(days=42)


@dataclass(frozen=True, slots=True)
class Span:
    """The time for which the device wants to know who is free."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request. `most_suggestions` None leaves it to the server how many an ambiguous name has."""

    names: tuple[str, ...]
    certificates: bool = False
    most_suggestions: int | None = None
    availability: Span | None = None
    pictures: bool = False

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
    retrieval = fields.number(options, Page.CertificateRetrieval, _NO_CERTIFICATES) or 0
    if not _NO_CERTIFICATES <= retrieval <= _MINI_CERTIFICATES:
        raise fields.malformed("a CertificateRetrieval that does not exist")
    _small(options, Page.MaxCertificates)
    return Wanted(
        names,
        retrieval != _NO_CERTIFICATES,
        _small(options, Page.MaxAmbiguousRecipients),
        availability,
        wants_pictures(options, (Page.Picture, Page.MaxSize, Page.MaxPictures), version),
    )


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
