"""Mail of meetings when something fails in between: kills, outages, lost answers, waiting phones, forgers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.blackbox.meeting import ACCEPT, DECLINE, MONDAY, Person, attendees, compact, eventually, status_of
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import add, commands, delete
from tests.support.smtp_sink import SmtpSink, delivering
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar, Email, Ping
from wbxml.pages import MeetingResponse as Page


@pytest.fixture(scope="module")
def post(dovecot: Dovecot) -> Iterator[SmtpSink]:
    with SmtpSink(auth=True, deliver=delivering(dovecot)) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot, post: SmtpSink) -> Iterator[Gateway]:
    """One of its own, to be killed and started again."""
    with Gateway(dovecot, post, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


@pytest.fixture
def bob(gateway: Gateway, dovecot: Dovecot, post: SmtpSink) -> Person:
    return Person("bob", "16.1", gateway, dovecot, post)


@pytest.fixture
def ann(gateway: Gateway, dovecot: Dovecot, post: SmtpSink) -> Person:
    return Person("ann", "16.1", gateway, dovecot, post)


def restart(gateway: Gateway) -> None:
    gateway.kill()
    gateway.start()


def test_an_invitation_outlives_an_outage_and_a_kill(
    gateway: Gateway, bob: Person, ann: Person, post: SmtpSink
) -> None:
    post.switches.reply_mail = "451 4.3.0 later"
    bob.invite(ann)
    restart(gateway)
    bob.sync()
    assert bob.letters() == []
    post.clear()
    restart(gateway)
    bob.sync()
    ann.sees(lambda _: True)
    gateway.restart()  # in order: that the mail was sent is noted by then
    bob.sync()
    time.sleep(0.5)
    assert len(bob.letters()) == 1


def test_a_phone_that_only_waits_has_its_invitation_mailed(
    gateway: Gateway, bob: Person, ann: Person, post: SmtpSink
) -> None:
    post.switches.reply_mail = "451 4.3.0 later"
    bob.invite(ann)
    restart(gateway)
    post.clear()
    folder = element(Ping.Folder, element(Ping.Id, bob.calendar), element(Ping.Class, "Calendar"))
    ping = element(Ping.Ping, element(Ping.HeartbeatInterval, 1), element(Ping.Folders, folder))
    assert bob.phone.post("Ping", ping).root.child_text(Ping.Status) == "1"
    eventually(bob.letters)
    assert len(bob.letters()) == 1


def test_a_repeated_answer_is_mailed_though_it_was_stored_before(
    gateway: Gateway, bob: Person, ann: Person, post: SmtpSink
) -> None:
    bob.invite(ann)
    invitation = ann.invitation()
    post.switches.reply_mail = "451 4.3.0 later"
    ann.respond(ACCEPT, ann.inbox, invitation, element(Page.SendResponse))
    restart(gateway)
    post.clear()
    ann.respond(ACCEPT, ann.inbox, invitation, element(Page.SendResponse))
    bob.sees(lambda event: status_of(event, ann) == "3")
    assert len(ann.letters()) == 1


def test_a_kill_after_the_mail_was_taken(gateway: Gateway, bob: Person, ann: Person, post: SmtpSink) -> None:
    """The server may have it: it is sent again with the same name, and the calendar takes it for the same."""
    post.switches.die_after_data = True
    bob.invite(ann)
    eventually(bob.letters)
    gateway.kill()
    post.switches.die_after_data = False
    gateway.start()
    bob.sync()
    eventually(lambda: len(bob.letters()) > 1 and bob.letters())
    assert len({mail["Message-ID"] for _, mail in bob.letters()}) == 1
    ann.sees(lambda _: True)
    ann.sync()
    assert len(ann.events) == 1


@pytest.mark.parametrize("answer", [ACCEPT, DECLINE])
def test_a_kill_during_an_answer(gateway: Gateway, bob: Person, ann: Person, answer: int) -> None:
    bob.invite(ann)
    invitation = ann.invitation()
    ann.sees(lambda _: True)
    told: list[Element] = []

    def ask() -> None:
        try:
            told.append(ann.respond(answer, ann.inbox, invitation, element(Page.SendResponse)))
        except OSError:
            return

    for delay in (0.004, 0.02):
        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(delay)
        restart(gateway)
        asking.join()
    result = ann.respond(answer, ann.inbox, invitation, element(Page.SendResponse))
    assert result.child_text(Page.Status) == "1"
    wanted = "3" if answer == ACCEPT else "4"
    ann.sync()
    assert len(ann.events) == (1 if answer == ACCEPT else 0)
    bob.sees(lambda event: status_of(event, ann) == wanted)
    restart(gateway)
    ann.sync()
    time.sleep(0.5)
    names = {mail["Message-ID"] for _, mail in ann.letters()}
    assert len(names) == 1
    ann.sync_mail()
    assert invitation not in ann.mail


def test_a_lost_answer_to_a_new_meeting(gateway: Gateway, bob: Person, ann: Person, post: SmtpSink) -> None:
    """The same Add with the same key makes no second meeting, and no second invitation."""
    post.switches.reply_mail = "451 4.3.0 later"  # no kill comes between its acceptance and the note of that
    data = (
        element(Calendar.StartTime, compact(MONDAY)),
        element(Calendar.EndTime, compact(MONDAY + timedelta(hours=1))),
        element(Calendar.Subject, "Planning"),
        attendees(ann),
    )
    key = bob.phone.keys[bob.calendar]
    asked = commands(add("c1", *data))
    names = []
    for _ in range(2):
        served = bob.phone.sync(bob.calendar, asked, key=key)
        names.append(served.responses[0].child_text(AirSync.ServerId))
        restart(gateway)
    assert len(set(names)) == 1
    post.clear()
    restart(gateway)
    bob.sync()
    ann.sees(lambda _: True)
    time.sleep(0.5)
    assert len(bob.letters()) == 1


def test_an_invitation_with_a_file_for_two_one_of_whom_is_to_be_tried_later(
    gateway: Gateway, dovecot: Dovecot, bob: Person, ann: Person, post: SmtpSink
) -> None:
    plan = bytes(range(256)) * 4000
    file = element(
        AirSyncBase.Add,
        element(AirSyncBase.ClientId, "f1"),
        element(AirSyncBase.Content, plan),
        element(AirSyncBase.DisplayName, "plan.bin"),
        element(AirSyncBase.Method, 1),
    )
    cid = Person("cid", "16.1", gateway, dovecot, post)
    post.switches.replies = {cid.address: "450 4.2.1 come again"}
    data = (
        element(Calendar.StartTime, compact(MONDAY)),
        element(Calendar.EndTime, compact(MONDAY + timedelta(hours=1))),
        element(Calendar.Subject, "Planning"),
        attendees(ann, cid),
        element(AirSyncBase.Attachments, file),
    )
    (answer,) = bob.sync(add("c1", *data))
    ann.sees(lambda _: True)
    listed = ann.mail[ann.invitation()].find(AirSyncBase.Attachments)
    assert [one.child_text(AirSyncBase.DisplayName) for one in listed or ()] == ["plan.bin"]
    restart(gateway)
    # To be cancelled waits for the invitation where that waits; the file of the event is gone by then.
    bob.sync(delete(answer.child_text(AirSync.ServerId) or ""))
    eventually(lambda: len(bob.letters()) == 2 and bob.letters())
    restart(gateway)
    post.switches.replies = {}
    bob.sync()
    letters = eventually(lambda: len(bob.letters()) == 4 and bob.letters())
    mine = [one for one in post.received if one.mail_from == bob.address]
    told = [(one.rcpt_tos, subject) for one, (subject, _) in zip(mine, letters, strict=True)]
    assert told == [
        ((ann.address,), "Planning"),
        ((ann.address,), "Canceled: Planning"),
        ((cid.address,), "Planning"),
        ((cid.address,), "Canceled: Planning"),
    ]
    for at in (0, 2):
        (part,) = [one for one in letters[at][1].walk() if one.get_filename() == "plan.bin"]
        assert part.get_payload(decode=True) == plan
    restart(gateway)
    bob.sync()
    sent = bob.phone.folders()["Sent"]
    bob.phone.begin(sent)
    copies = eventually(lambda: bob.phone.sync(sent).added)
    assert sorted(one.child_text(Email.Subject) or "" for one in copies.values()) == [
        "Canceled: Planning",
        "Planning",
    ]
    assert len(bob.letters()) == 4


def test_two_phones_of_one_user(gateway: Gateway, dovecot: Dovecot, bob: Person, ann: Person) -> None:
    bob.invite(ann)
    eventually(bob.letters)
    phones = [ann.phone]
    second = type(ann.phone)(
        gateway.host, gateway.port, ann.phone.user, dovecot.password, version="14.1", device="SECOND"
    )
    second.provision()
    second.folders()
    second.begin(ann.calendar)
    phones.append(second)
    threads = [threading.Thread(target=phone.sync, args=(ann.calendar,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ann.phone.begin(ann.calendar)
    ann.events.clear()
    ann.sees(lambda _: True)


def test_a_phone_that_waits_for_its_calendar_alone(bob: Person, ann: Person) -> None:
    folder = element(Ping.Folder, element(Ping.Id, ann.calendar), element(Ping.Class, "Calendar"))
    ping = element(Ping.Ping, element(Ping.HeartbeatInterval, 60), element(Ping.Folders, folder))
    answers: list[Element] = []
    waiting = threading.Thread(target=lambda: answers.append(ann.phone.post("Ping", ping, seconds=70).root))
    waiting.start()
    time.sleep(1)
    bob.invite(ann)
    waiting.join()
    assert [answer.child_text(Ping.Status) for answer in answers] == ["2"]
    ann.sync()
    assert len(ann.events) == 1


def test_who_forges_an_invitation_is_not_believed(
    dovecot: Dovecot, bob: Person, ann: Person, gateway: Gateway, post: SmtpSink
) -> None:
    eve = Person("eve", "14.1", gateway, dovecot, post)
    bob.invite(ann)
    event = ann.sees(lambda _: True)
    calendar = "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "METHOD:CANCEL",
            "BEGIN:VEVENT",
            f"UID:{event.child_text(Calendar.UID)}",
            "DTSTAMP:20400101T000000Z",
            f"DTSTART:{compact(MONDAY)}",
            "SEQUENCE:9",
            f'ORGANIZER;SENT-BY="mailto:{eve.address}x":mailto:{bob.address}',
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )
    eve.mail_calendar("CANCEL", calendar, ann.address)
    eventually(eve.letters)
    ann.sync()
    assert ann.event.child_text(Calendar.MeetingStatus) == "3"
