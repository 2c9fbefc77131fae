"""Changes: what is left out, occurrences, series that become single events, and what no device knows of."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.eas.content.preferences import HTML, PLAIN, BodyPreference
from gateway.eas.versions import Version
from gateway.errors import NotFound
from gateway.sync.itemoperations import Given
from tests.eas.content.calendar.support import (
    ALIAS,
    ANN,
    BOB,
    CONTENT,
    DAILY,
    NEW,
    NUMBER,
    OLD,
    TIMES,
    Shelf,
    attendee,
    body,
    calendar,
    item,
    properties,
    scene,
    told,
    tree,
)
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Calendar

RICH = [
    *TIMES,
    *properties(
        Subject="dinner",
        Sensitivity=2,
        BusyStatus=3,
        Reminder=15,
        Categories=[element(Calendar.Category, "fun")],
    ),
]


def place(version: Version, name: str) -> Element:
    if version < Version.V16_0:
        return element(Calendar.Location, name)
    return element(AirSyncBase.Location, *([element(AirSyncBase.DisplayName, name)] if name else []))


def key(version: Version) -> str:
    return "InstanceId" if version >= Version.V16_0 else "ExceptionStartTime"


def exceptions(shelf: Shelf) -> list[dict[str, object]]:
    """Those that are shown, without what only the server says."""
    listed = tree(shelf.shown(BodyPreference(PLAIN)).find(Calendar.Exceptions))
    if listed is None:
        return []
    assert isinstance(listed, dict)
    for one in listed["Exception"]:
        one.pop("DtStamp", None)
    found = listed["Exception"]
    assert isinstance(found, list)
    return found


def instance(version: Version, original: str, **named: object) -> Element:
    tag = AirSyncBase.InstanceId if version >= Version.V16_0 else Calendar.ExceptionStartTime
    return element(Calendar.Exception, element(tag, original), *properties(**named))


# --- what a Change leaves out ------------------------------------------------------------------------------


@pytest.mark.parametrize("version", OLD)
class TestGhosts:
    """Properties of devices that send an event as a whole (MS-ASCMD 2.2.3.178)."""

    def test_what_is_left_out_is_gone(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, place(version, "home")).change(*TIMES, *properties(Subject="lunch"))
        shown = shelf.shown()
        assert [
            told(shown, tag) for tag in (Calendar.Subject, Calendar.Sensitivity, Calendar.BusyStatus)
        ] == [
            "lunch",
            "0",
            "2",
        ]
        for tag in (Calendar.Reminder, Calendar.Categories, Calendar.Location):
            assert shown.find(tag) is None

    def test_an_empty_list_keeps_all_but_the_place(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, place(version, "home"), *DAILY)
        shown = shelf.speaking(version, []).change(*TIMES).shown()
        assert [told(shown, tag) for tag in (Calendar.Subject, Calendar.Sensitivity, Calendar.Reminder)] == [
            "dinner",
            "2",
            "15",
        ]
        assert shown.find(Calendar.Recurrence) is not None
        assert shown.find(Calendar.Location) is None

    def test_what_is_listed_is_not_kept(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH).speaking(version, ["Reminder", "Categories"])
        shown = shelf.change(*TIMES).shown()
        assert told(shown, Calendar.Sensitivity) == "2"
        assert shown.find(Calendar.Reminder) is None
        assert shown.find(Calendar.Categories) is None

    def test_text_and_exceptions_always_stay(self, version: Version) -> None:
        written = properties(Body="bring wine") if version < Version.V12_0 else [body("bring wine")]
        gone = instance(version, "20260306T080000Z", Deleted=1)
        shelf = Shelf(version).add(*RICH, *DAILY, *written, *properties(Exceptions=[gone]))
        shelf.change(*TIMES, *DAILY)
        shown = tree(shelf.shown(BodyPreference(PLAIN)))
        assert isinstance(shown, dict)
        assert "bring wine" in str(shown["Body"])
        assert len(exceptions(shelf)) == 1

    def test_what_a_version_does_not_know_stays(self, version: Version) -> None:
        guests = [attendee(BOB, "Bob", kind=2)]
        shelf = Shelf(Version.V14_1).add(
            *TIMES,
            *properties(Attendees=guests, MeetingStatus=1, OrganizerName="Ann", OrganizerEmail=ANN),
            *properties(ResponseRequested=1, DisallowNewTimeProposal=1),
        )
        bare = [attendee(BOB, "Bob")]
        shelf.speaking(version).change(*TIMES, *properties(Subject="x", Attendees=bare, OrganizerEmail=ANN))
        shown = tree(shelf.speaking(Version.V14_1).shown())
        assert isinstance(shown, dict)
        assert shown["Attendees"]["Attendee"][0]["AttendeeType"] == "2"
        if version < Version.V14_0:
            assert (shown["ResponseRequested"], shown["DisallowNewTimeProposal"]) == ("1", "1")

    def test_the_meeting_of_another_does_not_become_the_users_by_silence(self, version: Version) -> None:
        shelf = Shelf(version).add(
            *TIMES,
            *properties(UID="u1", OrganizerName="Bob", OrganizerEmail=BOB, Attendees=[attendee(ANN)]),
            *properties(MeetingStatus=3),
        )
        shelf.change(*TIMES, *properties(Reminder=5, Attendees=[attendee(ANN)]))
        shown = shelf.shown()
        assert told(shown, Calendar.OrganizerEmail) == BOB
        assert told(shown, Calendar.MeetingStatus) == "3"


@pytest.mark.parametrize("version", NEW)
def test_new_devices_say_only_what_changed(version: Version) -> None:
    shelf = Shelf(version).add(*RICH, place(version, "home"), *DAILY, body("bring wine"))
    before = tree(shelf.shown())
    shelf.change(*properties(Reminder=30))
    after = tree(shelf.shown())
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after.pop("Reminder") == "30"
    del before["Reminder"]
    assert after == before


@pytest.mark.parametrize("version", NEW)
def test_new_devices_remove_by_empty_elements(version: Version) -> None:
    shelf = Shelf(version).add(*RICH, place(version, "home"))
    shelf.change(place(version, ""), *properties(Reminder=None, Categories=[], Subject=None))
    shown = tree(shelf.shown())
    assert isinstance(shown, dict)
    assert [shown[name] for name in ("Location", "Reminder", "Categories", "Subject")] == [""] * 4
    assert shown["Sensitivity"] == "2"


@pytest.mark.parametrize("version", NEW)
def test_new_devices_name_no_organizer_and_no_answers(version: Version) -> None:
    guests = [attendee(BOB, "Bob", status=3, kind=1)]
    shelf = Shelf(version).add(
        *TIMES, *properties(Attendees=guests, OrganizerEmail=BOB, UID="theirs", DtStamp="20200101T000000Z")
    )
    shown = tree(shelf.shown())
    assert isinstance(shown, dict)
    assert shown["OrganizerEmail"] == ANN
    assert shown["MeetingStatus"] == "1"
    assert shown["Attendees"]["Attendee"][0]["AttendeeStatus"] == "0"
    assert shown["UID"] != "theirs"
    assert shown["DtStamp"] != "20200101T000000Z"


@pytest.mark.parametrize("version", Version)
class TestOrganizers:
    """Every meeting has one."""

    def test_an_appointment_becomes_a_meeting_of_the_user(self, version: Version) -> None:
        shelf = Shelf(version).add(*TIMES)
        shown = shelf.change(*TIMES, *properties(Attendees=[attendee(BOB)])).shown()
        assert told(shown, Calendar.OrganizerEmail) == ANN
        assert told(shown, Calendar.MeetingStatus) == "1"

    def test_silence_takes_it_from_no_meeting(self, version: Version) -> None:
        guests = properties(Attendees=[attendee(BOB)])
        shelf = Shelf(version).add(*TIMES, *guests, *properties(OrganizerEmail=ANN, OrganizerName="Annie"))
        before = shelf.text
        assert shelf.change(*TIMES, *guests).text == before

    def test_an_appointment_of_nobody_else_has_none(self, version: Version) -> None:
        assert Shelf(version).add(*TIMES).shown().find(Calendar.OrganizerEmail) is None


@pytest.mark.parametrize("version", Version)
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("bob@example.test", "bob@example.test"),
        ("Bob <bob@example.test>", "bob@example.test"),
        ("SMTP:bob@example.test", "bob@example.test"),
        ("mailto:bob@example.test", "bob@example.test"),
        ("b\u00fcb@ex\u00e4mple.test", "b\u00fcb@ex\u00e4mple.test"),
        ("/o=First/cn=bob", ""),
        ("", ""),
    ],
)
def test_the_address_of_an_attendee_is_mended(version: Version, written: str, meant: str) -> None:
    shelf = Shelf(version).add(*TIMES, *properties(Attendees=[attendee(written, "Bob")]))
    shown = tree(shelf.shown().find(Calendar.Attendees))
    assert isinstance(shown, dict)
    (one,) = shown["Attendee"]
    assert (one["Email"], one["Name"]) == (meant, "Bob")
    before = shelf.text
    assert shelf.change(*TIMES, *properties(Attendees=[attendee(written, "Bob")])).text == before


@pytest.mark.parametrize("version", Version)
def test_an_empty_list_of_exceptions_says_nothing(version: Version) -> None:
    gone = instance(version, "20260306T080000Z", Deleted=1)
    shelf = Shelf(version).add(*TIMES, *DAILY, *properties(Exceptions=[gone]))
    shelf.change(*TIMES, *DAILY, *properties(Exceptions=[], Subject="x"))
    assert len(exceptions(shelf)) == 1


@pytest.mark.parametrize("version", NEW)
def test_one_occurrence_becomes_a_meeting(version: Version) -> None:
    shelf = Shelf(version).add(*TIMES, *DAILY)
    shelf.change(*properties(Attendees=[attendee(BOB)]), instance="20260306T080000Z")
    assert shelf.text.count("ORGANIZER") == 2
    assert exceptions(shelf)[0]["MeetingStatus"] == "1"


# --- occurrences -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
class TestExceptions:
    """Exceptions with the series they belong to."""

    def test_what_is_like_the_series_is_not_told(self, version: Version) -> None:
        moved = {"StartTime": "20260306T100000Z", "EndTime": "20260306T110000Z"}
        same = {"Subject": "dinner", "BusyStatus": 3, "Reminder": 15}
        one = instance(version, "20260306T080000Z", **moved, **same)
        shelf = Shelf(version).add(*RICH, *DAILY, *properties(Exceptions=[one]))
        assert exceptions(shelf) == [{key(version): "20260306T080000Z", **moved}]

    def test_what_is_removed_is_empty(self, version: Version) -> None:
        one = instance(version, "20260306T080000Z", Subject=None, Reminder=None, Categories=[])
        shelf = Shelf(version).add(*RICH, *DAILY, *properties(Exceptions=[one]))
        shown = exceptions(shelf)[0]
        assert (shown["Subject"], shown["Categories"]) == ("", "")
        assert shown.get("Reminder") == ("" if version >= Version.V14_1 else None)

    def test_one_that_is_moved_lasts_as_long_as_the_others(self, version: Version) -> None:
        one = instance(version, "20260306T080000Z", StartTime="20260306T120000Z")
        shelf = Shelf(version).add(*RICH, *DAILY, *properties(Exceptions=[one]))
        assert exceptions(shelf)[0]["EndTime"] == "20260306T130000Z"

    def test_no_text_of_its_own(self, version: Version) -> None:
        if version < Version.V12_0:
            return
        one = instance(version, "20260306T080000Z", Subject="x")
        one.append(body("its own"))
        shelf = Shelf(version).add(*RICH, *DAILY, body("of all"), *properties(Exceptions=[one]))
        shown = exceptions(shelf)[0]["Body"]
        assert isinstance(shown, dict)
        assert shown["Data"] == "its own"


@pytest.mark.parametrize("version", OLD)
class TestExceptionsOfOldDevices:
    """Which send them all with every Change, or only those that changed."""

    def test_those_that_are_not_named_stay(self, version: Version) -> None:
        first = instance(version, "20260306T080000Z", Subject="first")
        second = instance(version, "20260307T080000Z", Subject="second")
        shelf = Shelf(version).add(*RICH, *DAILY, *properties(Exceptions=[first]))
        shelf.change(*RICH, *DAILY, *properties(Exceptions=[second]))
        assert [one["Subject"] for one in exceptions(shelf)] == ["first", "second"]

    def test_what_one_leaves_out_is_like_the_series_again(self, version: Version) -> None:
        first = instance(version, "20260306T080000Z", Subject="first", BusyStatus=0)
        again = instance(version, "20260306T080000Z", BusyStatus=0)
        shelf = Shelf(version).add(*RICH, *DAILY, *properties(Exceptions=[first]))
        shelf.change(*RICH, *DAILY, *properties(Exceptions=[again]))
        (shown,) = exceptions(shelf)
        assert "Subject" not in shown
        assert shown["BusyStatus"] == "0"

    def test_a_new_pattern_keeps_them(self, version: Version) -> None:
        first = instance(version, "20260306T080000Z", Subject="first")
        shelf = Shelf(version).add(*RICH, *DAILY, *properties(Exceptions=[first]))
        other = properties(Recurrence=properties(Type=0, Interval=1, Occurrences=50))
        shelf.change(*RICH, *other)
        assert len(exceptions(shelf)) == 1

    def test_a_series_leaves_the_days_of_exceptions_that_come_with_it(self, version: Version) -> None:
        """Many devices send all exceptions again, with all there is to say of them."""
        weekly, other = (
            properties(Recurrence=properties(Type=1, Interval=1, DayOfWeek=day)) for day in (16, 32)
        )
        first = instance(version, "20260312T080000Z", Subject="first", Sensitivity=2)
        shelf = Shelf(version).add(*RICH, *weekly, *properties(Exceptions=[first]))
        everything = [one for one in RICH if one.tag not in {Calendar.StartTime, Calendar.EndTime}]
        moved = properties(StartTime="20260306T080000Z", EndTime="20260306T090000Z")
        second = instance(version, "20260313T080000Z", Subject="second")
        again = instance(version, "20260312T080000Z", Subject="first, and more", Sensitivity=2, BusyStatus=3)
        shelf.change(*everything, *moved, *other, *properties(Exceptions=[again, second]))
        assert [one["Subject"] for one in exceptions(shelf)] == ["second"]

    def test_attendees_of_one_are_for_14_0_and_later(self, version: Version) -> None:
        meeting = properties(Attendees=[attendee(BOB)], OrganizerEmail=ANN, MeetingStatus=1)
        one = instance(version, "20260306T080000Z", Attendees=[attendee(BOB), attendee("cy@example.test")])
        shelf = Shelf(version).add(*RICH, *meeting, *DAILY, *properties(Exceptions=[one]))
        (shown,) = exceptions(shelf)
        assert ("Attendees" in shown) == (version >= Version.V14_0)

    def test_a_series_becomes_a_single_event(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, *DAILY).change(*RICH)
        assert shelf.shown().find(Calendar.Recurrence) is None


@pytest.mark.parametrize("version", NEW)
class TestInstances:
    """Occurrences that are changed by themselves."""

    def test_one_is_changed_and_changed_again(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, *DAILY)
        shelf.change(*properties(Subject="first"), instance="20260306T080000Z")
        shelf.change(*properties(BusyStatus=0), instance="20260306T080000Z")
        (shown,) = exceptions(shelf)
        assert (shown["InstanceId"], shown["Subject"], shown["BusyStatus"]) == (
            "20260306T080000Z",
            "first",
            "0",
        )

    def test_one_is_moved_and_goes_by_its_original_start(self, version: Version) -> None:
        moved = properties(StartTime="20260306T120000Z", EndTime="20260306T130000Z")
        shelf = Shelf(version).add(*RICH, *DAILY).change(*moved, instance="20260306T080000Z")
        shelf.change(*properties(Subject="late"), instance="20260306T080000Z")
        (shown,) = exceptions(shelf)
        assert (shown["StartTime"], shown["Subject"]) == ("20260306T120000Z", "late")
        shelf.delete("20260306T080000Z")
        assert exceptions(shelf) == [{"Deleted": "1", "InstanceId": "20260306T080000Z"}]
        with pytest.raises(NotFound):
            shelf.change(*properties(Subject="x"), instance="20260306T080000Z")

    def test_a_series_is_moved_and_its_exceptions_are_gone(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, *DAILY)
        shelf.change(*properties(Subject="first"), instance="20260306T080000Z").delete("20260307T080000Z")
        assert len(exceptions(shelf)) == 2
        shelf.change(*properties(Subject="brunch"))
        assert len(exceptions(shelf)) == 2
        shelf.change(*properties(StartTime="20260305T100000Z", EndTime="20260305T110000Z"))
        assert exceptions(shelf) == []

    def test_a_new_pattern_drops_them(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, *DAILY).delete("20260307T080000Z")
        shelf.change(*properties(Recurrence=properties(Type=0, Interval=2)))
        assert exceptions(shelf) == []

    @pytest.mark.parametrize(
        ("rule", "second"),
        [
            ({"Type": 0, "DayOfWeek": 62}, "20260306"),
            ({"Type": 3, "DayOfWeek": 127, "WeekOfMonth": 5}, "20260331"),
            ({"Type": 6, "DayOfWeek": 127, "WeekOfMonth": 3, "MonthOfYear": 4}, "20260403"),
            ({"Type": 2, "DayOfMonth": 31, "CalendarType": 1}, "20260331"),
            ({"Type": 0, "Until": "20260901T235959Z"}, "20260306"),
        ],
    )
    def test_a_pattern_that_is_said_in_another_way_is_no_new_one(
        self, version: Version, rule: dict[str, object], second: str
    ) -> None:
        series = properties(Recurrence=properties(**rule))
        shelf = Shelf(version).add(*RICH, *series)
        shelf.change(*properties(Subject="first"), instance=f"{second}T080000Z")
        for time in (TIMES, []):
            shelf.change(*time, *properties(Subject="brunch"), *series)
            assert [one["Subject"] for one in exceptions(shelf)] == ["first"]

    def test_a_pattern_without_its_type(self, version: Version) -> None:
        weekly = properties(Recurrence=properties(Type=1, DayOfWeek=16))
        shelf = Shelf(version).add(*RICH, *weekly)
        shelf.change(*properties(Recurrence=properties(DayOfWeek=20, Interval=3)))
        shown = tree(shelf.shown().find(Calendar.Recurrence))
        assert isinstance(shown, dict)
        assert (shown["Type"], shown["DayOfWeek"], shown["Interval"]) == ("1", "20", "3")

    def test_an_empty_pattern_makes_a_single_event(self, version: Version) -> None:
        shelf = Shelf(version).add(*RICH, *DAILY).delete("20260307T080000Z")
        shown = shelf.change(*properties(Recurrence=[])).shown()
        assert shown.find(Calendar.Recurrence) is None
        assert shown.find(Calendar.Exceptions) is None

    def test_whole_days(self, version: Version) -> None:
        days = properties(StartTime="20260305T000000Z", EndTime="20260306T000000Z", AllDayEvent=1)
        shelf = Shelf(version).add(*days, *DAILY)
        shelf.change(*properties(Subject="feast"), instance="20260307T000000Z").delete("20260309T000000Z")
        assert [one["InstanceId"] for one in exceptions(shelf)] == ["20260307T000000Z", "20260309T000000Z"]


@pytest.mark.parametrize("version", Version)
def test_an_occurrence_without_its_series(version: Version) -> None:
    """Invited to one alone: only 16.x can be told so."""
    text = calendar(
        "BEGIN:VEVENT",
        "UID:orphan",
        "RECURRENCE-ID:20260306T080000Z",
        "DTSTART:20260306T100000Z",
        "DTEND:20260306T110000Z",
        "SUMMARY:once",
        "END:VEVENT",
    )
    shelf = Shelf.of(text, version)
    shown = shelf.shown()
    expected = "20260306T080000Z" if version >= Version.V16_0 else None
    assert told(shown, AirSyncBase.InstanceId) == expected
    assert told(shown, Calendar.StartTime) == "20260306T100000Z"
    if version >= Version.V16_0:
        shelf.change(*properties(Subject="twice"), instance="20260306T080000Z")
        assert told(shelf.shown(), Calendar.Subject) == "twice"
        assert shelf.delete("20260306T080000Z").stored is None


# --- what no device knows of -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", Version)
def test_an_address_that_was_shown_as_a_line_stays_an_address(version: Version) -> None:
    street = element(
        AirSyncBase.Location,
        element(AirSyncBase.DisplayName, "Zoo"),
        element(AirSyncBase.Street, "Long Lane 5"),
        element(AirSyncBase.Latitude, "52.5"),
        element(AirSyncBase.Longitude, "13.25"),
    )
    shelf = Shelf(Version.V16_1).add(*TIMES, street)
    before = tree(shelf.shown().find(AirSyncBase.Location))
    old = shelf.speaking(version)
    sent = [one for one in old.shown() if one.tag not in {Calendar.Subject, Calendar.UID}]
    old.change(*sent, *properties(Subject="apes"))
    after = old.speaking(Version.V16_1).shown()
    assert told(after, Calendar.Subject) == "apes"
    assert tree(after.find(AirSyncBase.Location)) == before


@pytest.mark.parametrize("version", [one for one in Version if one >= Version.V12_0])
def test_a_text_in_html_survives_a_device_that_has_it_plain(version: Version) -> None:
    shelf = Shelf(version).add(*TIMES, body("<p>bring <b>wine</b></p>", 2))
    shown = shelf.shown(BodyPreference(PLAIN))
    assert told(shown, AirSyncBase.NativeBodyType) == "2"
    plain = shown.find(AirSyncBase.Body)
    assert plain is not None
    assert plain.child_text(AirSyncBase.Data) == "bring wine"
    shelf.change(*TIMES, *properties(Subject="x"), plain)
    rich = shelf.shown(BodyPreference(HTML)).find(AirSyncBase.Body)
    assert rich is not None
    assert "<b>wine</b>" in (rich.child_text(AirSyncBase.Data) or "")
    shelf.change(*TIMES, body("water"))
    shown = shelf.shown(BodyPreference(HTML), BodyPreference(PLAIN))
    assert told(shown, AirSyncBase.NativeBodyType) == "1"


@pytest.mark.parametrize("version", [one for one in Version if one >= Version.V12_0])
def test_the_beginning_of_a_text_does_not_take_the_place_of_it(version: Version) -> None:
    whole = "word " * 100
    shelf = Shelf(version).add(*TIMES, body(whole))
    cut = shelf.shown(BodyPreference(PLAIN, 50)).find(AirSyncBase.Body)
    assert cut is not None
    assert cut.child_text(AirSyncBase.Truncated) == "1"
    shelf.change(*TIMES, *properties(Subject="x"), cut)
    again = shelf.shown(BodyPreference(PLAIN)).find(AirSyncBase.Body)
    assert again is not None
    assert (again.child_text(AirSyncBase.Data) or "").strip() == whole.strip()


@pytest.mark.parametrize("version", [one for one in Version if Version.V12_0 <= one < Version.V16_0])
def test_rich_text_is_read_and_written(version: Version) -> None:
    shelf = Shelf(version).add(*TIMES, body("e1xydGYxXGFuc2kgYnJpbmcgd2luZX0=", 3))
    shown = shelf.shown(BodyPreference(PLAIN)).find(AirSyncBase.Body)
    assert shown is not None
    assert shown.child_text(AirSyncBase.Data) == "bring wine"
    rich = shelf.shown(BodyPreference(3)).find(AirSyncBase.Body)
    assert rich is not None
    assert rich.child_text(AirSyncBase.Type) == "3"


def test_a_text_of_version_2_5_is_cut_as_asked() -> None:
    shelf = Shelf(Version.V2_5).add(*TIMES, *properties(Body="first\r\nsecond"))
    shown = shelf.shown()
    assert (told(shown, Calendar.Body), told(shown, Calendar.BodyTruncated)) == ("first\r\nsecond", "0")
    before = shelf.text
    shelf.change(*TIMES, *properties(Body="first", BodyTruncated=1))
    assert told(shelf.shown(), Calendar.Body) == "first\r\nsecond"
    assert "DESCRIPTION:first\\nsecond" in before


@pytest.mark.parametrize("version", OLD)
def test_an_event_added_again_under_its_uid_is_the_same(version: Version) -> None:
    shelf = Shelf(version).add(*RICH, *properties(UID="u1")).add(*TIMES, *properties(UID="u1", Subject="x"))
    shown = shelf.shown()
    assert (told(shown, Calendar.Subject), told(shown, Calendar.Reminder)) == ("x", "15")


@pytest.mark.parametrize("version", NEW)
def test_an_event_added_again_under_its_client_uid_is_the_same(version: Version) -> None:
    named = properties(ClientUid="c-1")
    gone = properties(Exceptions=[instance(version, "20260306T080000Z", Deleted=1)])
    shelf = Shelf(version).add(*RICH, *DAILY, *gone, *named)
    before = shelf.text
    assert shelf.add(*RICH, *DAILY, *gone, *named).text == before
    shown = shelf.add(*TIMES, *named, *properties(Subject="x")).shown()
    assert (told(shown, Calendar.Subject), told(shown, Calendar.Reminder)) == ("x", "15")
    other = Shelf(version).add(*RICH, *properties(ClientUid="c-2"))
    assert told(other.shown(), Calendar.UID) != told(shelf.shown(), Calendar.UID)


# --- answers the device does not know of -------------------------------------------------------------------


@pytest.mark.parametrize("version", OLD[1:])
def test_a_device_that_repeats_old_answers_undoes_none(version: Version) -> None:
    people = [attendee(BOB, status=3), attendee("cid@example.test", status=5)]
    shelf = Shelf(version).add(*TIMES, *properties(Subject="x", Attendees=people))
    stale = [attendee(BOB, status=5), attendee("cid@example.test", status=5)]
    again = properties(Subject="y", Attendees=stale)
    assert "PARTSTAT=ACCEPTED" not in shelf.speaking(version).change(*TIMES, *again).text
    shelf.answered = True
    text = shelf.change(*TIMES, *again).text
    assert "PARTSTAT=ACCEPTED" in text
    assert "SUMMARY:y" in text


@pytest.mark.parametrize("version", OLD + NEW)
def test_how_an_answered_invitation_counts_is_not_undone(version: Version) -> None:
    invited = calendar(
        "BEGIN:VEVENT",
        "UID:x",
        "DTSTART:20260305T080000Z",
        "DTEND:20260305T090000Z",
        f"ORGANIZER:mailto:{BOB}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ANN}",
        "X-MICROSOFT-CDO-BUSYSTATUS:BUSY",
        "END:VEVENT",
    )
    shelf = Shelf.of(invited, version)
    shelf.answered = True
    shelf.change(*TIMES, *properties(BusyStatus=1, Reminder=5))
    assert (told(shelf.shown(), Calendar.BusyStatus), told(shelf.shown(), Calendar.Reminder)) == ("2", "5")


# --- other addresses of the user ---------------------------------------------------------------------------


@pytest.mark.parametrize("version", OLD[2:] + NEW)
def test_what_he_organizes_under_another_address_is_his(version: Version) -> None:
    lines = ("BEGIN:VEVENT", "UID:x", "DTSTART:20260305T080000Z", f"ORGANIZER:mailto:{ALIAS}")
    shelf = Shelf.of(calendar(*lines, f"ATTENDEE:mailto:{BOB}", "END:VEVENT"), version)
    assert told(shelf.shown(), Calendar.MeetingStatus) == "1"
    shelf.change(*TIMES, *properties(Subject="new", Attendees=[attendee(BOB), attendee("cid@example.test")]))
    assert told(shelf.shown(), Calendar.MeetingStatus) == "1"
    assert f"ORGANIZER:mailto:{ALIAS}" in shelf.text.replace("\r\n ", "")


@pytest.mark.parametrize(("version", "host"), [*((one, ALIAS) for one in OLD), *((one, ANN) for one in NEW)])
def test_a_phone_for_which_the_server_mails_is_shown_its_account_as_organizer(
    version: Version, host: str
) -> None:
    lines = ("BEGIN:VEVENT", "UID:x", "DTSTART:20260305T080000Z", f"ORGANIZER;CN=Ann:mailto:{ALIAS}")
    shelf = Shelf.of(calendar(*lines, f"ATTENDEE:mailto:{BOB}", "END:VEVENT"), version)
    shown = shelf.shown()
    assert (told(shown, Calendar.OrganizerEmail), told(shown, Calendar.OrganizerName)) == (host, "Ann")
    named = properties(OrganizerEmail=host, OrganizerName="Ann")
    shelf.change(*TIMES, *named, *properties(Subject="new", Attendees=[attendee(BOB)]))
    assert f"ORGANIZER;CN=Ann:mailto:{ALIAS}" in shelf.text.replace("\r\n ", "")
    assert told(shelf.shown(), Calendar.OrganizerEmail) == host


def test_those_he_invited_under_another_address_are_told_under_it() -> None:
    lines = ("BEGIN:VEVENT", "UID:x", "DTSTART:20300305T080000Z", f"ORGANIZER:mailto:{ALIAS}")
    shelf = Shelf.of(calendar(*lines, f"ATTENDEE:mailto:{BOB}", "END:VEVENT"), Version.V16_1)
    assert shelf.stored is not None
    gone = CONTENT.delete(NUMBER, "", scene(Version.V16_1)).change
    assert gone is not None
    (notice,) = gone(item(shelf.stored), Given()).notices
    assert notice.recipients == (BOB,)
    assert f"<{ALIAS}>".encode() in notice.message.partition(b"\r\n\r\n")[0]


# --- days in no zone ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", OLD)
def test_days_in_no_zone_are_those_of_the_users_zone(version: Version) -> None:
    lines = ("BEGIN:VEVENT", "UID:x", "DTSTART;VALUE=DATE:20260305", "RRULE:FREQ=DAILY;COUNT=5")
    shelf = Shelf.of(calendar(*lines, "EXDATE;VALUE=DATE:20260306", "END:VEVENT"), version)
    shelf.zone = ZoneInfo("Europe/Berlin")
    shown = shelf.shown()
    assert told(shown, Calendar.StartTime) == "20260304T230000Z"
    assert exceptions(shelf) == [{"Deleted": "1", "ExceptionStartTime": "20260305T230000Z"}]
    before = shelf.text
    names = ("Timezone", "StartTime", "EndTime", "AllDayEvent", "Recurrence", "Exceptions")
    back = [one for one in shown if one.tag.name in names]
    shelf.change(*back, *properties(Subject="new"))
    for line in ("DTSTART;VALUE=DATE:20260305", "EXDATE;VALUE=DATE:20260306"):
        assert line in before
        assert line in shelf.text
    gone = instance(version, "20260306T230000Z", Deleted=1)
    shelf.change(
        *[one for one in back if one.tag is not Calendar.Exceptions], element(Calendar.Exceptions, gone)
    )
    assert "20260307" in shelf.text
