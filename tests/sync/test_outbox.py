"""Outbox: at each point where sending may break off, a repeat does what is missing, and only that."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from gateway.errors import NotFound, StoreUnavailable, SubmissionError, UpstreamUnavailable
from gateway.ports import Mailboxes, Pieces
from gateway.store.sqlite import SqliteState
from gateway.sync.background import Background
from gateway.sync.outbox import Letter, Outbox, Parcel, Sending
from gateway.sync.taken import Taken
from gateway.types import DeviceId, OutboxStage, Password, Principal, Uids, UserId

ANN = Principal(UserId("ann"), "ann@example.test", Password("ann", "pw"))
PARCEL = Parcel(
    client_id="c1",
    digest="00",
    given_message_id="<1@phone>",
    message_id="<1@phone>",
    sender="ann@example.test",
    recipients=("ben@example.test",),
    save=True,
)


async def written() -> Letter:
    return Letter(b"mail", b"copy")


class Clock:
    """Always the same time."""

    def __init__(self, later: timedelta) -> None:
        self._now = datetime(2026, 3, 1, tzinfo=UTC) + later

    def now(self) -> datetime:
        return self._now


class Server:
    """Submission and the Sent mailbox; `refuse` and `lose` are what goes wrong next.

    `meanwhile` is what happens while a message is submitted.
    """

    def __init__(self) -> None:
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.submitted: list[bytes] = []
        self.sent: list[bytes] = []
        self.refuse: SubmissionError | None = None
        self.lose = False

    async def submit(
        self, principal: Principal, sender: str, recipients: Sequence[str], message: bytes | Pieces
    ) -> None:
        if self.refuse is not None and not self.refuse.sent_unknown:
            raise self.refuse
        assert isinstance(message, bytes)
        self.submitted.append(message)
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.refuse is not None:
            raise self.refuse

    async def append(self, mailbox: str, message: bytes, *, flags: Iterable[str] = ()) -> None:
        if self.lose:
            raise UpstreamUnavailable("cut off")
        self.sent.append(message)

    async def find_message_id(self, mailbox: str, message_id: str) -> Uids:
        return Uids(range(1, len(self.sent) + 1))


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db", busy_timeout=0.2) as opened:
        yield opened


@pytest.fixture
def server() -> Server:
    return Server()


def outbox(
    state: SqliteState,
    server: Server,
    device: str = "PHONE",
    later: timedelta = timedelta(),
    *,
    taken: Taken | None = None,
) -> Outbox:
    return Outbox(
        state,
        server,
        cast("Mailboxes", server),
        Clock(later),
        taken or Taken(state, Background()),
        principal=ANN,
        device=DeviceId(device),
        memory=timedelta(days=1),
    )


async def in_sent() -> str | None:
    return "Sent"


async def test_a_repeat_sends_nothing(state: SqliteState, server: Server) -> None:
    sending, entry, _ = await outbox(state, server).send(PARCEL, written, in_sent)
    assert (sending, entry.stage) == (Sending.SENT, OutboxStage.DONE)
    assert (await outbox(state, server).send(PARCEL, written, in_sent))[0] is Sending.REPEATED
    another = replace(PARCEL, client_id="c2")
    assert (await outbox(state, server).send(another, written, in_sent))[0] is Sending.SENT_BEFORE
    assert (await outbox(state, server, "OTHER").send(another, written, in_sent))[0] is Sending.SENT_BEFORE
    assert (server.submitted, server.sent) == ([b"mail"], [b"copy"])


@pytest.mark.parametrize(("hours", "times"), [(23, 1), (25, 2)])
async def test_a_message_is_remembered_for_as_long_as_set(
    state: SqliteState, server: Server, hours: int, times: int
) -> None:
    await outbox(state, server).send(PARCEL, written, in_sent)
    await outbox(state, server, later=timedelta(hours=hours)).send(PARCEL, written, in_sent)
    assert len(server.submitted) == times


async def test_a_refused_message_may_be_sent_again(state: SqliteState, server: Server) -> None:
    server.refuse = SubmissionError("no", permanent=True)
    with pytest.raises(SubmissionError):
        await outbox(state, server).send(PARCEL, written, in_sent)
    server.refuse = None
    assert (await outbox(state, server).send(PARCEL, written, in_sent))[0] is Sending.SENT
    assert server.submitted == [b"mail"]


async def test_what_may_have_been_taken_is_sent_again(state: SqliteState, server: Server) -> None:
    server.refuse = SubmissionError("died", sent_unknown=True)
    with pytest.raises(SubmissionError):
        await outbox(state, server).send(PARCEL, written, in_sent)
    server.refuse = None
    assert (await outbox(state, server).send(PARCEL, written, in_sent))[0] is Sending.SENT
    assert (server.submitted, server.sent) == ([b"mail", b"mail"], [b"copy"])


@pytest.mark.parametrize("repeated", [True, False])
async def test_what_was_taken_while_the_store_failed_is_not_sent_again(
    tmp_path: Path, state: SqliteState, server: Server, repeated: bool
) -> None:
    """Known to the process that sent it; once the store is back others know it too, asked again or not."""
    taken, noted = Taken(state, Background()), 0
    program = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)

    async def lock() -> None:
        program.execute("BEGIN IMMEDIATE")

    server.meanwhile = lock

    async def consequence() -> None:
        nonlocal noted
        await state.save_memo(ANN.user, DeviceId(""), "marks", b"answered")
        noted += 1

    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await outbox(state, server, taken=taken).send(PARCEL, written, in_sent, consequence)
    program.close()
    if repeated:
        _, entry, _ = await outbox(state, server, taken=taken).send(PARCEL, written, in_sent, consequence)
        assert entry.stage is OutboxStage.DONE
        assert server.sent == [b"copy"]
    async with asyncio.timeout(30):
        while not noted:
            await asyncio.sleep(0.01)
    _, entry, _ = await outbox(state, server).send(PARCEL, written, in_sent, consequence)
    assert entry.stage is OutboxStage.DONE
    assert (server.submitted, server.sent) == ([b"mail"], [b"copy"])
    assert await state.load_memo(ANN.user, DeviceId(""), "marks") == b"answered"


async def test_what_the_server_put_into_sent_was_taken(state: SqliteState, server: Server) -> None:
    server.refuse = SubmissionError("died", sent_unknown=True)
    with pytest.raises(SubmissionError):
        await outbox(state, server).send(PARCEL, written, in_sent)
    server.refuse = None
    server.sent = [b"put there by the server"]
    sending, entry, _ = await outbox(state, server).send(PARCEL, written, in_sent)
    assert (sending, entry.stage) == (Sending.REPEATED, OutboxStage.DONE)
    assert (server.submitted, server.sent) == ([b"mail"], [b"put there by the server"])


async def test_a_lost_copy_is_no_error_and_a_repeat_makes_up_for_it(
    state: SqliteState, server: Server
) -> None:
    server.lose = True
    sending, entry, _ = await outbox(state, server).send(PARCEL, written, in_sent)
    assert (sending, entry.stage) == (Sending.SENT, OutboxStage.SUBMITTED)
    server.lose = False
    sending, entry, _ = await outbox(state, server).send(PARCEL, written, in_sent)
    assert (sending, entry.stage) == (Sending.REPEATED, OutboxStage.DONE)
    assert (server.submitted, server.sent) == ([b"mail"], [b"copy"])


async def test_no_copy_where_none_is_wanted(state: SqliteState, server: Server) -> None:
    _, entry, _ = await outbox(state, server).send(replace(PARCEL, save=False), written, in_sent)
    assert entry.stage is OutboxStage.DONE
    assert server.sent == []


async def test_what_cannot_be_written_is_not_sent_and_may_be_asked_for_again(
    state: SqliteState, server: Server
) -> None:
    async def gone() -> Letter:
        raise NotFound("the original is gone")

    with pytest.raises(NotFound):
        await outbox(state, server).send(PARCEL, gone, in_sent)
    assert (await outbox(state, server).send(PARCEL, written, in_sent))[0] is Sending.SENT
    assert server.submitted == [b"mail"]


async def test_what_was_sent_is_not_written_again(state: SqliteState, server: Server) -> None:
    async def never() -> Letter:
        raise AssertionError

    await outbox(state, server).send(PARCEL, written, in_sent)
    assert (await outbox(state, server).send(PARCEL, never, in_sent))[0] is Sending.REPEATED


async def test_the_consequence_is_noted_before_the_message_counts_as_sent(
    state: SqliteState, server: Server
) -> None:
    noted: list[list[bytes]] = []

    async def note() -> None:
        noted.append(list(server.submitted))
        if len(noted) == 1:
            raise UpstreamUnavailable("killed here")

    with pytest.raises(UpstreamUnavailable):
        await outbox(state, server).send(PARCEL, written, in_sent, note)
    server.sent = [b"put there by the server"]
    assert (await outbox(state, server).send(PARCEL, written, in_sent, note))[0] is Sending.REPEATED
    assert noted == [[b"mail"], [b"mail"]]


async def alone() -> Letter:
    return Letter(b"mail", b"copy without the original")


async def gone() -> Letter:
    raise NotFound("the original is gone")


async def unreachable() -> Letter:
    raise UpstreamUnavailable("no connection")


async def test_a_copy_that_cannot_be_written_again_is_what_the_device_wrote(
    state: SqliteState, server: Server
) -> None:
    server.lose = True
    await outbox(state, server).send(PARCEL, written, in_sent, alone=alone)
    server.lose = False
    sending, entry, _ = await outbox(state, server).send(PARCEL, gone, in_sent, alone=alone)
    assert (sending, entry.stage) == (Sending.REPEATED, OutboxStage.DONE)
    assert (server.submitted, server.sent) == ([b"mail"], [b"copy without the original"])


async def test_a_copy_is_owed_until_it_can_be_written(state: SqliteState, server: Server) -> None:
    server.lose = True
    await outbox(state, server).send(PARCEL, written, in_sent, alone=alone)
    server.lose = False
    with pytest.raises(UpstreamUnavailable):
        await outbox(state, server).send(PARCEL, unreachable, in_sent, alone=alone)
    sending, entry, _ = await outbox(state, server).send(PARCEL, written, in_sent, alone=alone)
    assert (sending, entry.stage) == (Sending.REPEATED, OutboxStage.DONE)
    assert (server.submitted, server.sent) == ([b"mail"], [b"copy"])
