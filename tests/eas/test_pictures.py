"""Photos in an answer, within the limits of the device and of the gateway."""

from __future__ import annotations

import pytest

from gateway.eas.content.galentry import PICTURE
from gateway.eas.pictures import Photos, Wish, parse_wish
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.ports.directory import LARGEST_PICTURE
from wbxml import Element, element
from wbxml.pages import GAL, Search

TAGS = (Search.Picture, Search.MaxSize, Search.MaxPictures)


def told(photos: Photos, *all_of_them: bytes | None) -> list[int]:
    return [int(photos.element(one).child_text(GAL.Status) or "") for one in all_of_them]


@pytest.mark.parametrize(
    ("limits", "wish"),
    [
        ((), Wish(LARGEST_PICTURE, None)),
        ((element(Search.MaxSize, 10), element(Search.MaxPictures, 2)), Wish(10, 2)),
        ((element(Search.MaxSize, 4294967295),), Wish(LARGEST_PICTURE, None)),
        ((element(Search.MaxSize, 0), element(Search.MaxPictures, 0)), Wish(0, 0)),
    ],
)
def test_wishes(limits: tuple[Element, ...], wish: Wish) -> None:
    options = element(Search.Options, element(Search.Picture, *limits))
    assert parse_wish(options, TAGS, Version.V14_1) == wish
    assert parse_wish(None, TAGS, Version.V14_1) is None
    assert parse_wish(element(Search.Options), TAGS, Version.V2_5) is None
    with pytest.raises(Refused):
        parse_wish(options, TAGS, Version.V14_0)


def test_every_status() -> None:
    """173 none, 174 too large, 175 enough (MS-ASCMD 2.2.3.104, 2.2.3.105)."""
    photos = Photos(Wish(10, 2), PICTURE)
    assert told(photos, None, b"", b"x" * 11, b"x" * 10, b"x", b"x", None, b"x" * 11) == [
        173, 173, 174, 1, 1, 175, 173, 174
    ]  # fmt: skip


def test_a_bound_on_all_together() -> None:
    photos = Photos(Wish(), PICTURE)
    statuses = told(photos, *[b"x" * LARGEST_PICTURE] * 100)
    assert statuses == [1] * 51 + [175] * 49
    assert told(photos, b"x") == [1], "a small one fits"
