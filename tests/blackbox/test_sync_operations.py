"""Sync: what the phone changes, and how each operation is answered (MS-ASCMD 2.2.3.32, MS-ASEMAIL 3.2.5)."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import (
    Phone,
    Served,
    body_preference,
    change,
    collections_of,
    commands,
    delete,
    fetch,
    options,
    statuses,
)
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2, Tasks

KEEP, MOVE = element(AirSync.DeletesAsMoves, 0), element(AirSync.DeletesAsMoves, 1)


def begun(phone: Phone, dovecot: Dovecot, count: int = 1) -> tuple[str, list[str]]:
    """An INBOX with mail that the phone has; its id and the ids of the mail, oldest first."""
    for number in range(count):
        dovecot.deliver(phone.user, messages.plain(f"mail {number}"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    served = phone.sync(folder)
    return folder, [served.named(Email.Subject, f"mail {number}") for number in range(count)]


def found(dovecot: Dovecot, user: str, criterion: str, mailbox: str = "INBOX") -> str:
    with dovecot.imap(user) as imap:
        imap.select(mailbox)
        return str(imap.search(None, criterion)[1][0].decode())


def read(value: object) -> Element:
    return element(Email.Read, str(value))


def flag(*children: Element) -> Element:
    return element(Email.Flag, *children)


def active(*more: Element) -> Element:
    return flag(element(Email.Status, 2), element(Email.FlagType, "Flag for follow up"), *more)


def dates(start: str, due: str, *tags: str) -> list[Element]:
    names = tags or ("UtcStartDate", "StartDate", "UtcDueDate", "DueDate")
    return [
        element(getattr(Tasks, name), f"{start if 'Start' in name else due}T00:00:00.000Z") for name in names
    ]


def test_read_and_flag_are_set_and_cleared(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one, two, three) = begun(each_phone, dovecot, 3)
    served = each_phone.sync(
        folder, commands(change(one, read(1)), change(two, active()), change(three, read(""), active()))
    )
    assert served.status == "1"
    assert not served.responses  # silence means success
    assert found(dovecot, each_phone.user, "SEEN") == "1 3"
    assert found(dovecot, each_phone.user, "FLAGGED") == "2 3"
    assert not each_phone.sync(folder).changed  # a phone is not told what it did itself
    each_phone.sync(
        folder,
        commands(change(one, read(0)), change(two, flag()), change(three, flag(element(Email.Status, 0)))),
    )
    assert found(dovecot, each_phone.user, "SEEN") == "3"
    assert found(dovecot, each_phone.user, "FLAGGED") == ""


def test_operations_are_done_in_order(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one, two) = begun(some_phone, dovecot, 2)
    some_phone.sync(
        folder,
        commands(
            change(one, read(1)),
            change(one, read(0)),
            change(two, active()),
            change(two, flag()),
            change(two, read(0)),
            change(two, read(1)),
        ),
    )
    assert found(dovecot, some_phone.user, "SEEN") == "2"
    assert found(dovecot, some_phone.user, "FLAGGED") == ""


def test_a_flag_as_the_specification_has_it(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one,) = begun(some_phone, dovecot)
    whole = active(
        element(Tasks.Subject, "mail 0"),
        *dates("2026-03-01", "2026-03-05"),
        element(Tasks.ReminderSet, 1),
        element(Tasks.ReminderTime, "2026-03-04T08:00:00.000Z"),
    )
    assert not some_phone.sync(folder, commands(change(one, whole))).responses
    assert found(dovecot, some_phone.user, "FLAGGED") == "1"
    complete = flag(
        element(Email.Status, 1),
        element(Email.CompleteTime, "2026-03-04T08:00:00.000Z"),
        element(Tasks.DateCompleted, "2026-03-04T08:00:00.000Z"),
    )
    assert not some_phone.sync(folder, commands(change(one, complete))).responses
    assert found(dovecot, some_phone.user, "FLAGGED") == ""


@pytest.mark.parametrize(
    "data",
    [
        read(2),
        read("yes"),
        flag(element(Email.Status, 3)),
        flag(element(Email.FlagType, "x")),
        active(*dates("2026-03-01", "2026-03-05", "StartDate", "DueDate")),
        active(*dates("2026-03-05", "2026-03-01")),
        active(*dates("2026-03-01", "2026-03-05"), element(Tasks.ReminderSet, 1)),
        element(Email2.ReceivedAsBcc, 1),
        element(Email2.Sender, "x@example.test"),
        element(Email2.UmCallerID, "1"),
        element(Email2.ConversationId, b"0123456789abcdef"),
    ],
    ids=lambda data: f"{data.tag.name}-{len(data)}-{data.text()[:8]}",
)
def test_data_that_cannot_be_is_6_and_the_rest_is_done(phone: Phone, dovecot: Dovecot, data: Element) -> None:
    folder, (one, two) = begun(phone, dovecot, 2)
    served = phone.sync(folder, commands(change(one, data), change(two, read(1))))
    assert served.status == "1"
    assert statuses(served) == [("Change", one, "6")]
    assert found(dovecot, phone.user, "SEEN") == "2"
    assert found(dovecot, phone.user, "FLAGGED") == ""


def test_other_properties_of_received_mail_stay(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one,) = begun(some_phone, dovecot)
    served = some_phone.sync(
        folder,
        commands(change(one, element(Email.Subject, "changed"), element(Email.Importance, 2), read(1))),
    )
    assert not served.responses
    assert found(dovecot, some_phone.user, "SEEN") == "1"
    assert found(dovecot, some_phone.user, 'SUBJECT "mail 0"') == "1"


def test_an_add_of_mail_is_6(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(each_phone, dovecot)
    made = element(
        AirSync.Add,
        element(AirSync.ClientId, "new-1"),
        element(AirSync.ApplicationData, element(Email.Subject, "made by the phone")),
    )
    served = each_phone.sync(folder, commands(made))
    assert served.status == "1"
    assert [[child.tag.name for child in one] for one in served.responses] == [["ClientId", "Status"]]
    assert statuses(served) == [("Add", "new-1", "6")]
    assert found(dovecot, each_phone.user, "ALL") == "1"


# --- deletions -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [[], [MOVE], [element(AirSync.DeletesAsMoves)]], ids=["absent", "1", "empty"])
def test_a_deletion_moves_to_the_trash(some_phone: Phone, dovecot: Dovecot, how: list[Element]) -> None:
    folder, (one, _) = begun(some_phone, dovecot, 2)
    served = some_phone.sync(folder, *how, commands(delete(one)))
    assert (served.status, served.responses, served.deleted) == ("1", [], [])
    assert found(dovecot, some_phone.user, "ALL") == "1"
    assert found(dovecot, some_phone.user, 'SUBJECT "mail 0"', "Trash") == "1"
    trash = some_phone.folders()["Trash"]
    some_phone.begin(trash)
    assert some_phone.sync(trash).named(Email.Subject, "mail 0") != one


def test_a_deletion_for_good(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one, _) = begun(each_phone, dovecot, 2)
    assert not each_phone.sync(folder, KEEP, commands(delete(one))).responses
    assert found(dovecot, each_phone.user, "ALL") == "1"
    assert found(dovecot, each_phone.user, "ALL", "Trash") == ""


def test_a_deletion_from_the_trash_is_for_good(some_phone: Phone, dovecot: Dovecot) -> None:
    trash = some_phone.folders()["Trash"]
    dovecot.deliver(some_phone.user, messages.plain("old"), "Trash")
    some_phone.begin(trash)
    (one,) = some_phone.sync(trash).added
    assert not some_phone.sync(trash, MOVE, commands(delete(one))).responses
    assert found(dovecot, some_phone.user, "ALL", "Trash") == ""
    assert found(dovecot, some_phone.user, "ALL") == ""


def test_a_deletion_wins_over_a_change(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one,) = begun(some_phone, dovecot)
    served = some_phone.sync(folder, KEEP, commands(change(one, read(1)), delete(one)))
    assert (served.status, served.responses) == ("1", [])
    assert found(dovecot, some_phone.user, "ALL") == ""


# --- items that are not there ----------------------------------------------------------------------------


def foreign(phone: Phone, one: str) -> list[str]:
    """Ids that are no items of the INBOX, though some look so."""
    collection, _, rest = one.partition(":")
    validity, _, uid = rest.partition(".")
    return [
        "nonsense",
        f"{collection}:{validity}.{int(uid) + 100}",
        f"{collection}:abc.{uid}",
        f"{phone.folders()['Trash']}:{rest}",
        "1" * 64,
    ]


def test_unknown_items_are_8_and_the_rest_is_done(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one,) = begun(each_phone, dovecot)
    unknown = foreign(each_phone, one)
    for verb in (lambda name: change(name, read(1)), delete, fetch):
        served = each_phone.sync(folder, commands(*map(verb, unknown), change(one, read(1))))
        kind = verb("").tag.name
        assert statuses(served) == [(kind, name, "8") for name in unknown]
    assert found(dovecot, each_phone.user, "SEEN") == "1"


def test_a_message_gone_meanwhile_is_8(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one, two) = begun(some_phone, dovecot, 2)
    with dovecot.imap(some_phone.user) as imap:
        imap.select("INBOX")
        imap.store("1:2", "+FLAGS", "\\Deleted")
        imap.expunge()
    served = some_phone.sync(folder, commands(change(one, read(1)), delete(two)))
    assert statuses(served) == [("Change", one, "8"), ("Delete", two, "8")]
    rest = some_phone.sync(folder)
    assert {*served.deleted, *rest.deleted} >= {one}


def test_an_item_of_another_user_is_not_reached(phone: Phone, new_phone: MakePhone, dovecot: Dovecot) -> None:
    theirs = begun(phone, dovecot, 3)[1][2]
    other = new_phone(device="PHONE2")
    other.user = f"{phone.user}-other"
    other.provision()
    dovecot.deliver(other.user, messages.plain("mine"))
    folder = other.folders()["Inbox"]
    other.begin(folder)
    assert theirs not in other.sync(folder).added
    assert statuses(other.sync(folder, commands(delete(theirs)))) == [("Delete", theirs, "8")]
    assert statuses(other.sync(folder, commands(change(theirs, read(1))))) == [("Change", theirs, "8")]
    assert found(dovecot, phone.user, "UNSEEN") == "1 2 3"
    assert found(dovecot, other.user, "UNSEEN") == "1"


# --- fetches and limits ----------------------------------------------------------------------------------


def test_a_fetch_returns_the_item(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one,) = begun(each_phone, dovecot)
    served = each_phone.sync(folder, options(body_preference(1)), commands(fetch(one)))
    (told,) = served.responses
    assert [child.tag.name for child in told] == ["ServerId", "Status", "ApplicationData"]
    assert statuses(served) == [("Fetch", one, "1")]
    data = told.children[2]
    assert data.child_text(Email.Subject) == "mail 0"
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert (body.child_text(AirSyncBase.Data) or "").strip() == "hello"


def test_an_answer_to_operations_has_a_new_key_and_can_be_repeated(
    some_phone: Phone, dovecot: Dovecot
) -> None:
    folder, (one,) = begun(some_phone, dovecot)
    for operation in (fetch(one), delete("nonsense"), change(one, read(2))):
        before = some_phone.keys[folder]
        served = some_phone.sync(folder, commands(operation))
        assert served.key != before
        assert some_phone.sync(folder, commands(operation), key=before).element == served.element


def test_more_than_200_operations_are_4(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, (one,) = begun(some_phone, dovecot)

    def ask(count: int) -> Element:
        asked = some_phone.collection(folder, commands(*(change(one, read(1)) for _ in range(count))))
        return some_phone.post_sync(asked).root

    refused = ask(201)
    assert [(child.tag.name, child.text()) for child in refused] == [("Status", "4")]
    assert found(dovecot, some_phone.user, "SEEN") == ""
    (served,) = collections_of(ask(200))
    assert served.status == "1"
    assert found(dovecot, some_phone.user, "SEEN") == "1"


def test_commands_without_children_are_no_error(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(some_phone, dovecot)
    served: Served = some_phone.sync(folder, commands())
    assert served.status == "1"


@pytest.mark.parametrize(
    "wrong",
    [
        element(AirSync.Change, element(AirSync.ApplicationData, element(Email.Read, 1))),
        element(AirSync.Change, element(AirSync.ServerId, "1:1.1")),
        element(AirSync.Delete),
        element(AirSync.Add, element(AirSync.ApplicationData)),
        element(AirSync.Fetch),
    ],
    ids=["change-id", "change-data", "delete", "add", "fetch"],
)
def test_operations_without_what_they_need_are_4(some_phone: Phone, dovecot: Dovecot, wrong: Element) -> None:
    folder, _ = begun(some_phone, dovecot)
    root = some_phone.post_sync(some_phone.collection(folder, commands(wrong))).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "4")]
    assert some_phone.sync(folder).status == "1"
