"""Values of requests: what fits, and what is refused before a command sees it."""

from __future__ import annotations

import pytest

from gateway.eas import fields
from gateway.errors import Kind, Refused
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, ComposeMail


@pytest.mark.parametrize(
    "bad",
    [
        element(AirSync.ServerId, b"a\0b"),
        element(AirSync.ServerId, "a\0b"),
        Element(AirSync.ServerId, "1:1.1", [Element(AirSync.Class, "x")]),
    ],
    ids=["opaque NUL", "NUL", "text beside an element"],
)
def test_what_no_reply_could_repeat_is_refused(bad: Element) -> None:
    with pytest.raises(Refused) as refused:
        fields.check_values(element(AirSync.Sync, element(AirSync.Collections, bad)))
    assert refused.value.kind is Kind.INVALID_XML


def test_bytes_are_fine_where_they_belong() -> None:
    fields.check_values(element(ComposeMail.SendMail, element(ComposeMail.Mime, b"a\0b")))
    fields.check_values(element(AirSyncBase.Body, element(AirSyncBase.Data, b"a\0b")))
    fields.check_values(element(AirSync.Sync, element(AirSync.ServerId, b"1:1.1")))


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "99999999999", "\u0661"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Refused):
        fields.number(element(AirSync.Sync, element(AirSync.Wait, text)), AirSync.Wait)


def test_numbers_booleans_and_ids() -> None:
    parent = element(AirSync.Sync, element(AirSync.Wait, " 59 "), element(AirSync.GetChanges))
    assert fields.number(parent, AirSync.Wait) == 59
    assert fields.number(parent, AirSync.WindowSize, 7) == 7
    assert fields.boolean(parent, AirSync.GetChanges, default=False) is True
    assert fields.boolean(parent, AirSync.DeletesAsMoves, default=False) is False
    with pytest.raises(Refused):
        fields.boolean(
            element(AirSync.Sync, element(AirSync.GetChanges, 2)), AirSync.GetChanges, default=True
        )
    for text in ("", "x" * 65):
        with pytest.raises(Refused):
            fields.identifier(element(AirSync.Sync, element(AirSync.SyncKey, text)), AirSync.SyncKey)
    twice = element(AirSync.Sync, element(AirSync.Wait, 1), element(AirSync.Wait, 2))
    with pytest.raises(Refused):
        fields.only(twice, AirSync.Wait)
