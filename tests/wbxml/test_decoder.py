"""Documents read, refused, and limited."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.wbxml.strategies import trees
from tests.wbxml.vectors import VECTORS, Vector
from wbxml import DecodeError, Element, WbxmlError, decode, element, encode
from wbxml.decoder import MAX_DEPTH, MAX_ELEMENTS
from wbxml.pages import AirSync, AirSyncBase, ComposeMail, Email2, Find, resolve

HEADER = "03 01 6A 00"


def decoded(body: str, header: str = HEADER) -> Element:
    return decode(bytes.fromhex(header + body))


def fault(body: str, header: str = HEADER, **limits: int) -> tuple[int, str]:
    """Return where in the document, and why, it is refused."""
    with pytest.raises(DecodeError) as caught:
        decode(bytes.fromhex(header + body), **limits)
    return caught.value.offset, caught.value.reason


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_golden_documents(vector: Vector) -> None:
    assert decode(vector.wire) == vector.tree


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes(kind: type[bytes] | type[bytearray] | type[memoryview]) -> None:
    root = decode(kind(VECTORS[0].wire))
    assert root == VECTORS[0].tree
    assert root.children[0].value == "0"


class TestHeader:
    """Version, public identifier, charset and string table."""

    @pytest.mark.parametrize(
        "header",
        [
            "03 01 6A 00",
            "02 01 6A 00",
            "01 01 6A 00",
            "03 04 6A 00",
            "03 83 7F 6A 00",  # a public identifier of two bytes
            "03 00 00 6A 05 61 62 63 64 00",  # one in the string table
            "03 01 6A 02 FF FF",  # a string table that is no text
            "03 01 00 00",  # unknown charset
            "03 01 03 00",  # US-ASCII, read as its superset
            "03 01 8F 77 00",  # a charset of two bytes that nobody knows
            "03 01 80 6A 00",  # a number longer than need be
        ],
    )
    def test_every_legal_form(self, header: str) -> None:
        assert decoded("4B 03 C3 BC 00 01", header) == element(AirSync.SyncKey, "ü")

    def test_iso_8859_1(self) -> None:
        assert decoded("4B 03 FC 00 01", "03 01 04 00") == element(AirSync.SyncKey, "ü")
        mixed = decoded("4B 03 FC 00 C3 01 FC 01", "03 01 04 00")
        assert mixed.value == b"\xc3\xbc\xfc"

    @pytest.mark.parametrize("version", ["00", "04", "13", "3C"])
    def test_other_versions(self, version: str) -> None:
        assert fault("4B 01", f"{version} 01 6A 00")[0] == 0

    def test_string_table_past_the_end(self) -> None:
        assert fault("4B 01", "03 01 6A 03") == (3, "string table of 3 bytes runs past the end")
        assert fault("4B 01", "03 01 6A 8F FF FF FF 7F")[0] == 3

    @pytest.mark.parametrize("number", ["90 80 80 80 00", "FF FF FF FF 7F", "81 80 80 80 80 00"])
    def test_numbers_of_more_than_32_bits(self, number: str) -> None:
        assert fault("4B 01", f"03 {number} 6A 00") == (1, "integer of more than 32 bits")


class TestContent:
    """Elements and their values."""

    def test_empty_element_in_both_forms(self) -> None:
        assert decoded("14") == decoded("54 01") == Element(AirSync.MoreAvailable)
        assert decoded("45 14 01") == decoded("45 54 01 01")

    @pytest.mark.parametrize("body", ["4B 03 00 01", "4B C3 00 01", "4B 03 00 03 00 01"])
    def test_a_value_of_no_length_is_none(self, body: str) -> None:
        assert decoded(body).value is None
        assert decoded(f"45 {body} 01").children[0].value is None

    def test_opaque_is_bytes_in_any_tag(self) -> None:
        assert decoded("00 16 49 C3 02 00 01 01") == Element(Email2.ConversationId, b"\0\x01")
        assert decoded("00 11 4B C3 02 41 42 01") == Element(AirSyncBase.Data, b"AB")

    def test_inline_string_is_text_in_any_tag(self) -> None:
        assert decoded("00 16 49 03 41 42 00 01") == Element(Email2.ConversationId, "AB")

    def test_pieces_of_text(self) -> None:
        assert decoded("4B 03 41 00 02 81 20 03 42 00 01").value == "A\xa0B"
        assert decoded("45 4B 03 41 00 03 42 00 01 01").children[0].value == "AB"

    def test_pieces_of_text_and_bytes(self) -> None:
        assert decoded("4B 03 C3 BC 00 C3 01 FF 02 41 01").value == b"\xc3\xbc\xffA"
        assert decoded("4B C3 01 41 C3 01 42 01").value == b"AB"

    def test_page_switch_between_pieces(self) -> None:
        root = decoded("45 4B 03 41 00 00 11 03 42 00 01 4A 01 01")
        assert root == element(AirSync.Sync, element(AirSync.SyncKey, "AB"), element(AirSyncBase.Body))

    def test_the_page_stays_across_end(self) -> None:
        root = decoded("45 56 00 11 4A 01 01 0A 01")
        assert root == element(
            AirSync.Sync, element(AirSync.Commands, element(AirSyncBase.Body)), element(AirSyncBase.Body)
        )

    def test_the_same_page_twice_and_a_switch_before_the_root(self) -> None:
        assert decoded("00 15 00 15 00 15 50 C3 01 41 01") == Element(ComposeMail.Mime, b"A")

    def test_text_beside_children(self) -> None:
        root = decoded("45 03 41 00 14 03 42 00 4B 03 31 00 01 03 43 00 01")
        assert root.value == "ABC"
        assert root.children == [Element(AirSync.MoreAvailable), Element(AirSync.SyncKey, "1")]

    def test_string_table(self) -> None:
        header = "03 01 6A 07 61 62 63 00 C3 BC 00"
        assert decoded("4B 83 00 01", header).value == "abc"
        assert decoded("4B 83 01 01", header).value == "bc"
        assert decoded("4B 83 03 01", header).value is None
        assert decoded("4B 83 04 83 00 01", header).value == "üabc"

    @pytest.mark.parametrize("index", ["07", "0A", "8F FF FF FF 7F"])
    def test_outside_the_string_table(self, index: str) -> None:
        offset, reason = fault(f"4B 83 {index} 01 00", "03 01 6A 07 61 62 63 00 C3 BC 00")
        assert offset == 12
        assert "in the string table" in reason

    def test_string_table_without_last_nul(self) -> None:
        assert fault("4B 83 00 01 00", "03 01 6A 01 61") == (6, "no string at 0 in the string table")

    @pytest.mark.parametrize(
        ("code", "character"),
        [
            ("41", "A"),
            ("87 EC 00", "\U0001f600"),
            ("C3 FF 7F", "\U0010ffff"),
            ("C4 80 00", "\ufffd"),  # behind the last
            ("83 B0 00", "\ufffd"),  # a surrogate
            ("00", "\ufffd"),
            ("8F FF FF FF 7F", "\ufffd"),
        ],
    )
    def test_entities(self, code: str, character: str) -> None:
        assert decoded(f"4B 02 {code} 01").value == character

    def test_bad_utf8_is_replaced(self) -> None:
        assert decoded("4B 03 41 FF 42 00 01").value == "A\ufffdB"
        assert decoded("4B 03 41 E2 82 00 01").value == "A\ufffd"
        assert decoded("4B 03 ED A0 80 00 01").value == "\ufffd\ufffd\ufffd"

    def test_unknown_tags(self) -> None:
        root = decoded("45 7F 03 41 00 01 00 1E 45 00 00 4B 03 31 00 01 01 01")
        assert root == element(
            AirSync.Sync,
            element(resolve(0, 0x3F), "A"),
            element(resolve(30, 0x05), element(AirSync.SyncKey, "1")),
        )

    def test_second_tokens_of_find(self) -> None:
        assert decoded("00 19 45 5C 5A 03 35 00 01 01 01") == element(
            Find.Find, element(Find.Picture, element(Find.MaxPictures, "5"))
        )


class TestRefusals:
    """Every malformed document names the place and the reason."""

    @pytest.mark.parametrize(
        "token",
        ["04", "40", "41", "42", "43", "44", "80", "81", "82", "84", "C0", "C1", "C2", "C4"],
    )
    def test_tokens_that_activesync_never_uses(self, token: str) -> None:
        assert fault(f"45 {token} 00 01")[0] == 5
        assert fault(f"{token} 00 01")[0] == 4

    @pytest.mark.parametrize("token", ["85", "BF", "C5", "FF"])
    def test_attributes(self, token: str) -> None:
        assert fault(f"45 {token} 01 01") == (
            5,
            f"tag 0x{token.lower()} with attributes is not part of ActiveSync",
        )
        assert fault(f"{token} 01 01")[0] == 4

    @pytest.mark.parametrize(("token", "name"), [("01", "END"), ("03", "STR_I"), ("C3", "OPAQUE")])
    def test_no_root_element(self, token: str, name: str) -> None:
        assert fault(f"{token} 41 00") == (4, f"{name} where the root element should be")

    def test_bytes_after_the_root(self) -> None:
        assert decoded("4B 03 41 00 01 00 00 00").value == "A"
        assert decoded("0B 00 00").value is None
        assert fault("4B 03 41 00 01 00 05") == (9, "2 bytes after the root element")
        assert fault("0B 01") == (5, "1 bytes after the root element")

    def test_lengths_past_the_end(self) -> None:
        assert fault("4B C3 02 41") == (5, "OPAQUE of 2 bytes runs past the end")
        assert fault("4B C3 8F FF FF FF 7F 41 01") == (5, "OPAQUE of 4294967295 bytes runs past the end")
        assert fault("4B C3 90 80 80 80 00 41 01") == (6, "integer of more than 32 bits")

    def test_strings_without_end(self) -> None:
        assert fault("4B 03 41 42") == (5, "inline string without end")
        # In WBXML 1.1 the first byte of the document looks like END.
        assert fault("4B 03 41 42", "01 01 6A 00") == (5, "inline string without end")

    def test_the_error_speaks(self) -> None:
        with pytest.raises(DecodeError, match=r"^document ends early at byte 5$") as caught:
            decode(bytes.fromhex(HEADER + "4B"))
        assert isinstance(caught.value, WbxmlError)
        assert isinstance(caught.value, ValueError)
        assert (caught.value.offset, caught.value.reason) == (5, "document ends early")

    @pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
    def test_cut_anywhere(self, vector: Vector) -> None:
        for length in range(len(vector.wire)):
            with pytest.raises(DecodeError) as caught:
                decode(vector.wire[:length])
            assert 0 <= caught.value.offset <= length


def _accepts(document: bytes) -> bool:
    try:
        tree = decode(document)
    except DecodeError as error:
        assert 0 <= error.offset <= len(document)  # noqa: PT017
        return False
    assert isinstance(tree, Element)
    return True


class TestAnyBytes:
    """Whatever comes: a tree or the one error."""

    @given(st.binary(max_size=200))
    @example(b"")
    def test_a_tree_or_the_error(self, document: bytes) -> None:
        _accepts(document)

    @given(st.binary(max_size=200))
    def test_behind_a_good_header(self, body: bytes) -> None:
        _accepts(b"\x03\x01\x6a\x00" + body)

    @given(
        st.lists(st.sampled_from([0, 1, 2, 3, 0x05, 0x0B, 0x45, 0x4B, 0x83, 0xC3, 0x80, 0x11]), max_size=60)
    )
    def test_of_well_known_tokens(self, body: list[int]) -> None:
        _accepts(b"\x03\x01\x6a\x03ab\x00\x45" + bytes(body))

    @given(trees, st.integers(0, 10_000), st.integers(0, 255))
    def test_one_byte_changed(self, tree: Element, at: int, byte: int) -> None:
        document = bytearray(encode(tree))
        document[at % len(document)] = byte
        _accepts(bytes(document))


class TestLimits:
    """Each limit holds exactly."""

    def test_size(self) -> None:
        assert decode(bytes.fromhex(HEADER + "0B"), max_size=5) == Element(AirSync.SyncKey)
        assert fault("0B 00", max_size=5) == (5, "document of 6 bytes, more than the 5 allowed")

    def test_depth(self) -> None:
        for innermost in ("14", "54 01", "54 03 41 00 01", "54 03 41 00 03 42 00 01", "54 C3 01 41 01"):
            body = f"45 45 {innermost} 01 01"
            assert decode(bytes.fromhex(HEADER + body), max_depth=3).find(AirSync.Sync)
            assert fault(body, max_depth=2) == (6, "more than 2 elements deep")

    def test_depth_is_given_back_by_end(self) -> None:
        assert len(decode(bytes.fromhex(HEADER + "45" + "45 14 01" * 9 + "01"), max_depth=3)) == 9

    def test_elements(self) -> None:
        body = "45 4B 03 41 00 01 14 54 01 01"
        assert len(decode(bytes.fromhex(HEADER + body), max_elements=4)) == 3
        assert fault(body, max_elements=3) == (11, "more than 3 elements")

    def test_pieces(self) -> None:
        body = "4B 03 41 00 03 42 00 C3 01 43 01"
        assert decode(bytes.fromhex(HEADER + body), max_elements=3).value == b"ABC"
        assert fault(body, max_elements=2) == (11, "more than 2 pieces of text or bytes")

    def test_text_of_the_string_table(self) -> None:
        header = "03 01 6A 05 61 62 63 64 00"
        body = "4B" + "83 00" * 8 + "01"
        size = len(bytes.fromhex(header + body))
        assert decode(bytes.fromhex(header + body), max_size=32).value == "abcd" * 8
        assert size < 31
        assert fault(body, header, max_size=31) == (size - 3, "too much text from the string table")


class TestHostile:
    """Each must be refused at once, and with little memory."""

    SIZE = 10_000_000

    @pytest.mark.parametrize(
        ("start", "repeated", "reason"),
        [
            ("", "45", f"more than {MAX_DEPTH} elements deep"),
            ("45", "05", f"more than {MAX_ELEMENTS} elements"),
            ("45", "45 01", f"more than {MAX_ELEMENTS} elements"),
            ("45", "4B 03 00 01", f"more than {MAX_ELEMENTS} elements"),
            ("45", "03 61 62 00", f"more than {MAX_ELEMENTS} pieces of text or bytes"),
            ("45", "02 87 6C", f"more than {MAX_ELEMENTS} pieces of text or bytes"),
            ("45", "C3 00", f"more than {MAX_ELEMENTS} pieces of text or bytes"),
            ("", "00 01", "document ends early"),
            ("45", "00 01", "document ends early"),
            ("45 03", "61", "inline string without end"),
            ("45 C3", "FF", "integer of more than 32 bits"),
        ],
        ids=[
            "depth",
            "bare tags",
            "elements without content",
            "elements with empty text",
            "pieces of text",
            "entities",
            "empty opaques",
            "page switches before the root",
            "page switches",
            "endless string",
            "endless length",
        ],
    )
    def test_ten_megabytes(self, start: str, repeated: str, reason: str) -> None:
        unit = bytes.fromhex(repeated)
        document = bytes.fromhex(HEADER + start) + unit * (self.SIZE // len(unit))
        began = time.process_time()
        with pytest.raises(DecodeError) as caught:
            decode(document)
        assert caught.value.reason == reason
        assert time.process_time() - began < 5

    def test_memory_for_the_most_elements(self) -> None:
        document = b"\x03\x01\x6a\x00\x45" + b"\x05" * (MAX_ELEMENTS - 1) + b"\x01"
        tracemalloc.start()
        try:
            assert len(decode(document)) == MAX_ELEMENTS - 1
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 200 * MAX_ELEMENTS

    def test_a_long_string_used_again_and_again(self) -> None:
        table = b"a" * 1_000_000 + b"\0"
        document = b"\x03\x01\x6a" + b"\xbd\x84\x41" + table + b"\x45" + b"\x4b\x83\x00\x01" * 1000 + b"\x01"
        with pytest.raises(DecodeError, match="too much text"):
            decode(document)
