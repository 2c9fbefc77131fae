"""Conversations: the same for every phone and folder, and in the window of a filter as a whole (MS-ASCON)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.blackbox.conftest import MakePhone
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, Served, body_preference, options
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2, GetItemEstimate

OLD, NEW = timedelta(days=20), timedelta(hours=2)
WEEK = element(AirSync.FilterType, 3)
WHOLE, APART = element(AirSync.ConversationMode, 1), element(AirSync.ConversationMode, 0)


def deliver(
    dovecot: Dovecot, user: str, name: str, age: timedelta, *references: str, mailbox: str = "INBOX"
) -> None:
    """A message of this name, which is its Subject, in answer to others."""
    chain = " ".join(f"<{one}@example.test>" for one in references)
    fields = [
        "From: a@example.test",
        f"Message-ID: <{name}@example.test>",
        f"Subject: {'Re: ' if references else ''}{name}",
        *([f"References: {chain}"] if references else []),
    ]
    message = "\r\n".join([*fields, "", "hello", ""]).encode()
    dovecot.deliver(user, message, mailbox, received=datetime.now(UTC) - age)


def mailbox_of(dovecot: Dovecot, user: str) -> None:
    """A long conversation, one that is over, and a message alone."""
    deliver(dovecot, user, "begin", OLD)
    deliver(dovecot, user, "over", OLD)
    deliver(dovecot, user, "over2", OLD, "over")
    deliver(dovecot, user, "middle", OLD, "begin")
    deliver(dovecot, user, "alone", NEW)
    deliver(dovecot, user, "end", NEW, "begin", "middle")


def subjects(served: Served) -> list[str]:
    return sorted((one.child_text(Email.Subject) or "").removeprefix("Re: ") for one in served.added.values())


def names(phone: Phone, folder: str, *asked: Element) -> dict[str, str]:
    """ServerIds by subject of all the phone is sent."""
    phone.begin(folder)
    added = phone.sync(folder, *asked).added
    return {(data.child_text(Email.Subject) or "").removeprefix("Re: "): item for item, data in added.items()}


def estimate(phone: Phone, folder: str, *mode: Element) -> str | None:
    asked = element(
        GetItemEstimate.GetItemEstimate,
        element(
            GetItemEstimate.Collections,
            element(
                GetItemEstimate.Collection,
                element(AirSync.SyncKey, phone.keys[folder]),
                element(GetItemEstimate.CollectionId, folder),
                *mode,
                element(AirSync.Options, WEEK),
            ),
        ),
    )
    root = phone.post("GetItemEstimate", asked).root
    return next((one.text() for one in root.iter() if one.tag is GetItemEstimate.Estimate), None)


def test_a_conversation_is_in_the_window_as_a_whole(phone: Phone, dovecot: Dovecot) -> None:
    mailbox_of(dovecot, phone.user)
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    assert (estimate(phone, folder), estimate(phone, folder, WHOLE)) == ("2", "4")
    served = phone.sync(folder, WHOLE, options(WEEK))
    assert subjects(served) == ["alone", "begin", "end", "middle"]
    assert not phone.sync(folder, WHOLE).added
    deliver(dovecot, phone.user, "again", NEW, "over")
    assert subjects(phone.sync(folder, element(AirSync.ConversationMode))) == ["again", "over", "over2"]
    assert not phone.sync(folder, WHOLE).added


def test_of_what_is_there_for_its_conversation_alone_no_body_is_given(phone: Phone, dovecot: Dovecot) -> None:
    mailbox_of(dovecot, phone.user)
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    part = element(AirSyncBase.BodyPartPreference, element(AirSyncBase.Type, 2))
    served = phone.sync(folder, WHOLE, options(WEEK, body_preference(2, 4000, preview=20), part))
    bodies: dict[str, tuple[bool, str | None]] = {}
    for data in served.added.values():
        body, message_part = data.find(AirSyncBase.Body), data.find(AirSyncBase.BodyPart)
        assert body is not None
        assert message_part is not None
        assert "hello" in (message_part.child_text(AirSyncBase.Data) or "")
        subject = (data.child_text(Email.Subject) or "").removeprefix("Re: ")
        bodies[subject] = (
            "hello" in (body.child_text(AirSyncBase.Data) or ""),
            body.child_text(AirSyncBase.Preview),
        )
    assert bodies == {
        "alone": (True, "hello"),
        "end": (True, "hello"),
        "begin": (False, "hello"),
        "middle": (False, "hello"),
    }


def test_without_the_mode_the_window_is_all(phone: Phone, dovecot: Dovecot) -> None:
    mailbox_of(dovecot, phone.user)
    folder = phone.folders()["Inbox"]
    ids = names(phone, folder, WHOLE, options(WEEK))
    served = phone.sync(folder, APART)
    assert sorted(served.soft_deleted) == sorted([ids["begin"], ids["middle"]])
    assert not served.deleted
    assert subjects(phone.sync(folder, WHOLE)) == ["begin", "middle"]
    assert len(phone.sync(folder).soft_deleted) == 2


def test_an_empty_request_repeats_the_mode(phone: Phone, dovecot: Dovecot) -> None:
    mailbox_of(dovecot, phone.user)
    folder = phone.folders()["Inbox"]
    names(phone, folder, WHOLE, options(WEEK))
    assert phone.sync(folder, WHOLE).element.find(AirSync.Commands) is None
    assert phone.post("Sync").empty


def test_without_a_filter_the_mode_changes_nothing(phone: Phone, dovecot: Dovecot) -> None:
    mailbox_of(dovecot, phone.user)
    folder = phone.folders()["Inbox"]
    assert len(names(phone, folder, WHOLE)) == 6
    assert not phone.sync(folder).soft_deleted


def test_values_are_the_same_for_every_phone_and_folder(new_phone: MakePhone, dovecot: Dovecot) -> None:
    phones = [new_phone(version, device=f"P{index}") for index, version in enumerate(("14.0", "16.1"))]
    user = phones[0].user
    with dovecot.imap(user) as imap:
        imap.create("Archive")
    deliver(dovecot, user, "begin", NEW)
    deliver(dovecot, user, "end", NEW, "begin")
    deliver(dovecot, user, "middle", NEW, "begin", mailbox="Archive")
    seen: dict[str, set[tuple[bytes, bytes, str]]] = {}
    for phone in phones:
        phone.provision()
        folders = phone.folders()
        for name in ("Inbox", "Archive"):
            phone.begin(folders[name])
            for data in phone.sync(folders[name]).added.values():
                values = [data.find(tag) for tag in (Email2.ConversationId, Email2.ConversationIndex)]
                identity, index = (value.data() for value in values if value is not None)
                subject = (data.child_text(Email.Subject) or "").removeprefix("Re: ")
                seen.setdefault(subject, set()).add(
                    (identity, index, data.child_text(Email.ThreadTopic) or "")
                )
    assert all(len(values) == 1 for values in seen.values())
    (begin,), (middle,), (end,) = seen["begin"], seen["middle"], seen["end"]
    assert begin[0] == middle[0] == end[0]
    assert (len(begin[1]), len(middle[1]), len(end[1])) == (5, 10, 10)
    assert middle[1].startswith(begin[1])
    assert middle[1] != end[1]
    assert middle[2] == "middle"
