"""The mail server down: at the start, in the middle, under a held Ping. Phones wait, and nothing is lost."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import pytest

from gateway.eas.commands.base import MOST_SENDING
from tests.blackbox.conftest import VERSIONS
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.held import SECONDS, Held
from tests.support.phone import Answer, Phone, change, collections_of, commands
from tests.support.smtp_sink import SmtpSink
from tests.support.stalling import StallingWay
from tests.support.waiting import PATIENCE, eventually
from wbxml import Element, element
from wbxml.pages import AirSync, ComposeMail, Email, FolderHierarchy, Ping

SENDING = 'eas_requests_open{command="SendMail"}'
HELD = 'eas_requests_open{command="Ping"}'


@pytest.fixture(scope="module")
def own_dovecot() -> Iterator[Dovecot]:
    """A server of this file's own, which is stopped and started."""
    with Dovecot() as server:
        yield server


@contextmanager
def serving(dovecot: Dovecot) -> Iterator[Gateway]:
    with SmtpSink(auth=True) as sink:
        sections = {"eas": {"heartbeat_min": 1}, "imap": {"timeout": 10, "poll_interval": 1}}
        with Gateway(dovecot, sink, sections=sections) as running:
            yield running


@pytest.fixture(scope="module")
def gateway(own_dovecot: Dovecot) -> Iterator[Gateway]:
    with serving(own_dovecot) as running:
        yield running


@pytest.fixture
def phone(gateway: Gateway, own_dovecot: Dovecot, user: str) -> Phone:
    return Phone(gateway.host, gateway.port, user, own_dovecot.password)


def ready(gateway: Gateway) -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(gateway.host, gateway.port, timeout=60)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    return answer.status, told["checks"]


def is_told_to_wait(answer: Answer) -> bool:
    return answer.code == 503 and int(answer.headers["Retry-After"]) > 0 and not answer.body


def when_served(post: Callable[[], Answer]) -> Answer:
    """The first answer that is not 503: after failures the gateway leaves the server alone for a moment."""
    deadline = time.monotonic() + PATIENCE
    while (answer := post()).code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return answer


def begin(phone: Phone) -> str:
    """Everything up to the first Sync of the INBOX; its id."""
    when_served(lambda: phone.raw("", method="OPTIONS"))
    phone.provision()
    when_served(lambda: phone.post("FolderSync", folder_sync()))
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    phone.sync(inbox)
    return inbox


def folder_sync() -> Element:
    return element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, 0))


def test_it_starts_without_the_mail_server_and_recovers(user: str) -> None:
    with closing(Dovecot()) as dovecot, serving(dovecot) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        code, checks = ready(gateway)
        assert code == 503
        assert checks["imap"] == "failing"
        assert is_told_to_wait(phone.raw("", method="OPTIONS"))
        for version in VERSIONS:
            phone.version = version
            assert is_told_to_wait(phone.post("FolderSync", folder_sync()))
        eventually(lambda: "cannot check credentials" in gateway.log())
        dovecot.start()
        begin(phone)
        eventually(lambda: ready(gateway)[0] == 200)


def test_an_outage_between_two_syncs(own_dovecot: Dovecot, phone: Phone) -> None:
    own_dovecot.deliver(phone.user, messages.plain("before"))
    inbox = begin(phone)
    phone.begin(inbox)
    (name,) = phone.sync(inbox).added
    own_dovecot.stop()
    asked = phone.collection(inbox, commands(change(name, element(Email.Read, 1))))
    assert is_told_to_wait(phone.post_sync(asked))
    assert is_told_to_wait(phone.post("FolderSync", folder_sync()))
    own_dovecot.restart()
    own_dovecot.deliver(phone.user, messages.plain("after"))
    (served,) = collections_of(when_served(lambda: phone.post_sync(asked)).root)
    assert served.status == "1"
    assert [data.child_text(Email.Subject) for data in served.added.values()] == ["after"]
    with own_dovecot.imap(phone.user) as imap:
        imap.select("INBOX")
        assert imap.search(None, "SEEN")[1] == [b"1"]


def ping(phone: Phone, inbox: str, interval: int) -> Answer:
    watched = element(Ping.Folder, element(Ping.Id, inbox), element(Ping.Class, "Email"))
    body = element(Ping.Ping, element(Ping.HeartbeatInterval, interval), element(Ping.Folders, watched))
    return phone.post("Ping", body, seconds=SECONDS)


def test_a_held_request_ends_in_time_while_the_mail_server_hangs(user: str) -> None:
    sections = {"eas": {"heartbeat_min": 1}}
    with Dovecot() as dovecot, SmtpSink() as sink, Gateway(dovecot, sink, sections=sections) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot.password)
        inbox = begin(phone)
        answers: list[Answer] = []
        ping(phone, inbox, 1)  # the watch stands now, and what is there is known
        held = threading.Thread(target=lambda: answers.append(ping(phone, inbox, 7)))
        held.start()
        eventually(lambda: gateway.metric(HELD) == 1)
        time.sleep(3)
        with dovecot.hanging():
            held.join()
            assert [answer.root.child_text(Ping.Status) for answer in answers] == ["1"]
            assert is_told_to_wait(ping(phone, inbox, 3))  # nothing could be compared
            held = threading.Thread(target=lambda: answers.append(ping(phone, inbox, 60)))
            held.start()
            eventually(lambda: gateway.metric(HELD) == 1)
            ended = time.monotonic()
            assert gateway.terminate() == 0
            held.join()
            assert len(answers) == 2
            assert answers[1].root.child_text(Ping.Status) == "1"
            assert time.monotonic() - ended < 20
        assert "Traceback" not in gateway.log()


@pytest.mark.parametrize("command", ["Ping", "Sync"])
def test_a_held_request_outlives_an_outage(own_dovecot: Dovecot, phone: Phone, command: str) -> None:
    inbox = begin(phone)

    def hold() -> Answer:
        if command == "Sync":
            wait = [element(AirSync.HeartbeatInterval, 60)]
            return phone.post_sync(phone.collection(inbox), more=wait, seconds=SECONDS)
        return ping(phone, inbox, 60)

    held = Held(phone, hold)
    own_dovecot.restart(down_seconds=1)
    assert not held.answers
    own_dovecot.deliver(phone.user, messages.plain("while it came back"))
    root = held.answer().root
    if command == "Ping":
        assert root.child_text(Ping.Status) == "2"
    else:
        assert any(one.tag is Email.Subject for one in root.iter())


class SilentSmtp(StallingWay):
    """An SMTP server that stops answering at the first command."""

    security = "none"
    auth = False

    def __init__(self, sink: SmtpSink) -> None:
        super().__init__(sink.host, sink.port, b"EHLO")


def letter(number: int) -> Element:
    mime = f"To: ben@example.test\r\nSubject: letter {number}\r\n\r\nHello\r\n"
    named = element(ComposeMail.ClientId, f"c-{number}")
    return element(ComposeMail.SendMail, named, element(ComposeMail.Mime, mime.encode()))


def test_mail_to_a_silent_smtp_server_does_not_pile_up(dovecot: Dovecot, user: str) -> None:
    with SmtpSink() as sink, SilentSmtp(sink) as silent, Gateway(dovecot, silent) as gateway:
        phone, other = (
            Phone(gateway.host, gateway.port, name, dovecot.password) for name in (user, f"{user}x")
        )
        for each in (phone, other):
            each.provision()
        with ThreadPoolExecutor(MOST_SENDING + 1) as pool:
            waiting = [pool.submit(phone.post, "SendMail", letter(one)) for one in range(MOST_SENDING)]
            eventually(lambda: gateway.metric(SENDING) == MOST_SENDING and silent.stalled == 1)
            assert not any(one.done() for one in waiting)
            answer = phone.post("SendMail", letter(99))
            assert answer.root.child_text(ComposeMail.Status) == "111"
            assert not any(one.done() for one in waiting)
            free = pool.submit(other.post, "SendMail", letter(1))  # another user may try
            eventually(lambda: silent.stalled == 2)
            assert not free.done()
            silent.close()
            told = {one.result().root.child_text(ComposeMail.Status) for one in (*waiting, free)}
            assert told == {"111"}
        assert not sink.received
