"""Sync: keys and repeats, empty and partial requests, waiting (MS-ASCMD 2.2.3.181, 3.1.5.3, 2.2.3.197)."""

from __future__ import annotations

import time

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.held import SECONDS, Held
from tests.support.phone import (
    Phone,
    change,
    collections_of,
    commands,
    delete,
    fetch,
    options,
    statuses,
)
from wbxml import Element, element
from wbxml.pages import AirSync, Email

SINCE_12_1 = ["12.1", "14.0", "16.1"]
SINCE_14 = ["14.0", "16.1"]
SOON = 20
"""Seconds, on a busy machine too: less than until mailboxes are polled, or a Sync of a minute ends."""


@pytest.fixture
def later_phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param)
    made.provision()
    return made


def begun(phone: Phone, dovecot: Dovecot, count: int = 1) -> tuple[str, dict[str, str]]:
    """An INBOX with mail that the phone has; its id and the ids of the mail by subject."""
    for number in range(count):
        dovecot.deliver(phone.user, messages.plain(f"mail {number}"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    added = phone.sync(folder).added if count else {}
    return folder, {data.child_text(Email.Subject) or "": name for name, data in added.items()}


def only_status(root: Element) -> list[tuple[str, str]]:
    return [(child.tag.name, child.text()) for child in root]


def read(value: int) -> Element:
    return element(Email.Read, value)


# --- keys ------------------------------------------------------------------------------------------------


def test_a_repeated_key_gets_the_same_answer_and_nothing_is_done_twice(
    each_phone: Phone, dovecot: Dovecot
) -> None:
    folder, ids = begun(each_phone, dovecot, 4)
    with dovecot.imap(each_phone.user) as imap:
        imap.select("INBOX")
        imap.store("4", "+FLAGS", "\\Flagged")
    dovecot.deliver(each_phone.user, messages.plain("new"))
    asked = each_phone.collection(
        folder,
        commands(
            change(ids["mail 0"], read(1)),
            delete(ids["mail 1"]),
            delete("nonsense"),
            fetch(ids["mail 2"]),
        ),
    )
    first = each_phone.post_sync(asked)
    with dovecot.imap(each_phone.user) as imap:
        imap.select("INBOX")
        assert imap.search(None, "SEEN")[1] == [b"1"]
        imap.store("1", "-FLAGS", "\\Seen")  # somebody else, meanwhile
    again = each_phone.post_sync(asked)
    assert again.root == first.root
    (served,) = collections_of(again.root)
    assert statuses(served) == [("Delete", "nonsense", "8"), ("Fetch", ids["mail 2"], "1")]
    with dovecot.imap(each_phone.user) as imap:
        imap.select("INBOX")
        assert imap.search(None, "SEEN")[1] == [b""]
        assert len(imap.search(None, "ALL")[1][0].split()) == 4
        imap.select("Trash")
        assert imap.search(None, "ALL")[1] == [b"1"]
    each_phone.keys[folder] = served.key
    after = each_phone.sync(folder)
    assert {name: data.child_text(Email.Read) for name, data in after.changed.items()} == {ids["mail 0"]: "0"}


def test_a_window_lost_on_the_way_is_sent_again(some_phone: Phone, dovecot: Dovecot) -> None:
    for number in range(5):
        dovecot.deliver(some_phone.user, messages.plain(f"mail {number}"))
    folder = some_phone.folders()["Inbox"]
    some_phone.begin(folder)
    window = element(AirSync.WindowSize, 2)
    asked = some_phone.collection(folder, window)
    first = some_phone.post_sync(asked).root
    dovecot.deliver(some_phone.user, messages.plain("newer"))
    assert some_phone.post_sync(asked).root == first
    (served,) = collections_of(first)
    some_phone.keys[folder] = served.key
    seen = list(served.added)
    while served.more:
        served = some_phone.sync(folder, window)
        seen += served.added
    assert len(seen) == len(set(seen)) == 6


def test_a_key_is_given_up_when_the_next_is_used(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, ids = begun(some_phone, dovecot)
    oldest = some_phone.keys[folder]
    for value in (1, 0):
        some_phone.sync(folder, commands(change(ids["mail 0"], read(value))))
    served = some_phone.sync(folder, key=oldest)
    assert (served.status, served.key) == ("3", "0")


@pytest.mark.parametrize("bad", ["1", "nonsense", "0123456789abcdef.1", "9" * 64])
def test_an_unknown_key_is_3(some_phone: Phone, dovecot: Dovecot, bad: str) -> None:
    folder, ids = begun(some_phone, dovecot)
    served = some_phone.sync(folder, commands(change(ids["mail 0"], read(1))), key=bad)
    assert [child.tag.name for child in served.element][-3:] == ["SyncKey", "CollectionId", "Status"]
    assert (served.status, served.key) == ("3", "0")
    with dovecot.imap(some_phone.user) as imap:
        imap.select("INBOX")
        assert imap.search(None, "SEEN")[1] == [b""]
    assert some_phone.sync(folder).status == "1"  # the key the phone has is still good


def test_keys_of_others_are_3(phone: Phone, new_phone: MakePhone, dovecot: Dovecot) -> None:
    folder, _ = begun(phone, dovecot)
    other = new_phone(device="PHONE2")
    other.provision()
    assert other.folders()["Inbox"] == folder
    assert other.sync(folder, key=phone.keys[folder]).status == "3"  # another device
    sent = phone.folders()["Sent"]
    phone.begin(sent)
    assert phone.sync(sent, key=phone.keys[folder]).status == "3"  # another collection
    stranger = new_phone(device="PHONE1")
    stranger.user = f"{phone.user}-other"
    stranger.provision()
    folder_of_theirs = stranger.folders()["Inbox"]
    stranger.begin(folder_of_theirs)
    assert stranger.sync(folder_of_theirs, key=phone.keys[folder]).status == "3"  # another user


def test_a_fresh_start_keeps_the_ids(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, ids = begun(some_phone, dovecot, 2)
    some_phone.begin(folder)
    assert set(some_phone.sync(folder).added) == set(ids.values())


# --- empty and partial requests --------------------------------------------------------------------------


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_an_empty_request_repeats_the_last_one(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(later_phone, dovecot)
    assert later_phone.post_sync(later_phone.collection(folder)).empty
    assert later_phone.post("Sync").empty
    dovecot.deliver(later_phone.user, messages.plain("new"))
    (served,) = collections_of(later_phone.post("Sync").root)
    assert [data.child_text(Email.Subject) for data in served.added.values()] == ["new"]
    # The answer had a new key: the request stored is no longer what the phone would send.
    assert only_status(later_phone.post("Sync").root) == [("Status", "13")]


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_an_empty_request_without_a_last_one_is_13(later_phone: Phone) -> None:
    assert only_status(later_phone.post("Sync").root) == [("Status", "13")]


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_client_operations_are_not_repeated_by_an_empty_request(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, ids = begun(later_phone, dovecot)
    later_phone.sync(folder, commands(change(ids["mail 0"], read(1))))
    assert later_phone.post_sync(later_phone.collection(folder)).empty
    with dovecot.imap(later_phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "-FLAGS", "\\Seen")
    (served,) = collections_of(later_phone.post("Sync").root)
    assert [data.child_text(Email.Read) for data in served.changed.values()] == ["0"]


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_a_partial_request_takes_the_rest_from_the_last_one(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(later_phone, dovecot)
    sent = later_phone.folders()["Sent"]
    later_phone.begin(sent)
    later_phone.sync(sent)
    both = [later_phone.collection(one) for one in (folder, sent)]
    assert later_phone.post_sync(*both).empty
    dovecot.deliver(later_phone.user, messages.plain("in the inbox"))
    dovecot.deliver(later_phone.user, messages.plain("in sent"), "Sent")
    partial = element(AirSync.Partial)
    root = later_phone.post_sync(later_phone.collection(sent), more=[partial]).root
    subjects = [
        [data.child_text(Email.Subject) for data in served.added.values()] for served in collections_of(root)
    ]
    assert sorted(subjects) == [["in sent"], ["in the inbox"]]


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_a_partial_request_without_a_last_one_is_13(later_phone: Phone) -> None:
    folder = later_phone.folders()["Inbox"]
    root = later_phone.post_sync(later_phone.collection(folder), more=[element(AirSync.Partial)]).root
    assert only_status(root) == [("Status", "13")]


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_partial_alone_is_4(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(later_phone, dovecot)
    assert later_phone.post_sync(later_phone.collection(folder)).empty
    root = later_phone.post("Sync", element(AirSync.Sync, element(AirSync.Partial))).root
    assert only_status(root) == [("Status", "4")]
    assert only_status(later_phone.post("Sync", element(AirSync.Sync)).root) == [("Status", "4")]


@pytest.mark.parametrize("later_phone", SINCE_14, indirect=True)
def test_partial_with_a_heartbeat_is_enough(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(later_phone, dovecot)
    assert later_phone.post_sync(later_phone.collection(folder)).empty
    request = element(AirSync.Sync, element(AirSync.HeartbeatInterval, 1), element(AirSync.Partial))
    assert later_phone.post("Sync", request).empty


# --- waiting ---------------------------------------------------------------------------------------------


def held(phone: Phone, folder: str, seconds: int) -> Held:
    """Sends a Sync that waits, which the gateway holds by now."""
    asked = phone.collection(folder)
    more = [element(AirSync.HeartbeatInterval, seconds)]
    return Held(phone, lambda: phone.post_sync(asked, more=more, seconds=SECONDS))


@pytest.mark.parametrize("later_phone", ["14.0", "16.1"], indirect=True)
def test_a_held_sync_ends_with_new_mail(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(later_phone, dovecot)
    waiting = held(later_phone, folder, 600)
    assert not waiting.answers
    answer = waiting.answer_to(lambda: dovecot.deliver(later_phone.user, messages.plain("pushed")))
    (served,) = collections_of(answer.root)
    assert {data.child_text(Email.Subject) for data in served.added.values()} == {"pushed"}


def test_changes_do_not_end_a_held_sync(phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(phone, dovecot, 2)
    started = time.monotonic()
    waiting = held(phone, folder, 4)
    with dovecot.imap(phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Seen")
        imap.store("2", "+FLAGS", "\\Deleted")
        imap.expunge()
    answer = waiting.answer()
    assert time.monotonic() - started > 2.5
    assert answer.code == 200
    served = phone.sync(folder)
    assert len(served.changed) == len(served.deleted) == 1


def test_time_over_is_an_empty_answer(phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(phone, dovecot)
    started = time.monotonic()
    assert phone.post_sync(phone.collection(folder), more=[element(AirSync.HeartbeatInterval, 2)]).empty
    assert 0.9 < time.monotonic() - started < SOON


def test_a_held_sync_that_wants_no_changes_waits_all_the_same(phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(phone, dovecot)
    dovecot.deliver(phone.user, messages.plain("new"))
    asked = phone.collection(folder, element(AirSync.GetChanges, 0))
    started = time.monotonic()
    assert phone.post_sync(asked, more=[element(AirSync.HeartbeatInterval, 2)]).empty
    assert time.monotonic() - started > 0.9


def test_what_there_is_to_say_is_said_at_once(phone: Phone, dovecot: Dovecot) -> None:
    folder, ids = begun(phone, dovecot)
    wait = [element(AirSync.HeartbeatInterval, 60)]
    started = time.monotonic()
    dovecot.deliver(phone.user, messages.plain("new"))
    (served,) = collections_of(phone.post_sync(phone.collection(folder), more=wait).root)
    phone.keys[folder] = served.key
    assert len(served.added) == 1
    operation = commands(change(ids["mail 0"], read(1)))
    (served,) = collections_of(phone.post_sync(phone.collection(folder, operation), more=wait).root)
    assert served.status == "1"
    collections_of(phone.post_sync(phone.collection(folder, key="0"), more=wait).root)
    assert time.monotonic() - started < SOON


def test_a_newer_sync_ends_a_held_one(phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(phone, dovecot)
    waiting = held(phone, folder, 60)
    assert phone.post_sync(phone.collection(folder)).empty
    assert waiting.answer().empty


@pytest.mark.parametrize(
    ("waiting", "limit"),
    [
        (element(AirSync.Wait, 0), "1"),
        (element(AirSync.Wait, 60), "59"),
        (element(AirSync.HeartbeatInterval, 0), "1"),
        (element(AirSync.HeartbeatInterval, 3541), "3540"),
    ],
    ids=["wait-0", "wait-60", "heartbeat-0", "heartbeat-3541"],
)
@pytest.mark.parametrize("later_phone", SINCE_14, indirect=True)
def test_a_wait_out_of_bounds_is_14(
    later_phone: Phone, dovecot: Dovecot, waiting: Element, limit: str
) -> None:
    folder, _ = begun(later_phone, dovecot)
    root = later_phone.post_sync(later_phone.collection(folder), more=[waiting]).root
    assert only_status(root) == [("Status", "14"), ("Limit", limit)]


@pytest.mark.parametrize("later_phone", SINCE_14, indirect=True)
def test_wait_and_heartbeat_together_are_4(later_phone: Phone, dovecot: Dovecot) -> None:
    folder, _ = begun(later_phone, dovecot)
    both = [element(AirSync.Wait, 1), element(AirSync.HeartbeatInterval, 60)]
    assert only_status(later_phone.post_sync(later_phone.collection(folder), more=both).root) == [
        ("Status", "4")
    ]


@pytest.mark.parametrize("later_phone", SINCE_12_1, indirect=True)
def test_too_many_collections_are_15(later_phone: Phone) -> None:
    many = [later_phone.collection(f"x{number}") for number in range(31)]
    assert only_status(later_phone.post_sync(*many).root) == [("Status", "15"), ("Limit", "30")]


def test_options_hold_until_others_come(phone: Phone, dovecot: Dovecot) -> None:
    folder, ids = begun(phone, dovecot)
    with dovecot.imap(phone.user) as imap:
        imap.append("INBOX", "", '"01-Jan-2020 00:00:00 +0000"', messages.plain("old"))
    assert not phone.sync(folder, options(element(AirSync.FilterType, 1))).added
    assert not phone.sync(folder).added
    assert not phone.sync(folder, commands(change(ids["mail 0"], read(1)))).added
    assert len(phone.sync(folder, options(element(AirSync.Conflict, 1))).added) == 1
