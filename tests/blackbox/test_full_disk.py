"""The disk of the store full: it is told as a failure, nothing is acknowledged, and it goes on by itself."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.store.sqlite import SqliteState
from gateway.types import CollectionId, UserId
from tests.blackbox.test_notes import note, notes
from tests.blackbox.test_outage import ready
from tests.blackbox.test_sendmail import expected, mime, refused, send
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone, add, collections_of, commands
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import Element, element
from wbxml.pages import FolderHierarchy, Notes

_ROOM_FOR_THE_LOG = 1_000_000
"""Octets: the limit is one for every file of the process, of which the log is to stay below it."""


@contextmanager
def full_disk(gateway: Gateway) -> Iterator[None]:
    """No file of the gateway grows beyond what the log of its database has now, which it appends to."""
    asyncio.run(_lengthen(gateway))
    log = gateway.database.with_name(f"{gateway.database.name}-wal")
    size = log.stat().st_size
    assert size > len(gateway.log().encode()) + _ROOM_FOR_THE_LOG // 2
    _, hard = resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def _lengthen(gateway: Gateway) -> None:
    """Have another process write much to the store."""
    async with await SqliteState.open(gateway.database) as state:
        reason = "x" * _ROOM_FOR_THE_LOG
        await state.note_poison(UserId("somebody"), CollectionId("1"), "1:1", "0", reason)


def folder_create(key: str) -> Element:
    named = (element(FolderHierarchy.DisplayName, "New"), element(FolderHierarchy.Type, 12))
    parent = element(FolderHierarchy.ParentId, 0)
    return element(FolderHierarchy.FolderCreate, element(FolderHierarchy.SyncKey, key), parent, *named)


def test_nothing_is_acknowledged_that_is_not_stored(dovecot: Dovecot, user: str) -> None:
    with SmtpSink(auth=True) as sink, Gateway(dovecot, sink) as gateway:
        phone, other = (
            Phone(gateway.host, gateway.port, user, dovecot.password, device=name) for name in ("ONE", "TWO")
        )
        for each in (phone, other):
            each.provision()
        folder = notes(phone)
        assert notes(other) == folder
        key = phone.folder_sync().child_text(FolderHierarchy.SyncKey) or ""
        asked = phone.collection(folder, commands(add("c1", *note("Kept"))))
        with full_disk(gateway):
            for _ in range(2):
                (served,) = collections_of(phone.post_sync(asked).root)
                assert (served.status, served.key, served.responses) == ("5", phone.keys[folder], [])
                made = phone.post("FolderCreate", folder_create(key)).root
                assert made.child_text(FolderHierarchy.Status) == "6"
                assert refused(phone, send(phone, mime(phone))) == expected(phone, 111, 503)
            code, checks = ready(gateway)
            assert (code, checks["store"]) == (503, "failing")
            assert sink.received == []
        eventually(lambda: ready(gateway)[0] == 200)
        assert phone.post_sync(asked).code == 200
        assert phone.post("FolderCreate", folder_create(key)).root.child_text(FolderHierarchy.Status) == "1"
        assert send(phone, mime(phone)).empty
        send(phone, mime(phone))  # which is not sent twice
        assert len(sink.received) == 1
        told = other.sync(folder).added.values()
        assert [data.child_text(Notes.Subject) for data in told] == ["Kept"]
        assert "Traceback" not in gateway.log()
