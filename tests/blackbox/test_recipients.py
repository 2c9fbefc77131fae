"""The recipient information cache: whom a user writes to, his phones know since 14.0 (MS-ASCMD 2.2.3.95)."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, Served, add, commands, options
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    ComposeMail,
    Contacts,
    FolderHierarchy,
    GetItemEstimate,
    ItemOperations,
    Ping,
)

CACHE = "RI"
SOON = 20.0
"""Seconds within which a message that was sent has to be noted, on a busy machine."""


@pytest.fixture(params=["14.0", "16.1"])
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param)
    made.provision()
    return made


def rows(phone: Phone) -> dict[str, str]:
    """The types of folders by id."""
    changes = phone.folder_sync().find(FolderHierarchy.Changes)
    assert changes is not None
    return {
        row.child_text(FolderHierarchy.ServerId) or "": row.child_text(FolderHierarchy.Type) or ""
        for row in changes.findall(FolderHierarchy.Add)
    }


def send(phone: Phone, to: str, *, cc: str = "") -> None:
    mime = f"From: {phone.user}@example.test\r\nTo: {to}\r\nCc: {cc}\r\nSubject: x\r\n\r\nhello\r\n"
    mime += f"{time.monotonic_ns()}\r\n"
    if not cc:
        mime = mime.replace("Cc: \r\n", "")
    request = element(
        ComposeMail.SendMail,
        element(ComposeMail.ClientId, str(time.monotonic_ns())),
        element(ComposeMail.Mime, mime.encode()),
    )
    assert phone.post("SendMail", request).empty


def people(served: Served) -> dict[str, tuple[str, str, str]]:
    """FileAs, Alias and WeightedRank by address; there is nothing else."""
    found: dict[str, tuple[str, str, str]] = {}
    for data in served.added.values():
        known: Mapping[object, str] = {one.tag: one.text() for one in data}
        address = known[Contacts.Email1Address]
        found[address] = (known[Contacts.FileAs], known[Contacts.Alias], known[Contacts.WeightedRank])
        assert len(known) == 4
    return found


def begun(phone: Phone, *more: Element) -> None:
    assert rows(phone)[CACHE] == "19"
    phone.begin(CACHE, *more)


def noted(phone: Phone, count: int, *more: Element) -> dict[str, tuple[str, str, str]]:
    """What a phone that begins anew is told once so many are known: they are noted beside the request."""
    deadline = time.monotonic() + SOON
    while True:
        phone.begin(CACHE, *more)
        told = people(phone.sync(CACHE))
        if len(told) == count:
            return told
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_whom_a_user_writes_to(phone: Phone, sink: SmtpSink, new_phone: MakePhone) -> None:
    begun(phone)
    assert not phone.sync(CACHE).added
    assert sink is not None
    send(phone, '"Bob B." <bob@example.test>, cid@example.test', cc=f"{phone.user}@example.test")
    assert noted(phone, 2) == {
        "bob@example.test": ("Bob B.", "bob", "1"),
        "cid@example.test": ("cid@example.test", "cid", "1"),
    }
    # Again on the same day: nothing new. A name that was not known is.
    other = new_phone("14.1", device="PHONE2")
    other.provision()
    begun(other)
    other.sync(CACHE)
    send(phone, "Cid <cid@example.test>, dan@example.test")
    assert noted(phone, 3)["cid@example.test"] == ("Cid", "cid", "1")
    served = other.sync(CACHE)
    assert not served.changed
    assert sorted(people(served)) == ["cid@example.test", "dan@example.test"]
    assert len(served.deleted) == 1
    assert served.deleted[0] in served.added
    # They are nobody's contacts.
    contacts = phone.folders()["Contacts"]
    phone.begin(contacts)
    assert not phone.sync(contacts).added


def test_as_many_as_a_phone_wants(phone: Phone) -> None:
    begun(phone)
    for name in ("one", "two", "three"):
        send(phone, f"{name}@example.test")
        noted(phone, ("one", "two", "three").index(name) + 1)
    limit = options(element(AirSync.MaxItems, 2), element(AirSync.MaxItems, 3))  # the first counts
    phone.begin(CACHE)
    assert sorted(people(phone.sync(CACHE, limit))) == ["three@example.test", "two@example.test"]
    assert estimate(phone) == ("1", "0")
    assert not phone.sync(CACHE).soft_deleted


def estimate(phone: Phone) -> tuple[str | None, str | None]:
    asked = element(
        GetItemEstimate.Collection,
        element(AirSync.SyncKey, phone.keys[CACHE]),
        element(GetItemEstimate.CollectionId, CACHE),
        options(element(AirSync.MaxItems, 2)),
    )
    request = element(GetItemEstimate.GetItemEstimate, element(GetItemEstimate.Collections, asked))
    (response,) = phone.post("GetItemEstimate", request).root.findall(GetItemEstimate.Response)
    told = response.find(GetItemEstimate.Collection)
    return (
        response.child_text(GetItemEstimate.Status),
        told.child_text(GetItemEstimate.Estimate) if told is not None else None,
    )


def test_a_ping_ends_when_somebody_is_new(phone: Phone) -> None:
    begun(phone)
    phone.sync(CACHE)
    folder = element(Ping.Folder, element(Ping.Id, CACHE), element(Ping.Class, "Contacts"))
    asked = element(Ping.Ping, element(Ping.HeartbeatInterval, 25), element(Ping.Folders, folder))
    answers: list[Element] = []
    waiting = threading.Thread(target=lambda: answers.append(phone.post("Ping", asked, seconds=40).root))
    waiting.start()
    send(phone, "bob@example.test")
    waiting.join(40)
    (root,) = answers
    assert root.child_text(Ping.Status) == "2"
    told = root.find(Ping.Folders)
    assert told is not None
    assert [one.text() for one in told] == [CACHE]


def test_phones_write_nothing_into_it(phone: Phone) -> None:
    begun(phone)
    phone.sync(CACHE)
    asked = commands(add("c1", element(Contacts.Email1Address, "eve@example.test")))
    root = phone.post_sync(phone.collection(CACHE, asked)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "4")]
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey)
    for command, more, status in (
        ("FolderDelete", [], "3"),
        (
            "FolderUpdate",
            [element(FolderHierarchy.ParentId, "0"), element(FolderHierarchy.DisplayName, "x")],
            "2",
        ),
    ):
        request = element(
            getattr(FolderHierarchy, command),
            element(FolderHierarchy.SyncKey, key),
            element(FolderHierarchy.ServerId, CACHE),
            *more,
        )
        root = phone.post(command, request).root
        assert root.child_text(FolderHierarchy.Status) in {"3", status}
    request = element(
        FolderHierarchy.FolderCreate,
        element(FolderHierarchy.SyncKey, key),
        element(FolderHierarchy.ParentId, "0"),
        element(FolderHierarchy.DisplayName, "second"),
        element(FolderHierarchy.Type, 19),
    )
    assert phone.post("FolderCreate", request).root.child_text(FolderHierarchy.Status) != "1"
    empty = element(ItemOperations.EmptyFolderContents, element(AirSync.CollectionId, CACHE))
    root = phone.post("ItemOperations", element(ItemOperations.ItemOperations, empty)).root
    (response,) = [one for one in root.iter() if one.tag is ItemOperations.EmptyFolderContents]
    assert response.child_text(ItemOperations.Status) != "1"


def test_older_phones_do_not_know_it(new_phone: MakePhone) -> None:
    new = new_phone("14.0", device="PHONE2")
    new.provision()
    begun(new)
    old = new_phone("12.1")
    old.provision()
    assert "19" not in rows(old).values()
    old.classes[CACHE] = "Contacts"
    assert old.sync(CACHE, key="0").status != "1"


def test_where_it_is_off_nothing_is_noted(dovecot: Dovecot, sink: SmtpSink, user: str) -> None:
    with Gateway(dovecot, sink, sections={"eas": {"recipients": False}}) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        assert "19" not in rows(phone).values()
        send(phone, "bob@example.test")
        assert "19" not in rows(phone).values()
        assert phone.sync(CACHE, key="0").status != "1"
