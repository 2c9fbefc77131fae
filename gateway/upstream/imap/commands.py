"""The commands the gateway sends, one function each. All raise `CommandError` for values IMAP cannot carry.

Those that take UIDs return several commands when the set is too long for one line (`limit` octets for the set).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeAlias

from gateway.types import Uids
from gateway.upstream.imap.syntax import Command, Dialect

SET_LIMIT = 7000
"""Octets of a set in one command: servers refuse lines from about 8,000."""

SearchKey: TypeAlias = "tuple[object, ...]"


def simple(name: str) -> Command:
    """A command without arguments: CAPABILITY, NOOP, LOGOUT, STARTTLS, CLOSE, UNSELECT, NAMESPACE, IDLE, CHECK, EXPUNGE."""
    raise NotImplementedError


def login(dialect: Dialect, user: str, password: str) -> Command:
    """LOGIN (RFC 3501 6.2.3)."""
    raise NotImplementedError


def authenticate_plain(user: str, password: str, *, initial: bool) -> Command:
    """AUTHENTICATE PLAIN (RFC 4616); `initial`: SASL-IR (RFC 4959), else the answer follows a continuation."""
    raise NotImplementedError


def authenticate_bearer(user: str, token: str, mechanism: str = "OAUTHBEARER", *, initial: bool) -> Command:
    """AUTHENTICATE OAUTHBEARER (RFC 7628) or XOAUTH2."""
    raise NotImplementedError


def enable(names: Iterable[str]) -> Command:
    """ENABLE (RFC 5161)."""
    raise NotImplementedError


def client_id(dialect: Dialect, fields: Mapping[str, str] | None) -> Command:
    """ID (RFC 2971)."""
    raise NotImplementedError


def list_mailboxes(
    dialect: Dialect,
    pattern: str = "*",
    *,
    reference: str = "",
    select: Iterable[str] = (),
    returns: Iterable[str] = (),
    status: Iterable[str] = (),
) -> Command:
    """LIST; `select` (SUBSCRIBED ...), `returns` (SPECIAL-USE, CHILDREN ...) and `status` (RFC 5819) need LIST-EXTENDED."""
    raise NotImplementedError


def lsub(dialect: Dialect, pattern: str = "*", *, reference: str = "") -> Command:
    """LSUB (RFC 3501 6.3.9)."""
    raise NotImplementedError


def status(dialect: Dialect, mailbox: str, items: Iterable[str]) -> Command:
    """STATUS (RFC 3501 6.3.10)."""
    raise NotImplementedError


def select(
    dialect: Dialect,
    mailbox: str,
    *,
    read_only: bool = False,
    condstore: bool = False,
    qresync: tuple[int, int] | None = None,
    known: Uids | None = None,
) -> Command:
    """SELECT or EXAMINE; `qresync` is (uidvalidity, modseq) and `known` the UIDs known with it (RFC 7162 3.2.5)."""
    raise NotImplementedError


def on_mailbox(dialect: Dialect, name: str, mailbox: str) -> Command:
    """CREATE, DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT, MYRIGHTS, GETACL: a command with one mailbox."""
    raise NotImplementedError


def rename(dialect: Dialect, mailbox: str, target: str) -> Command:
    """RENAME (RFC 3501 6.3.5)."""
    raise NotImplementedError


def append(
    dialect: Dialect,
    mailbox: str,
    message: bytes,
    *,
    flags: Iterable[str] = (),
    date: datetime | None = None,
) -> Command:
    """APPEND (RFC 3501 6.3.11); `date` must have a time zone. A message with NUL needs BINARY (literal8)."""
    raise NotImplementedError


def uid_fetch(
    uids: Iterable[int],
    items: Sequence[str],
    *,
    changed_since: int | None = None,
    vanished: bool = False,
    limit: int = SET_LIMIT,
) -> list[Command]:
    """UID FETCH; `items` from `FLAGS`, `BODY.PEEK[1]<0.100>`, or as `section` and `header_fields` write them."""
    raise NotImplementedError


def section(name: str, *, offset: int | None = None, length: int | None = None, binary: bool = False) -> str:
    """The fetch item `BODY.PEEK[name]<offset.length>` (or BINARY.PEEK)."""
    raise NotImplementedError


def header_fields(names: Iterable[str], *, part: str = "") -> str:
    """The fetch item `BODY.PEEK[HEADER.FIELDS (...)]`, names upper case and in the order given."""
    raise NotImplementedError


def uid_store(
    uids: Iterable[int],
    action: str,
    flags: Iterable[str],
    *,
    silent: bool = False,
    unchanged_since: int | None = None,
    limit: int = SET_LIMIT,
) -> list[Command]:
    """UID STORE; `action` is `+`, `-` or "" (replace)."""
    raise NotImplementedError


def uid_copy(dialect: Dialect, uids: Iterable[int], target: str, *, limit: int = SET_LIMIT) -> list[Command]:
    """UID COPY."""
    raise NotImplementedError


def uid_move(dialect: Dialect, uids: Iterable[int], target: str, *, limit: int = SET_LIMIT) -> list[Command]:
    """UID MOVE (RFC 6851)."""
    raise NotImplementedError


def uid_expunge(uids: Iterable[int], *, limit: int = SET_LIMIT) -> list[Command]:
    """UID EXPUNGE (RFC 4315)."""
    raise NotImplementedError


def uid_search(dialect: Dialect, *keys: SearchKey, returns: Iterable[str] | None = None) -> Command:
    """UID SEARCH of messages for which all `keys` hold; `returns` (ALL, COUNT, MIN, MAX; may be empty) needs ESEARCH."""
    raise NotImplementedError


def key(name: str) -> SearchKey:
    """A search key without argument: ALL, SEEN, UNSEEN, UNDELETED, FLAGGED, DRAFT ..."""
    raise NotImplementedError


def key_date(name: str, day: date) -> SearchKey:
    """SINCE, BEFORE, ON, SENTSINCE, SENTBEFORE, SENTON."""
    raise NotImplementedError


def key_text(name: str, text: str) -> SearchKey:
    """SUBJECT, FROM, TO, CC, BCC, BODY, TEXT, X-GM-RAW, EMAILID, THREADID."""
    raise NotImplementedError


def key_header(name: str, text: str) -> SearchKey:
    """HEADER: the field contains the text ("": the field is there)."""
    raise NotImplementedError


def key_number(name: str, number: int) -> SearchKey:
    """LARGER, SMALLER, MODSEQ, YOUNGER, OLDER."""
    raise NotImplementedError


def key_flag(name: str, flag: str) -> SearchKey:
    """KEYWORD, UNKEYWORD."""
    raise NotImplementedError


def key_uids(uids: Iterable[int]) -> SearchKey:
    """UID."""
    raise NotImplementedError


def key_not(inner: SearchKey) -> SearchKey:
    """NOT."""
    raise NotImplementedError


def key_or(one: SearchKey, other: SearchKey) -> SearchKey:
    """OR."""
    raise NotImplementedError


def key_and(*keys: SearchKey) -> SearchKey:
    """All of several keys, in parentheses."""
    raise NotImplementedError


def notify_set(
    dialect: Dialect, groups: Sequence[tuple[str | Sequence[str], Sequence[str]]], *, status: bool = False
) -> Command:
    """NOTIFY SET (RFC 5465); each group is (SELECTED, INBOXES, PERSONAL ... or a sequence of mailboxes, events)."""
    raise NotImplementedError
