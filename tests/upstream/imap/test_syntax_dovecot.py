"""Commands and reader against a real Dovecot, over a bare socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TypeVar

import pytest

from gateway.mail.pieces import Joined
from gateway.types import FLAGGED, SEEN, Uids
from gateway.upstream.imap import commands
from gateway.upstream.imap.responses import (
    AppendUid,
    Capability,
    Condition,
    Continuation,
    CopyUid,
    ESearch,
    Fetch,
    List,
    Response,
    StatusData,
    Tagged,
    Unparsed,
    Vanished,
)
from gateway.upstream.imap.syntax import Command, Dialect, WireName
from gateway.upstream.sasl import Initial
from tests.support.dovecot import Dovecot
from tests.upstream.imap.reading import reader

R = TypeVar("R")

MESSAGE = b"""\
From: Ann <ann@example.com>\r
To: "B. \\"B\\"" <b@example.org>\r
Subject: one (two :)\r
Message-ID: <1@example.com>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=b\r
\r
--b\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: 8bit\r
\r
gr\xc3\xbc\xc3\x9fe\r
--b\r
Content-Type: message/rfc822\r
Content-Disposition: attachment; filename=a.eml\r
\r
Subject: inner\r
Content-Type: multipart/alternative; boundary=c\r
\r
--c\r
\r
plain\r
--c\r
Content-Type: text/html\r
\r
<p>html\r
--c--\r
--b--\r
"""


class Client:
    """A connection on which one command at a time runs; whatever cannot be read fails the test."""

    def __init__(self, connection: socket.socket) -> None:
        self.dialect = Dialect()
        self._connection = connection
        self._reader = reader()
        self._count = 0
        self._receive()

    def _receive(self) -> list[Response]:
        found: list[Response] = []
        while not found or not self._reader.idle:
            data = self._connection.recv(50)  # small: literals and lines come in pieces
            assert data, "the server closed the connection"
            found += self._reader.feed(data)
        assert not [response for response in found if isinstance(response, Unparsed)]
        return found

    def run(self, command: Command) -> list[Response]:
        """All responses; the last is the tagged one, which must be OK."""
        self._count += 1
        tag = f"T{self._count}"
        found: list[Response] = []
        for index, step in enumerate(command.steps(tag)):
            while index and not any(isinstance(response, Continuation) for response in found):
                found += self._receive()
            found = [response for response in found if not isinstance(response, Continuation)]
            self._connection.sendall(bytes(Joined(tuple(step))))
        while not (found and isinstance(found[-1], Tagged)):
            found += self._receive()
        end = found[-1]
        assert isinstance(end, Tagged)
        assert (end.tag, end.status) == (tag, Condition.OK), end
        return found

    def code(self, command: Command) -> object:
        end = self.run(command)[-1]
        assert isinstance(end, Tagged)
        return end.code.value if end.code else None


@contextmanager
def connected(dovecot: Dovecot, user: str) -> Iterator[Client]:
    with socket.create_connection(("127.0.0.1", dovecot.port), timeout=10) as connection:
        client = Client(connection)
        plain = Initial("PLAIN", f"\0{user}\0{dovecot.password}".encode())
        client.run(commands.authenticate(plain, at_once=False))
        yield client


@pytest.fixture
def client(dovecot: Dovecot, user: str) -> Iterator[Client]:
    with connected(dovecot, user) as one:
        yield one


def of(kind: type[R], found: list[Response]) -> list[R]:
    return [response for response in found if isinstance(response, kind)]


@pytest.mark.parametrize("plus", [False, True])
def test_a_message_both_ways(client: Client, plus: bool) -> None:
    dialect = Dialect(literal_plus=plus)
    when = datetime(2026, 11, 2, 10, 0, 0, tzinfo=UTC)
    stored = client.code(commands.append(dialect, "INBOX", MESSAGE, flags=(SEEN, "$Own"), date=when))
    assert isinstance(stored, AppendUid)
    (uid,) = stored.uids
    client.run(commands.select(dialect, "inbox", condstore=True))
    items = (
        *("UID", "FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODYSTRUCTURE", "MODSEQ"),
        commands.header_fields(("Subject", "X-None")),
        commands.section("1"),
        commands.section("2.2", offset=1, length=3),
        commands.section("9"),
        commands.section("", length=len(MESSAGE)),
    )
    (command,) = commands.uid_fetch((uid,), items)
    (found,) = of(Fetch, client.run(command))
    assert not found.faults
    assert (found.uid, found.size, found.internal_date) == (uid, len(MESSAGE), when)
    assert found.flags is not None
    assert {SEEN, "$Own"} <= found.flags
    assert found.modseq
    assert found.sections["BODY[HEADER.FIELDS (SUBJECT X-NONE)]"] == b"Subject: one (two :)\r\n\r\n"
    assert found.sections["BODY[1]"] == "grüße".encode()
    assert found.sections["BODY[2.2]<1>"] == b"p>h"
    assert not found.sections["BODY[9]"]
    assert found.sections["BODY[]<0>"] == MESSAGE
    structure = found.structure
    assert structure is not None
    text, message = structure.children
    assert (text.section, text.params, text.encoding) == ("1", {"charset": "utf-8"}, "8bit")
    assert (message.section, message.disposition_params) == ("2", {"filename": "a.eml"})
    (inner,) = message.children
    assert (inner.section, inner.subtype) == ("2", "alternative")
    assert [part.section for part in inner.children] == ["2.1", "2.2"]


NAMES = ["Entwürfe", "a & b", 'quo"te\\d', "台北/日本語", "{5}", "%x", "NIL", "x" * 200]


@pytest.mark.parametrize("name", NAMES)
def test_mailbox_names(client: Client, dovecot: Dovecot, name: str) -> None:
    name = dovecot.mailbox(name)
    client.run(commands.on_mailbox(client.dialect, "CREATE", name))
    listed = of(
        List, client.run(commands.list_mailboxes(client.dialect, returns=("CHILDREN",), status=("UIDNEXT",)))
    )
    (found,) = [one for one in listed if one.name == name]
    (again,) = of(
        StatusData, client.run(commands.status(client.dialect, WireName(found.raw_name), ("MESSAGES",)))
    )
    assert (again.mailbox, again.values) == (name, {"MESSAGES": 0})
    client.run(commands.on_mailbox(client.dialect, "DELETE", name))


def test_flags_search_copy_and_what_vanished(client: Client) -> None:
    for number in range(6):
        client.run(commands.append(client.dialect, "INBOX", b"Message-ID: <%d@x>\r\n\r\nx" % number))
    client.run(commands.on_mailbox(client.dialect, "CREATE", "target"))
    client.run(commands.enable(("QRESYNC",)))
    client.run(commands.select(client.dialect, "INBOX"))
    (status,) = of(
        StatusData, client.run(commands.status(client.dialect, "target", ("UIDVALIDITY", "HIGHESTMODSEQ")))
    )
    assert status.values["UIDVALIDITY"]
    (store,) = commands.uid_store((2, 4, 5), "+", (FLAGGED, "$Forwarded"))
    stored = of(Fetch, client.run(store))
    assert [fetch.uid for fetch in stored] == [2, 4, 5]
    assert all({FLAGGED, "$Forwarded"} <= (fetch.flags or frozenset()) for fetch in stored)
    search = commands.uid_search(
        client.dialect,
        commands.key("FLAGGED"),
        commands.key_date("SINCE", date(2020, 1, 1)),
        commands.key_not(commands.key_header("Message-ID", "<4@x>")),
        commands.key_not(commands.key_text("SUBJECT", "grüße")),
        returns=("ALL", "COUNT"),
    )
    (found,) = of(ESearch, client.run(search))
    assert (found.uid, found.all, found.count) == (True, Uids((2, 4)), 2)
    (copy,) = commands.uid_copy(client.dialect, (1, 2, 6), "target")
    copied = client.code(copy)
    assert isinstance(copied, CopyUid)
    assert list(copied.pairs()) == [(1, 1), (2, 2), (6, 3)]
    (store,) = commands.uid_store((1, 2, 5), "+", ("\\Deleted",), silent=True)
    client.run(store)
    (expunge,) = commands.uid_expunge((1, 2, 3))
    (vanished,) = of(Vanished, client.run(expunge))
    assert vanished == Vanished(Uids((1, 2)))


def test_sets_as_long_as_the_limit_are_taken(client: Client) -> None:
    client.run(commands.select(client.dialect, "INBOX"))
    made = commands.uid_fetch(range(1, 40_000, 2), ("FLAGS",))
    assert len(made) > 10
    for command in made[:2]:
        client.run(command)


def test_capabilities(client: Client) -> None:
    (found,) = of(Capability, client.run(commands.simple("CAPABILITY")))
    assert {"IMAP4REV1", "UIDPLUS", "LITERAL+"} <= found.names
