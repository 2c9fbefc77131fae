"""Notices: each is mailed once wherever it breaks off, and given up only when nobody will ever take it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.errors import GatewayError, Kind, NotFound, Refused, SubmissionError, UpstreamUnavailable
from gateway.items import Edit, FileNumber, ItemKind, Notice, NoticeFile, StoredItem
from gateway.mail import imip
from gateway.mail.addresses import Address
from gateway.mail.imip import SchedulingMail
from gateway.mail.pieces import Joined, pieces
from gateway.ports import Bus, Commit, Mailboxes, NoOthers, Pieces, State
from gateway.store.spool import FileSpool
from gateway.store.sqlite import Database, SqliteItems, SqliteState
from gateway.sync.background import Background
from gateway.sync.delivery import Postman
from gateway.sync.notices import MEMORY, NoticeMail
from gateway.sync.outbox import Outbox
from gateway.sync.taken import Taken
from gateway.types import NO_DEVICE, OutboxEntry, OutboxStage, Password, Principal, Uids, UserId
from tests.support.buses import Line
from tests.support.killed import Fuse, Killed
from tests.support.notices import pending_notices

BOB = Principal(UserId("bob"), "bob@example.test", Password("bob", "pw"))
ANN, CID, DAN = "ann@example.test", "cid@example.test", "dan@example.test"
START = datetime(2026, 3, 1, tzinfo=UTC)
PATIENCE = timedelta(days=5)


def notice(key: str = "n1", *recipients: str) -> Notice:
    to = recipients or (ANN,)
    mail = SchedulingMail(
        Address("Bob", BOB.email), tuple(Address("", one) for one in to), "Planning", "text", START, key
    )
    return Notice(key, to, imip.write(mail))


def about(event: str, key: str, *recipients: str) -> Notice:
    """One of an event."""
    lines = (
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        f"UID:{event}",
        f"SUMMARY:{key}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    calendar = "\r\n".join((*lines, ""))
    to = tuple(Address("", one) for one in recipients)
    mail = SchedulingMail(Address("Bob", BOB.email), to, key, "", START, key, "REQUEST", calendar)
    return Notice(key, recipients, imip.write(mail), event)


@dataclass
class Server:
    """The mail server: what it took, what it holds, and what goes wrong next."""

    taken: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    boxes: dict[str, list[bytes]] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    busy: frozenset[str] = frozenset()
    most: int = 100
    at_once: int = 1000
    error: SubmissionError | None = None
    largest: int = 100_000_000
    lose_copies: bool = False
    die: str = ""

    async def submit(
        self, principal: Principal, sender: str, recipients: Sequence[str], message: bytes | Pieces
    ) -> None:
        assert sender == BOB.email
        if self.error is not None:
            raise self.error
        if len(recipients) > self.most:
            raise SubmissionError("452 4.5.3", kind=Kind.SEND_QUOTA_EXCEEDED)
        if len(recipients) > self.at_once:
            left = dict.fromkeys(recipients[self.at_once :], False)
            raise SubmissionError("452 4.5.3", kind=Kind.SEND_QUOTA_EXCEEDED, refused=left)
        named = {one: one in self.refused for one in recipients if one in self.refused | self.busy}
        if named:
            first = next(iter(named.values()))
            kind = Kind.RECIPIENT_UNRESOLVED if first else Kind.SERVER_ERROR_RETRY
            raise SubmissionError("not taken", kind=kind, permanent=first, refused=named)
        if len(message) > self.largest:
            raise SubmissionError("552 5.3.4", kind=Kind.TOO_LARGE, permanent=True)
        self.taken.append((tuple(recipients), b"".join(pieces(message))))
        if self.die == "submitted":
            raise Killed

    async def append(self, mailbox: str, message: bytes | Pieces, *, flags: Iterable[str] = ()) -> None:
        if self.lose_copies:
            raise UpstreamUnavailable("cut off")
        self.boxes.setdefault(mailbox, []).append(b"".join(pieces(message)))
        if self.die == "copied":
            raise Killed

    async def find_message_id(self, mailbox: str, message_id: str) -> Uids:
        held = self.boxes.get(mailbox, [])
        there = [message_from_bytes(one)["Message-ID"].strip() for one in held]
        return Uids(at for at, one in enumerate(there, 1) if one == message_id)

    @property
    def subjects(self) -> list[str]:
        return [message_from_bytes(message)["Subject"] for _, message in self.taken]

    def named(self, mailbox: str) -> list[str]:
        return [message_from_bytes(one)["Subject"] for one in self.boxes.get(mailbox, [])]


class Clock:
    """A time that tests set."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        return self.time


class World:
    """A store with a server beside it, and what mails between them."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        self.state: State = SqliteState(database)
        self.items = SqliteItems(database, self.clock)
        self.server = Server()
        self.begin_anew()

    def begin_anew(self) -> None:
        """As after a restart."""
        self.background = Background()
        self.notices = self.process(NoOthers())
        self.server.die = ""

    def process(self, bus: Bus) -> NoticeMail:
        """What mails them at one process."""
        return NoticeMail(
            self.state,
            self.items,
            self.clock,
            self.background,
            spool=FileSpool,
            patience=PATIENCE,
            bus=bus,
        )

    async def store(self, *notices: Notice) -> None:
        folder = await self.items.provide_item_folder(BOB.user, ItemKind.CALENDAR, "Calendar")
        await self.items.commit_items(Commit(BOB.user, folder.id, notices=notices))
        self.notices.stored(BOB.user)

    def postman(self) -> Postman:
        async def sent() -> str:
            return "Sent"

        mailboxes = cast("Mailboxes", self.server)
        outbox = Outbox(
            self.state,
            self.server,
            mailboxes,
            self.clock,
            Taken(self.state, self.background),
            principal=BOB,
            device=NO_DEVICE,
            memory=MEMORY,
        )
        return Postman(outbox, mailboxes, sent)

    async def mail(self) -> bool:
        return await self.notices.mail(BOB.user, self.postman())

    async def pending(self) -> list[str]:
        return [one.key for one in await pending_notices(self.items, BOB.user)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield World(database)


async def test_notices_are_mailed_in_order_with_a_copy_in_sent(world: World) -> None:
    await world.store(notice("n1"), notice("n2", ANN, CID))
    assert await world.mail()
    assert [recipients for recipients, _ in world.server.taken] == [(ANN,), (ANN, CID)]
    assert len(world.server.named("Sent")) == 2
    assert await world.pending() == []
    assert await world.mail()
    assert len(world.server.taken) == 2


async def test_nothing_is_looked_for_until_there_is_something(world: World) -> None:
    assert await world.mail()
    asked: list[Postman] = []

    def postman() -> Postman:
        asked.append(world.postman())
        return asked[-1]

    world.notices.resume(BOB.user, postman)
    assert asked == []
    await world.store(notice())
    world.notices.resume(BOB.user, postman)
    assert len(asked) == 1
    await world.background.aclose(5)
    assert len(world.server.taken) == 1


async def test_what_is_stored_while_another_is_mailed_is_mailed_too(world: World) -> None:
    submit = world.server.submit

    async def slow(
        principal: Principal, sender: str, recipients: Sequence[str], message: bytes | Pieces
    ) -> None:
        if not world.server.taken:
            await world.store(notice("n2"))
            world.notices.resume(BOB.user, world.postman)
        await submit(principal, sender, recipients, message)

    world.server.submit = slow  # type: ignore[method-assign]
    await world.store(notice("n1"))
    world.notices.resume(BOB.user, world.postman)
    await world.background.aclose(5)
    assert len(world.server.taken) == 2


async def test_two_processes_mail_a_notice_once_with_one_copy(world: World) -> None:
    """Whichever stored it, the other one mails it on a request that comes to it, and not beside the first."""
    here, there = (world.process(end) for end in Line.ends(2))
    for process in (here, there):
        assert await process.mail(BOB.user, world.postman())
    append = world.server.append

    async def slow(*given: Any, **named: Any) -> None:
        await asyncio.sleep(0.01)
        await append(*given, **named)

    world.server.append = slow  # type: ignore[method-assign]
    world.notices = here
    await world.store(notice("n1"), notice("n2"))
    for process in (there, here):
        process.resume(BOB.user, world.postman)
    await world.background.aclose(5)
    assert len(world.server.taken) == len(world.server.named("Sent")) == 2
    world.notices = there
    await world.store(notice("n3"))
    here.resume(BOB.user, world.postman)
    await world.background.aclose(5)
    assert len(world.server.taken) == 3


@pytest.mark.parametrize("moment", ["submitted", "copied"])
async def test_the_process_is_killed(world: World, moment: str) -> None:
    await world.store(notice())
    world.server.die = moment
    with pytest.raises(Killed):
        await world.mail()
    world.begin_anew()
    assert await world.mail()
    # Between the server's answer and the note of it lies the one gap there is: rather twice than never.
    assert len(world.server.taken) == (2 if moment == "submitted" else 1)
    assert len(world.server.named("Sent")) == 1
    assert await world.pending() == []


async def test_the_process_is_killed_before_the_notice_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.store(notice())
    with monkeypatch.context() as patched:
        Fuse(1).put(patched, world.items, "drop_notice")
        with pytest.raises(Killed):
            await world.mail()
    world.begin_anew()
    world.clock.time += timedelta(days=30)
    await world.state.prune_sends(world.clock.time - timedelta(days=1))
    assert await world.mail()
    assert len(world.server.taken) == 1
    await world.state.prune_sends(world.clock.time)


async def test_what_was_mailed_is_forgotten_by_the_journal(world: World) -> None:
    await world.store(notice())
    await world.mail()
    entry, new = await world.state.begin_send(_entry(), START - MEMORY)
    assert not new
    await world.state.prune_sends(START + timedelta(days=1))
    entry, new = await world.state.begin_send(_entry(), START - MEMORY)
    assert (entry.stage, new) == (OutboxStage.ACCEPTED, True)


def _entry() -> OutboxEntry:
    return OutboxEntry(0, BOB.user, NO_DEVICE, "n1", "", "", True, OutboxStage.ACCEPTED, START)


async def test_an_outage_is_waited_for(world: World) -> None:
    await world.store(notice("n1"), notice("n2"))
    world.server.error = SubmissionError("no connection")
    assert not await world.mail()
    assert await world.pending() == ["n1", "n2"]
    world.server.error = None
    assert await world.mail()
    assert len(world.server.taken) == 2


async def test_one_that_waits_does_not_keep_the_others(world: World) -> None:
    await world.store(notice("n1", CID), notice("n2"))
    world.server.busy = frozenset({CID})
    assert not await world.mail()
    assert [one for one, _ in world.server.taken] == [(ANN,)]
    assert await world.pending() == ["n1"]
    world.server.busy = frozenset()
    assert await world.mail()
    assert [one for one, _ in world.server.taken] == [(ANN,), (CID,)]


async def test_of_one_event_everybody_is_told_in_order(world: World) -> None:
    await world.store(about("monday", "first", ANN, CID), about("monday", "second", ANN, CID.upper()))
    world.server.busy = frozenset({CID})
    assert not await world.mail()
    await world.store(
        about("monday", "third", CID),
        about("monday", "dan's", "dan@example.test"),
        about("x", "other", ANN),
    )
    assert not await world.mail()
    taken = [
        (names, subject)
        for (names, _), subject in zip(world.server.taken, world.server.subjects, strict=True)
    ]
    assert sorted(taken) == sorted(
        [((ANN,), "first"), ((ANN,), "second"), ((DAN,), "dan's"), ((ANN,), "other")]
    )
    assert world.server.subjects.index("first") < world.server.subjects.index("second")
    world.server.taken.clear()
    world.server.busy = frozenset()
    world.begin_anew()
    assert await world.mail()
    assert world.server.subjects == ["first", "second", "third"]
    assert {names for names, _ in world.server.taken} == {(CID,), (CID.upper(),)}
    assert await world.pending() == []
    # One copy of each, whoever got it when.
    assert sorted(world.server.named("Sent")) == ["dan's", "first", "other", "second", "third"]


async def test_one_who_has_to_wait_keeps_it_from_nobody(world: World) -> None:
    await world.store(notice("n1", ANN, CID, DAN))
    world.server.busy, world.server.refused = frozenset({CID}), frozenset({DAN})
    for _ in range(3):
        assert not await world.mail()
        world.begin_anew()
    assert [names for names, _ in world.server.taken] == [(ANN,)]
    assert world.server.named("INBOX") == ["Not delivered: Planning"]
    world.server.busy = frozenset()
    assert await world.mail()
    assert [names for names, _ in world.server.taken] == [(ANN,), (CID,)]
    assert world.server.named("Sent") == ["Planning"]


@pytest.mark.parametrize("moment", range(1, 15))
async def test_killed_at_each_step_of_a_message_that_goes_apart(
    world: World, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step is a write to the store, before which and after which the process dies."""
    await world.store(notice("n1", ANN, CID, DAN))
    world.server.busy = frozenset({CID})
    with monkeypatch.context() as patched:
        fuse = Fuse(moment)
        fuse.put(patched, world.items, "note_attempt", "note_told", "split_notice", "drop_notice")
        fuse.put(patched, world.state, "begin_send", "mark_send")
        with suppress(Killed):
            await world.mail()
    assert fuse.last
    world.begin_anew()
    assert not await world.mail()
    world.server.busy = frozenset()
    assert await world.mail()
    assert await world.pending() == []
    got = [one for names, _ in world.server.taken for one in names]
    assert set(got) == {ANN, CID, DAN}
    # Twice only where it died between the server's answer and the note of it.
    assert len(got) == 3 or fuse.last == "mark_send"
    assert world.server.named("Sent") == ["Planning"]


async def test_an_outage_is_not_met_with_every_message(world: World) -> None:
    await world.store(*(notice(f"n{number}", CID) for number in range(5)), notice("last"))
    world.server.busy = frozenset({CID})
    assert not await world.mail()
    assert world.server.taken == []


async def test_some_that_nobody_takes_do_not_keep_the_others(world: World) -> None:
    await world.store(*(notice(f"n{number}", CID) for number in range(5)), notice("o"), notice("p", ANN))
    world.server.busy = frozenset({CID})
    for _ in range(2):
        assert not await world.mail()
    assert [one for one, _ in world.server.taken] == [(ANN,), (ANN,)]
    world.server.busy = frozenset()
    assert await world.mail()
    assert await world.pending() == []


async def test_more_than_the_server_takes_at_once(world: World) -> None:
    await world.store(notice("n1", ANN, CID))
    world.server.most = 1
    assert await world.mail()
    assert [one for one, _ in world.server.taken] == [(ANN,), (CID,)]
    assert world.server.named("Sent") == ["Planning"]
    assert "INBOX" not in world.server.boxes


async def test_more_than_the_server_takes_at_once_by_name(world: World) -> None:
    people = [f"{number}@example.test" for number in range(25)]
    await world.store(notice("n1", *people))
    world.server.at_once = 10
    assert await world.mail()
    assert [len(names) for names, _ in world.server.taken] == [10, 10, 5]
    assert [one for names, _ in world.server.taken for one in names] == people
    assert world.server.named("Sent") == ["Planning"]


async def test_a_store_that_fails_for_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise GatewayError("disk full")

    for failing in ("next_notice", "drop_notice"):
        await world.store(notice(failing))
        with monkeypatch.context() as patched:
            patched.setattr(world.items, failing, fail)
            patched.setattr(world.items, "note_attempt", fail)
            world.notices.resume(BOB.user, world.postman)
            await world.background.aclose(5)
        world.background = Background()
        world.notices._background = world.background
        world.notices.resume(BOB.user, world.postman)
        await world.background.aclose(5)
    assert len(world.server.taken) == 2
    assert await world.pending() == []


async def test_a_copy_that_is_lost_comes_later(world: World) -> None:
    await world.store(about("monday", "n1", ANN), about("monday", "n2", ANN))
    world.server.lose_copies = True
    assert not await world.mail()
    assert world.server.subjects == ["n1", "n2"]  # a copy keeps nobody waiting
    world.server.lose_copies = False
    world.begin_anew()
    assert await world.mail()
    assert len(world.server.taken) == 2
    assert sorted(world.server.named("Sent")) == ["n1", "n2"]
    assert await world.pending() == []


async def test_a_copy_that_no_server_takes_is_given_up(world: World) -> None:
    await world.store(notice())
    world.server.lose_copies = True
    assert not await world.mail()
    world.clock.time += PATIENCE
    assert await world.mail()
    assert len(world.server.taken) == 1
    assert await world.pending() == []


async def test_one_who_cannot_be_reached_does_not_keep_it_from_the_others(world: World) -> None:
    await world.store(notice("n1", ANN, CID))
    world.server.refused = frozenset({CID})
    assert await world.mail()
    assert [recipients for recipients, _ in world.server.taken] == [(ANN,)]
    assert world.server.named("Sent") == ["Planning"]
    (note,) = world.server.boxes["INBOX"]
    told = message_from_bytes(note)
    assert told["Subject"] == "Not delivered: Planning"
    assert CID in str(told.get_payload())
    assert ANN not in str(told.get_payload())
    assert await world.pending() == []


@pytest.mark.parametrize("recipients", [(CID,), (CID, DAN)])
async def test_what_nobody_takes_is_given_up(world: World, recipients: tuple[str, ...]) -> None:
    await world.store(notice("n1", *recipients), notice("n2"))
    world.server.refused = frozenset(recipients)
    assert await world.mail()
    assert [one for one, _ in world.server.taken] == [(ANN,)]
    assert len(world.server.boxes["INBOX"]) == 1
    assert world.server.named("Sent") == ["Planning"]


@pytest.mark.parametrize("recipients", [(CID,), (CID, ANN)])
async def test_what_nobody_takes_for_days_is_given_up(world: World, recipients: tuple[str, ...]) -> None:
    await world.store(notice("n1", *recipients))
    world.server.busy = frozenset({CID})
    world.clock.time += timedelta(days=30)  # nobody was there to mail it
    assert not await world.mail()
    world.clock.time += PATIENCE - timedelta(seconds=1)
    assert not await world.mail()
    assert "INBOX" not in world.server.boxes
    world.clock.time += timedelta(seconds=1)
    assert await world.mail()
    assert await world.pending() == []
    assert world.server.named("INBOX") == ["Not delivered: Planning"]
    assert [one for one, _ in world.server.taken] == [(one,) for one in recipients if one != CID]


async def test_a_shutdown_does_not_wait_for_a_server_that_is_not_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object) -> None:
        await asyncio.sleep(3600)

    await world.store(notice())
    with monkeypatch.context() as patched:
        patched.setattr(world.server, "submit", hang)
        world.notices.resume(BOB.user, world.postman)
        await asyncio.sleep(0.1)
        await asyncio.wait_for(world.background.aclose(60), 20)
    world.begin_anew()
    assert await world.mail()
    assert (len(world.server.taken), await world.pending()) == (1, [])


async def test_the_note_is_left_once(world: World) -> None:
    await world.store(notice("n1", CID))
    world.server.refused = frozenset({CID})
    world.server.die = "copied"
    with pytest.raises(Killed):
        await world.mail()
    world.begin_anew()
    assert await world.mail()
    assert len(world.server.boxes["INBOX"]) == 1


async def test_a_message_that_is_none_blocks_nothing(world: World) -> None:
    await world.store(Notice("bad", (ANN,), b"\xff\n\n"), notice("n2"))
    assert await world.mail()
    assert len(world.server.taken) == 1
    assert await world.pending() == []


# --- files -------------------------------------------------------------------------------------------------


PLAN = bytes(range(256)) * 5000


async def store_with_file(world: World) -> Notice:
    """An invitation with a file, whose event is deleted before it is mailed."""
    folder = await world.items.provide_item_folder(BOB.user, ItemKind.CALENDAR, "Calendar")
    file = await world.items.add_item_file("Plän.bin", "application/x-plan", Joined((PLAN,)))
    (number,) = await world.items.new_item_numbers(1)
    invitation = replace(about("monday", "n1", ANN, CID), files=(NoticeFile(file, "plan", inline=True),))
    edits = [Edit(number, 0, StoredItem("monday", "text", files=frozenset({file})))]
    await world.items.commit_items(Commit(BOB.user, folder.id, edits, notices=[invitation]))
    await world.items.commit_items(Commit(BOB.user, folder.id, [Edit(number, 1, None)]))
    await world.items.prune_items(START + timedelta(days=9))
    world.notices.stored(BOB.user)
    return invitation


def files_of(message: bytes) -> list[tuple[str | None, object]]:
    parts = message_from_bytes(message, policy=policy.default).iter_attachments()
    return [(part.get_filename(), part.get_content()) for part in parts]


async def test_files_go_out_though_the_event_is_gone(world: World) -> None:
    invitation = await store_with_file(world)
    world.server.busy = frozenset({CID})
    assert not await world.mail()
    world.begin_anew()
    world.server.busy = frozenset()
    assert await world.mail()
    assert [names for names, _ in world.server.taken] == [(ANN,), (CID,)]
    first, second = (message for _, message in world.server.taken)
    assert first == second
    assert world.server.boxes["Sent"] == [first]
    mail = message_from_bytes(first, policy=policy.default)
    assert (mail["Message-ID"], mail["Subject"]) == (
        message_from_bytes(invitation.message, policy=policy.default)["Message-ID"],
        "n1",
    )
    assert mail.get_content_type() == "multipart/mixed"
    text, plan = mail.iter_parts()
    assert [part.get_content_type() for part in text.iter_parts()] == ["text/plain", "text/calendar"]
    assert files_of(first) == [("Plän.bin", PLAN)]
    assert (plan.get_content_type(), plan["Content-ID"]) == ("application/x-plan", "<plan>")
    assert max(map(len, first.split(b"\r\n"))) <= 998
    assert b"\n" not in first.replace(b"\r\n", b"")
    # Nothing is kept for longer.
    await world.items.prune_items(START + timedelta(days=9))
    with pytest.raises(NotFound):
        await world.items.read_item_file(FileNumber(1), 0, 1)


async def test_a_file_is_never_in_memory_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await store_with_file(world)
    asked: list[int] = []
    read = world.items.read_item_file

    async def reading(number: FileNumber, offset: int, size: int) -> bytes:
        asked.append(size)
        return await read(number, offset, size)

    monkeypatch.setattr(world.items, "read_item_file", reading)
    assert await world.mail()
    assert max(asked) <= 256 * 1024
    assert len(asked) > len(PLAN) / (256 * 1024)


async def test_a_message_that_is_too_large_goes_without_its_files(world: World) -> None:
    await store_with_file(world)
    world.server.largest = 100_000
    world.server.die = "copied"
    with pytest.raises(Killed):
        await world.mail()
    world.begin_anew()
    assert await world.mail()
    ((names, message),) = world.server.taken
    assert names == (ANN, CID)
    assert files_of(message) == []
    assert world.server.named("INBOX") == ["Sent without files: n1"]
    assert "Pl=C3=A4n.bin" in world.server.boxes["INBOX"][0].decode()
    assert world.server.named("Sent") == ["n1"]


async def test_files_that_nobody_would_take_are_not_even_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.sync.delivery.LARGEST", len(PLAN) - 1)
    await store_with_file(world)
    assert await world.mail()
    ((_, message),) = world.server.taken
    assert files_of(message) == []
    assert world.server.named("INBOX") == ["Sent without files: n1"]


async def test_no_room_for_a_message_keeps_it_for_later(world: World) -> None:
    class Full(FileSpool):
        async def write(self, data: bytes) -> None:
            raise Refused(Kind.SERVER_ERROR_RETRY, "no room")

    await store_with_file(world)
    await world.store(notice("n2"))
    world.notices = NoticeMail(
        world.state,
        world.items,
        world.clock,
        world.background,
        spool=Full,
        patience=PATIENCE,
        bus=NoOthers(),
    )
    assert not await world.mail()
    assert world.server.subjects == ["Planning"]
    world.begin_anew()
    assert await world.mail()
    assert [files_of(message) for _, message in world.server.taken][1] == [("Plän.bin", PLAN)]
