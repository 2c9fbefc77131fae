"""Contacts over HTTP: what one phone writes, a second one sees, in each version (MS-ASCNTC)."""

from __future__ import annotations

import threading

import pytest

from gateway.items import Right
from tests.blackbox.conftest import MakePhone
from tests.eas.content.contacts.support import JPEG, body, properties, values
from tests.support.gateway import Gateway
from tests.support.itemfolders import estimate, ping, share
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
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    AirSyncBase,
    Contacts,
    FolderHierarchy,
    GetItemEstimate,
    ItemOperations,
    Move,
    Ping,
)

VERSIONS = ("2.5", "12.1", "14.1", "16.1")
WHOLE: dict[str, str | tuple[str, ...]] = {
    "FileAs": "Lee, Ann",
    "FirstName": "Ann",
    "MiddleName": "B.",
    "LastName": "Lée ☕",
    "Title": "Dr.",
    "Suffix": "Jr.",
    "NickName": "Annie",
    "YomiFirstName": "an",
    "YomiLastName": "li",
    "YomiCompanyName": "eksample",
    "CompanyName": "Example",
    "Department": "Research; Optics",
    "JobTitle": "Engineer",
    "OfficeLocation": "5.12",
    "AssistantName": "Eve",
    "ManagerName": "Max",
    "AccountName": "account",
    "CustomerId": "customer",
    "GovernmentId": "government",
    "Email1Address": '"Ann Lee" <ann@example.test>',
    "Email2Address": "ann@work.example",
    "Email3Address": "ann@other.example",
    "IMAddress": "ann",
    "IMAddress2": "sip:ann@example.test",
    "IMAddress3": "xmpp:ann@example.test",
    "WebPage": "https://ann.example/?a=b",
    "MobilePhoneNumber": "1",
    "HomePhoneNumber": "2",
    "Home2PhoneNumber": "3",
    "HomeFaxNumber": "4",
    "BusinessPhoneNumber": "5",
    "Business2PhoneNumber": "6",
    "BusinessFaxNumber": "7",
    "CompanyMainPhone": "8",
    "AssistantPhoneNumber": "9",
    "CarPhoneNumber": "10",
    "RadioPhoneNumber": "11",
    "PagerNumber": "12",
    "MMS": "13",
    **{
        f"{place}Address{part}": f"{place} {part}"
        for place in ("Home", "Business", "Other")
        for part in ("Street", "City", "State", "PostalCode", "Country")
    },
    "Birthday": "1980-02-29T00:00:00.000Z",
    "Anniversary": "2005-06-30T00:00:00.000Z",
    "Spouse": "Bob",
    "Children": ("Cid", "Dan"),
    "Categories": ("Friends", "Work, far"),
    "Picture": JPEG,
    "Body": "likes tea\nno milk",
}
"""All there is."""


@pytest.fixture(params=VERSIONS)
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param, packed=request.param in {"12.1", "16.1"})
    made.provision()
    return made


def begun(phone: Phone, *supported: str, ghosts: bool = False) -> str:
    """The default address book, its first Sync done."""
    folder = phone.folders()["Contacts"]
    phone.classes[folder] = "Contacts"
    named = properties(**dict.fromkeys(supported))
    phone.begin(folder, *([element(AirSync.Supported, *named)] if ghosts else []))
    phone.sync(folder, *([options(body_preference(1))] if phone.number >= 12 else []))
    return folder


def written(phone: Phone, **said: str | tuple[str, ...]) -> list[Element]:
    """A contact as a phone of its version sends it."""
    if phone.number >= 12 or "Body" not in said:
        return properties(**said)
    text = said.pop("Body")
    return [*properties(**said), element(Contacts.Body, str(text))]


def added(phone: Phone, folder: str, **said: str | tuple[str, ...]) -> str:
    """The ServerId of a contact the phone adds."""
    served = phone.sync(folder, commands(add("c1", *written(phone, **said))))
    assert [status for _, _, status in statuses(served)] == ["1"]
    return served.responses[0].child_text(AirSync.ServerId) or ""


def book(phone: Phone, folder: str) -> dict[str, str]:
    """What a phone that begins anew is told: ServerIds by FileAs."""
    phone.begin(folder)
    told: dict[str, str] = {}
    while True:
        served = phone.sync(folder)
        told |= {data.child_text(Contacts.FileAs) or "": name for name, data in served.added.items()}
        if not served.more:
            return told


# --- both ways ---------------------------------------------------------------------------------------------


def test_a_contact_with_all_there_is(phone: Phone, other: Phone) -> None:
    folder = begun(phone)
    assert begun(other) == folder
    name = added(phone, folder, **WHOLE)
    assert dict(values(other.sync(folder).added[name])) == WHOLE
    assert not phone.sync(folder).changed
    # What the other one changes, the first one is told, and the rest as it was.
    other.sync(folder, commands(change(name, *properties(**{**WHOLE, "Birthday": "", "JobTitle": "Boss"}))))
    shown = dict(values(phone.sync(folder).changed[name]))
    assert shown == {key: value for key, value in WHOLE.items() if key != "Birthday"} | {"JobTitle": "Boss"}


def test_what_an_edit_leaves_out_is_gone(phone: Phone, other: Phone) -> None:
    """All but text and picture, for a phone that never said which elements it has."""
    folder = begun(phone)
    begun(other)
    name = added(phone, folder, **WHOLE)
    other.sync(folder)
    assert not phone.sync(folder, commands(change(name, *properties(LastName="Lee")))).responses
    shown = dict(values(other.sync(folder).changed[name]))
    assert shown == {
        "FileAs": "Lee",
        "LastName": "Lee",
        "Picture": JPEG,
        "Body": WHOLE["Body"],
    }


def test_what_a_phone_does_not_support_stays(phone: Phone, other: Phone) -> None:
    """What it listed is gone when it leaves that out; an empty list keeps everything."""
    folder = begun(phone, "LastName", "JobTitle", "Children", ghosts=True)
    begun(other, ghosts=True)
    name = added(other, folder, **WHOLE)
    phone.sync(folder)
    phone.sync(folder, commands(change(name, *properties(LastName="New"))))
    shown = dict(values(other.sync(folder).changed[name]))
    gone = {key: value for key, value in WHOLE.items() if key not in {"JobTitle", "Children"}}
    assert shown == gone | {"LastName": "New"}
    other.sync(folder, commands(change(name, *properties(NickName=""))))
    shown = dict(values(phone.sync(folder).changed[name]))
    assert shown == {key: value for key, value in gone.items() if key != "NickName"} | {"LastName": "New"}


def test_an_edit_on_an_iphone_leaves_the_picture_of_others(new_phone: MakePhone, other: Phone) -> None:
    phone = new_phone()
    phone.type = "iPhone"
    phone.provision()
    folder = begun(phone)
    begun(other)
    name = added(other, folder, LastName="Lee", Picture=JPEG)
    phone.sync(folder)
    phone.sync(folder, commands(change(name, *properties(LastName="Low", Picture=""))))
    shown = dict(values(other.sync(folder).changed[name]))
    assert (shown["LastName"], shown["Picture"]) == ("Low", JPEG)
    other.sync(folder, commands(change(name, *properties(LastName="Low", Picture=""))))
    assert "Picture" not in values(phone.sync(folder).changed[name])


@pytest.mark.parametrize(
    "sent",
    [
        "1980-02-29T00:00:00.000Z",
        "1980-02-29T08:00:00.000Z",
        "1980-02-29T11:00:00.000Z",
        "1980-02-29T11:59:00.000Z",
        "1980-02-29T12:00:00.000Z",
        "1980-02-28T23:00:00.000Z",
        "1980-02-28T13:00:00.000Z",
        "19800229T050000Z",
        "1980-02-29",
    ],
)
def test_a_birthday_is_the_same_day_whatever_time_it_has(sent: str, new_phone: MakePhone) -> None:
    phone = new_phone()
    phone.provision()
    folder = begun(phone)
    name = added(phone, folder, FirstName="Ann", Birthday=sent)
    phone.begin(folder)
    assert values(phone.sync(folder).added[name])["Birthday"] == "1980-02-29T00:00:00.000Z"


def test_notes_in_other_forms(phone: Phone, other: Phone) -> None:
    folder = begun(other)
    name = added(other, folder, LastName="Lee")
    html = "<p>Hello <b>world</b></p>"
    other.sync(folder, commands(change(name, *properties(LastName="Lee"), body(html, 2))))
    phone.classes[folder] = "Contacts"
    phone.begin(folder)
    wanted = (
        [options(body_preference(1, 5))] if phone.number >= 12 else [options(element(AirSync.Truncation, 0))]
    )
    shown = phone.sync(folder, *wanted).added[name]
    if phone.number < 12:
        assert [
            shown.child_text(tag) for tag in (Contacts.Body, Contacts.BodySize, Contacts.BodyTruncated)
        ] == [
            "",
            "11",
            "1",
        ]
        return
    container = shown.find(AirSyncBase.Body)
    assert container is not None
    told = [container.child_text(tag) for tag in (AirSyncBase.Data, AirSyncBase.Truncated, AirSyncBase.Type)]
    assert told == ["Hello", "1", "1"]


# --- once --------------------------------------------------------------------------------------------------


def test_an_add_whose_answer_was_lost_is_one_contact(phone: Phone, other: Phone) -> None:
    folder = begun(phone)
    asked = phone.collection(folder, commands(add("c1", *written(phone, LastName="Lee", Body="x"))))
    first = phone.post_sync(asked).root
    assert phone.post_sync(asked).root == first
    (served,) = collections_of(first)
    name = served.responses[0].child_text(AirSync.ServerId) or ""
    assert book(other, begun(other)) == {"Lee": name}
    phone.keys[folder] = served.key
    assert not phone.sync(folder).added


def test_two_phones_change_one_contact(phone: Phone, other: Phone) -> None:
    """The server wins, and the loser is told what is there; a Delete wins over both."""
    folder = begun(phone)
    begun(other)
    name = added(phone, folder, LastName="Lee")
    other.sync(folder)
    other.sync(folder, commands(change(name, *properties(LastName="Other"))))
    served = phone.sync(folder, commands(change(name, *properties(LastName="Mine"))))
    assert [status for _, _, status in statuses(served)] == ["7"]
    assert values(served.changed[name])["LastName"] == "Other"
    phone.sync(folder, commands(delete(name)))
    served = other.sync(folder, commands(change(name, *properties(LastName="Late"))))
    assert [status for _, _, status in statuses(served)] == ["8"]
    assert name in served.deleted


# --- refused -----------------------------------------------------------------------------------------------


def test_what_cannot_be_gets_its_status_and_the_rest_is_done(phone: Phone) -> None:
    folder = begun(phone)
    served = phone.sync(
        folder,
        commands(
            add("c1", *properties(FirstName="a", Picture="A" * 49_156)),
            add("c2", *properties(FirstName="b", Picture="no base64!")),
            add("c3", *properties(FirstName="c", Birthday="tomorrow")),
            add("c4", *properties(FirstName="d", Children=[str(at) for at in range(301)])),
            add("c5", *properties(FirstName="e"), *properties(FirstName="f")),
            add("c6", *properties(FirstName="g", Picture="bm8gcGljdHVyZQ==")),
            add("c7", *properties(FirstName="good", Picture=JPEG)),
        ),
    )
    assert [status for _, _, status in statuses(served)] == ["6", "6", "6", "6", "6", "6", "1"]
    assert list(book(phone, folder)) == ["good"]


# --- address books -----------------------------------------------------------------------------------------


def create(phone: Phone, name: str) -> str:
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    made = phone.post(
        "FolderCreate",
        element(
            FolderHierarchy.FolderCreate,
            element(FolderHierarchy.SyncKey, key),
            element(FolderHierarchy.ParentId, "0"),
            element(FolderHierarchy.DisplayName, name),
            element(FolderHierarchy.Type, 14),
        ),
    ).root
    assert made.child_text(FolderHierarchy.Status) == "1"
    folder = made.child_text(FolderHierarchy.ServerId) or ""
    phone.classes[folder] = "Contacts"
    return folder


def test_a_contact_moves_to_another_address_book(phone: Phone) -> None:
    folder = begun(phone)
    family = create(phone, "Family")
    phone.begin(family)
    name = added(phone, folder, **WHOLE)
    request = element(
        Move.MoveItems,
        element(
            Move.Move,
            element(Move.SrcMsgId, name),
            element(Move.SrcFldId, folder),
            element(Move.DstFldId, family),
        ),
    )
    (response,) = phone.post("MoveItems", request).root.findall(Move.Response)
    assert response.child_text(Move.Status) == "3"
    moved = response.child_text(Move.DstMsgId) or ""
    assert book(phone, folder) == {}
    phone.begin(family)
    assert dict(values(phone.sync(family).added[moved])) == WHOLE


def test_the_types_of_address_books(phone: Phone) -> None:
    family = create(phone, "Family")
    changes = phone.folder_sync().find(FolderHierarchy.Changes)
    assert changes is not None
    told = {
        row.child_text(FolderHierarchy.ServerId): row.child_text(FolderHierarchy.Type)
        for row in changes.findall(FolderHierarchy.Add)
        if row.child_text(FolderHierarchy.DisplayName) in {"Contacts", "Family"}
    }
    assert told[family] == "14"
    assert set(told.values()) == {"14", "9"}


def test_an_address_book_that_others_see(phone: Phone, guest: Phone, shared_gateway: Gateway) -> None:
    folder = begun(phone)
    name = added(phone, folder, LastName="Lee")
    share(shared_gateway, phone.user, folder, guest.user, Right.READ)
    assert guest.folders()[f"Contacts ({phone.user})"] == folder
    guest.classes[folder] = "Contacts"
    assert book(guest, folder) == {"Lee": name}
    served = guest.sync(folder, commands(change(name, *properties(LastName="Mine"))))
    assert [status for _, _, status in statuses(served)] != ["1"]
    assert values(phone.sync(folder).changed.get(name, element(AirSync.ApplicationData))) == {}
    share(shared_gateway, phone.user, folder, guest.user, Right.WRITE)
    assert book(guest, folder) == {"Lee": name}
    assert not guest.sync(folder, commands(change(name, *properties(LastName="Ours")))).responses
    assert values(phone.sync(folder).changed[name])["LastName"] == "Ours"


# --- other commands ----------------------------------------------------------------------------------------


def test_estimate_fetch_and_ping(phone: Phone, other: Phone) -> None:
    folder = begun(phone)
    begun(other)
    name = added(other, folder, **WHOLE)
    no_filter = element(AirSync.FilterType, 1)  # which means nothing
    told = estimate(phone, folder, no_filter, name="Contacts").find(GetItemEstimate.Collection)
    assert told is not None
    assert told.child_text(GetItemEstimate.Estimate) == "1"
    phone.sync(folder)
    if phone.number >= 12:
        assert fetched(phone, folder, name) == WHOLE
    answers: list[Element] = []
    waiting = threading.Thread(target=lambda: answers.append(ping(phone, folder, name="Contacts")))
    waiting.start()
    other.sync(folder, commands(delete(name)))
    waiting.join(40)
    (root,) = answers
    assert root.child_text(Ping.Status) == "2"
    assert phone.sync(folder).deleted == [name]


def fetched(phone: Phone, folder: str, name: str) -> dict[str, str | tuple[str, ...]]:
    request = element(
        ItemOperations.ItemOperations,
        element(
            ItemOperations.Fetch,
            element(ItemOperations.Store, "Mailbox"),
            element(AirSync.CollectionId, folder),
            element(AirSync.ServerId, name),
            element(ItemOperations.Options, body_preference(1)),
        ),
    )
    root = phone.post("ItemOperations", request).root
    (found,) = [one for one in root.iter() if one.tag is ItemOperations.Properties]
    return dict(values(found))


def test_many_contacts_come_in_windows(new_phone: MakePhone) -> None:
    phone = new_phone("14.1")
    phone.provision()
    folder = begun(phone)
    for start in range(0, 250, 125):
        served = phone.sync(
            folder,
            commands(*(add(f"c{at}", *properties(LastName=str(at))) for at in range(start, start + 125))),
        )
        assert {status for _, _, status in statuses(served)} == {"1"}
    phone.begin(folder)
    windows: list[Served] = []
    while not windows or windows[-1].more:
        windows.append(phone.sync(folder, element(AirSync.WindowSize, 100)))
    assert [len(one.added) for one in windows] == [100, 100, 50]
