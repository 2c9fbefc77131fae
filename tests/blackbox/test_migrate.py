"""The store moved to PostgreSQL and back: a phone that comes again finds nothing new, and all as it was."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.blackbox.test_calendar_sync import added, calendar
from tests.blackbox.test_sync_state import begun, read
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, change, commands, statuses
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from wbxml.pages import FolderHierarchy


@pytest.fixture
def gateway(dovecot: Dovecot, shared_sink: SmtpSink) -> Iterator[Gateway]:
    """One of the test's own, which it stops."""
    with Gateway(dovecot, shared_sink) as running:
        yield running


def moved(gateway: Gateway, old: str, new: str) -> None:
    """Have the gateway go on with a copy of its store."""
    assert gateway.terminate() == 0
    migrate = [sys.executable, "-m", "gateway", "migrate", "--config", str(gateway.config), "--to", new]
    done = subprocess.run(migrate, timeout=50, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    gateway.config.write_text(gateway.config.read_text().replace(old, new))
    gateway.start()


@pytest.mark.timeout(180)
def test_a_phone_notices_nothing(gateway: Gateway, dovecot: Dovecot, postgres: Postgres, user: str) -> None:
    phone = Phone(gateway.host, gateway.port, user, dovecot.password)
    phone.provision()
    inbox, mails = begun(phone, dovecot, 2)
    events = calendar(phone)
    event = added(phone, events, "one")["one"]
    folders = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
    first, second = f"sqlite://{gateway.database}", postgres.url(postgres.create())
    back = f"{first}.back"
    for number, (old, new) in enumerate(((first, second), (second, back))):
        moved(gateway, old, new)
        answer = phone.folder_sync(folders)
        assert answer.child_text(FolderHierarchy.Status) == "1"
        assert answer.child_text(FolderHierarchy.SyncKey) == folders
        for folder in (inbox, events):
            assert phone.post_sync(phone.collection(folder)).empty
        mail = list(mails.values())[number]
        seen = phone.sync(inbox, commands(change(mail, read(1))))
        assert (seen.status, statuses(seen)) == ("1", [])
        assert added(phone, events, f"after {number}")[f"after {number}"] != event
