"""Bytes of mail to text: charset names found in the wild, and guesses where they are wrong."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

__all__ = ["codec", "decode", "widest"]

_ALIASES = {
    # Supersets, as browsers read them (WHATWG Encoding 4.2): mail labelled so holds their extra characters.
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "ansi-x3.4-1968": "cp1252",
    "646": "cp1252",
    "iso-8859-1": "cp1252",
    "iso8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "iso-8859-9": "cp1254",
    "iso8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gb-2312": "gb18030",
    "gb2312-80": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "euc-cn": "gb18030",
    "x-euc-cn": "gb18030",
    "cp936": "gb18030",
    "ks-c-5601": "cp949",
    "ks-c-5601-1987": "cp949",
    "ksc5601": "cp949",
    "euc-kr": "cp949",
    "x-euc-kr": "cp949",
    "shift-jis": "cp932",
    "x-sjis": "cp932",
    "sjis": "cp932",
    "ms-kanji": "cp932",
    "windows-31j": "cp932",
    "cp943": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext",
    "cp50221": "iso2022_jp_ext",
    "x-euc-jp": "euc_jp",
    "cp51932": "euc_jp",
    "big5": "big5hkscs",
    "x-x-big5": "big5hkscs",
    "cn-big5": "big5hkscs",
    "cp950": "big5hkscs",
    "hz-gb-2312": "hz",
    # Other spellings.
    "ansi": "cp1252",
    "win1251": "cp1251",
    "macintosh": "mac_roman",
    "x-mac-roman": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "x-mac-centraleurroman": "mac_latin2",
    "iso-8859-8-i": "iso8859_8",
    "iso-8859-8-e": "iso8859_8",
    "koi8": "koi8_r",
    "koi": "koi8_r",
    "unicode-1-1-utf-7": "utf_7",
    "unicode-1-1-utf-8": "utf_8",
    "utf8mb4": "utf_8",
    "x-utf-8": "utf_8",
    "cp65001": "utf_8",
    "cp65000": "utf_7",
    "cp20127": "cp1252",
    "cp28591": "cp1252",
    "cp28592": "iso8859_2",
    "cp28605": "iso8859_15",
    "cp20866": "koi8_r",
    "cp21866": "koi8_u",
    "ucs-2": "utf_16",
    "unicode": "utf_16",
}
_NUMBERED = re.compile(r"(?:x-)?(?:windows|win|cp|ibm|ms|dos|codepage)-?(\d{3,5})", re.ASCII)
_NOT_FOR_MAIL = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem"}
)
_LONGEST_NAME = 64
_GUESSED_PREFIX = 4096
_LIKE_ASCII = ("utf_8", "cp125", "iso8859", "koi8")
"""How the names of the usual codecs begin that read ASCII as what it is."""


def codec(name: str) -> str | None:
    """The Python codec for a charset name of a message; None when the name says nothing useful."""
    return _codec(name) if len(name) <= _LONGEST_NAME else None  # what is remembered is short


@lru_cache(maxsize=256)
def _codec(name: str) -> str | None:
    spelled = name.strip("\"' \t\r\n").lower().replace("_", "-")
    if not spelled or not spelled.isascii():
        return None
    numbered = _NUMBERED.fullmatch(spelled)
    if numbered:
        spelled = f"cp{numbered[1]}"
    wanted = _ALIASES.get(spelled, spelled)
    try:
        b"a".decode(wanted)  # looks the codec up, and refuses those that are no text encodings
    except UnicodeError:
        pass
    except (LookupError, ValueError):
        return None
    found = codecs.lookup(wanted).name.replace("-", "_")
    return None if found in _NOT_FOR_MAIL else found


def decode(data: bytes, charset: str | None = None, *, cut: bool = False) -> str:
    """Text of `data`: by the declared charset if it fits, else as UTF-8 if it fits, else as windows-1252.

    `cut` says that the data ends in mid-air: half a character at the end is dropped. A byte order mark is not
    part of the text. Never raises.
    """
    declared = codec(charset) if charset else None
    if data.isascii() and (declared is None or declared.startswith(_LIKE_ASCII)):
        return data.decode("ascii")
    for name in dict.fromkeys((declared, "utf_8")):
        # 8-bit text called US-ASCII or ISO-8859-1 is UTF-8 far more often than it looks like it by chance.
        if name is None or (name == "cp1252" and not data.isascii() and _is_utf8(data, cut)):
            continue
        text = _strict(data, name, cut)
        if text is not None:
            return text.removeprefix("\ufeff")
    fallback = declared
    if declared is None or (declared == "utf_8" and not _mostly_utf8(data)):
        fallback = "cp1252"
    return data.decode(fallback or "cp1252", "replace").removeprefix("\ufeff")


def widest(charset: str | None) -> int:
    """How many octets of this charset one octet of UTF-8 may take at most (for ASCII characters)."""
    return _widest(charset) if charset and len(charset) <= _LONGEST_NAME else 1


@lru_cache(maxsize=256)
def _widest(charset: str) -> int:
    name = codec(charset)
    if name is None:
        return 1
    if "32" in name:
        return 4
    return 2 if name.startswith(("utf_16", "iso2022", "hz", "utf_7")) else 1


def _strict(data: bytes, name: str, cut: bool) -> str | None:
    try:
        if cut:
            return codecs.getincrementaldecoder(name)().decode(data)
        return data.decode(name)
    except (ValueError, LookupError):
        return None


def _is_utf8(data: bytes, cut: bool) -> bool:
    return _strict(data, "utf_8", cut) is not None


def _mostly_utf8(data: bytes) -> bool:
    """Whether text that claims to be UTF-8 is so but for some damage."""
    sample = data[:_GUESSED_PREFIX].decode("utf-8", "replace")
    foreign = sum(character > "\x7f" for character in sample)
    return sample.count("\ufffd") * 2 <= foreign
