"""What a search looks at in messages itself, because SEARCH cannot: times, names of files, conversations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gateway import query as q
from gateway.mail.addresses import addresses
from gateway.mail.conversations import conversation
from gateway.mail.headers import Headers
from gateway.mail.structure import Attachment, lay_out
from gateway.query import Place, Query
from gateway.types import BodyPart

__all__ = ["HEADER_FIELDS", "Facts", "fits"]

HEADER_FIELDS = (
    "From",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Thread-Index",
)
"""The header fields that are looked at."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a message that may be a hit; `header` and `structure` when the query needs them."""

    uid: int
    received: datetime
    header: bytes = b""
    structure: BodyPart | None = None


def fits(condition: Query, facts: Facts) -> bool:
    """Whether a condition without terms holds for a message."""
    match condition:
        case q.Received(since, before):
            return (since is None or since <= facts.received) and (before is None or facts.received < before)
        case q.HasAttachment():
            return any(not each.inline for each in _attachments(facts))
        case q.InConversation(identity):
            return conversation(Headers(facts.header), b"").id == identity
        case q.Contains(Place.ATTACHMENT, text):
            return any(_contains(each.name, text) for each in _attachments(facts))
        case q.Contains(Place.SUBJECT, text):
            return _contains(Headers(facts.header).text("subject"), text)
        case q.Contains(place, text):
            return any(_contains(str(one), text) for one in addresses(Headers(facts.header), place.value))
        case _:
            return False


def _attachments(facts: Facts) -> Iterable[Attachment]:
    return lay_out(facts.structure).attachments if facts.structure else ()


def _contains(whole: str, text: str) -> bool:
    return text.casefold() in whole.casefold()
