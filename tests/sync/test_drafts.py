"""Drafts on a mail server that refuses, dies, or does not send: what the device is told, and what is left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from gateway.errors import GatewayError, Kind, Refused, SubmissionError, UpstreamRefused, UpstreamUnavailable
from gateway.mail.draft import DraftPatch, DraftText
from gateway.mail.newparts import NewFile
from gateway.ports import Mailboxes
from gateway.store.sqlite.state import SqliteState
from gateway.sync.background import Background
from gateway.sync.changes import Change, Outcome
from gateway.sync.conflict import Policy
from gateway.sync.cursor import MailCursor
from gateway.sync.drafting import Add, DraftAnswer, Drafting, Edit
from gateway.sync.drafts import Drafts
from gateway.sync.editable import EditableMailboxes
from gateway.types import CollectionId, DeviceId, UserId
from gateway.upstream.imap.upstream import ImapUpstream
from tests.support.dovecot import Dovecot
from tests.support.imap_servers import on_dovecot

NOW = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
BOX = "INBOX"


class Unwilling:
    """The mail of a user, in which storing fails when it is told so: before it is done, or after."""

    def __init__(self, mail: Mailboxes) -> None:
        self._mail = mail
        self.before: GatewayError | None = None
        self.held = b""
        self.after: GatewayError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._mail, name)

    async def append(self, mailbox: str, message: bytes, *, flags: Iterable[str] = ()) -> object:
        if self.before is not None:
            self.held = message
            raise self.before
        told = await self._mail.append(mailbox, message, flags=flags)
        if self.after is not None:
            raise self.after
        return told


class Clock:
    """Always the same time."""

    def now(self) -> datetime:
        return NOW


@dataclass
class Rig:
    """One device and its drafts."""

    state: SqliteState
    mail: Unwilling
    editable: EditableMailboxes
    drafts: Drafts
    user: UserId
    sent: list[tuple[bytes, str]] = field(default_factory=list)
    trouble: GatewayError | None = None
    cursor: MailCursor = field(default_factory=MailCursor)
    key: str = "k.1"

    async def do(self, operation: Add | Edit) -> DraftAnswer:
        how = Drafting(self.key, self.cursor, Policy.SERVER_WINS, lambda _rich: None)
        return (await self.drafts.apply([operation], how))[operation.identity]

    async def texts(self) -> list[int]:
        return list((await self.mail.view(BOX)).uids)


@pytest.fixture
async def rig(dovecot: Dovecot, user: str, tmp_path: Path) -> AsyncIterator[Rig]:
    server = on_dovecot(dovecot, user, frozenset())
    upstream = ImapUpstream(server.settings)
    mail = Unwilling(upstream.mailboxes(server.principal))
    async with await SqliteState.open(tmp_path / "gateway.db") as state:

        async def send(message: bytes, wish: str) -> None:
            made.sent.append((message, wish))
            if made.trouble is not None:
                raise made.trouble

        editable = EditableMailboxes(cast("Mailboxes", mail), state, server.principal.user, Clock())
        drafts = Drafts(
            state,
            editable,
            Clock(),
            Background(),
            send,
            principal=server.principal,
            device=DeviceId("PHONE1"),
            collection=CollectionId("3"),
            mailbox=BOX,
            largest=100_000,
        )
        made = Rig(state, mail, editable, drafts, server.principal.user)
        yield made
    await upstream.aclose()


def add(text: str = "text", *, send: bool = False, **more: Any) -> Add:
    patch = DraftPatch(text=DraftText(text.encode()), **more)
    return Add("c1", patch, patch.digest(), Change(0, 0), send)


async def edit(rig: Rig, uid: int, *, send: bool = False, **more: Any) -> Edit:
    validity = (await rig.mail.view(BOX)).uidvalidity
    patch = DraftPatch(**more)
    return Edit(Change(validity, uid), patch, patch.digest(), send)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("OVERQUOTA", Outcome.QUOTA), ("TOOBIG", Outcome.TOO_LARGE), ("NOPERM", Outcome.REFUSED)],
)
async def test_a_draft_that_the_server_refuses(rig: Rig, code: str, outcome: Outcome) -> None:
    first = await rig.do(add())
    rig.mail.before = UpstreamRefused("no", code)
    rig.key = "k.2"
    assert (await rig.do(add("other"))).outcome is outcome
    assert (await rig.do(await edit(rig, first.uid, subject="x"))).outcome is outcome
    rig.mail.before = None
    assert (await rig.state.load_rewrites(rig.user, BOX)).pending == ()
    assert await rig.texts() == [first.uid]


async def test_a_draft_that_a_slow_server_stores_after_the_repeat_is_there_once(rig: Rig) -> None:
    rig.mail.before = UpstreamUnavailable("no answer")
    with pytest.raises(UpstreamUnavailable):
        await rig.do(add())
    rig.mail.before, late = None, rig.mail.held
    first = await rig.do(add())
    assert first.outcome is Outcome.DONE
    assert await rig.texts() == [first.uid]
    await rig.mail.append(BOX, late)
    assert len(await rig.texts()) == 2
    assert list((await rig.editable.view(BOX)).uids) == [first.uid]
    assert await rig.texts() == [first.uid]
    assert await rig.do(add()) == first


async def test_a_draft_larger_than_the_limit(rig: Rig) -> None:
    assert (await rig.do(add("x" * 200_000))).outcome is Outcome.TOO_LARGE
    first = await rig.do(add(files=(NewFile("f1", "f1", b"x" * 50_000),)))
    assert first.outcome is Outcome.DONE
    more = await edit(rig, first.uid, files=(NewFile("f2", "f2", b"x" * 50_000),))
    assert (await rig.do(more)).outcome is Outcome.TOO_LARGE
    assert await rig.texts() == [first.uid]


@pytest.mark.parametrize("done", [True, False])
async def test_a_line_that_dies_while_a_draft_is_stored(rig: Rig, done: bool) -> None:
    first = await rig.do(add())
    rig.key = "k.2"
    for operation in (add("other"), await edit(rig, first.uid, subject="x")):
        setattr(rig.mail, "after" if done else "before", UpstreamUnavailable("cut"))
        with pytest.raises(UpstreamUnavailable):
            await rig.do(operation)
        rig.mail.before = rig.mail.after = None
        count = len(await rig.texts())
        answer = await rig.do(operation)
        assert answer.outcome is Outcome.DONE
        assert answer == await rig.do(operation)
        if done and isinstance(operation, Add):
            assert len(await rig.texts()) == count
    assert len(await rig.texts()) == 2


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Refused(Kind.NO_RECIPIENT), Outcome.RECIPIENTS),
        (Refused(Kind.RECIPIENT_UNRESOLVED), Outcome.RECIPIENTS),
        (SubmissionError("no"), Outcome.NOT_SENT),
        (SubmissionError("no", kind=Kind.RECIPIENT_UNRESOLVED, permanent=True), Outcome.RECIPIENTS),
        (SubmissionError("later", kind=Kind.SERVER_ERROR_RETRY), Outcome.RETRY),
        (SubmissionError("full", kind=Kind.SEND_QUOTA_EXCEEDED), Outcome.SEND_QUOTA),
        (SubmissionError("big", kind=Kind.TOO_LARGE, permanent=True), Outcome.TOO_LARGE),
    ],
    ids=lambda value: value.kind.value if isinstance(value, GatewayError) else value.value,
)
async def test_a_draft_that_cannot_be_sent_stays(rig: Rig, error: GatewayError, outcome: Outcome) -> None:
    first = await rig.do(add(to="bob@example.test"))
    rig.trouble = error
    rig.key = "k.2"
    sending = await edit(rig, first.uid, subject="x", send=True)
    assert (await rig.do(sending)).outcome is outcome
    assert (await rig.do(add(send=True))).outcome is outcome
    assert await rig.texts() == [first.uid]
    rig.trouble = None
    assert (await rig.do(sending)).outcome is Outcome.DONE
    assert await rig.texts() == []


async def test_whether_it_was_sent_only_the_same_request_can_tell(rig: Rig) -> None:
    first = await rig.do(add(to="bob@example.test"))
    rig.trouble = SubmissionError("died", sent_unknown=True)
    sending = await edit(rig, first.uid, send=True)
    with pytest.raises(UpstreamUnavailable):
        await rig.do(sending)
    rig.trouble = None
    await rig.do(sending)
    await rig.do(sending)
    assert len(rig.sent) == 2
    assert rig.sent[0] == rig.sent[1]  # by which the outbox knows it


async def test_a_message_to_be_sent_is_the_same_at_every_attempt(rig: Rig) -> None:
    first = await rig.do(add(to="bob@example.test", files=(NewFile("f", "f", b"x"),)))
    rig.key = "k.2"
    for operation in (add("new", send=True), await edit(rig, first.uid, subject="x", send=True)):
        rig.trouble = SubmissionError("later", kind=Kind.SERVER_ERROR_RETRY)
        await rig.do(operation)
        rig.trouble = None
        await rig.do(operation)
    assert rig.sent[0] == rig.sent[1]
    assert rig.sent[2] == rig.sent[3]
    assert rig.sent[0] != rig.sent[2]
