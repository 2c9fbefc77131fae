"""What guests of a shared folder see of items that its owner calls private, and cannot do to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import pytest

from gateway.items import Right
from tests.blackbox.conftest import MakePhone
from tests.blackbox.meeting import MONDAY, compact
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.itemfolders import all_of, fetch_item, move, named, new_folder, operate, share
from tests.support.phone import Phone, add, change, commands, delete, fetch, statuses
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, ComposeMail, ItemOperations, Tasks

SECRET = "secret"
LATER = compact(MONDAY + timedelta(hours=2))
PRIVATE, CONFIDENTIAL = 2, 3


@pytest.fixture
def owner(new_phone: MakePhone) -> Phone:
    made = new_phone("16.1")
    made.provision()
    return made


@pytest.fixture(params=("14.1", "16.1"))
def guest(request: pytest.FixtureRequest, owner: Phone, dovecot: Dovecot) -> Phone:
    made = Phone(owner.host, owner.port, f"guest-{owner.user}", dovecot.password, version=request.param)
    made.provision()
    return made


def shared(owner: Phone, guest: Phone, gateway: Gateway, name: str) -> str:
    """A folder of the owner that the guest may write to, begun by both."""
    folder = owner.folders()[name]
    share(gateway, owner.user, folder, guest.user, Right.WRITE)
    assert folder in guest.folders().values()
    for each in (owner, guest):
        each.classes[folder] = name
        each.begin(folder)
        each.sync(folder)
    return folder


def meeting(sensitivity: int, *more: Element, hours: int = 0) -> list[Element]:
    """A series that says a lot."""
    rule = {"Type": 0, "Interval": 1, "Occurrences": 5}
    start = MONDAY + timedelta(hours=hours)
    return [
        element(Calendar.StartTime, compact(start)),
        element(Calendar.EndTime, compact(start + timedelta(hours=1))),
        element(Calendar.Subject, f"{SECRET} talk"),
        element(AirSyncBase.Location, element(AirSyncBase.DisplayName, f"{SECRET} place")),
        element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, f"{SECRET} text")),
        element(Calendar.Categories, element(Calendar.Category, f"{SECRET} matter")),
        element(Calendar.Sensitivity, sensitivity),
        element(Calendar.BusyStatus, 3),
        element(Calendar.Reminder, 10),
        element(
            Calendar.Recurrence, *(element(getattr(Calendar, tag), value) for tag, value in rule.items())
        ),
        *more,
    ]


def task(subject: str, sensitivity: int) -> list[Element]:
    return [
        element(Tasks.Subject, subject),
        element(Tasks.Complete, 0),
        element(Tasks.Sensitivity, sensitivity),
    ]


def said(elements: Iterable[Element]) -> str:
    """All text in them."""
    return "\n".join(one.text() for each in elements for one in each.iter() if not one.children)


def values(data: Element) -> dict[str, str]:
    return {one.tag.name: one.text() for one in data if not one.children}


@pytest.mark.parametrize("sensitivity", [PRIVATE, CONFIDENTIAL])
def test_a_private_event_shows_when_it_is_and_nothing_else(
    owner: Phone, guest: Phone, shared_gateway: Gateway, sensitivity: int
) -> None:
    folder = shared(owner, guest, shared_gateway, "Calendar")
    name = named(owner.sync(folder, commands(add("c1", *meeting(sensitivity)))))
    held = all_of(owner, folder)
    data = guest.sync(folder).added[name]
    assert SECRET not in said([data])
    told = values(data)
    times = ("StartTime", "EndTime", "Sensitivity", "BusyStatus", "Subject")
    assert [told[each] for each in times] == [
        compact(MONDAY),
        compact(MONDAY + timedelta(hours=1)),
        *(str(sensitivity), "3", "Private"),
    ]
    assert data.find(Calendar.Recurrence) is not None
    assert not told.get("Reminder")
    for answer in (
        fetch_item(guest, folder, name),
        *guest.sync(folder, commands(fetch(name))).responses,
    ):
        assert said([answer]).count("Private") == 1
        assert SECRET not in said([answer])

    # What the phone has, it sends back; what is stored stays as it is.
    again = [*(one for one in data if one.tag.name != "Subject"), element(Calendar.Subject, "mine")]
    served = guest.sync(folder, commands(change(name, *again), delete(name)))
    if not (served.changed or served.added):
        served = guest.sync(folder)
    assert all_of(guest, folder)[name].child_text(Calendar.Subject) == "Private"
    assert all_of(owner, folder) == held
    own = guest.folders()["Calendar"]
    assert move(guest, name, folder, own)[0] == "5"
    if guest.number >= 16:
        occurrence = element(
            AirSync.Change,
            element(AirSync.ServerId, name),
            element(AirSyncBase.InstanceId, compact(MONDAY)),
            element(AirSync.ApplicationData, element(Calendar.Subject, "mine")),
        )
        assert [status for _, _, status in statuses(guest.sync(folder, commands(occurrence)))] == ["6"]
        assert forwarded(guest, folder, name) == "130"
    assert all_of(owner, folder) == held


def forwarded(phone: Phone, folder: str, name: str) -> str | None:
    """The Status of a SmartForward of an event."""
    people = element(
        ComposeMail.Forwardees,
        element(ComposeMail.Forwardee, element(ComposeMail.Email, "spy@example.test")),
    )
    source = element(
        ComposeMail.Source, element(ComposeMail.FolderId, folder), element(ComposeMail.ItemId, name)
    )
    asked = element(ComposeMail.SmartForward, element(ComposeMail.ClientId, "f1"), source, people)
    answer = phone.post("SmartForward", asked)
    return answer.root.child_text(ComposeMail.Status)


def test_files_of_a_private_event_are_its_owners(owner: Phone, guest: Phone, shared_gateway: Gateway) -> None:
    folder = shared(owner, guest, shared_gateway, "Calendar")
    file = element(
        AirSyncBase.Attachments,
        element(
            AirSyncBase.Add,
            element(AirSyncBase.ClientId, "f1"),
            element(AirSyncBase.Method, 1),
            element(AirSyncBase.Content, SECRET.encode()),
            element(AirSyncBase.DisplayName, f"{SECRET}.txt"),
        ),
    )
    name = named(owner.sync(folder, commands(add("c1", *meeting(0, file)))))
    guest.sync(folder)
    (reference,) = (
        one.text() for one in all_of(owner, folder)[name].iter() if one.tag is AirSyncBase.FileReference
    )

    def fetched(phone: Phone) -> str | None:
        asked = element(
            ItemOperations.Fetch,
            element(ItemOperations.Store, "Mailbox"),
            element(AirSyncBase.FileReference, reference),
        )
        root = phone.post("ItemOperations", element(ItemOperations.ItemOperations, asked)).root
        (answer,) = [one for one in root.iter() if one.tag is ItemOperations.Fetch]
        return answer.child_text(ItemOperations.Status)

    assert (fetched(owner), fetched(guest)) == ("1", "1")
    owner.sync(folder, commands(change(name, element(Calendar.Sensitivity, PRIVATE))))
    assert (fetched(owner), fetched(guest)) == ("1", "15")
    assert SECRET not in said(guest.sync(folder).changed.values())


def test_a_private_occurrence_alone_is_hidden(owner: Phone, guest: Phone, shared_gateway: Gateway) -> None:
    folder = shared(owner, guest, shared_gateway, "Calendar")
    name = named(owner.sync(folder, commands(add("c1", *meeting(0)))))
    occurrence = element(
        AirSync.Change,
        element(AirSync.ServerId, name),
        element(AirSyncBase.InstanceId, compact(MONDAY)),
        element(
            AirSync.ApplicationData,
            element(Calendar.Subject, "hidden matter"),
            element(Calendar.Sensitivity, PRIVATE),
        ),
    )
    assert all(status == "1" for _, _, status in statuses(owner.sync(folder, commands(occurrence))))
    data = all_of(guest, folder)[name]
    assert "hidden" not in said([data])
    assert data.child_text(Calendar.Subject) == f"{SECRET} talk"
    served = guest.sync(folder, commands(change(name, element(Calendar.Subject, "mine"))))
    assert [status for _, _, status in statuses(served)] == ["6"]


def test_a_private_task_is_not_there_for_guests(owner: Phone, guest: Phone, shared_gateway: Gateway) -> None:
    folder = shared(owner, guest, shared_gateway, "Tasks")
    served = owner.sync(folder, commands(add("c1", *task(SECRET, PRIVATE)), add("c2", *task("open", 0))))
    hidden, shown = named(served, 0), named(served, 1)
    assert [*guest.sync(folder).added] == [shown]
    assert fetch_item(guest, folder, hidden).child_text(ItemOperations.Status) == "6"
    served = guest.sync(folder, commands(change(hidden, *task("mine", 0)), delete(hidden)))
    assert [status for _, _, status in statuses(served)] == ["8", "8"]
    assert not served.added
    assert not served.changed
    assert not guest.sync(folder).added

    owner.sync(folder, commands(change(shown, *task("open", PRIVATE)), change(hidden, *task("told", 0))))
    served = guest.sync(folder)
    assert (served.deleted, [*served.added]) == ([shown], [hidden])
    assert {one.child_text(Tasks.Subject) for one in all_of(owner, folder).values()} == {"open", "told"}


def test_a_guest_who_empties_a_folder_leaves_what_is_private(
    owner: Phone, guest: Phone, shared_gateway: Gateway
) -> None:
    def emptied(folder: str) -> str | None:
        asked = element(ItemOperations.EmptyFolderContents, element(AirSync.CollectionId, folder))
        return operate(guest, asked).child_text(ItemOperations.Status)

    calendar = shared(owner, guest, shared_gateway, "Calendar")
    owner.sync(calendar, commands(add("c1", *meeting(PRIVATE)), add("c2", *meeting(0, hours=3))))
    tasks = shared(owner, guest, shared_gateway, "Tasks")
    owner.sync(tasks, commands(add("c1", *task(SECRET, PRIVATE)), add("c2", *task("open", 0))))
    assert (emptied(calendar), emptied(tasks)) == ("17", "1")  # of tasks the guest sees nothing that is left
    left = [*all_of(owner, calendar).values(), *all_of(owner, tasks).values()]
    assert [values(one)["Sensitivity"] for one in left] == [str(PRIVATE), str(PRIVATE)]
    share(shared_gateway, owner.user, calendar, guest.user, Right.READ)
    assert emptied(calendar) == "16"
    assert len(all_of(owner, calendar)) == 1


def test_what_a_guest_makes_private_he_sees_no_more(
    owner: Phone, guest: Phone, shared_gateway: Gateway
) -> None:
    folder = shared(owner, guest, shared_gateway, "Tasks")
    served = guest.sync(folder, commands(add("c1", *task("first", PRIVATE)), add("c2", *task("second", 0))))
    first, second = named(served, 0), named(served, 1)
    assert guest.sync(folder).deleted == [first]
    served = guest.sync(folder, commands(change(second, *task("second", PRIVATE))))
    assert [*served.deleted, *guest.sync(folder).deleted] == [second]
    assert sorted(one.child_text(Tasks.Subject) or "" for one in all_of(owner, folder).values()) == [
        "first",
        "second",
    ]
    target = new_folder(owner, "Other", 15)
    assert move(owner, first, folder, target)[0] == "3"
