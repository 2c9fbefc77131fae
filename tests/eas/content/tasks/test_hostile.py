"""Whatever a device sends becomes a task that can be shown, or is refused; a note likewise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.items import ItemContent
from gateway.eas.content.notes import NoteContent
from gateway.eas.content.tasks import TaskContent
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Refused
from tests.eas.content.shelf import Shelf, examples
from tests.eas.content.tasks.support import BERLIN
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Notes, Tasks

_TEXTS = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                "0",
                "1",
                "2",
                "5",
                "6",
                "16",
                "127",
                "255",
                "999",
                "-1",
                "99999999999",
                "1.5",
                "IPM.StickyNote",
            ),
            *(
                "2026-03-05T00:00:00.000Z",
                "20260305T235959Z",
                "4500-12-31T23:59:59.000Z",
                "1601-01-01T00:00:00Z",
            ),
            *("2026-02-30T00:00:00.000Z", "x" * 300, "\u2028\t \x7f", "a\\,b;c\r\nBEGIN:VTODO"),
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10),
)


def _elements(*pages: type) -> st.SearchStrategy[list[Element]]:
    tags = [tag for page in pages for tag in page.tokens.values()]  # type: ignore[attr-defined]
    leaves = st.builds(element, st.sampled_from(tags), _TEXTS)
    nodes = st.builds(
        lambda tag, children: element(tag, *children), st.sampled_from(tags), st.lists(leaves, max_size=6)
    )
    return st.lists(st.one_of(leaves, nodes), max_size=8)


def _tried(content: ItemContent, version: Version, first: list[Element], second: list[Element]) -> None:
    shelf = Shelf(version, zone=BERLIN, content=content)
    try:
        shelf.add(*first)
    except (BadItem, Refused):
        return
    shown = shelf.shown()
    assert shelf.change(*shown).beside is None
    try:
        shelf.change(*second)
    except (BadItem, Refused):
        return
    shelf.shown()
    if shelf.beside:
        shelf.holding(shelf.beside.text).shown()


@pytest.mark.parametrize("version", [Version.V2_5, Version.V12_1, Version.V16_1])
@given(st.data())
@examples(60)
def test_tasks(version: Version, draw: st.DataObject) -> None:
    elements = _elements(Tasks, AirSyncBase)
    recurrence = st.lists(st.builds(element, st.sampled_from([*Tasks.tokens.values()]), _TEXTS), max_size=6)
    series = [
        element(Tasks.Type, draw.draw(st.sampled_from((0, 1, 2, 3, 5, 6)))),
        element(Tasks.Start, "2026-03-05T00:00:00.000Z"),
        *draw.draw(recurrence),
    ]
    first = [*draw.draw(elements), element(Tasks.Recurrence, *series)]
    _tried(TaskContent(), version, first, draw.draw(elements))


@given(st.data())
@examples(60)
def test_notes(draw: st.DataObject) -> None:
    elements = _elements(Notes, AirSyncBase)
    _tried(NoteContent(), Version.V16_1, draw.draw(elements), draw.draw(elements))
