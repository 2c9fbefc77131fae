"""Folders a device changes: once, whatever is cut off between the mail server and the store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.app import SystemClock
from gateway.errors import AlreadyExists, Kind, NotFound, Refused, UpstreamRefused, UpstreamUnavailable
from gateway.items import ItemFolder, ItemKind, Right
from gateway.ports import Mailboxes
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.sync.folderchanges import Changed, FolderChanges
from gateway.sync.folders import Folders
from gateway.sync.itemfolders import SERVED
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

    def __init__(self, state: SqliteState, items: SqliteItems, upstream: Upstream) -> None:
        port = cast("Mailboxes", upstream)
        self.folders = Folders(state, port, ANN, items)
        self.changes = FolderChanges(state, port, items, ANN, PHONE)
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
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "gateway.db") as opened:
        yield opened


@pytest.fixture
def state(database: Database) -> SqliteState:
    return SqliteState(database)


@pytest.fixture
def items(database: Database) -> SqliteItems:
    return SqliteItems(database, SystemClock())


@pytest.fixture
def upstream() -> Upstream:
    return Upstream()


@pytest.fixture
async def device(state: SqliteState, items: SqliteItems, upstream: Upstream) -> Device:
    made = Device(state, items, upstream)
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


# --- folders of items --------------------------------------------------------------------------------------


CALENDAR = 13
DEFAULT_CALENDAR = 8


async def listed(device: Device) -> dict[str, tuple[str, str, int]]:
    """The folders of items as a phone that begins anew is told of them: parent, name and type by id."""
    reply = await device.folders.sync(DeviceId("other"), "0")
    rows = [row for row in reply.changes.added if row.id.startswith("i")]
    return {row.id: (row.parent, row.name, row.type) for row in rows}


async def test_a_phone_of_before_there_were_calendars_is_told_of_the_default_one(
    state: SqliteState, items: SqliteItems, upstream: Upstream
) -> None:
    port = cast("Mailboxes", upstream)
    before = await Folders(state, port, ANN).sync(PHONE, "0")
    after = await Folders(state, port, ANN, items).sync(PHONE, before.key)
    assert ("Calendar", DEFAULT_CALENDAR) in [(row.name, row.type) for row in after.changes.added]
    assert len(after.changes) == len(SERVED)


async def test_a_calendar_is_made_renamed_moved_and_deleted(device: Device) -> None:
    made = await device.do(lambda changes, key: changes.create(key, "0", "Family", CALENDAR))
    below = await device.do(lambda changes, key: changes.create(key, made.folder, "School", CALENDAR))
    await device.do(lambda changes, key: changes.update(key, made.folder, "0", "Home"))
    assert await device.sync() == {}
    told = await listed(device)
    assert told[made.folder] == ("0", "Home", CALENDAR)
    assert told[below.folder] == (made.folder, "School", CALENDAR)
    await device.do(lambda changes, key: changes.delete(key, made.folder))
    assert await device.sync() == {below.folder: ""}
    assert not {"Home", "School"} & {name for _, name, _ in (await listed(device)).values()}


async def test_a_calendar_is_made_once_however_often_it_is_asked_for(device: Device) -> None:
    key = device.key
    made = await device.changes.create(key, "0", "Family", CALENDAR)
    assert await device.changes.create(key, "0", "Family", CALENDAR) == made
    device.key = made.key
    with pytest.raises(AlreadyExists):
        await device.do(lambda changes, key: changes.create(key, "0", "FAMILY", CALENDAR))


async def test_a_calendar_made_before_the_answer_was_stored_is_found_by_the_repeat(
    device: Device, items: SqliteItems, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = items.create_item_folder

    async def cut_off(*args: Any) -> ItemFolder:
        await create(*args)
        raise UpstreamUnavailable("killed")

    with monkeypatch.context() as patched:
        patched.setattr(items, "create_item_folder", cut_off)
        with pytest.raises(UpstreamUnavailable):
            await device.changes.create(device.key, "0", "Family", CALENDAR)
    made = await device.do(lambda changes, key: changes.create(key, "0", "Family", CALENDAR))
    assert [name for _, name, _ in (await listed(device)).values()].count("Family") == 1
    assert (await listed(device))[made.folder] == ("0", "Family", CALENDAR)


async def test_a_calendar_deleted_before_the_answer_was_stored_is_found_gone_by_the_repeat(
    device: Device, items: SqliteItems
) -> None:
    made = await device.do(lambda changes, key: changes.create(key, "0", "Family", CALENDAR))

    async def dies(*_: Any, **__: Any) -> Any:
        raise UpstreamUnavailable("killed")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(device.changes._state, "save_sync", dies)
        with pytest.raises(UpstreamUnavailable):
            await device.changes.delete(device.key, made.folder)
    assert await items.item_folder(ANN, made.folder) is None
    await device.do(lambda changes, key: changes.delete(key, made.folder))
    assert await device.sync() == {}


@pytest.mark.parametrize(
    ("ask", "kind"),
    [
        (lambda d: lambda c, k: c.update(k, d, "0", "Mine"), Kind.DEFAULT_FOLDER),
        (lambda d: lambda c, k: c.delete(k, d), Kind.DEFAULT_FOLDER),
        (lambda d: lambda c, k: c.create(k, "i999", "New", CALENDAR), Kind.PARENT_NOT_FOUND),  # noqa: ARG005
        (lambda d: lambda c, k: c.create(k, "RI", "New", CALENDAR), Kind.RECIPIENT_CACHE),  # noqa: ARG005
        (lambda d: lambda c, k: c.create(k, d, "New", 12), Kind.DEFAULT_FOLDER),
        (lambda d: lambda c, k: c.create(k, "1", "New", CALENDAR), Kind.DEFAULT_FOLDER),  # noqa: ARG005
        (lambda d: lambda c, k: c.create(k, "0", "Calendar", CALENDAR), Kind.FOLDER_EXISTS),  # noqa: ARG005
        (lambda d: lambda c, k: c.delete(k, "i999"), Kind.ITEM_NOT_FOUND),  # noqa: ARG005
    ],
)
async def test_what_cannot_be_done_with_folders_of_items(
    device: Device, ask: Callable[[str], Ask], kind: Kind
) -> None:
    default = next(iter(await listed(device)))
    with pytest.raises(Refused) as refused:
        await device.do(ask(default))
    assert refused.value.kind is kind


async def test_a_calendar_is_not_moved_below_itself(device: Device) -> None:
    above = await device.do(lambda changes, key: changes.create(key, "0", "A", CALENDAR))
    below = await device.do(lambda changes, key: changes.create(key, above.folder, "B", CALENDAR))
    with pytest.raises(Refused) as refused:
        await device.do(lambda changes, key: changes.update(key, above.folder, below.folder, "A"))
    assert refused.value.kind is Kind.INVALID_XML


async def test_a_shared_calendar_is_shown_with_its_owner_who_alone_changes_it(
    device: Device, items: SqliteItems
) -> None:
    bob = UserId("bob@example.com")
    theirs = await items.provide_item_folder(bob, ItemKind.CALENDAR, "Calendar")
    await items.share_item_folder(theirs.id, ANN, Right.WRITE)
    assert await device.sync() == {theirs.id: "Calendar (bob@example.com)"}
    assert (await listed(device))[theirs.id] == ("0", "Calendar (bob@example.com)", CALENDAR)
    for ask in (
        lambda changes, key: changes.delete(key, theirs.id),
        lambda changes, key: changes.update(key, theirs.id, "0", "Mine"),
    ):
        with pytest.raises(Refused) as refused:
            await device.do(ask)
        assert refused.value.kind is Kind.ACCESS_DENIED
    await items.share_item_folder(theirs.id, ANN, None)
    assert await device.sync() == {theirs.id: ""}


async def test_a_calendar_and_a_mailbox_of_one_name_are_told_apart(
    device: Device, upstream: Upstream
) -> None:
    await device.sync()
    upstream.names.append("Calendar")
    assert sorted((await device.sync()).values()) == ["Calendar", "Calendar (2)"]
