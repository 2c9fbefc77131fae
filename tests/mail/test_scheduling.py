"""The calendar of a scheduling message in its structure."""

from __future__ import annotations

import pytest

from gateway.mail.headers import Headers
from gateway.mail.scheduling import (
    LARGEST_CALENDAR,
    calendar_part,
    open_calendar,
    with_text,
    without_calendar,
)
from gateway.mail.structure import Layout, lay_out
from gateway.types import BodyPart
from tests.support import invitations
from tests.support.invitations import GOOGLE_SINGLE, HTML, TEXT, calendar_file, calendar_text, multipart
from tests.support.mailboxes import structure_of


def laid_out(content: str) -> tuple[Layout, dict[str, bytes]]:
    structure, sections = structure_of(invitations.message(content))
    return lay_out(structure), sections


@pytest.mark.parametrize(
    ("content", "section"),
    [
        (multipart("alternative", TEXT, HTML, calendar_text(GOOGLE_SINGLE)), "3"),
        (multipart("alternative", calendar_text(GOOGLE_SINGLE)), "1"),
        (multipart("mixed", TEXT, calendar_text(GOOGLE_SINGLE)), "2"),
        (multipart("mixed", TEXT, calendar_file(GOOGLE_SINGLE)), "2"),
        (calendar_text(GOOGLE_SINGLE), "1"),
        (multipart("mixed", calendar_file(GOOGLE_SINGLE), calendar_text(GOOGLE_SINGLE)), "2"),
        (
            multipart(
                "mixed",
                calendar_file(GOOGLE_SINGLE),
                multipart("alternative", TEXT, calendar_text(GOOGLE_SINGLE)),
            ),
            "2.2",
        ),
        (
            multipart(
                "mixed",
                calendar_text(GOOGLE_SINGLE).replace("; method=REQUEST", ""),
                calendar_text(GOOGLE_SINGLE),
            ),
            "2",
        ),
        (TEXT, None),
        (
            multipart("mixed", TEXT, f"Content-Type: message/rfc822\r\n\r\n{calendar_text(GOOGLE_SINGLE)}"),
            None,
        ),
    ],
)
def test_the_likeliest_part(content: str, section: str | None) -> None:
    part = calendar_part(laid_out(content)[0])
    assert (part.section if part else None) == section


@pytest.mark.parametrize("size", [0, LARGEST_CALENDAR + 1])
def test_an_empty_or_huge_calendar_stays_a_file(size: int) -> None:
    part = BodyPart("1", "text", "calendar", {"method": "REQUEST"}, size=size)
    layout = lay_out(part)
    assert calendar_part(layout) is None
    assert len(layout.attachments) == 1


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "", "unheard-of"])
def test_the_text_of_a_calendar(charset: str) -> None:
    text = "SUMMARY:Größe"
    part = BodyPart("1", "text", "calendar", {"charset": charset, "method": "REPLY"}, encoding="8bit")
    data = text.encode("iso-8859-1" if charset == "iso-8859-1" else "utf-8")
    opened = open_calendar(part, data, Headers(b""))
    assert (opened.text, opened.method, opened.octets) == (text, "REPLY", len(data))


def test_the_calendar_and_its_copy_are_no_files() -> None:
    content = multipart(
        "mixed",
        TEXT,
        calendar_text(GOOGLE_SINGLE),
        calendar_file(GOOGLE_SINGLE.replace("\r\n", "\n")),
        calendar_file(GOOGLE_SINGLE * 2),
    )
    layout, sections = laid_out(content)
    part = calendar_part(layout)
    assert part
    left = without_calendar(layout, open_calendar(part, sections["2"], Headers(b"")))
    assert [one.part.section for one in left.attachments] == ["4"]


def test_a_text_takes_the_place_of_one() -> None:
    layout, sections = laid_out(calendar_text(GOOGLE_SINGLE))
    part = calendar_part(layout)
    assert part
    made, texts = with_text(layout, open_calendar(part, sections["1"], Headers(b"")), "Grüße")
    (block,) = made.blocks
    (shown,) = block.plain
    assert texts == {shown.section: "Grüße".encode()}
    assert shown.section != part.section
