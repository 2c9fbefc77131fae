"""The store fails at each write of a request, one after the other: 503 each time, and all is done once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from functools import partial

import pytest

from tests.blackbox import drafting
from tests.blackbox.test_calendar_sync import event
from tests.blackbox.test_folder_changes import create, update
from tests.blackbox.test_folder_changes import delete as delete_folder
from tests.blackbox.test_moveitems import move
from tests.blackbox.test_outage import folder_sync, is_told_to_wait
from tests.blackbox.test_ping import changed, folder, request
from tests.blackbox.test_sendmail import kept, mime, send
from tests.blackbox.test_settings import device_information
from tests.blackbox.test_smart import smart, written
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.failing import FailingWrites
from tests.support.gateway import Gateway, Section
from tests.support.invitations import calendar
from tests.support.invitations import event as invited
from tests.support.phone import (
    OLD_POLICY_TYPE,
    POLICY_TYPE,
    Answer,
    Phone,
    Served,
    add,
    change,
    collections_of,
    commands,
    delete,
    policy_of,
    policy_request,
)
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    Calendar,
    ComposeMail,
    Email,
    FolderHierarchy,
    MeetingResponse,
    Move,
    Provision,
    Settings,
)

MOST_WRITES = 60


@dataclass(slots=True)
class Place:
    """A gateway, and the store that fails under it."""

    gateway: Gateway
    failing: FailingWrites
    sink: SmtpSink

    def until_stored(self, post: Callable[[], Answer]) -> Answer:
        """The first answer that is not 503, while each attempt can write once more than the one before."""
        self.failing.after(0)
        answer = post()
        assert is_told_to_wait(answer), "it stores nothing, or says so though it did not"
        for writes in range(1, MOST_WRITES):
            self.failing.after(writes)
            answer = post()
            if answer.code != 503:
                break
            assert is_told_to_wait(answer)
        self.failing.never()
        return answer


@pytest.fixture(scope="module")
def place(postgres: Postgres, dovecot: Dovecot) -> Iterator[Place]:
    name = postgres.create()
    sections: dict[str, Section] = {"store": {"url": postgres.url(name)}, "eas": {"heartbeat_min": 1}}
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink, sections=sections) as gateway:
        yield Place(gateway, FailingWrites(postgres, name), sink)
        assert "Traceback" not in gateway.log()
        assert "unexpected error" not in gateway.log()


@pytest.fixture(params=("2.5", "16.1"))
def phone(request: pytest.FixtureRequest, place: Place, dovecot: Dovecot, user: str) -> Phone:
    """A phone that was provisioned while the store failed."""
    made = Phone(place.gateway.host, place.gateway.port, user, dovecot.password, version=request.param)
    kind = POLICY_TYPE if made.number >= 12 else OLD_POLICY_TYPE
    information = device_information(element(Settings.Model, "Phone")) if made.number >= 14.1 else None
    made.policy_key = 0
    for asked in ((), (1,)):
        named = (str(made.policy_key), "1") if asked else ()
        body = policy_request(*named, kind=kind, information=None if asked else information)
        policy = policy_of(place.until_stored(partial(made.post, "Provision", body)))
        made.policy_key = int(policy.child_text(Provision.PolicyKey) or "")
    place.sink.clear()
    return made


def synced(place: Place, phone: Phone, name: str, *operations: Element) -> Served:
    """A Sync while the store failed."""
    asked = phone.collection(name, *([commands(*operations)] if operations else []))
    (served,) = collections_of(place.until_stored(lambda: phone.post_sync(asked)).root)
    assert served.status == "1"
    phone.keys[name] = served.key
    return served


def counted(dovecot: Dovecot, phone: Phone, mailbox: str, criterion: str = "ALL") -> int:
    with dovecot.imap(phone.user) as imap:
        assert imap.select(mailbox)[0] == "OK"
        return len(imap.search(None, criterion)[1][0].split())


def test_folders_and_the_mail_in_them(place: Place, dovecot: Dovecot, phone: Phone) -> None:
    for number in range(3):
        dovecot.deliver(phone.user, messages.plain(f"mail {number}"))
    root = place.until_stored(lambda: phone.post("FolderSync", folder_sync())).root
    folders = {
        one.child_text(FolderHierarchy.DisplayName): one.child_text(FolderHierarchy.ServerId) or ""
        for one in root.iter()
        if one.tag is FolderHierarchy.Add
    }
    key = root.child_text(FolderHierarchy.SyncKey) or ""
    made = place.until_stored(lambda: phone.post("FolderCreate", create(key, "0", "Made"))).root
    assert made.child_text(FolderHierarchy.Status) == "1"
    new, key = (made.child_text(tag) or "" for tag in (FolderHierarchy.ServerId, FolderHierarchy.SyncKey))
    again = update(key, new, "0", "Renamed")
    renamed = place.until_stored(lambda: phone.post("FolderUpdate", again)).root
    assert renamed.child_text(FolderHierarchy.Status) == "1"
    inbox = folders["Inbox"]
    synced(place, phone, inbox)
    told = synced(place, phone, inbox).added
    names = {data.child_text(Email.Subject): name for name, data in told.items()}
    read = change(names["mail 0"], element(Email.Read, 1))
    synced(place, phone, inbox, read, delete(names["mail 1"]))
    asked = element(Move.MoveItems, move(names["mail 2"], inbox, new))
    (response,) = place.until_stored(lambda: phone.post("MoveItems", asked)).root
    assert response.child_text(Move.Status) == "3"
    assert [counted(dovecot, phone, name) for name in ("INBOX", "Trash", "Renamed")] == [1, 1, 1]
    assert counted(dovecot, phone, "INBOX", "SEEN") == 1
    key = renamed.child_text(FolderHierarchy.SyncKey) or ""
    gone = place.until_stored(lambda: phone.post("FolderDelete", delete_folder(key, new))).root
    assert gone.child_text(FolderHierarchy.Status) == "1"
    assert not {"Made", "Renamed"} & phone.folders().keys()
    dovecot.deliver(phone.user, messages.plain("news"))
    assert changed(place.until_stored(lambda: phone.post("Ping", request(60, folder(inbox))))) == [inbox]


def test_mail_is_sent_once(place: Place, dovecot: Dovecot, phone: Phone) -> None:
    dovecot.deliver(phone.user, messages.plain("question"))
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    (name,) = phone.sync(inbox).added
    # What was taken while the store failed may be noted by the time it is asked for again, or not.
    sent_already = {"", "118"}
    answer = place.until_stored(lambda: send(phone, mime(phone), "c-1", save=True))
    assert status_of(answer) in sent_already
    answer = place.until_stored(
        lambda: smart(phone, "SmartReply", (inbox, name), written(phone), client_id="c-2", save=True)
    )
    assert status_of(answer) in sent_already
    if phone.number >= 16:
        drafts = phone.folders()["Drafts"]
        phone.begin(drafts)
        phone.sync(drafts)
        text = (drafting.to("ben@example.test"), drafting.subject("draft"), drafting.body("It"))
        synced(place, phone, drafts, drafting.add("d1", *text))
        assert counted(dovecot, phone, "Drafts") == 1
        synced(place, phone, drafts, drafting.add("d2", *text, send=True))
    wanted = ["greeting", "RE: it", *(["draft"] if phone.number >= 16 else [])]
    assert [message_from_bytes(one.data)["Subject"] for one in place.sink.received] == wanted
    eventually(lambda: len(kept(dovecot, phone)) == len(wanted))
    phone.sync(inbox)  # a later request of the user's, on which is done what had to wait
    eventually(lambda: counted(dovecot, phone, "INBOX", "ANSWERED") == 1)


def test_events_and_answers_to_them(place: Place, dovecot: Dovecot, phone: Phone) -> None:
    folders = phone.folders()
    synced(place, phone, folders["Calendar"])
    served = synced(place, phone, folders["Calendar"], add("c1", *event(phone, "mine", uid="u1")))
    assert [one.child_text(AirSync.Status) for one in served.responses] == ["1"]
    dovecot.deliver(phone.user, invitation(phone))
    phone.begin(folders["Inbox"])
    (name,) = phone.sync(folders["Inbox"]).added
    body = accepting(phone, folders["Inbox"], name)
    (result,) = place.until_stored(lambda: phone.post("MeetingResponse", body)).root
    assert result.child_text(MeetingResponse.Status) == "1"
    assert [counted(dovecot, phone, mailbox) for mailbox in ("INBOX", "Trash")] == [0, 1]
    phone.begin(folders["Calendar"])
    told = [data.child_text(Calendar.Subject) for data in phone.sync(folders["Calendar"]).added.values()]
    assert sorted(map(str, told)) == ["Team", "mine"]
    if phone.number >= 16:
        eventually(lambda: len(place.sink.received) == 1)
        away = device_information(element(Settings.Model, "Another"))
        root = place.until_stored(lambda: phone.post("Settings", element(Settings.Settings, away))).root
        assert root.child_text(Settings.Status) == "1"
        assert len(place.sink.received) == 1


def status_of(answer: Answer) -> str:
    """The Status of the answer to a message to be sent; "" says that it was."""
    return "" if not answer.body else answer.root.child_text(ComposeMail.Status) or ""


def invitation(phone: Phone) -> bytes:
    """A mail that invites its user."""
    asked = f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{phone.user}@example.test"
    text = calendar(*invited(attendee=asked))
    head = "From: bob@example.org\r\nSubject: Team\r\nMIME-Version: 1.0\r\nMessage-ID: <i@example.org>\r\n"
    return f"{head}Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n{text}".encode()


def accepting(phone: Phone, inbox: str, name: str) -> Element:
    """The MeetingResponse that accepts an invitation, and has that mailed where the server is to do it."""
    asked = element(
        MeetingResponse.Request,
        element(MeetingResponse.UserResponse, 1),
        element(MeetingResponse.CollectionId, inbox),
        element(MeetingResponse.RequestId, name),
        *([element(MeetingResponse.SendResponse)] if phone.number >= 16 else []),
    )
    return element(MeetingResponse.MeetingResponse, asked)
