"""Mailbox names on the wire: modified UTF-7 (RFC 3501 5.1.3)."""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64

__all__ = ["decode", "encode"]

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_UNSAFE = re.compile(r"[^\x20-\x25\x27-\x7e]+")
"""Runs that cannot stand for themselves: everything but printable ASCII, and the ampersand."""


def encode(name: str) -> str:
    """Unicode to modified UTF-7, printable ASCII only. Raises UnicodeEncodeError for lone surrogates."""
    return name if name.isascii() and name.isprintable() and "&" not in name else _UNSAFE.sub(_shift, name)


def _shift(match: re.Match[str]) -> str:
    return "&-".join(_base64(run) for run in match[0].split("&"))


def _base64(run: str) -> str:
    if not run:
        return ""
    coded = b2a_base64(run.encode("utf-16-be"), newline=False).decode("ascii")
    return f"&{coded.rstrip('=').replace('/', ',')}-"


def decode(name: str) -> str:
    """Modified UTF-7 to Unicode. Never raises: a shifted run that is malformed stays as it stands."""
    return _SHIFTED.sub(_unshift, name) if "&" in name else name


def _unshift(match: re.Match[str]) -> str:
    coded = match[1]
    if not coded:
        return "&"
    padded = coded.replace(",", "/") + "=" * (-len(coded) % 4)
    try:
        return a2b_base64(padded, strict_mode=True).decode("utf-16-be")
    except (BinasciiError, UnicodeDecodeError):
        return match[0]
