"""Sync of a calendar: keys, repeats, conflicts, windows, options, sharing, in each protocol version."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.items import Right
from tests.blackbox.conftest import MakePhone
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.itemfolders import estimate, fetch_item, move, new_folder, operate, ping, share
from tests.support.phone import Phone, add, change, collections_of, commands, delete, options, statuses
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, Calendar, FolderHierarchy, GetItemEstimate, ItemOperations, Ping

NOW = datetime.now(UTC).replace(microsecond=0)


def compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def event(phone: Phone, subject: str, *, days: int = 1, uid: str = "") -> list[Element]:
    """The properties of an hour's event, so many days from now."""
    start = NOW + timedelta(days=days)
    made = [
        element(Calendar.StartTime, compact(start)),
        element(Calendar.EndTime, compact(start + timedelta(hours=1))),
        element(Calendar.Subject, subject),
    ]
    if uid:
        made.append(element(Calendar.UID if phone.number < 16 else Calendar.ClientUid, uid))
    return made


def calendar(phone: Phone) -> str:
    """The id of the default calendar, its first Sync done."""
    folder = phone.folders()["Calendar"]
    phone.begin(folder)
    phone.sync(folder)
    return folder


def added(phone: Phone, folder: str, *subjects: str, days: int = 1) -> dict[str, str]:
    """Have the phone add events; their ServerIds by subject."""
    asked = commands(*(add(f"c{subject}", *event(phone, subject, days=days)) for subject in subjects))
    served = phone.sync(folder, asked)
    assert [status for _, _, status in statuses(served)] == ["1"] * len(subjects)
    names = [one.child_text(AirSync.ServerId) or "" for one in served.responses]
    return dict(zip(subjects, names, strict=True))


def subjects(phone: Phone, folder: str) -> dict[str, str]:
    """What a phone that begins anew is told: ServerIds by subject."""
    phone.begin(folder)
    told: dict[str, str] = {}
    while True:
        served = phone.sync(folder)
        told |= {data.child_text(Calendar.Subject) or "": name for name, data in served.added.items()}
        if not served.more:
            return told


# --- the hierarchy -----------------------------------------------------------------------------------------


def test_the_calendar_is_told_with_its_type(each_phone: Phone) -> None:
    changes = each_phone.folder_sync().find(FolderHierarchy.Changes)
    assert changes is not None
    told = [
        [row.child_text(tag) for tag in (FolderHierarchy.ParentId, FolderHierarchy.Type)]
        for row in changes.findall(FolderHierarchy.Add)
        if row.child_text(FolderHierarchy.DisplayName) == "Calendar"
    ]
    assert told == [["0", "8"]]


def test_a_calendar_of_ones_own(some_phone: Phone) -> None:
    key = some_phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    made = some_phone.post(
        "FolderCreate",
        element(
            FolderHierarchy.FolderCreate,
            element(FolderHierarchy.SyncKey, key),
            element(FolderHierarchy.ParentId, "0"),
            element(FolderHierarchy.DisplayName, "Family"),
            element(FolderHierarchy.Type, 13),
        ),
    ).root
    assert made.child_text(FolderHierarchy.Status) == "1"
    folder = made.child_text(FolderHierarchy.ServerId) or ""
    some_phone.begin(folder)
    added(some_phone, folder, "swim")
    gone = some_phone.post(
        "FolderDelete",
        element(
            FolderHierarchy.FolderDelete,
            element(FolderHierarchy.SyncKey, made.child_text(FolderHierarchy.SyncKey)),
            element(FolderHierarchy.ServerId, folder),
        ),
    ).root
    assert gone.child_text(FolderHierarchy.Status) == "1"
    assert some_phone.sync(folder).status == "12"


# --- both ways ---------------------------------------------------------------------------------------------


def test_what_one_phone_does_the_other_is_told(each_phone: Phone, other: Phone) -> None:
    folder = calendar(each_phone)
    assert calendar(other) == folder
    names = added(each_phone, folder, "one", "two")
    told = other.sync(folder).added
    assert {data.child_text(Calendar.Subject): name for name, data in told.items()} == names
    each_phone.sync(folder, commands(change(names["one"], *event(each_phone, "ONE")), delete(names["two"])))
    served = other.sync(folder)
    assert [*served.changed] == [names["one"]]
    assert served.changed[names["one"]].child_text(Calendar.Subject) == "ONE"
    assert served.deleted == [names["two"]]
    assert not each_phone.sync(folder).changed, "an echo"


def test_the_class_is_told_up_to_12_0_alone(each_phone: Phone) -> None:
    folder = calendar(each_phone)
    served = each_phone.sync(folder, commands(add("c1", *event(each_phone, "one"))))
    told = served.element.child_text(AirSync.Class)
    assert told == ("Calendar" if each_phone.number < 12.1 else None)


def test_version_2_5_names_the_calendar_by_its_class(new_phone: MakePhone) -> None:
    phone = new_phone("2.5")
    phone.provision()
    folder = phone.folders()["Calendar"]

    def asked(key: str, *more: Element) -> Element:
        return element(
            AirSync.Collection, element(AirSync.Class, "Calendar"), element(AirSync.SyncKey, key), *more
        )

    (begun,) = collections_of(phone.post_sync(asked("0")).root)
    operations = commands(add("c1", *event(phone, "one", uid="U1")))
    (served,) = collections_of(phone.post_sync(asked(begun.key, operations)).root)
    assert statuses(served)[0][2] == "1"
    assert served.element.child_text(AirSync.CollectionId) == folder
    assert [*subjects(phone, folder)] == ["one"]


def test_windows_are_shared_with_mail(some_phone: Phone, other: Phone) -> None:
    folder = calendar(some_phone)
    calendar(other)
    added(other, folder, *(str(number) for number in range(7)))
    inbox = some_phone.folders()["Inbox"]
    some_phone.begin(inbox)
    answer = some_phone.post_sync(
        some_phone.collection(folder, element(AirSync.WindowSize, 5)),
        some_phone.collection(inbox),
        more=[element(AirSync.WindowSize, 6)] if some_phone.number > 12 else [],
    )
    first = collections_of(answer.root)[0]
    assert (len(first.added), first.more) == (5, True)
    some_phone.keys[folder] = first.key
    rest = some_phone.sync(folder)
    assert (len(rest.added), rest.more) == (2, False)


# --- repeats -----------------------------------------------------------------------------------------------


def test_a_repeated_key_gets_the_same_answer_and_nothing_is_done_twice(
    each_phone: Phone, other: Phone
) -> None:
    folder = calendar(each_phone)
    calendar(other)
    names = added(each_phone, folder, "kept", "changed", "deleted")
    other.sync(folder)
    added(other, folder, "theirs")
    asked = each_phone.collection(
        folder,
        commands(
            add("c1", *event(each_phone, "new")),
            change(names["changed"], *event(each_phone, "CHANGED")),
            delete(names["deleted"]),
            delete("nonsense"),
            add("c2", element(Calendar.StartTime, "nonsense")),
        ),
    )
    first = each_phone.post_sync(asked)
    again = each_phone.post_sync(asked)
    assert again.root == first.root
    (served,) = collections_of(again.root)
    assert [status for _, _, status in statuses(served)] == ["1", "8", "6"]
    assert sorted(subjects(other, folder)) == ["CHANGED", "kept", "new", "theirs"]


def test_a_phone_that_begins_anew_does_not_double_what_it_adds_again(each_phone: Phone) -> None:
    folder = calendar(each_phone)
    each_phone.sync(folder, commands(add("c1", *event(each_phone, "one", uid="U"))))
    each_phone.begin(folder)
    served = each_phone.sync(folder, commands(add("c2", *event(each_phone, "one", uid="U"))))
    assert statuses(served)[0][2] == "1"
    name = served.responses[0].child_text(AirSync.ServerId)
    assert served.more
    assert [*each_phone.sync(folder).changed] == [name]
    assert subjects(each_phone, folder) == {"one": name}


def test_one_client_id_twice_in_a_request(some_phone: Phone) -> None:
    folder = calendar(some_phone)
    same = add("c1", *event(some_phone, "one"))
    served = some_phone.sync(folder, commands(same, same, add("c1", *event(some_phone, "two"))))
    assert [status for _, _, status in statuses(served)] == ["1", "1", "6"]
    assert [*subjects(some_phone, folder)] == ["one"]


def test_a_killed_gateway_has_done_all_of_a_request_or_nothing(
    dovecot: Dovecot, sink: SmtpSink, user: str
) -> None:
    with Gateway(dovecot, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        folder = calendar(phone)
        for number in range(4):
            asked = phone.collection(
                folder, commands(*(add(f"c{n}", *event(phone, f"{number}.{n}")) for n in range(20)))
            )
            poster = threading.Thread(target=lambda: _quietly(lambda: phone.post_sync(asked)))  # noqa: B023
            poster.start()
            time.sleep(0.02 * number)
            gateway.kill()
            poster.join()
            gateway.start()
            phone.port = gateway.port
            (served,) = collections_of(phone.post_sync(asked).root)
            phone.keys[folder] = served.key
            assert [status for _, _, status in statuses(served)] == ["1"] * 20
        assert len(subjects(phone, folder)) == 80


def _quietly(work: object) -> None:
    try:
        work()  # type: ignore[operator]
    except (OSError, AssertionError):
        return


# --- conflicts and errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "winner"), [(1, "theirs"), (0, "mine")])
def test_both_changed_it(some_phone: Phone, other: Phone, policy: int, winner: str) -> None:
    folder = calendar(some_phone)
    calendar(other)
    some_phone.sync(folder, options(element(AirSync.Conflict, policy)))
    name = added(some_phone, folder, "one")["one"]
    other.sync(folder)
    other.sync(folder, commands(change(name, *event(other, "theirs"))))
    served = some_phone.sync(folder, commands(change(name, *event(some_phone, "mine"))))
    assert statuses(served) == ([("Change", name, "7")] if policy else [])
    assert served.changed[name].child_text(Calendar.Subject) == winner
    assert [*subjects(other, folder)] == [winner]


def test_a_change_of_what_another_deleted(some_phone: Phone, other: Phone) -> None:
    folder = calendar(some_phone)
    calendar(other)
    name = added(some_phone, folder, "one")["one"]
    other.sync(folder)
    other.sync(folder, commands(delete(name)))
    served = some_phone.sync(folder, commands(change(name, *event(some_phone, "mine"))))
    assert statuses(served) == [("Change", name, "8")]
    assert served.deleted == [name]


def test_what_is_refused_is_put_right_and_touches_no_other(some_phone: Phone) -> None:
    folder = calendar(some_phone)
    names = added(some_phone, folder, "one", "two")
    backwards = [
        element(Calendar.StartTime, compact(NOW + timedelta(days=2))),
        element(Calendar.EndTime, compact(NOW + timedelta(days=1))),
    ]
    served = some_phone.sync(
        folder,
        commands(change(names["one"], *backwards), change(names["two"], *event(some_phone, "TWO"))),
    )
    assert statuses(served) == [("Change", names["one"], "6")]
    assert served.changed[names["one"]].child_text(Calendar.Subject) == "one"
    assert sorted(subjects(some_phone, folder)) == ["TWO", "one"]


@pytest.mark.parametrize("filter_type", [1, 2, 3, 8, 9])
def test_filters_a_calendar_does_not_have(some_phone: Phone, filter_type: int) -> None:
    folder = calendar(some_phone)
    served = some_phone.sync(folder, options(element(AirSync.FilterType, filter_type)))
    assert served.status == "4"


def test_conversation_mode_is_for_mail(new_phone: MakePhone) -> None:
    phone = new_phone("14.1")
    phone.provision()
    folder = calendar(phone)
    root = phone.post_sync(phone.collection(folder, element(AirSync.ConversationMode, 1))).root
    assert root.child_text(AirSync.Status) == "4"


# --- the window --------------------------------------------------------------------------------------------


def test_the_filter_takes_effect_at_once_and_sticks(each_phone: Phone) -> None:
    folder = calendar(each_phone)
    old = added(each_phone, folder, "old", days=-20)["old"]
    added(each_phone, folder, "soon")
    served = each_phone.sync(folder, options(element(AirSync.FilterType, 4)))
    assert served.soft_deleted == [old]
    added(each_phone, folder, "older", days=-30)
    assert each_phone.sync(folder).soft_deleted != [old]
    served = each_phone.sync(folder, options(element(AirSync.FilterType, 6)))
    assert old in served.added


def test_supported_is_remembered_over_later_options(new_phone: MakePhone) -> None:
    """What is not listed in Supported keeps its value when a Change leaves it out, all else goes."""
    phone = new_phone("14.1")
    phone.provision()
    folder = phone.folders()["Calendar"]
    listed = (Calendar.StartTime, Calendar.EndTime, Calendar.Subject, Calendar.Location)
    phone.begin(folder, element(AirSync.Supported, *(element(tag) for tag in listed)))
    phone.sync(folder, options(element(AirSync.FilterType, 0)))
    there = [element(Calendar.Location, "Room 1"), element(Calendar.Sensitivity, 2)]
    served = phone.sync(folder, commands(add("c1", *event(phone, "one"), *there)))
    name = served.responses[0].child_text(AirSync.ServerId) or ""
    phone.sync(folder, options(element(AirSync.FilterType, 5)))
    phone.sync(folder, commands(change(name, *event(phone, "ONE"))))
    fresh = new_phone("14.1", device="FRESH")
    fresh.provision()
    fresh.begin(folder)
    data = fresh.sync(folder).added[name]
    told = [data.child_text(tag) for tag in (Calendar.Subject, Calendar.Location, Calendar.Sensitivity)]
    assert told == ["ONE", None, "2"]


# --- waiting and counting ----------------------------------------------------------------------------------


@pytest.mark.parametrize("held", ["ping", "sync"])
def test_a_held_request_ends_when_another_phone_adds_an_event(
    some_phone: Phone, other: Phone, held: str
) -> None:
    folder = calendar(some_phone)
    calendar(other)
    answers: list[Element] = []

    def wait() -> None:
        if held == "ping":
            answers.append(ping(some_phone, folder, name="Calendar", seconds=60))
        else:
            waiting = element(AirSync.Wait, 1)
            answers.append(some_phone.post_sync(some_phone.collection(folder), more=[waiting]).root)

    waiter = threading.Thread(target=wait)
    waiter.start()
    time.sleep(0.5)
    started = time.monotonic()
    added(other, folder, "one")
    waiter.join(30)
    assert time.monotonic() - started < 20
    (answer,) = answers
    if held == "sync":
        assert len(collections_of(answer)[0].added) == 1
    else:
        assert answer.child_text(Ping.Status) == "2"
        folders = answer.find(Ping.Folders)
        assert folders is not None
        assert [one.text() for one in folders] == [folder]


def test_a_ping_is_not_ended_by_what_the_phone_did_itself(some_phone: Phone) -> None:
    folder = calendar(some_phone)
    added(some_phone, folder, "one")
    assert ping(some_phone, folder, name="Calendar", seconds=2).child_text(Ping.Status) == "1"


def test_a_ping_for_a_calendar_that_is_not_there(some_phone: Phone) -> None:
    assert ping(some_phone, "i999999", name="Calendar").child_text(Ping.Status) == "7"


def test_pending_changes_are_counted(each_phone: Phone, other: Phone) -> None:
    folder = calendar(each_phone)
    calendar(other)
    added(other, folder, "one", "two")
    added(other, folder, "old", days=-100)
    response = estimate(each_phone, folder, name="Calendar")
    told = response.find(GetItemEstimate.Collection)
    assert told is not None
    assert told.child_text(GetItemEstimate.Estimate) == "3"
    assert told.child_text(GetItemEstimate.Class) == ("Calendar" if each_phone.number < 14 else None)
    response = estimate(each_phone, folder, element(AirSync.FilterType, 5), name="Calendar")
    told = response.find(GetItemEstimate.Collection)
    assert told is not None
    assert told.child_text(GetItemEstimate.Estimate) == "2"


def test_what_cannot_be_estimated(new_phone: MakePhone) -> None:
    phone = new_phone("14.1")
    phone.provision()
    folder = phone.folders()["Calendar"]

    def status(*more: Element, key: str | None = None) -> str | None:
        return estimate(phone, folder, *more, key=key, name="Calendar").child_text(GetItemEstimate.Status)

    assert status(key="0") == "3"
    phone.begin(folder)
    assert status(key="nonsense") == "4"
    assert status(element(AirSync.FilterType, 9)) == "103"
    assert status(element(AirSync.Class, "Email")) == "4"
    assert status(element(AirSync.MaxItems, 3)) == "2"


# --- other commands ----------------------------------------------------------------------------------------


def test_an_event_is_moved_once_and_the_device_is_not_told_of_it(each_phone: Phone, other: Phone) -> None:
    folder, family = calendar(each_phone), new_folder(each_phone, "Family", 13)
    each_phone.begin(family)
    each_phone.sync(family)
    name = added(each_phone, folder, "one")["one"]
    calendar(other)
    moved = move(each_phone, name, folder, family)
    assert moved == move(each_phone, name, folder, family) == ("3", moved[1])
    assert each_phone.sync(folder).deleted == []
    assert not each_phone.sync(family).added
    assert other.sync(folder).deleted == [name]
    assert subjects(other, family) == {"one": moved[1]}


def test_events_that_changed_between_a_lost_answer_and_its_repeat_are_told(
    some_phone: Phone, other: Phone
) -> None:
    folder, family = calendar(some_phone), new_folder(some_phone, "Family", 13)
    some_phone.begin(family)
    some_phone.sync(family)
    names = added(some_phone, folder, "one", "two")
    there = {subject: move(some_phone, name, folder, family)[1] or "" for subject, name in names.items()}
    other.begin(family)
    other.sync(family)
    other.sync(family, commands(change(there["one"], *event(other, "ONE")), delete(there["two"])))
    some_phone.sync(family)  # which tells of events that it does not have there yet
    for subject, name in names.items():
        assert move(some_phone, name, folder, family) == ("3", there[subject])
    told = some_phone.sync(family)
    assert {name: data.child_text(Calendar.Subject) for name, data in told.changed.items()} == {
        there["one"]: "ONE"
    }
    assert told.deleted == [there["two"]]


@pytest.mark.parametrize("before", [0, 1])
def test_an_event_is_moved_to_where_the_phone_begins(some_phone: Phone, before: int) -> None:
    folder, family = calendar(some_phone), new_folder(some_phone, "Family", 13)
    for _ in range(before):  # it was there before, and begins anew
        some_phone.begin(family)
        some_phone.sync(family)
    name = added(some_phone, folder, "one")["one"]
    some_phone.begin(family)
    result, moved = move(some_phone, name, folder, family)
    assert result == "3"
    told = some_phone.sync(family)
    assert (list(told.added), list(told.changed), told.deleted) == ([], [moved], [])


@pytest.mark.parametrize("lost", [False, True])
def test_an_event_that_another_phone_changed_is_told_after_it_was_moved(
    some_phone: Phone, other: Phone, lost: bool
) -> None:
    folder, family = calendar(some_phone), new_folder(some_phone, "Family", 13)
    some_phone.begin(family)
    some_phone.sync(family)
    name = added(some_phone, folder, "one")["one"]
    subjects(other, folder)
    other.sync(folder, commands(change(name, *event(other, "ONE"))))
    if lost:
        key = some_phone.keys[folder]
        assert some_phone.sync(folder).changed
        some_phone.keys[folder] = key
    result, moved = move(some_phone, name, folder, family)
    assert result == "3"
    assert (some_phone.sync(folder).changed, some_phone.sync(folder).deleted) == ({}, [])
    told = some_phone.sync(family)
    assert {one: data.child_text(Calendar.Subject) for one, data in told.changed.items()} == {moved: "ONE"}
    assert not told.added


def test_moves_that_cannot_be(some_phone: Phone) -> None:
    folder, inbox = calendar(some_phone), some_phone.folders()["Inbox"]
    name = added(some_phone, folder, "one")["one"]
    assert move(some_phone, name, folder, folder) == ("4", None)
    assert move(some_phone, name, folder, inbox) == ("2", None)
    assert move(some_phone, name, folder, "i999999") == ("2", None)
    family = new_folder(some_phone, "Family", 13)
    assert move(some_phone, name, family, folder) == ("1", None)
    assert move(some_phone, "nonsense", folder, family) == ("1", None)
    assert move(some_phone, f"{folder}:999999", folder, family) == ("1", None)


def test_an_event_is_fetched_by_its_name(each_phone: Phone) -> None:
    folder = calendar(each_phone)
    name = added(each_phone, folder, "one")["one"]
    told = fetch_item(each_phone, folder, name)
    assert told.child_text(ItemOperations.Status) == "1"
    assert told.child_text(AirSync.Class) == "Calendar"
    properties = told.find(ItemOperations.Properties)
    assert properties is not None
    assert properties.child_text(Calendar.Subject) == "one"
    missing = fetch_item(each_phone, folder, f"{folder}:999999")
    assert missing.child_text(ItemOperations.Status) == "6"


def test_a_calendar_is_emptied(some_phone: Phone, other: Phone) -> None:
    folder = calendar(some_phone)
    calendar(other)
    names = added(some_phone, folder, "one", "two")
    other.sync(folder)
    asked = element(ItemOperations.EmptyFolderContents, element(AirSync.CollectionId, folder))
    assert operate(some_phone, asked).child_text(ItemOperations.Status) == "1"
    assert sorted(other.sync(folder).deleted) == sorted(names.values())


def test_nobody_sees_the_calendar_of_another(new_phone: MakePhone, dovecot: Dovecot) -> None:
    phone = new_phone()
    phone.provision()
    folder = calendar(phone)
    name = added(phone, folder, "one")["one"]
    stranger = Phone(phone.host, phone.port, f"x{phone.user}", dovecot.password)
    stranger.provision()
    own = calendar(stranger)
    assert stranger.sync(folder, key="0").status == "12"
    assert fetch_item(stranger, folder, name).child_text(ItemOperations.Status) == "6"
    assert move(stranger, name, folder, own)[0] == "1"
    served = stranger.sync(own, commands(delete(name), change(f"{own}:{name.partition(':')[2]}")))
    assert [status for _, _, status in statuses(served)] == ["8", "8"]
    assert subjects(phone, folder) == {"one": name}


def test_an_add_that_was_written_on_before_it_was_answered(each_phone: Phone, other: Phone) -> None:
    folder = calendar(each_phone)
    lost = each_phone.post_sync(
        each_phone.collection(folder, commands(add("c1", *event(each_phone, "one", uid="U1"))))
    )
    (first,) = collections_of(lost.root)
    served = each_phone.sync(folder, commands(add("c1", *event(each_phone, "one and more", uid="U1"))))
    assert statuses(served) == statuses(first)
    name = first.responses[0].child_text(AirSync.ServerId)
    assert subjects(other, folder) == {"one and more": name}
    assert each_phone.sync(folder).changed[name or ""].child_text(Calendar.Subject) == "one and more"


# --- calendars of others -----------------------------------------------------------------------------------


def test_a_calendar_that_may_only_be_read_is_put_right(
    some_phone: Phone, guest: Phone, shared_gateway: Gateway
) -> None:
    folder = calendar(some_phone)
    names = added(some_phone, folder, "one", "two")
    share(shared_gateway, some_phone.user, folder, guest.user, Right.READ)
    assert guest.folders()[f"Calendar ({some_phone.user})"] == folder
    assert subjects(guest, folder) == names
    served = guest.sync(
        folder,
        commands(
            change(names["one"], *event(guest, "ONE")), delete(names["two"]), add("c1", *event(guest, "x"))
        ),
    )
    assert [status for _, _, status in statuses(served)] == ["6", "6", "6"]
    assert served.changed[names["one"]].child_text(Calendar.Subject) == "one"
    refused = served.responses[-1].child_text(AirSync.ServerId)
    assert served.more
    served = guest.sync(folder)
    assert ([*served.added], served.deleted) == ([names["two"]], [refused])
    assert subjects(some_phone, folder) == names


def test_a_calendar_others_may_write_to_until_it_is_not_shared_any_more(
    some_phone: Phone, guest: Phone, shared_gateway: Gateway
) -> None:
    folder = calendar(some_phone)
    share(shared_gateway, some_phone.user, folder, guest.user, Right.WRITE)
    guest.folders()
    guest.begin(folder)
    names = added(guest, folder, "theirs")
    served = some_phone.sync(folder)
    assert {data.child_text(Calendar.Subject): name for name, data in served.added.items()} == names
    share(shared_gateway, some_phone.user, folder, guest.user, None)
    assert guest.sync(folder, commands(add("c1", *event(guest, "late")))).status == "12"
    assert subjects(some_phone, folder) == names
