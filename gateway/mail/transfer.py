"""Undoing transfer encodings (RFC 2045 6), leniently, in pieces and on data that ends in mid-air."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable

__all__ = ["TransferDecoder", "decode", "decoded_size", "encoded_limit", "least_decoded_size"]

_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_")
)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_PADDING = re.compile(rb"=+")
_UUENCODE = frozenset({"x-uuencode", "uuencode", "x-uue"})
_FRAME = 64
"""Octets around the data proper: the first and last line of uuencode, padding."""
_LONGEST_LINE = 65536
"""Octets of one line that are kept back while waiting for its end."""


class TransferDecoder:
    """Decodes one part piece by piece; holds at most one line back.

    `feed` returns what can be decoded so far, `finish` the rest. Bad input never raises: octets that do not
    belong to the encoding are dropped (base64, uuencode) or kept as they are (quoted-printable). Unknown
    encodings are left alone.
    """

    __slots__ = ("_decode", "_held", "_started")

    def __init__(self, encoding: str) -> None:
        self._held = b""
        self._started = False
        self._decode: Callable[[bytes, bool], bytes]
        if encoding == "base64":
            self._decode = self._base64
        elif encoding == "quoted-printable":
            self._decode = self._quoted_printable
        elif encoding in _UUENCODE:
            self._decode = self._uuencode
        else:
            self._decode = self._identity

    def feed(self, data: bytes) -> bytes:
        """Take the next octets as transferred."""
        return self._decode(data, False)

    def finish(self) -> bytes:
        """There is no more."""
        return self._decode(b"", True)

    def _identity(self, data: bytes, _last: bool) -> bytes:
        return data

    def _base64(self, data: bytes, last: bool) -> bytes:
        clean = self._held + data.translate(_URL_SAFE, _NOT_BASE64)
        *ended, open_text = _texts(clean)
        whole = len(open_text) if last else len(open_text) - len(open_text) % 4
        self._held = open_text[whole:]
        return b"".join([*map(_base64_group, ended), _base64_group(open_text[:whole])])

    def _quoted_printable(self, data: bytes, last: bool) -> bytes:
        data = self._held + data
        whole = len(data) if last else data.rfind(b"\n") + 1
        if not whole and len(data) > _LONGEST_LINE:
            whole = _whole_escapes(data)
        self._held = data[whole:]
        return binascii.a2b_qp(data[:whole])

    def _uuencode(self, data: bytes, last: bool) -> bytes:
        lines = (self._held + data).split(b"\n")
        self._held = b"" if last else lines.pop()[-_LONGEST_LINE:]
        decoded: list[bytes] = []
        for line in lines:
            text = line.rstrip(b"\r")
            if not self._started:
                self._started = text.startswith(b"begin ")
            elif text in {b"end", b"`", b""}:
                self._started = text != b"end"
            else:
                decoded.append(_uu_line(text))
        return b"".join(decoded)


def decode(data: bytes, encoding: str, *, cut: bool = False) -> bytes:
    """The octets of a whole part, or of its beginning (`cut`: an unfinished escape at the end is dropped)."""
    if encoding == "base64" and (clean := _clean_base64(data)) is not None:
        return clean
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data[: _whole_escapes(data)] if cut else data)
    if cut and encoding in _UUENCODE:
        data = data[: data.rfind(b"\n") + 1]
    decoder = TransferDecoder(encoding)
    return decoder.feed(data) + decoder.finish()


def decoded_size(size: int, encoding: str) -> int:
    """About how many octets `size` transferred octets decode to."""
    if encoding == "base64":
        return (size - size // 78 * 2) * 3 // 4  # lines of 76 characters and CRLF
    if encoding in _UUENCODE:
        return size * 45 // 63
    return size


def least_decoded_size(size: int, encoding: str) -> int:
    """The fewest octets that `size` transferred octets decode to when lines have a usual length."""
    if encoding == "quoted-printable":
        return size * 10 // 32
    return max(decoded_size(size, encoding) * 9 // 10 - _FRAME, 0)


def encoded_limit(size: int, encoding: str) -> int:
    """How many transferred octets are enough for `size` decoded ones (lines of 60 characters and more)."""
    if encoding == "base64":
        return (size + 2) // 3 * 4 * 31 // 30 + 128
    if encoding == "quoted-printable":
        return size * 16 // 5 + 128  # every octet escaped, and a soft line break in each 76
    if encoding in _UUENCODE:
        return size * 63 // 45 + 512
    return size


def _whole_escapes(data: bytes) -> int:
    """How much of quoted-printable text does not end within an escape."""
    tail = data.rfind(b"=", max(len(data) - 2, 0))
    return len(data) if tail < 0 else tail


def _clean_base64(data: bytes) -> bytes | None:
    """What nearly all base64 holds, read at once; None for what needs a closer look."""
    padding = data.find(b"=")
    if b"-" in data or b"_" in data or (padding >= 0 and data[padding:].strip(b"=\r\n")):
        return None
    try:
        return binascii.a2b_base64(data)  # overlooks line ends, and what else is not of the alphabet
    except binascii.Error:
        return None


def _texts(clean: bytes) -> list[bytes]:
    """The base64 texts in the data, which may be several one after the other, each with a padded end."""
    padding = clean.find(b"=")
    if padding < 0:
        return [clean]
    if not clean[padding:].strip(b"="):
        return [clean[:padding], b""]
    return _PADDING.split(clean)


def _base64_group(text: bytes) -> bytes:
    extra = len(text) % 4
    if extra == 1:
        text = text[:-1]
    elif extra:
        text += b"=" * (4 - extra)
    return binascii.a2b_base64(text)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Encoders that pad wrongly: the length octet tells how many characters count.
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:wanted])
        except binascii.Error:
            return b""
