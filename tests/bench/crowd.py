"""An IMAP server in a process of its own for more users than a real one can hold on the same machine.

Everybody may log in, and has an INBOX that is empty until `XNEWS user` is said, over any connection. It knows
what a gateway needs in order to watch: SELECT with QRESYNC, NOTIFY, IDLE, STATUS and LIST.
"""

from __future__ import annotations

import asyncio
import base64
import re
import resource
from collections import Counter, defaultdict
from typing import cast

from tests.bench.servers import ServerProcess, serve

__all__ = ["Crowd"]

_CAPABILITIES = (
    "IMAP4rev1 SASL-IR AUTH=PLAIN LITERAL+ ENABLE CONDSTORE QRESYNC ESEARCH UIDPLUS MOVE IDLE NAMESPACE"
    " LIST-EXTENDED LIST-STATUS SPECIAL-USE NOTIFY"
)
_FIXED = {
    "CAPABILITY": f"* CAPABILITY {_CAPABILITIES}",
    "ENABLE": "* ENABLED QRESYNC",
    "NAMESPACE": '* NAMESPACE (("" "/")) NIL NIL',
}
_MAILBOXES = (("", "INBOX"), ("\\Drafts", "Drafts"), ("\\Sent", "Sent"), ("\\Trash", "Trash"))


class _Users:
    """How many messages each user has, and who is told of new ones."""

    def __init__(self) -> None:
        self.messages: Counter[str] = Counter()
        self.watchers: defaultdict[str, set[_Session]] = defaultdict(set)

    def news(self, user: str) -> None:
        """One more message."""
        self.messages[user] += 1
        for session in self.watchers[user]:
            session.tell(self.messages[user])


class _Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, users: _Users) -> None:
        self._users = users
        self._user = ""
        self._rest = b""
        self._idle = ""
        self._seen: int | None = None
        """How many messages the client was told of in the selected INBOX."""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it
        self._say(f"* OK [CAPABILITY {_CAPABILITIES}] ready")

    def connection_lost(self, exc: Exception | None) -> None:
        self._users.watchers[self._user].discard(self)

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        for line in lines:
            self._obey(line.decode())

    def tell(self, messages: int) -> None:
        """There are so many messages now."""
        self._say(f"* {messages} EXISTS" if self._idle else f"* STATUS INBOX ({self._status()})")

    def _say(self, line: str) -> None:
        assert self._transport is not None
        self._transport.write(line.encode() + b"\r\n")

    def _status(self) -> str:
        there = self._users.messages[self._user]
        return f"MESSAGES {there} UIDNEXT {there + 1} UIDVALIDITY 7 UNSEEN {there} HIGHESTMODSEQ {there + 1}"

    def _obey(self, line: str) -> None:
        if line == "DONE":
            self._users.watchers[self._user].discard(self)
            tag, self._idle = self._idle, ""
            self._say(f"{tag} OK done")
            return
        tag, name, *rest = line.split(" ", 2)
        if name == "IDLE":
            self._users.watchers[self._user].add(self)
            self._idle = tag
            self._say("+ idling")
            return
        self._answer(name, rest[0] if rest else "")
        there = self._users.messages[self._user]
        if self._seen not in {None, there}:
            self._seen = there
            self._say(f"* {there} EXISTS")
        self._say(f"{tag} OK done")

    def _answer(self, name: str, arguments: str) -> None:
        """Say what comes before the OK. Commands that need no more than that are not named."""
        if name in _FIXED:
            self._say(_FIXED[name])
        match name:
            case "AUTHENTICATE":
                self._user = base64.b64decode(arguments.rsplit(maxsplit=1)[-1]).split(b"\0")[1].decode()
            case "LOGIN":
                self._user = arguments.split(maxsplit=1)[0]
            case "LIST":
                self._list("STATUS" in arguments)
            case "STATUS":
                self._say(f"* STATUS {arguments.split(maxsplit=1)[0]} ({self._status()})")
            case "SELECT":
                self._select(arguments)
            case "NOTIFY":
                self._users.watchers[self._user].add(self)
            case "XNEWS":
                self._users.news(arguments)

    def _list(self, status: bool) -> None:
        for attribute, mailbox in _MAILBOXES:
            self._say(f'* LIST (\\HasNoChildren {attribute}) "/" {mailbox}'.replace(" )", ")"))
            if status:
                self._say(f"* STATUS {mailbox} (UIDVALIDITY 7)")

    def _select(self, arguments: str) -> None:
        self._seen = there = self._users.messages[self._user]
        self._say("* FLAGS (\\Seen \\Deleted \\Flagged \\Answered)")
        self._say(f"* {there} EXISTS")
        self._say("* OK [UIDVALIDITY 7] valid")
        self._say(f"* OK [UIDNEXT {there + 1}] next")
        self._say(f"* OK [HIGHESTMODSEQ {there + 1}] newest")
        known = re.search(r"QRESYNC \(7 (\d+)", arguments)
        for number in range(int(known[1]) if known else there + 1, there + 1):
            self._say(f"* {number} FETCH (UID {number} FLAGS () MODSEQ ({number + 1}))")


class Crowd(ServerProcess):
    """The process; a context manager."""

    module = "tests.bench.crowd"
    password = "pw"


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    users = _Users()
    serve(lambda: _Session(users))
