"""Files of events (16.x): added, listed, removed, and refused where they cannot be."""

from __future__ import annotations

import pytest

from gateway.eas.content.ids import parse_item_file_reference
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.sync.itemoperations import Answer
from tests.eas.content.calendar.support import (
    CONTENT,
    DAILY,
    FOLDER,
    NEW,
    NUMBER,
    OLD,
    TIMES,
    Shelf,
    properties,
    scene,
    tree,
)
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar


def file(client_id: str, content: bytes = b"plan", **named: str) -> Element:
    """An Add of a file."""
    values = {"ClientId": client_id, "Method": "1", "DisplayName": f"{client_id}.txt", **named}
    made = [element(getattr(AirSyncBase, name), value) for name, value in values.items() if value != "-"]
    if named.get("Content") != "-":
        made.append(element(AirSyncBase.Content, content))
    return element(AirSyncBase.Add, *made)


def gone(reference: str) -> Element:
    return element(AirSyncBase.Delete, element(AirSyncBase.FileReference, reference))


def attachments(*changes: Element) -> Element:
    return element(AirSyncBase.Attachments, *changes)


def listed(shelf: Shelf) -> list[dict[str, str]]:
    found = tree(shelf.shown().find(AirSyncBase.Attachments))
    if found is None:
        return []
    assert isinstance(found, dict)
    shown = found["Attachment"]
    assert isinstance(shown, list)
    return shown


@pytest.mark.parametrize("version", NEW)
class TestFiles:
    """Of an event."""

    def test_added_and_listed(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, attachments(file("a", ContentType="text/plain"), file("b", b"12")))
        assert listed(shelf) == [
            {
                "DisplayName": "a.txt",
                "FileReference": f"i1:{NUMBER}:f1",
                "Method": "1",
                "EstimatedDataSize": "4",
            },
            {
                "DisplayName": "b.txt",
                "FileReference": f"i1:{NUMBER}:f2",
                "Method": "1",
                "EstimatedDataSize": "2",
            },
        ]
        assert shelf.stored is not None
        assert shelf.stored.files == {1, 2}
        assert shelf.files[1].content == b"plan"

    def test_one_is_removed_and_one_added(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, attachments(file("a"), file("b")))
        shelf.change(attachments(gone(listed(shelf)[0]["FileReference"]), file("c")))
        assert [one["DisplayName"] for one in listed(shelf)] == ["b.txt", "c.txt"]
        assert shelf.stored is not None
        assert shelf.stored.files == {2, 3}

    def test_other_changes_leave_them(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, attachments(file("a", ContentId="x@y", IsInline="1")))
        before = listed(shelf)
        assert (before[0]["ContentId"], before[0]["IsInline"]) == ("x@y", "1")
        assert listed(shelf.change(*properties(Subject="x"))) == before

    def test_an_occurrence_has_its_own(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES, *DAILY, attachments(file("a")))
        shelf.change(attachments(file("b")), instance="20260306T080000Z")
        assert [one["DisplayName"] for one in listed(shelf)] == ["a.txt"]
        exceptions = tree(shelf.shown().find(Calendar.Exceptions))
        assert isinstance(exceptions, dict)
        (one,) = exceptions["Exception"]
        assert [file["DisplayName"] for file in one["Attachments"]["Attachment"]] == ["a.txt", "b.txt"]
        assert shelf.stored is not None
        assert shelf.stored.files == {1, 2}

    def test_how_they_are_answered(self, version: Version) -> None:
        answer = Answer(number=NUMBER, uid="u", files={"a": 1, "b": 2}, digest="x")
        told = CONTENT.answered(answer, scene(version))
        assert [one.tag for one in told] == [Calendar.UID, AirSyncBase.Attachments]
        for one, number in zip(told[1], (1, 2), strict=True):
            reference = parse_item_file_reference(one.child_text(AirSyncBase.FileReference) or "")
            assert (reference.item.collection, reference.item.number, reference.file) == (
                FOLDER,
                NUMBER,
                number,
            )
        changed = CONTENT.answered(Answer(number=NUMBER, uid="u"), scene(version))
        assert not changed

    @pytest.mark.parametrize(
        "changes",
        [
            [file("", ClientId="")],
            [file("a", ClientId="-")],
            [file("a", Method="5")],
            [file("a", Method="-")],
            [file("a", Content="-")],
            [file("a"), file("a")],
            [file("a", IsInline="2")],
            [file(f"f{number}") for number in range(101)],
            [gone("i1:8:f1")],
            [gone("i2:7:f1")],
            [gone("5:1.2:3")],
            [gone("nonsense")],
            [element(AirSyncBase.Delete)],
        ],
    )
    def test_refused(self, version: Version, changes: list[Element]) -> None:
        shelf = Shelf(version).add(*TIMES, attachments(file("kept")))
        before = shelf.text
        with pytest.raises((BadItem, Refused)):
            shelf.change(attachments(*changes))
        assert shelf.text == before
        with pytest.raises(BadItem):
            Shelf(version).add(*TIMES, attachments(*changes))


@pytest.mark.parametrize("version", OLD)
def test_old_devices_are_told_of_none_and_lose_none(version: Version) -> None:
    shelf = Shelf(Version.V16_1).add(*TIMES, attachments(file("a"))).speaking(version)
    assert listed(shelf) == []
    shelf.change(*TIMES, *properties(Subject="x"))
    assert [one["DisplayName"] for one in listed(shelf.speaking(Version.V16_1))] == ["a.txt"]
    assert not CONTENT.answered(Answer(number=NUMBER, uid="u", digest="x"), scene(version))
