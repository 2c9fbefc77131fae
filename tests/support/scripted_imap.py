"""An IMAP server that does what no real one does on demand: it answers from a script, and misbehaves."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from gateway.types import Password, Principal, UserId
from gateway.upstream.imap.settings import ImapSettings

CAPABILITIES = (
    "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ ENABLE CONDSTORE QRESYNC ESEARCH UIDPLUS MOVE IDLE NAMESPACE"
)
CREDENTIALS = Password("user", "secret")
PRINCIPAL = Principal(UserId("user"), "user@example.test", CREDENTIALS)

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r\n$")


class Cut(Exception):
    """Raised in an answer to drop the connection without a word."""


class Silence(Exception):
    """Raised in an answer to say nothing, now or later."""


@dataclass(slots=True)
class Connection:
    """One client. `limit` octets are sent, then the connection is cut; `refuse_literals` says NO to each."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    limit: int | None = None
    sent: int = 0
    refuse_literals: bool = False
    commands: list[str] = field(default_factory=list)

    async def send(self, data: bytes) -> None:
        if self.limit is not None and self.sent + len(data) > self.limit:
            self.writer.write(data[: self.limit - self.sent])
            await self.writer.drain()
            raise Cut
        self.sent += len(data)
        self.writer.write(data)
        await self.writer.drain()

    async def command(self) -> tuple[str, str]:
        """The tag and the rest of the next command, literals in place."""
        line = await self.reader.readline()
        while literal := _LITERAL.search(line):
            if self.refuse_literals:
                await self.send(line.partition(b" ")[0] + b" NO [OVERQUOTA] full\r\n")
                return await self.command()
            if not literal[2]:
                await self.send(b"+ go on\r\n")
            line += await self.reader.readexactly(int(literal[1])) + await self.reader.readline()
        if not line:
            raise Cut
        tag, _, rest = line.decode("utf-8", "replace").rstrip("\r\n").partition(" ")
        self.commands.append(rest)
        return tag, rest


Answer = bytes | Callable[[Connection, str, str], Awaitable[None]]
"""What to send, `TAG` standing for the command's tag; or what to do with (connection, tag, command)."""

POLITE: dict[str, Answer] = {
    "GREETING": f"* OK [CAPABILITY {CAPABILITIES}] hello\r\n".encode(),
    "CAPABILITY": f"* CAPABILITY {CAPABILITIES}\r\nTAG OK done\r\n".encode(),
    "AUTHENTICATE": f"TAG OK [CAPABILITY {CAPABILITIES}] welcome\r\n".encode(),
    "LOGIN": b"TAG OK welcome\r\n",
    "ENABLE": b"* ENABLED QRESYNC\r\nTAG OK done\r\n",
    "NAMESPACE": b'* NAMESPACE (("" "/")) NIL NIL\r\nTAG OK done\r\n',
    "NOOP": b"TAG OK done\r\n",
    "LIST": b'* LIST (\\HasNoChildren) "/" INBOX\r\nTAG OK done\r\n',
    "SELECT": (
        b"* FLAGS (\\Seen \\Deleted)\r\n* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok\r\n"
        b"* OK [HIGHESTMODSEQ 9] ok\r\nTAG OK [READ-WRITE] done\r\n"
    ),
    "UID SEARCH": b'* ESEARCH (tag "TAG") UID ALL 1:3 COUNT 3\r\nTAG OK done\r\n',
    "UID FETCH": (
        b'* 1 FETCH (UID 1 FLAGS (\\Seen) INTERNALDATE "01-Jan-2026 00:00:00 +0000" RFC822.SIZE 12'
        b' BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 2 1) BODY[HEADER] {10}\r\nA: b\r\n\r\nxx)\r\n'
        b"TAG OK done\r\n"
    ),
    "UID STORE": b"TAG OK done\r\n",
    "UID MOVE": b"* OK [COPYUID 8 1:3 11:13] moved\r\n* VANISHED 1:3\r\nTAG OK done\r\n",
    "APPEND": b"TAG OK [APPENDUID 7 4] done\r\n",
    "CREATE": b"TAG OK done\r\n",
    "SUBSCRIBE": b"TAG OK done\r\n",
    "LOGOUT": b"* BYE bye\r\nTAG OK done\r\n",
}


async def idle(connection: Connection, tag: str, _command: str) -> None:
    """Idles until DONE."""
    await connection.send(b"+ idling\r\n")
    done, _ = await connection.command()
    await connection.send(f"{tag} {'OK' if done.upper() == 'DONE' else 'BAD'} idled\r\n".encode())


async def status(connection: Connection, tag: str, command: str) -> None:
    """Tells of the mailbox that was asked for what SELECT tells."""
    mailbox = command.partition(" ")[2].rpartition(" (")[0]
    told = f"* STATUS {mailbox} (MESSAGES 3 UIDNEXT 4 UIDVALIDITY 7 UNSEEN 3)\r\n"
    await connection.send(f"{told}{tag} OK done\r\n".encode())


POLITE |= {"IDLE": idle, "STATUS": status}


class ScriptedServer:
    """Answers by the first word of a command, by two after UID. `connections` are all there ever were."""

    def __init__(self, answers: Mapping[str, Answer], limit: int | None) -> None:
        self._answers: dict[str, Answer] = {**POLITE, **answers}
        self._limit = limit
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections: list[Connection] = []
        self.settings = ImapSettings("127.0.0.1", 0, "none", poll_interval=0.1)

    def answer(self, name: str, answer: Answer) -> None:
        """Answer differently from now on."""
        self._answers[name] = answer

    @property
    def open(self) -> int:
        """How many clients are connected."""
        return len(self._tasks)

    @property
    def commands(self) -> list[str]:
        """Everything any client said."""
        return [command for connection in self.connections for command in connection.commands]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection(reader, writer, self._limit)
        self.connections.append(connection)
        with suppress(asyncio.CancelledError):
            # Cancelled when the test is over; asyncio would report it.
            try:
                await self._converse(connection)
            except (Cut, ConnectionError, asyncio.IncompleteReadError):
                writer.transport.abort()
            except Silence:
                await reader.read()
        writer.close()
        self._tasks.discard(task)

    async def _converse(self, connection: Connection) -> None:
        await self._act("GREETING", connection, "", "")
        while True:
            tag, command = await connection.command()
            words = command.upper().split(" ")
            await self._act(" ".join(words[: 1 + (words[0] == "UID")]), connection, tag, command)

    async def _act(self, name: str, connection: Connection, tag: str, command: str) -> None:
        answer = self._answers.get(name, b"TAG BAD unknown\r\n")
        if isinstance(answer, bytes):
            await connection.send(
                answer.replace(b"TAG ", tag.encode() + b" ").replace(b'"TAG"', b'"%b"' % tag.encode())
            )
        else:
            await answer(connection, tag, command)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def cut(_connection: Connection, _tag: str, _command: str) -> None:
    raise Cut


async def silence(_connection: Connection, _tag: str, _command: str) -> None:
    raise Silence


@asynccontextmanager
async def scripted(
    answers: Mapping[str, Answer] | None = None, *, limit: int | None = None, patience: float = 5.0
) -> AsyncIterator[ScriptedServer]:
    """Runs one on a free loopback port. `patience` is the time-out of its settings."""
    script = ScriptedServer(answers or {}, limit)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port: int = server.sockets[0].getsockname()[1]
    script.settings = ImapSettings("127.0.0.1", port, "none", timeout=patience, poll_interval=0.1)
    try:
        yield script
    finally:
        server.close()
        await script.aclose()
