"""Search: mail by And and Or, pages of a list that does not change, refusals (MS-ASCMD 2.2.1.16)."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from gateway.eas.content.ids import long_id
from gateway.types import ServerId, UserId
from tests.blackbox.conftest import MakePhone
from tests.blackbox.searching import (
    both,
    either,
    folder,
    is_empty,
    kind,
    options,
    received,
    search,
    status,
    words,
)
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, body_preference
from tests.support.smtp_sink import SmtpSink
from tests.support.stalling import StallingWay
from tests.support.waiting import eventually
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    AirSyncBase,
    ComposeMail,
    DocumentLibrary,
    Email,
    Email2,
    ItemOperations,
    Search,
)

NOON = datetime(2026, 3, 4, 12, 0, 0, tzinfo=UTC)


def results(store: Element) -> list[Element]:
    """The Properties of each result of a search that succeeded."""
    assert status(store) == "1", store
    found = []
    for result in store.findall(Search.Result):
        properties = result.find(Search.Properties)
        assert properties is not None
        assert result.child_text(AirSync.Class) == "Email"
        found.append(properties)
    return found


def subjects(store: Element) -> list[str]:
    return [one.child_text(Email.Subject) or "" for one in results(store)]


def fill(dovecot: Dovecot, user: str, *names: str, mailbox: str = "INBOX", text: str = "hello\n") -> None:
    """Messages with these subjects, each a minute newer than the one before."""
    for number, name in enumerate(names):
        when = NOON + timedelta(minutes=number)
        dovecot.deliver(user, messages.plain(name, text), mailbox, received=when)


def threaded(subject: str, *fields: str) -> bytes:
    head = [f"Subject: {subject}", "From: ann@example.test", *fields]
    return "\r\n".join([*head, "", "hello", ""]).encode()


def test_words_in_all_folders(each_phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, each_phone.user, "plan one", "lunch", "plan two")
    old = messages.plain("the old plan")
    dovecot.deliver(each_phone.user, old, "Archive", received=NOON - timedelta(days=400))
    folders = each_phone.folders()
    store = search(each_phone, both(kind("Email"), words("plan")), options(body_preference(1)))
    assert subjects(store) == ["plan two", "plan one", "the old plan"]
    assert (store.child_text(Search.Range), store.child_text(Search.Total)) == ("0-2", "3")
    places = [one.child_text(AirSync.CollectionId) for one in store.findall(Search.Result)]
    assert places == [folders["Inbox"], folders["Inbox"], folders["Archive"]]
    assert [child.tag.name for child in store] == ["Status", "Result", "Result", "Result", "Range", "Total"]


def test_the_properties_are_those_of_sync(each_phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(each_phone.user, messages.with_attachments("files"))
    inbox = each_phone.folders()["Inbox"]
    each_phone.begin(inbox)
    (synced,) = each_phone.sync(inbox, element(AirSync.Options, body_preference(1, 100))).added.values()
    (found,) = results(search(each_phone, both(words("files")), options(body_preference(1, 100))))
    assert found.children == synced.children


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([words("apple")], ["green apple", "red apple"]),
        ([words("red apple")], ["red apple"]),
        ([words('"red apple"')], ["red apple"]),
        ([words("subject:pear")], ["red pear"]),
        ([words("red OR plum")], ["green plum", "red pear", "red apple"]),
        ([words("isread:no")], ["green plum", "green apple", "red pear", "red apple"]),
        ([words("")], ["green plum", "green apple", "red pear", "red apple"]),
        ([received(">", "2026-03-04T12:01:00.000Z")], ["green plum", "green apple"]),
        ([received("<", "2026-03-04T12:01:00.000Z")], ["red apple"]),
        (
            [
                words("re"),
                received(">", "2026-03-04T12:00:00.000Z"),
                received("<", "2026-03-04T12:02:30.000Z"),
            ],
            ["green apple", "red pear"],
        ),
    ],
)
def test_conditions(
    some_phone: Phone, dovecot: Dovecot, conditions: list[Element], expected: list[str]
) -> None:
    fill(dovecot, some_phone.user, "red apple", "red pear", "green apple", "green plum")
    some_phone.folders()
    assert subjects(search(some_phone, both(*conditions))) == expected


def test_or_of_and(phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, phone.user, "red apple", "red pear", "green apple", "green plum")
    phone.folders()
    newer = received(">", "2026-03-04T12:02:30.000Z")
    assert subjects(search(phone, either(words("pear"), newer))) == ["green plum", "red pear"]
    inner = element(Search.Or, words("pear"), words("plum"))
    assert subjects(search(phone, both(words("red"), inner))) == ["red pear"]


def test_one_folder_and_those_below(some_phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(some_phone.user) as imap:
        for name in ("Work", "Work/Plans", "Work/Plans/Old"):
            imap.create(name)
    for name in ("INBOX", "Work", "Work/Plans", "Work/Plans/Old"):
        fill(dovecot, some_phone.user, f"plan in {name}", mailbox=name)
    folders = some_phone.folders()
    asked = both(folder(folders["Work"]), words("plan"))
    assert subjects(search(some_phone, asked)) == ["plan in Work"]
    deep = search(some_phone, asked, options(element(Search.DeepTraversal)))
    assert sorted(subjects(deep)) == ["plan in Work", "plan in Work/Plans", "plan in Work/Plans/Old"]
    two = both(folder(folders["Work"]), folder(folders["Inbox"]), words("plan"))
    assert sorted(subjects(search(some_phone, two))) == ["plan in INBOX", "plan in Work"]
    everywhere = search(some_phone, both(folder("0"), words("plan")), options(element(Search.DeepTraversal)))
    assert len(subjects(everywhere)) == 4
    assert status(search(some_phone, both(folder("4711"), words("plan")))) == "11"
    assert status(search(some_phone, both(folder("i4711"), words("plan")))) == "11"
    for without_mail in ("Outbox", "Contacts"):
        assert is_empty(search(some_phone, both(folder(folders[without_mail]), words("plan"))))


def test_text_beyond_ascii_and_hostile_text(some_phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, some_phone.user, "Grüße aus Köln", "nothing")
    fill(dovecot, some_phone.user, "quoted", text='he said C:\\temp\\ "aloud" {5}\r\n')
    some_phone.folders()
    assert subjects(search(some_phone, both(words("grüße KÖLN")))) == ["Grüße aus Köln"]
    assert subjects(search(some_phone, both(words("C:\\temp\\")))) == ["quoted"]
    for text in ("a) OR ALL (", "\\", '"', "{5}\r\nA1 LOGOUT", "* NOT *", "\u202e", "%", "UID 1:*", "💥"):
        assert status(search(some_phone, both(words(text)))) == "1", text
    assert subjects(search(some_phone, both(words("aloud")))) == ["quoted"]


def test_nothing_found(each_phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, each_phone.user, "lunch")
    each_phone.folders()
    assert is_empty(search(each_phone, both(words("nowhere"))))
    assert is_empty(search(each_phone, both(kind("Contacts"), words("lunch"))))
    assert subjects(search(each_phone, both(kind("Contacts"), kind("Email"), words("lunch")))) == ["lunch"]


@pytest.mark.parametrize("text", ["...", "?!", "*", '""', "-", "( )", "subject:", "\u2026"])
def test_nothing_but_punctuation_finds_nothing(some_phone: Phone, dovecot: Dovecot, text: str) -> None:
    fill(dovecot, some_phone.user, "lunch ... ?!")
    some_phone.folders()
    assert is_empty(search(some_phone, both(words(text))))
    assert subjects(search(some_phone, both(words("lunch")))) == ["lunch ... ?!"]


def test_pages_of_a_list_that_does_not_change(some_phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, some_phone.user, *(f"plan {number}" for number in range(7)))
    some_phone.folders()
    asked = both(words("plan"))
    first = search(some_phone, asked, options(span="0-2"))
    assert subjects(first) == ["plan 6", "plan 5", "plan 4"]
    assert (first.child_text(Search.Range), first.child_text(Search.Total)) == ("0-2", "7")
    dovecot.deliver(some_phone.user, messages.plain("plan new"), received=NOON + timedelta(hours=1))
    second = search(some_phone, asked, options(span="3-5"))
    assert subjects(second) == ["plan 3", "plan 2", "plan 1"]
    assert subjects(search(some_phone, asked, options(span="0-0"))) == ["plan 6"]
    last = search(some_phone, asked, options(span="6-9"))
    assert subjects(last) == ["plan 0"]
    assert (last.child_text(Search.Range), last.child_text(Search.Total)) == ("6-6", "7")
    assert status(search(some_phone, asked, options(span="7-9"))) == "12"
    anew = search(some_phone, asked, options(element(Search.RebuildResults), span="0-1"))
    assert subjects(anew) == ["plan new", "plan 6"]
    assert anew.child_text(Search.Total) == "8"


def test_deleted_messages_leave_the_list(some_phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, some_phone.user, *(f"plan {number}" for number in range(6)))
    some_phone.folders()
    asked = both(words("plan"))
    assert subjects(search(some_phone, asked, options(span="0-1"))) == ["plan 5", "plan 4"]
    with dovecot.imap(some_phone.user) as imap:
        imap.select("INBOX")
        imap.store("2,4", "+FLAGS", "\\Deleted")  # plan 1 and plan 3
        imap.expunge()
    page = search(some_phone, asked, options(span="2-3"))
    assert subjects(page) == ["plan 2", "plan 0"]
    assert page.child_text(Search.Total) == "4"


def test_a_later_page_after_a_restart(dovecot: Dovecot, smtp_sink: SmtpSink, user: str) -> None:
    fill(dovecot, user, *(f"plan {number}" for number in range(4)))
    with Gateway(dovecot, smtp_sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        phone.folders()
        asked = both(words("plan"))
        first = search(phone, asked, options(span="0-1"))
        (identity,) = {one.child_text(Search.LongId) for one in first.findall(Search.Result)[:1]}
        gateway.kill()
        gateway.start()
        phone.host, phone.port = gateway.host, gateway.port
        assert subjects(search(phone, asked, options(span="2-3"))) == ["plan 1", "plan 0"]
        again = search(phone, asked, options(span="0-1"))
        assert again.findall(Search.Result)[0].child_text(Search.LongId) == identity


@pytest.mark.parametrize(
    ("span", "expected"), [("0-100", "12"), ("2000-2001", "12"), ("5-3", "2"), ("x", "2")]
)
def test_ranges_that_are_refused(some_phone: Phone, dovecot: Dovecot, span: str, expected: str) -> None:
    fill(dovecot, some_phone.user, "plan")
    some_phone.folders()
    assert status(search(some_phone, both(words("plan")), options(span=span))) == expected


def test_the_long_id_of_a_result_opens_the_message(each_phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, each_phone.user, "plan", text="the whole text\n")
    inbox = each_phone.folders()["Inbox"]
    each_phone.begin(inbox)
    (name,) = each_phone.sync(inbox).added
    (result,) = search(each_phone, both(words("plan"))).findall(Search.Result)
    identity = result.child_text(Search.LongId)
    assert identity == long_id(UserId(each_phone.user), ServerId(name))
    fetch = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(Search.LongId, identity),
        element(ItemOperations.Options, body_preference(1)),
    )
    root = each_phone.post("ItemOperations", element(ItemOperations.ItemOperations, fetch)).root
    (fetched,) = root.children[1]
    assert fetched.child_text(ItemOperations.Status) == "1"
    properties = fetched.find(ItemOperations.Properties)
    assert properties is not None
    body = properties.find(AirSyncBase.Body)
    assert body is not None
    assert (body.child_text(AirSyncBase.Data) or "").strip() == "the whole text"


def test_no_body_is_given_whole_unasked(phone: Phone, dovecot: Dovecot) -> None:
    fill(dovecot, phone.user, "plan", text="word " * 1000)
    phone.folders()
    (found,) = results(search(phone, both(words("plan"))))
    body = found.find(AirSyncBase.Body)
    assert body is not None
    assert body.child_text(AirSyncBase.Truncated) == "1"
    assert len(body.child_text(AirSyncBase.Data) or "") <= 512


@pytest.mark.parametrize("version", ["14.0", "16.1"])
def test_a_conversation(new_phone: MakePhone, dovecot: Dovecot, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    root = threaded("question", "Message-ID: <root@x.test>")
    answer = threaded("Re: question", "Message-ID: <re@x.test>", "References: <root@x.test>")
    dovecot.deliver(phone.user, root, received=NOON)
    dovecot.deliver(phone.user, answer, "Archive", received=NOON + timedelta(hours=1))
    dovecot.deliver(phone.user, messages.plain("other"))
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    synced = phone.sync(inbox).added
    (identity,) = [
        data.find(Email2.ConversationId)
        for data in synced.values()
        if data.child_text(Email.Subject) == "question"
    ]
    assert identity is not None
    octets = identity.data()
    guid = uuid.UUID(bytes=octets)
    for value in (octets, f"{{{guid}}}", str(uuid.UUID(bytes_le=octets)), guid.hex):
        store = search(phone, both(kind("Email"), Element(Search.ConversationId, value)))
        assert subjects(store) == ["Re: question", "question"]
    conversation = Element(Search.ConversationId, octets)
    assert status(search(phone, both(conversation, conversation))) == "2"
    assert status(search(phone, both(Element(Search.ConversationId, "nonsense")))) == "2"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (element(Search.Query, words("plan")), "8"),
        (element(Search.Query, element(Search.And, words("a")), element(Search.And, words("b"))), "8"),
        (element(Search.Query, element(Search.And), kind("Email")), "8"),
        (element(Search.Query, "plan"), "2"),
        (element(Search.Query), "2"),
        (both(kind("Nonsense"), words("plan")), "2"),
        (both(words("a"), words("b")), "2"),
        (both(received(">", "yesterday"), words("a")), "2"),
        (both(element(Search.GreaterThan, element(Search.Value, "2026-03-04T12:00:00.000Z"))), "2"),
        (both(element(Email.Subject, "plan")), "2"),
        (both(words("isread:perhaps")), "2"),
        (both(words("x" * 1025)), "8"),
        (both(words("a " * 60)), "8"),
        (both(words("(" * 20)), "8"),
        (both(element(Search.Or, element(Search.Or, element(Search.Or, words("a"))))), "8"),
    ],
)
def test_queries_that_are_refused(phone: Phone, query: Element, expected: str) -> None:
    phone.folders()
    assert status(search(phone, query)) == expected


def test_stores_that_are_not_there(each_phone: Phone) -> None:
    each_phone.folders()
    link = element(
        Search.EqualTo, element(DocumentLibrary.LinkId), element(Search.Value, "\\\\server\\share")
    )
    assert status(search(each_phone, element(Search.Query, link), name="DocumentLibrary")) == "13"
    nameless = element(Search.EqualTo, element(Search.Value, "\\\\server\\share"))
    assert status(search(each_phone, element(Search.Query, nameless), name="DocumentLibrary")) == "2"
    assert status(search(each_phone, both(words("a")), name="Elsewhere")) == "2"
    assert status(search(each_phone)) == "2"


def test_wrong_options(phone: Phone) -> None:
    phone.folders()
    twice = options(body_preference(1), body_preference(1))
    assert status(search(phone, both(words("a")), twice)) == "2"
    part = element(AirSyncBase.BodyPartPreference, element(AirSyncBase.Type, 2))
    assert status(search(phone, both(words("a")), options(part))) == "2"


def test_requests_that_are_no_search(phone: Phone) -> None:
    phone.folders()
    for wrong in (
        element(Search.Search),
        element(Search.Search, element(Search.Store, both(words("a")))),
        element(ComposeMail.SendMail),
    ):
        root = phone.post("Search", wrong).root
        assert root.tag is Search.Search
        assert int(root.child_text(Search.Status) or 0) > 100


def test_a_search_that_takes_too_long(smtp_sink: SmtpSink, user: str) -> None:
    """The phone is told so when the time is over; later the same search is made again."""
    sections = {"eas": {"search_seconds": 1}}
    with Dovecot() as dovecot, Gateway(dovecot, smtp_sink, sections=sections) as gateway:
        fill(dovecot, user, "plan")
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        phone.folders()
        with dovecot.hanging():
            began = time.monotonic()
            store = search(phone, both(words("plan")))
            assert time.monotonic() - began < 20  # and not the half minute until it counts as lost
        assert status(store) == "10"
        eventually(lambda: subjects(search(phone, both(words("plan")))) == ["plan"])


def test_what_was_found_in_time(dovecot: Dovecot, smtp_sink: SmtpSink, user: str) -> None:
    """One folder never answers: the phone gets what is in the others, and is told that it is not all."""
    fill(dovecot, user, "plan one", "plan two")
    fill(dovecot, user, "plan three", mailbox="Archive")
    sections = {"eas": {"search_seconds": 3}}
    with (
        StallingWay(dovecot.host, dovecot.port, b'SELECT "Archive"') as way,
        Gateway(way, smtp_sink, sections=sections) as gateway,
    ):
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        phone.folders()
        asked = both(words("plan"))
        store = search(phone, asked, options(span="0-0"))
        assert way.stalled == 1
        assert status(store) == "10"
        assert (store.child_text(Search.Range), store.child_text(Search.Total)) == ("0-0", "2")
        (result,) = store.findall(Search.Result)
        assert result.find(Search.LongId) is not None
        page = search(phone, asked, options(span="1-1"))
        assert (status(page), len(page.findall(Search.Result)), way.stalled) == ("10", 1, 1)
        begin = search(phone, asked, options(span="0-0"))
        assert (status(begin), way.stalled) == ("10", 2)
        inbox = phone.folders()["Inbox"]
        phone.begin(inbox)
        assert len(phone.sync(inbox).added) == 2


def test_a_newer_search_ends_the_older_one(smtp_sink: SmtpSink, user: str) -> None:
    """While somebody types, only what he typed last is searched for."""
    with Dovecot() as dovecot, Gateway(dovecot, smtp_sink) as gateway, ThreadPoolExecutor() as pool:
        fill(dovecot, user, "plan", "planet")
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        phone.provision()
        phone.folders()
        assert subjects(search(phone, both(words("planet")))) == ["planet"]
        with dovecot.hanging():
            older = pool.submit(search, phone, both(words("pla")))
            eventually(lambda: gateway.metric('eas_requests_open{command="Search"}') == 1)
            newer = pool.submit(search, phone, both(words("plan")))
            again = pool.submit(search, phone, both(words("plan")), options(span="1-1"))
            assert status(older.result()) == "10"
            assert not newer.done()
        assert subjects(newer.result()) == ["planet", "plan"]
        assert subjects(again.result()) == ["plan"]
