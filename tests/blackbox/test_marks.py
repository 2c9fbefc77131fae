"""Follow-up flags with all their details, and categories: between phones, and with other mail programs."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.blackbox.conftest import VERSIONS, MakePhone
from tests.blackbox.test_ping import changed as ping_news
from tests.blackbox.test_ping import folder as named
from tests.blackbox.test_ping import request, told
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served, change, collections_of, commands, delete, fetch, statuses
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import Element, element
from wbxml.pages import AirSync, Email, Tasks

START, DUE, NOON = "2026-03-01T00:00:00.000Z", "2026-03-05T00:00:00.000Z", "2026-03-04T12:00:00.000Z"
KIND = element(Email.FlagType, "Für später")
TASK = (
    element(Email.Status, 2),
    KIND,
    element(Tasks.Subject, "Answer before Friday"),
    element(Tasks.StartDate, START),
    element(Tasks.UtcStartDate, START),
    element(Tasks.DueDate, DUE),
    element(Tasks.UtcDueDate, DUE),
    element(Tasks.ReminderSet, 1),
    element(Tasks.ReminderTime, NOON),
    element(Tasks.OrdinalDate, NOON),
    element(Tasks.SubOrdinalDate, "5555555"),
)
COMPLETE = (
    element(Email.Status, 1),
    element(Email.CompleteTime, NOON),
    element(Tasks.DateCompleted, NOON),
)
PLAIN = {"Status": "2", "FlagType": "Flag for follow up", "Subject": "mail 0"}
"""A flag of which nothing else is known gets the subject of the mail."""


def flag(*children: Element) -> Element:
    return element(Email.Flag, *children)


def categories(*names: str) -> Element:
    return element(Email.Categories, *(element(Email.Category, name) for name in names))


def texts(children: Iterable[Element]) -> dict[str, str]:
    return {child.tag.name: child.text() for child in children}


def flag_of(data: Element) -> dict[str, str]:
    """The Flag in what a phone was told, by name; {} when it is empty."""
    found = data.find(Email.Flag)
    assert found is not None
    return texts(found)


def categories_of(data: Element) -> list[str]:
    found = data.find(Email.Categories)
    assert found is not None
    return [one.text() for one in found]


def pair(new_phone: MakePhone, dovecot: Dovecot, version: str = "16.1") -> tuple[Phone, Phone, str, str]:
    """Two phones of a user that know one message; both, the folder, the message."""
    phones = [new_phone(version, device=name) for name in ("PHONE1", "PHONE2")]
    dovecot.deliver(phones[0].user, messages.plain("mail 0"))
    [(folder, item)] = {begun(phone) for phone in phones}
    return phones[0], phones[1], folder, item


def begun(phone: Phone) -> tuple[str, str]:
    """The INBOX of a fresh phone and the one message in it."""
    phone.provision()
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    (item,) = phone.sync(folder).added
    return folder, item


def tags_told(served: Served, item: str) -> list[str]:
    """What a phone is told of a message: the names of the properties."""
    assert set(served.changed) == {item}
    return [child.tag.name for child in served.changed[item]]


def store(dovecot: Dovecot, user: str, action: str, *flags: str) -> None:
    """Another mail program sets or clears flags of the first message."""
    with dovecot.imap(user) as imap:
        imap.select("INBOX")
        imap.store("1", f"{action}FLAGS", f"({' '.join(flags)})")


def keywords(dovecot: Dovecot, user: str) -> set[str]:
    """The keywords of the first message."""
    with dovecot.imap(user) as imap:
        imap.select("INBOX")
        [line] = imap.fetch("1", "(FLAGS)")[1]
    assert isinstance(line, bytes)
    words = line.decode().partition("FLAGS (")[2].partition(")")[0].split()
    return {word for word in words if not word.startswith("\\")}


# --- flags -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_another_phone_is_told_all_of_a_flag_once(
    new_phone: MakePhone, dovecot: Dovecot, version: str
) -> None:
    one, two, folder, item = pair(new_phone, dovecot, version)
    assert not one.sync(folder, commands(change(item, flag(*TASK)))).responses
    assert not one.sync(folder).changed
    served = two.sync(folder)
    assert tags_told(served, item) == ["Flag"]
    assert flag_of(served.changed[item]) == texts(TASK)
    assert not two.sync(folder).changed
    moved = flag(element(Email.Status, 2), element(Tasks.Subject, "Answer today"))
    assert not two.sync(folder, commands(change(item, moved))).responses
    served = one.sync(folder)  # the flag upstream is the same: only the gateway knows that it changed
    assert tags_told(served, item) == ["Flag"]
    assert flag_of(served.changed[item]) == {**texts(TASK), "Subject": "Answer today"}
    one.sync(folder, commands(change(item, flag(*COMPLETE))))
    done = {**texts(TASK), "Subject": "Answer today", **texts(COMPLETE)}
    assert flag_of(two.sync(folder).changed[item]) == done
    two.sync(folder, commands(change(item, flag())))
    assert flag_of(one.sync(folder).changed[item]) == {}
    for phone in (one, two):
        assert not phone.sync(folder).changed
        phone.begin(folder)
        assert flag_of(phone.sync(folder).added[item]) == {}


def test_a_new_phone_and_a_fetch_see_it_too(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    one.sync(folder, commands(change(item, flag(*TASK))))
    two.begin(folder)
    assert flag_of(two.sync(folder).added[item]) == texts(TASK)
    assert not two.sync(folder).changed
    (fetched,) = two.sync(folder, commands(fetch(item))).responses
    data = fetched.find(AirSync.ApplicationData)
    assert data is not None
    assert flag_of(data) == texts(TASK)


def test_another_mail_program_has_the_last_word(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    one.sync(folder, commands(change(item, flag(*TASK))))
    two.sync(folder)
    store(dovecot, one.user, "-", "\\Flagged")
    assert flag_of(one.sync(folder).changed[item]) == {}
    store(dovecot, one.user, "+", "\\Flagged")
    assert flag_of(one.sync(folder).changed[item]) == PLAIN
    assert not one.sync(folder).changed
    # The other phone saw neither; to it the flag is as it was, but for the details.
    assert flag_of(two.sync(folder).changed[item]) == PLAIN
    assert not two.sync(folder).changed
    one.sync(folder, commands(change(item, flag(*COMPLETE))))
    store(dovecot, one.user, "+", "\\Flagged")
    assert flag_of(one.sync(folder).changed[item]) == PLAIN
    for phone in (one, two):
        phone.begin(folder)
        assert flag_of(phone.sync(folder).added[item]) == PLAIN


def test_a_flag_is_set_with_its_kind_and_changed_without(phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(phone.user, messages.plain("mail 0"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    (item,) = phone.sync(folder).added
    bare = flag(element(Email.Status, 2), element(Tasks.Subject, "x"))
    served = phone.sync(folder, commands(change(item, bare)))
    assert statuses(served) == [("Change", item, "6")]
    # The phone believes that it is set; it is put right.
    assert flag_of((served if served.changed else phone.sync(folder)).changed[item]) == {}
    assert not phone.sync(folder, commands(change(item, flag(element(Email.Status, 2), KIND)))).responses
    assert not phone.sync(folder, commands(change(item, bare))).responses


def test_a_lost_answer_is_no_second_change(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    two.sync(folder, commands(change(item, flag(element(Email.Status, 2), KIND), categories("a"))))
    key = one.keys[folder]
    sent = commands(change(item, flag(*TASK), categories("Red", "b")))
    first = one.sync(folder, sent, key=key)
    again = one.sync(folder, sent, key=key)
    assert (again.key, again.changed.keys()) == (first.key, first.changed.keys())
    assert not one.sync(folder).changed
    assert flag_of(two.sync(folder).changed[item]) == texts(TASK)
    assert not two.sync(folder).changed
    two.begin(folder)
    assert categories_of(two.sync(folder).added[item]) == ["Red", "b"]


def test_what_others_changed_is_told_again_when_the_answer_was_lost(
    new_phone: MakePhone, dovecot: Dovecot
) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    two.sync(folder, commands(change(item, flag(element(Email.Status, 2), KIND))))
    one.sync(folder)
    two.sync(folder, commands(change(item, flag(*TASK))))
    key = one.keys[folder]
    for _ in range(2):
        assert flag_of(one.sync(folder, key=key).changed[item]) == texts(TASK)
    assert not one.sync(folder).changed


def test_details_wake_phones_that_wait_for_all_changes(dovecot: Dovecot, user: str) -> None:
    sections = {"eas": {"notify_all": True, "heartbeat_min": 1}}
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink, sections=sections) as gateway:
        names = ("PINGS", "SYNCS", "ACTS")
        phones = [Phone(gateway.host, gateway.port, user, dovecot.password, device=name) for name in names]
        dovecot.deliver(user, messages.plain("mail 0"), flags=["\\Flagged"])
        [(folder, item)] = {begun(phone) for phone in phones}
        pings, syncs, acts = phones
        interval = element(AirSync.HeartbeatInterval, 60)
        with ThreadPoolExecutor() as pool:
            pinging = pool.submit(pings.post, "Ping", request(60, named(folder)))
            syncing = pool.submit(syncs.post_sync, syncs.collection(folder), more=[interval])
            own = pool.submit(acts.post, "Ping", request(8, named(folder)))
            eventually(lambda: gateway.metric("eas_requests_held") == 3)
            acts.sync(folder, commands(change(item, flag(element(Email.Status, 2), KIND, TASK[2]))))
            assert ping_news(pinging.result()) == [folder]
            (served,) = collections_of(syncing.result().root)
            assert flag_of(served.changed[item])["Subject"] == TASK[2].text()
            assert told(own.result()) == [("Status", "1")]  # it knows what it did


def test_details_survive_a_kill(dovecot: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as gateway:
        phones = [
            Phone(gateway.host, gateway.port, user, dovecot.password, device=name) for name in ("A", "B")
        ]
        dovecot.deliver(user, messages.plain("mail 0"))
        [(folder, item)] = {begun(phone) for phone in phones}
        key = phones[0].keys[folder]
        sent = commands(change(item, flag(*TASK), categories("Red")))
        phones[0].sync(folder, sent)
        gateway.kill()
        gateway.start()
        assert not phones[0].sync(folder, sent, key=key).changed
        assert not phones[0].sync(folder).changed
        served = phones[1].sync(folder)
        assert flag_of(served.changed[item]) == texts(TASK)
        assert categories_of(served.changed[item]) == ["Red"]
        assert not phones[1].sync(folder).changed


# --- categories ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["14.0", "14.1", "16.0", "16.1"])
def test_categories_go_both_ways(new_phone: MakePhone, dovecot: Dovecot, version: str) -> None:
    one, two, folder, item = pair(new_phone, dovecot, version)
    names = ["Blue Category", "Büro", "Important", "red", "Ü" * 200]
    assert not one.sync(folder, commands(change(item, categories(*reversed(names))))).responses
    assert not one.sync(folder).changed
    assert keywords(dovecot, one.user) == {"cat-^blue_^category-", "cat-^bro-1ra", "$label1", "red"}
    served = two.sync(folder)
    assert tags_told(served, item) == ["Categories"]
    assert categories_of(served.changed[item]) == names
    store(dovecot, one.user, "-", "red")
    store(dovecot, one.user, "+", "Receipts", "$MDNSent", "NonJunk")
    for phone in (one, two):
        served = phone.sync(folder)
        assert tags_told(served, item) == ["Categories"]
        told = ["Blue Category", "Büro", "Important", "Receipts", "Ü" * 200]
        assert categories_of(served.changed[item]) == told
    two.sync(folder, commands(change(item, categories("Receipts", "blue"))))
    assert keywords(dovecot, one.user) == {"Receipts", "blue", "$MDNSent", "NonJunk"}
    assert categories_of(one.sync(folder).changed[item]) == ["Receipts", "blue"]
    one.sync(folder, commands(change(item, categories())))
    assert keywords(dovecot, one.user) == {"$MDNSent", "NonJunk"}
    assert categories_of(two.sync(folder).changed[item]) == []
    for phone in (one, two):
        assert not phone.sync(folder).changed
        phone.begin(folder)
        assert categories_of(phone.sync(folder).added[item]) == []


def test_a_category_stays_when_its_twin_in_another_case_goes(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    for names in (["A", "a"], ["a"], ["A"], ["a"], ["A", "a"], ["A"]):
        assert not one.sync(folder, commands(change(item, categories(*names)))).changed
        assert categories_of(two.sync(folder).changed[item]) == names
        assert not one.sync(folder).changed
    assert keywords(dovecot, one.user) == {"cat-^a-"}


def test_versions_without_categories_are_told_nothing(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot, "12.1")
    store(dovecot, one.user, "+", "Receipts", "\\Seen")
    assert tags_told(one.sync(folder), item) == ["Read"]
    store(dovecot, one.user, "-", "Receipts")
    assert not one.sync(folder).changed
    two.begin(folder)
    assert two.sync(folder).added[item].find(Email.Categories) is None


def test_a_change_without_categories_leaves_them(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    one.sync(folder, commands(change(item, categories("a"))))
    one.sync(folder, commands(change(item, element(Email.Read, 1))))
    served = two.sync(folder)
    assert sorted(tags_told(served, item)) == ["Categories", "Read"]
    assert categories_of(served.changed[item]) == ["a"]


@pytest.mark.parametrize(
    "bad", [[str(number) for number in range(301)], ["x" * 256]], ids=["too many", "too long"]
)
def test_categories_out_of_bounds_are_6(phone: Phone, dovecot: Dovecot, bad: list[str]) -> None:
    dovecot.deliver(phone.user, messages.plain("mail 0"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    (item,) = phone.sync(folder).added
    served = phone.sync(folder, commands(change(item, categories(*bad))))
    assert statuses(served) == [("Change", item, "6")]
    assert keywords(dovecot, phone.user) == set()


def test_the_most_categories_a_message_may_have(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    names = sorted(f"Nummer {number}" for number in range(300))
    assert not one.sync(folder, commands(change(item, categories(*names)))).responses
    assert not one.sync(folder).changed
    assert categories_of(two.sync(folder).changed[item]) == names
    assert not two.sync(folder).changed


def test_a_deleted_message_takes_its_details_with_it(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    one.sync(folder, commands(change(item, flag(*TASK), categories("Ü" * 200))))
    one.sync(folder, element(AirSync.DeletesAsMoves, 0), commands(delete(item)))
    assert two.sync(folder).deleted == [item]
    assert not two.sync(folder).changed


def test_details_follow_a_message_to_the_trash(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    one.sync(folder, commands(change(item, flag(*TASK), categories("Red"))))
    one.sync(folder, element(AirSync.DeletesAsMoves, 1), commands(delete(item)))
    for phone in (one, two):
        trash = phone.folders()["Trash"]
        phone.begin(trash)
        (found,) = phone.sync(trash).added.values()
        assert flag_of(found) == texts(TASK)
        assert categories_of(found) == ["Red"]


@pytest.mark.parametrize("later", [True, False])
def test_details_follow_a_message_that_another_program_moves(
    new_phone: MakePhone, dovecot: Dovecot, *, later: bool
) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    work = ""
    with dovecot.imap(one.user) as imap:
        imap.create("Work")
    for phone in (one, two):
        work = phone.folders()["Work"]
        phone.begin(work)
        phone.sync(work)
    one.sync(folder, commands(change(item, flag(*TASK), categories("Ü" * 200))))
    with dovecot.imap(one.user) as imap:
        imap.select("INBOX")
        imap.copy("1", "Work")
        imap.copy("1", "Work")
        imap.store("1", "+FLAGS", "\\Deleted")
        imap.expunge()
    for phone in (one, two):
        if later:
            assert phone.sync(folder).deleted == [item]
        added = phone.sync(work).added.values()
        # One of the two is the message, the other a copy of which nothing special is known.
        assert sorted(len(categories_of(data)) for data in added) == [0, 1]
        (found,) = [data for data in added if categories_of(data)]
        assert flag_of(found) == texts(TASK)
    assert one.sync(folder).deleted == ([] if later else [item])


def test_details_stay_with_a_message_that_was_copied(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two, folder, item = pair(new_phone, dovecot)
    one.sync(folder, commands(change(item, flag(*TASK), categories("Ü" * 200))))
    with dovecot.imap(one.user) as imap:
        imap.create("Work")
        imap.select("INBOX")
        imap.copy("1", "Work")
    work = one.folders()["Work"]
    one.begin(work)
    (copied,) = one.sync(work).added.values()
    assert categories_of(copied) == []
    assert flag_of(two.sync(folder).changed[item]) == texts(TASK)


def test_details_survive_a_new_uidvalidity(new_phone: MakePhone, dovecot: Dovecot) -> None:
    message = messages.plain("mail 0")
    one, two = new_phone(device="PHONE1"), new_phone(device="PHONE2")
    with dovecot.imap(one.user) as imap:
        imap.create("Work")
    dovecot.deliver(one.user, message, "Work")
    work = item = ""
    for phone in (one, two):
        phone.provision()
        work = phone.folders()["Work"]
        phone.begin(work)
        (item,) = phone.sync(work).added
    one.sync(work, commands(change(item, flag(*TASK))))
    with dovecot.imap(one.user) as imap:
        imap.delete("Work")
        imap.create("Work")
    assert one.sync(work).deleted == [item]
    dovecot.deliver(one.user, message, "Work", flags=["\\Flagged"])
    for phone in (one, two):
        (found,) = phone.sync(work).added.values()
        assert flag_of(found) == texts(TASK)


def test_over_a_poor_server(dovecot_bare: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(dovecot_bare, sink) as gateway:
        phones = [
            Phone(gateway.host, gateway.port, user, dovecot_bare.password, device=name) for name in ("A", "B")
        ]
        dovecot_bare.deliver(user, messages.plain("mail 0"))
        [(folder, item)] = {begun(phone) for phone in phones}
        one, two = phones
        one.sync(folder, commands(change(item, flag(*TASK), categories("Red", "b"))))
        assert not one.sync(folder).changed
        served = two.sync(folder)
        assert flag_of(served.changed[item]) == texts(TASK)
        assert categories_of(served.changed[item]) == ["Red", "b"]
        assert not two.sync(folder).changed
