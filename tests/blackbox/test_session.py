"""A phone's whole session against the gateway process and a real Dovecot, with and without its extensions."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from gateway.demo.client import Account, Client
from gateway.demo.phone import Phone
from gateway.demo.samples import samples
from gateway.demo.session import Session
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.smtp_sink import SmtpSink


@pytest.mark.parametrize("profile", ["dovecot", "dovecot_bare"])
def test_every_step_passes(
    profile: str, user: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    dovecot: Dovecot = request.getfixturevalue(profile)
    address = f"{user}@example.test"
    for sample in samples(datetime.now(UTC)):
        dovecot.deliver(address, sample.message, sample.mailbox, flags=sample.flags, received=sample.received)

    with (
        SmtpSink(auth=True, deliver=lambda message: dovecot.deliver(address, message.data)) as sink,
        Gateway(
            dovecot, sink, sections={"identity": {"email": "{user}"}, "imap": {"poll_interval": 1}}
        ) as gateway,
    ):
        phone, second = (
            Phone(Client(Account(gateway.host, gateway.port, address, dovecot.password, device)))
            for device in ("PHONE1", "PHONE2")
        )
        session = Session(phone, second, address, lambda: len(sink.received))
        passed = session.play()
        assert passed, capsys.readouterr().out + gateway.log()


def test_the_demo_ends_with_status_0() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "demo", "--once"],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 of 13 steps passed" in done.stdout
    assert done.stderr == ""
