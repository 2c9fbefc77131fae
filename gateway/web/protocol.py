"""HTTP/1.1 by uvicorn and httptools, with limits for whoever has not logged in yet.

uvicorn bounds neither the head of a request nor the time it may take; these limits need no configuration,
since no client comes near them:

    the head, or whatever else comes without being body    64 KiB     431 (RFC 6585 5)
    the URL                                                 8 KiB     414
    from the connection or the first byte to a whole head   30 s      closed
    what is left of a body once the request is answered     30 s      closed
    an answer of which the client takes nothing             300 s     cut off
    requests sent ahead of an answer                        8         closed
    connections that never sent a head yet                  2,048     the oldest is closed, after a second
    connections that have their answer and say nothing      16,384    the one longest silent is closed

How fast a body has to come while somebody reads it is told in `http.read_body`.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any
from weakref import WeakKeyDictionary

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

__all__ = ["BoundedProtocol"]

MAX_HEAD = 64 * 1024
MAX_URL = 8 * 1024
HEAD_SECONDS = 30.0
STALL_SECONDS = 300.0
"""How long the client may leave full what is to be sent, which is one piece of an answer at most."""
MAX_AHEAD = 8
MAX_STRANGERS = 2048
"""Connections without a head; at most half of the files the process may open."""
MOST_STRANGERS = 4 * MAX_STRANGERS
"""The same with those so new that nobody may have read what they sent: after a restart all phones come at
once, and are accepted before any of them is read."""
NEW_SECONDS = 5.0
MAX_IDLE = 8 * MAX_STRANGERS
"""Connections between two requests; at most a quarter of the files."""

_REFUSALS = {
    414: b"HTTP/1.1 414 URI Too Long\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
}

_strangers: WeakKeyDictionary[ServerState, dict[BoundedProtocol, float]] = WeakKeyDictionary()
"""Connections of a server that never sent a head, the oldest first, and when they were made."""
_idle: WeakKeyDictionary[ServerState, dict[BoundedProtocol, None]] = WeakKeyDictionary()
"""Connections of a server that have their answer and sent no further head, the one longest silent first."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. To be given to `uvicorn.Config` as `http`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._strangers = _strangers.setdefault(server_state, {})
        self._idle = _idle.setdefault(server_state, {})
        self._held = 0
        """Bytes read since the parser last came to the end of a head or told of body: it keeps them."""
        self._unanswered = 0
        self._refused = False
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count the time."""
        super().connection_made(transport)
        self._close_in(HEAD_SECONDS)
        self._make_room()
        self._strangers[self] = self.loop.time()

    def _make_room(self) -> None:
        """Close the stranger that is silent for longest if there are too many."""
        count = len(self._strangers)
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if count >= min(MAX_STRANGERS, files // 2):
            oldest, since = next(iter(self._strangers.items()))
            # The loop's own time, which stands still while it does nothing but accept.
            if count >= min(MOST_STRANGERS, files // 2) or self.loop.time() - since >= NEW_SECONDS:
                oldest.close()

    def _rest(self) -> None:
        """Count the connection as idle; close the one that is so for longest if there are too many."""
        self._idle[self] = None
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if len(self._idle) > min(MAX_IDLE, files // 4):
            next(iter(self._idle)).close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._forget()
        self._disarm()
        self._flows()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take what is sent to it."""
        super().pause_writing()
        self._flows()
        self._stall = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It took most of it."""
        self._flows()
        super().resume_writing()

    def _flows(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def close(self) -> None:
        """Close without a word."""
        self._forget()
        self._refused = True
        self._disarm()
        self.transport.close()

    def _forget(self) -> None:
        self._strangers.pop(self, None)
        self._idle.pop(self, None)

    def data_received(self, data: bytes) -> None:
        """Parse in pieces no larger than what a head may still have."""
        rest = memoryview(data)
        while rest and not self._refused and not self.transport.is_closing():
            piece, rest = rest[: MAX_HEAD - self._held], rest[MAX_HEAD - self._held :]
            self._held += len(piece)
            super().data_received(bytes(piece))
            if self._held >= MAX_HEAD:
                self._refuse(431)
        if not self._unanswered and self._deadline is None and not self.transport.is_closing():
            self._close_in(HEAD_SECONDS)

    # --- what the parser tells -----------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        """Called for each piece of the URL."""
        super().on_url(url)
        if len(self.url) > MAX_URL:
            self._refuse(414)

    def on_headers_complete(self) -> None:
        """The request begins."""
        self._held = 0
        self._forget()
        self._disarm()
        if len(self.pipeline) >= MAX_AHEAD:
            self.close()
        if not self._refused:
            self._unanswered += 1
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Called for each piece of the body."""
        self._held = 0
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The request was read to its end."""
        self._held = 0
        if self._refused:
            return
        super().on_message_complete()
        if not self._unanswered:
            # The answer came first; what follows now is an idle connection.
            self._close_in(self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        """A request was answered."""
        self._unanswered -= 1
        if not self._unanswered and not self.transport.is_closing():
            self._rest()
        super().on_response_complete()

    # --- ends ----------------------------------------------------------------------------------------------

    def _refuse(self, code: int) -> None:
        if self._refused:
            return
        if not self._unanswered and not self.transport.is_closing():
            self.transport.write(_REFUSALS[code])
        self.close()

    def _close_in(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self.close)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
