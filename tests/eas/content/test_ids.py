"""ServerId, FileReference and LongId: round trips, and refusal of everything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.ids import (
    FileReference,
    ItemName,
    MalformedId,
    MessageName,
    file_reference,
    item_server_id,
    long_id,
    parse_file_reference,
    parse_long_id,
    parse_server_id,
    server_id,
)
from gateway.errors import NotFound
from gateway.types import CollectionId, ServerId, UserId

numbers = st.integers(min_value=1, max_value=0xFFFFFFFF)
collections = st.from_regex(r"\A[A-Za-z0-9_-]{1,44}\Z").map(CollectionId)
sections = st.lists(st.integers(1, 999), min_size=1, max_size=8).map(lambda n: ".".join(map(str, n)))


@given(collections, numbers, numbers)
def test_server_id_round_trip(collection: CollectionId, uidvalidity: int, uid: int) -> None:
    text = server_id(collection, uidvalidity, uid)
    assert len(text) <= 64  # the limit of the protocol
    assert parse_server_id(text) == MessageName(collection, uidvalidity, uid)


@given(collections, numbers, numbers, sections)
def test_file_reference_round_trip(
    collection: CollectionId, uidvalidity: int, uid: int, section: str
) -> None:
    text = file_reference(collection, uidvalidity, uid, section)
    assert parse_file_reference(text) == FileReference(collection, uidvalidity, uid, section)


@given(st.text(max_size=60), collections, numbers, numbers)
def test_long_id_round_trip(user: str, collection: CollectionId, uidvalidity: int, uid: int) -> None:
    text = long_id(UserId(user), server_id(collection, uidvalidity, uid))
    assert len(text) <= 94
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert parse_long_id(UserId(user), text) == MessageName(collection, uidvalidity, uid)


@given(st.text(max_size=60), st.integers(1, 10**19 - 1).map(lambda n: CollectionId(f"i{n}")), numbers)
def test_long_id_of_an_item(user: str, collection: CollectionId, number: int) -> None:
    text = long_id(UserId(user), item_server_id(collection, number))
    assert len(text) <= 94
    assert parse_long_id(UserId(user), text) == ItemName(collection, number)
    with pytest.raises(NotFound):
        parse_long_id(UserId(f"{user}2"), text)


def test_a_long_id_is_the_same_at_any_time() -> None:
    assert long_id(UserId("ann"), ServerId("5:t1x9k2.317")) == "K7mmErLLNTp0MXg5azIuMzE3"


def test_the_long_id_of_somebody_else_is_not_found() -> None:
    text = long_id(UserId("ann"), ServerId("5:a.1"))
    with pytest.raises(NotFound):
        parse_long_id(UserId("bob"), text)


@given(st.text(max_size=80))
def test_arbitrary_text_is_a_name_or_not_found(text: str) -> None:
    for parse in (parse_server_id, parse_file_reference, lambda text: parse_long_id(UserId("ann"), text)):
        try:
            parse(text)
        except NotFound:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "5:10",
        "5:0.0",
        "5:a.01",
        "5:0a.1",
        "5:a.4294967296",
        "5:zzzzzzz.1",
        "5:A.1",
        "5:a.1\n",
        "5:a.1:1",
        "a b:a.1",
        ":a.1",
        "5:a.٣",
    ],
)
def test_foreign_server_ids_are_malformed(text: str) -> None:
    with pytest.raises(MalformedId):
        parse_server_id(text)


@pytest.mark.parametrize("text", ["", "5:a.1", "5:a.1:", "5:a.1:0", "5:a.1:1.", "5:a.1:TEXT", "5:a.1:1..2"])
def test_foreign_file_references_are_malformed(text: str) -> None:
    with pytest.raises(MalformedId):
        parse_file_reference(text)


@pytest.mark.parametrize(
    ("collection", "uidvalidity", "uid"),
    [("", 1, 1), ("a:b", 1, 1), ("5", -1, 1), ("5", 1, 0), ("5", 1 << 32, 1)],
)
def test_impossible_names_are_refused(collection: str, uidvalidity: int, uid: int) -> None:
    with pytest.raises(ValueError, match="no ServerId"):
        server_id(CollectionId(collection), uidvalidity, uid)


def test_sections_that_are_no_part_are_refused() -> None:
    with pytest.raises(ValueError, match="no FileReference"):
        file_reference(CollectionId("5"), 1, 1, "HEADER")
