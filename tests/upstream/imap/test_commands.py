"""Each command as it goes over the wire, sets that are too long, values that are refused."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.pieces import Joined
from gateway.types import Uids
from gateway.upstream.imap import commands
from gateway.upstream.imap.sets import parse_set
from gateway.upstream.imap.syntax import Command, CommandError, Dialect, WireName
from gateway.upstream.sasl import Initial
from tests.upstream.imap.reading import server_reads

D = Dialect(literal_plus=True)
SYNC = Dialect()


def wire(*made: Command) -> list[str]:
    return [
        b"".join(bytes(Joined(tuple(step))) for step in one.steps("a")).decode("utf-8").removeprefix("a ")
        for one in made
    ]


LINES: list[tuple[Command, str]] = [
    (commands.simple("NOOP"), "NOOP\r\n"),
    (commands.login(D, "ann", 'p"w'), 'LOGIN "ann" "p\\"w"\r\n'),
    (commands.login(D, "ann", "pä"), 'LOGIN "ann" {3+}\r\npä\r\n'),
    (commands.enable(("CONDSTORE", "QRESYNC")), "ENABLE CONDSTORE QRESYNC\r\n"),
    (commands.client_id(D, None), "ID NIL\r\n"),
    (commands.client_id(D, {"name": "x", "version": "1"}), 'ID ("name" "x" "version" "1")\r\n'),
    (commands.list_mailboxes(D), 'LIST "" "*"\r\n'),
    (
        commands.list_mailboxes(D, "ü%", returns=("CHILDREN",), status=("SIZE", "UIDNEXT")),
        'LIST "" "&APw-%" RETURN (CHILDREN STATUS (SIZE UIDNEXT))\r\n',
    ),
    (commands.status(D, "inbox", ("MESSAGES", "SIZE")), 'STATUS "INBOX" (MESSAGES SIZE)\r\n'),
    (commands.select(D, "a b"), 'SELECT "a b"\r\n'),
    (commands.select(D, "x", condstore=True), 'SELECT "x" (CONDSTORE)\r\n'),
    (commands.select(D, "x", qresync=(7, 90060115194045)), 'SELECT "x" (QRESYNC (7 90060115194045))\r\n'),
    (commands.on_mailbox(D, "CREATE", "a/b"), 'CREATE "a/b"\r\n'),
    (commands.on_mailbox(D, "DELETE", WireName("&A-")), 'DELETE "&A-"\r\n'),
    (commands.rename(D, "a", "b"), 'RENAME "a" "b"\r\n'),
    (commands.append(D, "x", b"hi"), 'APPEND "x" {2+}\r\nhi\r\n'),
    (
        commands.append(D, "x", b"hi", flags=("\\Seen", "$Forwarded"), date=datetime(2026, 1, 2, tzinfo=UTC)),
        'APPEND "x" (\\Seen $Forwarded) "02-Jan-2026 00:00:00 +0000" {2+}\r\nhi\r\n',
    ),
    (commands.uid_search(D, commands.key("ALL")), "UID SEARCH ALL\r\n"),
    (commands.uid_search(D, commands.key("ALL"), returns=()), "UID SEARCH RETURN () ALL\r\n"),
    (
        commands.uid_search(
            D,
            commands.key_date("SINCE", date(2026, 11, 2)),
            commands.key_header("Message-ID", '<"a"@x>'),
            commands.key_number("LARGER", 5),
            returns=("ALL", "COUNT"),
        ),
        'UID SEARCH RETURN (ALL COUNT) SINCE 02-Nov-2026 HEADER "Message-ID" "<\\"a\\"@x>" LARGER 5\r\n',
    ),
    (
        commands.uid_search(
            D,
            commands.key_or(
                commands.key_not(commands.key_flag("KEYWORD", "$Junk")),
                commands.key_and(commands.key("SEEN"), commands.key_text("SUBJECT", "ü")),
            ),
            commands.key_uids((1, 2, 3, 7)),
        ),
        "UID SEARCH CHARSET UTF-8 OR NOT KEYWORD $Junk (SEEN SUBJECT {2+}\r\nü) UID 1:3,7\r\n",
    ),
    (commands.uid_search(Dialect(utf8=True), commands.key_text("TEXT", "ü")), 'UID SEARCH TEXT "ü"\r\n'),
    (
        commands.notify_personal(("MessageNew", "FlagChange")),
        "NOTIFY SET (PERSONAL (MessageNew FlagChange))\r\n",
    ),
]


@pytest.mark.parametrize(("command", "expected"), LINES, ids=[expected.strip() for _, expected in LINES])
def test_lines(command: Command, expected: str) -> None:
    assert wire(command) == [expected]


def test_commands_with_uids() -> None:
    assert wire(*commands.uid_fetch((1, 2), ("UID", "FLAGS"))) == ["UID FETCH 1:2 (UID FLAGS)\r\n"]
    assert wire(*commands.uid_fetch((5,), ("FLAGS",), changed_since=7)) == [
        "UID FETCH 5 (FLAGS) (CHANGEDSINCE 7)\r\n"
    ]
    assert wire(*commands.uid_store((5,), "+", ("\\Seen", "x"), silent=True)) == [
        "UID STORE 5 +FLAGS.SILENT (\\Seen x)\r\n"
    ]
    assert wire(*commands.uid_store((5,), "", ())) == ["UID STORE 5 FLAGS ()\r\n"]
    assert wire(*commands.uid_copy(D, (5,), "inbox")) == ['UID COPY 5 "INBOX"\r\n']
    assert wire(*commands.uid_move(D, (5,), "ü")) == ['UID MOVE 5 "&APw-"\r\n']
    assert wire(*commands.uid_expunge((5, 6))) == ["UID EXPUNGE 5:6\r\n"]


MAKERS: list[Callable[[Uids], list[Command]]] = [
    lambda uids: commands.uid_fetch(uids, ("FLAGS",)),
    lambda uids: commands.uid_store(uids, "-", ("\\Seen",)),
    lambda uids: commands.uid_copy(D, uids, "x"),
    lambda uids: commands.uid_move(D, uids, "x"),
    commands.uid_expunge,
]


@pytest.mark.parametrize("make", MAKERS)
def test_long_sets_become_several_commands(make: Callable[[Uids], list[Command]]) -> None:
    uids = Uids(range(1, 20_000, 3))
    made = make(uids)
    assert len(made) > 1
    assert all(len(line) < 8000 for line in wire(*made))
    assert Uids().union(*(parse_set(line.split(" ")[2].strip()) for line in wire(*made))) == uids
    assert make(Uids()) == []


def test_sections() -> None:
    assert commands.section("") == "BODY.PEEK[]"
    assert commands.section("1.2.MIME") == "BODY.PEEK[1.2.MIME]"
    assert commands.section("HEADER", offset=5, length=10) == "BODY.PEEK[HEADER]<5.10>"
    assert commands.header_fields(("From", "x-y")) == "BODY.PEEK[HEADER.FIELDS (FROM X-Y)]"
    items = (commands.header_fields(("From", "x-y")), commands.section("", offset=1, length=2))
    assert wire(*commands.uid_fetch((1,), items)) == [
        "UID FETCH 1 (BODY.PEEK[HEADER.FIELDS (FROM X-Y)] BODY.PEEK[]<1.2>)\r\n"
    ]


@pytest.mark.parametrize("name", ["0", "1.", ".1", "1.HEADER.2", "x", "1]", "1 2", "1\r\n", "١"])
def test_what_is_no_section(name: str) -> None:
    with pytest.raises(CommandError):
        commands.section(name)


@pytest.mark.parametrize(("offset", "length"), [(-1, 5), (0, 0), (0, -1), (5, None)])
def test_what_is_no_range(offset: int, length: int | None) -> None:
    with pytest.raises(CommandError):
        commands.section("1", offset=offset, length=length)


@pytest.mark.parametrize(
    "item",
    [
        "",
        "flags",
        "FLAGS UID",
        "FLAGS)",
        "BODY[",
        "BODY[]]",
        "BODY[(A)]",
        "FLAGS\r\n",
        "BODY[HEADER.FIELDS ()]",
    ],
)
def test_what_is_no_fetch_item(item: str) -> None:
    with pytest.raises(CommandError):
        commands.uid_fetch((1,), ("FLAGS", item))


@pytest.mark.parametrize("name", ["", "a b", "a b)] (", "a\r\nb", "a]", "a)", "ü", '"a"', "{5}", "a:", "a\\"])
def test_what_is_no_field_name(name: str) -> None:
    with pytest.raises(CommandError):
        commands.header_fields(("From", name))


def test_nothing_to_fetch() -> None:
    with pytest.raises(CommandError):
        commands.uid_fetch((1,), ())


REFUSED: list[Callable[[], object]] = [
    lambda: commands.simple("NOOP\r\nx"),
    lambda: commands.login(D, "a\0", "b"),
    lambda: commands.enable(("A B",)),
    lambda: commands.status(D, "x", ("MESSAGES) (",)),
    lambda: commands.append(D, "x", b"", flags=("\\Seen)",)),
    lambda: commands.append(D, "x", b"\0"),
    lambda: commands.append(D, "x", b"", date=datetime(2026, 1, 1)),  # noqa: DTZ001 (what is refused)
    lambda: commands.uid_store((1,), "x", ()),
    lambda: commands.uid_store((1,), "+", ("a b",)),
    lambda: commands.uid_expunge((0,)),
    lambda: commands.uid_expunge((2**32,)),
    lambda: commands.uid_search(D),
    lambda: commands.key("ALL SEEN"),
    lambda: commands.key_flag("KEYWORD", "a b"),
    lambda: commands.key_text("SUBJECT", "\0"),
    lambda: commands.key_uids(()),
    lambda: commands.key_uids((2**40,)),
    lambda: commands.notify_personal(("MessageNew)",)),
]


@pytest.mark.parametrize("make", REFUSED, ids=range(len(REFUSED)))
def test_refused(make: Callable[[], object]) -> None:
    with pytest.raises(CommandError):
        make()


def steps(command: Command) -> list[bytes]:
    return [bytes(Joined(tuple(step))) for step in command.steps("a")]


def test_authenticate() -> None:
    plain = Initial("PLAIN", "\0ann\0pä".encode())
    first, answer = steps(commands.authenticate(plain, at_once=False))
    assert first == b"a AUTHENTICATE PLAIN\r\n"
    assert b64decode(answer) == "\0ann\0pä".encode()
    (line,) = steps(commands.authenticate(plain, at_once=True))
    assert line == b"a AUTHENTICATE PLAIN " + answer
    token = Initial("OAUTHBEARER", b"token", b"\x01")
    first, answer, surrender = steps(commands.authenticate(token, at_once=False))
    assert (first, answer, surrender) == (b"a AUTHENTICATE OAUTHBEARER\r\n", b"dG9rZW4=\r\n", b"AQ==\r\n")
    assert steps(commands.authenticate(token, at_once=True))[1:] == [surrender]
    for command in (commands.authenticate(plain, at_once=True), commands.authenticate(token, at_once=False)):
        assert answer[:4].decode() not in repr(command)


_any_text = st.text() | st.text(st.sampled_from('\r\n"\\{}()+* 5a1ü&-\0'))


@given(_any_text, _any_text, st.sampled_from([SYNC, D, Dialect(utf8=True)]))
def test_no_text_becomes_syntax(one: str, other: str, dialect: Dialect) -> None:
    try:
        made = commands.login(dialect, one, other)
    except CommandError:
        assert any("\0" in text or max(text, default="") >= "\ud800" for text in (one, other))
        return
    assert server_reads(made) == ["LOGIN", one.encode(), other.encode()]
    found = server_reads(commands.uid_search(dialect, commands.key_header(one, other)))
    assert found[-3:] == ["HEADER", one.encode(), other.encode()]
    assert len(server_reads(commands.rename(dialect, one, other))) == 3


@given(_any_text)
def test_no_flag_becomes_syntax(text: str) -> None:
    try:
        (stored,) = commands.uid_store((1,), "+", (text,))
        found = commands.uid_search(SYNC, commands.key_flag("KEYWORD", text))
    except CommandError:
        return
    assert server_reads(stored) == ["UID", "STORE", "1", "+FLAGS", [text]]
    assert server_reads(found) == ["UID", "SEARCH", "KEYWORD", text]


@given(_any_text)
def test_no_field_name_becomes_syntax(text: str) -> None:
    try:
        (command,) = commands.uid_fetch((1,), (commands.header_fields((text,)),))
    except CommandError:
        return
    assert set(text).isdisjoint(' \r\n()[]{"\\')
    assert wire(command) == [f"UID FETCH 1 (BODY.PEEK[HEADER.FIELDS ({text.upper()})])\r\n"]
