"""What is in the body of a request and of an answer: documents and messages (MS-ASHTTP 2.2.1.2, 2.2.2.2)."""

from __future__ import annotations

from collections.abc import Sequence

import wbxml
from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Command, Limits, Raw, Reply
from gateway.eas.request import EasRequest
from gateway.errors import Kind, Refused
from gateway.mail.pieces import Joined
from gateway.sync.background import compute
from gateway.web.http import Response, compress, decompress

__all__ = ["WBXML", "opened", "written"]

WBXML = "application/vnd.ms-sync.wbxml"
_WBXML_TYPES = frozenset({WBXML, "application/vnd.ms-sync", ""})
_MIME_TYPES = frozenset({"message/rfc822", ""})
_COMPRESS_FROM = 256
"""Bytes of a document; a shorter one would hardly become smaller."""
_READ_IN_THREAD_FROM = 32 * 1024
"""Bytes of a document: each may be an element, of which a few thousand take a millisecond."""
_ITEM_DEPTH = 4
_FEW_ITEMS = 32
"""Items that are written in the event loop, as most users' folders are; a full window takes milliseconds."""


async def opened(
    command: Command, request: EasRequest, body: bytes, encoding: str, limits: Limits
) -> tuple[wbxml.Element | None, bytes]:
    """The document or the message that a body is, as the command has it in this version.

    `encoding` is its Content-Encoding. Raises `Refused`, and `BodyTooLarge`.
    """
    is_mime = command.body is BodyRule.MIME and not request.version.compose_in_wbxml
    if command.body is BodyRule.NONE or (not body and command.body is BodyRule.OPTIONAL):
        return None, b""
    if not body:
        raise Refused(Kind.INVALID_CONTENT, "the body is empty")
    if request.content_type not in (_MIME_TYPES if is_mime else _WBXML_TYPES):
        raise Refused(Kind.INVALID_CONTENT, f"content type {request.content_type[:80]!a}")
    body = await decompress(body, encoding, limits.max_body)
    if is_mime:
        return None, body
    try:
        root = await _decoded(body, limits.max_body, limits.max_depth, limits.max_elements)
    except wbxml.DecodeError as error:
        raise Refused(Kind.INVALID_WBXML, str(error)) from None
    if root.tag is not command.root:
        raise Refused(Kind.INVALID_XML, f"{root.tag!r} is not the root element of {command.name}")
    return root, b""


async def _decoded(body: bytes, size: int, depth: int, elements: int) -> wbxml.Element:
    def decode() -> wbxml.Element:
        root = wbxml.decode(body, max_size=size, max_depth=depth, max_elements=elements)
        fields.check_values(root)
        return root

    return decode() if len(body) < _READ_IN_THREAD_FROM else await compute(decode)


async def written(reply: Reply, request: EasRequest) -> Response:
    """The HTTP answer that carries a reply, compressed where the client takes that."""
    if reply is None:
        return Response(200)
    if isinstance(reply, Raw):
        return Response(200, {"Content-Type": reply.content_type}, reply.body, reply.close)
    pieces = await compute(wbxml.encode_pieces, reply) if _is_long(reply) else wbxml.encode_pieces(reply)
    document = Joined(tuple(pieces)) if len(pieces) > 1 else pieces[0]
    if not request.accept_gzip or len(document) < _COMPRESS_FROM:
        return Response(200, {"Content-Type": WBXML}, document)
    headers = {"Content-Type": WBXML, "Content-Encoding": "gzip"}
    return Response(200, headers, await compress(document))


def _is_long(reply: wbxml.Element) -> bool:
    """Whether a reply has many items; those of Sync, the deepest, are on the fifth level."""
    level: Sequence[wbxml.Element] = [reply]
    for _ in range(_ITEM_DEPTH):
        level = [child for each in level for child in each.children]
        if len(level) > _FEW_ITEMS:
            return True
    return False
