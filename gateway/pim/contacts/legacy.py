"""Lines of vCards as programs write and break them, up to version 2.1, made lines of version 3.0.

Version 2.1 has parameters without names, text in quoted-printable and other character sets, base64 that ends
with an empty line, and hardly any escapes. Much of that is found in vCards that call themselves 3.0.
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.pim.contacts.card import components, joined
from gateway.pim.tree import escaped

__all__ = ["Written", "logical_lines", "rewritten"]

_HEAD = re.compile(
    rb"[ \t]*((?:[A-Za-z0-9-]{1,64}\.)?[A-Za-z0-9-]{1,64})[ \t]*((?:;[^:;\"]*(?:\"[^\"]*\"[^:;\"]*)*)*):",
    re.ASCII,
)
_PARAMETER = re.compile(r";\s*([^;\"]*(?:\"[^\"]*\"[^;\"]*)*)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]*")
_ENCODINGS = frozenset({"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT", "BINARY"})
_VALUE_KINDS = {"URL": "uri", "URI": "uri", "CID": "uri", "CONTENT-ID": "uri"}
_STRUCTURED = frozenset({"N", "ADR", "ORG"})
_VERBATIM = frozenset({"PHOTO", "LOGO", "SOUND", "KEY", "BDAY", "REV", "GEO", "TZ", "URL", "VERSION"})
_SOFT_BREAK = re.compile(rb"=[ \t]*\Z")
_REACH = 80
"""Octets at the end of a line in which a soft break is looked for."""
_LONGEST_HEAD = 4096
"""Octets of a line within which its parameters end."""
_USUAL = "windows-1252"
"""The character set of what is not UTF-8 and names none that is known."""
_NO_CHARSETS = frozenset({"idna", "punycode"})
"""Of domain names; to decode them takes long."""
_ESCAPE = re.compile(r"\\([\\;,:nN])")


@dataclass(slots=True)
class Written:
    """A whole line as written: its name, parameters (("TYPE", "HOME"), ("", "FAX")) and what follows them."""

    name: str
    params: list[tuple[str, str]]
    value: bytes

    @property
    def key(self) -> str:
        """The name without a group, in upper case."""
        return self.name.rpartition(".")[2].upper()

    def param(self, name: str) -> str:
        """The value of a parameter in upper case; "" when there is none."""
        return next((text.strip('"').upper() for key, text in self.params if key == name), "")

    @property
    def encoding(self) -> str:
        """How the value is encoded: in `QUOTED-PRINTABLE`, in base64 (`B`), or not."""
        told = self.param("ENCODING") or next(
            (text.upper() for key, text in self.params if not key and text.upper() in _ENCODINGS), ""
        )
        return "B" if told == "BASE64" else told


@dataclass(slots=True)
class _Open:
    """A line that may go on."""

    octets: bytearray
    number: int
    encoding: str = ""
    ended: bool = field(default=False)


def logical_lines(lines: Iterable[tuple[int, bytes]], *, old: bool) -> Iterator[tuple[int, Written | None]]:
    """The lines of a vCard put together, each with the number of its first; None for what is none.

    `old`: it is of version 2.1, whose folds keep the blank they begin with.
    """
    current: _Open | None = None
    for number, octets in lines:
        if current is not None and _goes_on(current, octets, old=old):
            continue
        if current is not None:
            yield current.number, _ended(current)
        current = _begun(number, octets) if octets.strip() else None
    if current is not None:
        yield current.number, _ended(current)


def _decoded(written: Written) -> str:
    """The value of a line as text, its encoding and character set undone (not base64)."""
    octets = written.value
    if written.encoding == "QUOTED-PRINTABLE":
        octets = binascii.a2b_qp(octets)
    charset = written.param("CHARSET")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        try:
            codec = codecs.lookup(charset or _USUAL).name
            return octets.decode(_USUAL if codec in _NO_CHARSETS else codec, "replace")
        except (LookupError, ValueError):
            return octets.decode(_USUAL, "replace")


def rewritten(written: Written, *, old: bool) -> str:
    """The line as version 3.0 has it, unfolded; of one that version 3.0 has the same text."""
    encoding = written.encoding
    value = _decoded(written)
    if encoding == "B":
        value = "".join(value.split())
    elif written.key not in _VERBATIM and (old or encoding == "QUOTED-PRINTABLE"):
        value = _escaped(value, structured=written.key in _STRUCTURED)
    params: list[str] = []
    for key, text in written.params:
        params += _param(key, text)
    if encoding == "B":
        params.append("ENCODING=b")
    head = "".join(f";{one}" for one in dict.fromkeys(params))
    return f"{written.name}{head}:{' '.join(value.splitlines()) if _is_broken(value) else value}"


def _begun(number: int, octets: bytes) -> _Open:
    return _Open(bytearray(octets), number, _encoding(octets))


def _encoding(octets: bytes | bytearray) -> str:
    """What `Written.encoding` is of a line that begins so."""
    found = _parsed(bytes(octets))
    return found.encoding if found else ""


def _goes_on(current: _Open, octets: bytes, *, old: bool) -> bool:
    """Take a further piece of a line, if it is one."""
    encoding = current.encoding
    if encoding == "QUOTED-PRINTABLE" and _SOFT_BREAK.search(current.octets, len(current.octets) - _REACH):
        del current.octets[current.octets.rindex(b"=") :]
        current.octets += octets
        return True
    if octets[:1] in {b" ", b"\t"} and octets.strip():
        current.octets += octets if old and encoding != "B" else octets[1:]
        if not encoding and len(current.octets) < _LONGEST_HEAD:
            current.encoding = _encoding(current.octets)
        return True
    if encoding == "B" and octets.strip() and not current.ended and _BASE64.fullmatch(octets):
        current.octets += octets.strip()
        return True
    current.ended = True
    return False


def _ended(current: _Open) -> Written | None:
    return _parsed(bytes(current.octets))


def _parsed(octets: bytes) -> Written | None:
    match = _HEAD.match(octets)
    if match is None:
        return None
    params: list[tuple[str, str]] = []
    for found in _PARAMETER.finditer(match[2].decode("utf-8", "replace")):
        key, equals, text = found[1].partition("=")
        params.append((key.strip().upper(), text.strip()) if equals else ("", key.strip()))
    return Written(match[1].decode("ascii"), params, octets[match.end() :])


def _param(key: str, text: str) -> Iterator[str]:
    """A parameter as version 3.0 has it."""
    plain = text.strip('"').upper()
    if key in {"ENCODING", "CHARSET"} or (key == "VALUE" and plain == "INLINE"):
        return
    if key == "VALUE" and plain in _VALUE_KINDS:
        yield f"VALUE={_VALUE_KINDS[plain]}"
    elif key:
        yield f"{key}={text}"
    elif plain in _VALUE_KINDS:
        yield f"VALUE={_VALUE_KINDS[plain]}"
    elif plain and plain not in _ENCODINGS and plain != "INLINE":
        yield f"TYPE={plain}"


def _escaped(value: str, *, structured: bool) -> str:
    """A text as version 3.0 escapes it; what is escaped by mistake already is not escaped twice."""
    if structured:
        return joined([escaped(_unescaped(one)) for one in components(value)])
    return escaped(_unescaped(value))


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], value)


def _is_broken(value: str) -> bool:
    return "\n" in value or "\r" in value
