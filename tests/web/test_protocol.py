"""What a connection may do before anybody has logged in over it."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.eas.commands.base import Raw
from gateway.web import http, protocol
from tests.web.support import LOGIN, PATH, Site, read_answer
from wbxml import element
from wbxml.pages import FolderHierarchy

pytestmark = pytest.mark.usefixtures("steady_clock")

OPTIONS = f"OPTIONS {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {LOGIN}\r\n\r\n".encode("latin-1")
FOLDER_SYNC = element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))
STRANGER = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()


async def is_closed(reader: asyncio.StreamReader, within: float = 20.0) -> bool:
    """Whether the server closes the connection without another word."""
    async with asyncio.timeout(within):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


async def flood(site: Site, start: bytes, block: bytes, most: int) -> tuple[int, bytes]:
    """Send blocks until the server closes the connection; how many bytes it took, and what it said."""
    reader, writer = await site.connect()
    said = asyncio.create_task(reader.read())
    sent = 0
    writer.write(start)
    try:
        while sent < most and not said.done():
            writer.write(block)
            sent += len(block)
            await writer.drain()
            await asyncio.sleep(0)
        return sent, await asyncio.wait_for(said, 20)
    except ConnectionError:
        return sent, b""
    finally:
        said.cancel()
        writer.close()


@pytest.mark.parametrize(
    ("start", "block"),
    [
        (STRANGER, b"X-A: " + b"a" * 1000 + b"\r\n"),
        (STRANGER + b"X-A: ", b"a" * 4096),
        (f"POST {PATH}?".encode(), b"a" * 4096),
        (STRANGER + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: " + b"a" * 1000 + b"\r\n"),
        (STRANGER + b"Transfer-Encoding: chunked\r\n\r\n5;", b"a" * 4096),
        (b"", b"\r\n" * 2048),
    ],
    ids=["headers", "one header", "url", "trailers", "chunk extension", "empty lines"],
)
async def test_what_is_no_body_is_bounded(site: Site, start: bytes, block: bytes) -> None:
    sent, _ = await flood(site, start, block, 8_000_000)
    assert sent < 4_000_000  # what the sockets of both sides hold is lost in the count
    assert (await site.raw(OPTIONS)).code == 200


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (STRANGER + b"X-A: " + b"a" * (protocol.MAX_HEAD - len(STRANGER) - 10) + b"\r\n\r\n", 401),
        (STRANGER + b"X-A: " + b"a" * protocol.MAX_HEAD + b"\r\n\r\n", 431),
        (STRANGER + b"X-A: a\r\n" * 10_000 + b"\r\n", 431),
        (f"POST {PATH}?{'a' * 8000} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 401),
        (f"POST {PATH}?{'a' * 9000} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), 414),
    ],
)
async def test_the_size_of_a_head(site: Site, head: bytes, code: int) -> None:
    answer = await site.raw(head)
    assert answer.code == code
    assert (answer.headers.get("connection") == "close") is (code != 401)


async def test_a_large_body_is_no_head(site: Site) -> None:
    assert (await site.post("FolderSync", bytes(90_000))).code == 200


@pytest.mark.parametrize("start", [b"", b"POST /Micro", STRANGER, b"\r\n"])
async def test_a_head_has_to_come_in_time(site: Site, monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    began = time.monotonic()
    reader, writer = await site.connect()
    writer.write(start)

    async def drip() -> None:
        while True:
            await asyncio.sleep(0.05)
            writer.write(b"x" if start.strip() else b"\r\n" if start else b"")

    dripping = asyncio.create_task(drip())
    assert await is_closed(reader)
    dripping.cancel()
    assert time.monotonic() - began > 0.2
    writer.close()


async def test_the_next_head_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await site.connect()
    for _ in range(2):
        writer.write(OPTIONS)
        assert (await read_answer(reader)).code == 200
        await asyncio.sleep(0.4)  # an idle connection stays open for longer
    writer.write(OPTIONS[:20])
    assert await is_closed(reader)
    writer.close()


async def test_a_body_nobody_reads_has_to_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await site.connect()
    writer.write(STRANGER + b"Content-Length: 1000\r\n\r\n")
    assert (await read_answer(reader)).code == 401

    async def drip() -> None:
        while True:
            await asyncio.sleep(0.05)
            writer.write(b"x")

    dripping = asyncio.create_task(drip())
    assert await is_closed(reader)
    dripping.cancel()
    writer.close()


async def test_after_an_early_answer_and_the_rest_of_the_body_the_connection_lives(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    reader, writer = await site.connect()
    writer.write(STRANGER + b"Content-Length: 10\r\n\r\n12345")
    assert (await read_answer(reader)).code == 401
    writer.write(b"67890")
    await asyncio.sleep(0.5)
    writer.write(OPTIONS)
    assert (await read_answer(reader)).code == 200
    writer.close()


async def test_a_held_request_is_held(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    reader, writer = await site.connect()
    writer.write(site.request("Ping", key=None))
    await site.ping.begun.wait()
    await asyncio.sleep(0.5)
    site.stopping.set()
    assert (await read_answer(reader)).status == "1"
    writer.close()


async def test_few_requests_may_be_sent_ahead(site: Site) -> None:
    reader, writer = await site.connect()
    writer.write(OPTIONS * 5)
    for _ in range(5):
        assert (await read_answer(reader)).code == 200
    writer.close()
    sent, _ = await flood(site, site.request("Ping", key=None), OPTIONS * 10, 8_000_000)
    assert sent < 4_000_000


@pytest.mark.parametrize(
    "limits",
    [
        {"MAX_STRANGERS": 3, "NEW_SECONDS": 0.0},
        {"MAX_STRANGERS": 2, "MOST_STRANGERS": 3, "NEW_SECONDS": 60.0},
    ],
)
async def test_of_too_many_connections_without_a_request_the_oldest_is_closed(
    site: Site, monkeypatch: pytest.MonkeyPatch, limits: dict[str, float]
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(protocol, name, value)
    known_reader, known = await site.connect()
    known.write(OPTIONS)
    assert (await read_answer(known_reader)).code == 200
    silent = [await site.connect() for _ in range(4)]
    assert await is_closed(silent[0][0])
    for reader, writer in [*silent[1:], (known_reader, known)]:
        writer.write(OPTIONS)
        assert (await read_answer(reader)).code == 200
    for _, writer in [*silent, (known_reader, known)]:
        writer.close()


async def test_of_too_many_connections_that_have_their_answer_the_one_longest_silent_is_closed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_IDLE", 3)
    held_reader, held = await site.connect()
    held.write(site.request("Ping", key=None))
    await site.ping.begun.wait()
    reader, first = await site.connect()
    first.write(STRANGER + b"\r\n")
    assert (await read_answer(reader)).code == 401
    others = [await site.connect() for _ in range(3)]
    for other, writer in others:
        assert not reader.at_eof()
        for _ in range(2):
            writer.write(OPTIONS)
            assert (await read_answer(other)).code == 200
    assert await is_closed(reader)
    for other, writer in others:
        writer.write(OPTIONS)
        assert (await read_answer(other)).code == 200
    for writer in (first, *(writer for _, writer in others)):
        writer.close()
    site.stopping.set()
    assert (await read_answer(held_reader)).status == "1"
    held.close()


async def test_a_body_that_stands_still_is_408(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http, "PACE_SECONDS", 0.2)
    reader, writer = await site.connect()
    writer.write(site.request("FolderSync", headers={"Content-Length": "1000"}) + b"abc")
    answer = await read_answer(reader)
    assert (answer.code, answer.headers["connection"]) == (408, "close")
    assert await is_closed(reader)
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
    writer.close()


async def test_a_client_that_takes_nothing_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_SECONDS", 0.3)
    left = asyncio.Event()
    body = bytes(20_000_000)  # more than the sockets of both sides hold
    site.folder_sync.reply = lambda _context, _root, _body: Raw("image/png", body, left.set)
    reader, writer = await site.connect()
    writer.write(site.request("FolderSync", FOLDER_SYNC))
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.wait_for(left.wait(), 20)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(len(body))
    writer.close()


async def test_a_client_that_is_slow_is_not(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "STALL_SECONDS", 1.5)
    body = bytes(8_000_000)
    site.folder_sync.reply = lambda _context, _root, _body: Raw("image/png", body)
    reader, writer = await site.connect()
    writer.write(site.request("FolderSync", FOLDER_SYNC))
    await reader.readuntil(b"\r\n\r\n")
    taken = 0
    while taken < len(body):
        taken += len(await reader.read(1_000_000))
        await asyncio.sleep(0.02)
    writer.close()
