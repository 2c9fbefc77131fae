"""The SMTP sink records and fails as the tests rely on."""

from __future__ import annotations

import gc
import smtplib
import socket
from collections.abc import Iterator

import pytest

from tests.support.smtp_sink import Received, SmtpSink
from tests.support.tls import Certificate, make_certificate

DATA = b"Subject: one\r\n\r\nhello\r\n"
SENDER, RECIPIENTS = "a@example.test", ["b@example.test", "c@example.test"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as running:
        yield running


def send(sink: SmtpSink) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=60) as client:
        client.sendmail(SENDER, RECIPIENTS, DATA)


def test_it_records_envelope_and_bytes(sink: SmtpSink) -> None:
    send(sink)
    assert sink.received == [Received(SENDER, tuple(RECIPIENTS), DATA)]
    sink.clear()
    assert sink.received == []


@pytest.mark.parametrize(
    ("switch", "reply", "error"),
    [
        ("reply_mail", "451 4.3.0 later", smtplib.SMTPSenderRefused),
        ("reply_rcpt", "550 5.1.1 nobody", smtplib.SMTPRecipientsRefused),
        ("reply_data", "554 5.6.0 no", smtplib.SMTPDataError),
    ],
)
def test_it_refuses_on_demand(sink: SmtpSink, switch: str, reply: str, error: type[Exception]) -> None:
    setattr(sink.switches, switch, reply)
    with pytest.raises(error, match=reply[:3]):
        send(sink)
    assert sink.received == []


def test_it_refuses_single_recipients(sink: SmtpSink) -> None:
    sink.switches.reply_rcpt = "550 5.1.1 nobody"
    sink.switches.bad_recipients = frozenset({"c@example.test"})
    send(sink)
    assert sink.received[0].rcpt_tos == ("b@example.test",)


def test_it_dies_after_taking_the_message(sink: SmtpSink) -> None:
    sink.switches.die_after_data = True
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(sink)
    assert len(sink.received) == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_it_can_require_a_login(mechanism: str) -> None:
    with SmtpSink(auth=True) as sink:
        with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
            send(sink)
        with smtplib.SMTP(sink.host, sink.port, timeout=60) as client:
            client.ehlo()
            assert mechanism in client.esmtp_features["auth"]
            client.user, client.password = "ann", "wrong"
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            client.password = sink.password
            client.auth(mechanism, getattr(client, f"auth_{mechanism.lower()}"))
            client.sendmail(SENDER, RECIPIENTS, DATA)
        assert sink.received[0].login == "ann"


def test_starttls_is_required_where_offered(certificate: Certificate) -> None:
    with SmtpSink(security="starttls", auth=True, certificate=certificate) as sink:
        with pytest.raises(smtplib.SMTPException, match="530"):
            send(sink)
        with smtplib.SMTP("localhost", sink.port, timeout=60) as client:
            client.starttls(context=certificate.client_context())
            client.login("ann", sink.password)
            client.sendmail(SENDER, RECIPIENTS, DATA)
        assert sink.received[0].login == "ann"


def test_tls_from_the_first_byte(certificate: Certificate) -> None:
    with SmtpSink(security="tls", certificate=certificate) as sink:
        with smtplib.SMTP_SSL(
            "localhost", sink.port, context=certificate.client_context(), timeout=60
        ) as client:
            client.sendmail(SENDER, RECIPIENTS, DATA)
        assert len(sink.received) == 1


@pytest.mark.parametrize("greeted", [False, True])
def test_it_ends_with_all_its_connections(greeted: bool) -> None:
    for _ in range(10):  # a client is in another state of being taken each time
        with SmtpSink() as sink, socket.create_connection((sink.host, sink.port), timeout=60) as client:
            assert not greeted or client.recv(3) == b"220"
    gc.collect()  # complains of what was left open
