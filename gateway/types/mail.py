"""Mailboxes and messages as the upstream shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.types.ids import Uids

SEEN = "\\Seen"
FLAGGED = "\\Flagged"
ANSWERED = "\\Answered"
DRAFT = "\\Draft"
DELETED = "\\Deleted"
FORWARDED = "$Forwarded"
TRACKED_FLAGS = (SEEN, FLAGGED, ANSWERED, FORWARDED)
"""The flags a phone is told about.

IMAP compares flags without regard to case; these are the canonical spellings.
"""
CATEGORY = "category:"
"""What the name of a category begins with where it stands among flags: no flag is then taken for one."""


class Role(StrEnum):
    """What a mailbox is for (RFC 6154 special use, or a well-known name)."""

    INBOX = "inbox"
    DRAFTS = "drafts"
    SENT = "sent"
    TRASH = "trash"
    JUNK = "junk"
    ARCHIVE = "archive"
    ALL = "all"
    STARRED = "starred"
    IMPORTANT = "important"


VIRTUAL_ROLES = frozenset({Role.ALL, Role.STARRED, Role.IMPORTANT})
"""Of mailboxes that show messages which are in another one too."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as LIST shows it.

    `name` is decoded Unicode with the server's delimiter; INBOX is always `INBOX`. `shared` ones are in the
    namespace of another user or of everybody. `prefix` is what the names of new mailboxes begin with
    ("INBOX."), told with the INBOX where the server says so.
    """

    name: str
    delimiter: str | None
    role: Role | None = None
    selectable: bool = True
    uidvalidity: int | None = None
    mailbox_id: str | None = None
    shared: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class MailboxView:
    r"""What a mailbox holds at one moment.

    `version` changes whenever anything else here does: equal versions mean equal views, without comparing.
    `flags` maps each of `TRACKED_FLAGS` to the UIDs that have it, and so each category in use (its name after
    `CATEGORY`). Messages marked \Deleted are not in `uids`. `new_keywords` says whether keywords can be
    stored that no message has yet (PERMANENTFLAGS, RFC 3501 7.1). `editions` has a number for each message
    that a device edited, another one after each edit.
    """

    uidvalidity: int
    version: str
    uids: Uids
    flags: Mapping[str, Uids]
    new_keywords: bool = True
    editions: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A node of a message's MIME structure (RFC 3501 BODYSTRUCTURE).

    `section` is the part number for FETCH ("1.2"; "1" for the only part of a simple message; for a
    multipart its own number, "" at the root). Type, subtype, encoding and disposition are lower case.
    Parameter names are lower case; values are raw: UTF-8 decoded with surrogateescape, still RFC 2231 or
    2047 encoded. `size` counts octets as transferred (before the transfer encoding is undone); 0 for
    multiparts. `children` are the parts of a multipart, or the one root part of an embedded
    message/rfc822, which without a `description` has its subject as one.
    """

    section: str
    type: str
    subtype: str
    params: Mapping[str, str] = field(default_factory=dict)
    content_id: str | None = None
    description: str | None = None
    encoding: str = "7bit"
    size: int = 0
    disposition: str | None = None
    disposition_params: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    children: tuple[BodyPart, ...] = ()

    @property
    def content_type(self) -> str:
        return f"{self.type}/{self.subtype}"


@dataclass(frozen=True, slots=True)
class MessageData:
    """What one FETCH told about a message.

    `header` is the raw header block (all fields, or those asked for).
    """

    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    structure: BodyPart
    header: bytes


@dataclass(frozen=True, slots=True)
class SectionRequest:
    """Bytes wanted of a message.

    FETCH section ("1.2", "HEADER", "" for everything) and at most `limit` octets from `offset`.
    """

    uid: int
    section: str
    offset: int = 0
    limit: int | None = None
