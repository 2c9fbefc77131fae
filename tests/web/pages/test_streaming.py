"""Files that are sent as they are written, from a store that fails."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from gateway.errors import StoreUnavailable
from gateway.web.pages.streaming import streamed


async def pieces(*made: bytes | None) -> AsyncIterator[bytes]:
    """These, and None is where the store fails."""
    for one in made:
        if one is None:
            raise StoreUnavailable("the disk is full")
        yield one


async def sent(*made: bytes | None) -> tuple[bytes, bool]:
    """What is sent, and whether it is said to be all."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        messages.append(message)

    scope = {"type": "http", "asgi": {"spec_version": "2.4"}}
    await (await streamed(pieces(*made), "text/calendar", {"X-Name": "value"}))(scope, receive, send)
    assert messages[0]["status"] == 200
    assert (b"x-name", b"value") in messages[0]["headers"]
    return b"".join(one["body"] for one in messages[1:]), not messages[-1]["more_body"]


async def test_a_whole_file() -> None:
    assert await sent(b"one", b"two") == (b"onetwo", True)
    assert await sent() == (b"", True)


async def test_what_cannot_be_gone_on_with_has_no_end() -> None:
    assert await sent(b"one", None) == (b"one", False)


async def test_what_cannot_be_begun_is_told() -> None:
    with pytest.raises(StoreUnavailable):
        await sent(None)
