"""Arguments as they are written, and that none can be read as anything but itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.pieces import Joined
from gateway.upstream.imap import utf7
from gateway.upstream.imap.syntax import (
    Answer,
    Argument,
    Atom,
    Command,
    CommandError,
    Dialect,
    Flag,
    Group,
    Literal,
    Name,
    Octets,
    Text,
    WireName,
    build,
    mailbox,
)
from tests.upstream.imap.reading import Word, server_reads

PLAIN = Dialect()
DIALECTS = [
    Dialect(literal_plus=plus, literal_minus=minus, binary=binary, utf8=utf8)
    for plus in (False, True)
    for minus in (False, True)
    for binary in (False, True)
    for utf8 in (False, True)
]


def line(argument: Argument, dialect: Dialect = PLAIN) -> bytes:
    return b"".join(bytes(Joined(tuple(step))) for step in build(dialect, "X", (argument,)).steps("a"))


def test_capabilities_make_the_dialect() -> None:
    assert Dialect.of({"IMAP4REV1"}) == PLAIN
    assert Dialect.of({"LITERAL+", "BINARY", "UTF8=ACCEPT"}) == Dialect(literal_plus=True, binary=True)
    assert Dialect.of({"LITERAL-"}, {"UTF8=ACCEPT"}) == Dialect(literal_minus=True, utf8=True)
    assert Dialect.of({"IMAP4REV2"}, {"IMAP4REV2"}) == Dialect(literal_minus=True, binary=True, utf8=True)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (Atom("1:5,7"), b"a X 1:5,7\r\n"),
        (Flag("\\Seen"), b"a X \\Seen\r\n"),
        (Text(""), b'a X ""\r\n'),
        (Text("NIL"), b'a X "NIL"\r\n'),
        (Text('a "b" \\'), b'a X "a \\"b\\" \\\\"\r\n'),
        (Text("a{5}"), b'a X "a{5}"\r\n'),
        (Text("ü"), b"a X {2}\r\n\xc3\xbc\r\n"),
        (Text("a\r\nb"), b"a X {4}\r\na\r\nb\r\n"),
        (Text("x" * 1001), b"a X {1001}\r\n" + b"x" * 1001 + b"\r\n"),
        (WireName("a\udcff"), b"a X {2}\r\na\xff\r\n"),
        (Group(()), b"a X ()\r\n"),
        (Group((Atom("A"), Group((Text("b"),)), Octets(b""))), b'a X (A ("b") {0}\r\n)\r\n'),
    ],
)
def test_writing(argument: Argument, expected: bytes) -> None:
    assert line(argument) == expected


@pytest.mark.parametrize(
    ("dialect", "small", "large"),
    [
        (PLAIN, b"{4096}", b"{4097}"),
        (Dialect(literal_minus=True), b"{4096+}", b"{4097}"),
        (Dialect(literal_plus=True), b"{4096+}", b"{4097+}"),
    ],
)
def test_literals_of_the_dialects(dialect: Dialect, small: bytes, large: bytes) -> None:
    for size, header in ((4096, small), (4097, large)):
        command = build(dialect, "X", (Octets(b"x" * size), Atom("y")))
        steps = command.steps("a")
        assert (
            b"".join(bytes(Joined(tuple(step))) for step in steps)
            == b"a X " + header + b"\r\n" + b"x" * size + b" y\r\n"
        )
        assert len(steps) == (1 if b"+" in header else 2)
        if len(steps) == 2:
            assert bytes(Joined(tuple(steps[0]))).endswith(b"}\r\n")


def test_octets_with_nul_need_binary() -> None:
    assert line(Octets(b"\0"), Dialect(binary=True)) == b"a X ~{1}\r\n\0\r\n"
    assert line(Octets(b"x", literal8=True)) == b"a X ~{1}\r\nx\r\n"
    assert line(Octets(b"\0"), Dialect(binary=True, literal_plus=True)) == b"a X ~{1+}\r\n\0\r\n"
    with pytest.raises(CommandError, match="NUL"):
        line(Octets(b"\0"))


def test_utf8_is_quoted_once_enabled() -> None:
    assert line(Text('ü"'), Dialect(utf8=True)) == b'a X "\xc3\xbc\\""\r\n'
    assert line(Text("ü\n"), Dialect(utf8=True)) == b"a X {3}\r\n\xc3\xbc\n\r\n"


def test_mailbox_names() -> None:
    assert line(mailbox("iNbOx")) == b'a X "INBOX"\r\n'
    assert line(mailbox("Entwürfe & mehr")) == b'a X "Entw&APw-rfe &- mehr"\r\n'
    assert line(mailbox("Entwürfe"), Dialect(utf8=True)) == 'a X "Entwürfe"\r\n'.encode()
    assert line(mailbox(WireName("&A-"))) == b'a X "&A-"\r\n'


def test_a_large_literal_is_not_copied() -> None:
    data = b"x" * 100_000
    command = build(PLAIN, "X", (Octets(data), Atom("y")))
    assert any(buffer is data for step in command.steps("a") for buffer in step)


def test_answers_wait_for_their_turn() -> None:
    command = Command("X", (b"X", Answer(b"one"), Answer(b"")))
    assert [bytes(Joined(tuple(step))) for step in command.steps("a")] == [b"a X\r\n", b"one\r\n", b"\r\n"]


def test_secrets_are_not_shown() -> None:
    command = build(PLAIN, "LOGIN", (Text("ann"), Text("s3cret"), Text("s3cret\n"), Octets(b"s3cret")))
    assert repr(command) == "Command(name='LOGIN')"
    shown = repr([Text("s3cret"), Octets(b"s3cret"), Literal(b"s3cret"), Answer(b"s3cret")])
    assert "s3cret" not in shown


@pytest.mark.parametrize(
    "text", ["", " ", "a b", "a\r\n", "a\n", "a\0", "(a", "a)", '"', "{5}", "ü", "a\x7f", "\x1f"]
)
def test_what_is_no_atom(text: str) -> None:
    with pytest.raises(CommandError):
        Atom(text)


@pytest.mark.parametrize("name", ["", "X ", "X\r\nY", 'X "a"', "X (", "{5}"])
def test_what_is_no_command_name(name: str) -> None:
    with pytest.raises(CommandError):
        build(PLAIN, name)


@pytest.mark.parametrize(
    "name",
    ["", "\\", "\\\\Seen", "a b", "a\\b", "a\r\n", "(a)", '"a"', "{5}", "*", "a%", "\\*", "a]", "ü", "a\0"],
)
def test_what_is_no_flag(name: str) -> None:
    with pytest.raises(CommandError):
        Flag(name)


def test_what_is_no_string() -> None:
    for value in ("a\0b", "a\ud800b"):
        with pytest.raises(CommandError):
            Text(value)
        with pytest.raises(CommandError):
            mailbox(value)
    with pytest.raises(CommandError):
        WireName("\0")


@pytest.mark.parametrize("tag", ["", "a b", "a\r\n", "*", "+", "ü"])
def test_what_is_no_tag(tag: str) -> None:
    with pytest.raises(CommandError):
        build(PLAIN, "X").steps(tag)


# --- whatever the values, a server reads exactly them ------------------------------------------------

_string = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.text(
    st.sampled_from('\r\n"\\{}()+* 5a1ü&-')
)


def words(argument: Argument) -> Word:
    match argument:
        case Atom(text) | Flag(text):
            return text
        case Text(value):
            return value.encode("utf-8")
        case WireName(raw):
            return raw.encode("utf-8", "surrogateescape")
        case Name(value):
            return ("INBOX" if value.upper() == "INBOX" else value).encode("utf-8")
        case Octets(data):
            return bytes(Joined((data,)))
        case Group(items):
            return [words(item) for item in items]


def made(text: str, *, flag: bool) -> Argument:
    """An atom or a flag, or the text as a string where it is refused."""
    try:
        return Flag(text) if flag else Atom(text)
    except CommandError:
        return Text(text)


_arguments = st.recursive(
    _string.map(Text)
    | _string.map(WireName)
    | _string.map(Name)
    | st.binary().map(Octets)
    | st.builds(made, _string, flag=st.booleans()),
    lambda inner: st.lists(inner, max_size=4).map(lambda items: Group(tuple(items))),
    max_leaves=8,
)


def decoded(argument: Argument, word: Word, dialect: Dialect) -> Word:
    """The word with mailbox names out of modified UTF-7."""
    match argument, word:
        case Name(), bytes() if not dialect.utf8:
            return utf7.decode(word.decode("ascii")).encode("utf-8")
        case Group(items), list():
            return [decoded(item, each, dialect) for item, each in zip(items, word, strict=True)]
    return word


@given(st.lists(_arguments), st.sampled_from(DIALECTS))
def test_a_server_reads_the_same_arguments(arguments: list[Argument], dialect: Dialect) -> None:
    try:
        command = build(dialect, "UID X", arguments)
    except CommandError:
        assert not dialect.binary
        return
    whole = Group(tuple(arguments))
    name, found = server_reads(command)[:2], server_reads(command)[2:]
    assert name == ["UID", "X"]
    assert decoded(whole, found, dialect) == words(whole)
