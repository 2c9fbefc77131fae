"""Files of vCards: everything readable is taken over, and the rest reported by line."""

from __future__ import annotations

import io
import tracemalloc
from typing import BinaryIO

import pytest

from gateway.errors import Refused
from gateway.pim.contacts.document import read_contact
from gateway.pim.contacts.model import Field
from gateway.pim.exchange.cards import CardEntry, card_entries
from gateway.pim.exchange.scan import Problem
from tests.pim.contacts.samples import SAMPLES, taken


def read(text: str | bytes) -> tuple[list[CardEntry], list[Problem]]:
    found = list(card_entries(io.BytesIO(text.encode() if isinstance(text, str) else text)))
    return (
        [one for one in found if isinstance(one, CardEntry)],
        [one for one in found if isinstance(one, Problem)],
    )


def names(entries: list[CardEntry]) -> list[str]:
    return [str(read_contact(one.contact.text)[Field.FILE_AS]) for one in entries]


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_all_samples_in_one_file(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.pim.exchange.filelines._CHUNK", size)
    texts = [one.text if isinstance(one.text, bytes) else one.text.encode() for one in SAMPLES.values()]
    entries, problems = read(b"".join(texts))
    assert [one.contact.text for one in entries] == [taken(text) for text in texts]
    assert [one.reason for one in problems] == ["a line that is no property"]
    lines = b"".join(texts).split(b"\n")
    assert lines[problems[0].line - 1] == b"this is no property"


def test_cards_around_broken_ones() -> None:
    entries, problems = read(
        "rubbish\nBEGIN:VCARD\nVERSION:3.0\nFN:One\n"  # no end
        "begin:vcard\r\nVERSION:3.0\r\nFN:Two\r\nend:vcard\r\n"
        "BEGIN:VCARD\nEND:VCARD\n"
        "BEGIN:VCALENDAR\nFN:No\nEND:VCALENDAR\n"
        "BEGIN:VCARD\nFN:Three\nUID:3\nREV:2026-01-02T03:04:05Z\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:2.1\nFN:Four\nAGENT:\nBEGIN:VCARD\nFN:Inner\nEND:VCARD\nTEL:4\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Five"
    )
    assert names(entries) == ["One", "Two", "Three", "Four", "Five"]
    assert [(one.line, one.reason, one.whole) for one in problems] == [
        (2, "a contact without an end", False),
        (9, "a contact without anything in it", True),
        (28, "a contact without an end", False),
    ]
    assert [one.line for one in entries] == [2, 5, 14, 19, 28]
    assert entries[2].uid == "3"
    assert f"{entries[2].version[1]:%Y-%m-%dT%H:%M:%SZ}" == "2026-01-02T03:04:05Z"


def test_a_contact_without_uid_is_the_same_one_in_each_file() -> None:
    card = "BEGIN:VCARD\nVERSION:3.0\nFN:One\nREV:{0}\nTEL:1\nEND:VCARD\n"
    (first,), _ = read(card.format("20260101T000000Z"))
    (again,), _ = read(card.format("20260202T000000Z"))
    (other,), _ = read(card.format("20260101T000000Z").replace("TEL:1", "TEL:2"))
    assert first.uid == again.uid != other.uid


@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "\xff\xfeB"])
def test_no_file_of_cards(text: str) -> None:
    with pytest.raises(Refused):
        read(text.encode("latin-1"))


class Endless(io.RawIOBase):
    """A file of so many octets that is made while it is read."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._begun = False

    def read(self, size: int = -1) -> bytes:
        if not self._begun:
            self._begun = True
            return b"BEGIN:VCARD\nVERSION:3.0\nNOTE:"
        size = min(size, self._left)
        self._left -= size
        return b"a" * size


def test_a_card_without_end_takes_bounded_memory() -> None:
    source: BinaryIO = Endless(100 << 20)  # type: ignore[assignment]
    tracemalloc.start()
    try:
        found = list(card_entries(source))
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
    assert [one.whole for one in found if isinstance(one, Problem)] == [False, True]
    assert not any(isinstance(one, CardEntry) for one in found)
