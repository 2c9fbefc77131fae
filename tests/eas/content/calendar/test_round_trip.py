"""What a device sends is what it is shown; what it was shown and sends back changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.eas.content.preferences import PLAIN, BodyPreference
from gateway.eas.versions import Version
from tests.eas.content.calendar.strategies import events, words
from tests.eas.content.calendar.support import OLD, Shelf, properties, tree
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar

_ONLY_SHOWN = frozenset(
    {"NativeBodyType", "ResponseType", "DtStamp", "UID", "OrganizerName", "OrganizerEmail"}
)
"""What devices are told beyond what they said."""


def compared(shown: Element, sent: Element) -> tuple[object, object]:
    """Both as values, without what only the server says."""
    one, other = tree(shown), tree(sent)
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    for extra in _ONLY_SHOWN - other.keys():
        one.pop(extra, None)
    for tag in ("Location", "Attendees", "Categories", "Reminder"):
        if tag not in other and one.get(tag) == "":
            del one[tag]  # it says that there is none
    for name, usual in (("DisallowNewTimeProposal", "0"), ("BodyTruncated", "0"), ("MeetingStatus", "0")):
        if one.get(name) == usual:
            other.setdefault(name, usual)
    for name in ("Body",):
        if isinstance(one.get(name), dict):
            one[name].pop("EstimatedDataSize")
    return _without(one), _without(other)


def _without(values: dict[str, object]) -> dict[str, object]:
    """Exceptions as they were sent: the stamp and the state of the answer are the server's."""
    listed = values.get("Exceptions")
    if isinstance(listed, dict):
        for one in listed["Exception"]:
            for name in ("DtStamp", "ResponseType"):
                one.pop(name, None)
    guests = values.get("Attendees")
    if isinstance(guests, dict):
        for one in guests["Attendee"]:
            if one.get("AttendeeStatus") == "0":
                del one["AttendeeStatus"]
    return values


@pytest.mark.parametrize("version", Version)
@given(st.data())
@settings(max_examples=30, deadline=None)
def test_a_device_is_shown_what_it_sent(version: Version, draw: st.DataObject) -> None:
    sent = draw.draw(events(version))
    shown = Shelf(version).add(*sent).shown(BodyPreference(PLAIN))
    one, other = compared(shown, element(AirSync.ApplicationData, *sent))
    assert one == other


@pytest.mark.parametrize("version", Version)
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_what_comes_back_as_it_was_shown_changes_nothing(version: Version, draw: st.DataObject) -> None:
    """Whoever wrote it, and whichever version looks at it."""
    writer = draw.draw(st.sampled_from((Version.V12_1, Version.V14_1, Version.V16_1)))
    shelf = Shelf(writer).add(*draw.draw(events(writer))).speaking(version)
    before = shelf.text
    shown = [one for one in shelf.shown(BodyPreference(PLAIN)) if _may_say(one, version)]
    assert shelf.change(*shown).text == before


@pytest.mark.parametrize("version", Version)
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_one_change_leaves_all_else_as_it_is(version: Version, draw: st.DataObject) -> None:
    writer = draw.draw(st.sampled_from((Version.V12_1, Version.V14_1, Version.V16_1)))
    shelf = Shelf(writer).add(*draw.draw(events(writer)))
    before = tree(shelf.shown(BodyPreference(PLAIN)))
    subject = f"changed {draw.draw(words)}"
    reader = shelf.speaking(version)
    shown = [one for one in reader.shown(BodyPreference(PLAIN)) if _may_say(one, version)]
    changed = [one for one in shown if one.tag is not Calendar.Subject] + properties(Subject=subject)
    shelf = reader.change(*changed).speaking(writer)
    after = tree(shelf.shown(BodyPreference(PLAIN)))
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after.pop("Subject") == subject
    del before["Subject"]
    for one in (before, after):
        one.pop("DtStamp", None)
        _without(one)
    assert after == before


def _may_say(one: Element, version: Version) -> bool:
    """Whether a device could send it in a Change."""
    return version in OLD or one.tag not in {Calendar.Exceptions, Calendar.UID, AirSyncBase.Attachments}
