"""A gateway process for the tests of each file, and phones of a fresh user to speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.blackbox.meeting import Person
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, Section
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink, delivering

VERSIONS = ("12.0", "12.1", "14.0", "14.1", "16.0", "16.1")

MakePhone = Callable[..., Phone]
MakePerson = Callable[..., Person]


@pytest.fixture(scope="module")
def shared_sink() -> Iterator[SmtpSink]:
    with SmtpSink(auth=True) as running:
        yield running


@pytest.fixture(scope="module")
def sections() -> Mapping[str, Section]:
    """What is configured of the shared gateway; a file of tests that needs other things has its own."""
    return {
        "eas": {
            "heartbeat_min": 1,
            "heartbeat_max": 3540,
            "max_ping_folders": 20,
            "max_collections": 30,
            "max_body": 1 << 20,
        }
    }


@pytest.fixture(scope="module")
def shared_gateway(
    dovecot: Dovecot, shared_sink: SmtpSink, sections: Mapping[str, Section]
) -> Iterator[Gateway]:
    """Not for the whole session: it keeps connections for every user, and each is a process of Dovecot's."""
    with Gateway(dovecot, shared_sink, sections=sections) as running:
        yield running


@pytest.fixture
def sink(shared_sink: SmtpSink) -> SmtpSink:
    shared_sink.clear()
    return shared_sink


@pytest.fixture
def new_phone(shared_gateway: Gateway, dovecot: Dovecot, user: str) -> MakePhone:
    """Makes phones of the test's user that have nothing yet, not even a policy key."""

    def make(version: str = "16.1", *, device: str = "PHONE1", packed: bool = False) -> Phone:
        return Phone(
            shared_gateway.host,
            shared_gateway.port,
            user,
            dovecot.password,
            version=version,
            device=device,
            packed=packed,
        )

    return make


@pytest.fixture(scope="module")
def post(dovecot: Dovecot) -> Iterator[SmtpSink]:
    """An SMTP server that delivers what users send each other."""
    with SmtpSink(auth=True, deliver=delivering(dovecot)) as running:
        yield running


@pytest.fixture(scope="module")
def meeting_gateway(dovecot: Dovecot, post: SmtpSink) -> Iterator[Gateway]:
    """A gateway whose users get the mail they send each other."""
    with Gateway(dovecot, post, sections={"eas": {"heartbeat_min": 1}}) as running:
        yield running


@pytest.fixture
def person(meeting_gateway: Gateway, dovecot: Dovecot, post: SmtpSink) -> MakePerson:
    """Makes people with phones of a version."""

    def make(name: str, version: str = "16.1") -> Person:
        return Person(name, version, meeting_gateway, dovecot, post)

    return make


def _provisioned(new_phone: MakePhone, version: str) -> Phone:
    phone = new_phone(version, packed=version in {"12.1", "14.1", "16.1"})
    phone.provision()
    return phone


@pytest.fixture(params=VERSIONS)
def each_phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    """A provisioned phone of each version; every second one uses the base64 query."""
    return _provisioned(new_phone, request.param)


@pytest.fixture(params=("12.1", "14.0", "16.1"))
def some_phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    """A provisioned phone of each generation, for what differs between generations at most."""
    return _provisioned(new_phone, request.param)


@pytest.fixture
def phone(new_phone: MakePhone) -> Phone:
    """A provisioned phone of the newest version."""
    made = new_phone()
    made.provision()
    return made


@pytest.fixture
def other(new_phone: MakePhone) -> Phone:
    """A second phone of the user."""
    made = new_phone(device="PHONE2")
    made.provision()
    return made


@pytest.fixture
def guest(shared_gateway: Gateway, dovecot: Dovecot, user: str) -> Phone:
    """A phone of another user."""
    made = Phone(shared_gateway.host, shared_gateway.port, f"guest-{user}", dovecot.password)
    made.provision()
    return made
