"""Reading a body and staying with a client, piece by piece."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Kind, Refused
from gateway.mail.pieces import Joined
from gateway.store.spool import FileSpool
from gateway.web.http import (
    ASIDE_FROM,
    BodyStalled,
    BodyTooLarge,
    ClientGone,
    Message,
    Receive,
    Response,
    compress,
    decompress,
    headers_of,
    put_aside,
    read_body,
    send_response,
    while_connected,
)

GONE: Message = {"type": "http.disconnect"}


def saying(*messages: Message) -> Receive:
    """A client that says this and then nothing."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def pieces(*bodies: bytes) -> Sequence[Message]:
    last = len(bodies) - 1
    return [
        {"type": "http.request", "body": body, "more_body": number < last}
        for number, body in enumerate(bodies)
    ]


async def test_pieces_are_joined() -> None:
    assert await read_body(saying(*pieces(b"ab", b"", b"cd")), {}, 4) == b"abcd"


async def test_limits() -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(saying(*pieces(b"ab", b"cde")), {}, 4)
    with pytest.raises(BodyTooLarge):
        await read_body(saying(), {"content-length": "9"}, 4)  # before anything is read


@pytest.mark.parametrize("headers", [{}, {"content-length": "8"}])
async def test_what_is_too_large_is_read_on_for_those_who_write_before_they_read(
    headers: Mapping[str, str],
) -> None:
    said = list(pieces(b"abcde", b"fg", b"h"))

    async def receive() -> Message:
        return said.pop(0)

    with pytest.raises(BodyTooLarge):
        await read_body(receive, headers, 4)
    assert not said


@pytest.mark.parametrize(
    ("headers", "read"),
    [({}, 4), ({"content-length": "9"}, 0), ({"content-length": "6", "expect": "100-continue"}, 0)],
    ids=["chunked", "far too large", "the client waits"],
)
async def test_no_more_is_read_on_than_the_limit_once_more(headers: Mapping[str, str], read: int) -> None:
    count = 0

    async def receive() -> Message:
        nonlocal count
        count += 1
        return {"type": "http.request", "body": b"abcde" if count == 1 else b"ab", "more_body": True}

    with pytest.raises(BodyTooLarge):
        await read_body(receive, headers, 4)
    assert count == (read and 1 + read // 2)


async def test_what_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.web.http.DRAIN_SILENCE", 0.05)
    with pytest.raises(BodyTooLarge):
        await read_body(saying(), {"content-length": "5"}, 4)
    with pytest.raises(BodyTooLarge):
        await read_body(saying(pieces(b"abcde", b"")[0]), {}, 4)
    with pytest.raises(ClientGone):
        await read_body(saying(pieces(b"abcde", b"")[0], GONE), {}, 4)


@pytest.mark.usefixtures("steady_clock")
async def test_a_client_that_leaves_or_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientGone):
        await read_body(saying(pieces(b"a", b"")[0], GONE), {}, 4)
    monkeypatch.setattr("gateway.web.http.PACE_SECONDS", 0.05)
    with pytest.raises(BodyStalled):
        await read_body(saying(pieces(b"a", b"")[0]), {}, 4)


@pytest.mark.usefixtures("steady_clock")
@pytest.mark.parametrize(("size", "arrives"), [(1, False), (2000, True)])
async def test_a_body_has_to_come_at_a_pace(
    monkeypatch: pytest.MonkeyPatch, size: int, arrives: bool
) -> None:
    monkeypatch.setattr("gateway.web.http.PACE_SECONDS", 0.3)
    monkeypatch.setattr("gateway.web.http.PACE_BYTES", 1000)
    left = 12

    async def receive() -> Message:
        nonlocal left
        left -= 1
        await asyncio.sleep(0.05)
        return {"type": "http.request", "body": bytes(size), "more_body": left > 0}

    if arrives:
        assert len(await read_body(receive, {}, 100_000)) == 12 * size
    else:
        with pytest.raises(BodyStalled):
            await read_body(receive, {}, 10_000)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "x-gzip", "deflate", "br", ""]))
def test_any_bytes_are_undone_or_refused(body: bytes, encoding: str) -> None:
    try:
        plain = asyncio.run(decompress(body, encoding, 100))
    except (BodyTooLarge, Refused):
        return
    assert len(plain) <= max(100, len(body))


@pytest.mark.parametrize("size", [0, 1, 300, 400_000])
async def test_there_and_back(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    packed = await compress(body)
    assert await decompress(packed, "gzip", size) == body
    if size:
        with pytest.raises(BodyTooLarge):
            await decompress(packed, "gzip", size - 1)


def test_headers_given_twice() -> None:
    scope = {"headers": [(b"X-Forwarded-For", b"a"), (b"x-forwarded-for", b"b"), (b"Host", b"\xe4")]}
    assert headers_of(scope) == {"x-forwarded-for": "a, b", "host": "ä"}


async def test_work_is_done_while_the_client_stays() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await while_connected(saying(*pieces(b"")), work()) == 7


async def test_work_ends_when_the_client_leaves() -> None:
    async def work() -> None:
        await asyncio.Event().wait()

    with pytest.raises(ClientGone):
        await while_connected(saying(*pieces(b""), GONE), work())
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_a_cancellation_from_elsewhere_stays_one() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(while_connected(saying(), work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_errors_of_the_work_come_through() -> None:
    async def work() -> None:
        raise Refused(Kind.SERVER_ERROR)

    with pytest.raises(Refused):
        await while_connected(saying(), work())


async def sent(response: Response) -> bytes:
    """The body as it is sent."""
    told: list[bytes] = []

    async def send(message: Message) -> None:
        told.append(message.get("body", b""))

    await send_response(send, response)
    return b"".join(told)


@pytest.mark.parametrize("count", [1, 3])
async def test_large_answers_do_not_wait_in_memory(count: int) -> None:
    tracemalloc.start()
    response = Response(200, body=Joined((*(bytes([each]) * ASIDE_FROM for each in range(count)), b"end")))
    await put_aside(response, FileSpool)
    assert tracemalloc.get_traced_memory()[0] < ASIDE_FROM / 2
    tracemalloc.stop()
    assert await sent(response) == b"".join(bytes([each]) * ASIDE_FROM for each in range(count)) + b"end"
    response.close()
    with pytest.raises(ValueError, match="closed"):
        await sent(response)


class Full(FileSpool):
    """No room on disk."""

    async def write(self, data: bytes) -> None:
        raise Refused(Kind.SERVER_ERROR_RETRY, "no room")


@pytest.mark.parametrize(("size", "spool"), [(ASIDE_FROM, FileSpool), (ASIDE_FROM + 1, Full)])
async def test_answers_that_stay_in_memory(size: int, spool: Callable[[], FileSpool]) -> None:
    response = Response(200, body=bytes(size))
    await put_aside(response, spool)
    assert isinstance(response.body, bytes)
    assert await sent(response) == bytes(size)
