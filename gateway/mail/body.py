"""The text of a message: how much to fetch for it, and putting it together from what was fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.mail import charset, enriched, html, quoted, transfer
from gateway.mail.flowed import is_flowed, unflow
from gateway.mail.pieces import PIECE, pieces
from gateway.mail.structure import Layout, charset_of
from gateway.types import BodyPart

__all__ = [
    "Fetched",
    "Text",
    "clean_utf8",
    "cut_html",
    "cut_text",
    "estimated_size",
    "preview",
    "read",
    "unquoted",
    "wanted",
]

LARGEST_TEXT = 8 * 1024 * 1024
"""Octets of text that are read of one message at most; the rest counts as cut off."""
LARGEST_CONVERSION = 1024 * 1024
"""Octets of HTML that are read at most to make plain text of it."""
_CONVERSION_FLOOR = 64 * 1024
_CONVERSION_RATIO = 16
_SLACK = 256
_FLOWED_SHRINKS = 16
"""Joined lines lose their ends: one octet in so many at most, for lines of 32 octets and more."""
_ROOMS = (32768, 131072, 524288)
"""Octets that are asked for of sections that have less. Few different ones: each is a command of its own."""

_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D})
_NONCHARACTERS = re.compile(b"\xef\xbf[\xbe\xbf]")
_ENTITY_START = re.compile(rb"&#?[0-9A-Za-z]{0,31}\Z")
_LONGEST_TAG = 4096
_BODY_TAG = re.compile(rb"<body\b", re.IGNORECASE)
_PREVIEW_NEAR, _PREVIEW_FAR = 2048, 65536
"""Octets of text in which a preview is sought, at first and when that holds too little (pictures, styles)."""
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A section as transferred. `cut`: there is more of it upstream."""

    data: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a message in one form, as UTF-8 that XML can carry.

    `size` is the size of the whole text, exact when `complete`, else an estimate.
    """

    data: bytes
    size: int
    complete: bool


def wanted(layout: Layout, *, rich: bool, size: int | None) -> dict[str, int | None]:
    """The sections needed for the first `size` octets (None: all) of the text, with how many octets of each.

    Limits are few different ones, so that many messages fit into one command; a large section that is
    needed whole has None.
    """
    sections: dict[str, int | None] = {}
    left = LARGEST_TEXT if size is None else min(size, LARGEST_TEXT)
    for part in layout.parts(rich=rich):
        need = left
        if part.subtype == "html" and not rich:
            need = min(LARGEST_CONVERSION, _CONVERSION_FLOOR + _CONVERSION_RATIO * left)
        factor = charset.widest(charset_of(part))
        if is_flowed(part.params):
            need += need // _FLOWED_SHRINKS
        limit = transfer.encoded_limit(need * factor + _SLACK, part.encoding)
        sections[part.section] = limit if limit < part.size else _room(part.size)
        if part.subtype != "html" or rich:
            left -= transfer.least_decoded_size(part.size, part.encoding) // factor
        if left <= 0:
            break
    return sections


def read(layout: Layout, fetched: Mapping[str, Fetched], *, rich: bool) -> Text:
    """The text, rich (HTML) or plain, from the sections fetched; a missing section counts as cut off."""
    texts: list[str] = []
    size, complete = 0, True
    for part in layout.parts(rich=rich):
        section = fetched.get(part.section) or Fetched(b"", cut=True)
        if complete:
            text = _html(part, section) if rich else _plain(part, section)
            texts.append(text)
        complete = complete and not section.cut
        if not complete:
            size += transfer.decoded_size(part.size, part.encoding)
    whole = html.join(texts) if rich and texts else "\r\n\r\n".join(filter(None, texts))
    data = clean_utf8(whole.encode("utf-8", "ignore"))
    if rich:
        data = html.relabel(data)
    return Text(data, len(data) if complete else max(size, len(data) + 1), complete)


def unquoted(text: Text, layout: Layout, fetched: Mapping[str, Fetched], *, rich: bool) -> Text:
    """A text that was read without what it quotes at its end; the text itself when it quotes nothing."""
    if rich and layout.has_html:
        new = quoted.new_in_html(text.data.decode("utf-8"))
    else:
        plain = read(layout, fetched, rich=False) if rich else text
        new = quoted.new_in_text(plain.data.decode("utf-8"))
        new = html.from_text(new) if rich and new is not None else new
    if new is None:
        return text
    data = new.encode("utf-8", "ignore")
    return Text(data, len(data), complete=True)


def estimated_size(layout: Layout, *, rich: bool) -> int:
    """About how many octets the text has, from the structure alone."""
    return sum(transfer.decoded_size(part.size, part.encoding) for part in layout.parts(rich=rich))


def preview(text: Text, characters: int, *, rich: bool) -> str:
    """The beginning of the text on one line, at most so many characters."""
    near, far = characters * 8 + _PREVIEW_NEAR, characters * 8 + _PREVIEW_FAR
    if not rich:
        return _one_line(text.data[:near], characters)
    body = _BODY_TAG.search(text.data, 0, LARGEST_CONVERSION)
    start = body.start() if body else 0
    shown = ""
    for reach in (near, far):
        piece = text.data[start : start + reach]
        plain = html.to_text(piece.decode("utf-8", "ignore"), links=False, limit=characters * 2 + _SLACK)
        shown = _one_line(clean_utf8(plain.encode("utf-8")), characters)
        if len(shown) == characters or len(piece) < reach:
            break
    return shown


def clean_utf8(data: bytes) -> bytes:
    """UTF-8 without what XML 1.0 forbids."""
    # A piece at a time, so that a large text without any is not copied to find that out.
    large = len(data) > PIECE
    if not large or any(len(piece.translate(None, _CONTROLS)) < len(piece) for piece in pieces(data)):
        data = data.translate(None, _CONTROLS)
    odd = b"\xef" in data and b"\xef\xbf" in data  # one octet is found twenty times faster than two
    return _NONCHARACTERS.sub(b"", data) if odd else data


def cut_text(data: bytes, size: int) -> bytes:
    """The longest beginning of UTF-8 text that has at most `size` octets and whole characters."""
    if len(data) <= size:
        return data
    while size and data[size] & 0xC0 == 0x80:
        size -= 1
    return data[:size]


def cut_html(data: bytes, size: int) -> bytes:
    """The same of HTML; a tag or character reference that would be torn is left out."""
    return _without_torn_end(cut_text(data, size))


def _one_line(text: bytes, characters: int) -> str:
    return " ".join(text.decode("utf-8", "ignore").split())[:characters]


def _room(size: int) -> int | None:
    """A round limit that a section of this size does not reach."""
    for room in _ROOMS:
        if size < room:
            return room
    return None


def _without_torn_end(data: bytes) -> bytes:
    tag = data.rfind(b"<", max(len(data) - _LONGEST_TAG, 0))
    if tag >= 0 and data.find(b">", tag) < 0:
        data = data[:tag]
    reference = _ENTITY_START.search(data, max(len(data) - 34, 0))
    return data[: reference.start()] if reference else data


def _html(part: BodyPart, section: Fetched) -> str:
    text = _decoded(part, section)
    if part.subtype != "html":
        return html.from_text(text)
    if section.cut:
        return _without_torn_end(text.encode("utf-8", "ignore")).decode("utf-8")
    return text


def _plain(part: BodyPart, section: Fetched) -> str:
    text = _decoded(part, section)
    if part.subtype == "html":
        return html.to_text(text[:LARGEST_CONVERSION])
    return _LINE_END.sub("\r\n", text) if "\r" in text or "\n" in text else text


def _decoded(part: BodyPart, section: Fetched) -> str:
    data = transfer.decode(section.data, part.encoding, cut=section.cut)
    name = charset_of(part)
    if part.subtype == "plain" and is_flowed(part.params):
        return unflow(charset.decode(data, name, cut=section.cut), part.params)
    if part.subtype == "html" and (name is None or name.lower() == "us-ascii" or charset.codec(name) is None):
        # IMAP servers say US-ASCII where the message says nothing.
        name = html.declared_charset(data) or name
    text = charset.decode(data, name, cut=section.cut)
    return enriched.to_text(text, part.subtype) if part.subtype in enriched.SUBTYPES else text
