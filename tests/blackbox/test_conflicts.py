"""Sync: what both sides changed, and operations on what the phone does not have (MS-ASCMD 2.2.3.34)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, change, commands, delete, options, statuses
from wbxml import element
from wbxml.pages import AirSync, Email

POLICIES = pytest.mark.parametrize("policy", [None, "0", "1"])


def begun(phone: Phone, dovecot: Dovecot, policy: str | None) -> tuple[str, str]:
    """An INBOX with a message that the phone has, and how it wants conflicts settled."""
    dovecot.deliver(phone.user, messages.plain("one"))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    children = [] if policy is None else [element(AirSync.Conflict, policy)]
    (name,) = phone.sync(folder, options(*children)).added
    return folder, name


def flags(dovecot: Dovecot, user: str) -> set[str]:
    with dovecot.imap(user) as client:
        client.select("INBOX", readonly=True)
        (answer,) = client.fetch("1", "(FLAGS)")[1]
    assert isinstance(answer, bytes)
    return set(answer.decode().partition("FLAGS (")[2].rstrip(")").split()) - {"\\Recent"}


def store(dovecot: Dovecot, user: str, how: str, flag: str) -> None:
    with dovecot.imap(user) as client:
        client.select("INBOX")
        client.store("1", f"{how}FLAGS", f"({flag})")


@POLICIES
def test_read_on_both_sides_is_the_same_and_no_conflict(
    some_phone: Phone, dovecot: Dovecot, policy: str | None
) -> None:
    folder, name = begun(some_phone, dovecot, policy)
    store(dovecot, some_phone.user, "+", "\\Seen")
    served = some_phone.sync(folder, commands(change(name, element(Email.Read, 1))))
    assert (served.responses, served.changed) == ([], {})
    assert flags(dovecot, some_phone.user) == {"\\Seen"}
    assert not some_phone.sync(folder).changed


@POLICIES
def test_different_marks_on_both_sides_are_both_kept(
    some_phone: Phone, dovecot: Dovecot, policy: str | None
) -> None:
    folder, name = begun(some_phone, dovecot, policy)
    store(dovecot, some_phone.user, "+", "\\Flagged")
    served = some_phone.sync(folder, commands(change(name, element(Email.Read, 1))))
    assert served.responses == []
    assert flags(dovecot, some_phone.user) == {"\\Seen", "\\Flagged"}
    assert list(served.changed) == [name], "the other side's mark"
    assert served.changed[name].find(Email.Flag) is not None


@POLICIES
def test_a_mark_restated_is_the_last_word(some_phone: Phone, dovecot: Dovecot, policy: str | None) -> None:
    folder, name = begun(some_phone, dovecot, policy)
    store(dovecot, some_phone.user, "+", "\\Seen")
    served = some_phone.sync(folder, commands(change(name, element(Email.Read, 0))))
    assert served.responses == []
    assert flags(dovecot, some_phone.user) == set()
    assert not some_phone.sync(folder).changed


@POLICIES
def test_a_change_of_what_is_deleted_is_8_and_the_deletion_is_told(
    some_phone: Phone, dovecot: Dovecot, policy: str | None
) -> None:
    folder, name = begun(some_phone, dovecot, policy)
    store(dovecot, some_phone.user, "+", "\\Deleted")
    with dovecot.imap(some_phone.user) as client:
        client.select("INBOX")
        client.expunge()
    served = some_phone.sync(folder, commands(change(name, element(Email.Read, 1))))
    assert statuses(served) == [("Change", name, "8")]
    assert served.deleted == [name]


@POLICIES
def test_a_deletion_wins_over_a_change_on_the_server(
    some_phone: Phone, dovecot: Dovecot, policy: str | None
) -> None:
    folder, name = begun(some_phone, dovecot, policy)
    store(dovecot, some_phone.user, "+", "\\Flagged")
    served = some_phone.sync(folder, commands(delete(name)))
    assert (served.responses, served.changed, served.added) == ([], {}, {})
    with dovecot.imap(some_phone.user) as client:
        assert client.select("INBOX")[1] == [b"0"]


@pytest.mark.parametrize("value", ["2", "x", "-1"])
def test_another_policy_is_4(some_phone: Phone, dovecot: Dovecot, value: str) -> None:
    folder, _ = begun(some_phone, dovecot, None)
    assert some_phone.sync(folder, options(element(AirSync.Conflict, value))).status == "4"


def test_what_is_outside_the_window_is_changed_alone_and_not_told(
    some_phone: Phone, dovecot: Dovecot
) -> None:
    folder, new = begun(some_phone, dovecot, None)
    old = datetime.now(UTC) - timedelta(days=60)
    with dovecot.imap(some_phone.user) as client:
        client.append("INBOX", "", f'"{old:%d-%b-%Y %H:%M:%S} +0000"', messages.plain("old"))
    (name,) = some_phone.sync(folder).added
    narrow = options(element(AirSync.FilterType, 3))
    gone = some_phone.sync(folder, narrow)
    assert gone.element.find(AirSync.Commands) is not None
    mark = element(Email.Read, 1)
    served = some_phone.sync(folder, commands(change(name, mark), change("1:x.99", mark), change(new, mark)))
    assert statuses(served) == [("Change", "1:x.99", "8")], "for that item alone"
    assert (served.added, served.changed) == ({}, {})
    with dovecot.imap(some_phone.user) as client:
        client.select("INBOX")
        assert client.search(None, "SEEN")[1] == [b"1 2"]


@pytest.mark.parametrize("ahead", [1, 2, 1000])
def test_a_key_not_given_out_yet_is_3_for_that_collection_alone(
    some_phone: Phone, dovecot: Dovecot, ahead: int
) -> None:
    folder, name = begun(some_phone, dovecot, None)
    trash = some_phone.folders()["Trash"]
    some_phone.begin(trash)
    epoch, _, number = some_phone.keys[folder].partition(".")
    future = f"{epoch}.{int(number) + ahead}"
    answer = some_phone.post_sync(
        some_phone.collection(folder, commands(delete(name)), key=future), some_phone.collection(trash)
    )
    collections = answer.root.children[0].findall(AirSync.Collection)
    told = {one.child_text(AirSync.CollectionId): one.child_text(AirSync.Status) for one in collections}
    assert told[folder] == "3"
    assert told.get(trash, "1") == "1"
    assert some_phone.sync(folder).status == "1", "the key it has is still good"
    with dovecot.imap(some_phone.user) as client:
        assert client.select("INBOX")[1] == [b"1"]
