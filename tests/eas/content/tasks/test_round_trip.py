"""What a device sends is what it is shown; what it was shown and sends back changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.preferences import PLAIN, BodyPreference
from gateway.eas.versions import Version
from tests.eas.content.shelf import examples, tree
from tests.eas.content.tasks.support import properties, shelf, tasks, words
from wbxml import Element, element
from wbxml.pages import AirSync, Tasks

_WRITERS = (Version.V2_5, Version.V12_1, Version.V14_1, Version.V16_1)


def compared(shown: Element) -> dict[str, object]:
    """What is shown, without what only the server says."""
    values = tree(shown)
    for extra in ("NativeBodyType", "BodyTruncated", "BodySize"):
        values.pop(extra, None)
    if isinstance(body := values.get("Body"), dict):
        body.pop("EstimatedDataSize", None)
    return values


@pytest.mark.parametrize("version", Version)
@given(st.data())
@examples(25)
def test_a_device_is_shown_what_it_sent(version: Version, draw: st.DataObject) -> None:
    sent = draw.draw(tasks(version))
    shown = shelf(version).add(*sent).shown(BodyPreference(PLAIN))
    assert compared(shown) == compared(element(AirSync.ApplicationData, *sent))


@pytest.mark.parametrize("version", Version)
@given(st.data())
@examples(15)
def test_what_comes_back_as_it_was_shown_changes_nothing(version: Version, draw: st.DataObject) -> None:
    """Whoever wrote it, and whichever version looks at it."""
    writer = draw.draw(st.sampled_from(_WRITERS))
    seen = shelf(writer).add(*draw.draw(tasks(writer))).speaking(version)
    before = seen.text
    assert seen.change(*seen.shown(BodyPreference(PLAIN))).text == before


@pytest.mark.parametrize("version", Version)
@given(st.data())
@examples(15)
def test_one_change_leaves_all_else_as_it_is(version: Version, draw: st.DataObject) -> None:
    writer = draw.draw(st.sampled_from(_WRITERS))
    seen = shelf(writer).add(*draw.draw(tasks(writer)))
    before = compared(seen.shown(BodyPreference(PLAIN)))
    subject = f"changed {draw.draw(words)}"
    reader = seen.speaking(version)
    told = [one for one in reader.shown(BodyPreference(PLAIN)) if one.tag is not Tasks.Subject]
    after = compared(
        reader.change(*told, *properties(Subject=subject)).speaking(writer).shown(BodyPreference(PLAIN))
    )
    assert after == {**before, "Subject": subject}


@pytest.mark.parametrize("version", Version)
@given(st.data())
@examples(15)
def test_what_is_shown_makes_the_same_task(version: Version, draw: st.DataObject) -> None:
    """Added to another list by a device that copies it."""
    writer = draw.draw(st.sampled_from(_WRITERS))
    original = shelf(writer).add(*draw.draw(tasks(writer))).speaking(version).shown(BodyPreference(PLAIN))
    copy = shelf(version).add(*original).shown(BodyPreference(PLAIN))
    assert compared(copy) == compared(original)


_UNKNOWN = st.lists(
    st.sampled_from(
        [
            "X-APPLE-SORT-ORDER:3",
            "URL:https://example.test/;a=b,c",
            'COMMENT;LANGUAGE=de;ALTREP="cid:1:2":Hallo\\, Welt',
            "RELATED-TO;RELTYPE=PARENT:other",
            "LOCATION:shed",
            "ATTACH:https://example.test/a.pdf",
            "this line is no property",
        ]
    ),
    min_size=1,
    unique=True,
)
_ALARM = ("BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-P1D", "SUMMARY:mail me", "END:VALARM")
_EDITS = {
    "Subject": "other",
    "Importance": "0",
    "Sensitivity": "1",
    "Complete": "1",
    "DueDate": "2031-02-03T00:00:00.000Z",
}


@pytest.mark.parametrize("version", Version)
@given(st.data())
@examples(15)
def test_what_no_device_knows_survives_an_edit(version: Version, draw: st.DataObject) -> None:
    made = shelf(Version.V14_1).add(*draw.draw(tasks(Version.V14_1)))
    unknown = [*draw.draw(_UNKNOWN), *_ALARM]
    seen = made.holding(made.text.replace("END:VTODO", "\r\n".join([*unknown, "END:VTODO"]))).speaking(
        version
    )
    edited = draw.draw(st.sampled_from(sorted(_EDITS)))
    gone = {edited, f"Utc{edited}"}
    told = [one for one in seen.shown(BodyPreference(PLAIN)) if one.tag.name not in gone]
    text = seen.change(*told, *properties(**{edited: _EDITS[edited]})).text.replace("\r\n ", "")
    assert [line for line in unknown if line not in text] == []
