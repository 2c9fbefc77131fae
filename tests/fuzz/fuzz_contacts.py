"""Fuzz contacts: `python -m tests.fuzz.fuzz_contacts -max_total_time=60 [CORPUS]`.

Takes any libFuzzer option. An input is a file of vCards. CORPUS is a folder that keeps the inputs found on
the way; without it, the seeds of this repository are the start and nothing is kept. An input that fails is
written to the working directory as `crash-...`.
"""

from __future__ import annotations

import io
import zlib
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from gateway.errors import Refused
from gateway.pim import lines, tree
from gateway.pim.contacts import (
    allotting,
    card,
    dates,
    document,
    forms,
    intake,
    legacy,
    naming,
    picture,
    places,
    relations,
    slots,
)
from gateway.pim.contacts.model import LISTS, Contact, Field, Value
from gateway.pim.exchange import cards, filelines
from gateway.pim.exchange.cards import CardEntry, card_entries
from tests.fuzz.target import functions_of, fuzz

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).parent / "corpus" / "contacts"

_INNER = (
    *(allotting, card, cards, dates, document, filelines, forms, intake, legacy, lines, naming, picture),
    *(places, relations, slots, tree),
)
_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_DAYS = frozenset({Field.BIRTHDAY, Field.ANNIVERSARY})
_PICTURE = "/9j/4AAA"
_MOST = 5


def contacts(data: bytes) -> list[CardEntry]:
    """What an input holds, of many the first."""
    try:
        found = (one for one in card_entries(io.BytesIO(data)) if isinstance(one, CardEntry))
        return list(islice(found, _MOST))
    except Refused:
        return []


def check(data: bytes) -> None:
    """Take contacts over and change them: what is named again stays, what is said is read."""
    for entry in contacts(data):
        text = entry.contact.text
        before = document.read_contact(text)
        assert document.patch_contact(text, before, _NOW) == text, data
        patch = said(zlib.crc32(data))
        after = document.patch_contact(text, patch, _NOW)
        wanted = {field: value for field, value in {**before, **patch}.items() if value}
        assert without_filing(document.read_contact(after)) == without_filing(wanted), (data, patch)
        document.stored_contact(after)


def said(choice: int) -> Contact:
    """What a phone may say of a contact: every field is left, removed, or given a value."""
    patch: dict[Field, Value] = {}
    for field in Field:
        choice = (choice * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        what = (choice >> 16) % 4
        if what == 0:
            patch[field] = () if field in LISTS else ""
        elif what == 1:
            patch[field] = _value(field, choice)
    return patch


def _value(field: Field, choice: int) -> Value:
    if field in _DAYS:
        return f"{1604 + choice % 400}-02-28"
    if field is Field.PICTURE:
        return _PICTURE
    return (f"a;{choice}", "b,c") if field in LISTS else f'x\\;,"{choice}'


def without_filing(contact: Contact) -> Contact:
    """A contact but for what it is filed under, which without a word is how it is called."""
    return {field: value for field, value in contact.items() if field is not Field.FILE_AS}


def reader_functions() -> Iterator[FunctionType]:
    """The functions the fuzzer watches."""
    return functions_of(_INNER)


if __name__ == "__main__":
    fuzz(check, reader_functions(), SEEDS)
