"""Undoing transfer encodings, whole, in pieces and cut."""

from __future__ import annotations

import base64
import binascii
import quopri
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.transfer import (
    TransferDecoder,
    decode,
    decoded_size,
    encoded_limit,
    least_decoded_size,
)

ENCODINGS = ("7bit", "base64", "quoted-printable", "x-uuencode", "x-odd")


def encoded(data: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    if encoding == "quoted-printable":
        return quopri.encodestring(data, quotetabs=True)
    if encoding == "x-uuencode":
        lines = [binascii.b2a_uu(data[at : at + 45]) for at in range(0, len(data), 45)]
        return b"begin 644 name\n" + b"".join(lines) + b"`\nend\n"
    return data


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 500), max_size=5))
def test_pieces_give_the_same_as_the_whole(encoding: str, data: bytes, cuts: list[int]) -> None:
    whole = encoded(data, encoding)
    decoder = TransferDecoder(encoding)
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [decoder.feed(whole[start:end]) for start, end in pairwise(edges)]
    got = b"".join([*pieces, decoder.finish()])
    assert got == decode(whole, encoding) == data


@given(st.lists(st.sampled_from(["QUJD", "Zg==", "A", "=", "-", "_", " ", "\r\n", "\xff"]), max_size=12))
def test_odd_base64_reads_the_same_at_once_and_in_pieces(words: list[str]) -> None:
    data = "".join(words).encode("latin-1")
    decoder = TransferDecoder("base64")
    assert decode(data, "base64") == decoder.feed(data) + decoder.finish()


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.binary(max_size=300), size=st.integers(0, 400))
def test_a_beginning_decodes_to_a_beginning(encoding: str, data: bytes, size: int) -> None:
    data = data.replace(b"\r", b"")  # the encoder gives all lines the end of the first
    assert data.startswith(decode(encoded(data, encoding)[:size], encoding, cut=True))


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=3))
def test_garbage_never_raises(encoding: str, data: bytes, cuts: list[int]) -> None:
    decoder = TransferDecoder(encoding)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(data)], strict=True):
        decoder.feed(data[start:end])
    decoder.finish()


@pytest.mark.parametrize(
    ("encoding", "data", "octets"),
    [
        ("base64", b"QUJD", b"ABC"),
        ("base64", b"QUI", b"AB"),
        ("base64", b"QQ==QUI=QUJD", b"AABABC"),
        ("base64", b"Q U\r\nJ*D", b"ABC"),
        ("base64", b"_-8=", b"\xff\xef"),
        ("base64", b"Q", b""),
        ("base64", b"====", b""),
        ("quoted-printable", b"a=3D=\r\nb=zz=", b"a=b=zz"),
        ("x-uuencode", b"text before\nbegin 644 n\n#0V%T\n`\nend\nafter", b"Cat"),
        ("8bit", b"\xff", b"\xff"),
    ],
)
def test_decoding(encoding: str, data: bytes, octets: bytes) -> None:
    assert decode(data, encoding) == octets


def test_a_line_without_end_is_not_held_for_ever() -> None:
    decoder = TransferDecoder("quoted-printable")
    got = b"".join(decoder.feed(b"=41" * 10_000 + b"=4") for _ in range(10))
    assert len(got) > 50_000


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(data=st.binary(min_size=100, max_size=3000))
def test_sizes_are_near_the_truth(encoding: str, data: bytes) -> None:
    whole = encoded(data, encoding)
    assert least_decoded_size(len(whole), encoding) <= len(data)
    assert len(decode(whole[: encoded_limit(50, encoding)], encoding, cut=True)) >= 50
    if encoding == "base64":
        assert abs(decoded_size(len(whole), encoding) - len(data)) <= 4
