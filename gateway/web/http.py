"""ASGI in plain terms: headers, a body under a limit, a whole response, a client that leaves."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeAlias, TypeVar

from gateway.errors import GatewayError, Kind, Refused
from gateway.mail.pieces import pieces
from gateway.ports import Pieces, Spool

__all__ = [
    "ASIDE_FROM",
    "THREAD_FROM",
    "BodyStalled",
    "BodyTooLarge",
    "ClientGone",
    "Receive",
    "Response",
    "Scope",
    "Send",
    "compress",
    "decompress",
    "headers_of",
    "put_aside",
    "read_body",
    "send_response",
    "while_connected",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
T = TypeVar("T")

PACE_BYTES = 16 * 1024
PACE_SECONDS = 60.0
"""So much of a body, or its end, has to come in every such span while it is read: a tenth of what the slowest
radio (GPRS) carries. What the client waits for (its login, 100 Continue) does not count."""

DRAIN_SECONDS, DRAIN_SILENCE = 20.0, 1.0
"""Most seconds in which the rest of a body that is too large is read and dropped, and most without any."""

ASIDE_FROM = 4 * 1024 * 1024
"""Bytes from which an answer does not wait in memory for a client to take it: a window of a first Sync is
shorter, and does not go through the disk."""

WATCH_AFTER = 0.05
"""Seconds that work takes before anybody looks whether the client is still there."""

THREAD_FROM = 256 * 1024
"""Bytes from which work that grows with the size leaves the event loop."""


class ClientGone(Exception):
    """The client closed the connection; nobody is left to answer."""


class BodyStalled(Exception):
    """The body stands still, or comes too slowly to be waited for."""


class BodyTooLarge(Exception):
    """The body has more than the bytes allowed, as sent or with its compression undone."""


@dataclass(slots=True)
class Response:
    """A whole response. Content-Length is added when it is sent; `release` frees what the body takes.

    `more_headers` are those that are there more than once, each on a line of its own.
    """

    code: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Pieces = b""
    release: Callable[[], None] | None = None
    more_headers: Sequence[tuple[str, str]] = ()

    def close(self) -> None:
        """Nobody needs the body any more."""
        if self.release is not None:
            self.release()


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; of those given more than once, the values joined by commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, text = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


async def put_aside(response: Response, make_spool: Callable[[], Spool]) -> None:
    """Have a large body in memory wait on disk: clients may be slow, and many at once.

    Where there is no room on disk it stays in memory.
    """
    if response.release is not None or len(response.body) <= ASIDE_FROM:
        return
    spool = make_spool()
    try:
        for piece in pieces(response.body):
            await spool.write(piece)
    except GatewayError:
        spool.close()
    except BaseException:
        spool.close()
        raise
    else:
        response.body, response.release = spool, spool.close


async def send_response(send: Send, response: Response) -> None:
    """Send a response, piece by piece as fast as the client takes it."""
    told = (*response.headers.items(), *response.more_headers)
    headers = [(name.encode("latin-1"), _header_value(text)) for name, text in told]
    headers.append((b"Content-Length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.code, "headers": headers})
    left = len(response.body)
    if not left:
        await send({"type": "http.response.body"})
        return
    for piece in pieces(response.body):
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})


def _header_value(text: str) -> bytes:
    """Write a header's value so that it stays one, whatever mail put into it (RFC 9110 5.5)."""
    return _NOT_IN_HEADERS.sub("", text).encode("latin-1", "replace")


_NOT_IN_HEADERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """Read the whole body, of known length or chunked, as sent.

    Raises BodyTooLarge, if possible before a byte is kept, ClientGone when it ends early, and BodyStalled
    when less than PACE_BYTES come in PACE_SECONDS.

    Many clients write all before they read, and see no answer if the connection is closed meanwhile: so a
    body that is too large is read on up to twice the limit, unless the client waits to be told to send it.
    """
    announced = headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (length := int(announced)) > limit:
        if length <= 2 * limit and "expect" not in headers:
            await _drain(receive, length)
        raise BodyTooLarge
    # Not a list of pieces: joining them would take the room of the body once more.
    body = BytesIO()
    size = expected = 0
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as pace:
            while True:
                if size >= expected:
                    expected = size + PACE_BYTES
                    pace.reschedule(loop.time() + PACE_SECONDS)
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                piece = message.get("body", b"")
                size += len(piece)
                if size > limit:
                    body.close()
                    if message.get("more_body", False):
                        await _drain(receive, limit)
                    raise BodyTooLarge
                body.write(piece)
                if not message.get("more_body", False):
                    return body.getvalue()
    except TimeoutError:
        raise BodyStalled from None


async def _drain(receive: Receive, most: int) -> None:
    """Read and drop so much of a body, or less if it does not come. Raises ClientGone."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while most > 0:
                async with asyncio.timeout(DRAIN_SILENCE):
                    message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                most -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


async def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a Content-Encoding: gzip, deflate (zlib or bare) or identity.

    Raises BodyTooLarge when more than `limit` bytes come out, and Refused (INVALID_CONTENT) when the encoding
    is another or the data are broken.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            window = _GZIP
        case "deflate":
            # RFC 9110 8.4.1.2 means zlib; some senders leave its header out.
            window = zlib.MAX_WBITS if body[:1] == b"\x78" else -zlib.MAX_WBITS
        case _:
            raise Refused(Kind.INVALID_CONTENT, "unknown Content-Encoding")
    if len(body) < THREAD_FROM // 16:
        return _inflate(body, window, limit)
    return await asyncio.to_thread(_inflate, body, window, limit)


_GZIP = zlib.MAX_WBITS | 16
_LEVEL = 4


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    engine = zlib.decompressobj(window)
    try:
        plain = engine.decompress(body, limit + 1)
    except zlib.error as error:
        raise Refused(Kind.INVALID_CONTENT, f"compressed body is broken: {error}") from None
    if len(plain) > limit:
        raise BodyTooLarge
    if not engine.eof:
        raise Refused(Kind.INVALID_CONTENT, "compressed body is cut short")
    return plain


async def compress(body: bytes | Pieces) -> bytes:
    """Compress with gzip."""
    return _deflate(body) if len(body) < THREAD_FROM else await asyncio.to_thread(_deflate, body)


def _deflate(body: bytes | Pieces) -> bytes:
    engine, made = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP), BytesIO()
    for piece in pieces(body):
        made.write(engine.compress(piece))
    made.write(engine.flush())
    return made.getvalue()


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Run work whose request is read to its end, as long as somebody waits for the answer.

    Cancels it and raises ClientGone when the client closes the connection, which is looked for once the work
    takes longer than most does.
    """
    task = asyncio.current_task()
    assert task is not None
    gone, watcher = False, None

    async def watch() -> None:
        nonlocal gone
        while (await receive())["type"] != "http.disconnect":
            pass
        gone = True
        task.cancel()

    def begin() -> None:
        nonlocal watcher
        watcher = asyncio.create_task(watch())

    timer = asyncio.get_running_loop().call_later(WATCH_AFTER, begin)
    try:
        return await work
    except asyncio.CancelledError:
        if gone and not task.uncancel():
            raise ClientGone from None
        raise
    finally:
        timer.cancel()
        if watcher is not None:
            watcher.cancel()
