"""Modified UTF-7 both ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.imap.utf7 import decode, encode

PAIRS = [
    ("", ""),
    ("INBOX/a b", "INBOX/a b"),
    ("Entwürfe", "Entw&APw-rfe"),
    ("Tom & Jerry", "Tom &- Jerry"),
    ("&", "&-"),
    ("&&", "&-&-"),
    ("ü&ü", "&APw-&-&APw-"),
    ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
    ("Gelöscht 🗑", "Gel&APY-scht &2D3d0Q-"),
    ("a\r\nb\t", "a&AA0ACg-b&AAk-"),
    ("\x7f", "&AH8-"),
]


@pytest.mark.parametrize(("name", "wire"), PAIRS)
def test_both_ways(name: str, wire: str) -> None:
    assert encode(name) == wire
    assert decode(wire) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_round_trip(name: str) -> None:
    wire = encode(name)
    assert wire.isascii()
    assert wire.isprintable() or not wire
    assert decode(wire) == name


@pytest.mark.parametrize(
    "wire", ["&", "a&b", "&A-", "&APw", "&AP-", "&2D0-", "&====-", "& -", "&é-", "&AAAAA-"]
)
def test_malformed_runs_stay(wire: str) -> None:
    assert decode(wire) == wire


@given(st.text())
def test_decoding_never_fails(wire: str) -> None:
    assert isinstance(decode(wire), str)


def test_lone_surrogates_are_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("a\ud800")
