"""The code pages: complete, without clashes, and what they know of each tag."""

from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from tests.wbxml.strategies import KNOWN_TAGS
from wbxml.pages import (
    GAL,
    PAGES,
    AirNotify,
    AirSync,
    AirSyncBase,
    Calendar,
    ComposeMail,
    Email2,
    Find,
    ItemOperations,
    Page,
    ResolveRecipients,
    Search,
    Tag,
    by_name,
    lookup,
    resolve,
)
from wbxml.tags import tag


def test_all_code_pages_are_there() -> None:
    assert sorted(PAGES) == list(range(26))
    assert len(KNOWN_TAGS) == 654
    assert len({(tag.page, tag.token) for tag in KNOWN_TAGS}) == 654
    assert len({(tag.namespace, tag.name) for tag in KNOWN_TAGS}) == 654


def test_sizes_of_the_pages() -> None:
    """Counted in the tables of MS-ASWBXML, with the legacy tags added."""
    sizes = {page.namespace: len(set(page.tokens.values())) for page in PAGES.values()}
    assert sizes == {
        "AirSync": 37,
        "Contacts": 58,
        "Email": 59,
        "AirNotify": 19,
        "Calendar": 56,
        "Move": 8,
        "GetItemEstimate": 10,
        "FolderHierarchy": 20,
        "MeetingResponse": 13,
        "Tasks": 34,
        "ResolveRecipients": 25,
        "ValidateCert": 6,
        "Contacts2": 10,
        "Ping": 9,
        "Provision": 55,
        "Search": 30,
        "GAL": 14,
        "AirSyncBase": 40,
        "Settings": 38,
        "DocumentLibrary": 8,
        "ItemOperations": 21,
        "ComposeMail": 19,
        "Email2": 18,
        "Notes": 5,
        "RightsManagement": 20,
        "Find": 22,
    }


def test_attributes_of_a_tag() -> None:
    key = AirSync.SyncKey
    assert (key.page, key.token, key.name, key.namespace) == (0, 0x0B, "SyncKey", "AirSync")
    assert (key.min_version, key.opaque) == ("2.5", False)
    assert (AirSyncBase.Body.code, AirSyncBase.Body.min_version) == (0x110A, "12.0")
    assert (key.empty, key.start, key.start_text) == (b"\x0b", b"\x4b", b"\x4b\x03")
    assert repr(key) == "AirSync:SyncKey"


def test_versions() -> None:
    versions = [tag.min_version for tag in KNOWN_TAGS]
    assert {version: versions.count(version) for version in dict.fromkeys(versions)} == {
        "2.0": 48,
        "2.5": 293,
        "12.0": 100,
        "12.1": 41,
        "14.0": 58,
        "14.1": 50,
        "16.0": 27,
        "16.1": 25,
        None: 12,
    }
    assert all(tag.min_version == "2.0" for tag in AirNotify.tokens.values())
    assert Calendar.AttOid.min_version is None


def test_opaque_tags() -> None:
    assert {tag for tag in KNOWN_TAGS if tag.opaque} == {
        ResolveRecipients.Data,
        Search.ConversationId,
        GAL.Data,
        AirSyncBase.Content,
        ItemOperations.ConversationId,
        ComposeMail.Mime,
        Email2.ConversationId,
        Email2.ConversationIndex,
    }


def test_second_tokens_of_find() -> None:
    for token, expected in ((0x1A, Find.MaxPictures), (0x1B, Find.MaxSize), (0x1C, Find.Picture)):
        assert lookup(25, token) is expected
        assert expected.token == token + 6


def test_lookup_knows_defined_tags_only() -> None:
    assert lookup(13, 0x05) is by_name("Ping", "Ping")
    assert lookup(13, 0x3F) is None
    assert lookup(26, 0x05) is None


def test_placeholders() -> None:
    on_page, off_page = resolve(13, 0x3F), resolve(30, 0x05)
    assert (repr(on_page), repr(off_page)) == ("Ping:Unknown3F", "Page30:Unknown05")
    assert resolve(13, 0x3F) is on_page
    assert on_page.min_version is None
    assert resolve(0, 0x0B) is AirSync.SyncKey


@pytest.mark.parametrize(("page", "token"), [(0, 0x04), (0, 0x40), (256, 0x05), (-1, 0x05)])
def test_no_placeholder_for_what_is_no_tag(page: int, token: int) -> None:
    with pytest.raises(ValueError, match="no tag"):
        resolve(page, token)


def test_names_lead_back_to_their_tags() -> None:
    for known in (*KNOWN_TAGS, resolve(13, 0x3F), resolve(30, 0x05), resolve(255, 0x3F)):
        assert by_name(known.namespace, known.name) is known


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("Ping", "Pong"),
        ("Pong", "Ping"),
        ("Ping", "Unknown05"),  # that one is known
        ("Ping", "Unknown3f"),
        ("Ping", "Unknown99"),
        ("Ping", "UnknownXY"),
        ("Page13", "Unknown3F"),  # and that page
        ("Page030", "Unknown05"),
        ("Page256", "Unknown05"),
        ("Page²", "Unknown05"),
    ],
)
def test_unknown_names(namespace: str, name: str) -> None:
    with pytest.raises(KeyError, match=name):
        by_name(namespace, name)


def test_a_copy_of_a_tag_is_the_tag() -> None:
    for original in (AirSync.SyncKey, resolve(30, 0x05)):
        assert copy.deepcopy(original) is original
        assert pickle.loads(pickle.dumps(original)) is original  # noqa: S301


def test_tags_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        AirSync.SyncKey.token = 0x0C  # type: ignore[misc]


class TestDeclaration:
    """Pages with mistakes; none of them may stay behind."""

    free: ClassVar[int] = 0x80

    def test_a_token_cannot_be_used_twice(self) -> None:
        with pytest.raises(TypeError, match="0x05"):

            class Twice(Page, number=self.free, namespace="Twice"):
                One = tag(0x05)
                Two = tag(0x06, alias=0x05)

        assert self.free not in PAGES

    @pytest.mark.parametrize("token", [0x04, 0x40])
    def test_a_token_has_six_bits_and_is_no_global_one(self, token: int) -> None:
        with pytest.raises(TypeError, match="out of range"):

            class Outside(Page, number=self.free, namespace="Outside"):
                One = tag(token)

        assert self.free not in PAGES

    def test_a_page_cannot_be_declared_twice(self) -> None:
        with pytest.raises(TypeError, match="declared twice"):

            class Again(Page, number=0, namespace="Again"):
                One: Tag = tag(0x05)

        assert PAGES[0] is AirSync
