"""The disk of the store full: who comes is told to wait, nothing is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
import http.client
import json
import resource
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from functools import partial

import pytest

from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, UserId
from tests.blackbox.pages import PAGES
from tests.blackbox.test_autodiscover import ask
from tests.blackbox.test_calendar_sync import calendar, event, subjects
from tests.blackbox.test_failing_store import accepting, counted, invitation
from tests.blackbox.test_folder_changes import create, created
from tests.blackbox.test_moveitems import move
from tests.blackbox.test_outage import is_told_to_wait
from tests.blackbox.test_pages import Visitor
from tests.blackbox.test_ping import changed, folder, request
from tests.blackbox.test_sendmail import mime, send
from tests.blackbox.test_settings import device_information
from tests.blackbox.test_smart import smart, written
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Answer, Phone, add, commands, policy_request
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from tests.web.pages.support import fields_of
from wbxml import Element, element
from wbxml.pages import Email, FolderHierarchy, Move, Settings

_ROOM_FOR_THE_LOG = 1_000_000
"""Octets: the limit is one for every file of the process, of which the log is to stay below it."""
_FORM = "/account/app-passwords"


@contextmanager
def full_disk(gateway: Gateway) -> Iterator[None]:
    """No file of the gateway grows beyond what the log of its database has now, which it appends to."""
    asyncio.run(_lengthen(gateway))
    log = gateway.database.with_name(f"{gateway.database.name}-wal")
    size = log.stat().st_size
    assert size > len(gateway.log().encode()) + _ROOM_FOR_THE_LOG // 2
    _, hard = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def _lengthen(gateway: Gateway) -> None:
    """Have another process write much to the store."""
    async with await SqliteState.open(gateway.database) as state:
        reason = "x" * _ROOM_FOR_THE_LOG
        await state.note_poison(UserId("somebody"), CollectionId("1"), "1:1", "0", reason)


def machine_page(gateway: Gateway, path: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection(gateway.host, gateway.port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def folder_sync(key: str) -> Element:
    return element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, key))


def wishes(phone: Phone, dovecot: Dovecot, folders: Mapping[str, str]) -> Mapping[str, Callable[[], Answer]]:
    """What a phone wants that has to be stored, by command; to be asked for any number of times."""
    inbox, events = folders["Inbox"], calendar(phone)
    phone.begin(inbox)
    for message in (messages.plain("question"), messages.plain("to be moved"), invitation(phone)):
        dovecot.deliver(phone.user, message)
    told = phone.sync(inbox).added
    names = {data.child_text(Email.Subject): name for name, data in told.items()}
    key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    with dovecot.imap(phone.user) as imap:
        imap.create("Elsewhere")
    dovecot.deliver(phone.user, messages.plain("news"))  # which answers a Ping at once
    moved = element(Move.MoveItems, move(names["to be moved"], inbox, folders["Trash"]))
    model = device_information(element(Settings.Model, "Another"))
    return {
        "Sync": partial(
            phone.post_sync, phone.collection(events, commands(add("c1", *event(phone, "Kept"))))
        ),
        "FolderCreate": partial(phone.post, "FolderCreate", create(key, "0", "New")),
        "FolderSync": partial(phone.post, "FolderSync", folder_sync(key)),
        "SendMail": partial(send, phone, mime(phone)),
        "SmartReply": partial(
            smart, phone, "SmartReply", (inbox, names["question"]), written(phone), client_id="c-2"
        ),
        "MoveItems": partial(phone.post, "MoveItems", moved),
        "MeetingResponse": partial(phone.post, "MeetingResponse", accepting(phone, inbox, names["Team"])),
        "Settings": partial(phone.post, "Settings", element(Settings.Settings, model)),
        "Ping": partial(phone.post, "Ping", request(60, folder(inbox))),
        "Provision": partial(phone.post, "Provision", policy_request(information=None)),
    }


@pytest.fixture
def gateway(dovecot: Dovecot, sink: SmtpSink) -> Iterator[Gateway]:
    """One of a test's own, whose disk it fills."""
    with Gateway(dovecot, sink, sections=PAGES) as running:
        yield running
        assert "Traceback" not in running.log()


@pytest.mark.parametrize("version", ["12.1", "16.1"])
def test_nothing_is_acknowledged_that_is_not_stored(
    dovecot: Dovecot, sink: SmtpSink, gateway: Gateway, user: str, version: str
) -> None:
    phone, other = (
        Phone(gateway.host, gateway.port, user, dovecot.password, version=version, device=name)
        for name in ("ONE", "TWO")
    )
    for each in (phone, other):
        each.provision()
    asked = wishes(phone, dovecot, phone.folders())
    with full_disk(gateway):
        for _ in range(2):
            for command, post in asked.items():
                assert is_told_to_wait(post()), command
        assert sink.received == []
    for command, post in asked.items():
        for _ in range(2):
            assert post().code == 200, command
    folders = other.folders()
    assert {"New", "Elsewhere"} < folders.keys()
    assert subjects(other, folders["Calendar"]).keys() == {"Kept", "Team"}
    assert [counted(dovecot, phone, name) for name in ("INBOX", "Trash", "New")] == [2, 2, 0]
    # Of what phones send twice without a name, each is a message of its own.
    eventually(lambda: len(sink.received) == (3 if phone.number >= 16 else 4))


def test_who_needs_nothing_stored_is_served_and_others_are_told_why(
    dovecot: Dovecot, gateway: Gateway, user: str
) -> None:
    phone, other = (
        Phone(gateway.host, gateway.port, user, dovecot.password, device=name) for name in ("ONE", "TWO")
    )
    for each in (phone, other):
        each.provision()
        each.folder_sync()
    inbox = phone.folders()["Inbox"]
    for each in (phone, other):
        each.begin(inbox)
        each.sync(inbox)
    asked = partial(other.post, "Ping", request(300, folder(inbox)))
    dovecot.deliver(user, messages.plain("news"))
    assert changed(asked()) == [inbox]
    created(other, other.folder_sync().child_text(FolderHierarchy.SyncKey) or "", "0", "New")
    phone.folder_sync()
    phone.sync(inbox)
    browser = Visitor(gateway, user, dovecot.password)
    with closing(browser.client), ThreadPoolExecutor(1) as pool:
        form = fields_of(browser.page(_FORM), _FORM) | {"name": "A program"}
        held = pool.submit(phone.post, "Ping", request(300, folder(inbox)), seconds=90)
        eventually(lambda: gateway.metric("eas_requests_held") == 1)
        with full_disk(gateway):
            code, page = machine_page(gateway, "/readyz")
            assert (code, json.loads(page)["checks"]["store"]) == (503, "failing")
            assert "the disk may be full" in json.loads(page)["why"]["store"]
            assert machine_page(gateway, "/healthz") == (200, "ok")
            refused = browser.client.post(_FORM, data=form)
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
            assert browser.client.get("/account").status_code == 200
            path = f"/autodiscover/autodiscover.json/v1.0/{user}%40example.test?Protocol=ActiveSync"
            assert ask(gateway, "GET", path)[0] == 200
            assert changed(asked()) == [inbox]
            assert not held.done()
            while not held.done():  # until Dovecot tells of it
                dovecot.deliver(user, messages.plain("more news"))
                wait([held], 10)
            assert changed(held.result()) == [inbox]
        assert browser.client.post(_FORM, data=form).status_code < 400
    eventually(lambda: machine_page(gateway, "/readyz")[0] == 200)
