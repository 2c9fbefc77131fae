"""Marks on originals: kept until the mail server has them, given up when there is nothing to be marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import pytest

from gateway.errors import NotFound, UpstreamError, UpstreamRefused, UpstreamUnavailable
from gateway.ports import Mailboxes, NoOthers
from gateway.store.sqlite import SqliteState
from gateway.sync.annotations import LastVerb
from gateway.sync.background import Background
from gateway.sync.verbs import VerbMark, VerbMarks
from gateway.types import CollectionId, MessageData, Uids, UserId

ANN = UserId("ann")
INBOX = CollectionId("1")


class Server:
    """Sets flags, or fails as told."""

    def __init__(self) -> None:
        self.set: list[tuple[str, int, list[int], list[str]]] = []
        self.fails: Exception | None = None

    async def fetch(
        self, _mailbox: str, _uidvalidity: int, _uids: Iterable[int], _fields: Sequence[str]
    ) -> Mapping[int, MessageData]:
        return {}

    async def set_flags(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], *, add: Iterable[str] = ()
    ) -> Uids:
        if self.fails is not None:
            raise self.fails
        self.set.append((mailbox, uidvalidity, list(uids), list(add)))
        return Uids(uids)


async def find(collection: CollectionId) -> str | None:
    return "INBOX" if collection == INBOX else None


def mark(uid: int, verb: int) -> VerbMark:
    return VerbMark(INBOX, 7, uid, verb, 1_772_000_000)


async def work(state: SqliteState, server: Server) -> None:
    await VerbMarks(state, Background(), NoOthers()).work(ANN, cast("Mailboxes", server), find)


async def test_marks_wait_for_the_server(state: SqliteState) -> None:
    server, marks = Server(), VerbMarks(state, Background(), NoOthers())
    for one in (mark(5, 2), mark(5, 2), mark(6, 3)):
        await marks.keep(ANN, one)
    failures: list[UpstreamError] = [UpstreamUnavailable("down"), UpstreamUnavailable("still")]
    for failure in failures:
        server.fails = failure
        await work(state, server)
    server.fails = None
    await work(state, server)  # by another process, after a crash
    await work(state, server)
    assert server.set == [("INBOX", 7, [5], ["\\Answered"]), ("INBOX", 7, [6], ["$Forwarded"])]
    notes = await state.load_annotations(ANN, INBOX, 7, [5, 6])
    verbs = {uid: LastVerb.of(values) for uid, values in notes.items()}
    assert {uid: (one.verb, one.time.timestamp()) for uid, one in verbs.items() if one} == {
        5: (2, 1_772_000_000.0),
        6: (3, 1_772_000_000.0),
    }


@pytest.mark.parametrize("failure", [NotFound("gone"), UpstreamRefused("no", "NOPERM")])
async def test_what_cannot_be_marked_is_given_up(state: SqliteState, failure: Exception) -> None:
    server, marks = Server(), VerbMarks(state, Background(), NoOthers())
    await marks.keep(ANN, mark(5, 1))
    await marks.keep(ANN, VerbMark(CollectionId("9"), 7, 5, 1, 0))
    server.fails = failure
    await work(state, server)
    server.fails = None
    await work(state, server)
    assert server.set == []


async def test_later_requests_go_on(state: SqliteState) -> None:
    server, background = Server(), Background()
    marks = VerbMarks(state, background, NoOthers())
    await marks.keep(ANN, mark(5, 1))
    for _ in range(3):
        await marks.resume(ANN, cast("Mailboxes", server), find)
        await background.aclose(5)
    assert server.set == [("INBOX", 7, [5], ["\\Answered"])]
