"""Header fields of received mail from raw bytes: fields, text (RFC 2047), parameters (RFC 2231).

Nothing here raises on bad input, and all of it is linear in the size of the input.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from gateway.mail import charset, transfer

__all__ = ["ENCODED_WORD", "Headers", "clean", "decode_text", "decode_words", "parameter", "raw_text"]

ENCODED_WORD = r"=\?([^?\s]{1,80})\?([bBqQ])\?([^?]*)\?="

_ENCODED_WORD = re.compile(ENCODED_WORD)
_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:(.*+(?:\n[ \t].*+)*+)", re.MULTILINE)
_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_SPACES = re.compile(r"[ \t\r\n]+")
_CONTINUATION = re.compile(r"\*(\d{1,4})(\*?)", re.ASCII)
_MOST_CONTINUATIONS = 500
_SHORT, _REMEMBERED = 128, 2048
"""Characters of a text with encoded words that is remembered, and how many of them are."""


class Headers:
    """The fields of a header block, names without regard to case, values raw and unfolded."""

    __slots__ = ("_fields",)

    def __init__(self, raw: bytes) -> None:
        """Read a block; lines that are no field are passed over, an empty line ends it."""
        if b"\r" in raw:
            raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = 0 if raw[:1] == b"\n" else raw.find(b"\n\n")
        self._fields: dict[str, list[bytes]] = {}
        for name, value in _FIELD.findall(raw if end < 0 else raw[:end]):
            self._fields.setdefault(name.decode("ascii").lower(), []).append(
                value.replace(b"\n", b"").strip()
            )

    def get(self, name: str) -> bytes | None:
        """The raw value of the first field with this (lower case) name."""
        values = self._fields.get(name)
        return values[0] if values else None

    def get_all(self, name: str) -> list[bytes]:
        """The raw values of all fields with this (lower case) name."""
        return self._fields.get(name, [])

    def text(self, name: str) -> str:
        """The first field with this (lower case) name as readable text; "" when there is none."""
        values = self._fields.get(name)
        return decode_text(values[0]) if values else ""

    def has_any(self, names: Iterable[str]) -> bool:
        """Whether there is a field with one of these (lower case) names."""
        return not self._fields.keys().isdisjoint(names)

    def __contains__(self, name: object) -> bool:
        return name in self._fields


def clean(text: str) -> str:
    """One line of text that XML can carry: no control characters, white space collapsed."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    return _SPACES.sub(" ", _UNWANTED.sub("", text)).strip(" ")


def raw_text(raw: bytes) -> str:
    """A raw value as text, encoded words untouched; 8-bit octets are UTF-8 or else windows-1252."""
    return raw.decode("ascii") if raw.isascii() else charset.decode(raw)


def decode_text(raw: bytes) -> str:
    """Unstructured text (Subject and the like) for people: encoded words decoded, on one line."""
    return decode_words(raw_text(raw))


def decode_words(text: str) -> str:
    """The same, from text that still has its encoded words (RFC 2047).

    Adjacent words of one charset are joined before they are decoded: senders split characters across them.
    """
    if "=?" not in text:
        return clean(text)
    return _remembered_words(text) if len(text) <= _SHORT else _encoded_words(text)


def _encoded_words(text: str) -> str:
    pieces: list[str] = []
    pending = b""
    pending_charset = ""
    end = 0
    for word in _ENCODED_WORD.finditer(text):
        between = text[end : word.start()]
        name = word[1].partition("*")[0].lower()
        if pending_charset and (between.strip() or name != pending_charset):
            pieces.append(charset.decode(pending, pending_charset))
            pending, pending_charset = b"", ""
            if between.strip():
                pieces.append(between)
        elif not pending_charset:
            pieces.append(between)
        pending += _word_octets(word[2], word[3])
        pending_charset = name
        end = word.end()
    if pending_charset:
        pieces.append(charset.decode(pending, pending_charset))
    pieces.append(text[end:])
    return clean("".join(pieces))


_remembered_words = lru_cache(_REMEMBERED)(_encoded_words)
"""The names of those who write and are written to come again and again."""


def parameter(params: Mapping[str, str], name: str) -> str | None:
    """The value of a MIME parameter for people; None when it is absent.

    Understands RFC 2231 (charset, continuations) and what is sent in its place: encoded words, 8-bit text.
    `params` has lower case names and raw values, as `BodyPart` holds them.
    """
    if not params:
        return None
    extended = params.get(f"{name}*")
    if extended is not None:
        return clean(_extended(extended))
    pieces = _continuations(params, name)
    if pieces:
        joined = "".join(value for value, _ in pieces)
        if not any(encoded for _, encoded in pieces):
            return decode_text(_octets(joined))
        first = pieces[0]
        language_tag = first[1] and first[0].count("'") >= 2
        octets = b"".join(
            unquote_to_bytes(_octets(value)) if encoded else _octets(value)
            for value, encoded in (
                [(first[0].split("'", 2)[2], True), *pieces[1:]] if language_tag else pieces
            )
        )
        return clean(charset.decode(octets, first[0].partition("'")[0] if language_tag else None))
    plain = params.get(name)
    return None if plain is None else decode_text(_octets(plain))


def _continuations(params: Mapping[str, str], name: str) -> list[tuple[str, bool]]:
    """Values of `name*0`, `name*1*` ... in order, each with whether it is percent-encoded."""
    numbered: dict[int, tuple[str, bool]] = {}
    for key, value in params.items():
        match = _CONTINUATION.fullmatch(key, len(name)) if key.startswith(name) else None
        if match:
            numbered[int(match[1])] = (value, bool(match[2]))
    pieces: list[tuple[str, bool]] = []
    while len(pieces) in numbered and len(pieces) < _MOST_CONTINUATIONS:
        pieces.append(numbered[len(pieces)])
    return pieces


def _extended(value: str) -> str:
    name, quote, rest = value.partition("'")
    if quote and "'" in rest:
        return charset.decode(unquote_to_bytes(_octets(rest.partition("'")[2])), name)
    return charset.decode(unquote_to_bytes(_octets(value)))


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape") if not value.isascii() else value.encode("ascii")


def _word_octets(encoding: str, text: str) -> bytes:
    octets = text.encode("utf-8", "ignore")
    if encoding in "bB":
        return transfer.decode(octets, "base64")
    return binascii.a2b_qp(octets, header=True)
