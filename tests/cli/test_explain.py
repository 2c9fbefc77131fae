"""What `explain` says of a device that really synchronised, while its gateway goes on serving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.demo.client import Account, Client
from gateway.demo.phone import INBOX, Phone
from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, DeviceId, Move, UserId
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.smtp_sink import SmtpSink

DEVICE = "PHONE1"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def gateway(dovecot: Dovecot) -> Iterator[Gateway]:
    with (
        SmtpSink(auth=True) as sink,
        Gateway(dovecot, sink, sections={"eas": {"heartbeat_min": 1}}) as running,
    ):
        yield running


def test_a_device_that_synchronised(gateway: Gateway, dovecot: Dovecot, user: str) -> None:
    for _ in range(3):
        dovecot.deliver(user, messages.plain())
    phone = Phone(Client(Account(gateway.host, gateway.port, user, dovecot.password, DEVICE)))
    phone.provision()
    phone.folder_sync()
    inbox = phone.folder(INBOX)
    phone.sync(inbox)
    assert phone.ping(inbox, heartbeat=1) == []
    owner, collection = UserId(user), CollectionId(inbox.id)

    async def interrupt() -> None:
        """As if the gateway had died while it deleted and moved."""
        async with await SqliteState.open(gateway.database) as state:
            await state.save_intents(owner, DeviceId(DEVICE), collection, {"key 1:7": b""})
            move = Move(collection, 1, 7, CollectionId("99"), "likeness", 1, 1, NOON)
            await state.begin_moves(owner, DeviceId(DEVICE), [move])

    asyncio.run(interrupt())

    def explained(*args: str) -> str:
        result = CliRunner().invoke(main, ["explain", user, DEVICE, "--config", str(gateway.config), *args])
        assert result.exit_code == 0, result.output
        return result.output

    told = json.loads(explained("--json"))
    assert told["device"]["id"] == DEVICE
    assert told["folders"]["knows"] == f"{len(phone.folders)} folders"
    (one,) = told["collections"]
    assert (one["name"], one["key"]) == (inbox.name, phone.collections[inbox.id].key)
    assert one["knows"].startswith("3 messages since ")
    assert one["knows"].endswith("in step with the mailbox as last seen")
    assert one["intents"] == ["key 1:7"]
    assert told["moves"] == [f"message 7 of {inbox.name} to 99, begun 2026-01-02T12:00:00+00:00"]
    assert told["last_ping"] == {"heartbeat": 1, "folders": [inbox.name]}
    assert told["last_sync"]["collections"][0]["name"] == inbox.name
    lines = explained().splitlines()
    assert f"  {inbox.name}" in lines
    assert f"    key: {one['key']}" in lines
    assert {"device:", f"  id: {DEVICE}", f"  knows: {len(phone.folders)} folders"} <= {*lines}
    assert {"last ping:", "  heartbeat: 1", "last sync:"} <= {*lines}


def test_a_device_nobody_knows(gateway: Gateway) -> None:
    result = CliRunner().invoke(main, ["explain", "nobody", DEVICE, "--config", str(gateway.config)])
    assert result.exit_code == 2
    assert "nobody has no device" in result.stderr
