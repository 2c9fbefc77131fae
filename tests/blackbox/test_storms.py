"""A phone in a loop: it is named, and put off, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Answer, Phone
from tests.support.smtp_sink import SmtpSink
from wbxml import element
from wbxml.pages import FolderHierarchy, Ping

BURST = 60
TURNS = 10


@pytest.fixture(scope="module")
def sections() -> Mapping[str, Section]:
    """A gateway that loses patience soon, and does not find it again while a test lasts."""
    return {"eas": {"heartbeat_min": 1}, "brakes": {"device_burst": BURST, "device_per_hour": 1}}


@pytest.mark.parametrize("version", ["12.1", "14.1", "16.1"])
def test_a_phone_that_pings_in_a_loop(
    shared_gateway: Gateway, new_phone: MakePhone, dovecot: Dovecot, version: str
) -> None:
    """It is told of news at once, does not fetch them, and asks again."""
    phone, tablet = new_phone(version), new_phone(version, device="TABLET1")
    for each in (phone, tablet):
        each.provision()
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    dovecot.deliver(phone.user, messages.plain("news"))
    watched = element(Ping.Folder, element(Ping.Id, inbox), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 25), element(Ping.Folders, watched))

    def ping() -> Answer:
        return phone.post("Ping", request)

    answers = [ping() for _ in range(BURST)]
    assert [answer.root.child_text(Ping.Status) for answer in answers if answer.code == 200].count("2") > 50
    assert {answer.code for answer in answers} == {200, 503}
    refused = ping()
    assert (refused.code, refused.body) == (503, b"")
    assert int(refused.headers["Retry-After"]) >= 30
    # All it asks is put off, and it is named once.
    assert phone.post_sync(phone.collection(inbox)).code == 503
    named = [line for line in shared_gateway.log().splitlines() if "device is slowed" in line]
    (line,) = [line for line in named if phone.user in line]
    assert phone.device in line
    assert "it asks without end" in line
    assert shared_gateway.metric("eas_requests_slowed_total") >= 2
    # Another one of the same user is served.
    tablet.folders()
    tablet.begin(inbox)
    assert len(tablet.sync(inbox).added) == 1


@pytest.fixture(scope="module")
def wary_gateway(dovecot: Dovecot, shared_sink: SmtpSink) -> Iterator[Gateway]:
    """One with the budgets there are by default, which recognises a loop after some turns."""
    brakes = {"loop_turns": TURNS, "loop_seconds": 0}
    with Gateway(dovecot, shared_sink, sections={"brakes": brakes}) as running:
        yield running


def test_a_slow_loop_is_recognised_by_what_comes_of_it(
    wary_gateway: Gateway, dovecot: Dovecot, user: str
) -> None:
    """A Ping that is told of a message, and a Sync of another folder in which there is nothing."""
    phone = Phone(wary_gateway.host, wary_gateway.port, user, dovecot.password, version="16.1")
    phone.provision()
    folders = phone.folders()
    inbox, drafts = folders["Inbox"], folders["Drafts"]
    for folder in (inbox, drafts):
        phone.begin(folder)
    dovecot.deliver(user, messages.plain("news"))
    watched = element(Ping.Folder, element(Ping.Id, inbox), element(Ping.Class, "Email"))
    request = element(Ping.Ping, element(Ping.HeartbeatInterval, 480), element(Ping.Folders, watched))
    codes: list[int] = []
    while 503 not in codes and len(codes) < 10 * TURNS:
        codes += [phone.post("Ping", request).code, phone.post_sync(phone.collection(drafts)).code]
    refused = [code for code in codes if code == 503]
    assert refused
    assert len(codes) - len(refused) > TURNS
    named = [line for line in wary_gateway.log().splitlines() if "device is slowed" in line]
    (line,) = [one for one in named if user in one]
    assert "again and again" in line
    # What is no part of a loop is served.
    assert phone.folder_sync().child_text(FolderHierarchy.Status) == "1"
