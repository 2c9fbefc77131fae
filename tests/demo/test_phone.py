"""The phone reads good answers, and complains of those no phone could go on with.

The answers come from a scripted HTTP server: what a gateway must never send cannot be had from the real one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gateway.demo.client import WBXML, Account, Client, PhoneError
from gateway.demo.items import Folder
from gateway.demo.phone import Phone
from wbxml import Element, decode, element, encode
from wbxml.pages import AirSync, AirSyncBase, ComposeMail, Email, FolderHierarchy, Ping, Provision

INBOX = Folder("5", "0", "Inbox", "2")


@dataclass(slots=True)
class Script:
    """Answers in order, and the requests that came."""

    answers: list[tuple[int, str, bytes]]
    requests: list[Element] = field(default_factory=list)
    policy_keys: list[str] = field(default_factory=list)


@contextmanager
def phone_with(*answers: Element | tuple[int, str, bytes] | None) -> Iterator[tuple[Phone, Script]]:
    """A phone whose gateway gives these answers; None is an empty one."""
    script = Script([answer if isinstance(answer, tuple) else _ok(answer) for answer in answers])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            script.requests.append(decode(body))
            script.policy_keys.append(self.headers["X-MS-PolicyKey"])
            status, content_type, data = script.answers.pop(0)
            self.send_response(status)
            if content_type:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        account = Account("127.0.0.1", server.server_address[1], "u", "p", "D1")
        yield Phone(Client(account)), script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _ok(answer: Element | None) -> tuple[int, str, bytes]:
    return (200, "", b"") if answer is None else (200, WBXML, encode(answer))


def sync(key: str, *content: Element, status: int = 1) -> Element:
    return element(
        AirSync.Sync,
        element(
            AirSync.Collections,
            element(
                AirSync.Collection,
                element(AirSync.SyncKey, key),
                element(AirSync.CollectionId, "5"),
                element(AirSync.Status, status),
                *content,
            ),
        ),
    )


def added(item: str, subject: str) -> Element:
    return element(
        AirSync.Add,
        element(AirSync.ServerId, item),
        element(
            AirSync.ApplicationData,
            element(Email.From, "ann@example.test"),
            element(Email.Subject, subject),
            element(Email.DateReceived, "2026-03-01T09:15:00.000Z"),
            element(Email.Read, 0),
            element(
                AirSyncBase.Attachments,
                element(
                    AirSyncBase.Attachment,
                    element(AirSyncBase.DisplayName, "a.pdf"),
                    element(AirSyncBase.FileReference, "5:1:2"),
                    element(AirSyncBase.EstimatedDataSize, 12),
                ),
            ),
            element(AirSyncBase.Body, element(AirSyncBase.Type, 1), element(AirSyncBase.Data, "one\r\n two")),
        ),
    )


MORE = element(AirSync.MoreAvailable)


def test_sync_goes_on_while_more_is_available() -> None:
    answers = [
        sync("1"),
        sync("2", MORE, element(AirSync.Commands, added("5:1", "first"))),
        sync("3", element(AirSync.Commands, added("5:2", "second"))),
    ]
    with phone_with(*answers) as (phone, script):
        changes = phone.sync(INBOX)
        keys = [
            node.text()
            for request in script.requests
            for node in request.iter()
            if node.tag is AirSync.SyncKey
        ]
        assert keys == ["0", "1", "2"]
        assert changes.added == ("5:1", "5:2")
        assert changes.rounds == 2
        mail = phone.collections["5"].mails["5:1"]
        assert (mail.subject, mail.preview, mail.files[0].name) == ("first", "one two", "a.pdf")
        assert phone.collections["5"].key == "3"


def test_sync_applies_changes_and_deletions() -> None:
    read = element(
        AirSync.Change,
        element(AirSync.ServerId, "5:1"),
        element(AirSync.ApplicationData, element(Email.Read, 1)),
    )
    gone = element(AirSync.Delete, element(AirSync.ServerId, "5:2"))
    left = element(AirSync.SoftDelete, element(AirSync.ServerId, "5:3"))
    adds = [added(f"5:{number}", "x") for number in (1, 2, 3)]
    answers = [
        sync("1"),
        sync("2", element(AirSync.Commands, *adds)),
        sync("3", element(AirSync.Commands, read, gone, left)),
    ]
    with phone_with(*answers) as (phone, _):
        phone.sync(INBOX)
        changes = phone.sync(INBOX)
        assert (changes.changed, changes.deleted) == (("5:1",), ("5:2", "5:3"))
        assert [(mail.id, mail.read) for mail in phone.mails(INBOX)] == [("5:1", True)]


def test_an_empty_sync_answer_means_no_change() -> None:
    with phone_with(sync("1"), None) as (phone, _):
        assert phone.sync(INBOX).rounds == 1
        assert phone.collections["5"].key == "1"


def test_provision_sends_the_temporary_key_back_and_keeps_the_permanent_one() -> None:
    def answer(key: str) -> Element:
        policy = element(
            Provision.Policy,
            element(Provision.PolicyType, "MS-EAS-Provisioning-WBXML"),
            element(Provision.Status, 1),
            element(Provision.PolicyKey, key),
        )
        return element(Provision.Provision, element(Provision.Status, 1), element(Provision.Policies, policy))

    with phone_with(answer("11"), answer("22")) as (phone, script):
        assert phone.provision() == "22"
        assert script.policy_keys == ["0", "11"]
        sent = [node.text() for node in script.requests[1].iter() if node.tag is Provision.PolicyKey]
        assert sent == ["11"]
        assert phone.client.policy_key == "22"


def test_ping_tells_changed_folders_or_none() -> None:
    changes = element(Ping.Ping, element(Ping.Status, 2), element(Ping.Folders, element(Ping.Folder, "5")))
    with phone_with(changes, element(Ping.Ping, element(Ping.Status, 1))) as (phone, _):
        assert phone.ping(INBOX) == ["5"]
        assert phone.ping(INBOX) == []


def _sync(phone: Phone) -> None:
    phone.sync(INBOX)


def _folder_sync(phone: Phone) -> None:
    phone.folder_sync()


def _send(phone: Phone) -> None:
    phone.send_mail("1", b"x")


FAILED_RESPONSE = element(
    AirSync.Responses,
    element(AirSync.Change, element(AirSync.ServerId, "5:1"), element(AirSync.Status, 8)),
)


@pytest.mark.parametrize(
    ("action", "answers", "complaint"),
    [
        (_folder_sync, [(401, "", b"")], "was answered 401 Unauthorized"),
        (_folder_sync, [(200, "text/html", b"<p>proxy</p>")], "answered with text/html"),
        (_folder_sync, [(200, WBXML, b"\x03\x01\x6a\x00\xff")], "cannot be read"),
        (_folder_sync, [None], "without a body"),
        (
            _folder_sync,
            [element(FolderHierarchy.FolderSync, element(FolderHierarchy.Status, 142))],
            "Status 142",
        ),
        (
            _folder_sync,
            [element(FolderHierarchy.FolderSync, element(FolderHierarchy.Status, 1))],
            "holds no SyncKey",
        ),
        (_sync, [sync("0", status=3)], "Status 3"),
        (_sync, [element(AirSync.Sync, element(AirSync.Status, 12))], "Status 12"),
        (_sync, [sync("1"), sync("1", MORE)], "more available but no new key"),
        (_sync, [sync("1"), sync("2", FAILED_RESPONSE)], "Change was answered with Status 8"),
        (_send, [element(ComposeMail.SendMail, element(ComposeMail.Status, 120))], "Status 120"),
    ],
)
def test_bad_answers_are_named(
    action: Callable[[Phone], None],
    answers: list[Element | tuple[int, str, bytes] | None],
    complaint: str,
) -> None:
    with phone_with(*answers) as (phone, _), pytest.raises(PhoneError, match=complaint):
        action(phone)


def test_a_dead_gateway_is_named() -> None:
    with phone_with() as (phone, _):
        pass
    with pytest.raises(PhoneError, match=r"FolderSync.*refused"):
        phone.folder_sync()
