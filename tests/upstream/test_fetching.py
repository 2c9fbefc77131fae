"""Documents from the web: what comes, what may not be asked for, and what has no end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.upstream.fetching import WebFetcher, _public

OK = b"HTTP/1.1 200 OK\r\n"
LOCAL = WebFetcher(private=("localhost",), timeout=20)

Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def saying(answer: bytes) -> Serve:
    async def serve(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return serve


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server on loopback: its address, and the requests it got."""
    requests: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            for line in request.lower().splitlines():
                if line.startswith(b"content-length:"):
                    request += await reader.readexactly(int(line.partition(b":")[2]))
            requests.append(request)
            await serve(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield f"http://localhost:{port}", requests
    finally:
        listening.close()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Length: 5\r\n\r\nhello",
        OK + b"\r\nhello",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello",
    ],
)
async def test_documents(answer: bytes) -> None:
    async with server(saying(answer)) as (url, requests):
        assert await LOCAL.fetch(f"{url}/a/b.crl?c=d#e", 5) == b"hello"
        assert requests[0].startswith(b"GET /a/b.crl?c=d HTTP/1.1\r\nHost: localhost:")
        assert await LOCAL.fetch(f"{url}/ask", 5, posted=b"\x30\0", kind="application/x") == b"hello"
        assert requests[1].startswith(b"POST /ask HTTP/1.1\r\n")
        assert b"\r\nContent-Type: application/x\r\nContent-Length: 2\r\n\r\n\x30\0" in requests[1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nhello",
        OK + b"Content-Length: 6\r\n\r\nhello!",
        OK + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 100,
        OK + b"X: " + b"x" * 200_000 + b"\r\n\r\nhello",
        OK + b"Content-Length: 5\r\n\r\nhell",
        b"220 smtp.example.test\r\n",
        b"\x16\x03\x01\x02\x00",
        b"",
    ],
)
async def test_answers_that_are_none(answer: bytes) -> None:
    async with server(saying(answer)) as (url, _):
        with pytest.raises((UpstreamRefused, UpstreamUnavailable)):
            await LOCAL.fetch(url, 5)


async def test_what_has_no_end() -> None:
    async def forever(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async def silence(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await asyncio.sleep(60)

    async with server(forever) as (url, _):
        with pytest.raises(UpstreamRefused, match="more than"):
            await LOCAL.fetch(url, 1 << 20)
    async with server(silence) as (url, _):
        with pytest.raises(UpstreamUnavailable, match="in time"):
            await WebFetcher(private=("localhost",), timeout=0.2).fetch(url, 5)


async def test_redirects() -> None:
    async def moved(request: bytes, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
        if request.startswith(b"GET /once"):
            writer.write(head + b"/there\r\n\r\n")
        elif request.startswith(b"GET /inside"):
            writer.write(head + b"http://127.0.0.1:1/\r\n\r\n")
        elif request.startswith(b"GET /there"):
            writer.write(OK + b"\r\nhello")
        else:
            writer.write(head + b"/again\r\n\r\n")

    async with server(moved) as (url, requests):
        assert await LOCAL.fetch(f"{url}/once", 5) == b"hello"
        for wrong in ("inside", "again"):
            requests.clear()
            with pytest.raises(UpstreamRefused):
                await LOCAL.fetch(f"{url}/{wrong}", 5)
            assert len(requests) == (1 if wrong == "inside" else 3)
        with pytest.raises(UpstreamRefused, match="answers 302"):
            await LOCAL.fetch(f"{url}/once", 5, posted=b"x", kind="a/b")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://localhost:{port}/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://1.1.1.1:25/",
        "http://user@1.1.1.1/",
        "http://1.1.1.1:99999/",
        "http:///path",
        "http://[::1",
        "http://1.1.1.1/\r\nX: y",
        "http://1.1.1.1/ä",
        "ftp://1.1.1.1/",
        "file:///etc/passwd",
        "ldap://1.1.1.1/cn=x",
        "",
    ],
)
async def test_what_may_not_be_asked_for(url: str) -> None:
    async with server(saying(OK + b"\r\nhello")) as (address, requests):
        with pytest.raises((UpstreamRefused, UpstreamUnavailable)):
            await WebFetcher(timeout=20).fetch(url.replace("{port}", address.rpartition(":")[2]), 5)
        assert requests == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("1.1.1.1", True),
        ("2606:4700:4700::1111", True),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("ff02::1", False),
    ],
)
def test_public_networks(address: str, public: bool) -> None:
    assert _public(address) is public
