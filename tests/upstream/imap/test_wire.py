"""Framing: any split of the stream, literals, limits, hostile streams."""

from __future__ import annotations

import itertools
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.imap.responses import (
    Continuation,
    Exists,
    Expunge,
    Fetch,
    List,
    Response,
    Status,
    Tagged,
    Unparsed,
)
from gateway.upstream.imap.wire import ResponseReader, WireError
from tests.upstream.imap.reading import read, reader

STREAM = (
    b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready {3}\r\n"
    b"+ go ahead {2}\r\n"
    b"+\r\n"
    b"* 1 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (12))\r\n"
    b"* 2 FETCH (FLAGS () UID 8)\n"
    b'* 3 FETCH (UID 9 BODY[] {12}\r\nab\r\n* 4 OK\r\n BODY[1] "x\\"y"'
    b" BINARY[2] ~{3}\r\n\x00\r\n BODY[3] {0}\r\n)\r\n"
    b"* LIST () {1}\r\n/ {5}\r\na b\xc3\xa9\r\n"
    b'* LIST () "/" "odd {5+}"\r\n'
    b"* BOGUS stuff\r\n"
    b"\r\n"
    b"* 12 EXISTS\r\n"
    b"* 3 EXPUNGE\n"
    b"A1 OK [COPYUID 1 1:2 3:4] Done {4}\r\n"
)


def test_the_responses_of_a_stream() -> None:
    found = read(STREAM)
    kinds = [type(response) for response in found]
    assert kinds == [
        *(Status, Continuation, Continuation, Fetch, Fetch, Fetch, List, List, Unparsed, Unparsed),
        *(Exists, Expunge, Tagged),
    ]
    assert found[0].text == "ready {3}"  # type: ignore[union-attr]
    assert found[1:3] == [Continuation("go ahead {2}"), Continuation("")]
    assert found[5] == Fetch(
        3,
        uid=9,
        sections={"BODY[]": b"ab\r\n* 4 OK\r\n", "BODY[1]": b'x"y', "BINARY[2]": b"\0\r\n", "BODY[3]": b""},
    )
    assert found[6].name == "a bé"  # type: ignore[union-attr]
    assert found[7].name == "odd {5+}"  # type: ignore[union-attr]


def fed(pieces: list[bytes]) -> list[Response]:
    one = reader()
    return [response for piece in pieces for response in one.feed(piece)]


def test_octet_by_octet() -> None:
    assert fed([STREAM[at : at + 1] for at in range(len(STREAM))]) == read(STREAM)


@pytest.mark.parametrize("size", range(2, 40))
def test_pieces_of_one_size(size: int) -> None:
    assert fed([STREAM[at : at + size] for at in range(0, len(STREAM), size)]) == read(STREAM)


@given(st.lists(st.integers(0, len(STREAM))))
def test_any_split(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert fed([STREAM[start:stop] for start, stop in itertools.pairwise(edges)]) == read(STREAM)


_LINES = st.lists(
    st.sampled_from(
        [*STREAM.splitlines(keepends=True), b"* ", b"{3}\r\n", b"~{2}\r\n", b"(", b'"', b"\r", b"NIL "]
    )
    | st.binary(max_size=12)
).map(b"".join)


def outcome(pieces: list[bytes]) -> tuple[list[Response], str]:
    one = reader(max_line=90, max_literal=40, max_buffer=100)
    found: list[Response] = []
    for piece in pieces:
        try:
            found += one.feed(piece)
        except WireError as error:
            return found, str(error.reason)
    return found, ""


@given(_LINES)
def test_any_octets_give_responses_or_the_error(data: bytes) -> None:
    whole, whole_fault = outcome([data])
    single, single_fault = outcome([data[at : at + 1] for at in range(len(data))])
    assert bool(whole_fault) == bool(single_fault)
    if not whole_fault:
        assert whole == single


@given(st.binary(max_size=200))
def test_literals_arrive_unchanged(body: bytes) -> None:
    (found,) = read(b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\n" % (len(body), body))
    assert found == Fetch(1, sections={"BODY[]": body})


def test_idle_tells_whether_a_response_is_open() -> None:
    one = reader()
    assert one.idle
    for piece in (b"* 1 FE", b"TCH (BODY[] {3}\r\n", b"ab", b"c", b")"):
        assert one.feed(piece) == []
        assert not one.idle
    assert len(one.feed(b"\r\n")) == 1
    assert one.idle


def feed_singly(one: ResponseReader, data: bytes) -> None:
    for at in range(len(data)):
        one.feed(data[at : at + 1])


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 101,
        b"* OK " + b"x" * 100 + b"\r\n",
        b"* 1 FETCH (FLAGS (" + b"a " * 50 + b"))\r\n",
        b"* 1 FETCH (BODY[] {51}\r\n",
        b"* 1 FETCH (BODY[] {99999999999999999999999}\r\n",
        b"* 1 FETCH (BODY[] {50}\r\n" + b"x" * 50 + b" BODY[1] {50}\r\n",
        b"* 1 FETCH (" + b"BODY[] {0}\r\n" * 10,
    ],
    ids=["endless", "line", "flags", "literal", "absurd literal", "sum", "many literals"],
)
def test_limits(data: bytes) -> None:
    one = ResponseReader(max_line=100, max_literal=50, max_buffer=120)
    with pytest.raises(WireError, match="at octet") as caught:
        feed_singly(one, data)
    assert 0 < caught.value.offset <= len(data)
    with pytest.raises(WireError):
        one.feed(b"* OK\r\n")
    with pytest.raises(WireError):
        ResponseReader(max_line=100, max_literal=50, max_buffer=120).feed(data)


LONG = (
    b"* 2 FETCH (UID 8 X 1 FLAGS (" + b"a " * 20 + b"))\r\n",
    b"* 2 FETCH (BODYSTRUCTURE ("
    + b"x" * 500
    + b" {3}\r\n"
    + b")\r\n"
    + b" {0}\r\n ~{5}\r\n* 9 O"
    + b"))\r\n",
    b"* 2 FETCH (BODY[] {27}\r\n" + b"* 1 OK\r\n{" * 3 + b" {2}\r\nab" + b"y" * 200 + b"}\n",
    b"* 2 FETCH (UID 8 " + b"BODY[] {0}\r\n" * 50 + b")\r\n",
)
"""Responses about one message, with a text of more than 50 octets."""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
@pytest.mark.parametrize("long", LONG)
def test_what_is_too_long_about_one_message_hides_nothing_behind_it(long: bytes, size: int) -> None:
    one = ResponseReader(max_line=100, max_literal=50, max_buffer=120, max_fetch=50)
    stream = b"* 1 FETCH (UID 7 FLAGS ())\r\n" + long + b"* 3 FETCH (UID 9 FLAGS ())\r\nA1 OK done\r\n"
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    found = [response for piece in pieces for response in one.feed(piece)]
    assert [type(response) for response in found] == [Fetch, Unparsed, Fetch, Tagged]
    assert one.idle


def test_what_is_too_long_about_one_message_is_not_kept() -> None:
    one = ResponseReader(max_line=100, max_literal=50, max_buffer=120, max_fetch=50)
    one.feed(b"* 1 FETCH (BODYSTRUCTURE (")
    tracemalloc.start()
    for _ in range(1000):
        assert not one.feed(b"x" * 1000 + b"{50}\r\n" + b"y" * 50)
        assert not one.idle
    assert tracemalloc.get_traced_memory()[1] < 100_000
    tracemalloc.stop()
    with pytest.raises(WireError, match="literal"):
        one.feed(b"{51}\r\n")


def test_what_fits_the_limits_exactly() -> None:
    line = b"* 1 FETCH (FLAGS (" + b"a " * 39 + b"))\r\n"
    one = ResponseReader(max_line=100, max_literal=50, max_buffer=120)
    assert len(line) == 100
    assert len(one.feed(line)) == 1
    assert len(one.feed(b"* 1 FETCH (BODY[] {50}\r\n" + b"x" * 50 + b")\r\n")) == 1


def test_the_offset_counts_from_the_start_of_the_connection() -> None:
    one = ResponseReader(max_line=100, max_literal=50, max_buffer=120)
    one.feed(b"* OK\r\n")
    with pytest.raises(WireError) as caught:
        one.feed(b"* OK\r\n" + b"x" * 200)
    assert caught.value.offset == 12


HOSTILE = {
    "parentheses": b"* 1 FETCH (UID 5 BODYSTRUCTURE " + b"(" * 100_000,
    "closed parentheses": b"* 1 FETCH (UID 5 BODYSTRUCTURE " + b"(" * 100_000 + b")" * 100_001,
    "quotes": b"* 1 FETCH (UID 5 ENVELOPE (" + b'"\\' * 100_000,
    "odd quotes": b"* 1 FETCH (UID 5 ENVELOPE (" + b'"\\"' * 99_999,
    "blanks": b"* 1 FETCH (UID 5 X" + b" " * 200_000 + b"\0",
    "braces": b"* LIST " + b"{" * 200_000 + b"}",
    "brackets": b"* OK [A " + b'"' * 200_001,
    "open section": b"* 1 FETCH (UID 5 " + b"BODY[" * 30_000 + b")",
    "open sections": b"* 1 FETCH (UID 5 " + b"BODY[ " * 30_000 + b")",
    "digits": b"* " + b"9" * 200_000 + b" EXISTS",
    "search digits": b"* SEARCH " + b"9" * 200_000,
    "runs": b"* VANISHED 1:4294967295" + b",1:4294967295" * 15_000,
    "pairs of runs": b"A1 OK [COPYUID 1 1:4294967295 1:4294967295] done",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_lines_cost_little(data: bytes) -> None:
    start = time.process_time()
    found = read(data + b"\r\n* 1 EXISTS\r\n")
    assert time.process_time() - start < 2
    assert found[-1] == Exists(1)


def test_a_deep_structure_leaves_the_rest_of_the_message() -> None:
    unparsed, fetch = read(HOSTILE["closed parentheses"] + b"\r\n")
    assert isinstance(unparsed, Unparsed)
    assert fetch == Fetch(1, uid=5, faults=("BODYSTRUCTURE",))
    assert len(unparsed.raw) <= 1000
    assert "BODYSTRUCTURE" not in repr(unparsed)


def test_the_cost_follows_the_length() -> None:
    line = b'* 1 FETCH (UID 5 ENVELOPE (NIL "a" NIL NIL NIL NIL NIL NIL NIL NIL) X-LONG "%b")\r\n'

    def seconds(size: int) -> float:
        data = line % (b"x" * size)
        one = reader(max_line=1 << 24)
        start = time.process_time()
        for at in range(0, len(data), 64):
            one.feed(data[at : at + 64])
        return time.process_time() - start

    short = min(seconds(100_000) for _ in range(3))
    assert min(seconds(800_000) for _ in range(3)) < 8 * short * 3


def test_a_literal_in_pieces_is_not_held_twice() -> None:
    size = 8 << 20
    one = reader(max_literal=size, max_buffer=2 * size)
    one.feed(b"* 1 FETCH (BODY[] {%d}\r\n" % size)
    piece = b"x" * 65536
    tracemalloc.start()
    try:
        for _ in range(size // len(piece)):
            one.feed(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (found,) = one.feed(b")\r\n")
    assert isinstance(found, Fetch)
    assert len(found.sections["BODY[]"] or b"") == size
    assert peak < 1.5 * size


def test_names_are_utf8_from_the_response_on_that_says_so() -> None:
    reader = ResponseReader(max_line=1000, max_literal=1000, max_buffer=1000)
    name = '* LIST () "/" "&APw-"\r\n'
    told = reader.feed(f"{name}* ENABLED UTF8=ACCEPT\r\n{name}".encode())
    assert [response.name for response in told if isinstance(response, List)] == ["ü", "&APw-"]
