"""A raw message as text that XML can carry, for phones that ask for the MIME itself."""

from __future__ import annotations

import codecs
import email
from email.encoders import encode_base64
from email.message import Message
from email.policy import compat32

from gateway.mail.body import clean_utf8

__all__ = ["as_utf8"]

_LARGEST_REWRITTEN = 4 * 1024 * 1024


def as_utf8(raw: bytes, *, cut: bool = False) -> bytes:
    """The message (or its beginning) as UTF-8 without control characters.

    A message in ASCII or UTF-8 stays as it is. In another, parts with 8-bit text of other charsets get base64
    as their transfer encoding; where that cannot be done (a cut or very large message) their octets are read
    as windows-1252.
    """
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if cut and error.end == len(raw) and "unexpected end" in error.reason:
            return clean_utf8(raw[: error.start])
        if not cut and len(raw) <= _LARGEST_REWRITTEN:
            raw = _seven_bit(raw)
        raw = raw.decode("utf-8", _AS_WINDOWS_1252).encode("utf-8")
    return clean_utf8(raw)


def _seven_bit(raw: bytes) -> bytes:
    """The message with base64 for its parts that are not UTF-8; as it was when that fails."""
    try:
        message = email.message_from_bytes(raw, policy=compat32)
        for part in message.walk():
            _encode(part)
        return message.as_bytes(policy=compat32.clone(linesep="\r\n"))
    except (RecursionError, ValueError, LookupError, AttributeError, TypeError, KeyError):
        return raw  # the parser of the standard library gives up on some broken mail


def _encode(part: Message) -> None:
    if part.is_multipart():
        return
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or part.get("Content-Transfer-Encoding", "7bit").lower() not in {
        "7bit",
        "8bit",
        "binary",
    }:
        return
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        del part["Content-Transfer-Encoding"]
        part.set_payload(payload)
        encode_base64(part)


def _read_as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


_AS_WINDOWS_1252 = "gateway.windows-1252"
codecs.register_error(_AS_WINDOWS_1252, _read_as_windows_1252)
