"""Trees written, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wbxml.strategies import trees
from tests.wbxml.vectors import VECTORS, Vector
from wbxml import Element, EncodeError, Tag, Utf8, WbxmlError, decode, element, encode, encode_pieces
from wbxml.pages import AirSync, AirSyncBase, ComposeMail, Email, Email2, resolve

HEADER = "03 01 6A 00"


def encoded(root: Element) -> str:
    """Return the document in hexadecimal, without the header."""
    document = encode(root).hex(" ").upper()
    assert document.startswith(HEADER)
    return document[len(HEADER) + 1 :]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_golden_documents(vector: Vector) -> None:
    assert encode(vector.tree) == vector.wire


@given(trees)
def test_decoding_gives_the_tree_back(tree: Element) -> None:
    assert decode(encode(tree)) == tree


def test_empty_elements_have_no_content() -> None:
    assert encoded(Element(AirSync.MoreAvailable)) == "14"
    assert encoded(Element(AirSync.MoreAvailable, "")) == "14"
    assert encoded(Element(ComposeMail.Mime, b"")) == "00 15 10"


def test_text_is_one_inline_string() -> None:
    assert encoded(Element(AirSync.SyncKey, "grün")) == "4B 03 67 72 C3 BC 6E 00 01"
    long = "\U0001f600" * 100_000
    assert encode(Element(AirSync.SyncKey, long)) == b"\x03\x01\x6a\x00\x4b\x03" + long.encode() + b"\0\x01"


def test_bytes_are_opaque_in_any_tag() -> None:
    assert encoded(Element(Email2.ConversationId, b"\0\x01")) == "00 16 49 C3 02 00 01 01"
    assert encoded(Element(AirSyncBase.Data, b"\0\x01")) == "00 11 4B C3 02 00 01 01"


def test_text_in_an_opaque_tag_is_opaque() -> None:
    assert encoded(Element(ComposeMail.Mime, "ü\0")) == "00 15 50 C3 03 C3 BC 00 01"


@pytest.mark.parametrize(
    ("length", "written"),
    [(1, "01"), (127, "7F"), (128, "81 00"), (300, "82 2C"), (16383, "FF 7F"), (16384, "81 80 00")],
)
def test_lengths(length: int, written: str) -> None:
    document = encoded(Element(AirSyncBase.Content, b"\xee" * length))
    assert document == f"00 11 5F C3 {written} " + "EE " * length + "01"


def test_the_page_is_switched_where_it_changes_only() -> None:
    root = element(
        AirSync.ApplicationData,
        element(Email.To, "a"),
        element(Email.Flag, element(Email.FlagType, "b")),
        element(AirSyncBase.Body, element(AirSyncBase.Data)),
        element(AirSync.Class),
    )
    assert encoded(root) == "5D 00 02 56 03 61 00 01 7A 7D 03 62 00 01 01 00 11 4A 0B 01 00 00 10 01"


def test_placeholders_are_written_as_they_were_read() -> None:
    assert (
        encoded(element(resolve(200, 0x3F), element(resolve(0, 0x3F), "x")))
        == "00 C8 7F 00 00 7F 03 78 00 01 01"
    )


def test_large_values_are_not_copied() -> None:
    text, data = "grün ".encode() * 20_000, bytes(100_000)
    root = element(
        AirSync.ApplicationData,
        element(AirSyncBase.Data, Utf8(text)),
        element(ComposeMail.Mime, data),
        element(AirSync.SyncKey, Utf8(b"small")),
    )
    pieces = encode_pieces(root)
    assert [piece for piece in pieces if len(piece) > 100] == [text, data]
    assert pieces[1] is text
    assert pieces[3] is data
    assert b"".join(pieces) == encode(root)
    assert decode(encode(root)) == root


def test_octets_of_text_are_written_as_text() -> None:
    assert encoded(Element(AirSync.SyncKey, Utf8("grün".encode()))) == "4B 03 67 72 C3 BC 6E 00 01"
    assert encoded(Element(AirSync.SyncKey, Utf8(b""))) == "0B"
    with pytest.raises(EncodeError, match="NUL at character 3"):
        encode(Element(AirSync.SyncKey, Utf8("aü\u20ac\0".encode())))


@pytest.mark.parametrize("tag", [AirSync.SyncKey, AirSyncBase.Data])
def test_text_cannot_hold_nul(tag: Tag) -> None:
    root = element(AirSync.Sync, Element(tag, "ab\0"))
    with pytest.raises(EncodeError, match=f"{tag!r}: NUL at character 2"):
        encode(root)


@pytest.mark.parametrize("tag", [AirSync.SyncKey, ComposeMail.Mime])
def test_text_cannot_hold_a_lone_surrogate(tag: Tag) -> None:
    root = element(AirSync.Sync, Element(tag, "ab\udc80"))
    with pytest.raises(EncodeError, match=f"{tag!r}: lone surrogate at character 2"):
        encode(root)


def test_a_value_beside_children_is_a_mistake() -> None:
    root = Element(AirSync.Sync, "1", [Element(AirSync.Status)])
    with pytest.raises(EncodeError, match="AirSync:Sync has a value beside children"):
        encode(root)


@given(st.text(st.characters()))
def test_any_text_is_written_or_refused(text: str) -> None:
    try:
        document = encode(Element(AirSyncBase.Data, text))
    except WbxmlError:
        assert "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)
    else:
        assert decode(document).text() == text


def test_a_deep_tree_needs_no_stack() -> None:
    depth = 50_000
    root = node = Element(AirSync.Sync)
    for _ in range(depth - 1):
        node = node.add(AirSync.Add)
    document = encode(root)
    assert len(document) == 4 + 2 * depth - 1
    assert decode(document, max_depth=depth) == root
