"""BODYSTRUCTURE: the grammar, the numbering of parts, and what servers really send."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.types import BodyPart
from gateway.upstream.imap.responses import Node
from gateway.upstream.imap.structure import parse_structure
from gateway.upstream.imap.tokens import Fault, whole

TEXT = '("TEXT" "Plain" ("CHARSET" "utf-8") NIL NIL "7BIT" 12 1)'
IMAGE = '("image" "png" ("name" "a.png") "<1@x>" "a" "BASE64" 99 NIL ("INLINE" ("filename" "a.png")) NIL "u")'


def structure(text: str, *literals: bytes) -> BodyPart:
    (node,) = whole(text, literals)
    return parse_structure(node)


def walk(part: BodyPart) -> Iterator[tuple[str, str]]:
    yield part.section, part.content_type
    for child in part.children:
        yield from walk(child)


def test_a_single_part() -> None:
    assert structure(TEXT) == BodyPart("1", "text", "plain", {"charset": "utf-8"}, encoding="7bit", size=12)


def test_every_field() -> None:
    assert structure(IMAGE) == BodyPart(
        "1",
        "image",
        "png",
        {"name": "a.png"},
        content_id="<1@x>",
        description="a",
        encoding="base64",
        size=99,
        disposition="inline",
        disposition_params={"filename": "a.png"},
        location="u",
    )


def test_a_multipart() -> None:
    found = structure(f'({TEXT}{IMAGE} "MIXED" ("Boundary" "b") ("attachment" ("a" "b")) "en" "loc")')
    assert found == BodyPart(
        "",
        "multipart",
        "mixed",
        {"boundary": "b"},
        disposition="attachment",
        disposition_params={"a": "b"},
        location="loc",
        children=(
            BodyPart("1", "text", "plain", {"charset": "utf-8"}, encoding="7bit", size=12),
            BodyPart(**{**fields(structure(IMAGE)), "section": "2"}),
        ),
    )


def fields(part: BodyPart) -> dict[str, Any]:
    return {name: getattr(part, name) for name in BodyPart.__slots__}


ENVELOPE = "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"


def message(body: str, rest: str = " 10") -> str:
    return f'("message" "rfc822" NIL NIL NIL "7bit" 342 {ENVELOPE} {body}{rest})'


def multi(*parts: str) -> str:
    return f'({"".join(parts)} "mixed")'


# Each part as section and type, in the order of a walk through the tree.
NUMBERING = [
    (TEXT, "1 text/plain"),
    (
        multi(TEXT, multi(TEXT, IMAGE)),
        " multipart/mixed, 1 text/plain, 2 multipart/mixed, 2.1 text/plain, 2.2 image/png",
    ),
    (message(TEXT), "1 message/rfc822, 1.1 text/plain"),
    (
        message(multi(TEXT, IMAGE)),
        "1 message/rfc822, 1 multipart/mixed, 1.1 text/plain, 1.2 image/png",
    ),
    (message(message(TEXT)), "1 message/rfc822, 1.1 message/rfc822, 1.1.1 text/plain"),
    # The example of RFC 3501 6.4.5.
    (
        multi(
            TEXT,
            IMAGE,
            message(multi(TEXT, IMAGE)),
            multi(IMAGE, message(multi(TEXT, multi(TEXT, TEXT)))),
        ),
        (
            " multipart/mixed, 1 text/plain, 2 image/png,"
            " 3 message/rfc822, 3 multipart/mixed, 3.1 text/plain, 3.2 image/png,"
            " 4 multipart/mixed, 4.1 image/png, 4.2 message/rfc822, 4.2 multipart/mixed, 4.2.1 text/plain,"
            " 4.2.2 multipart/mixed, 4.2.2.1 text/plain, 4.2.2.2 text/plain"
        ),
    ),
]


@pytest.mark.parametrize(("text", "expected"), NUMBERING, ids=range(len(NUMBERING)))
def test_sections(text: str, expected: str) -> None:
    assert ", ".join(f"{section} {kind}" for section, kind in walk(structure(text))) == expected


QUIRKS: list[tuple[str, BodyPart]] = [
    ("(text plain NIL NIL NIL 7bit 12 1)", BodyPart("1", "text", "plain", size=12)),
    ('("text" "plain")', BodyPart("1", "text", "plain")),
    ('("text" "plain" NIL NIL NIL NIL NIL NIL)', BodyPart("1", "text", "plain")),
    ("(NIL NIL NIL NIL NIL NIL 5)", BodyPart("1", "text", "plain", size=5)),
    ('("image" NIL NIL NIL NIL NIL "7")', BodyPart("1", "image", "octet-stream", size=7)),
    ('("image" "png" NIL NIL NIL "7bit" -5)', BodyPart("1", "image", "png")),
    (
        '("image" "png" NIL NIL NIL "7bit" 99999999999999999999999)',
        BodyPart("1", "image", "png", size=2**63 - 1),
    ),
    ('("image" "png" NIL NIL NIL "7bit" many)', BodyPart("1", "image", "png")),
    ('("image" "png" "none" NIL NIL "7bit" 1)', BodyPart("1", "image", "png", size=1)),
    (
        '("image" "png" ("name" NIL "odd") NIL NIL "7bit" 1)',
        BodyPart("1", "image", "png", {"name": ""}, size=1),
    ),
    (  # no line count
        '("text" "plain" NIL NIL NIL "7bit" 1 NIL ("attachment" ("filename" "a")) NIL "u")',
        BodyPart(
            "1",
            "text",
            "plain",
            size=1,
            disposition="attachment",
            disposition_params={"filename": "a"},
            location="u",
        ),
    ),
    (  # NIL for the line count
        '("text" "plain" NIL NIL NIL "7bit" 1 NIL NIL ("attachment" NIL) NIL "u")',
        BodyPart("1", "text", "plain", size=1, disposition="attachment", location="u"),
    ),
    (  # a line count where none belongs
        '("application" "pdf" NIL NIL NIL "7bit" 1 40 "md5" ("attachment") ("en" "de") ("u"))',
        BodyPart("1", "application", "pdf", size=1, disposition="attachment"),
    ),
    (
        '("image" "png" NIL NIL NIL "7bit" 1 NIL "INLINE")',
        BodyPart("1", "image", "png", size=1, disposition="inline"),
    ),
    (  # pymap
        r'("image" "png" NIL NIL NIL "7bit" 1 NIL "attachment; FileName=\"a \\\"1; 2.png\"; size=12" NIL)',
        BodyPart(
            "1",
            "image",
            "png",
            size=1,
            disposition="attachment",
            disposition_params={"filename": 'a "1; 2.png', "size": "12"},
        ),
    ),
    (
        '("image" "png" NIL NIL NIL "7bit" 1 NIL "; =x; attachment")',
        BodyPart("1", "image", "png", size=1),
    ),
    ('("image" "png" NIL NIL NIL "7bit" 1 NIL ())', BodyPart("1", "image", "png", size=1)),
    (  # an embedded message that the server did not look into
        '("message" "rfc822" NIL NIL NIL "base64" 342 NIL ("attachment" ("filename" "a.eml")) NIL NIL)',
        BodyPart(
            "1",
            "message",
            "rfc822",
            encoding="base64",
            size=342,
            disposition="attachment",
            disposition_params={"filename": "a.eml"},
        ),
    ),
    (
        f'("message" "rfc822" NIL NIL NIL "7bit" 342 NIL {TEXT} 5 NIL ("attachment" NIL))',
        BodyPart(
            "1",
            "message",
            "rfc822",
            size=342,
            disposition="attachment",
            children=(BodyPart("1.1", "text", "plain", {"charset": "utf-8"}, size=12),),
        ),
    ),
    (
        '("message" "delivery-status" NIL NIL NIL "7bit" 3)',
        BodyPart("1", "message", "delivery-status", size=3),
    ),
    ('("mixed" ("boundary" "b") NIL NIL)', BodyPart("", "multipart", "mixed", {"boundary": "b"})),
    ('("mixed")', BodyPart("", "multipart", "mixed")),
    ('(() "Mixed" ("boundary" "b"))', BodyPart("", "multipart", "mixed", {"boundary": "b"})),
    (
        '(()("text" "plain" NIL NIL NIL "7bit" 1 1) NIL)',
        BodyPart("", "multipart", "mixed", children=(BodyPart("2", "text", "plain", size=1),)),
    ),
    ('(("text" "plain"))', BodyPart("", "multipart", "mixed", children=(BodyPart("1", "text", "plain"),))),
]


@pytest.mark.parametrize(("text", "expected"), QUIRKS, ids=[text for text, _ in QUIRKS])
def test_quirks(text: str, expected: BodyPart) -> None:
    assert structure(text) == expected


def test_strings_as_literals() -> None:
    assert structure(
        '("text" \n (\n \n) NIL NIL \n 1 1)', b"HTML", b"Name", b"\xff\xc3\xbc", b"8BIT"
    ) == BodyPart("1", "text", "html", {"name": "\udcff\u00fc"}, encoding="8bit", size=1)


@pytest.mark.parametrize(
    "text",
    [
        "NIL",
        "x",
        "()",
        '("text" ("a" "b") NIL NIL NIL "7bit" 1)',
        '(("text"(("a"))) "mixed")',
    ],
)
def test_what_is_no_structure(text: str) -> None:
    with pytest.raises(Fault):
        structure(text)


_words = st.sampled_from(("text", "message", "rfc822", "mixed", "attachment", "7", "-1")) | st.text(
    max_size=3
)
_nodes = st.recursive(
    st.none() | _words | st.binary(max_size=3), lambda inner: st.lists(inner, max_size=12), max_leaves=40
)


@given(_nodes)
def test_any_value_gives_a_part_or_a_fault(node: Node) -> None:
    try:
        part = parse_structure(node)
    except Fault:
        return
    for section, kind in walk(part):
        assert all(number.isdigit() for number in section.split(".")) or not section
        assert kind == kind.lower()


def test_a_disposition_that_is_none_is_read_in_time_in_proportion_to_it() -> None:
    start = time.process_time()
    text = TEXT[:-1] + f' NIL "attachment; {"a" * 300_000}; filename=b")'
    assert structure(text).disposition_params == {"filename": "b"}
    assert time.process_time() - start < 3
