r"""What an IMAP server says, as immutable values (RFC 3501 7 and the extensions named at each class).

Text is Unicode: UTF-8 with surrogateescape, so that encoding it in the same way gives the server's octets.
Flags and mailbox attributes are interned and have their canonical spelling (`\Seen`, `$Forwarded`,
`\HasNoChildren`); names of items, codes, capabilities and status values are upper case. UIDs and message
numbers come as `Uids`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

from gateway.types import BodyPart, Uids

Node: TypeAlias = "str | bytes | list[Node] | None"
"""One value of the general syntax: an atom or quoted string, a literal, a parenthesised list, or NIL."""


class Condition(StrEnum):
    """The status a server reports (RFC 3501 7.1)."""

    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    BYE = "BYE"
    PREAUTH = "PREAUTH"


@dataclass(frozen=True, slots=True)
class AppendUid:
    """Where an appended message went (RFC 4315 3). `uids` has one UID, several after MULTIAPPEND."""

    uidvalidity: int
    uids: Uids


@dataclass(frozen=True, slots=True)
class CopyUid:
    """Where copied or moved messages went (RFC 4315 3); both sides as runs in the order given."""

    uidvalidity: int
    source: tuple[range, ...]
    target: tuple[range, ...]

    def __len__(self) -> int:
        """How many messages are named."""
        return sum(map(len, self.source))

    def pairs(self) -> Iterator[tuple[int, int]]:
        """(source UID, target UID) of each message. Lazy: a hostile server can name four thousand million."""
        return zip(chain.from_iterable(self.source), chain.from_iterable(self.target), strict=True)


CodeValue: TypeAlias = "int | str | frozenset[str] | Uids | AppendUid | CopyUid | None"


@dataclass(frozen=True, slots=True)
class ResponseCode:
    """What stands in brackets before the text of a status response (RFC 3501 7.1, RFC 5530).

    By `name`, `value` is: UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ, UNSEEN and others with one number: int;
    PERMANENTFLAGS, BADCHARSET, CAPABILITY: frozenset of str; APPENDUID: `AppendUid`; COPYUID: `CopyUid`;
    MODIFIED: `Uids`; MAILBOXID: str; other codes with arguments: str, as sent; codes without: None.
    Arguments that do not fit their code come as str.
    """

    name: str
    value: CodeValue = None


@dataclass(frozen=True, slots=True)
class Tagged:
    """The end of a command. `status` is OK, NO or BAD."""

    tag: str
    status: Condition
    code: ResponseCode | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """An untagged OK, NO, BAD, BYE or PREAUTH."""

    status: Condition
    code: ResponseCode | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Continuation:
    """`+`: the server waits for a literal, a SASL answer, or is idling."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Capability:
    """CAPABILITY, names in upper case (`IMAP4REV1`, `AUTH=PLAIN`)."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Enabled:
    """ENABLED (RFC 5161), names in upper case."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class List:
    """LIST (RFC 3501 7.2.2, RFC 5258, RFC 6154).

    `name` is decoded Unicode (INBOX in upper case); `raw_name` is as the server spelled it, for names that
    do not survive decoding and encoding. `old_name` is the decoded OLDNAME (RFC 5465).
    """

    attributes: frozenset[str]
    delimiter: str | None
    name: str
    raw_name: str
    old_name: str | None = None


@dataclass(frozen=True, slots=True)
class StatusData:
    """STATUS of a mailbox (RFC 3501 7.2.4, RFC 7162, RFC 8438, RFC 8474).

    `values` holds the numbers: MESSAGES, RECENT, UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ, SIZE (octets),
    DELETED, APPENDLIMIT (octets) ...
    """

    mailbox: str
    raw_name: str
    values: Mapping[str, int]
    mailbox_id: str | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """SEARCH (RFC 3501 7.2.5): message numbers, or UIDs after UID SEARCH; MODSEQ by RFC 7162."""

    numbers: Uids
    modseq: int | None = None


@dataclass(frozen=True, slots=True)
class ESearch:
    """ESEARCH (RFC 4731, RFC 7162, RFC 7377, RFC 9394).

    `all` is None when the server did not send it (it does not when nothing was found). `partial` is (the
    range asked for, what is in it). `mailbox` and `uidvalidity` are told by searches of several mailboxes.
    """

    tag: str | None = None
    uid: bool = False
    all: Uids | None = None
    min: int | None = None
    max: int | None = None
    count: int | None = None
    modseq: int | None = None
    partial: tuple[str, Uids] | None = None
    mailbox: str | None = None
    uidvalidity: int | None = None


@dataclass(frozen=True, slots=True)
class Vanished:
    """VANISHED (RFC 7162 3.2.10): UIDs that are gone; `earlier` when they went before this session looked."""

    uids: Uids
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The number of messages in the selected mailbox."""

    count: int


@dataclass(frozen=True, slots=True)
class Recent:
    r"""The number of messages with \Recent."""

    count: int


@dataclass(frozen=True, slots=True)
class Expunge:
    """A message is gone; higher message numbers drop by one."""

    seq: int


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags defined in the selected mailbox."""

    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fetch:
    """What one FETCH response tells of a message; None: not told.

    `sections` maps `BODY[1.2]`, `BODY[HEADER.FIELDS (FROM TO)]`, `BODY[]<0>` (with origin), `BINARY[1]`,
    `RFC822.HEADER` to the octets, None where the server sent NIL. `extras` holds all other items
    (`X-GM-MSGID`, `EMAILID`, `BINARY.SIZE[1]`, `PREVIEW`, `SAVEDATE` ...). `faults` names items that could
    not be understood; an `Unparsed` precedes such a Fetch.
    """

    seq: int
    uid: int | None = None
    flags: frozenset[str] | None = None
    modseq: int | None = None
    internal_date: datetime | None = None
    size: int | None = None
    structure: BodyPart | None = None
    sections: Mapping[str, bytes | None] = field(default_factory=dict)
    extras: Mapping[str, Node] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NamespaceEntry:
    """One namespace; `prefix` is decoded Unicode."""

    prefix: str
    delimiter: str | None


@dataclass(frozen=True, slots=True)
class Namespace:
    """NAMESPACE (RFC 2342)."""

    personal: tuple[NamespaceEntry, ...] = ()
    other: tuple[NamespaceEntry, ...] = ()
    shared: tuple[NamespaceEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Id:
    """ID (RFC 2971); keys in lower case."""

    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Unparsed:
    """A response that is unknown or malformed; the connection goes on.

    `raw` is its beginning, literals left out, and not in `repr` since it may hold message text.
    """

    reason: str
    raw: bytes = field(default=b"", repr=False)


Response: TypeAlias = (
    Tagged
    | Status
    | Continuation
    | Capability
    | Enabled
    | List
    | StatusData
    | Search
    | ESearch
    | Vanished
    | Exists
    | Recent
    | Expunge
    | Flags
    | Fetch
    | Namespace
    | Id
    | Unparsed
)
