"""Header fields that are made here (RFC 5322, RFC 2047)."""

from __future__ import annotations

from email.header import Header

from gateway.mail.addresses import Address
from gateway.mail.fields import LONGEST_LINE, Field, fold
from gateway.mail.headers import clean

__all__ = ["made", "mailbox", "words"]

_WIDTH = 76
_LONGEST_NAME = 200


def made(name: str, value: bytes) -> Field:
    """A field of this value, folded."""
    return Field(name.lower().encode(), fold(name.encode() + b": " + value, _WIDTH) + b"\r\n")


def mailbox(one: Address) -> str:
    """An address with its name, in encoded words where needed; what is no address stays as it is."""
    name = clean(one.name)[:_LONGEST_NAME]
    if not name:
        return one.address
    if name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{quoted}"'
    else:
        shown = Header(name, "utf-8").encode(linesep="")
    return f"{shown} <{one.address}>" if one.address else shown


def words(text: str, name: str) -> bytes:
    """Unstructured text for the field of a name, in encoded words where needed."""
    text = clean(text)
    if text.isascii() and "=?" not in text and len(text) < LONGEST_LINE // 2:
        return text.encode()
    return Header(text, "utf-8", header_name=name).encode(linesep="").encode()
