"""Whatever a device sends, it is an event or it is refused; and every event of a store can be shown."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.eas.content.preferences import HTML, PLAIN, RTF, BodyPreference
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Refused
from tests.eas.content.calendar.strategies import events
from tests.eas.content.calendar.support import CONTENT, TIMES, Shelf, item, scene
from tests.pim.test_invitation import broken
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Calendar, MeetingResponse

_PAGES = (Calendar, AirSyncBase, MeetingResponse)
_TAGS: list[Tag] = [one for page in _PAGES for one in vars(page).values() if isinstance(one, Tag)]
_TEXTS = st.one_of(
    st.sampled_from(
        [
            *("", "0", "1", "-1", "2", "4", "31", "127", "999", "99999999999", "1e9", "nan", "x", "20260305"),
            *("20260305T080000Z", "2026-03-05T08:00:00.000Z", "45000101T000000Z", "16010101T000000Z"),
            *("99991231T235959Z", "20260306T080000Z", "AAAA", "=", "i1:7:f1", "a@b", "\u202e\ufffd", "<p>"),
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
    st.integers(-5, 1200).map(str),
)


def junk() -> st.SearchStrategy[Element]:
    """Elements that belong to events, with texts and children that may not."""
    leaves = st.builds(element, st.sampled_from(_TAGS), _TEXTS)
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda tag, children: element(tag, *children),
            st.sampled_from(_TAGS),
            st.lists(inner, min_size=1, max_size=6),
        ),
        max_leaves=12,
    ).filter(lambda one: not one.tag.opaque)


def _sound(one: Element) -> bool:
    return not any(node.tag.opaque for node in one.iter())


@given(st.sampled_from(Version), st.lists(junk().filter(_sound), max_size=8), st.booleans(), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_event_or_a_refusal(
    version: Version, parts: list[Element], timed: bool, draw: st.DataObject
) -> None:
    sent = [*(draw.draw(events(version)) if timed else []), *parts]
    try:
        shelf = Shelf(version).add(*sent)
    except (BadItem, Refused):
        shelf = Shelf(version).add(*TIMES)
    before = shelf.text
    instance = draw.draw(st.sampled_from(["", "20260305T080000Z", "x"])) if version >= 160 else ""
    try:
        shelf.change(*parts, instance=instance)
    except (BadItem, Refused):
        assert shelf.text == before
    for seen_by in (version, Version.V2_5, Version.V16_1):
        shelf.speaking(seen_by).shown(BodyPreference(HTML, 10), BodyPreference(RTF), BodyPreference(PLAIN))


@pytest.mark.parametrize("version", [Version.V2_5, Version.V14_1, Version.V16_1])
@given(st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_broken_calendar_is_shown_or_stands_for_a_stub(version: Version, draw: st.DataObject) -> None:
    made = Shelf(Version.V14_1).add(*draw.draw(events(Version.V14_1)))
    shelf = Shelf.of(broken(made.text, draw.draw(st.integers(0, 2**32))), version)
    try:
        shelf.shown(BodyPreference(PLAIN))
    except Refused:
        assert shelf.stored is not None
        told = CONTENT.stub(item(shelf.stored), scene(version))
        assert {one.tag for one in told} >= {
            Calendar.StartTime,
            Calendar.EndTime,
            Calendar.Subject,
            Calendar.UID,
        }


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("text", ["", "BEGIN:VCALENDAR", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x"])
def test_what_cannot_be_read_can_be_deleted(version: Version, text: str) -> None:
    assert Shelf.of(text, version).delete().stored is None
