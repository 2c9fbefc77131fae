"""Invitations, answers and cancellations in the mailbox, as a phone of each version sees them."""

from __future__ import annotations

import base64

import pytest

from gateway.pim.timezones import unpack
from tests.blackbox.conftest import MakePhone
from tests.support import invitations
from tests.support.dovecot import Dovecot
from tests.support.globalid import uid_of
from tests.support.phone import Phone, body_preference, options
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, Email, Email2, ItemOperations, MeetingResponse

REQUEST = "IPM.Schedule.Meeting.Request"


def received(phone: Phone, dovecot: Dovecot, *mails: bytes) -> dict[str, Element]:
    """The messages that a first Sync shows, by their subject."""
    for mail in mails:
        dovecot.deliver(phone.user, mail)
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    served = phone.sync(folder, options(body_preference(1)))
    return {data.child_text(Email.Subject) or "": data for data in served.added.values()}


def test_an_invitation(each_phone: Phone, dovecot: Dovecot) -> None:
    mail = invitations.google_mail(invitations.OUTLOOK_SERIES, subject="series")
    data = received(each_phone, dovecot, mail)["series"]
    assert data.child_text(Email.MessageClass) == REQUEST
    assert data.find(AirSyncBase.Attachments) is None
    request = data.find(Email.MeetingRequest)
    assert request
    assert request.child_text(Email.StartTime) == "2026-03-02T09:00:00.000Z"
    assert request.child_text(Email.EndTime) == "2026-03-02T10:00:00.000Z"
    assert request.child_text(Email.InstanceType) == "1"
    rules = unpack(request.child_text(Email.TimeZone) or "")
    assert (rules.standard, rules.daylight) == (60, 120)
    recurrences = request.find(Email.Recurrences)
    assert recurrences
    assert recurrences.children[0].child_text(Email.Occurrences) == "10"
    if each_phone.number < 16:
        assert request.child_text(Email.Location) == "Raum Köln"
        name = base64.b64decode(request.child_text(Email.GlobalObjId) or "")
        assert uid_of(name) == invitations.OUTLOOK_UID
    else:
        location = request.find(AirSyncBase.Location)
        assert location
        assert location.child_text(AirSyncBase.DisplayName) == "Raum Köln"
        assert request.child_text(Calendar.UID) == invitations.OUTLOOK_UID
    kind = request.child_text(Email2.MeetingMessageType)
    assert kind == ("1" if each_phone.number >= 14.1 else None)
    body = data.find(AirSyncBase.Body)
    assert body is None or "You are invited" in (body.child_text(AirSyncBase.Data) or "")


@pytest.mark.parametrize("version", ["14.1", "16.1"])
def test_every_kind(new_phone: MakePhone, dovecot: Dovecot, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    mails = [
        invitations.bare_mail(invitations.GOOGLE_SINGLE, subject="bare"),
        invitations.attached_mail(invitations.THUNDERBIRD, subject="attached"),
        invitations.file_mail(invitations.FLOATING, subject="file"),
        invitations.exchange_mail(invitations.OUTLOOK_EXCEPTION, subject="exception"),
        invitations.exchange_mail(invitations.OUTLOOK_CUSTOM_ZONE, subject="custom zone"),
        invitations.exchange_mail(invitations.OUTLOOK_ALL_DAY, subject="whole days"),
        invitations.exchange_mail(invitations.CANCEL, "CANCEL", subject="cancelled"),
        invitations.exchange_mail(invitations.COUNTER, "COUNTER", subject="counter"),
        invitations.exchange_mail(invitations.reply("ACCEPTED"), "REPLY", subject="accepted"),
        invitations.exchange_mail(invitations.reply("DECLINED"), "REPLY", subject="declined"),
        invitations.exchange_mail(invitations.GOOGLE_SINGLE[:150], subject="broken"),
    ]
    shown = received(phone, dovecot, *mails)
    classes = {subject: data.child_text(Email.MessageClass) for subject, data in shown.items()}
    assert classes == {
        "bare": REQUEST,
        "attached": REQUEST,
        "file": REQUEST,
        "exception": REQUEST,
        "custom zone": REQUEST,
        "whole days": REQUEST,
        "cancelled": "IPM.Schedule.Meeting.Canceled",
        "counter": "IPM.Schedule.Meeting.Resp.Tent",
        "accepted": "IPM.Schedule.Meeting.Resp.Pos",
        "declined": "IPM.Schedule.Meeting.Resp.Neg",
        "broken": "IPM.Note",
    }
    requests = {subject for subject, data in shown.items() if data.find(Email.MeetingRequest)}
    plain = {"accepted", "declined", "broken"}
    assert requests == set(shown) - plain - (set() if version == "16.1" else {"counter"})
    if version == "16.1":
        counter = shown["counter"].find(Email.MeetingRequest)
        assert counter
        assert counter.child_text(MeetingResponse.ProposedStartTime) == "20260303T090000Z"


def test_a_fetch_shows_it_too(some_phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(some_phone.user, invitations.exchange_mail(invitations.GOOGLE_SERIES))
    folder = some_phone.folders()["Inbox"]
    some_phone.begin(folder)
    (name,) = some_phone.sync(folder).added
    answer = some_phone.post(
        "ItemOperations",
        element(
            ItemOperations.ItemOperations,
            element(
                ItemOperations.Fetch,
                element(ItemOperations.Store, "Mailbox"),
                element(AirSync.CollectionId, folder),
                element(AirSync.ServerId, name),
                element(ItemOperations.Options, body_preference(2)),
            ),
        ),
    ).root
    (request,) = [one for one in answer.iter() if one.tag is Email.MeetingRequest]
    assert request.child_text(Email.InstanceType) == "1"


def test_the_copy_of_ones_own_invitation_is_an_ordinary_mail(phone: Phone, dovecot: Dovecot) -> None:
    text = invitations.GOOGLE_SERIES.replace("bob@example.org", f"{phone.user}@example.test")
    data = received(phone, dovecot, invitations.exchange_mail(text))["Team"]
    assert data.child_text(Email.MessageClass) == "IPM.Note"
    assert data.find(Email.MeetingRequest) is None
