"""Two gateways on one PostgreSQL, and phones that come to the one and to the other."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection

import pytest

from gateway.store.postgres.schema import migrations
from tests.blackbox.test_calendar_sync import added, calendar, subjects
from tests.blackbox.test_folder_changes import created
from tests.blackbox.test_outage import is_told_to_wait
from tests.blackbox.test_ping import changed, folder, ready, request, told
from tests.blackbox.test_whole_session import test_the_whole_session as whole_session
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, GatewayFailed, Section
from tests.support.phone import Answer, Phone
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import element
from wbxml.pages import AirSync, FolderHierarchy, Ping

HELD = "eas_requests_held"


@dataclass(slots=True)
class Roaming(Phone):
    """A phone whose every request comes to the next of several gateways."""

    ports: Iterator[int] = field(default_factory=lambda: iter(()))

    def connection(self, seconds: float = 90) -> HTTPConnection:
        self.port = next(self.ports)
        return super(Roaming, self).connection(seconds)


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A PostgreSQL of this file's own, which a test stops."""
    with Postgres() as running:
        yield running


@pytest.fixture(scope="module")
def sections(server: Postgres) -> dict[str, Section]:
    """With a database that is empty at first."""
    return {"store": {"url": server.url(server.create())}, "eas": {"heartbeat_min": 1}}


@pytest.fixture(scope="module")
def nodes(
    dovecot: Dovecot, shared_sink: SmtpSink, sections: dict[str, Section]
) -> Iterator[tuple[Gateway, Gateway]]:
    """Both started at once."""
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        made = [Gateway(dovecot, shared_sink, sections=sections) for _ in range(2)]
        for node in made:
            stack.callback(node.close)
        list(pool.map(Gateway.start, made))
        yield made[0], made[1]


@pytest.fixture
def phones(nodes: tuple[Gateway, Gateway], dovecot: Dovecot, user: str) -> tuple[Phone, Phone]:
    """Two phones of a user, each at a gateway of its own."""
    made = [
        Phone(node.host, node.port, user, dovecot.password, device=f"PHONE{number}")
        for number, node in enumerate(nodes, 1)
    ]
    for phone in made:
        phone.provision()
    return made[0], made[1]


def readiness(node: Gateway) -> tuple[int, dict[str, dict[str, str]]]:
    """What /readyz says."""
    with closing(HTTPConnection(node.host, node.port, timeout=60)) as connection:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


class Held:
    """A request under way at a gateway, which holds it by now."""

    def __init__(self, node: Gateway, ask: Callable[[], Answer]) -> None:
        self._answers: list[Answer] = []
        self._thread = threading.Thread(target=lambda: self._answers.append(ask()))
        self._thread.start()
        while node.metric(HELD) < 1:
            assert self._thread.is_alive()
            time.sleep(0.05)

    def answer(self) -> Answer:
        self._thread.join()
        (answer,) = self._answers
        return answer


class Waiting(Held):
    """A Ping."""

    def __init__(self, node: Gateway, phone: Phone, *folders: tuple[str, str]) -> None:
        body = request(900, *(folder(identity, kind) for identity, kind in folders))
        super().__init__(node, lambda: phone.post("Ping", body, seconds=90))


class Syncing(Held):
    """A Sync that waits."""

    def __init__(self, node: Gateway, phone: Phone, collection: str) -> None:
        asked, wait = phone.collection(collection), element(AirSync.HeartbeatInterval, 900)
        super().__init__(node, lambda: phone.post_sync(asked, more=[wait], seconds=90))


@pytest.mark.parametrize(
    ("user", "database", "said"),
    [
        ("nobody", "postgres", "the server does not let us in: check user and password in store.url"),
        ("gateway", "none", "there is no such database: create it, or change store.url"),
    ],
)
def test_a_store_that_cannot_be_opened_is_told_in_one_line(
    server: Postgres, dovecot: Dovecot, shared_sink: SmtpSink, user: str, database: str, said: str
) -> None:
    sections: dict[str, Section] = {"store": {"url": server.url(database, user=user)}}
    made = Gateway(dovecot, shared_sink, sections=sections)
    with closing(made), pytest.raises(GatewayFailed) as caught:
        made.start()
    lines = [line for line in str(caught.value).splitlines() if "[error" in line]
    assert said in lines[0]
    assert ["Application startup failed" in line for line in lines] == [False, True]
    assert "Traceback" not in str(caught.value)


def test_a_whole_session_of_a_phone_that_roams(
    nodes: tuple[Gateway, Gateway], dovecot: Dovecot, sink: SmtpSink, user: str
) -> None:
    ports = itertools.cycle(node.port for node in nodes)
    phone = Roaming(nodes[0].host, 0, user, dovecot.password, ports=ports)
    phone.provision()
    whole_session(phone, dovecot, sink)


def test_an_event_added_at_one_ends_a_ping_at_the_other(
    nodes: tuple[Gateway, Gateway], phones: tuple[Phone, Phone]
) -> None:
    here, there = phones
    events = calendar(here)
    calendar(there)
    held = Waiting(nodes[1], there, (events, "Calendar"))
    added(here, events, "one")
    assert changed(held.answer()) == [events]
    assert set(subjects(there, events)) == {"one"}


def test_a_folder_made_at_one_ends_a_ping_at_the_other(
    nodes: tuple[Gateway, Gateway], phones: tuple[Phone, Phone]
) -> None:
    here, there = phones
    key = here.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    (inbox,) = ready(there, "Inbox")
    held = Waiting(nodes[1], there, (inbox, "Email"))
    created(here, key, "0", "Made")
    assert told(held.answer()) == [("Status", "7")]
    assert "Made" in there.folders()


def test_a_device_that_is_blocked_is_told_at_once(
    nodes: tuple[Gateway, Gateway], phones: tuple[Phone, Phone]
) -> None:
    _, there = phones
    (inbox,) = ready(there, "Inbox")
    held = Waiting(nodes[1], there, (inbox, "Email"))
    block = [sys.executable, "-m", "gateway", "devices", "block", there.user, there.device]
    subprocess.run([*block, "--config", str(nodes[0].config)], check=True, timeout=60, capture_output=True)
    held.answer()
    assert there.post("Ping", request(60, folder(inbox))).root.child_text(Ping.Status) == "129"


def test_a_ping_outlives_the_database(
    server: Postgres, nodes: tuple[Gateway, Gateway], phones: tuple[Phone, Phone], dovecot: Dovecot
) -> None:
    """What came meanwhile is told once the store can be asked about it."""
    _, there = phones
    (inbox,) = ready(there, "Inbox")
    held = Waiting(nodes[1], there, (inbox, "Email"))
    server.stop()
    try:
        dovecot.deliver(there.user, messages.plain("news"))
        eventually(lambda: "nobody tells what others change" in nodes[1].log())
        assert nodes[1].metric(HELD) == 1
    finally:
        server.start()
    assert changed(held.answer()) == [inbox]


def test_the_database_away_and_back(
    server: Postgres, nodes: tuple[Gateway, Gateway], phones: tuple[Phone, Phone]
) -> None:
    """Phones are asked to come again, the gateway says why, and goes on by itself."""
    here, _ = phones
    (inbox,) = ready(here, "Inbox")
    server.stop()
    try:
        answer = here.post_sync(here.collection(inbox))
        assert answer.code == 503
        assert int(answer.headers["Retry-After"]) > 0
        code, page = readiness(nodes[0])
        assert (code, page["checks"]["store"]) == (503, "failing")
        assert page["why"]["store"].startswith("the server cannot be reached")
        assert "the server cannot be reached" in nodes[0].log()
    finally:
        server.start()
    assert here.sync(inbox).status == "1"


def test_a_schema_beyond_what_a_release_knows_is_left_alone(
    server: Postgres,
    nodes: tuple[Gateway, Gateway],
    phones: tuple[Phone, Phone],
    dovecot: Dovecot,
    sink: SmtpSink,
    sections: dict[str, Section],
) -> None:
    """As after an upgrade of another node that left a release out; who is to be started says so and ends."""
    here, _ = phones
    (inbox,) = ready(here, "Inbox")
    database = str(sections["store"]["url"]).rpartition("/")[2]
    newer, said = migrations()[-1].number + 1, "written by a newer gateway"
    insert = "INSERT INTO migration (number, name, sha256, works_with) VALUES"
    server.query(f"{insert} ({newer}, 'newer', '', {newer})", database)
    try:
        with (
            closing(Gateway(dovecot, sink, sections=sections)) as another,
            pytest.raises(GatewayFailed) as caught,
        ):
            another.start()
        (line,) = [line for line in str(caught.value).splitlines() if "[error" in line and said in line]
        assert f"(schema {newer}, this one knows {newer - 1}): upgrade the gateway" in line
        assert "Traceback" not in str(caught.value)
        eventually(lambda: readiness(nodes[0])[1].get("why", {}).get("store", "").startswith(said))
        eventually(lambda: is_told_to_wait(here.post_sync(here.collection(inbox))))
    finally:
        server.query("DELETE FROM migration WHERE name = 'newer'", database)
    eventually(lambda: all(readiness(node)[0] == 200 for node in nodes))
    assert here.sync(inbox).status == "1"


def test_a_newer_request_at_one_ends_what_waits_at_the_other(
    nodes: tuple[Gateway, Gateway], phones: tuple[Phone, Phone]
) -> None:
    """To and fro, as a phone comes behind a proxy that does not care; a Sync by one that does not wait."""
    there = phones[1]
    (inbox,) = ready(there, "Inbox")
    here = replace(there, port=nodes[0].port)
    held = Waiting(nodes[1], there, (inbox, "Email"))
    for node, phone in ((nodes[0], here), (nodes[1], there), (nodes[0], here)):
        newer = Waiting(node, phone, (inbox, "Email"))
        assert told(held.answer()) == [("Status", "1")]
        held = newer
    assert told(there.post("Ping", request(1, folder(inbox)))) == [("Status", "1")]
    assert told(held.answer()) == [("Status", "1")]
    for node, phone, other in ((nodes[0], here, there), (nodes[1], there, here)):
        syncing = Syncing(node, phone, inbox)
        assert other.post_sync(other.collection(inbox)).empty
        assert syncing.answer().empty
