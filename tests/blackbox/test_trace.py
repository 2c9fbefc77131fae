"""`activesync-gateway trace` beside a gateway that serves."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone

SECRET = "What nobody else is to read"


def command(gateway: Gateway, *args: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "trace", *args, "--config", str(gateway.config)]


@contextmanager
def traced(gateway: Gateway, *args: str) -> Iterator[subprocess.Popen[str]]:
    """The command, until it is interrupted as by Ctrl-C, which is ignored by what runs in the background."""
    heeding = ["env", "--default-signal=INT", *command(gateway, *args)]
    with subprocess.Popen(heeding, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)


def test_what_a_phone_asks_is_shown_as_it_happens(
    shared_gateway: Gateway, phone: Phone, dovecot: Dovecot
) -> None:
    dovecot.deliver(phone.user, messages.plain(SECRET))
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    with traced(shared_gateway, phone.user, phone.device, "--json") as process:
        assert process.stdout is not None
        while not select.select([process.stdout], [], [], 0.2)[0]:
            phone.folder_sync()  # until somebody looks
        phone.sync(inbox)
        told: list[dict[str, Any]] = []
        while not any(one["command"] == "Sync" and one["kind"] == "reply" for one in told):
            told.append(json.loads(process.stdout.readline()))
    assert process.returncode == 0
    sync = [one for one in told if one["command"] == "Sync"]
    assert [one["kind"] for one in sync] == ["request", "reply"]
    assert (sync[1]["http"], sync[1]["user"], sync[1]["device"]) == (200, phone.user, phone.device)
    assert "<Commands>" in sync[1]["document"]
    assert "Subject" in sync[1]["document"]
    assert SECRET not in json.dumps(told)
    assert dovecot.password not in json.dumps(told)
    again = subprocess.run(
        command(shared_gateway, phone.user, "--show"), check=True, capture_output=True, text=True
    )
    assert f"< {phone.device} Sync 16.1 http 200\n" in again.stdout
    assert "<Commands>" in again.stdout
