"""A move that was cut off, and another device that moves the same message: it is there once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import cast

import pytest

from gateway.app import SystemClock
from gateway.errors import UpstreamRefused, UpstreamUnavailable
from gateway.ports import Mailboxes
from gateway.store.sqlite.state import SqliteState
from gateway.sync.editable import EditableMailboxes
from gateway.types import NO_DEVICE, UserId
from gateway.upstream.imap import commands
from tests.ports.mailboxes.helpers import fill
from tests.support.imap_servers import MailProgram, MailServer

ANN = UserId("ann")


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        yield opened


class CutOff:
    """A user's mail whose connection dies in a move, after so much of it as `copies` and `marks` say."""

    def __init__(self, mail: Mailboxes, program: MailProgram, *, copies: bool, marks: bool = False) -> None:
        self._mail = mail
        self._program = program
        self._copies = copies
        self._marks = marks

    def __getattr__(self, name: str) -> object:
        return getattr(self._mail, name)

    async def move(
        self, mailbox: str, _uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        if self._copies:
            await self._program.select(mailbox)
            await self._program.do(*commands.uid_copy(self._program.session.dialect, list(uids), target))
        if self._marks:
            await self._program.store(mailbox, list(uids), "+", "\\Deleted")
        raise UpstreamUnavailable("cut off")


@pytest.mark.parametrize(
    ("copies", "marks"),
    [(True, False), (True, True), (False, False)],
    ids=["after COPY", "after STORE", "before COPY"],
)
async def test_who_comes_next_finishes_it(
    mail: Mailboxes, other: MailProgram, server: MailServer, state: SqliteState, copies: bool, marks: bool
) -> None:
    first, second = server.name("First"), server.name("Second")
    for name in (first, second):
        await mail.create(name)
    moved, left = await fill(mail, 2)
    view = await mail.view("INBOX")
    program = CutOff(mail, other, copies=copies, marks=marks)
    cut = EditableMailboxes(cast(Mailboxes, program), state, ANN, SystemClock())
    with pytest.raises(UpstreamUnavailable):
        await cut.move("INBOX", view.uidvalidity, [moved], first)
    went = await EditableMailboxes(mail, state, ANN, SystemClock()).move(
        "INBOX", view.uidvalidity, [moved], second
    )
    assert set(went) == (set() if copies else {moved})
    assert len((await mail.view(first)).uids) == copies
    assert len((await mail.view(second)).uids) == (not copies)
    assert list(await other.flags("INBOX")) == [left]
    assert await state.load_memo(ANN, NO_DEVICE, "move INBOX") is None


async def test_a_target_that_is_gone_is_no_obstacle(
    mail: Mailboxes, other: MailProgram, server: MailServer, state: SqliteState
) -> None:
    first, second = server.name("First"), server.name("Second")
    for name in (first, second):
        await mail.create(name)
    [moved] = await fill(mail, 1)
    validity = (await mail.view("INBOX")).uidvalidity
    cut = EditableMailboxes(cast(Mailboxes, CutOff(mail, other, copies=False)), state, ANN, SystemClock())
    with pytest.raises(UpstreamUnavailable):
        await cut.move("INBOX", validity, [moved], first)
    await mail.delete(first)
    assert set(
        await EditableMailboxes(mail, state, ANN, SystemClock()).move("INBOX", validity, [moved], second)
    ) == {moved}


async def test_a_target_that_may_not_be_looked_at_takes_messages(
    mail: Mailboxes, server: MailServer, state: SqliteState, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_mailbox: str) -> tuple[int, int]:
        raise UpstreamRefused("STATUS", "NOPERM")

    target = server.name("Drop")
    await mail.create(target)
    [moved] = await fill(mail, 1)
    validity = (await mail.view("INBOX")).uidvalidity
    monkeypatch.setattr(mail, "next_uid", refuse)
    assert set(
        await EditableMailboxes(mail, state, ANN, SystemClock()).move("INBOX", validity, [moved], target)
    ) == {moved}
    assert len((await mail.view(target)).uids) == 1
