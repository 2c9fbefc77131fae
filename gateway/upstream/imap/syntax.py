"""What a client says: arguments as values, and how each is written for the server at hand (RFC 3501 4, RFC 9051 4).

CommandError (a ValueError)   the value cannot be said in IMAP (a NUL, a flag with a blank, an empty set)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias


class CommandError(ValueError):
    """The value cannot be said in IMAP; the message names no secret."""


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
        return cls(
            literal_plus="LITERAL+" in capabilities,
            literal_minus="LITERAL-" in capabilities or "IMAP4REV2" in enabled,
            binary="BINARY" in capabilities,
            utf8="UTF8=ACCEPT" in enabled or "IMAP4REV2" in enabled,
        )


@dataclass(frozen=True, slots=True)
class Literal:
    """A literal as it will be sent; `sync`: the server must ask for it first."""

    data: bytes = field(repr=False)
    sync: bool = True
    binary: bool = False


Part: TypeAlias = bytes | Literal


@dataclass(frozen=True, slots=True)
class Command:
    """A command without its tag. `name` is for logs ("UID FETCH"); the arguments, maybe secret, are not in `repr`."""

    name: str
    parts: tuple[Part, ...] = field(repr=False)

    def steps(self, tag: str) -> list[list[bytes]]:
        """What to send: the buffers of one step at once, then wait for a `Continuation` before the next step."""
        raise NotImplementedError
