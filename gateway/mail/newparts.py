"""Parts that are made here: texts and files, and where they go in a message (RFC 2045, 2046, 2183, 2387)."""

from __future__ import annotations

import binascii
import re
from base64 import encodebytes
from dataclasses import dataclass, field
from mimetypes import MimeTypes
from urllib.parse import quote

from gateway.mail import html, tree
from gateway.mail.body import clean_utf8
from gateway.mail.fields import LONGEST_LINE, Field, crlf
from gateway.mail.headers import clean
from gateway.mail.newfields import made
from gateway.mail.tree import Part

__all__ = ["NewFile", "file_part", "text_part", "with_file"]

_LONGEST_NAME = 200
_CONTENT_TYPE = re.compile(r"[!#-'*+.0-9A-Za-z^-~-]+/[!#-'*+.0-9A-Za-z^-~-]+", re.ASCII)
_WORD = re.compile(r"[!-~]{1,900}", re.ASCII)
_EMBEDDED = frozenset({"message/rfc822", "message/global"})
_TYPES = MimeTypes()


@dataclass(frozen=True, slots=True)
class NewFile:
    """An attachment to be added. `message`: it is a message itself (Method 5 of MS-ASAIRS 2.2.2.28)."""

    client_id: str
    name: str
    data: bytes = field(repr=False)
    content_type: str = ""
    content_id: str = ""
    location: str = ""
    inline: bool = False
    message: bool = False


def text_part(text: bytes, *, rich: bool) -> Part:
    """A text in UTF-8; one that is HTML beside a plain one."""
    data = clean_utf8(text)
    if not rich:
        return _leaf("text/plain; charset=utf-8", data)
    plain = html.to_text(data.decode("utf-8", "ignore")).encode()
    children = [_leaf("text/plain; charset=utf-8", plain), _leaf("text/html; charset=utf-8", data)]
    return Part([_content_type("multipart/alternative")], None, children)


def _leaf(content_type: str, data: bytes) -> Part:
    data = crlf(data)
    if data.isascii() and all(len(line) <= LONGEST_LINE for line in data.split(b"\r\n")):
        encoding = "7bit"
    else:
        data, encoding = crlf(binascii.b2a_qp(data)), "quoted-printable"
    return Part([_content_type(content_type), _plain_field("Content-Transfer-Encoding", encoding)], data)


def file_part(new: NewFile) -> Part:
    """An attachment."""
    name = clean(new.name.replace("/", "_").replace("\\", "_"))[:_LONGEST_NAME] or "attachment"
    kind = new.content_type.strip().lower()
    if not _CONTENT_TYPE.fullmatch(kind):
        kind = _TYPES.guess_type(name)[0] or "application/octet-stream"
    data, encoding = new.data, "base64"
    if new.message or kind in _EMBEDDED:  # may not be encoded (RFC 2046 5.2.1)
        kind, data = kind if kind in _EMBEDDED else "message/rfc822", crlf(data)
        encoding = "7bit" if data.isascii() else "8bit"
    else:
        if kind.startswith(("multipart/", "message/")):
            kind = "application/octet-stream"
        data = encodebytes(data).replace(b"\n", b"\r\n")
    disposition = "inline" if new.inline else "attachment"
    fields = [
        _content_type(f"{kind}; {_parameter('name', name)}"),
        _plain_field("Content-Transfer-Encoding", encoding),
        _plain_field("Content-Disposition", f"{disposition}; {_parameter('filename', name)}"),
    ]
    content_id, location = new.content_id.strip().strip("<>"), new.location.strip()
    if _WORD.fullmatch(content_id):
        fields.append(_plain_field("Content-ID", f"<{content_id}>"))
    if _WORD.fullmatch(location):
        fields.append(_plain_field("Content-Location", location))
    return Part(fields, data)


def _parameter(name: str, value: str) -> str:
    if value.isascii():
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{name}="{quoted}"'
    return f"{name}*=utf-8''{quote(value, safe='')}"


def _content_type(value: str) -> Field:
    return _plain_field("Content-Type", value)


def _plain_field(name: str, value: str) -> Field:
    return made(name, value.encode())


def with_file(content: Part, leaf: Part, *, inline: bool) -> Part:
    """The content with one more part: beside the HTML that shows it, or behind everything."""
    page = next(filter(_is_page, tree.leaves(content)), None) if inline else None
    if page is not None:
        return _beside(content, page, leaf)
    if content.subtype == b"mixed" and content.children:
        return Part(content.fields, None, [*content.children, leaf])
    return Part([_content_type("multipart/mixed")], None, [content, leaf])


def _is_page(part: Part) -> bool:
    values = {each.name: each.value.lower() for each in part.fields}
    return values.get(b"content-type", b"").startswith(b"text/html") and not values.get(
        b"content-disposition", b""
    ).startswith(b"attachment")


def _beside(part: Part, page: Part, leaf: Part) -> Part:
    if part is page:
        kind = _content_type('multipart/related; type="text/html"')
        return Part([kind], None, [page, leaf])
    if part.subtype == b"related" and any(child is page for child in part.children):
        return Part(part.fields, None, [*part.children, leaf])
    if not any(each is page for each in tree.leaves(part)):
        return part
    return Part(part.fields, None, [_beside(child, page, leaf) for child in part.children])
