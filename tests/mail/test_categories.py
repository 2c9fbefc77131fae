"""Categories as keywords: every name comes back as it was, and what other programs note is understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.categories import LONGEST_CATEGORY, categories, category, keyword, spellings
from gateway.upstream.imap.syntax import Flag

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("work", "work"),
        ("to-do_2", "to-do_2"),
        ("Red Category", "cat-^red_^category-"),
        ("Büro", "cat-^bro-1ra"),
        ("日本語", "cat-wgv71a119e"),
        ("a_b", "a_b"),
        ("A_b", "cat-^a=5fb-"),
        ("50%", "cat-50=25-"),
        ("\\Seen", "cat-=5c^seen-"),
        ("cat-x", "cat-cat-x-"),
        ("junk", "cat-junk-"),
        ("$label1", "cat-$label1-"),
        ("Important", "$label1"),
        ("To Do", "$label4"),
        ("x" * 60, None),
    ],
)
def test_how_a_category_is_written(name: str, written: str | None) -> None:
    assert keyword(name) == written


@given(names)
def test_every_category_comes_back(name: str) -> None:
    written = keyword(name)
    if written is None:
        return
    Flag(written)
    assert category(written) == name
    assert written == written.lower()
    assert written in spellings(name)


@given(names)
def test_servers_may_write_an_encoded_one_in_any_case(name: str) -> None:
    written = keyword(name)
    if written is not None and written != name:
        assert category(written.upper()) == name


@given(names | st.text(st.sampled_from("cat-=5^_ab$"), max_size=30))
def test_whatever_a_server_sends_has_a_meaning(flag: str) -> None:
    name = category(flag)
    if name is not None:
        assert flag in spellings(name) or keyword(name) == flag.lower()


@pytest.mark.parametrize(
    "flag",
    [
        "\\Seen",
        "\\*",
        "$Forwarded",
        "$MDNSent",
        "$MailFlagBit0",
        "NonJunk",
        "Junk",
        "NIL",
        "",
        "a b",
        "ü",
        "x" * 256,
    ],
)
def test_what_is_no_category(flag: str) -> None:
    assert category(flag) is None


def test_keywords_of_other_programs() -> None:
    assert categories(["$Label2", "Receipts", "\\Flagged", "NotJunk", "cat-^a-"]) == {"Work", "Receipts", "A"}
    assert spellings("Receipts") == {"Receipts", "cat-^receipts-"}
    assert category("cat-photos") == "cat-photos"


def test_the_longest_name_and_one_beyond() -> None:
    assert category("x" * LONGEST_CATEGORY) == "x" * LONGEST_CATEGORY
