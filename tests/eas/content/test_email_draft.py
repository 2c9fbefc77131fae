"""ApplicationData of drafts as patches (MS-ASEMAIL 3.1.5.4)."""

from __future__ import annotations

import pytest

from gateway.eas.content.email_draft import parse_draft
from gateway.eas.content.ids import MessageName
from gateway.eas.content.values import BadItem
from gateway.mail.draft import DraftPatch, DraftText
from gateway.mail.newparts import NewFile
from gateway.types import CollectionId
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2

DRAFT = MessageName(CollectionId("3"), 1, 7)
REFERENCE = "3:1.7:2"


def data(*children: Element) -> Element:
    return element(AirSync.ApplicationData, *children)


def body(kind: object, *children: Element) -> Element:
    return element(AirSyncBase.Body, element(AirSyncBase.Type, str(kind)), *children)


def text(value: str | bytes) -> Element:
    return element(AirSyncBase.Data, value)


def file(*children: Element) -> Element:
    given = {child.tag for child in children}
    usual = (
        element(AirSyncBase.ClientId, "a"),
        element(AirSyncBase.Method, 1),
        element(AirSyncBase.Content, b"\0x"),
    )
    made = (*(child for child in usual if child.tag not in given), *children)
    return element(AirSyncBase.Attachments, element(AirSyncBase.Add, *made))


def gone(reference: str) -> Element:
    one = element(AirSyncBase.Delete, element(AirSyncBase.FileReference, reference))
    return element(AirSyncBase.Attachments, one)


def test_what_is_absent_stays_and_what_is_empty_goes() -> None:
    assert not parse_draft(data())
    assert parse_draft(data(element(Email.To), element(Email2.Bcc, "b"))) == DraftPatch(to="", bcc="b")
    assert parse_draft(data(element(Email.Subject, "s"), element(Email.Importance, "0"))) == DraftPatch(
        subject="s", importance=0
    )
    assert not parse_draft(data(element(Email.Read, 1), element(AirSyncBase.NativeBodyType, 1), body(1)))


def test_bodies() -> None:
    assert parse_draft(data(body(1, text("ä")))).text == DraftText("ä".encode())
    assert parse_draft(data(body(2, text("")))).text == DraftText(b"", rich=True)
    in_disorder = element(AirSyncBase.Body, text("x"), element(AirSyncBase.Type, 1))
    assert parse_draft(data(in_disorder)).text == DraftText(b"x")
    cut = parse_draft(data(body(1, element(AirSyncBase.Truncated, 1), text("x"))))
    assert cut.text == DraftText(b"x", partial=True)
    assert parse_draft(data(body(4, text(b"To: x\r\n\r\n")), element(Email.To, "y"))) == DraftPatch(
        mime=b"To: x\r\n\r\n"
    )
    assert not parse_draft(data(body(4, element(AirSyncBase.Truncated), text(b"To: x"))))


def test_attachments() -> None:
    assert parse_draft(data(file())).files == (NewFile("a", "", b"\0x"),)
    inline = file(
        element(AirSyncBase.IsInline),
        element(AirSyncBase.ContentId, "c"),
        element(AirSyncBase.ContentLocation, "l"),
        element(AirSyncBase.ContentType, "image/png"),
        element(AirSyncBase.DisplayName, "n"),
        element(AirSyncBase.Method, 5),
    )
    assert parse_draft(data(inline)).files == (
        NewFile("a", "n", b"\0x", "image/png", "c", "l", inline=True, message=True),
    )
    assert not parse_draft(data(file(element(AirSyncBase.IsInline, 0)))).files[0].inline
    assert parse_draft(data(gone(REFERENCE)), DRAFT).removed == ("2",)


@pytest.mark.parametrize(
    "bad",
    [
        element(Email.Importance, "3"),
        element(Email.Importance, ""),
        element(Email.To, "x" * 32769),
        body(3, text("rtf")),
        body("", text("x")),
        body(1, text("x"), text("y")),
        element(AirSyncBase.Body, element(AirSyncBase.Type, 1), text("x"), element(AirSyncBase.AllOrNone, 1)),
        file(element(AirSyncBase.ClientId, "")),
        file(element(AirSyncBase.Method, 6)),
        gone("3:1.8:2"),
        gone("4:1.7:2"),
        gone("3:2.7:2"),
        gone("nonsense"),
        gone(""),
    ],
    ids=repr,
)
def test_what_cannot_be_used(bad: Element) -> None:
    with pytest.raises(BadItem):
        parse_draft(data(bad), DRAFT)


def test_a_new_draft_has_no_attachments_to_remove() -> None:
    with pytest.raises(BadItem):
        parse_draft(data(gone(REFERENCE)))
