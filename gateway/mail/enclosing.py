"""Files that go out with a message which is stored without them: read as it is sent, and never held whole."""

from __future__ import annotations

import hashlib
from base64 import encodebytes
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from gateway.mail.fields import split_header
from gateway.mail.newfields import made
from gateway.mail.newparts import NewFile, file_part
from gateway.mail.tree import Part
from gateway.ports import Spool

__all__ = ["Enclosure", "enclose"]

_LINE = 57
"""Octets of a file in each line of base64."""
_ENTITY, _OF_ALL = b"content-", b"content-class"
_ANY = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file, as its part is to describe it, and how to read it: in pieces of any size."""

    name: str
    content_type: str
    content_id: str
    inline: bool
    read: Callable[[], AsyncIterator[bytes]]


async def enclose(message: bytes, files: Sequence[Enclosure], spool: Spool) -> None:
    """Write a message into an empty spool, with files behind its text; the same for the same files.

    Raises what reading them and the spool raise, and `Refused` for a message that is none.
    """
    fields, body = split_header(message)
    boundary = b"=_" + hashlib.sha256(message).hexdigest()[:24].encode() + b"_files"
    of_text = [each for each in fields if each.name.startswith(_ENTITY) and each.name != _OF_ALL]
    outer, inner = [each.raw for each in fields if each not in of_text], [each.raw for each in of_text]
    kind = made("Content-Type", b'multipart/mixed; boundary="' + boundary + b'"').raw
    delimiter = b"--" + boundary
    await spool.write(b"".join([*outer, kind, b"\r\n", delimiter, b"\r\n", *inner, b"\r\n"]))
    await spool.write(message[body:])
    for file in files:
        head = b"".join(each.raw for each in _described(file).fields)
        await spool.write(b"\r\n" + delimiter + b"\r\n" + head + b"\r\n")
        await _encode(file, spool)
    await spool.write(b"\r\n" + delimiter + b"--\r\n")


def _described(file: Enclosure) -> Part:
    """The part, without its content. A message is a file like others: else it could not be in base64."""
    kind = "" if file.content_type.lower().startswith("message/") else file.content_type
    new = NewFile("", file.name, b"", kind or _ANY, content_id=file.content_id, inline=file.inline)
    return file_part(new)


async def _encode(file: Enclosure, spool: Spool) -> None:
    held = b""
    async for piece in file.read():
        held += piece
        whole = len(held) - len(held) % _LINE
        await spool.write(encodebytes(held[:whole]).replace(b"\n", b"\r\n"))
        held = held[whole:]
    await spool.write(encodebytes(held).replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
