"""Tasks over HTTP, as phones of each generation have them."""

from __future__ import annotations

import threading

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support.itemfolders import all_of, estimate, folder_types, move, named, new_folder, ping
from tests.support.phone import (
    Phone,
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
from wbxml.pages import AirSync, AirSyncBase, GetItemEstimate, ItemOperations, Ping, Tasks

DUE = "2026-03-06T00:00:00.000Z"
WEEKLY = {"Type": 1, "Interval": 1, "Start": DUE, "DayOfWeek": 32, "Occurrences": 3}


@pytest.fixture(params=("2.5", "12.1", "14.1", "16.1"))
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param)
    made.provision()
    return made


def task(subject: str, **named: object) -> list[Element]:
    made = [element(Tasks.Subject, subject)]
    for name, value in {"Complete": 0, **named}.items():
        tag = getattr(Tasks, name)
        if isinstance(value, dict):
            made.append(element(tag, *(element(getattr(Tasks, key), one) for key, one in value.items())))
        else:
            assert isinstance(value, str | int)
            made.append(element(tag, value))
    return made


def written(phone: Phone, text: str) -> Element:
    if phone.number < 12:
        return element(Tasks.Body, text)
    return element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, text))


def tasks(phone: Phone, name: str = "Tasks") -> str:
    """The id of a list, its first Sync done."""
    folder = phone.folders()[name]
    phone.begin(folder)
    phone.sync(folder)
    return folder


def told(data: Element, *names: str) -> list[str | None]:
    return [data.child_text(getattr(Tasks, name)) for name in names]


def test_lists_are_told_with_their_types(phone: Phone) -> None:
    made = new_folder(phone, "Garden", 15)
    types = folder_types(phone)
    assert (types["Tasks"], types["Garden"]) == ("7", "15")
    assert phone.folders()["Garden"] == made


def test_what_one_phone_does_the_other_is_told(phone: Phone, other: Phone) -> None:
    folder = tasks(phone)
    assert tasks(other) == folder
    dates = {"UtcDueDate": "2026-03-05T23:00:00.000Z", "DueDate": DUE}
    rings = {"ReminderSet": 1, "ReminderTime": "2026-03-05T08:00:00.000Z"}
    name = named(
        phone.sync(
            folder, commands(add("c1", *task("Pay", Importance=2, **dates, **rings), written(phone, "all")))
        )
    )
    served = other.sync(folder)
    assert [*served.added] == [name]
    data = served.added[name]
    assert told(data, "Subject", "Importance", *dates, *rings) == [
        *("Pay", "2", "2026-03-05T23:00:00.000Z", DUE),
        *("1", "2026-03-05T08:00:00.000Z"),
    ]
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert body.child_text(AirSyncBase.Data) == "all"
    other.sync(folder, commands(change(name, *task("PAID", Complete=1, DateCompleted=DUE))))
    changed = phone.sync(folder).changed[name]
    assert told(changed, "Subject", "Complete", "DateCompleted", "DueDate") == ["PAID", "1", DUE, None]
    assert not other.sync(folder).changed, "an echo"
    phone.sync(folder, commands(delete(name)))
    assert other.sync(folder).deleted == [name]


def test_a_lost_answer_is_given_again_and_nothing_is_done_twice(phone: Phone, other: Phone) -> None:
    folder = tasks(phone)
    kept = named(phone.sync(folder, commands(add("c0", *task("kept")))))
    asked = phone.collection(folder, commands(add("c1", *task("new")), change(kept, *task("KEPT"))))
    first = phone.post_sync(asked)
    assert phone.post_sync(asked).root == first.root
    (served,) = collections_of(first.root)
    phone.keys[folder] = served.key
    assert not phone.sync(folder).added
    there = all_of(other, folder)
    assert sorted(data.child_text(Tasks.Subject) or "" for data in there.values()) == ["KEPT", "new"]
    assert named(served) in there


def test_an_occurrence_that_is_done_becomes_a_task_of_its_own_once(phone: Phone, other: Phone) -> None:
    """Who completes a series means its next occurrence; repeating the request does no more."""
    folder = tasks(phone)
    tasks(other)
    series = task("Water", DueDate=DUE, UtcDueDate=DUE, Recurrence=WEEKLY)
    name = named(phone.sync(folder, commands(add("c1", *series))))
    other.sync(folder)
    done = task("Water", DueDate=DUE, UtcDueDate=DUE, Recurrence=WEEKLY, Complete=1, DateCompleted=DUE)
    asked = phone.collection(folder, commands(change(name, *done)))
    first = phone.post_sync(asked)
    assert phone.post_sync(asked).root == first.root
    (served,) = collections_of(first.root)
    phone.keys[folder] = served.key
    assert served.responses == []
    assert told(served.changed[name], "DueDate", "Complete") == ["2026-03-13T00:00:00.000Z", "0"]
    ((copy, data),) = served.added.items()
    assert told(data, "Subject", "DueDate", "Complete", "DateCompleted") == ["Water", DUE, "1", DUE]
    recurrence = data.find(Tasks.Recurrence)
    assert recurrence is not None
    assert told(recurrence, "DeadOccur", "Occurrences") == ["1", "3"]
    assert not phone.sync(folder).added
    seen = other.sync(folder)
    assert ([*seen.changed], [*seen.added]) == ([name], [copy])
    assert set(all_of(other, folder)) == {name, copy}


def test_the_filter_shows_what_is_to_be_done(phone: Phone, other: Phone) -> None:
    folder = tasks(phone)
    tasks(other)
    served = phone.sync(folder, commands(add("c1", *task("open")), add("c2", *task("done", Complete=1))))
    names = [named(served, 0), named(served, 1)]
    assert phone.sync(folder, options(element(AirSync.FilterType, 8))).soft_deleted == [names[1]]
    other.sync(folder)
    other.sync(folder, commands(change(names[0], *task("open", Complete=1)), change(names[1], *task("done"))))
    served = phone.sync(folder)
    assert (served.soft_deleted, [*served.added]) == ([names[0]], [names[1]])
    assert phone.sync(folder, options(element(AirSync.FilterType, 4))).status == "4"
    assert [*phone.sync(folder, options(element(AirSync.FilterType, 0))).added] == [names[0]]


def test_bad_tasks_are_refused_and_nothing_is_stored_of_them(phone: Phone, other: Phone) -> None:
    folder = tasks(phone)
    name = named(phone.sync(folder, commands(add("c1", *task("good")))))
    served = phone.sync(
        folder,
        commands(
            add("c2", *task("bad", Complete=3)),
            add("c3", *task("bad", Recurrence={"Type": 1, "DayOfWeek": 1})),
            change(name, *task("BAD", DueDate="soon")),
            add("c4", *task("fine")),
        ),
    )
    assert [status for _, _, status in statuses(served)] == ["6", "6", "6", "1"]
    assert told(served.changed[name], "Subject") == ["good"]
    there = all_of(other, folder)
    assert sorted(data.child_text(Tasks.Subject) or "" for data in there.values()) == ["fine", "good"]


@pytest.mark.parametrize(("policy", "winner"), [(1, "theirs"), (0, "mine")])
def test_both_changed_it(phone: Phone, other: Phone, policy: int, winner: str) -> None:
    folder = tasks(phone)
    tasks(other)
    phone.sync(folder, options(element(AirSync.Conflict, policy)))
    name = named(phone.sync(folder, commands(add("c1", *task("one")))))
    other.sync(folder)
    other.sync(folder, commands(change(name, *task("theirs"))))
    served = phone.sync(folder, commands(change(name, *task("mine"))))
    assert statuses(served) == ([("Change", name, "7")] if policy else [])
    assert told(served.changed[name], "Subject") == [winner]


def test_a_task_is_fetched_whole(phone: Phone) -> None:
    folder = tasks(phone)
    name = named(phone.sync(folder, commands(add("c1", *task("long"), written(phone, "x" * 5000)))))
    if phone.number < 12:
        cut = phone.sync(folder, options(element(AirSync.Truncation, 1)))
        assert cut.status == "1"
        phone.begin(folder, options(element(AirSync.Truncation, 1)))
        data = phone.sync(folder).added[name]
        assert told(data, "Body", "BodySize", "BodyTruncated") == ["x" * 512, "5000", "1"]
        return
    phone.begin(folder)
    data = phone.sync(folder, options(body_preference(1, 100))).added[name]
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert (body.child_text(AirSyncBase.Data), body.child_text(AirSyncBase.Truncated)) == ("x" * 100, "1")
    asked = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(AirSync.CollectionId, folder),
        element(AirSync.ServerId, name),
        element(ItemOperations.Options, body_preference(1)),
    )
    root = phone.post("ItemOperations", element(ItemOperations.ItemOperations, asked)).root
    (kind,) = [one.text() for one in root.iter() if one.tag is AirSync.Class]
    (whole,) = [one.text() for one in root.iter() if one.tag is AirSyncBase.Data]
    assert (kind, whole) == ("Tasks", "x" * 5000)


def test_pending_changes_are_counted(phone: Phone, other: Phone) -> None:
    folder = tasks(phone)
    tasks(other)
    other.sync(folder, commands(add("c1", *task("open")), add("c2", *task("done", Complete=1))))
    kind = [element(AirSync.FilterType, 8)]
    for filters, count in (([], "2"), (kind, "1")):
        response = estimate(phone, folder, *filters, name="Tasks")
        told_of = response.find(GetItemEstimate.Collection)
        assert told_of is not None
        assert told_of.child_text(GetItemEstimate.Estimate) == count


def test_a_ping_hears_of_a_task(phone: Phone, other: Phone) -> None:
    """Whether the task comes before the Ping or while it waits."""
    folder = tasks(phone)
    tasks(other)
    answers: list[Element] = []
    waiter = threading.Thread(target=lambda: answers.append(ping(phone, folder, name="Tasks")))
    waiter.start()
    other.sync(folder, commands(add("c1", *task("one"))))
    waiter.join(30)
    (answer,) = answers
    assert answer.child_text(Ping.Status) == "2"


def test_a_task_is_moved_to_another_list_once(phone: Phone, other: Phone) -> None:
    folder, garden = tasks(phone), new_folder(phone, "Garden", 15)
    phone.begin(garden)
    phone.sync(garden)
    name = named(phone.sync(folder, commands(add("c1", *task("Water")))))
    tasks(other)
    moved = move(phone, name, folder, garden)
    assert moved == move(phone, name, folder, garden) == ("3", moved[1])
    assert not phone.sync(garden).added
    assert other.sync(folder).deleted == [name]
    assert [*all_of(other, garden)] == [moved[1]]


def test_what_a_device_does_not_support_stays(new_phone: MakePhone, other: Phone) -> None:
    phone = new_phone("14.1")
    phone.provision()
    folder = phone.folders()["Tasks"]
    phone.begin(folder, element(AirSync.Supported, element(Tasks.Subject), element(Tasks.Complete)))
    name = named(phone.sync(folder, commands(add("c1", *task("one", DueDate=DUE, UtcDueDate=DUE)))))
    phone.sync(folder, commands(change(name, *task("two"))))
    assert told(all_of(other, folder)[name], "Subject", "DueDate") == ["two", DUE]
