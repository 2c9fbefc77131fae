"""A bare IMAP client: fills mailboxes, and does the same mail work without a gateway, to compare with.

It does not read what the server sends, beyond finding where an answer ends, so that a figure is the server's.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from itertools import islice
from types import TracebackType
from typing import cast

from tests.bench.corpus import Message

__all__ = ["ImapClient", "ImapFailed"]

_SECONDS = 120.0
_IN_FLIGHT = 32
_TAIL = 4096
"""Octets, more than any line that ends an answer has."""


class ImapFailed(Exception):
    """The server said NO or BAD, or went away; the message is its last line."""


class ImapClient(asyncio.Protocol):
    """One connection. Use it as an asynchronous context manager; commands follow one another."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._number = 0
        self._received = bytearray()
        self._awaited: list[tuple[bytes, asyncio.Future[bytes]]] = []
        self._transport: asyncio.Transport | None = None
        self.on_line: Callable[[bytes], object] | None = None
        """Called with what arrives while no command is under way (IDLE, NOTIFY)."""

    async def __aenter__(self) -> ImapClient:
        greeting = self._until(b"* OK")
        await asyncio.get_running_loop().create_connection(lambda: self, *self._address)
        await asyncio.wait_for(greeting, _SECONDS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it

    def connection_lost(self, exc: Exception | None) -> None:
        for _, answer in self._awaited:
            if not answer.done():
                answer.set_exception(ImapFailed("the connection is closed"))
        self._awaited.clear()

    def data_received(self, data: bytes) -> None:
        if not self._awaited:
            if self.on_line is not None:
                self.on_line(data)
            return
        self._received += data
        while self._awaited:
            mark, answer = self._awaited[0]
            at = 0 if self._received.startswith(mark) else self._line_with(mark, len(data))
            end = self._received.find(b"\r\n", at + 2) if at >= 0 else -1
            if end < 0:
                return
            self._awaited.pop(0)
            whole = bytes(self._received[: end + 2])
            del self._received[: end + 2]
            if not answer.done():
                answer.set_result(whole)

    def _line_with(self, mark: bytes, new: int) -> int:
        """Return where a line begins with `mark`; all but the last `new` octets were searched before."""
        return self._received.find(b"\r\n" + mark, max(0, len(self._received) - new - _TAIL))

    def _until(self, mark: bytes) -> asyncio.Future[bytes]:
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._awaited.append((mark, answer))
        return answer

    def send(self, data: bytes) -> None:
        """Write octets as they are."""
        assert self._transport is not None
        self._transport.write(data)

    def start(self, command: bytes) -> asyncio.Future[bytes]:
        """Send a command without waiting; the future gets its answer with the tagged line."""
        self._number += 1
        tag = b"t%d" % self._number
        self.send(tag + b" " + command + b"\r\n")
        return self._until(tag + b" ")

    async def do(self, command: str) -> bytes:
        """Return the answer to a command. Raises `ImapFailed` for anything but OK."""
        return await self._ended(self.start(command.encode()))

    async def _ended(self, answer: asyncio.Future[bytes]) -> bytes:
        whole = await asyncio.wait_for(answer, _SECONDS)
        last = whole[whole.rfind(b"\n", 0, -2) + 1 :]
        if last.split(b" ", 2)[1] != b"OK":
            raise ImapFailed(last.decode(errors="replace"))
        return whole

    async def log_in(self, user: str, password: str) -> None:
        """LOGIN."""
        await self.do(f"LOGIN {user} {password}")

    async def idle(self) -> None:
        """Begin to idle, which is all the connection does from now on; `on_line` gets what is said."""
        self._number += 1
        began = self._until(b"+ ")
        self.send(b"t%d IDLE\r\n" % self._number)
        await asyncio.wait_for(began, _SECONDS)

    async def count(self, mailbox: str = "INBOX") -> int:
        """Return how many messages there are."""
        found = re.search(rb"MESSAGES (\d+)", await self.do(f"STATUS {mailbox} (MESSAGES)"))
        assert found is not None
        return int(found[1])

    async def append(self, message: bytes, mailbox: str = "INBOX") -> int:
        """Append a message; returns its UID."""
        answer = await self._ended(self.start(_append(mailbox, _literal(message))))
        found = re.search(rb"APPENDUID \d+ (\d+)", answer)
        assert found is not None
        return int(found[1])

    async def fill(self, messages: Iterable[Message], mailbox: str = "INBOX", together: int = 1) -> None:
        """Append many: each on its own, so that each has a MODSEQ of its own as delivered mail has.

        Unless so many go `together` in a command (RFC 3502), which takes a Maildir much less time.
        """
        under_way: list[asyncio.Future[bytes]] = []
        left = iter(messages)
        while some := list(islice(left, together)):
            under_way.append(self.start(_append(mailbox, *map(_dated, some))))
            if len(under_way) >= _IN_FLIGHT:
                await self._ended(under_way.pop(0))
        for answer in under_way:
            await self._ended(answer)

    async def expunge(self, uids: Iterable[int], mailbox: str = "INBOX") -> None:
        """Remove messages."""
        wanted = ",".join(map(str, uids))
        if wanted:
            await self.do(f"SELECT {mailbox}")
            await self.do(f"UID STORE {wanted} +FLAGS.SILENT (\\Deleted)")
            await self.do(f"UID EXPUNGE {wanted}")


def _append(mailbox: str, *messages: bytes) -> bytes:
    return b" ".join((b"APPEND", mailbox.encode(), *messages))


def _dated(message: Message) -> bytes:
    flags = b"(\\Seen)" if message.seen else b"()"
    date = time.strftime("%d-%b-%Y %H:%M:%S +0000", message.received.utctimetuple())
    return _literal(message.data, b'%b "%b"' % (flags, date.encode()))


def _literal(message: bytes, arguments: bytes = b"()") -> bytes:
    return b"%b {%d+}\r\n%b" % (arguments, len(message), message)
