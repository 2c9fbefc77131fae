"""Conversations that are moved whenever something is added: what is remembered of them, and its bounds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.app import SystemClock
from gateway.mail.conversations import conversation
from gateway.mail.headers import Headers
from gateway.ports import NoOthers
from gateway.store.sqlite.state import SqliteState
from gateway.sync.always import AlwaysMoved
from gateway.sync.moves import Mover, Place
from gateway.types import NO_DEVICE, CollectionId, DeviceId, MailboxView, Uids, UserId
from tests.support.buses import Line
from tests.support.mailboxes import RECEIVED, MemoryMailboxes

ANNA = UserId("anna@example.com")
INBOX, LIST, ARCHIVE = CollectionId("1"), CollectionId("2"), CollectionId("3")
MESSAGE = b"Message-ID: <2@x>\r\nReferences: <1@x>\r\n\r\ntext"
ID = conversation(Headers(MESSAGE), b"").id


async def kept(state: SqliteState) -> Mapping[str, Any]:
    memo = await state.load_memo(ANNA, NO_DEVICE, "always moved")
    return {} if memo is None else dict(json.loads(memo))


class Mail(MemoryMailboxes):
    """A mailbox whose looks are counted."""

    def __init__(self) -> None:
        super().__init__([MESSAGE] * 3)
        self.looks = 0

    async def view(self, _: str) -> MailboxView:
        self.looks += 1
        return MailboxView(7, "1", Uids((1, 2, 3)), {})

    async def received_since(self, _mailbox: str, _uidvalidity: int, since: datetime) -> Uids:
        return Uids((1, 2, 3)) if since <= RECEIVED else Uids()


async def apply(work: AlwaysMoved, mail: Mail, state: SqliteState, collection: CollectionId) -> None:
    async def find(_: CollectionId) -> str | None:
        return None

    mover = Mover(state, mail.port, SystemClock(), ANNA, DeviceId("PHONE1"))
    await work.apply(ANNA, Place(collection, "m"), mail.port, find, mover)


async def test_one_place_for_each_conversation_and_a_bounded_number(state: SqliteState) -> None:
    work = AlwaysMoved(state, NoOthers())
    for number in range(205):
        await work.keep(ANNA, [b"%16d" % number], ARCHIVE, [INBOX], RECEIVED)
    await work.keep(ANNA, [b"%16d" % 100], LIST, [LIST], RECEIVED)
    rules = (await kept(state))["rules"]
    assert len(rules) == 200
    assert [(one["target"], one["sources"]) for one in rules[-2:]] == [
        (ARCHIVE, [INBOX]),
        (LIST, [INBOX, LIST]),
    ]


async def test_whoever_has_none_pays_nothing(state: SqliteState) -> None:
    work, mail = AlwaysMoved(state, NoOthers()), Mail()
    await apply(work, mail, state, INBOX)
    assert mail.looks == 0
    await work.keep(ANNA, [ID], ARCHIVE, [INBOX], RECEIVED)
    for collection in (LIST, ARCHIVE):
        await apply(work, mail, state, collection)
    assert mail.looks == 0
    await apply(work, mail, state, INBOX)
    assert mail.looks == 1


async def test_another_process_hears_that_there_is_one_now(state: SqliteState) -> None:
    here, there = (AlwaysMoved(state, end) for end in Line.ends(2))
    mail = Mail()
    await apply(there, mail, state, INBOX)
    await here.keep(ANNA, [ID], ARCHIVE, [INBOX], RECEIVED)
    await apply(there, mail, state, INBOX)
    assert mail.looks == 1


async def test_without_a_folder_to_go_to_mail_stays_and_nothing_is_remembered(state: SqliteState) -> None:
    work, mail = AlwaysMoved(state, NoOthers()), Mail()
    await work.keep(ANNA, [ID], ARCHIVE, [INBOX], RECEIVED)
    await work.keep(ANNA, [b"%16d" % 1], ARCHIVE, [LIST], RECEIVED)
    await apply(work, mail, state, INBOX)
    known = await kept(state)
    assert [one["sources"] for one in known["rules"]] == [[LIST]]
    assert known["ends"] == {}


async def test_what_came_before_is_not_looked_at_again(state: SqliteState) -> None:
    work, mail = AlwaysMoved(state, NoOthers()), Mail()
    await work.keep(ANNA, [b"%16d" % 1], ARCHIVE, [INBOX], RECEIVED)
    fetched: list[int] = []
    original = mail.fetch

    async def fetch(mailbox: str, uidvalidity: int, uids: Uids, fields: None) -> Any:
        fetched.extend(uids)
        return await original(mailbox, uidvalidity, uids, fields)

    mail.fetch = fetch  # type: ignore[method-assign, assignment]
    for _ in range(3):
        await apply(work, mail, state, INBOX)
    assert fetched == [1, 2, 3]
    assert (await kept(state))["ends"] == {INBOX: [7, 4]}
