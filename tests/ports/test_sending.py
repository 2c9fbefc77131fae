"""What every adapter of the port `State` does with mail that is sent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.ports import State
from gateway.types import (
    OutboxEntry,
    OutboxStage,
    SentCopy,
)
from tests.ports.known import ANNA, BERT, NOON, PHONE, TABLET


def outgoing(**changes: object) -> OutboxEntry:
    """A message as the phone sends it, with some fields changed."""
    entry = OutboxEntry(
        id=0,
        user=ANNA,
        device=PHONE,
        client_id="SendMail-1",
        message_id="<1@phone>",
        digest="00ff",
        save=True,
        stage=OutboxStage.ACCEPTED,
        created=NOON,
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


class TestOutbox:
    """The journal of mail being sent."""

    SINCE = NOON - timedelta(days=1)

    async def test_a_new_message_gets_an_id(self, state: State) -> None:
        entry = outgoing(id=99)
        first, new = await state.begin_send(entry, self.SINCE)
        assert new
        assert first == replace(entry, id=first.id)
        second, new = await state.begin_send(outgoing(client_id="other", digest="11"), self.SINCE)
        assert new
        assert second.id != first.id

    @pytest.mark.parametrize(
        ("changes", "same"),
        [
            ({}, True),
            ({"digest": "11", "message_id": ""}, True),
            ({"client_id": "SendMail-2"}, True),
            ({"client_id": "", "device": TABLET}, True),
            ({"client_id": "SendMail-2", "digest": "11"}, False),
            ({"client_id": "SendMail-2", "message_id": "<2@phone>"}, False),
            ({"device": TABLET, "digest": "11"}, False),
            ({"user": BERT}, False),
        ],
    )
    async def test_what_counts_as_the_same_message(
        self, state: State, changes: dict[str, object], same: bool
    ) -> None:
        first, _ = await state.begin_send(outgoing(), self.SINCE)
        again, new = await state.begin_send(
            outgoing(**changes, created=NOON + timedelta(hours=1)), self.SINCE
        )
        assert new is not same
        assert (again == first) is same

    async def test_empty_names_are_not_the_same(self, state: State) -> None:
        nameless = outgoing(client_id="", message_id="")
        assert (await state.begin_send(nameless, self.SINCE))[1]
        assert (await state.begin_send(nameless, self.SINCE))[1]

    @pytest.mark.parametrize("stage", OutboxStage)
    async def test_only_a_failed_message_may_be_offered_again(self, state: State, stage: OutboxStage) -> None:
        first, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.mark_send(first.id, stage)
        again, new = await state.begin_send(outgoing(), self.SINCE)
        assert new is (stage is OutboxStage.FAILED)
        if not new:
            assert again == replace(first, stage=stage)

    async def test_an_old_message_does_not_count(self, state: State) -> None:
        await state.begin_send(outgoing(), self.SINCE)
        later = outgoing(created=NOON + timedelta(days=2))
        assert not (await state.begin_send(later, NOON - timedelta(milliseconds=1)))[1]
        assert (await state.begin_send(later, NOON))[1]

    async def test_of_two_that_match_the_newest_is_told(self, state: State) -> None:
        await state.begin_send(outgoing(message_id="", client_id="x"), self.SINCE)
        newest, _ = await state.begin_send(outgoing(client_id="y"), self.SINCE)
        found, new = await state.begin_send(outgoing(client_id="x"), self.SINCE)
        assert (found, new) == (newest, False)

    async def test_of_a_hundred_at_once_one_is_new(self, state: State) -> None:
        outcomes = await asyncio.gather(*(state.begin_send(outgoing(), self.SINCE) for _ in range(100)))
        assert sum(new for _, new in outcomes) == 1
        assert len({entry.id for entry, _ in outcomes}) == 1

    async def test_a_copy_is_kept_until_its_message_is_done(self, state: State) -> None:
        entry, _ = await state.begin_send(outgoing(), self.SINCE)
        other, _ = await state.begin_send(outgoing(user=BERT), self.SINCE)
        copy = SentCopy(entry.id, ANNA, "<1@phone>", b"mail\0mail")
        await state.keep_copy(copy)
        await state.keep_copy(replace(copy, message=b"another"))
        await state.keep_copy(SentCopy(other.id, BERT, "<1@phone>", b"his"))
        assert await state.kept_copies(ANNA) == [copy]
        assert sorted(await state.users_with_copies()) == [ANNA, BERT]
        await state.mark_send(entry.id, OutboxStage.SUBMITTED)
        assert await state.kept_copies(ANNA) == [copy]
        await state.mark_send(entry.id, OutboxStage.DONE)
        assert await state.kept_copies(ANNA) == []
        assert await state.users_with_copies() == [BERT]

    async def test_no_copy_is_kept_of_what_is_done_or_unknown(self, state: State) -> None:
        entry, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.mark_send(entry.id, OutboxStage.DONE)
        await state.keep_copy(SentCopy(entry.id, ANNA, "<1@phone>", b"mail"))
        await state.keep_copy(SentCopy(entry.id + 1, ANNA, "<1@phone>", b"mail"))
        assert await state.users_with_copies() == []

    async def test_pruning_forgets_the_old_and_never_reuses_an_id(self, state: State) -> None:
        old, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.prune_sends(NOON)
        assert not (await state.begin_send(outgoing(), self.SINCE))[1]
        await state.prune_sends(NOON + timedelta(milliseconds=1))
        await state.mark_send(old.id, OutboxStage.DONE)
        fresh, new = await state.begin_send(outgoing(), self.SINCE)
        assert new
        assert fresh.id > old.id

    async def test_pruning_spares_a_message_whose_copy_is_kept(self, state: State) -> None:
        entry, _ = await state.begin_send(outgoing(), self.SINCE)
        await state.keep_copy(SentCopy(entry.id, ANNA, "<1@phone>", b"mail"))
        await state.prune_sends(NOON + timedelta(days=99))
        assert [copy.entry for copy in await state.kept_copies(ANNA)] == [entry.id]
        assert not (await state.begin_send(outgoing(), self.SINCE))[1]
