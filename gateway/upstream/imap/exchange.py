"""Commands under way: when their octets go out, and which of them a response belongs to (RFC 3501 5.5)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from gateway.upstream.imap.responses import Condition, Response, ResponseCode, Status, Tagged
from gateway.upstream.imap.syntax import Command, Step

T = TypeVar("T")

Ended = Callable[[Tagged, list[Response]], None]


def printable(text: str) -> str:
    """A server's text made fit for one log line."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command ended, and what was said meanwhile."""

    tagged: Tagged
    responses: tuple[Response, ...] = field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the server said OK."""
        return self.tagged.status is Condition.OK

    @property
    def detail(self) -> str:
        """The tagged response for a log."""
        return f"{self.tagged.status} {printable(self.tagged.text)}"

    def of(self, kind: type[T]) -> Iterator[T]:
        """The untagged responses of one kind."""
        return (response for response in self.responses if isinstance(response, kind))

    def code(self, name: str) -> ResponseCode | None:
        """The last response code of that name, in the tagged response or an untagged OK."""
        if self.tagged.code and self.tagged.code.name == name:
            return self.tagged.code
        codes = [status.code for status in self.of(Status) if status.code and status.code.name == name]
        return codes[-1] if codes else None


@dataclass(slots=True, eq=False)
class Pending:
    """A command on its way. `ended` is called the moment its tagged response has come."""

    command: Command
    tag: str
    future: asyncio.Future[Reply]
    began: float
    ended: Ended | None = None
    steps: list[Step] = field(init=False)
    responses: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = self.command.steps(self.tag)
        self.future.add_done_callback(retrieve)


class Exchange:
    """Pipelines commands. One that waits for leave to send a literal holds up those behind it."""

    def __init__(self, write: Callable[[Step], None]) -> None:
        self._write = write
        # A list, like other queues here: they are short, and an empty deque takes 760 octets a connection.
        self._unsent: list[Pending] = []
        self._sent: dict[str, Pending] = {}
        self._half_sent: Pending | None = None

    @property
    def busy(self) -> bool:
        """Whether a command has not ended."""
        return bool(self._sent or self._unsent)

    @property
    def oldest(self) -> Pending | None:
        """The command the server is at: untagged responses are its own."""
        return next(iter(self._sent.values()), None)

    def send(self, pending: Pending) -> None:
        """Send a command, as soon as those before it allow."""
        self._unsent.append(pending)
        self._send_more()

    def continued(self) -> bool:
        """The server asked for more; False when nobody has more to say."""
        if self._half_sent is None:
            return False
        self._send_step(self._half_sent)
        self._send_more()
        return True

    def ended(self, tagged: Tagged) -> Pending | None:
        """The command a tagged response belongs to, after its future and its callback have been told."""
        pending = self._sent.pop(tagged.tag, None)
        if pending is None:
            return None
        if self._half_sent is pending:
            self._half_sent = None
        if pending.ended is not None:
            pending.ended(tagged, pending.responses)
        if not pending.future.done():
            pending.future.set_result(Reply(tagged, tuple(pending.responses)))
        self._send_more()
        return pending

    def abandon(self) -> list[asyncio.Future[Reply]]:
        """Give up; returns what the commands' owners wait for."""
        waiting = [pending.future for pending in (*self._sent.values(), *self._unsent)]
        self._sent.clear()
        self._unsent.clear()
        self._half_sent = None
        return waiting

    def _send_more(self) -> None:
        while self._unsent and self._half_sent is None:
            pending = self._unsent.pop(0)
            if not pending.future.cancelled():
                self._sent[pending.tag] = pending
                self._send_step(pending)

    def _send_step(self, pending: Pending) -> None:
        self._write(pending.steps.pop(0))
        self._half_sent = pending if pending.steps else None


def retrieve(future: asyncio.Future[T]) -> None:
    """Look at the exception, so that asyncio does not report futures nobody waits for any more."""
    if not future.cancelled():
        future.exception()
