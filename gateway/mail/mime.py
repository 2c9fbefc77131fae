"""A raw message as text that XML can carry, for phones that ask for the MIME itself."""

from __future__ import annotations

import codecs
import email
from email.encoders import encode_base64
from email.message import Message
from email.policy import compat32
from io import BytesIO

from gateway.mail.body import clean_utf8
from gateway.mail.pieces import pieces

__all__ = ["as_utf8"]

_LARGEST_REWRITTEN = 4 * 1024 * 1024
_UTF_8 = codecs.getincrementaldecoder("utf-8")


def as_utf8(raw: bytes, *, cut: bool = False) -> bytes:
    """The message (or its beginning) as UTF-8 without control characters.

    A message in ASCII or UTF-8 stays as it is. In another, parts with 8-bit text of other charsets get base64
    as their transfer encoding; where that cannot be done (a cut or very large message) their octets are read
    as windows-1252.
    """
    end = _end_of_utf8(raw)
    if end == len(raw) or (cut and end is not None):
        return clean_utf8(raw[:end])
    if not cut and len(raw) <= _LARGEST_REWRITTEN:
        raw = _seven_bit(raw)
    return clean_utf8(_repaired(raw))


def _end_of_utf8(raw: bytes) -> int | None:
    """Where the last whole character of UTF-8 ends; None when there is anything else before that."""
    if raw.isascii():
        return len(raw)
    decoder = _UTF_8()
    try:
        for piece in pieces(raw):
            decoder.decode(piece)
    except UnicodeDecodeError:
        return None
    return len(raw) - len(decoder.getstate()[0])


def _repaired(raw: bytes) -> bytes:
    """The octets as UTF-8, those that are not as windows-1252; never all of them as text."""
    decoder, made = _UTF_8(_AS_WINDOWS_1252), BytesIO()
    for piece in pieces(raw):
        made.write(decoder.decode(piece).encode())
    made.write(decoder.decode(b"", final=True).encode())
    return made.getvalue()


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
