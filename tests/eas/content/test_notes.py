"""Notes as devices send and see them, and as other programs write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.items import ItemContent
from gateway.eas.content.notes import TABLE, NoteContent
from gateway.eas.content.preferences import HTML, PLAIN, BodyPreference
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Refused
from tests.eas.content.shelf import NOW, Shelf, arrived, body, examples, ical, tree
from tests.eas.content.tasks.support import words
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Notes

CONTENT: ItemContent = NoteContent()
VERSIONS = (Version.V14_0, Version.V14_1, Version.V16_0, Version.V16_1)
JTX = ical(
    *("BEGIN:VJOURNAL", "UID:jtx1", "DTSTAMP:20260210T080000Z", "CREATED:20260101T080000Z"),
    *("SUMMARY;LANGUAGE=de:Rezept", "DESCRIPTION:Mehl\\, Wasser\\nSalz", "CATEGORIES:Küche,Brot"),
    *("STATUS:FINAL", "COLOR:gold", "X-JTX-MIME:text/markdown", "LAST-MODIFIED:20260209T101112Z"),
    "END:VJOURNAL",
)


def shelf(version: Version = Version.V14_1) -> Shelf:
    return Shelf(version, content=CONTENT)


def categories(*named: str) -> Element:
    return element(Notes.Categories, *(element(Notes.Category, one) for one in named))


def note(*more: Element, subject: str = "Shopping", message_class: str = "IPM.StickyNote") -> list[Element]:
    return [element(Notes.Subject, subject), element(Notes.MessageClass, message_class), *more]


def shown(told: Element) -> dict[str, object]:
    """Without what only the server says."""
    values = tree(told)
    for extra in ("NativeBodyType", "LastModifiedDate"):
        values.pop(extra, None)
    if isinstance(text := values.get("Body"), dict):
        text.pop("EstimatedDataSize", None)
    return values


@pytest.mark.parametrize("version", VERSIONS)
@given(words, st.lists(words, max_size=4, unique=True), words, st.booleans())
@examples(25)
def test_a_device_is_shown_what_it_sent_and_its_echo_changes_nothing(
    version: Version, subject: str, named: list[str], written: str, is_odd: bool
) -> None:
    sent = note(subject=subject, message_class="IPM.StickyNote.Blue" if is_odd else "IPM.StickyNote")
    sent += [body(written), *([categories(*named)] if named else [])]
    made = shelf(version).add(*sent)
    told = made.shown(BodyPreference(PLAIN))
    assert shown(told) == shown(element(AirSync.ApplicationData, *sent))
    before = made.text
    assert made.change(*told, now=NOW + timedelta(days=1)).text == before


@pytest.mark.parametrize("version", VERSIONS)
def test_a_journal_of_another_program(version: Version) -> None:
    told = shelf(version).holding(JTX).shown(BodyPreference(PLAIN))
    assert shown(told) == {
        "Subject": "Rezept",
        "Body": {"Type": "1", "Data": "Mehl, Wasser\r\nSalz"},
        "Categories": {"Category": ["Küche", "Brot"]},
        "MessageClass": "IPM.StickyNote",
    }
    assert told.child_text(Notes.LastModifiedDate) == "20260209T101112Z"
    assert shelf(version).holding(JTX).change(*told).text == JTX
    changed = shelf(version).holding(JTX).change(*note(categories("Küche", "Brot"), subject="Anderes"))
    assert changed.shown().child_text(Notes.LastModifiedDate) == f"{NOW:%Y%m%dT%H%M%SZ}"
    stamps = ("SUMMARY", "DTSTAMP", "LAST-MODIFIED")
    kept = [line for line in JTX.split("\r\n") if not line.startswith(stamps)]
    assert [line for line in kept if line not in changed.text.split("\r\n")] == []
    assert "SUMMARY;LANGUAGE=de:Anderes" in changed.text


def test_what_a_change_leaves_out() -> None:
    """Subject and text stay, categories go (MS-ASNOTE 3.2.5.3)."""
    made = shelf().add(*note(body("milk"), categories("Home")))
    told = shown(made.change(element(Notes.MessageClass, "IPM.StickyNote")).shown(BodyPreference(PLAIN)))
    assert (told["Subject"], told["Body"]) == ("Shopping", {"Type": "1", "Data": "milk"})
    assert "Categories" not in told


def test_when_it_was_changed_is_the_servers_to_say() -> None:
    made = shelf().add(*note(element(Notes.LastModifiedDate, "20010101T000000Z")))
    assert made.shown().child_text(Notes.LastModifiedDate) == f"{NOW:%Y%m%dT%H%M%SZ}"


def test_html_and_its_truncation() -> None:
    made = shelf().add(*note(body("<p>one <b>two</b></p>", HTML)))
    asked = made.shown(BodyPreference(HTML)).find(AirSyncBase.Body)
    assert asked is not None
    assert asked.child_text(AirSyncBase.Data) == "<p>one <b>two</b></p>"
    cut = made.shown(BodyPreference(PLAIN, 3)).find(AirSyncBase.Body)
    assert cut is not None
    assert tree(cut) == {"Type": "1", "EstimatedDataSize": "7", "Truncated": "1", "Data": "one"}


@pytest.mark.parametrize(
    "wrong",
    [
        note(message_class="IPM.Note"),
        note(message_class="IPM.StickyNotes"),
        note(message_class=""),
        note(message_class="IPM.StickyNote."),
        note(subject="x" * 40000),
        note(categories(*["x"] * 301)),
        note(body("x", 4)),
        note(element(AirSyncBase.Body, *body("x"), body("y", 2))),
        [*note(), *note()],
    ],
)
def test_what_can_be_no_note_is_refused(wrong: list[Element]) -> None:
    scene = shelf().scene()
    with pytest.raises(BadItem):
        CONTENT.add("c1", "", arrived(*wrong), scene)
    with pytest.raises(BadItem):
        CONTENT.change(1, "", "", arrived(*wrong), scene)
    with pytest.raises(BadItem):
        CONTENT.delete(1, "20260305T000000Z", scene)


def test_what_is_no_note_is_shown_as_a_stub() -> None:
    broken = shelf().holding("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    with pytest.raises(Refused):
        broken.shown()
    with pytest.raises(Refused):
        broken.change(*note())


def test_the_table_has_every_element_of_the_page() -> None:
    listed = [tag for one in TABLE for tag in one.elements]
    page = set(Notes.tokens.values())
    assert page <= set(listed)
