"""Calendar items over HTTP: what one phone writes, a second one sees, in each version (MS-ASCAL)."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.pim.timezones import pack, rules_at
from tests.blackbox.conftest import MakePhone
from tests.eas.content.calendar.support import attendee, body, properties, tree
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import (
    Phone,
    Served,
    add,
    body_preference,
    change,
    collections_of,
    commands,
    delete,
    options,
    statuses,
)
from wbxml import Element, decode, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, ItemOperations

VERSIONS = ("2.5", "12.1", "14.1", "16.0", "16.1")
BERLIN = pack(rules_at(ZoneInfo("Europe/Berlin"), datetime(2026, 3, 1, tzinfo=UTC)))
TIMES = properties(Timezone=BERLIN, StartTime="20260305T080000Z", EndTime="20260305T090000Z")
DAILY = properties(Recurrence=properties(Type=0, Interval=1, Occurrences=30))
PLAN = b"The plan: " + bytes(range(256)) * 40


@pytest.fixture(params=VERSIONS)
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param, packed=request.param in {"12.1", "14.1", "16.1"})
    made.provision()
    return made


@pytest.fixture(params=[one for one in VERSIONS if float(one) >= 16])
def new(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    """A phone of 16.x."""
    made = new_phone(request.param)
    made.provision()
    return made


@pytest.fixture
def stranger(shared_gateway: Gateway, dovecot: Dovecot) -> Phone:
    """A phone of another user."""
    name = f"user-{uuid.uuid4().hex[:12]}"
    made = Phone(shared_gateway.host, shared_gateway.port, name, dovecot.password)
    made.provision()
    return made


def begun(phone: Phone) -> str:
    """The default calendar, its first Sync done."""
    folder = phone.folders()["Calendar"]
    phone.begin(folder)
    if phone.number >= 12:
        phone.sync(folder, options(body_preference(1)))
    else:
        phone.sync(folder)
    return folder


def made(phone: Phone, folder: str, *data: Element) -> str:
    """The ServerId of an event the phone adds."""
    served = phone.sync(folder, commands(add("c1", *data)))
    (answer,) = served.responses
    assert answer.child_text(AirSync.Status) == "1"
    return answer.child_text(AirSync.ServerId) or ""


def instance(name: str, original: str, *data: Element) -> Element:
    """A Change of an occurrence."""
    asked = change(name, *data)
    asked.children.insert(1, element(AirSyncBase.InstanceId, original))
    return asked


def without(name: str, original: str) -> Element:
    """A Delete of an occurrence."""
    asked = delete(name)
    asked.append(element(AirSyncBase.InstanceId, original))
    return asked


def values(data: Element) -> Mapping[str, object]:
    found = tree(data)
    assert isinstance(found, dict)
    return found


def exceptions(data: Element) -> list[Mapping[str, object]]:
    listed = values(data).get("Exceptions", {"Exception": []})
    assert isinstance(listed, dict)
    return list(listed["Exception"])


def written(phone: Phone, text: str) -> Element:
    return body(text) if phone.number >= 12 else element(Calendar.Body, text)


# --- both ways ---------------------------------------------------------------------------------------------


def test_an_event_with_all_there_is(phone: Phone, other: Phone) -> None:
    folder = begun(phone)
    assert begun(other) == folder
    old = phone.number < 16
    place = (
        element(Calendar.Location, "Room 5")
        if old
        else element(AirSyncBase.Location, element(AirSyncBase.DisplayName, "Room 5"))
    )
    more = properties(
        UID="uid-1",
        OrganizerName="Me",
        OrganizerEmail=f"{phone.user}@example.test",
        DtStamp="20260301T000000Z",
    )
    name = made(
        phone,
        folder,
        *TIMES,
        *properties(Subject="Café ☕", Sensitivity=2, BusyStatus=3, Reminder=10, AllDayEvent=0),
        *properties(Categories=[element(Calendar.Category, "Work")]),
        *properties(Attendees=[attendee("bob@example.test", "Bob")], MeetingStatus=1),
        place,
        written(phone, "bring wine"),
        *(more if old else []),
    )
    shown = values(other.sync(folder).added[name])
    expected = {
        "Timezone": BERLIN,
        "StartTime": "20260305T080000Z",
        "EndTime": "20260305T090000Z",
        "AllDayEvent": "0",
        "Subject": "Café ☕",
        "Sensitivity": "2",
        "BusyStatus": "3",
        "Reminder": "10",
        "MeetingStatus": "1",
        "OrganizerEmail": f"{phone.user}@example.test",
        "Location": {"DisplayName": "Room 5"},
        "Categories": {"Category": ["Work"]},
    }
    assert {key: shown.get(key) for key in expected} == expected
    assert "bring wine" in str(shown["Body"])
    assert "bob@example.test" in str(shown["Attendees"])
    if old:
        assert shown["UID"] == "uid-1"


def test_what_an_edit_leaves_out(phone: Phone, other: Phone) -> None:
    """Up to 14.1 it is gone, unless the phone never had it; since then it is as it was."""
    folder = begun(phone)
    begun(other)
    name = made(phone, folder, *TIMES, *properties(Subject="one", Sensitivity=2), written(phone, "kept"))
    other.sync(folder)
    served = phone.sync(folder, commands(change(name, *TIMES, *properties(Subject="two"))))
    assert not served.responses
    shown = values(other.sync(folder).changed[name])
    assert shown["Subject"] == "two"
    assert shown["Sensitivity"] == ("0" if phone.number < 16 else "2")
    assert "kept" in str(shown["Body"])


def test_occurrences(phone: Phone, other: Phone) -> None:
    folder = begun(phone)
    begun(other)
    old = phone.number < 16
    name = made(phone, folder, *TIMES, *DAILY, *properties(Subject="all"))
    moved = properties(StartTime="20260306T100000Z", EndTime="20260306T110000Z", Subject="later")
    if old:
        changes = [
            element(Calendar.Exception, *properties(ExceptionStartTime="20260306T080000Z"), *moved),
            element(Calendar.Exception, *properties(Deleted=1, ExceptionStartTime="20260307T080000Z")),
        ]
        everything = [*TIMES, *DAILY, *properties(Subject="all", Exceptions=changes)]
        served = phone.sync(folder, commands(change(name, *everything)))
    else:
        asked = [instance(name, "20260306T080000Z", *moved), without(name, "20260307T080000Z")]
        served = phone.sync(folder, commands(*asked))
    assert {status for _, _, status in statuses(served)} <= {"1"}
    (data,) = other.sync(folder).added.values()
    first, second = exceptions(data)
    assert (first["InstanceId"], first["StartTime"], first["Subject"]) == (
        "20260306T080000Z",
        "20260306T100000Z",
        "later",
    )
    assert second == {"Deleted": "1", "InstanceId": "20260307T080000Z"}
    # The second phone brings one more, and the first is told in its own terms.
    other.sync(folder, commands(without(name, "20260308T080000Z")))
    (data,) = phone.sync(folder).changed.values()
    key = "ExceptionStartTime" if old else "InstanceId"
    assert [one[key] for one in exceptions(data)] == [f"2026030{day}T080000Z" for day in (6, 7, 8)]


def test_a_series_goes(phone: Phone, other: Phone) -> None:
    folder = begun(phone)
    begun(other)
    name = made(phone, folder, *TIMES, *DAILY)
    other.sync(folder)
    phone.sync(folder, commands(delete(name)))
    assert other.sync(folder).deleted == [name]


def test_whole_days_are_the_same_days_everywhere(phone: Phone, other: Phone, new_phone: MakePhone) -> None:
    folder = begun(phone)
    begun(other)
    if phone.number < 16:
        day = properties(Timezone=BERLIN, StartTime="20260711T220000Z", EndTime="20260713T220000Z")
    else:
        day = properties(StartTime="20260712T000000Z", EndTime="20260714T000000Z")
    name = made(phone, folder, *day, *properties(AllDayEvent=1, Subject="feast"))
    shown = values(other.sync(folder).added[name])
    assert (shown["StartTime"], shown["EndTime"]) == ("20260712T000000Z", "20260714T000000Z")
    assert "Timezone" not in shown
    third = new_phone("14.1", device="PHONE3")
    third.provision()
    begun_folder = third.folders()["Calendar"]
    third.begin(begun_folder)
    shown = values(third.sync(begun_folder).added[name])
    hours = "220000Z" if phone.number < 16 else "000000Z"
    assert str(shown["StartTime"]).endswith(hours)


def test_texts_are_cut_and_converted_as_asked(other: Phone, new_phone: MakePhone) -> None:
    folder = begun(other)
    name = made(other, folder, *TIMES, body("<p>Hello <b>world</b>" + " and more" * 100 + "</p>", 2))
    phone = new_phone("14.1", device="PHONE3")
    phone.provision()
    phone.begin(folder)
    served = phone.sync(folder, options(body_preference(1, 11)))
    shown = served.added[name].find(AirSyncBase.Body)
    assert shown is not None
    assert values(shown)["Data"] == "Hello world"
    assert values(shown)["Truncated"] == "1"
    assert served.added[name].child_text(AirSyncBase.NativeBodyType) == "2"


# --- refused -----------------------------------------------------------------------------------------------


def test_what_cannot_be_gets_its_status_and_the_rest_is_done(phone: Phone) -> None:
    folder = begun(phone)
    backwards = properties(StartTime="20260305T080000Z", EndTime="20260305T070000Z")
    weekly = properties(Recurrence=properties(Type=1))
    many = properties(Exceptions=[element(Calendar.Exception, *properties(Deleted=1))] * 10_000)
    served = phone.sync(
        folder,
        commands(
            add("c1", *backwards),
            add("c2", *TIMES, *weekly),
            add("c3", *TIMES, *DAILY, *many),
            add("c4", *TIMES, *properties(Subject="good")),
        ),
    )
    assert [status for _, _, status in statuses(served)] == ["6", "6", "6", "1"]
    phone.begin(folder)
    (data,) = phone.sync(folder).added.values()
    assert data.child_text(Calendar.Subject) == "good"


def test_occurrences_that_are_none(new: Phone) -> None:
    folder = begun(new)
    single = made(new, folder, *TIMES)
    series = made(new, folder, *TIMES, *DAILY)
    served = new.sync(
        folder,
        commands(
            instance(single, "20260305T080000Z", *properties(Subject="x")),
            instance(series, "20250305T080000Z", *properties(Subject="x")),
            instance(series, "whenever", *properties(Subject="x")),
            without(series, "20250305T080000Z"),
        ),
    )
    assert [status for _, _, status in statuses(served)] == ["146", "8", "6", "8"]
    assert [one.child_text(AirSyncBase.InstanceId) for one in served.responses] == [
        "20260305T080000Z",
        "20250305T080000Z",
        "whenever",
        "20250305T080000Z",
    ]


# --- 16.x --------------------------------------------------------------------------------------------------


def test_a_series_of_which_some_exceptions_fail(new: Phone, other: Phone) -> None:
    """It is there, the answer says that it is not all (Status 184), and what there is is told."""
    folder = begun(new)
    begun(other)
    good, bad = (
        element(Calendar.Exception, element(AirSyncBase.InstanceId, key), element(Calendar.Subject, "x"))
        for key in ("20260306T080000Z", "20250306T080000Z")
    )
    asked = new.collection(folder, commands(add("c1", *TIMES, *DAILY, *properties(Exceptions=[good, bad]))))
    first = new.post_sync(asked)
    assert new.post_sync(asked).root == first.root
    (served,) = collections_of(first.root)
    new.keys[folder] = served.key
    (answer,) = served.responses
    assert answer.child_text(AirSync.Status) == "184"
    name = answer.child_text(AirSync.ServerId) or ""
    (data,) = other.sync(folder).added.values()
    assert len(exceptions(data)) == 1
    assert len(exceptions(new.sync(folder).changed[name])) == 1


def test_the_server_makes_the_uid_and_tells_it(new: Phone, other: Phone) -> None:
    folder = begun(new)
    begun(other)
    served = new.sync(folder, commands(add("c1", *TIMES, *properties(UID="mine", ClientUid="c-1"))))
    data = served.responses[0].find(AirSync.ApplicationData)
    assert data is not None
    uid = data.child_text(Calendar.UID)
    assert uid
    assert uid != "mine"
    (shown,) = other.sync(folder).added.values()
    assert shown.child_text(Calendar.UID) == uid


def test_lost_answers_to_changes_of_occurrences(new: Phone, other: Phone) -> None:
    folder = begun(new)
    begun(other)
    name = made(new, folder, *TIMES, *DAILY)
    asked = new.collection(
        folder,
        commands(
            instance(name, "20260306T080000Z", *properties(Subject="later")),
            without(name, "20260307T080000Z"),
        ),
    )
    first = new.post_sync(asked)
    again = new.post_sync(asked)
    assert again.root == first.root
    (data,) = other.sync(folder).added.values()
    assert len(exceptions(data)) == 2


def file(client_id: str, content: bytes) -> Element:
    return element(
        AirSyncBase.Add,
        element(AirSyncBase.ClientId, client_id),
        element(AirSyncBase.Content, content),
        element(AirSyncBase.DisplayName, f"{client_id}.bin"),
        element(AirSyncBase.Method, 1),
        element(AirSyncBase.ContentType, "application/x-plan"),
    )


def references(answer: Element) -> dict[str, str]:
    """The FileReferences in an answer, by ClientId."""
    data = answer.find(AirSync.ApplicationData)
    listed = data.find(AirSyncBase.Attachments) if data else None
    return {
        one.child_text(AirSyncBase.ClientId) or "": one.child_text(AirSyncBase.FileReference) or ""
        for one in listed or ()
    }


def fetched(
    phone: Phone, reference: str, *wanted: Element, multipart: bool = False
) -> tuple[str, Element, bytes]:
    """Status, Properties and octets of a Fetch."""
    asked = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(AirSyncBase.FileReference, reference),
        *wanted,
    )
    headers = {"MS-ASAcceptMultiPart": "T"} if multipart else {}
    answer = phone.post("ItemOperations", element(ItemOperations.ItemOperations, asked), headers=headers)
    if multipart:
        root, octets = decode(answer.parts[0]), b"".join(answer.parts[1:])
    else:
        root, octets = answer.root, b""
    response = root.find(ItemOperations.Response)
    assert response is not None
    (told,) = response
    shown = told.find(ItemOperations.Properties) or element(ItemOperations.Properties)
    if not multipart:
        octets = base64.b64decode(shown.child_text(ItemOperations.Data) or "")
    return told.child_text(ItemOperations.Status) or "", shown, octets


def shown_files(served: Served, name: str) -> dict[str, str]:
    """FileReferences of an event a phone is told of, by name."""
    data = served.added.get(name) or served.changed.get(name)
    assert data is not None
    listed = data.find(AirSyncBase.Attachments)
    return {
        one.child_text(AirSyncBase.DisplayName) or "": one.child_text(AirSyncBase.FileReference) or ""
        for one in listed or ()
    }


def test_files(new: Phone, other: Phone, new_phone: MakePhone) -> None:
    folder = begun(new)
    begun(other)
    asked = new.collection(
        folder,
        commands(add("c1", *TIMES, element(AirSyncBase.Attachments, file("a", PLAN), file("b", b"x")))),
    )
    new.post_sync(asked)
    (served,) = collections_of(new.post_sync(asked).root)  # the first answer was lost
    new.keys[folder] = served.key
    (answer,) = served.responses
    name = answer.child_text(AirSync.ServerId) or ""
    told = references(answer)
    assert [*told] == ["a", "b"]
    assert shown_files(other.sync(folder), name) == {"a.bin": told["a"], "b.bin": told["b"]}

    for phone in (new, other):
        status, shown, octets = fetched(phone, told["a"])
        assert (status, octets) == ("1", PLAN)
        assert shown.child_text(AirSyncBase.ContentType) == "application/x-plan"
    assert fetched(other, told["a"], multipart=True)[2] == PLAN
    part = element(ItemOperations.Options, element(ItemOperations.Range, "10-19"))
    status, shown, octets = fetched(new, told["a"], part)
    assert (status, octets, shown.child_text(ItemOperations.Total)) == ("1", PLAN[10:20], str(len(PLAN)))

    removed = element(AirSyncBase.Delete, element(AirSyncBase.FileReference, told["a"]))
    asked = new.collection(
        folder, commands(change(name, element(AirSyncBase.Attachments, removed, file("c", b"new"))))
    )
    first = new.post_sync(asked)
    again = new.post_sync(asked)
    assert again.root == first.root
    (served,) = collections_of(again.root)
    new.keys[folder] = served.key
    (answer,) = served.responses
    assert (answer.tag, answer.child_text(AirSync.Status)) == (AirSync.Change, "1")
    changed = references(answer)
    assert [*changed] == ["c"]
    assert shown_files(other.sync(folder), name) == {"b.bin": told["b"], "c.bin": changed["c"]}
    assert fetched(new, told["a"])[0] == "15"
    assert fetched(new, changed["c"])[2] == b"new"
    new.sync(folder, commands(delete(name)))
    assert fetched(new, changed["c"])[0] == "15"


def test_files_of_others_are_not_given_out(new: Phone, stranger: Phone) -> None:
    folder = begun(new)
    served = new.sync(folder, commands(add("c1", *TIMES, element(AirSyncBase.Attachments, file("a", PLAN)))))
    reference = references(served.responses[0])["a"]
    assert fetched(new, reference)[2] == PLAN
    assert fetched(stranger, reference)[0] == "15"
