"""What a tag is, and how a code page declares its tags.

A tag is one object for the life of the process: compare with `is` or `==`, use it as a key. Copying and
pickling give the same object back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, cast

from wbxml.tokens import CONTENT, FIRST_TAG, LAST_TAG, STR_I

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PAGES", "Page", "Tag", "lookup", "resolve", "tag"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tag:
    """One element type: a token on a code page (MS-ASWBXML 2.1.2.1).

    `token` is the six-bit identity, `namespace` the XML name of the page, `min_version` the first protocol
    version that has the tag ("2.5", "16.1"; "2.0" or None: a legacy tag, read but never sent). The value of
    an `opaque` tag travels as OPAQUE. `code` is page and token in one number; `empty` and `start` are the tag
    byte without and with the content bit, `start_text` is `start` and the token of an inline string.
    """

    page: int
    token: int
    name: str
    namespace: str
    min_version: str | None = None
    opaque: bool = False
    code: int = field(init=False)
    empty: bytes = field(init=False)
    start: bytes = field(init=False)
    start_text: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "code", self.page << 8 | self.token)
        object.__setattr__(self, "empty", bytes((self.token,)))
        object.__setattr__(self, "start", bytes((self.token | CONTENT,)))
        object.__setattr__(self, "start_text", bytes((self.token | CONTENT, STR_I)))

    def __repr__(self) -> str:
        return f"{self.namespace}:{self.name}"

    def __reduce__(self) -> tuple[object, ...]:
        return resolve, (self.page, self.token)


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A tag before its page and name are known."""

    token: int
    min_version: str | None
    opaque: bool
    alias: int | None


def tag(token: int, since: str | None = "2.5", *, opaque: bool = False, alias: int | None = None) -> Tag:
    """Declare a tag in the body of a `Page` class, which turns the declaration into a `Tag`.

    `alias` is a second token that decodes to the same tag; it is never written.
    """
    return cast("Tag", _Declaration(token, since, opaque, alias))


class Page:
    """A code page: a class whose attributes are its tags.

    Written `class Ping(Page, number=13, namespace="Ping")`, each tag in it as `Status = tag(0x07)`.
    Raises TypeError at import when a token is used twice or is not a tag identity.
    """

    number: ClassVar[int]
    namespace: ClassVar[str]
    tokens: ClassVar[Mapping[int, Tag]]
    """Token to tag, aliases included."""

    def __init_subclass__(cls, *, number: int, namespace: str) -> None:
        if number in _pages:
            raise TypeError(f"code page {number} is declared twice")
        tokens: dict[int, Tag] = {}
        for name, declared in list(vars(cls).items()):
            if not isinstance(declared, _Declaration):
                continue
            made = Tag(number, declared.token, name, namespace, declared.min_version, declared.opaque)
            setattr(cls, name, made)
            for token in (declared.token, declared.alias):
                if token is None:
                    continue
                if token in tokens or not FIRST_TAG <= token <= LAST_TAG:
                    raise TypeError(f"{made!r}: token {token:#04x} is taken or out of range")
                tokens[token] = made
        cls.number = number
        cls.namespace = namespace
        cls.tokens = MappingProxyType(tokens)
        _pages[number] = cls


_pages: dict[int, type[Page]] = {}

PAGES: Mapping[int, type[Page]] = MappingProxyType(_pages)
"""Page number to page; filled by importing `wbxml.pages`."""


def lookup(page: int, token: int) -> Tag | None:
    """Return the tag with this token, or None when the code pages do not define it."""
    known = _pages.get(page)
    return None if known is None else known.tokens.get(token)


def resolve(page: int, token: int) -> Tag:
    """Return the tag with this token; an undefined one gets a placeholder, the same one each time.

    A placeholder is called `Unknown3F` after its token; on an undefined page its namespace is `Page30`.
    Raises ValueError when the numbers are no page (0 to 255) and tag identity.
    """
    return lookup(page, token) or _placeholder(page, token)


@cache
def _placeholder(page: int, token: int) -> Tag:
    if not (0 <= page <= 0xFF and FIRST_TAG <= token <= LAST_TAG):
        raise ValueError(f"no tag can have page {page} and token {token:#04x}")
    known = _pages.get(page)
    return Tag(page, token, f"Unknown{token:02X}", f"Page{page}" if known is None else known.namespace)
