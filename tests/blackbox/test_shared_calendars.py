"""What an administrator does to folders of items beside the running gateway, as phones of two users see."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.blackbox.conftest import MakePerson
from tests.blackbox.meeting import MONDAY, compact
from tests.pim.exchange.samples import calendar, event
from tests.support.gateway import Gateway
from tests.support.phone import Phone, change, commands, delete
from wbxml import Element, element
from wbxml.pages import AirSync, Calendar, Contacts, FolderHierarchy, Notes, Ping, Tasks

Administrate = Callable[..., str]
HELD = 40
"""Seconds that a phone waits: the gateway looks every five for what another process did."""


@pytest.fixture
def administrate(shared_gateway: Gateway) -> Administrate:
    return administrator(shared_gateway)


def administrator(gateway: Gateway, group: str = "calendars") -> Administrate:
    """Calls `activesync-gateway calendars`, or another group, for a running gateway."""

    def call(command: str, *args: str, stdin: str = "") -> str:
        program = [sys.executable, "-m", "gateway", group, command, *args]
        done = subprocess.run(
            [*program, "--config", str(gateway.config)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=40,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


class Hierarchy:
    """The folders a phone was told of, kept up to date."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.key = "0"
        self.told: list[tuple[str, str]] = []
        """What the last FolderSync said: the element and the ServerId."""
        self.names: dict[str, str] = {}
        self.sync()

    def sync(self) -> None:
        root = self.phone.folder_sync(self.key)
        assert root.child_text(FolderHierarchy.Status) == "1"
        self.key = root.child_text(FolderHierarchy.SyncKey) or ""
        changes = root.find(FolderHierarchy.Changes)
        rows = [one for one in changes or () if one.tag != FolderHierarchy.Count]
        self.told = [(one.tag.name, one.child_text(FolderHierarchy.ServerId) or "") for one in rows]
        for one, (what, folder) in zip(rows, self.told, strict=True):
            if what == "Delete":
                del self.names[folder]
            else:
                self.names[folder] = one.child_text(FolderHierarchy.DisplayName) or ""


def test_both_see_a_shared_calendar_renamed_and_gone(
    phone: Phone, guest: Phone, administrate: Administrate
) -> None:
    owners, guests = Hierarchy(phone), Hierarchy(guest)
    folder = administrate("create", phone.user, "Family").strip()
    owners.sync()
    guests.sync()
    assert (owners.told, guests.told) == ([("Add", folder)], [])
    administrate("share", folder, guest.user, "--right", "read")
    guests.sync()
    assert guests.told == [("Add", folder)]
    assert guests.names[folder] == f"Family ({phone.user})"
    administrate("rename", folder, "Kids")
    owners.sync()
    guests.sync()
    assert owners.told == guests.told == [("Update", folder)]
    assert (owners.names[folder], guests.names[folder]) == ("Kids", f"Kids ({phone.user})")
    administrate("share", folder, guest.user, "--right", "none")
    owners.sync()
    guests.sync()
    assert (owners.told, guests.told) == ([], [("Delete", folder)])
    administrate("delete", folder, "--yes")
    owners.sync()
    assert owners.told == [("Delete", folder)]


def test_events_that_are_brought_in_wake_the_phones_and_come_once(
    phone: Phone, guest: Phone, administrate: Administrate
) -> None:
    folder = administrate("create", phone.user, "Family").strip()
    administrate("share", folder, guest.user, "--right", "write")
    phones = (phone, guest)
    for each in phones:
        Hierarchy(each)
        each.begin(folder)
        each.sync(folder)
    answers: dict[str, Element] = {}
    waiting = [
        threading.Thread(target=lambda one=one: answers.update({one.user: ping(one, folder)}))
        for one in phones
    ]
    for one in waiting:
        one.start()
    time.sleep(0.5)
    lines = [line for number in range(30) for line in event(f"u{number}", f"SUMMARY:{number}")]
    assert administrate("import", guest.user, "-", "--calendar", folder, stdin=calendar(*lines)).startswith(
        "added 30"
    )
    for one in waiting:
        one.join()
    assert {answer.child_text(Ping.Status) for answer in answers.values()} == {"2"}
    for each in phones:
        served = each.sync(folder)
        told = sorted(int(data.child_text(Calendar.Subject) or "") for data in served.added.values())
        assert told == list(range(30))
    assert administrate("import", guest.user, "-", "--calendar", folder, stdin=calendar(*lines)).startswith(
        "added 0"
    )
    for each in phones:
        served = each.sync(folder)
        assert not served.added
        assert not served.changed


def test_a_calendar_that_is_shared_wakes_a_waiting_phone(
    phone: Phone, guest: Phone, administrate: Administrate
) -> None:
    folder = administrate("create", phone.user, "Family").strip()
    own = Hierarchy(guest)
    inbox = next(identity for identity, name in own.names.items() if name == "Calendar")
    guest.begin(inbox)
    guest.sync(inbox)
    answers: list[Element] = []
    waiter = threading.Thread(target=lambda: answers.append(ping(guest, inbox)))
    waiter.start()
    time.sleep(0.5)
    administrate("share", folder, guest.user, "--right", "read")
    waiter.join()
    assert [answer.child_text(Ping.Status) for answer in answers] == ["7"]
    own.sync()
    assert own.told == [("Add", folder)]


def ping(phone: Phone, folder: str) -> Element:
    named = element(Ping.Folder, element(Ping.Id, folder), element(Ping.Class, "Calendar"))
    asked = element(Ping.Ping, element(Ping.HeartbeatInterval, HELD), element(Ping.Folders, named))
    return phone.post("Ping", asked).root


def test_what_was_exported_another_user_has_as_it_was(
    phone: Phone, guest: Phone, administrate: Administrate
) -> None:
    """From phone to file to phone: the same elements."""
    folder, theirs = phone.folders()["Calendar"], guest.folders()["Calendar"]
    text = calendar(*event("one", "SUMMARY:x", "RRULE:FREQ=WEEKLY;COUNT=4", start="DTSTART:20260302T090000Z"))
    administrate("import", phone.user, "-", stdin=text)
    administrate("import", guest.user, "-", stdin=administrate("export", phone.user))
    told = []
    for one, where in ((phone, folder), (guest, theirs)):
        one.begin(where)
        (data,) = one.sync(where).added.values()
        told.append(data)
    assert told[0] == told[1]


def test_a_meeting_that_a_guest_moves_and_deletes_is_its_owners(
    person: MakePerson, meeting_gateway: Gateway
) -> None:
    owner, guest, ann = (person(name, "16.1") for name in ("owner", "guest", "ann"))
    name = owner.invite(ann)
    ann.sees(lambda _: True)
    administrator(meeting_gateway)("share", owner.calendar, guest.phone.user, "--right", "write")
    assert owner.calendar in Hierarchy(guest.phone).names
    guest.calendar = owner.calendar
    guest.phone.begin(guest.calendar)
    guest.sync()
    later = MONDAY + timedelta(hours=3)
    times = (
        element(Calendar.StartTime, compact(later)),
        element(Calendar.EndTime, compact(later + timedelta(hours=1))),
    )
    assert all(answer.child_text(AirSync.Status) == "1" for answer in guest.sync(change(name, *times)))
    owner.sync()  # whose credentials it is mailed with
    event = ann.sees(lambda event: event.child_text(Calendar.StartTime) == compact(later))
    assert event.child_text(Calendar.OrganizerEmail) == owner.address
    assert all(answer.child_text(AirSync.Status) == "1" for answer in guest.sync(delete(name)))
    owner.sync()
    ann.sees(lambda event: event.child_text(Calendar.MeetingStatus) == "7")


OTHERS = {
    "books": (
        "14",
        "Contacts",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ann\r\nEND:VCARD\r\n",
        Contacts.FileAs,
    ),
    "tasks": ("15", "Tasks", calendar("BEGIN:VTODO", "UID:a", "SUMMARY:Ann", "END:VTODO"), Tasks.Subject),
    "notes": (
        "17",
        "Notes",
        calendar("BEGIN:VJOURNAL", "UID:a", "SUMMARY:Ann", "END:VJOURNAL"),
        Notes.Subject,
    ),
}


@pytest.mark.parametrize("group", OTHERS)
def test_folders_of_other_kinds_are_shared_alike(
    phone: Phone, guest: Phone, shared_gateway: Gateway, group: str
) -> None:
    kind, name, file, called = OTHERS[group]
    administrate = administrator(shared_gateway, group)
    folder = administrate("create", phone.user, "Family").strip()
    assert administrate("import", phone.user, "-", "--folder", folder, stdin=file).startswith("added 1")
    guests = Hierarchy(guest)
    assert folder not in guests.names
    administrate("share", folder, guest.user, "--right", "read")
    root = guest.folder_sync("0")
    [row] = [one for one in root.iter() if one.child_text(FolderHierarchy.ServerId) == folder]
    assert row.child_text(FolderHierarchy.Type) == kind
    assert row.child_text(FolderHierarchy.DisplayName) == f"Family ({phone.user})"
    for each in (phone, guest):
        each.classes[folder] = name
        each.begin(folder)
    ((item, data),) = phone.sync(folder).added.items()
    assert data.child_text(called) == "Ann"
    assert guest.sync(folder).added == {item: data}

    refused = guest.sync(folder, commands(change(item, element(called, "mine"))))
    assert [one.child_text(AirSync.Status) for one in refused.responses] != ["1"]
    back = guest.sync(folder) if not refused.changed else refused
    assert back.changed[item].child_text(called) == "Ann"
    administrate("share", folder, guest.user, "--right", "write")
    assert not guest.sync(folder, commands(change(item, element(called, "ours")))).responses
    assert phone.sync(folder).changed[item].child_text(called) == "ours"
