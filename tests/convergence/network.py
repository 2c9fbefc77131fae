"""The network between a phone and the gateway: real connections, on which things go wrong as told.

Every exchange is one HTTP request on a connection of its own. Its fate says what the network does with it.
Whatever the fate, the gateway sees what it would see of a real network: bytes, and connections that end.
"""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass, field
from enum import Enum, auto

SECONDS = 90.0
LONGEST_CUT = 3000
"""Octets of a reply at the most before its connection breaks."""
_NO_ANSWER_FOR_THE_PROXY = frozenset({502, 504})
_RESET = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing resets the connection instead of ending it in order."""


class Fate(Enum):
    """What becomes of an exchange."""

    ARRIVES = auto()
    REPLY_LOST = auto()
    """The gateway answers, nobody hears it."""
    REPLY_CUT = auto()
    """The connection breaks at some byte of the reply."""
    REQUEST_CUT = auto()
    """The connection breaks at some byte of the request."""
    HUNG_UP = auto()
    """The phone is gone while the gateway works."""
    TWICE = auto()
    """The request comes a second time, after its answer."""
    AT_ONCE = auto()
    """The request comes twice at the same time; the phone hears one of the answers."""
    LATE = auto()
    """The request arrives, and a copy of it comes much later."""
    OVERTAKEN = auto()
    """The phone hears nothing; the request arrives only after later ones."""


class NoReply(Exception):
    """The phone got no (whole) answer and cannot know what became of its request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    code: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after: float = 0.0
    """Seconds after which the phone is asked to come again."""


@dataclass(slots=True)
class Network:
    """Carries the exchanges of one phone to a port of this machine.

    `proxied` says that a proxy is there, which answers in the place of a gateway that does not.
    """

    port: int
    host: str = "127.0.0.1"
    proxied: bool = False
    seconds: float = SECONDS
    """How long the phone waits for anything to come."""
    _late: list[bytes] = field(default_factory=list)

    def exchange(self, request: bytes, fate: Fate = Fate.ARRIVES, position: float = 0.5) -> Answer:
        """Send a request and return its answer.

        `position`, from 0 to 1, is where it is cut or when it is hung up, and which of two answers is heard.
        Raises `NoReply`.
        """
        match fate:
            case Fate.REPLY_LOST:
                self._carry(request)
                raise NoReply("reply lost")
            case Fate.REPLY_CUT:
                length = int(position * LONGEST_CUT)
                self._carry(request, length)
                raise NoReply(f"reply cut at byte {length}")
            case Fate.REQUEST_CUT:
                self._send_part(request[: int(len(request) * position)], 0.0)
                raise NoReply("request cut")
            case Fate.HUNG_UP:
                self._send_part(request, position * 0.04)
                raise NoReply("hung up")
            case Fate.TWICE:
                answers = [self._carry(request), self._carry(request)]
                return self._parse(answers[position > 0.5])
            case Fate.AT_ONCE:
                return self.both(request)[position > 0.5]
            case Fate.OVERTAKEN:
                self._late.append(request)
                raise NoReply("overtaken")
            case Fate.LATE:
                self._late.append(request)
        return self._parse(self._carry(request))

    def deliver_late(self) -> int:
        """Let the copies come that were on their way; returns how many. Nobody hears the answers."""
        late, self._late = self._late, []
        for request in late:
            self._carry(request)
        return len(late)

    def both(self, request: bytes) -> list[Answer]:
        """Send a request twice at the same time; returns both answers. Raises `NoReply`."""
        answers: list[bytes] = [b"", b""]

        def ask(number: int) -> None:
            answers[number] = self._carry(request)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [self._parse(answer) for answer in answers]

    def _carry(self, request: bytes, length: int | None = None) -> bytes:
        """All octets the gateway answers until it closes; fewer when it dies, none when it is not there.

        With a `length`, the connection breaks when so many have come.
        """
        pieces: list[bytes] = []
        try:
            with socket.create_connection((self.host, self.port), timeout=self.seconds) as connection:
                connection.sendall(request)
                left = 65536 if length is None else length
                while left and (piece := connection.recv(min(left, 65536))):
                    pieces.append(piece)
                    left -= 0 if length is None else len(piece)
                if length is not None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except TimeoutError:
            raise
        except OSError:
            return b""
        return b"".join(pieces)

    def _send_part(self, data: bytes, seconds: float) -> None:
        try:
            with socket.create_connection((self.host, self.port), timeout=self.seconds) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                connection.sendall(data)
                threading.Event().wait(seconds)
        except TimeoutError:
            raise
        except OSError:
            return

    def _parse(self, octets: bytes) -> Answer:
        """Read an answer. Raises `NoReply` when it is not whole, be it for a proxy."""
        head, blank, body = octets.partition(b"\r\n\r\n")
        if not blank:
            raise NoReply("no answer")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if len(body) != int(headers.get("content-length", 0)):
            raise NoReply("the answer ends too early")
        code = int(status.split()[1])
        if self.proxied and code in _NO_ANSWER_FOR_THE_PROXY:
            raise NoReply(f"no answer for the proxy: {code}")
        again = float(headers.get("retry-after", 0))
        return Answer(code, headers.get("content-type", ""), body, again)
