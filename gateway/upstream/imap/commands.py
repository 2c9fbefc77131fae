"""The commands the gateway sends, one function each. All raise `CommandError` for values IMAP cannot carry.

Those that take UIDs give several commands when the set is too long for one line, and none for no UIDs. The
search keys of `search_keys.py` can be had here too.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from gateway.ports import Pieces
from gateway.upstream.imap.dates import format_date_time
from gateway.upstream.imap.search_keys import (
    SearchKey,
    key,
    key_and,
    key_date,
    key_flag,
    key_header,
    key_not,
    key_number,
    key_or,
    key_text,
    key_uids,
    needs_charset,
)
from gateway.upstream.imap.sets import split_set
from gateway.upstream.imap.syntax import (
    Answer,
    Argument,
    Atom,
    Command,
    CommandError,
    Dialect,
    Flag,
    Group,
    MailboxName,
    Octets,
    Text,
    build,
    mailbox,
)
from gateway.upstream.sasl import Initial

__all__ = [
    "SET_LIMIT",
    "SearchKey",
    "append",
    "authenticate",
    "client_id",
    "enable",
    "header_fields",
    "key",
    "key_and",
    "key_date",
    "key_flag",
    "key_header",
    "key_not",
    "key_number",
    "key_or",
    "key_text",
    "key_uids",
    "list_mailboxes",
    "login",
    "notify_personal",
    "on_mailbox",
    "rename",
    "search_in",
    "section",
    "select",
    "simple",
    "status",
    "subscribed_mailboxes",
    "uid_copy",
    "uid_expunge",
    "uid_fetch",
    "uid_move",
    "uid_search",
    "uid_store",
]

SET_LIMIT = 7000
"""Octets of a set in one command: servers refuse lines from about 8,000."""

_PLAIN = Dialect()
"""For commands without strings, which every server reads alike."""
_SECTION = re.compile(r"(?:[1-9][0-9]*\.)*(?:[1-9][0-9]*|HEADER|TEXT|MIME)|")
_FIELD_NAME = re.compile(r"[!#-'*-9;-Z^-z|}~]+")
"""RFC 5322 ftext without what would need quotes or end the section."""
_END_OF_HEADER = re.compile(rb"\n\r?\n")
_FETCH_ITEM = re.compile(
    r"[A-Z0-9][A-Z0-9.-]*"
    r"(?:\[[0-9A-Z.]*(?: \([!#-'*-Z^-z|}~]+(?: [!#-'*-Z^-z|}~]+)*\))?\](?:<[0-9]+\.[1-9][0-9]*>)?)?"
)


def _atoms(words: Iterable[str]) -> Group:
    return Group(tuple(map(Atom, words)))


def _flags(flags: Iterable[str]) -> Group:
    return Group(tuple(map(Flag, flags)))


def _sets(uids: Iterable[int]) -> list[Atom]:
    try:
        return [Atom(text) for text in split_set(uids, SET_LIMIT)]
    except (ValueError, OverflowError) as error:
        raise CommandError("not a UID") from error


@lru_cache(maxsize=64)
def simple(name: str) -> Command:
    """A command without arguments: CAPABILITY, NOOP, LOGOUT, STARTTLS, CLOSE, UNSELECT, IDLE ..."""
    return build(_PLAIN, name)


def login(dialect: Dialect, user: str, password: str) -> Command:
    """LOGIN (RFC 3501 6.2.3)."""
    return build(dialect, "LOGIN", (Text(user), Text(password)))


def authenticate(initial: Initial, *, at_once: bool) -> Command:
    """AUTHENTICATE (RFC 3501 6.2.2); the response goes with it by SASL-IR (RFC 4959) or is asked for."""
    response = b64encode(initial.response)
    words = (Atom(initial.mechanism), Atom(response.decode("ascii")))
    command = build(_PLAIN, "AUTHENTICATE", words if at_once else words[:1])
    answers = () if at_once else (Answer(response),)
    if initial.surrender is not None:
        answers = (*answers, Answer(b64encode(initial.surrender)))
    return Command(command.name, (*command.parts, *answers))


def enable(names: Iterable[str]) -> Command:
    """ENABLE (RFC 5161)."""
    return build(_PLAIN, "ENABLE", map(Atom, names))


def client_id(dialect: Dialect, fields: Mapping[str, str] | None) -> Command:
    """ID (RFC 2971)."""
    if not fields:
        return build(dialect, "ID", (Atom("NIL"),))
    return build(dialect, "ID", (Group(tuple(Text(text) for pair in fields.items() for text in pair)),))


def list_mailboxes(
    dialect: Dialect,
    pattern: str = "*",
    *,
    returns: Iterable[str] = (),
    status: Iterable[str] = (),
) -> Command:
    """LIST (RFC 3501 6.3.8).

    `returns` (SPECIAL-USE, CHILDREN) needs LIST-EXTENDED (RFC 5258), `status` needs LIST-STATUS (RFC 5819).
    """
    arguments: list[Argument] = [mailbox(""), mailbox(pattern)]
    returned: list[Argument] = list(map(Atom, returns))
    if items := _atoms(status).items:
        returned += (Atom("STATUS"), Group(items))
    if returned:
        arguments += (Atom("RETURN"), Group(tuple(returned)))
    return build(dialect, "LIST", arguments)


def subscribed_mailboxes(dialect: Dialect) -> Command:
    """LSUB (RFC 3501 6.3.9) of everything."""
    return build(dialect, "LSUB", (mailbox(""), mailbox("*")))


def status(dialect: Dialect, name: MailboxName, items: Iterable[str]) -> Command:
    """STATUS (RFC 3501 6.3.10)."""
    return build(dialect, "STATUS", (mailbox(name), _atoms(items)))


def select(
    dialect: Dialect,
    name: MailboxName,
    *,
    condstore: bool = False,
    qresync: tuple[int, int] | None = None,
) -> Command:
    """SELECT; `qresync` is (uidvalidity, modseq) as they were known (RFC 7162 3.2.5)."""
    arguments = [mailbox(name)]
    if qresync is not None:
        arguments.append(Group((Atom("QRESYNC"), _atoms(map(str, qresync)))))
    elif condstore:
        arguments.append(_atoms(("CONDSTORE",)))
    return build(dialect, "SELECT", arguments)


def on_mailbox(dialect: Dialect, command: str, name: MailboxName) -> Command:
    """CREATE, DELETE, SUBSCRIBE, UNSUBSCRIBE: a command with one mailbox."""
    return build(dialect, command, (mailbox(name),))


def rename(dialect: Dialect, name: MailboxName, target: MailboxName) -> Command:
    """RENAME (RFC 3501 6.3.5)."""
    return build(dialect, "RENAME", (mailbox(name), mailbox(target)))


def append(
    dialect: Dialect,
    name: MailboxName,
    message: bytes | Pieces,
    *,
    flags: Iterable[str] = (),
    date: datetime | None = None,
) -> Command:
    """APPEND (RFC 3501 6.3.11). `date` must have a time zone. A message with NUL needs BINARY (RFC 3516).

    With UTF8=ACCEPT a message whose header is in UTF-8 is marked as such (RFC 6855 4).
    """
    arguments = [mailbox(name)]
    if (given := _flags(flags)).items:
        arguments.append(given)
    if date is not None:
        try:
            arguments.append(Text(format_date_time(date)))
        except ValueError as error:
            raise CommandError(str(error)) from error
    if dialect.utf8 and _is_internationalized(message):
        arguments += (Atom("UTF8"), Group((Octets(message, literal8=True),)))
    else:
        arguments.append(Octets(message))
    return build(dialect, "APPEND", arguments)


def _is_internationalized(message: bytes | Pieces) -> bool:
    """Whether the header holds UTF-8 (RFC 6532); other octets beyond ASCII are somebody's old charset."""
    if not isinstance(message, bytes):
        message = next(iter(message), b"")
    end = _END_OF_HEADER.search(message)
    header = message[: end.start()] if end else message
    if header.isascii():
        return False
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def section(name: str, *, offset: int = 0, length: int | None = None) -> str:
    """The fetch item `BODY.PEEK[name]<offset.length>`."""
    if not _SECTION.fullmatch(name) or offset < 0 or (length is not None and length < 1):
        raise CommandError("not a body section")
    if length is None and offset:
        raise CommandError("an offset needs a length")
    partial = "" if length is None else f"<{offset}.{length}>"
    return f"BODY.PEEK[{name}]{partial}"


def header_fields(names: Iterable[str]) -> str:
    """The fetch item `BODY.PEEK[HEADER.FIELDS (...)]`, names in upper case and in the order given."""
    fields = list(names)
    if not fields or not all(map(_FIELD_NAME.fullmatch, fields)):
        raise CommandError("not the name of a header field")
    return f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields).upper()})]"


def uid_fetch(
    uids: Iterable[int], items: Sequence[str], *, changed_since: int | None = None
) -> list[Command]:
    """UID FETCH of items such as `FLAGS`, or as `section` and `header_fields` write them.

    `changed_since` needs CONDSTORE (RFC 7162).
    """
    if not items or not all(map(_FETCH_ITEM.fullmatch, items)):
        raise CommandError("not a fetch item")
    tail = f" ({' '.join(items)})"
    if changed_since is not None:
        tail += f" (CHANGEDSINCE {changed_since:d})"
    octets = tail.encode("ascii")
    return [
        Command("UID FETCH", (b"UID FETCH %b%b" % (each.text.encode("ascii"), octets),))
        for each in _sets(uids)
    ]


def uid_store(
    uids: Iterable[int], action: str, flags: Iterable[str], *, silent: bool = False
) -> list[Command]:
    """UID STORE (RFC 3501 6.4.6); `action` is `+`, `-` or "" (replace)."""
    if action not in ("+", "-", ""):
        raise CommandError("not a way to store flags")
    tail = (Atom(f"{action}FLAGS{'.SILENT' if silent else ''}"), _flags(flags))
    return [build(_PLAIN, "UID STORE", (each, *tail)) for each in _sets(uids)]


def uid_copy(dialect: Dialect, uids: Iterable[int], target: MailboxName) -> list[Command]:
    """UID COPY (RFC 3501 6.4.8)."""
    return [build(dialect, "UID COPY", (each, mailbox(target))) for each in _sets(uids)]


def uid_move(dialect: Dialect, uids: Iterable[int], target: MailboxName) -> list[Command]:
    """UID MOVE (RFC 6851)."""
    return [build(dialect, "UID MOVE", (each, mailbox(target))) for each in _sets(uids)]


def uid_expunge(uids: Iterable[int]) -> list[Command]:
    """UID EXPUNGE (RFC 4315)."""
    return [build(_PLAIN, "UID EXPUNGE", (each,)) for each in _sets(uids)]


def uid_search(dialect: Dialect, *keys: SearchKey, returns: Iterable[str] | None = None) -> Command:
    """UID SEARCH of messages for which all keys hold.

    `returns` (ALL, COUNT, MIN, MAX, or nothing) needs ESEARCH (RFC 4731).
    """
    if not keys:
        raise CommandError("a search without a key")
    return build(dialect, "UID SEARCH", _what(dialect, keys, returns))


def search_in(
    dialect: Dialect, mailboxes: Sequence[MailboxName], *keys: SearchKey, returns: Iterable[str]
) -> Command:
    """ESEARCH in several mailboxes at once (MULTISEARCH, RFC 7377), without selecting any of them."""
    if not keys or not mailboxes:
        raise CommandError("a search without a key or a mailbox")
    places = (Atom("mailboxes"), Group(tuple(map(mailbox, mailboxes))))
    arguments = [Atom("IN"), Group(places), *_what(dialect, keys, returns)]
    return build(dialect, "ESEARCH", arguments)


def _what(dialect: Dialect, keys: Sequence[SearchKey], returns: Iterable[str] | None) -> list[Argument]:
    arguments: list[Argument] = []
    if returns is not None:
        arguments += (Atom("RETURN"), _atoms(returns))
    # With UTF8=ACCEPT a charset must not be given (RFC 6855 3).
    if not dialect.utf8 and any(map(needs_charset, keys)):
        arguments += (Atom("CHARSET"), Atom("UTF-8"))
    return arguments + [argument for key in keys for argument in key]


def notify_personal(events: Iterable[str]) -> Command:
    """NOTIFY SET (RFC 5465): have events such as MessageNew told of all mailboxes that are the user's own."""
    return build(_PLAIN, "NOTIFY", (Atom("SET"), Group((Atom("PERSONAL"), _atoms(events)))))
