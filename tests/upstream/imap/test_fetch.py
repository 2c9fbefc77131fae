"""FETCH: items, sections, what is left when one item is broken, and the short way for flags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.types import SEEN
from gateway.upstream.imap.fetch import FLAGS_LINE, flags_response, match_flags, parse_fetch
from gateway.upstream.imap.responses import Fetch, Unparsed
from tests.upstream.imap.reading import read, read_one

ITEMS: list[tuple[str, Fetch]] = [
    ("UID 5", Fetch(1, uid=5)),
    ("uid 4294967295", Fetch(1, uid=4294967295)),
    ("FLAGS (\\SEEN $forwarded own NIL)", Fetch(1, flags=frozenset((SEEN, "$Forwarded", "own", "NIL")))),
    ("MODSEQ (12121231777)", Fetch(1, modseq=12121231777)),
    ("RFC822.SIZE 44827", Fetch(1, size=44827)),
    ('RFC822.SIZE "44827"', Fetch(1, size=44827)),
    (
        'INTERNALDATE "17-Jul-1996 02:44:25 -0700"',
        Fetch(1, internal_date=datetime(1996, 7, 17, 2, 44, 25, tzinfo=timezone(timedelta(hours=-7)))),
    ),
    ('INTERNALDATE " 1-jan-2026 00:00:00 +0000"', Fetch(1, internal_date=datetime(2026, 1, 1, tzinfo=UTC))),
    ("BODY[] NIL", Fetch(1, sections={"BODY[]": None})),
    ('BODY[1.2.mime] "x"', Fetch(1, sections={"BODY[1.2.MIME]": b"x"})),
    ('BODY[TEXT]<0> "é"', Fetch(1, sections={"BODY[TEXT]<0>": "é".encode()})),
    (
        'BODY[HEADER.FIELDS (Date "From")] "x" UID 3',
        Fetch(1, uid=3, sections={"BODY[HEADER.FIELDS (DATE FROM)]": b"x"}),
    ),
    (
        'BODY[2.HEADER.FIELDS.NOT (To)]<10> "x"',
        Fetch(1, sections={"BODY[2.HEADER.FIELDS.NOT (TO)]<10>": b"x"}),
    ),
    ('BINARY[1]<0> "x"', Fetch(1, sections={"BINARY[1]<0>": b"x"})),
    ("BINARY.SIZE[1.2] 17", Fetch(1, extras={"BINARY.SIZE[1.2]": "17"})),
    ('RFC822.HEADER "x"', Fetch(1, sections={"RFC822.HEADER": b"x"})),
    ('RFC822 "x" RFC822.TEXT "y"', Fetch(1, sections={"RFC822": b"x", "RFC822.TEXT": b"y"})),
    (
        'X-GM-MSGID 1278455344230334865 X-GM-LABELS ("\\\\Inbox" x)',
        Fetch(1, extras={"X-GM-MSGID": "1278455344230334865", "X-GM-LABELS": ["\\Inbox", "x"]}),
    ),
    ("EMAILID (M6d99) THREADID (T64b)", Fetch(1, extras={"EMAILID": "M6d99", "THREADID": "T64b"})),
    ("THREADID NIL", Fetch(1, extras={"THREADID": None})),
    (
        'PREVIEW "hi" SAVEDATE "17-Jul-1996 02:44:25 -0700"',
        Fetch(1, extras={"PREVIEW": "hi", "SAVEDATE": "17-Jul-1996 02:44:25 -0700"}),
    ),
    ("", Fetch(1)),
]


@pytest.mark.parametrize(("items", "expected"), ITEMS, ids=[items for items, _ in ITEMS])
def test_items(items: str, expected: Fetch) -> None:
    assert read_one(f"* 1 FETCH ({items})") == expected


BROKEN = [
    ("UID 0", ("UID",), "UID"),
    ("UID 4294967296", ("UID",), "UID"),
    ("UID x", ("UID",), "not a number"),
    ("FLAGS NIL", ("FLAGS",), "FLAGS"),
    ("MODSEQ 5", ("MODSEQ",), "MODSEQ"),
    ("MODSEQ (9223372036854775808)", ("MODSEQ",), "too large"),
    ("RFC822.SIZE -1", ("RFC822.SIZE",), "not a number"),
    ('INTERNALDATE "yesterday"', ("INTERNALDATE",), "not a date"),
    ('INTERNALDATE "31-Feb-2020 00:00:00 +0000"', ("INTERNALDATE",), "INTERNALDATE"),
    ("INTERNALDATE NIL", ("INTERNALDATE",), "not a date"),
    ("BODYSTRUCTURE NIL", ("BODYSTRUCTURE",), "structure"),
    ("BODY[1] (x)", ("BODY[1]",), "a list"),
    ("X-LAST", ("X-LAST",), "without value"),
]


@pytest.mark.parametrize(("items", "faults", "reason"), BROKEN, ids=[items for items, _, _ in BROKEN])
def test_a_broken_item_leaves_the_others(items: str, faults: tuple[str, ...], reason: str) -> None:
    unparsed, fetch = read(f"* 9 FETCH (X-A b MODSEQ (7) {items})\r\n".encode())
    assert isinstance(unparsed, Unparsed)
    assert reason in unparsed.reason
    assert fetch == Fetch(9, modseq=7, extras={"X-A": "b"}, faults=faults)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ('UID 4 BODYSTRUCTURE (("text" "plain")', Fetch(2, uid=4, faults=("BODYSTRUCTURE",))),
        ('UID 4 BODYSTRUCTURE ("text" "plain")) FLAGS ())', Fetch(2, uid=4, faults=("BODYSTRUCTURE",))),
        ('UID 4 MODSEQ ("a "b" c") FLAGS ())', Fetch(2, uid=4, flags=frozenset(), faults=("MODSEQ",))),
        ("UID 4 (x) y)", Fetch(2, uid=4)),
        ("UID 4 BODY[HEADER x)", Fetch(2, uid=4)),
        ("UID 4) and more", Fetch(2, uid=4)),
        ("UID 4 MODSEQ", Fetch(2, uid=4, faults=("MODSEQ",))),
    ],
)
def test_broken_nesting(rest: str, expected: Fetch) -> None:
    unparsed, fetch = read(f"* 2 FETCH ({rest}\r\n".encode())
    assert isinstance(unparsed, Unparsed)
    assert fetch == expected


@pytest.mark.parametrize("line", ["* 1 FETCH", "* 1 FETCH x", "* 1 FETCH NIL", '* 1 FETCH "'])
def test_no_list_at_all(line: str) -> None:
    assert isinstance(read_one(line), Unparsed)


def test_two_literals_with_text_between() -> None:
    (found,) = read(b"* 1 FETCH (BODY[1] {2}\r\n)\n UID 6 BODY[2] {1}\r\n()\r\n")
    assert found == Fetch(1, uid=6, sections={"BODY[1]": b")\n", "BODY[2]": b"("})


# --- the short way -----------------------------------------------------------------------------------------

_flag = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"(){}'), min_size=1)
_uid = st.integers(0, 2**33)


@given(
    st.integers(0, 2**33),
    st.none() | _uid,
    st.lists(_flag | st.sampled_from(("\\Seen", "\\SEEN", "nil", "NIL"))),
    st.none() | _uid,
    st.none() | st.integers(0, 2**64),
    st.sampled_from(("\r\n", "\n")),
)
def test_the_short_way_reads_as_the_general_parser(
    seq: int, uid: int | None, flags: list[str], behind: int | None, modseq: int | None, end: str
) -> None:
    items = [
        *([f"UID {uid}"] if uid is not None else ()),
        f"FLAGS ({' '.join(flags)})",
        *([f"UID {behind}"] if behind is not None else ()),
        *([f"MODSEQ ({modseq})"] if modseq is not None else ()),
    ]
    text = f"({' '.join(items)})"
    match = match_flags(f"* {seq} FETCH {text}{end}".encode())
    if match is not None:
        assert (flags_response(match), None) == parse_fetch(seq, text, ())
    else:
        assert any(each is not None and not 1 <= each < 10**9 for each in (seq, uid, behind)) or (
            modseq is not None and modseq >= 10**18
        )


@given(st.from_regex(FLAGS_LINE, fullmatch=True))
def test_whatever_the_short_way_takes_reads_the_same(line: bytes) -> None:
    match = match_flags(line)
    assert match is not None
    seq, text = line.decode("ascii").removeprefix("* ").rstrip("\r\n").split(" FETCH ", 1)
    assert (flags_response(match), None) == parse_fetch(int(seq), text, ())


def test_flags_are_shared() -> None:
    one, other = read(b"* 1 FETCH (FLAGS (\\seen Own))\r\n* 2 FETCH (FLAGS (\\SEEN Own) UID 7)\r\n")
    assert isinstance(one, Fetch)
    assert isinstance(other, Fetch)
    assert one.flags
    assert other.flags == one.flags
    assert {id(flag) for flag in one.flags} == {id(flag) for flag in other.flags}
