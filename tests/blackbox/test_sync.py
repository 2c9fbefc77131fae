"""Sync: what the server tells, in windows and by filters; requests out of order (MS-ASCMD 2.2.1.21)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served, body_preference, collections_of, commands, delete, options
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2


def inbox(phone: Phone) -> str:
    return phone.folders()["Inbox"]


def filled(dovecot: Dovecot, phone: Phone, count: int) -> None:
    for number in range(count):
        dovecot.deliver(phone.user, messages.plain(f"mail {number}"))


def subjects(served: Served) -> list[str]:
    return [data.child_text(Email.Subject) or "" for data in served.added.values()]


def window(size: int) -> Element:
    return element(AirSync.WindowSize, size)


def status_of(root: Element) -> str:
    """The Status below Sync, or below its only Collection."""
    status = root.child_text(AirSync.Status)
    if status is not None:
        assert root.find(AirSync.Collections) is None
        return status
    (served,) = collections_of(root)
    return served.status


# --- a collection from its beginning ---------------------------------------------------------------------


def test_key_0_gives_a_key_and_no_items(each_phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, each_phone, 1)
    folder = inbox(each_phone)
    served = each_phone.sync(folder, key="0")
    tags = [child.tag.name for child in served.element]
    assert tags == (["Class"] if each_phone.number < 12.1 else []) + ["SyncKey", "CollectionId", "Status"]
    assert served.key not in {"", "0"}
    assert len(served.key) <= 64
    assert served.element.child_text(AirSync.CollectionId) == folder


def test_the_first_key_brings_the_mail(each_phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(each_phone.user, messages.plain("greeting", "hello\n"))
    folder = inbox(each_phone)
    each_phone.begin(folder)
    served = each_phone.sync(folder, options(body_preference(1)))
    assert not served.more
    assert not served.responses
    assert served.element.find(AirSync.Responses) is None
    ((name, data),) = served.added.items()
    assert len(name) <= 64
    assert data.child_text(Email.Subject) == "greeting"
    assert data.child_text(Email.To) == '"Ben Okafor" <ben@example.test>'
    assert data.child_text(Email.From) == '"Ann Archer" <ann@example.test>'
    assert data.child_text(Email.Read) == "0"
    assert data.child_text(Email.Importance) == "1"
    assert data.child_text(Email.MessageClass) == "IPM.Note"
    assert data.child_text(Email.InternetCPID) == "65001"
    assert data.child_text(Email.ContentClass) == "urn:content-classes:message"
    assert data.child_text(Email.Flag) == ""
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert [child.tag.name for child in body] == ["Type", "EstimatedDataSize", "Data"]
    assert (data.find(Email2.ConversationId) is not None) == (each_phone.number >= 14)
    assert (data.find(Email2.ConversationIndex) is not None) == (each_phone.number >= 14)
    assert (data.find(Email.Categories) is not None) == (each_phone.number >= 14)
    assert data.child_text(Email2.IsDraft) == ("0" if each_phone.number >= 16 else None)


def test_nothing_new_is_an_empty_answer(each_phone: Phone) -> None:
    folder = inbox(each_phone)
    each_phone.begin(folder)
    each_phone.sync(folder)
    answer = each_phone.post_sync(each_phone.collection(folder))
    if each_phone.number >= 12.1:
        assert answer.empty
    else:
        (served,) = collections_of(answer.root)
        assert (served.status, served.key) == ("1", each_phone.keys[folder])


@pytest.mark.parametrize("folder", ["no-such-folder", "999", "0", "../1"])
def test_an_unknown_collection_is_12(some_phone: Phone, folder: str) -> None:
    inbox(some_phone)
    served = some_phone.sync(folder, key="0")
    assert (served.status, served.key) == ("12", "0")


# --- windows ---------------------------------------------------------------------------------------------


def test_windows_bring_everything_once(each_phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, each_phone, 7)
    folder = inbox(each_phone)
    each_phone.begin(folder)
    seen: list[str] = []
    keys: list[str] = []
    for expected, more in ((3, True), (3, True), (1, False)):
        served = each_phone.sync(folder, window(3))
        assert (len(served.added), served.more) == (expected, more)
        assert served.key not in keys
        if more:
            assert served.element.child_text(AirSync.MoreAvailable) == ""
        seen += subjects(served)
        keys.append(served.key)
    assert seen == [f"mail {number}" for number in reversed(range(7))]


@pytest.mark.parametrize("size", [0, 513, 100000])
def test_a_window_out_of_bounds_means_512(phone: Phone, dovecot: Dovecot, size: int) -> None:
    with dovecot.imap(phone.user) as imap:
        for number in range(120):
            imap.append("INBOX", "", "", messages.plain(f"mail {number}"))
    folder = inbox(phone)
    phone.begin(folder)
    served = phone.sync(folder, window(size))
    assert (len(served.added), served.more) == (120, False)


def test_without_a_window_100_come(phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(phone.user) as imap:
        for number in range(101):
            imap.append("INBOX", "", "", messages.plain(f"mail {number}"))
    folder = inbox(phone)
    phone.begin(folder)
    served = phone.sync(folder)
    assert (len(served.added), served.more) == (100, True)
    served = phone.sync(folder)
    assert (len(served.added), served.more) == (1, False)


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_a_global_window_holds_for_all_collections(
    new_phone: MakePhone, dovecot: Dovecot, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    filled(dovecot, phone, 4)
    folders = phone.folders()
    for number in range(4):
        dovecot.deliver(phone.user, messages.plain(f"sent {number}"), "Sent")
    two = (folders["Inbox"], folders["Sent"])
    for folder in two:
        phone.begin(folder)
    found: list[str] = []
    for _ in range(5):
        answer = phone.post_sync(*(phone.collection(folder) for folder in two), more=[window(3)])
        if not answer.body:
            break
        served = collections_of(answer.root)
        assert sum(len(one.added) for one in served) <= 3
        more = any(one.more for one in served)
        for one in served:
            phone.keys[one.element.child_text(AirSync.CollectionId) or ""] = one.key
            found += subjects(one)
        if not more:
            break
    assert sorted(found) == [f"mail {n}" for n in range(4)] + [f"sent {n}" for n in range(4)]


# --- filters ---------------------------------------------------------------------------------------------


def test_a_filter_limits_what_is_sent_and_a_new_one_takes_effect(each_phone: Phone, dovecot: Dovecot) -> None:
    now = datetime.now(UTC)
    for days in (0, 5, 20):
        dovecot.deliver(each_phone.user, messages.plain(f"{days} days"), received=now - timedelta(days=days))
    folder = inbox(each_phone)
    each_phone.begin(folder)
    week = options(element(AirSync.FilterType, 3))
    first = each_phone.sync(folder, week)
    assert sorted(subjects(first)) == ["0 days", "5 days"]
    assert each_phone.sync(folder).added == {}  # the filter holds without being repeated
    wider = each_phone.sync(folder, options(element(AirSync.FilterType, 5)))
    assert subjects(wider) == ["20 days"]
    narrow = each_phone.sync(folder, options(element(AirSync.FilterType, 1)))
    assert sorted(narrow.soft_deleted) == sorted(
        [first.named(Email.Subject, "5 days"), wider.named(Email.Subject, "20 days")]
    )
    assert not narrow.deleted
    everything = each_phone.sync(folder, options())  # an empty element means the defaults
    assert sorted(subjects(everything)) == ["20 days", "5 days"]


@pytest.mark.parametrize("value", ["6", "7", "8", "9", "x"])
def test_a_filter_mail_does_not_have_is_4(some_phone: Phone, value: str) -> None:
    folder = inbox(some_phone)
    some_phone.begin(folder)
    bad = options(element(AirSync.FilterType, value))
    root = some_phone.post_sync(some_phone.collection(folder, bad)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "4")]
    assert some_phone.sync(folder).status == "1"


def test_collections_without_a_collection_are_4(each_phone: Phone) -> None:
    assert status_of(each_phone.post_sync().root) == "4"


def test_mail_has_no_most_items(new_phone: MakePhone) -> None:
    phone = new_phone("14.0")
    phone.provision()
    folder = inbox(phone)
    phone.begin(folder)
    assert phone.sync(folder, options(element(AirSync.MaxItems, 5))).status == "4"


def test_who_wants_no_changes_gets_none_with_an_old_key_either(each_phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, each_phone, 1)
    folder = inbox(each_phone)
    each_phone.begin(folder)
    first = each_phone.keys[folder]
    assert len(each_phone.sync(folder).added) == 1
    none = each_phone.collection(folder, element(AirSync.GetChanges, 0), key=first)
    answer = each_phone.post_sync(none)
    if each_phone.number >= 12.1:
        assert answer.empty
    else:
        (served,) = collections_of(answer.root)
        assert (served.status, served.key, served.added) == ("1", first, {})
    assert len(each_phone.sync(folder, key=first).added) == 1  # it is as good as before


def test_options_that_make_no_sense_concern_their_collection_alone(
    some_phone: Phone, dovecot: Dovecot
) -> None:
    filled(dovecot, some_phone, 1)
    folders = some_phone.folders()
    for name in ("Inbox", "Trash"):
        some_phone.begin(folders[name])
    bad = options(element(AirSync.FilterType, 6))
    asked = [some_phone.collection(folders["Trash"], bad), some_phone.collection(folders["Inbox"])]
    trash, told = collections_of(some_phone.post_sync(*asked).root)
    assert (trash.status, told.status, len(told.added)) == ("4", "1", 1)


# --- changes made elsewhere ------------------------------------------------------------------------------


def test_changes_of_another_client_arrive(each_phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, each_phone, 4)
    folder = inbox(each_phone)
    each_phone.begin(folder)
    first = each_phone.sync(folder)
    ids = {data.child_text(Email.Subject): name for name, data in first.added.items()}
    with dovecot.imap(each_phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Seen")
        imap.store("2", "+FLAGS", "\\Flagged")
        imap.store("3", "+FLAGS", "(\\Seen \\Flagged)")
        imap.store("4", "+FLAGS", "\\Deleted")
        imap.expunge()
    dovecot.deliver(each_phone.user, messages.plain("new"))
    served = each_phone.sync(folder)
    shown = {
        name: [(child.tag.name, child.text() or len(child)) for child in data]
        for name, data in served.changed.items()
    }
    assert shown == {
        ids["mail 0"]: [("Read", "1")],
        ids["mail 1"]: [("Flag", 3)],
        ids["mail 2"]: [("Read", "1"), ("Flag", 3)],
    }
    assert served.deleted == [ids["mail 3"]]
    assert subjects(served) == ["new"]
    with dovecot.imap(each_phone.user) as imap:
        imap.select("INBOX")
        imap.store("2,3", "-FLAGS", "\\Flagged")
    cleared = each_phone.sync(folder)
    assert [[child.tag.name for child in data] for data in cleared.changed.values()] == [["Flag"]] * 2
    assert all(data.child_text(Email.Flag) == "" for data in cleared.changed.values())


def test_changes_outside_the_class_are_not_told(phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, phone, 1)
    folder = inbox(phone)
    phone.begin(folder)
    phone.sync(folder)
    with dovecot.imap(phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "($Something)")
    assert phone.post_sync(phone.collection(folder)).empty


def test_a_new_uidvalidity_replaces_everything(dovecots: Callable[[Options], Dovecot], user: str) -> None:
    dovecot = dovecots(Options(filed_by="id"))
    with dovecot.imap(user) as imap:
        imap.create("Work")
    dovecot.deliver(user, messages.plain("before"), "Work")
    with SmtpSink() as sink, Gateway(dovecot, sink) as gateway:
        phones: list[tuple[Phone, Served]] = []
        for version in ("12.1", "14.0", "16.1"):
            device = f"PHONE{version}"
            phone = Phone(gateway.host, gateway.port, user, dovecot.password, version=version, device=device)
            phone.provision()
            phone.begin(phone.folders()["Work"])
            phones.append((phone, phone.sync(phone.folders()["Work"])))
        with dovecot.imap(user) as imap:
            imap.delete("Work")
            imap.create("Work")
        dovecot.deliver(user, messages.plain("after"), "Work")
        for phone, before in phones:
            after = phone.sync(phone.folders()["Work"])
            assert after.status == "1"
            assert after.deleted == list(before.added)
            assert subjects(after) == ["after"]
            assert not set(after.added) & set(before.added)


def test_a_folder_that_went_away_is_12(some_phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(some_phone.user) as imap:
        imap.create("Work")
    folder = some_phone.folders()["Work"]
    some_phone.begin(folder)
    with dovecot.imap(some_phone.user) as imap:
        imap.delete("Work")
    assert some_phone.sync(folder).status == "12"


def test_a_message_that_vanishes_unseen_is_never_told(phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, phone, 2)
    folder = inbox(phone)
    phone.begin(folder)
    with dovecot.imap(phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Deleted")
        imap.expunge()
    served = phone.sync(folder)
    assert subjects(served) == ["mail 1"]
    assert not served.deleted


# --- requests that are not in order ----------------------------------------------------------------------


def test_children_in_another_order_are_4(some_phone: Phone) -> None:
    folder = inbox(some_phone)
    some_phone.begin(folder)
    wrong = some_phone.collection(folder, options(), element(AirSync.GetChanges, 1))
    assert status_of(some_phone.post_sync(wrong).root) == "4"
    key_last = element(AirSync.Collection, element(AirSync.CollectionId, folder), element(AirSync.SyncKey, 0))
    assert status_of(some_phone.post_sync(key_last).root) == "4"


@pytest.mark.parametrize("missing", ["SyncKey", "CollectionId"])
def test_a_collection_without_key_or_id_is_4(some_phone: Phone, missing: str) -> None:
    whole = some_phone.collection(inbox(some_phone))
    rest = [child for child in whole if child.tag.name != missing]
    assert status_of(some_phone.post_sync(element(AirSync.Collection, *rest)).root) == "4"


@pytest.mark.parametrize("value", ["1", ""])
def test_changes_with_key_0_are_4(some_phone: Phone, value: str) -> None:
    asked = some_phone.collection(inbox(some_phone), element(AirSync.GetChanges, value), key="0")
    assert status_of(some_phone.post_sync(asked).root) == "4"


def test_key_0_may_say_that_it_wants_no_changes(some_phone: Phone) -> None:
    assert some_phone.sync(inbox(some_phone), element(AirSync.GetChanges, 0), key="0").status == "1"


def test_commands_with_key_0_are_passed_over(some_phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, some_phone, 1)
    folder = inbox(some_phone)
    some_phone.begin(folder)
    (name,) = some_phone.sync(folder).added
    served = some_phone.sync(folder, commands(delete(name)), key="0")
    assert served.status == "1"
    assert not served.responses
    with dovecot.imap(some_phone.user) as imap:
        imap.select("INBOX")
        assert imap.search(None, "ALL")[1] == [b"1"]


def test_no_changes_wanted_leaves_them_for_later(some_phone: Phone, dovecot: Dovecot) -> None:
    folder = inbox(some_phone)
    some_phone.begin(folder)
    some_phone.sync(folder)
    filled(dovecot, some_phone, 1)
    assert some_phone.sync(folder, element(AirSync.GetChanges, 0)).added == {}
    assert subjects(some_phone.sync(folder)) == ["mail 0"]


def test_one_collection_twice_is_4(some_phone: Phone) -> None:
    folder = inbox(some_phone)
    asked = some_phone.collection(folder)
    assert status_of(some_phone.post_sync(asked, asked).root) == "4"


@pytest.mark.parametrize(
    "wrong",
    [
        options(body_preference(1), body_preference(1)),
        options(element(AirSyncBase.BodyPreference, element(AirSyncBase.TruncationSize, 5))),
        options(
            element(
                AirSyncBase.BodyPreference,
                element(AirSyncBase.TruncationSize, 5),
                element(AirSyncBase.Type, 1),
            )
        ),
    ],
)
def test_body_preferences_out_of_order_are_4(some_phone: Phone, wrong: Element) -> None:
    folder = inbox(some_phone)
    some_phone.begin(folder)
    assert status_of(some_phone.post_sync(some_phone.collection(folder, wrong)).root) == "4"


@pytest.mark.parametrize("classes", [("Email", "Email"), ("Email", "Calendar"), ("Calendar",)])
@pytest.mark.parametrize("version", ["14.0", "16.1"])
def test_options_for_classes_that_do_not_go_together_are_4(
    new_phone: MakePhone, version: str, classes: tuple[str, ...]
) -> None:
    phone = new_phone(version)
    phone.provision()
    folder = inbox(phone)
    phone.begin(folder)
    blocks = [options(element(AirSync.Class, name)) for name in classes]
    assert status_of(phone.post_sync(phone.collection(folder, *blocks)).root) == "4"


def test_options_for_mail_and_sms_go_together(phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, phone, 1)
    folder = inbox(phone)
    phone.begin(folder)
    both = [options(element(AirSync.Class, name), body_preference(1)) for name in ("Email", "SMS")]
    assert subjects(phone.sync(folder, *both)) == ["mail 0"]


def test_conversations_are_no_error(phone: Phone, dovecot: Dovecot) -> None:
    filled(dovecot, phone, 1)
    folder = inbox(phone)
    phone.begin(folder)
    assert subjects(phone.sync(folder, element(AirSync.ConversationMode, 1))) == ["mail 0"]
