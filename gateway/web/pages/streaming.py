"""Files that are sent as they are written, piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import structlog
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.errors import GatewayError

__all__ = ["Streamed", "streamed"]


class Streamed(StreamingResponse):
    """A file that is cut off where it cannot be gone on with: nobody is to take what came for the whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except GatewayError as error:  # the server closes the connection when the end was not sent
            structlog.get_logger("gateway.pages").warning("file cut off", reason=error.detail)


async def streamed(pieces: AsyncIterator[bytes], media_type: str, headers: Mapping[str, str]) -> Streamed:
    """The answer that sends the pieces. Raises what the first one raises, while it can be told."""
    first = await anext(pieces, b"")

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return Streamed(all_of_them(), media_type=media_type, headers=dict(headers))
