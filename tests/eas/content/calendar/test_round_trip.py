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


_UNKNOWN = st.lists(
    st.sampled_from(
        [
            "X-MOZ-GENERATION:3",
            "X-APPLE-TRAVEL-DURATION;VALUE=DURATION:PT30M",
            "URL:https://example.test/;a=b,c",
            'COMMENT;LANGUAGE=de;ALTREP="cid:1:2":Hallo\\, Welt',
            'X-ODD;X-LIST="a;b",c:\u00fcber\u2028all',
            "RELATED-TO;RELTYPE=SIBLING:other",
            "GEO:52.5;13.4",
            "RESOURCES:BEAMER,EASEL",
            "this line is no property",
        ]
    ),
    min_size=1,
    unique=True,
)
_ALARM = ("BEGIN:VALARM", "ACTION:EMAIL", "TRIGGER:-P1D", "SUMMARY:mail me", "END:VALARM")


@pytest.mark.parametrize("version", Version)
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_what_no_device_knows_survives_an_edit(version: Version, draw: st.DataObject) -> None:
    """In the series and in its exceptions, and whatever the edit is."""
    made = Shelf(Version.V14_1).add(*draw.draw(events(Version.V14_1))).text
    unknown = [*draw.draw(_UNKNOWN), *_ALARM]
    shelf = Shelf.of(made.replace("END:VEVENT", "\r\n".join([*unknown, "END:VEVENT"])), version)
    count = made.count("END:VEVENT")
    shown = [one for one in shelf.shown(BodyPreference(PLAIN)) if _may_say(one, version)]
    edited = draw.draw(st.sampled_from(("Subject", "BusyStatus", "Sensitivity", "Reminder")))
    value = {"Subject": "other", "BusyStatus": "1", "Sensitivity": "1", "Reminder": "77"}[edited]
    sent = [one for one in shown if one.tag.name != edited] + properties(**{edited: value})
    text = shelf.change(*sent).text.replace("\r\n ", "")
    for line in unknown:
        assert text.count(line) >= count, line


@pytest.mark.parametrize("version", Version)
@given(st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_shown_makes_the_same_event(version: Version, draw: st.DataObject) -> None:
    """Added to another calendar by a device that copies it."""
    writer = draw.draw(st.sampled_from((Version.V12_1, Version.V14_1, Version.V16_1)))
    shelf = Shelf(writer).add(*draw.draw(events(writer))).speaking(version)
    original = shelf.shown(BodyPreference(PLAIN))
    copy = Shelf(version).add(*original).shown(BodyPreference(PLAIN))
    one, other = tree(original), tree(copy)
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    for values in (one, other):
        for name in ("UID", "DtStamp") if version >= Version.V16_0 else ():
            values.pop(name, None)
        if version >= Version.V16_0:  # answers are not a device's to tell
            values["Attendees"] = _unanswered(values["Attendees"])
        _without(values)
    assert other == one


def _unanswered(guests: object) -> object:
    if isinstance(guests, dict):
        for one in guests["Attendee"]:
            one["AttendeeStatus"] = "0"
    return guests


def _may_say(one: Element, version: Version) -> bool:
    """Whether a device could send it in a Change."""
    return version in OLD or one.tag not in {Calendar.Exceptions, Calendar.UID, AirSyncBase.Attachments}
