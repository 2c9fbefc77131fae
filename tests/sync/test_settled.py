"""Who owes nothing, as all processes know it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.ports import Subject
from gateway.store.sqlite import SqliteState
from gateway.sync import copies
from gateway.sync import settled as module
from gateway.sync.background import Background
from gateway.sync.copies import SentCopies
from gateway.sync.settled import Settled
from gateway.types import NO_DEVICE, OutboxEntry, OutboxStage, SentCopy, Uids, UserId
from tests.support.buses import Line
from tests.support.mailboxes import RECEIVED, MemoryMailboxes

ANNA, BERT = UserId("anna@example.com"), UserId("bert\n@example.com")


class Server(MemoryMailboxes):
    """Takes copies."""

    def __init__(self, messages: list[bytes]) -> None:
        super().__init__(messages)
        self.stored: list[str] = []

    async def find_message_id(self, _mailbox: str, _message_id: str) -> Uids:
        return Uids()

    async def append(self, mailbox: str, _message: bytes, **_: object) -> None:
        self.stored.append(mailbox)


def test_what_is_stored_elsewhere_is_known_here() -> None:
    ends = Line.ends(2)
    (here, there), others = (Settled(end, "a") for end in ends), Settled(ends[1], "b")
    for one in (here, there, others):
        one.add(ANNA)
        one.add(BERT)
    here.owes(BERT)
    assert [BERT in one for one in (here, there, others)] == [False, False, True]
    assert all(ANNA in one for one in (here, there, others))


def test_who_missed_something_knows_nothing() -> None:
    (end,) = Line.ends(1)
    settled = Settled(end, "a")
    settled.add(ANNA)
    end.tell(Subject.OWED, "")
    assert ANNA not in settled


def test_it_is_not_known_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    settled = Settled(Line(), "a")
    settled.add(ANNA)
    assert ANNA in settled
    monkeypatch.setattr(module, "_KNOWN", -1.0)
    settled.add(ANNA)
    assert ANNA not in settled


async def test_a_copy_that_another_process_kept_is_stored_on_a_request_here(tmp_path: Path) -> None:
    async with await SqliteState.open(tmp_path / "gateway.db") as state:
        background = Background()
        here, there = (SentCopies(state, background, end) for end in Line.ends(2))
        server = Server([])

        async def sent() -> str:
            return "Sent"

        await there.resume(ANNA, server.port, sent)
        entry = OutboxEntry(0, ANNA, NO_DEVICE, "", "<1@x>", "00", True, OutboxStage.SUBMITTED, RECEIVED)
        kept, _ = await state.begin_send(entry, RECEIVED)
        await here.keep(SentCopy(kept.id, ANNA, "<1@x>", b"text"))
        await there.resume(ANNA, server.port, sent)
        while not server.stored:
            await asyncio.sleep(0.01)
        await background.aclose(5)
    assert server.stored == ["Sent"]


async def test_a_copy_that_is_kept_while_another_one_is_stored_is_stored_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "_DELAYS", (0,))
    async with await SqliteState.open(tmp_path / "gateway.db") as state:
        background = Background()
        kept_here = SentCopies(state, background, Line())

        async def keep(name: str) -> None:
            entry = OutboxEntry(0, ANNA, NO_DEVICE, "", name, name, True, OutboxStage.SUBMITTED, RECEIVED)
            begun, _ = await state.begin_send(entry, RECEIVED)
            await kept_here.keep(SentCopy(begun.id, ANNA, name, b"text"))

        class Slow(Server):
            async def append(self, mailbox: str, _message: bytes, **named: object) -> None:
                if not self.stored:
                    await keep("<2@x>")
                await super().append(mailbox, _message, **named)

        server = Slow([])

        async def sent() -> str:
            return "Sent"

        await keep("<1@x>")
        while len(server.stored) < 2:
            await kept_here.resume(ANNA, server.port, sent)
            await asyncio.sleep(0.01)
        await background.aclose(5)
        assert not await state.kept_copies(ANNA)
