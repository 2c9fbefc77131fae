"""What a client says: arguments as values, and how each is written for the server at hand (RFC 3501 4).

No argument can end its own place in the command: atoms and flags are checked when made, every string is
quoted or sent as a literal, so that nothing a user typed is ever read as syntax.

CommandError (a ValueError)   the value cannot be said in IMAP (a NUL, a flag with a blank, an empty set)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.ports import Pieces
from gateway.upstream.imap import utf7

__all__ = [
    "Answer",
    "Argument",
    "Atom",
    "Command",
    "CommandError",
    "Dialect",
    "Flag",
    "Group",
    "Literal",
    "MailboxName",
    "Name",
    "Octets",
    "Part",
    "Step",
    "Text",
    "WireName",
    "build",
    "mailbox",
]

_ATOM = re.compile(r"[!#-'*-z|}~]+")
"""Visible ASCII without quotes, parentheses and `{`: wider than the grammar's atom, and as safe."""
_FLAG = re.compile(r"\\?[!#$&'+-\[^-z|}~]+")
_QUOTABLE_LENGTH = 1000
"""Longer strings go as literals: servers limit the length of a line."""
_LITERAL_MINUS_LENGTH = 4096


class CommandError(ValueError):
    """The value cannot be said in IMAP; the message names no secret."""


def _check_text(text: str) -> None:
    if "\0" in text:
        raise CommandError("a string cannot hold NUL")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise CommandError("a string cannot hold surrogates")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the server wants to be spoken to."""

    literal_plus: bool = False
    """Non-synchronising literals of any size (RFC 7888)."""
    literal_minus: bool = False
    """Non-synchronising literals up to 4,096 octets (RFC 7888, IMAP4rev2)."""
    binary: bool = False
    """literal8 in APPEND (RFC 3516)."""
    utf8: bool = False
    """UTF8=ACCEPT is enabled (RFC 6855): names and strings are sent as UTF-8."""

    @classmethod
    def of(cls, capabilities: Collection[str], enabled: Collection[str] = ()) -> Dialect:
        """The dialect for what CAPABILITY and ENABLED said (names in upper case)."""
        rev2 = "IMAP4REV2" in enabled
        return cls(
            literal_plus="LITERAL+" in capabilities,
            literal_minus="LITERAL-" in capabilities or rev2,
            binary="BINARY" in capabilities or rev2,
            utf8="UTF8=ACCEPT" in enabled or rev2,
        )


@dataclass(frozen=True, slots=True)
class Atom:
    """A word of the protocol: a name, number, set. Raises `CommandError` if it is more than one."""

    text: str

    def __post_init__(self) -> None:
        if not _ATOM.fullmatch(self.text):
            raise CommandError("not a word of the protocol")


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag: a keyword, or a system flag with its backslash. Raises `CommandError` for anything else."""

    name: str

    def __post_init__(self) -> None:
        if not _FLAG.fullmatch(self.name):
            raise CommandError("not a flag")


@dataclass(frozen=True, slots=True)
class Text:
    """A string (astring), quoted or as a literal. Raises `CommandError` for NUL and lone surrogates."""

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        _check_text(self.value)


@dataclass(frozen=True, slots=True)
class Name:
    """A mailbox name in Unicode, sent as modified UTF-7 or UTF-8; INBOX in any case is INBOX."""

    value: str

    def __post_init__(self) -> None:
        _check_text(self.value)


@dataclass(frozen=True, slots=True)
class WireName:
    """A mailbox name as the server spelled it (`List.raw_name`), sent back unchanged."""

    raw: str

    def __post_init__(self) -> None:
        if "\0" in self.raw:
            raise CommandError("a mailbox name cannot hold NUL")


@dataclass(frozen=True, slots=True)
class Octets:
    """Data sent as a literal; as literal8 when it holds NUL, or where the place demands it."""

    data: bytes | Pieces = field(repr=False)
    literal8: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Arguments in parentheses."""

    items: tuple[Argument, ...] = ()


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal as it will be sent; `sync`: the server must ask for it first."""

    data: bytes | Pieces = field(repr=False)
    sync: bool = True
    binary: bool = False

    @property
    def header(self) -> bytes:
        """What announces it: `{5}`, `{5+}`, `~{5}`, with the line end."""
        return b"%b{%d%b}\r\n" % (
            b"~" if self.binary else b"",
            len(self.data),
            b"" if self.sync else b"+",
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A line sent after the command line, when the server asks for it (RFC 3501 6.2.2)."""

    data: bytes = field(repr=False)


Argument: TypeAlias = "Atom | Flag | Text | Name | WireName | Octets | Group"
MailboxName: TypeAlias = str | WireName
Part: TypeAlias = bytes | Literal | Answer
Step: TypeAlias = list[bytes | Pieces]
"""Buffers that are sent at once."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command without its tag. `name` is for logs ("UID FETCH"); arguments are not in `repr`."""

    name: str
    parts: tuple[Part, ...] = field(repr=False)

    def steps(self, tag: str) -> list[Step]:
        """What to send: the buffers of a step at once, then wait for a `Continuation` before the next.

        Steps that are left when the tagged response comes are not sent. Large literals are not copied.
        """
        if not (tag.isascii() and tag.isalnum()):
            raise CommandError("a tag has letters and digits")
        steps: list[Step] = [[f"{tag} ".encode("ascii")]]
        for part in self.parts:
            if isinstance(part, Literal):
                steps[-1].append(part.header)
                if part.sync:
                    steps.append([])
                steps[-1].append(part.data)
            elif isinstance(part, Answer):
                steps[-1].append(b"\r\n")
                steps.append([part.data])
            else:
                steps[-1].append(part)
        steps[-1].append(b"\r\n")
        return steps


def mailbox(name: MailboxName) -> Argument:
    """The argument for a mailbox name. Raises `CommandError`."""
    return name if isinstance(name, WireName) else Name(name)


def build(dialect: Dialect, name: str, arguments: Iterable[Argument] = ()) -> Command:
    """The command `name` with its arguments. Raises `CommandError`."""
    for word in name.split(" "):
        Atom(word)
    writer = _Writer(dialect)
    writer.text += name.encode("ascii")
    for argument in arguments:
        writer.text += b" "
        writer.write(argument)
    return Command(name, writer.parts())


class _Writer:
    """Collects a command: text that grows, and the literals between."""

    def __init__(self, dialect: Dialect) -> None:
        self.text = bytearray()
        self._dialect = dialect
        self._done: list[Part] = []

    def write(self, argument: Argument) -> None:
        match argument:
            case Atom(text) | Flag(text):
                self.text += text.encode("ascii")
            case Text(value):
                self._string(value.encode("utf-8"))
            case Name(value):
                name = "INBOX" if value.upper() == "INBOX" else value
                self._string((name if self._dialect.utf8 else utf7.encode(name)).encode("utf-8"))
            case WireName(raw):
                self._string(raw.encode("utf-8", "surrogateescape"))
            case Octets(data, literal8):
                self._literal(data, literal8=literal8)
            case Group(items):
                self.text += b"("
                for index, item in enumerate(items):
                    self.text += b" " if index else b""
                    self.write(item)
                self.text += b")"

    def _string(self, octets: bytes) -> None:
        plain = octets.isascii() or self._dialect.utf8
        if not plain or len(octets) > _QUOTABLE_LENGTH or b"\r" in octets or b"\n" in octets:
            self._literal(octets)
        else:
            self.text += b'"%b"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')

    def _literal(self, data: bytes | Pieces, *, literal8: bool = False) -> None:
        binary = b"\0" in data if isinstance(data, bytes) else any(b"\0" in piece for piece in data)
        if binary and not self._dialect.binary:
            raise CommandError("the server does not take NUL")
        small = len(data) <= _LITERAL_MINUS_LENGTH
        sync = not (self._dialect.literal_plus or (self._dialect.literal_minus and small))
        self._done += (bytes(self.text), Literal(data, sync, binary or literal8))
        self.text.clear()

    def parts(self) -> tuple[Part, ...]:
        return (*self._done, bytes(self.text)) if self.text else tuple(self._done)
