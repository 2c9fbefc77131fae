"""Several processes behind one socket: each serves, one that dies is started again, all end together."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.test_whole_session import test_the_whole_session as whole_session
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway, GatewayFailed, Section
from tests.support.phone import Phone
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import PATIENCE


@pytest.fixture
def sections(postgres: Postgres) -> dict[str, Section]:
    return {"store": {"url": postgres.url(postgres.create())}, "eas": {"heartbeat_min": 1}}


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd hears."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.settimeout(PATIENCE)
        heard.bind(str(tmp_path / "notify"))
        yield heard


@pytest.fixture
def gateway(dovecot: Dovecot, sink: SmtpSink, sections: dict[str, Section]) -> Iterator[Gateway]:
    with Gateway(dovecot, sink, sections=sections, workers=2) as running:
        yield running


def workers(gateway: Gateway) -> set[int]:
    """The ids of its processes."""
    children = Path(f"/proc/{gateway.pid}/task/{gateway.pid}/children").read_text()
    return set(map(int, children.split()))


def ended(process: int) -> bool:
    """Whether it is gone, with all its threads: the last of them closes the socket it listened at."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        return len(tasks) == 1 and "\nState:\tZ" in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return True


def wait_for_the_end_of(*processes: int) -> None:
    while not all(map(ended, processes)):
        time.sleep(0.02)


def test_a_whole_session_whichever_process_serves(
    gateway: Gateway, dovecot: Dovecot, sink: SmtpSink, user: str
) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    whole_session(phone, dovecot, sink)
    before = workers(gateway)
    assert len(before) == 2
    sent = 'eas_requests_total{command="Provision",http="200",status="1",version="16.1"}'
    while gateway.metric(sent) != 2:  # whichever is asked, what both counted
        time.sleep(0.1)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_for_the_end_of(victim)
    assert phone.folders()
    while len(workers(gateway) - {victim}) < 2:
        time.sleep(0.02)
    assert phone.folders()
    everybody = workers(gateway)
    assert gateway.terminate() == 0
    wait_for_the_end_of(*everybody)
    assert {f"worker={number}" for number in (1, 2)} <= set(gateway.log().split())


@pytest.mark.parametrize("count", [1, 2])
def test_systemd_hears_when_it_serves(
    systemd: socket.socket, dovecot: Dovecot, sink: SmtpSink, sections: dict[str, Section], count: int
) -> None:
    with Gateway(dovecot, sink, sections=sections, workers=count):
        assert systemd.recv(100) == b"READY=1"


def test_none_is_left_when_their_parent_is_killed(gateway: Gateway) -> None:
    everybody = workers(gateway)
    gateway.kill()
    wait_for_the_end_of(*everybody)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:gateway.db", "--workers needs PostgreSQL"),
        ("postgresql://gateway@127.0.0.1:1/none", "the server cannot be reached"),
    ],
)
def test_what_cannot_start_says_so_and_ends(dovecot: Dovecot, sink: SmtpSink, url: str, said: str) -> None:
    broken = Gateway(dovecot, sink, sections={"store": {"url": url}}, workers=2)
    with pytest.raises(GatewayFailed, match=said):
        broken.start()
    broken.close()
