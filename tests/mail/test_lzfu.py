"""Decompressing RTF: the examples of the specification, and everything that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.lzfu import LARGEST, BadRtf, decompress

HELLO = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
OVERLAP = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")


def test_the_examples_of_the_specification() -> None:
    assert decompress(HELLO) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert decompress(OVERLAP) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_what_is_not_compressed() -> None:
    assert decompress(bytes.fromhex("11000000050000004d454c4100000000") + b"{rtf}xx") == b"{rtf}"


@pytest.mark.parametrize("data", [b"", HELLO[:15], HELLO[:8] + b"ZZZZ" + HELLO[12:]])
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(BadRtf):
        decompress(data)


@given(st.binary(max_size=400), st.integers(0, 2**32 - 1))
def test_any_content_gives_octets(content: bytes, size: int) -> None:
    head = (len(content) + 12).to_bytes(4, "little") + size.to_bytes(4, "little") + b"LZFu" + bytes(4)
    assert len(decompress(head + content)) <= min(size, 18 * len(content))


def test_a_bomb_is_cut() -> None:
    # Each reference means the octet before, 17 times.
    written, content = 207 + 8, bytearray(b"\x00" + b"a" * 8)
    for _ in range(65_000):
        content.append(0xFF)
        for _ in range(8):
            content += ((written - 1) % 4096 << 4 | 15).to_bytes(2, "big")
            written += 17
    head = (len(content) + 12).to_bytes(4, "little") + b"\xff\xff\xff\xff" + b"LZFu" + bytes(4)
    assert len(decompress(head + content)) == LARGEST
