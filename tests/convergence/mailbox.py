"""The second mail program of the user: plain imaplib on Dovecot itself, past all faults but restarts."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from tests.convergence.ledger import Message
from tests.convergence.properties import EMPTY, PROPERTIES, Property, Values
from tests.support.dovecot import Dovecot

OLD = timedelta(days=60)
ATTEMPTS = 6
"""How often something is tried while the server is down, for three seconds in all."""
_LISTED = re.compile(rb'\((?P<attributes>[^)]*)\) "/" "?(?P<name>[^"]+)"?$')
_UID = re.compile(rb"UID (\d+)")
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")
_SUBJECT = re.compile(rb"(?im)^subject: *(\S+)")

T = TypeVar("T")


class MailProgram:
    """One connection, made anew when the server was restarted."""

    def __init__(self, server: Dovecot, user: str) -> None:
        self._server = server
        self._user = user
        self._client: imaplib.IMAP4 | None = None

    def close(self) -> None:
        """Log out."""
        if self._client is not None:
            try:
                self._client.logout()
            except (OSError, imaplib.IMAP4.error):
                self._client.shutdown()
            self._client = None

    def mailboxes(self) -> list[str]:
        """The names of all mailboxes that hold mail."""
        lines = self._do(lambda client: client.list())
        found = [_LISTED.search(line) for line in lines]
        names = [
            match["name"].decode() for match in found if match and b"\\Noselect" not in match["attributes"]
        ]
        return sorted(names)

    def deliver(self, mailbox: str, token: str, values: Values = EMPTY, *, old: bool = False) -> None:
        """Append a small message; every second one has no Message-ID."""
        text = message(token, named=token[-1:] in "02468")
        when = datetime.now(UTC) - (OLD if old else timedelta())
        flags = " ".join(
            flag for kind, value in zip(PROPERTIES, values, strict=True) for flag in sorted(kind.flags(value))
        )
        date = imaplib.Time2Internaldate(when)
        self._leave()
        self._do(lambda client: client.append(_quoted(mailbox), f"({flags})", date, text))

    def content(self, mailbox: str) -> dict[int, Message]:
        """The messages of a mailbox by UID; those marked \\Deleted are on their way out and not counted."""
        self._do(lambda client: client.select(_quoted(mailbox)))
        wanted = "(UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        pieces = self._do(lambda client: client.uid("FETCH", "1:*", wanted))
        found: dict[int, Message] = {}
        limit = datetime.now(UTC) - OLD / 2
        for piece in pieces:
            if not isinstance(piece, tuple):
                continue
            head, subject = piece
            uid, flags, token = _UID.search(head), _FLAGS.search(head), _SUBJECT.search(subject)
            assert uid is not None
            assert flags is not None
            assert token is not None
            marks = flags[1].decode().split()
            if "\\Deleted" in marks:
                continue
            date = imaplib.Internaldate2tuple(head)
            assert date is not None
            recent = datetime(*date[:6], tzinfo=UTC) > limit
            values = tuple(kind.kept(marks) for kind in PROPERTIES)
            found[int(uid[1])] = Message(token[1].decode(), values, recent)
        return found

    def flags(self, mailbox: str) -> dict[str, frozenset[str]]:
        """All flags of the messages of a mailbox, by token."""
        self._do(lambda client: client.select(_quoted(mailbox)))
        wanted = "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
        found: dict[str, frozenset[str]] = {}
        for piece in self._do(lambda client: client.uid("FETCH", "1:*", wanted)):
            if isinstance(piece, tuple):
                flags, token = _FLAGS.search(piece[0]), _SUBJECT.search(piece[1])
                assert flags is not None
                assert token is not None
                found[token[1].decode()] = frozenset(flags[1].decode().split())
        return found

    def mark(self, uid: int, kind: Property, value: str) -> None:
        """Change a property of a message in the mailbox looked at by `content`."""
        wanted = kind.flags(value)
        every = frozenset().union(*map(kind.flags, kind.values))
        self._store(uid, "+FLAGS", wanted)
        self._store(uid, "-FLAGS", every - wanted)

    def _store(self, uid: int, item: str, flags: frozenset[str]) -> None:
        if flags:
            self._do(lambda client: client.uid("STORE", str(uid), item, f"({' '.join(sorted(flags))})"))

    def move(self, uid: int, target: str) -> None:
        """Move a message from the mailbox looked at to another."""
        self._do(lambda client: client.uid("MOVE", str(uid), _quoted(target)))

    def expunge(self, uid: int) -> None:
        """Remove a message for good from the mailbox looked at."""
        self._do(lambda client: client.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)"))
        self._do(lambda client: client.uid("EXPUNGE", str(uid)))

    def create(self, mailbox: str) -> None:
        """Create a mailbox."""
        self._leave()
        self._do(lambda client: client.create(_quoted(mailbox)))

    def delete(self, mailbox: str) -> None:
        """Delete a mailbox with all it holds."""
        self._leave()
        self._do(lambda client: client.delete(_quoted(mailbox)))

    def rename(self, old: str, new: str) -> None:
        """Give a mailbox another name."""
        self._leave()
        self._do(lambda client: client.rename(_quoted(old), _quoted(new)))

    def _leave(self) -> None:
        """Be in a mailbox that stays.

        When another goes, the server does the next command and ends the connection before it tells so.
        """
        self._do(lambda client: client.select("INBOX"))

    def _do(self, action: Callable[[imaplib.IMAP4], tuple[str, list[Any]]]) -> list[Any]:
        """Do something; again on a new connection when the server was restarted meanwhile, or is just now.

        Also when it stumbles over a mailbox that was deleted and made again this moment: the connections of
        Dovecot may disagree about its index, once.
        """
        for attempt in range(ATTEMPTS):
            try:
                if self._client is None:
                    self._client = self._server.imap(self._user)
                status, data = action(self._client)
            except (OSError, imaplib.IMAP4.error):  # who comes while it stops is greeted by a BYE
                if self._client is not None:
                    self._client.shutdown()
                    self._client = None
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.2 * attempt)
                continue
            stumbled = (
                b"deleted under us" in data[0] or b"[SERVERBUG]" in data[0] if status == "NO" else False
            )
            if stumbled and not attempt:
                self.close()
                continue
            if status != "OK":
                raise AssertionError(f"{status} {data!r}")
            return data
        raise AssertionError("not reached")


def message(token: str, *, named: bool = True) -> bytes:
    """A small message that is known by its subject, and by a Message-ID too if `named`."""
    name = f"Message-ID: <{token}@convergence.example.test>\r\n" if named else ""
    return (
        f"From: Ann <ann@example.test>\r\nTo: Ben <ben@example.test>\r\nSubject: {token}\r\n"
        f"{name}Date: Sun, 01 Mar 2026 09:15:00 +0000\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe text of {token}.\r\n"
    ).encode()


def _quoted(mailbox: str) -> str:
    return f'"{mailbox}"'
