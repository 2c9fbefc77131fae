"""Folders a device changes: once, whatever is cut off between the mail server and the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from gateway.errors import AlreadyExists, Kind, NotFound, Refused, UpstreamRefused, UpstreamUnavailable
from gateway.ports import Mailboxes
from gateway.store.sqlite.state import SqliteState
from gateway.sync.folderchanges import Changed, FolderChanges
from gateway.sync.folders import Folders
from gateway.types import DeviceId, Mailbox, Role, UserId

ANN, PHONE = UserId("ann"), DeviceId("p")
ROLES = {"INBOX": Role.INBOX, "Drafts": Role.DRAFTS, "Sent": Role.SENT, "Trash": Role.TRASH}

Ask = Callable[[FolderChanges, str], Awaitable[Changed]]


class Upstream:
    """Mailboxes by name, of a server that tells no more. It is cut off after a change if told so."""

    def __init__(self) -> None:
        self.names = list(ROLES)
        self.made = 0
        self.cut = False
        self.refusal = ""

    def _change(self) -> None:
        self.made += 1
        if self.cut:
            self.cut = False
            raise UpstreamUnavailable("cut off")

    async def list(self) -> Sequence[Mailbox]:
        return [Mailbox(name, "/", ROLES.get(name)) for name in sorted(self.names)]

    async def next_uid(self, mailbox: str) -> tuple[int, int]:
        if mailbox not in self.names:
            raise NotFound(mailbox)
        return 1, 1

    async def create(self, mailbox: str) -> None:
        if self.refusal:
            raise UpstreamRefused("no", self.refusal)
        if mailbox not in self.names:
            self.names.append(mailbox)
        self._change()

    async def rename(self, mailbox: str, name: str) -> None:
        if self.refusal:
            raise UpstreamRefused("no", self.refusal)
        below = f"{mailbox}/"
        self.names = [
            name + each[len(mailbox) :] if each == mailbox or each.startswith(below) else each
            for each in self.names
        ]
        self._change()

    async def delete(self, mailbox: str) -> None:
        if mailbox not in self.names:
            raise NotFound(mailbox)
        self.names.remove(mailbox)
        self._change()


class Device:
    """A phone that is up to date, and acts on the folders of its user."""

    def __init__(self, state: SqliteState, upstream: Upstream) -> None:
        port = cast("Mailboxes", upstream)
        self.folders = Folders(state, port, ANN)
        self.changes = FolderChanges(state, port, ANN, PHONE)
        self.key = "0"

    async def sync(self) -> dict[str, str]:
        """The names told by FolderSync, by id; "" for what is gone."""
        reply = await self.folders.sync(PHONE, self.key)
        self.key = reply.key
        told: dict[str, str] = {row.id: row.name for row in (*reply.changes.added, *reply.changes.updated)}
        return {**told, **dict.fromkeys(reply.changes.deleted, "")}

    async def ids(self) -> dict[str | None, str]:
        known = await self.folders.all()
        return {folder.mailbox: folder.id for folder in known.folders if not folder.gone}

    async def do(self, ask: Ask) -> Changed:
        changed = await ask(self.changes, self.key)
        self.key = changed.key
        return changed


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def device(state: SqliteState, upstream: Upstream) -> Device:
    made = Device(state, upstream)
    await made.sync()
    await made.do(lambda changes, key: changes.create(key, "0", "One", 12))
    one = (await made.ids())["One"]
    await made.do(lambda changes, key: changes.create(key, one, "Below", 12))
    return made


CHANGES: dict[str, Callable[[str], Ask]] = {
    "create": lambda _: lambda changes, key: changes.create(key, "0", "New", 12),
    "update": lambda one: lambda changes, key: changes.update(key, one, "0", "New"),
    "delete": lambda one: lambda changes, key: changes.delete(key, one),
}


@pytest.mark.parametrize("looked", [False, True], ids=["at-once", "after-another-device-looked"])
@pytest.mark.parametrize("kind", CHANGES)
async def test_a_change_that_was_cut_off_is_found_by_its_repeat(
    device: Device, upstream: Upstream, kind: str, *, looked: bool
) -> None:
    before = await device.ids()
    ask = CHANGES[kind](before["One"])
    upstream.cut = True
    with pytest.raises(UpstreamUnavailable):
        await device.do(ask)
    if looked:
        await device.folders.refresh()
    made = upstream.made
    changed = await device.do(ask)
    assert upstream.made == made + (kind == "delete")  # of two mailboxes the second is still there
    after = await device.ids()
    if kind == "create":
        assert after == before | {"New": changed.folder}
    elif kind == "update":
        assert (after["New"], after["New/Below"]) == (before["One"], before["One/Below"])
    else:
        assert not {"One", "One/Below"} & after.keys()
    gone = {before["One/Below"]: ""} if kind == "delete" else {}
    assert await device.sync() == gone


@pytest.mark.parametrize("kind", CHANGES)
async def test_a_late_copy_changes_nothing(device: Device, upstream: Upstream, kind: str) -> None:
    ask, old = CHANGES[kind]((await device.ids())["One"]), device.key
    answer = await device.do(ask)
    made = upstream.made
    assert await ask(device.changes, old) == answer
    upstream.names.append("Elsewhere")
    await device.sync()
    with pytest.raises(Refused) as refused:  # two generations on
        await ask(device.changes, old)
    assert refused.value.kind is Kind.SYNC_STATE_NOT_FOUND
    assert upstream.made == made
    assert await device.sync() == {}


async def test_a_rename_that_was_refused_can_be_made_by_another(device: Device, upstream: Upstream) -> None:
    one = (await device.ids())["One"]
    upstream.refusal = "NOPERM"
    with pytest.raises(UpstreamRefused):
        await device.do(lambda changes, key: changes.update(key, one, "0", "New"))
    upstream.refusal = ""
    upstream.names.append("New")
    assert list((await device.sync()).values()) == ["New"]
    ids = await device.ids()
    assert (ids["One"], ids["New"]) == (one, ids["New"])
    assert one != ids["New"]
    with pytest.raises(AlreadyExists):
        await device.do(lambda changes, key: changes.update(key, one, "0", "New"))


async def test_a_name_that_never_works_is_malformed(device: Device, upstream: Upstream) -> None:
    upstream.refusal = "CANNOT"
    with pytest.raises(Refused) as refused:
        await device.do(lambda changes, key: changes.create(key, "0", "..", 12))
    assert refused.value.kind is Kind.INVALID_XML
