"""Find: what people type, pages, previews (MS-ASCMD 2.2.1.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import AirSync, Email, Email2, Find, ItemOperations

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)
SEARCH = "8f1c0f5e-2d3a-4b65-9f10-0a1b2c3d4e5f"


def request(criterion: Element, search: str = SEARCH) -> Element:
    return element(Find.Find, element(Find.SearchId, search), element(Find.ExecuteSearch, criterion))


def mailbox(text: str, folder: str | None = None, *options: Element, span: str | None = None) -> Element:
    place = [] if folder is None else [element(AirSync.CollectionId, folder)]
    query = element(Find.Query, element(AirSync.Class, "Email"), *place, element(Find.FreeText, text))
    ranged = [] if span is None else [element(Find.Range, span)]
    return element(Find.MailBoxSearchCriterion, query, element(Find.Options, *ranged, *options))


def find(
    phone: Phone,
    text: str,
    folder: str | None = None,
    *options: Element,
    span: str | None = None,
    search: str = SEARCH,
) -> Element:
    """The Response to a Find in the mailbox."""
    root = phone.post("Find", request(mailbox(text, folder, *options, span=span), search)).root
    assert root.tag is Find.Find
    assert [child.tag.name for child in root] == ["Status", "Response"], root
    assert root.child_text(Find.Status) == "1"
    response = root.children[1]
    assert response.child_text(ItemOperations.Store) == "Mailbox"
    return response


def status(response: Element) -> str:
    return response.child_text(Find.Status) or ""


def properties(response: Element) -> list[Element]:
    assert status(response) == "1", response
    return [found for result in response.findall(Find.Result) if (found := result.find(Find.Properties))]


def subjects(response: Element) -> list[str]:
    return [one.child_text(Email.Subject) or "" for one in properties(response)]


def fill(dovecot: Dovecot, user: str, *names: str, mailbox: str = "INBOX") -> None:
    for number, name in enumerate(names):
        when = NOON + timedelta(minutes=number)
        dovecot.deliver(user, messages.plain(name), mailbox, received=when)


def test_a_result(phone: Phone, dovecot: Dovecot) -> None:
    message = (
        "From: Ann Archer <ann@example.test>\r\nTo: Ben Okafor <ben@example.test>, carl@example.test\r\n"
        'Cc: "Doe, Dora" <dora@example.test>, eve@example.test\r\nSubject: The plan\r\nImportance: high\r\n'
        "Content-Type: text/html; charset=utf-8\r\n\r\n<p>We meet <b>at noon</b></p>\r\n"
    )
    dovecot.deliver(phone.user, message.encode(), flags=["\\Seen"], received=NOON)
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    (name,) = phone.sync(inbox).added
    response = find(phone, "subject:plan")
    assert [child.tag.name for child in response] == ["Store", "Status", "Result", "Range", "Total"]
    assert (response.child_text(Find.Range), response.child_text(Find.Total)) == ("0-0", "1")
    (result,) = response.findall(Find.Result)
    assert [child.tag.name for child in result] == ["Class", "ServerId", "CollectionId", "Properties"]
    assert result.child_text(AirSync.Class) == "Email"
    assert result.child_text(AirSync.ServerId) == name
    assert result.child_text(AirSync.CollectionId) == inbox
    (shown,) = properties(response)
    assert {(one.tag, one.text()) for one in shown} == {
        (Email.Subject, "The plan"),
        (Email.DateReceived, "2026-03-04T12:00:00.000Z"),
        (Email.DisplayTo, "Ben Okafor; carl@example.test"),
        (Find.DisplayCc, "Doe, Dora; eve@example.test"),
        (Email.Importance, "2"),
        (Email.Read, "1"),
        (Email2.IsDraft, "0"),
        (Find.Preview, "We meet at noon"),
        (Find.HasAttachments, "0"),
        (Email.From, '"Ann Archer" <ann@example.test>'),
    }


def test_previews_and_attachments(phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(phone.user, messages.plain("long", "word " * 200), received=NOON)
    dovecot.deliver(phone.user, messages.with_attachments("files"), received=NOON - timedelta(hours=1))
    dovecot.deliver(phone.user, messages.inline_image("picture"), received=NOON - timedelta(hours=2))
    phone.folders()
    shown = properties(find(phone, "kind:email"))
    assert [one.child_text(Find.HasAttachments) for one in shown] == ["0", "1", "0"]
    assert len(shown[0].child_text(Find.Preview) or "") == 255
    assert subjects(find(phone, "hasattachment:yes", search="2")) == ["files"]
    assert subjects(find(phone, "attachment:MÄRZ", search="3")) == ["files"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apple", ["green apple", "red apple"]),
        ("app*", ["green apple", "red apple"]),
        ("red apple", ["red apple"]),
        ('"green apple"', ["green apple"]),
        ("apple -green", ["red apple"]),
        ("subject:(pear OR plum)", ["Grünpflaume plum", "red pear"]),
        ("from:ann NOT apple", ["Grünpflaume plum", "red pear"]),
        ("to:nobody", []),
        ("received:2026-03-04 plum", ["Grünpflaume plum"]),
        ("received>2026-03-04", []),
        ("is:flagged", ["red pear"]),
        ("isread:yes OR plum", ["Grünpflaume plum", "red pear"]),
        ("GRÜNPFLAUME", ["Grünpflaume plum"]),
        ("importance:low", []),
    ],
)
def test_queries(phone: Phone, dovecot: Dovecot, text: str, expected: list[str]) -> None:
    fill(dovecot, phone.user, "red apple")
    dovecot.deliver(
        phone.user,
        messages.plain("red pear"),
        flags=["\\Flagged", "\\Seen"],
        received=NOON + timedelta(minutes=1),
    )
    dovecot.deliver(phone.user, messages.plain("green apple"), received=NOON + timedelta(minutes=2))
    dovecot.deliver(phone.user, messages.plain("Grünpflaume plum"), received=NOON + timedelta(minutes=3))
    phone.folders()
    response = find(phone, text)
    assert subjects(response) == expected
    assert response.child_text(Find.Total) == str(len(expected))
    assert (response.find(Find.Range) is None) == (not expected)


@pytest.mark.parametrize(
    "text", ["", "  ", "***", '\\ ( OR "', "received:someday", "isread:perhaps", "x" * 1025, "(" * 30]
)
def test_queries_that_are_refused(phone: Phone, text: str) -> None:
    phone.folders()
    assert status(find(phone, text)) == "2"


def test_folders(phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(phone.user) as imap:
        imap.create("Work")
        imap.create("Work/Plans")
    for name in ("INBOX", "Work", "Work/Plans", "Trash"):
        fill(dovecot, phone.user, f"plan in {name}", mailbox=name)
    folders = phone.folders()
    assert len(subjects(find(phone, "plan"))) == 4
    assert subjects(find(phone, "plan", folders["Work"])) == ["plan in Work"]
    deep = find(phone, "plan", folders["Work"], element(Find.DeepTraversal))
    assert sorted(subjects(deep)) == ["plan in Work", "plan in Work/Plans"]
    root = phone.post("Find", request(mailbox("plan", "4711"))).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "3")]


def test_pages(phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, phone.user, *(f"plan {number}" for number in range(5)))
    phone.folders()
    assert status(find(phone, "plan", span="2-3")) == "4"
    first = find(phone, "plan", span="0-1")
    assert subjects(first) == ["plan 4", "plan 3"]
    assert (first.child_text(Find.Range), first.child_text(Find.Total)) == ("0-1", "5")
    dovecot.deliver(phone.user, messages.plain("plan new"), received=NOON + timedelta(hours=1))
    assert subjects(find(phone, "plan", span="2-3")) == ["plan 2", "plan 1"]
    last = find(phone, "plan", span="4-999")
    assert subjects(last) == ["plan 0"]
    assert (last.child_text(Find.Range), last.child_text(Find.Total)) == ("4-4", "5")
    beyond = find(phone, "plan", span="5-9")
    assert subjects(beyond) == []
    assert status(find(phone, "plan", span="2-3", search="another")) == "4"
    assert subjects(find(phone, "plan", span="0-0", search="another")) == ["plan new"]


def test_devices_have_their_own_pages(new_phone: MakePhone, dovecot: Dovecot) -> None:
    one, two = new_phone(device="ONE"), new_phone(device="TWO")
    for phone in (one, two):
        phone.provision()
        phone.folders()
    fill(dovecot, one.user, "plan 0", "plan 1")
    assert subjects(find(one, "plan", span="0-0")) == ["plan 1"]
    assert status(find(two, "plan", span="1-1")) == "4"


def test_after_a_restart_it_begins_again(dovecot: Dovecot, smtp_sink: SmtpSink, user: str) -> None:
    fill(dovecot, user, "plan 0", "plan 1")
    with Gateway(dovecot, smtp_sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        phone.folders()
        assert subjects(find(phone, "plan", span="0-0")) == ["plan 1"]
        gateway.kill()
        gateway.start()
        phone.host, phone.port = gateway.host, gateway.port
        assert status(find(phone, "plan", span="1-1")) == "4"
        assert subjects(find(phone, "plan", span="0-0")) == ["plan 1"]
        assert subjects(find(phone, "plan", span="1-1")) == ["plan 0"]


@pytest.mark.parametrize(
    "wrong",
    [
        element(Find.Find),
        element(Find.Find, element(Find.SearchId, SEARCH)),
        element(Find.Find, element(Find.SearchId, SEARCH), element(Find.ExecuteSearch)),
        element(Find.Find, element(Find.ExecuteSearch, mailbox("plan"))),
        request(element(Find.MailBoxSearchCriterion, element(Find.Query, element(Find.FreeText, "plan")))),
        request(mailbox("plan", span="3-1")),
        request(mailbox("plan", span="0-1000")),
        request(mailbox("plan", span="all")),
        request(mailbox("plan", "")),
        request(element(Find.Options)),
    ],
)
def test_requests_that_are_no_find(phone: Phone, wrong: Element) -> None:
    phone.folders()
    root = phone.post("Find", wrong).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.0"])
def test_older_versions_have_no_find(new_phone: MakePhone, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    answer = phone.post("Find", request(mailbox("plan")))
    if answer.code == 200:
        assert answer.root.child_text(Find.Status) in {"137", "138"}
    else:
        assert answer.code in {400, 501}


def test_on_a_server_without_extensions(dovecot_bare: Dovecot, smtp_sink: SmtpSink, user: str) -> None:
    fill(dovecot_bare, user, "red apple", "Grüne Äpfel")
    files = messages.with_attachments("files")
    dovecot_bare.deliver(user, files, "Archive", received=NOON + timedelta(hours=1))
    with Gateway(dovecot_bare, smtp_sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot_bare.password)
        phone.provision()
        phone.folders()
        assert subjects(find(phone, "äpfel OR apple", search="1")) == ["Grüne Äpfel", "red apple"]
        assert subjects(find(phone, "hasattachment:yes OR red", search="2")) == ["files", "red apple"]
        assert subjects(find(phone, "received>=2026-03-04T12:01 -äpfel", search="3")) == ["files"]
        assert subjects(find(phone, "isread:no", search="4")) == ["files", "Grüne Äpfel", "red apple"]
