"""What is read ahead with a device is what would be read, and never what may have changed under a lease."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

import pytest

from gateway.store.postgres import state
from gateway.types import CollectionId, Device, Folder, FolderList
from tests.ports.known import ANNA, BERT, PHONE, TABLET
from tests.support.stores import PostgresStore

T = TypeVar("T")
FOLDERS = (
    Folder(CollectionId("1"), "INBOX", "inbox", 7, "m1"),
    Folder(CollectionId("2"), "odd\0 \x1a \\ \" 'ü", gone=True, renaming="\0"),
    Folder(CollectionId("3"), None, "outbox"),
)


@pytest.fixture
async def known(here: PostgresStore) -> FolderList:
    """A device with memos, whose user has folders."""
    await here.state.save_device(Device(user=ANNA, id=PHONE, type="x"))
    await here.state.save_memo(ANNA, PHONE, "a\0", b"\0" * 100)
    await here.state.save_memo(ANNA, TABLET, "a\0", b"of another")
    return await here.state.save_folders(ANNA, FolderList(0, 4, FOLDERS))


async def test_it_is_what_is_stored(here: PostgresStore, known: FolderList) -> None:
    for _ in range(2):
        assert await here.state.load_device(ANNA, PHONE) == Device(user=ANNA, id=PHONE, type="x")
        for _ in range(2):  # read ahead, then asked for
            assert await here.state.load_folders(ANNA) == known
            assert await here.state.load_memo(ANNA, PHONE, "a\0") == b"\0" * 100
            assert await here.state.load_memo(ANNA, PHONE, "b") is None
            assert await here.state.load_memo(ANNA, TABLET, "a\0") == b"of another"
        assert await here.state.load_folders(BERT) == FolderList()


async def test_it_is_used_once_and_seldom_late(
    here: PostgresStore, there: PostgresStore, known: FolderList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "_FRESH_SECONDS", 3600)
    await here.state.load_device(ANNA, PHONE)
    assert await here.state.load_folders(ANNA) == known
    known = await _elsewhere(there.state.save_folders(ANNA, known))
    await _elsewhere(there.state.save_memo(ANNA, PHONE, "a\0", b"new"))
    assert await here.state.load_folders(ANNA) == known
    assert await here.state.load_memo(ANNA, PHONE, "a\0") == b"\0" * 100  # as at the request's beginning
    assert await here.state.load_memo(ANNA, PHONE, "a\0") == b"new"
    monkeypatch.setattr(state, "_FRESH_SECONDS", -1)
    await here.state.load_device(ANNA, PHONE)
    known = await _elsewhere(there.state.save_folders(ANNA, known))
    assert await here.state.load_folders(ANNA) == known


async def test_what_is_read_under_a_lease_is_read_then(
    here: PostgresStore, there: PostgresStore, known: FolderList
) -> None:
    await here.state.load_device(ANNA, PHONE)
    async with there.state.lease(ANNA, PHONE, "1"):
        waiting = asyncio.create_task(_under_lease(here, "a\0"))
        await _elsewhere(there.state.save_memo(ANNA, PHONE, "a\0", b"new"))
    assert await waiting == b"new"


async def test_a_request_sees_what_it_wrote(here: PostgresStore, known: FolderList) -> None:
    await here.state.load_device(ANNA, PHONE)
    await here.state.save_memo(ANNA, PHONE, "a\0", None)
    known = await here.state.save_folders(ANNA, known)
    assert await here.state.load_memo(ANNA, PHONE, "a\0") is None
    assert await here.state.load_folders(ANNA) == known


async def _elsewhere(work: Coroutine[Any, Any, T]) -> T:
    """What another request does."""
    return await asyncio.create_task(work, context=Context())


async def _under_lease(store: PostgresStore, name: str) -> bytes | None:
    async with store.state.lease(ANNA, PHONE, "1"):
        return await store.state.load_memo(ANNA, PHONE, name)
