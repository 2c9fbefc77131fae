"""GetItemEstimate: counts what the next Sync would bring (MS-ASCMD 2.2.1.9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Answer, Phone, change, commands
from wbxml import Element, element
from wbxml.pages import AirSync, Email, GetItemEstimate, Tasks


def asked(phone: Phone, folder: str, key: str, *options: Element) -> Element:
    """A Collection in the shape of the phone's version."""
    identity, sync_key = element(GetItemEstimate.CollectionId, folder), element(AirSync.SyncKey, key)
    if phone.number >= 14:
        block = [element(AirSync.Options, *options)] if options else []
        return element(GetItemEstimate.Collection, sync_key, identity, *block)
    filters = [one for one in options if one.tag is AirSync.FilterType] or [element(AirSync.FilterType, 0)]
    kind = element(GetItemEstimate.Class, "Email")
    return element(GetItemEstimate.Collection, kind, identity, *filters, sync_key)


def post(phone: Phone, *collections: Element) -> Answer:
    body = element(GetItemEstimate.GetItemEstimate, element(GetItemEstimate.Collections, *collections))
    return phone.post("GetItemEstimate", body)


def responses(answer: Answer) -> list[tuple[str, str | None]]:
    """Status and estimate of each Response."""
    assert all(one.tag is GetItemEstimate.Response for one in answer.root)
    found: list[tuple[str, str | None]] = []
    for one in answer.root:
        collection = one.find(GetItemEstimate.Collection)
        estimate = collection.child_text(GetItemEstimate.Estimate) if collection else None
        found.append((one.child_text(GetItemEstimate.Status) or "", estimate))
    return found


def filled(phone: Phone, dovecot: Dovecot) -> str:
    now = datetime.now(UTC)
    for days in (0, 5, 20):
        dovecot.deliver(phone.user, messages.plain(f"{days} days"), received=now - timedelta(days=days))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    return folder


def filter_type(value: object) -> Element:
    return element(AirSync.FilterType, str(value))


def test_the_shape_of_a_response(each_phone: Phone, dovecot: Dovecot) -> None:
    folder = filled(each_phone, dovecot)
    answer = post(each_phone, asked(each_phone, folder, each_phone.keys[folder]))
    (response,) = answer.root
    assert [child.tag.name for child in response] == ["Status", "Collection"]
    names = [child.tag.name for child in response.children[1]]
    assert names == (["Class"] if each_phone.number < 14 else []) + ["CollectionId", "Estimate"]
    assert response.children[1].child_text(GetItemEstimate.CollectionId) == folder


def test_it_counts_by_filter_and_does_not_advance(some_phone: Phone, dovecot: Dovecot) -> None:
    folder = filled(some_phone, dovecot)
    key = some_phone.keys[folder]
    for value, expected in ((0, "3"), (1, "1"), (3, "2"), (5, "3")):
        answer = post(some_phone, asked(some_phone, folder, key, filter_type(value)))
        assert responses(answer) == [("1", expected)]
    assert responses(post(some_phone, asked(some_phone, folder, key))) == [("1", "3")]
    assert len(some_phone.sync(folder).added) == 3
    assert responses(post(some_phone, asked(some_phone, folder, some_phone.keys[folder]))) == [("1", "0")]


def test_it_counts_details_that_another_phone_changed(new_phone: MakePhone, dovecot: Dovecot) -> None:
    def remind(phone: Phone, item: str, subject: str) -> None:
        kind, text = element(Email.FlagType, "Follow up"), element(Tasks.Subject, subject)
        flag = element(Email.Flag, element(Email.Status, 2), kind, text)
        phone.sync(folder, commands(change(item, flag)))

    def estimate(phone: Phone) -> list[tuple[str, str | None]]:
        return responses(post(phone, asked(phone, folder, phone.keys[folder])))

    one, two = (new_phone(device=name) for name in ("PHONE1", "PHONE2"))
    dovecot.deliver(one.user, messages.plain())
    for phone in (one, two):
        phone.provision()
    folder = one.folders()["Inbox"]
    for phone in (one, two):
        phone.begin(folder)
    (item,) = one.sync(folder).added
    remind(one, item, "today")
    two.sync(folder)
    assert (estimate(one), estimate(two)) == ([("1", "0")], [("1", "0")])
    remind(one, item, "tomorrow")
    assert (estimate(one), estimate(two)) == ([("1", "0")], [("1", "1")])
    assert two.sync(folder).changed
    assert estimate(two) == [("1", "0")]


def test_each_collection_has_a_status(each_phone: Phone, dovecot: Dovecot) -> None:
    folder = filled(each_phone, dovecot)
    key = each_phone.keys[folder]
    sent = each_phone.folders()["Sent"]
    answer = post(
        each_phone,
        asked(each_phone, folder, key),
        asked(each_phone, "999", key),
        asked(each_phone, sent, "0"),
        asked(each_phone, folder, "nonsense"),
    )
    assert responses(answer) == [("1", "3"), ("2", None), ("3", None), ("4", None)]


@pytest.mark.parametrize("value", [6, 7, 8])
def test_a_filter_of_another_class_is_110(some_phone: Phone, dovecot: Dovecot, value: int) -> None:
    folder = filled(some_phone, dovecot)
    wrong = asked(some_phone, folder, some_phone.keys[folder], filter_type(value))
    answer = post(some_phone, wrong)
    if some_phone.number < 14:
        assert answer.code == 500
        return
    assert [(child.tag.name, child.text()) for child in answer.root] == [("Status", "110")]
    good = asked(some_phone, folder, some_phone.keys[folder])
    assert [status for status, _ in responses(post(some_phone, wrong, good))] == ["110", "1"]


@pytest.mark.parametrize("value", [9, 100, "x"])
def test_a_filter_that_does_not_exist_is_103(some_phone: Phone, dovecot: Dovecot, value: object) -> None:
    folder = filled(some_phone, dovecot)
    answer = post(some_phone, asked(some_phone, folder, some_phone.keys[folder], filter_type(value)))
    if some_phone.number >= 14:
        assert responses(answer) == [("103", None)]
    else:
        assert answer.code == 400


def test_classes_that_do_not_go_together_are_4(phone: Phone, dovecot: Dovecot) -> None:
    folder = filled(phone, dovecot)
    blocks = [element(AirSync.Options, element(AirSync.Class, name)) for name in ("Email", "Calendar")]
    answer = post(
        phone,
        element(
            GetItemEstimate.Collection,
            element(AirSync.SyncKey, phone.keys[folder]),
            element(GetItemEstimate.CollectionId, folder),
            *blocks,
        ),
    )
    assert responses(answer) == [("4", None)]


def test_a_limit_for_another_folder_is_2(phone: Phone, dovecot: Dovecot) -> None:
    folder = filled(phone, dovecot)
    limited = asked(phone, folder, phone.keys[folder], element(AirSync.MaxItems, 5))
    assert responses(post(phone, limited)) == [("2", None)]


def test_too_many_collections_are_103(some_phone: Phone) -> None:
    answer = post(some_phone, *(asked(some_phone, f"x{number}", "1") for number in range(31)))
    if some_phone.number >= 14:
        assert [(child.tag.name, child.text()) for child in answer.root] == [("Status", "103")]
    else:
        assert answer.code == 400
