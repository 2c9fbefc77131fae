"""FolderSync for one device: keys that stay good over lost, late and repeated requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from gateway.errors import NotFound, UpstreamRefused
from gateway.ports import Mailboxes
from gateway.store.sqlite import SqliteState
from gateway.sync.cursor import MailCursor
from gateway.sync.folders import FolderReply, Folders
from gateway.sync.keys import KeyUse
from gateway.types import CollectionId, DeviceId, Mailbox, Role, SyncState, Uids, UserId
from gateway.types import Device as Partnership

PHONE = DeviceId("PHONE")
ROLES = (("INBOX", Role.INBOX), ("Drafts", Role.DRAFTS), ("Sent", Role.SENT), ("Trash", Role.TRASH))


class Names:
    """An upstream that has mailboxes, and nothing in them."""

    def __init__(self) -> None:
        self.mailboxes = [Mailbox(name, "/", role) for name, role in ROLES]
        self.ends: dict[str, tuple[int, int]] = {}
        self.asked: list[str] = []

    async def next_uid(self, mailbox: str) -> tuple[int, int]:
        self.asked.append(mailbox)
        if mailbox not in self.ends:
            raise NotFound(mailbox)
        return self.ends[mailbox]

    def rename(self, old: str, new: str) -> None:
        self.mailboxes = [Mailbox(new, "/") if mailbox.name == old else mailbox for mailbox in self.mailboxes]

    def add(self, name: str) -> None:
        self.mailboxes.append(Mailbox(name, "/"))

    async def list(self) -> Sequence[Mailbox]:
        return tuple(self.mailboxes)


class BelowInbox(Names):
    """One with nothing but an INBOX, that has no namespace to tell and allows names below INBOX alone."""

    def __init__(self) -> None:
        super().__init__()
        self.mailboxes = [Mailbox("INBOX", ".", Role.INBOX)]

    async def create(self, mailbox: str) -> None:
        if not mailbox.startswith("INBOX."):
            raise UpstreamRefused("no", "CANNOT")
        self.add(mailbox)


class Device:
    """What a device makes of the answers it hears."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self.key = "0"
        self.names: dict[str, str] = {}

    async def ask(self, key: str) -> FolderReply:
        """Ask; the answer is not heard."""
        return await self._folders.sync(PHONE, key)

    async def sync(self, key: str | None = None) -> KeyUse:
        key = self.key if key is None else key
        reply = await self.ask(key)
        if key == "0":
            self.names.clear()
        for row in (*reply.changes.added, *reply.changes.updated):
            self.names[row.id] = row.name
        for gone in reply.changes.deleted:
            del self.names[gone]
        self.key = reply.key
        return reply.use

    @property
    def own(self) -> set[str]:
        return {name for name in self.names.values() if name.startswith("X")}


@pytest.fixture
def upstream() -> Names:
    return Names()


@pytest.fixture
def device(state: SqliteState, upstream: Names) -> Device:
    return Device(Folders(state, cast("Mailboxes", upstream), UserId("ann")))


async def test_late_requests_with_key_0_take_no_key_away(device: Device, upstream: Names) -> None:
    await device.sync()
    upstream.add("X1")
    await device.ask(device.key)  # lost
    upstream.add("X2")
    await device.ask("0")  # a late copy of an old request
    upstream.add("X3")
    await device.ask("0")  # another one
    assert await device.sync() is KeyUse.REPLAY
    assert await device.sync() is KeyUse.CURRENT
    assert device.own == {"X1", "X2", "X3"}


async def test_every_lost_beginning_leaves_the_next_one_good(device: Device, upstream: Names) -> None:
    await device.sync()
    first = device.key
    for number in range(3):
        upstream.add(f"X{number}")
        await device.ask("0")
    upstream.add("X3")
    assert await device.sync("0") is KeyUse.INITIAL
    upstream.add("X4")
    await device.ask("0")
    upstream.add("X5")
    assert device.key != first
    assert await device.sync() is KeyUse.CURRENT
    assert device.own == {f"X{number}" for number in range(6)}
    assert (await device.ask(first)).use is KeyUse.UNKNOWN, "the new beginning was proven"


async def test_a_beginning_that_was_used_is_not_forgotten(device: Device, upstream: Names) -> None:
    await device.sync()
    upstream.add("X0")
    await device.sync("0")
    await device.sync()
    for number in range(1, 10):
        upstream.add(f"X{number}")
        await device.ask("0")
    assert await device.sync() is KeyUse.CURRENT
    assert device.own == {f"X{number}" for number in range(10)}


async def test_a_beginning_given_up_leaves_the_next_one_good(device: Device, upstream: Names) -> None:
    """A request with the key of the one before arrives between the answer to key 0 and the next request."""
    await device.sync()
    upstream.add("X0")
    given_up = await device.ask("0")
    upstream.add("X1")
    await device.sync("0")
    assert (await device.ask(given_up.key)).use is KeyUse.CURRENT
    assert await device.sync() is KeyUse.CURRENT
    assert device.own == {"X0", "X1"}


async def test_a_beginning_used_and_not_heard_is_used_again(device: Device, upstream: Names) -> None:
    await device.sync()
    upstream.add("X1")
    await device.sync("0")
    upstream.add("X2")
    lost = await device.ask(device.key)
    upstream.add("X3")
    assert await device.sync() is KeyUse.REPLAY
    assert device.key == lost.key
    assert device.own == {"X1", "X2"}
    await device.sync()
    assert device.own == {"X1", "X2", "X3"}


async def test_the_same_listing_has_the_same_key(device: Device, state: SqliteState, upstream: Names) -> None:
    await device.sync()
    first = device.key
    assert (await device.ask("0")).key == first
    upstream.add("X1")
    new = await device.ask("0")
    assert new.key != first
    before = await state.load_syncs(UserId("ann"), PHONE)
    assert (await device.ask("0")).key == new.key
    assert await state.load_syncs(UserId("ann"), PHONE) == before


async def test_beginnings_are_bounded(device: Device, state: SqliteState, upstream: Names) -> None:
    await device.sync()
    for number in range(40):
        upstream.add(f"X{number}")
        await device.ask("0")
    (stored,) = (await state.load_syncs(UserId("ann"), PHONE)).values()
    assert len(stored.beginnings) == 4


@pytest.mark.parametrize("key", ["1", "x.1", "", "0.0", "ffffffffffffffff.1"])
async def test_a_key_nobody_gave_out_is_unknown(device: Device, key: str) -> None:
    await device.sync()
    assert (await device.ask(key)).use is KeyUse.UNKNOWN
    assert await device.sync() is KeyUse.CURRENT


async def knows(state: SqliteState, device: Device, name: str, uidvalidity: int, uids: Uids) -> None:
    """Have the phone know some messages of a folder."""
    await state.save_device(Partnership(UserId("ann"), PHONE, "phone"))
    identity = CollectionId(next(found for found, called in device.names.items() if called == name))
    cursor = MailCursor(uidvalidity=uidvalidity, uids=uids)
    await state.save_sync(UserId("ann"), PHONE, identity, SyncState("e", 1, cursor.pack()))


@pytest.mark.parametrize(
    ("end", "same"),
    [((7, 4), True), ((7, 90), True), ((7, 3), False), ((8, 4), False), (None, False)],
    ids=["as it was", "with more mail", "ended before", "another UIDVALIDITY", "cannot be asked"],
)
async def test_a_rename_is_seen_where_list_tells_names_alone(
    end: tuple[int, int] | None, same: bool, device: Device, state: SqliteState, upstream: Names
) -> None:
    upstream.add("X1")
    await device.sync()
    before = {name: identity for identity, name in device.names.items()}
    await knows(state, device, "X1", 7, Uids([1, 3]))
    upstream.rename("X1", "X2")
    if end is not None:
        upstream.ends["X2"] = end
    await device.sync()
    after = {name: identity for identity, name in device.names.items()}
    assert device.own == {"X2"}
    assert (after["X2"] == before["X1"]) is same


async def test_of_two_that_could_be_the_one_neither_is(
    device: Device, state: SqliteState, upstream: Names
) -> None:
    upstream.add("X1")
    await device.sync()
    (old,) = (identity for identity, name in device.names.items() if name == "X1")
    await knows(state, device, "X1", 7, Uids([1]))
    upstream.rename("X1", "X2")
    upstream.add("X3")
    upstream.ends = {"X2": (7, 5), "X3": (7, 5)}
    await device.sync()
    assert device.own == {"X2", "X3"}
    assert old not in device.names


async def test_mailboxes_that_only_come_or_only_go_are_not_asked(device: Device, upstream: Names) -> None:
    await device.sync()
    upstream.add("X1")
    await device.sync()
    upstream.mailboxes.pop()
    await device.sync()
    assert upstream.asked == []


async def test_what_is_missing_is_created_where_the_server_allows_it(state: SqliteState) -> None:
    names = BelowInbox()
    await Folders(state, cast("Mailboxes", names), UserId("ann")).create_missing()
    assert [mailbox.name for mailbox in names.mailboxes] == [
        "INBOX",
        "INBOX.Drafts",
        "INBOX.Sent",
        "INBOX.Trash",
    ]
