"""Search in what the gateway stores: events, contacts, tasks and notes, beside mail (MS-ASCMD 2.2.3.27.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest

from gateway.eas.content.ids import long_id
from gateway.items import Right
from gateway.types import ServerId, UserId
from tests.blackbox.conftest import MakePhone
from tests.blackbox.meeting import MONDAY, compact
from tests.blackbox.searching import (
    both,
    folder,
    is_empty,
    kind,
    options,
    received,
    search,
    status,
    words,
)
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.itemfolders import fetch_item, named, new_folder, operate, share
from tests.support.phone import Phone, add, body_preference, commands, delete
from wbxml import Element, Tag, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, Contacts, Email, ItemOperations, Notes, Search, Tasks

VERSIONS = ("12.1", "14.1", "16.1")
SUBJECTS: Mapping[str, Tag] = {
    "Email": Email.Subject,
    "Calendar": Calendar.Subject,
    "Contacts": Contacts.FileAs,
    "Tasks": Tasks.Subject,
    "Notes": Notes.Subject,
}


@pytest.fixture(params=VERSIONS)
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param)
    made.provision()
    return made


@pytest.fixture
def newest(new_phone: MakePhone) -> Phone:
    made = new_phone("16.1")
    made.provision()
    return made


def written(text: str) -> Element:
    return element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, text))


def event(phone: Phone, subject: str, *more: Element, text: str = "") -> list[Element]:
    place = element(Calendar.Location, "Harbour room")
    if phone.number >= 16:
        place = element(AirSyncBase.Location, element(AirSyncBase.DisplayName, "Harbour room"))
    return [
        element(Calendar.StartTime, compact(MONDAY)),
        element(Calendar.EndTime, compact(MONDAY + timedelta(hours=1))),
        element(Calendar.Subject, subject),
        place,
        element(Calendar.Categories, element(Calendar.Category, "Sailing")),
        *([written(text)] if text else []),
        *more,
    ]


def contact(_phone: Phone, name: str, *, text: str = "") -> list[Element]:
    return [
        element(Contacts.FileAs, name),
        element(Contacts.FirstName, "Zoë"),
        element(Contacts.LastName, "Möller"),
        element(Contacts.CompanyName, "Harbour Ltd."),
        element(Contacts.Email1Address, "zoe@harbour.example"),
        element(Contacts.MobilePhoneNumber, "+49 170 555-1234"),
        *([written(text)] if text else []),
    ]


def task(_phone: Phone, subject: str, *, text: str = "") -> list[Element]:
    data = [element(Tasks.Subject, subject), element(Tasks.Complete, 0)]
    return [*data, *([written(text)] if text else [])]


def note(_phone: Phone, subject: str, *, text: str = "") -> list[Element]:
    data = [element(Notes.Subject, subject), element(Notes.MessageClass, "IPM.StickyNote")]
    return [*data, *([written(text)] if text else [])]


MAKERS: Mapping[str, Callable[..., list[Element]]] = {
    "Calendar": event,
    "Contacts": contact,
    "Tasks": task,
    "Notes": note,
}


def begin(phone: Phone, name: str) -> str:
    """A default folder of the phone's user, synced."""
    identity = phone.folders()[name]
    phone.classes[identity] = name
    phone.begin(identity)
    phone.sync(identity)
    return identity


def store(phone: Phone, name: str, *items: list[Element], into: str = "") -> list[str]:
    """Add items of a class; their ServerIds."""
    place = into or begin(phone, name)
    asked = [add(f"c{number}", *data) for number, data in enumerate(items)]
    served = phone.sync(place, commands(*asked))
    return [named(served, position) for position in range(len(items))]


def found(answer: Element) -> list[tuple[str, str]]:
    """Class and subject of each result."""
    assert status(answer) == "1", answer
    told = []
    for result in answer.findall(Search.Result):
        assert [child.tag.name for child in result] == ["Class", "LongId", "CollectionId", "Properties"]
        name = result.child_text(AirSync.Class) or ""
        told.append((name, result.children[3].child_text(SUBJECTS[name]) or ""))
    return told


def fetched(phone: Phone, identity: str) -> Element:
    """The answer to a Fetch by LongId."""
    asked = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(Search.LongId, identity),
        element(ItemOperations.Options, body_preference(1)),
    )
    return operate(phone, asked)


@pytest.mark.parametrize("name", ["Calendar", "Contacts", "Tasks"])
def test_an_item_is_found_by_its_words_and_fetched_by_its_long_id(phone: Phone, name: str) -> None:
    text = "the Anchor is heavy. " + "rope " * 300
    server_id, _ = store(phone, name, MAKERS[name](phone, "Blue plan", text=text), MAKERS[name](phone, "red"))
    place = phone.folders()[name]
    for asked in (
        both(kind(name), words("PLAN anchor")),
        both(folder(place), words("blue")),
        both(kind(name), folder(place), words('"heavy. rope"')),
    ):
        answer = search(phone, asked)
        assert found(answer) == [(name, "Blue plan")]
        assert [child.tag.name for child in answer] == ["Status", "Result", "Range", "Total"]
        assert (answer.child_text(Search.Range), answer.child_text(Search.Total)) == ("0-0", "1")
    for nothing in (
        both(kind("Email"), words("plan")),
        both(kind(name), words("plan harbourmaster")),
        both(kind(name), folder(phone.folders()["Inbox"]), words("plan")),
        both(kind(name), words("-blue -red")),
        both(kind(name), words("plan isread:no")),
    ):
        assert is_empty(search(phone, nothing)), nothing

    (result,) = search(phone, both(kind(name), words("plan"))).findall(Search.Result)
    assert result.child_text(AirSync.CollectionId) == place
    body = result.children[3].find(AirSyncBase.Body)
    assert body is not None
    assert len(body.child_text(AirSyncBase.Data) or "") <= 512, "a search is no download"
    (result,) = search(phone, both(kind(name), words("plan")), options(body_preference(1))).findall(
        Search.Result
    )
    identity = result.child_text(Search.LongId) or ""
    assert identity == long_id(UserId(phone.user), ServerId(server_id))
    whole = fetched(phone, identity)
    assert whole.child_text(ItemOperations.Status) == "1"
    assert whole.child_text(AirSync.Class) == name
    properties = whole.find(ItemOperations.Properties)
    assert properties is not None
    told = [one for one in properties if one.tag is not Calendar.Categories]
    assert told == result.children[3].children
    phone.sync(place, commands(delete(server_id)))
    assert fetched(phone, identity).child_text(ItemOperations.Status) == "6"
    assert is_empty(search(phone, both(kind(name), words("plan"))))


@pytest.mark.parametrize("version", ["14.0", "16.1"])
def test_notes(new_phone: MakePhone, version: str) -> None:
    made = new_phone(version)
    made.provision()
    (name,) = store(made, "Notes", note(made, "Blue plan", text="the anchor"))
    answer = search(made, both(kind("Notes"), words("anchor")))
    assert found(answer) == [("Notes", "Blue plan")]
    (result,) = answer.findall(Search.Result)
    shown = fetched(made, result.child_text(Search.LongId) or "")
    assert shown.children[1:] != []
    assert shown.child_text(AirSync.Class) == "Notes"
    old = new_phone("12.1", device="PHONE2")
    old.provision()
    assert is_empty(search(old, both(words("anchor"))))
    assert fetch_item(old, made.folders()["Notes"], name).child_text(ItemOperations.Status) == "6"
    assert fetched(old, result.child_text(Search.LongId) or "").child_text(ItemOperations.Status) == "6"


def test_where_words_are_looked_for(newest: Phone) -> None:
    guest = element(
        Calendar.Attendee, element(Calendar.Email, "bob@guests.example"), element(Calendar.Name, "Bob Guest")
    )
    store(newest, "Calendar", event(newest, "talk", element(Calendar.Attendees, guest)))
    store(newest, "Contacts", contact(newest, "captain"))
    talk, captain = [("Calendar", "talk")], [("Contacts", "captain")]
    for text, expected in {
        "harbour sailing": talk,
        "bob@guests": talk,
        "to:guest": talk,
        "from:guest": [],
        "subject:talk": talk,
        "subject:sailing": [],
        "hasattachment:yes": [],
        "harbour -sailing": captain,
        "harbour": [*captain, *talk],
        "ZOE@HARBOUR.example": captain,
        "+491705551234": captain,
        "555-1234": captain,
        "MÖLLER": captain,
        '"zoë möller"': captain,
    }.items():
        answer = search(newest, both(kind("Calendar"), kind("Contacts"), words(text)))
        assert is_empty(answer) if not expected else found(answer) == expected, text


def test_mail_comes_first_and_items_behind_it_page_by_page(phone: Phone, dovecot: Dovecot) -> None:
    for number in range(3):
        when = MONDAY - timedelta(days=30 - number)
        dovecot.deliver(phone.user, messages.plain(f"plan {number}"), received=when)
    events = store(phone, "Calendar", *(event(phone, f"plan {number}") for number in range(3)))
    store(phone, "Tasks", task(phone, "plan"))
    asked = both(words("plan"))
    mail = [("Email", f"plan {number}") for number in (2, 1, 0)]
    items = [("Tasks", "plan"), *(("Calendar", f"plan {number}") for number in (2, 1, 0))]
    whole = search(phone, asked)
    assert found(whole) == [*mail, *items]
    first = search(phone, asked, options(span="0-3"))
    assert (first.child_text(Search.Range), first.child_text(Search.Total)) == ("0-3", "7")
    assert found(first) == [*mail, items[0]]
    place = phone.folders()["Calendar"]
    phone.sync(place, commands(delete(events[1]), add("new", *event(phone, "plan new"))))
    last = search(phone, asked, options(span="4-9"))
    assert found(last) == [items[1], items[3]], "what is gone drops out, what is new does not come in"
    assert (last.child_text(Search.Range), last.child_text(Search.Total)) == ("4-5", "6")
    assert status(search(phone, asked, options(span="6-9"))) == "12"
    anew = search(phone, both(kind("Calendar"), words("plan")), options(element(Search.RebuildResults)))
    assert found(anew) == [("Calendar", f"plan {which}") for which in ("new", 2, 0)]


def test_folders_and_those_below(newest: Phone) -> None:
    below = new_folder(newest, "Boats", 13)
    newest.classes[below] = "Calendar"
    newest.begin(below)
    newest.sync(below)
    store(newest, "Calendar", event(newest, "plan of all"))
    store(newest, "Calendar", event(newest, "plan of boats"), into=below)
    own = newest.folders()["Calendar"]
    here, boats = ("Calendar", "plan of all"), ("Calendar", "plan of boats")
    deep = options(element(Search.DeepTraversal))
    assert found(search(newest, both(folder(below), words("plan")))) == [boats]
    assert found(search(newest, both(folder(own), words("plan")), deep)) == [here]
    assert found(search(newest, both(folder(own), folder(below), words("plan")))) == [boats, here]
    assert found(search(newest, both(folder("0"), words("plan")), deep)) == [boats, here]
    assert is_empty(search(newest, both(kind("Tasks"), folder(own), words("plan"))))
    assert status(search(newest, both(kind("Calendar"), folder("i4711"), words("plan")))) == "11"


def test_received_is_when_an_item_was_stored(phone: Phone) -> None:
    store(phone, "Calendar", event(phone, "plan"))
    long_ago, long_hence = "2020-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"
    asked = (kind("Calendar"), words("plan"))
    assert len(found(search(phone, both(*asked, received(">", long_ago), received("<", long_hence))))) == 1
    assert is_empty(search(phone, both(*asked, received("<", long_ago))))
    assert is_empty(search(phone, both(*asked, received(">", long_hence))))


def test_a_guest_finds_what_he_may_see(newest: Phone, guest: Phone, shared_gateway: Gateway) -> None:
    private = element(Calendar.Sensitivity, 2)
    hidden, open_one = store(
        newest,
        "Calendar",
        event(newest, "secret plan", private, text="anchor"),
        event(newest, "open plan", text="anchor"),
    )
    own = newest.folders()["Calendar"]
    asked = both(kind("Calendar"), words("anchor"))
    assert is_empty(search(guest, asked))
    by_number = [long_id(UserId(guest.user), ServerId(name)) for name in (hidden, open_one)]
    assert [fetched(guest, one).child_text(ItemOperations.Status) for one in by_number] == ["6", "6"]

    anew = options(element(Search.RebuildResults))
    share(shared_gateway, newest.user, own, guest.user, Right.READ)
    assert own in guest.folders().values()
    assert found(search(guest, asked, anew)) == [("Calendar", "open plan")]
    assert is_empty(search(guest, both(kind("Calendar"), words("secret"))))
    assert is_empty(search(guest, both(folder(own), words("sailing secret"))))
    veiled = search(guest, both(folder(own), words("private")))
    assert found(veiled) == [("Calendar", "Private")]
    (result,) = veiled.findall(Search.Result)
    assert result.child_text(Search.LongId) == by_number[0]
    said = [one.text() for one in fetched(guest, by_number[0]).iter() if not one.children]
    assert "Private" in said
    assert not any("secret" in text or "anchor" in text for text in said)
    assert (
        fetched(guest, long_id(UserId(newest.user), ServerId(open_one))).child_text(ItemOperations.Status)
        == "6"
    )

    share(shared_gateway, newest.user, own, guest.user, None)
    assert is_empty(search(guest, asked)), "the list he had is of what he sees no more"
    assert fetched(guest, by_number[1]).child_text(ItemOperations.Status) == "6"
    assert status(search(guest, both(kind("Calendar"), folder(own), words("anchor")))) == "11"
