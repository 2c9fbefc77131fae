"""Search keys as values (RFC 3501 6.4.4), to be given to `commands.uid_search`. All raise `CommandError`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TypeAlias

from gateway.upstream.imap.dates import format_date
from gateway.upstream.imap.sets import format_set
from gateway.upstream.imap.syntax import Argument, Atom, CommandError, Flag, Group, Text

__all__ = [
    "SearchKey",
    "key",
    "key_and",
    "key_any",
    "key_date",
    "key_flag",
    "key_fuzzy",
    "key_header",
    "key_not",
    "key_number",
    "key_or",
    "key_text",
    "key_uids",
    "needs_charset",
]

SearchKey: TypeAlias = tuple[Argument, ...]


def key(name: str) -> SearchKey:
    """A search key without argument: ALL, SEEN, UNSEEN, UNDELETED, FLAGGED, DRAFT ..."""
    return (Atom(name),)


def key_date(name: str, day: date) -> SearchKey:
    """SINCE, BEFORE, ON, SENTSINCE, SENTBEFORE, SENTON."""
    return Atom(name), Atom(format_date(day))


def key_text(name: str, text: str) -> SearchKey:
    """SUBJECT, FROM, TO, CC, BCC, BODY, TEXT, X-GM-RAW."""
    return Atom(name), Text(text)


def key_header(name: str, text: str) -> SearchKey:
    """HEADER: the field contains the text ("": the field is there)."""
    return Atom("HEADER"), Text(name), Text(text)


def key_number(name: str, number: int) -> SearchKey:
    """LARGER, SMALLER, MODSEQ, YOUNGER, OLDER."""
    return Atom(name), Atom(str(number))


def key_flag(name: str, flag: str) -> SearchKey:
    """KEYWORD, UNKEYWORD."""
    return Atom(name), Flag(flag)


def key_fuzzy(inner: SearchKey) -> SearchKey:
    """FUZZY (RFC 6203): the server may also find what is only like it. Needs SEARCH=FUZZY."""
    return Atom("FUZZY"), *inner


def key_uids(uids: Iterable[int]) -> SearchKey:
    """UID, with at least one."""
    try:
        return Atom("UID"), Atom(format_set(uids))
    except (ValueError, OverflowError) as error:
        raise CommandError("not a set of UIDs") from error


def key_not(inner: SearchKey) -> SearchKey:
    """NOT."""
    return Atom("NOT"), *inner


def key_or(one: SearchKey, other: SearchKey) -> SearchKey:
    """OR."""
    return Atom("OR"), *one, *other


def key_any(alternatives: Sequence[SearchKey]) -> SearchKey:
    """One of several keys, nested no deeper than their number demands."""
    if not alternatives:
        return key_not(key("ALL"))
    if len(alternatives) == 1:
        return alternatives[0]
    middle = len(alternatives) // 2
    return key_or(key_any(alternatives[:middle]), key_any(alternatives[middle:]))


def key_and(*keys: SearchKey) -> SearchKey:
    """All of several keys, in parentheses."""
    return (Group(tuple(argument for each in keys for argument in each)),)


def needs_charset(arguments: SearchKey) -> bool:
    """Whether a key holds text beyond ASCII."""
    return any(
        (isinstance(argument, Text) and not argument.value.isascii())
        or (isinstance(argument, Group) and needs_charset(argument.items))
        for argument in arguments
    )
