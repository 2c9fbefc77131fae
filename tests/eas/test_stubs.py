"""Looking again at messages that the mail server did not show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from gateway.app import SystemClock
from gateway.eas import stubs
from gateway.eas.content.email import NOT_GIVEN
from gateway.eas.stubs import Stubs
from gateway.errors import UpstreamUnavailable
from gateway.store.sqlite.state import SqliteState
from gateway.sync.background import Background
from gateway.types import CollectionId, MailboxView, SectionRequest, Uids, UserId
from tests.support.mailboxes import MemoryMailboxes

ANNA = UserId("anna@example.com")
INBOX = CollectionId("1")
PLAIN = b"Content-Type: text/plain\r\n\r\ntext"


class Looked(MemoryMailboxes):
    """With a view, and messages that are not shown."""

    hidden = frozenset((2,))

    async def view(self, _: str) -> MailboxView:
        return MailboxView(7, "1", Uids((1, 2, 3)), {})

    async def fetch_sections(
        self, mailbox: str, uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        shown = [request for request in requests if request.uid not in self.hidden]
        return await super().fetch_sections(mailbox, uidvalidity, shown)


async def find(collection: CollectionId) -> str | None:
    return "INBOX" if collection == INBOX else None


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[SqliteState]:
    async with await SqliteState.open(tmp_path / "gateway.db") as opened:
        for item in ("7.1", "7.2", "7.9", "6.1"):
            await opened.note_poison(ANNA, INBOX, item, "1.0", f"{NOT_GIVEN}; ValueError")
        await opened.note_poison(ANNA, INBOX, "7.3", "1.0", "ValueError in somewhere")
        await opened.note_poison(ANNA, INBOX, "7.1", "0.9", NOT_GIVEN)
        await opened.note_poison(ANNA, INBOX, "7.4", "0.9", NOT_GIVEN)
        await opened.note_poison(ANNA, CollectionId("2"), "7.1", "1.0", NOT_GIVEN)
        yield opened


async def listed(state: SqliteState) -> list[tuple[str, str]]:
    return [(row[1], row[2]) for row in await state.list_poison(ANNA)]


async def test_what_is_shown_by_now_is_noted_and_what_is_gone_forgotten(state: SqliteState) -> None:
    looked = Looked([PLAIN] * 3)
    await Stubs(state, SystemClock(), Background(), "1.0").work(ANNA, looked.port, find)
    assert list(await state.load_annotations(ANNA, INBOX, 7, [1, 2, 3, 9])) == [1]
    assert await listed(state) == [("1", "7.2"), ("1", "7.3"), ("1", "7.4"), ("2", "7.1")]


async def test_each_day_a_bounded_number_is_looked_at(
    state: SqliteState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stubs, "_MOST", 1)
    looked = Looked([PLAIN] * 3)
    background = Background()
    work = Stubs(state, SystemClock(), background, "1.0")
    for _ in range(3):
        work.resume(ANNA, looked.port, find)
    await background.aclose(5)
    assert len(await listed(state)) >= 6
    assert looked.rounds <= 1


async def test_nothing_is_noted_when_the_mail_server_is_away(state: SqliteState) -> None:
    class Away(Looked):
        async def view(self, _: str) -> MailboxView:
            raise UpstreamUnavailable("away")

    await Stubs(state, SystemClock(), Background(), "1.0").work(ANNA, Away([PLAIN] * 3).port, find)
    assert len(await listed(state)) == 8
