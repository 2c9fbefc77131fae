"""Delegates: told of meeting mail once, whatever breaks off, and of no other mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from gateway.items import Notice
from gateway.store.sqlite import Database
from gateway.sync.delegates import Delegation, delegates_of, dismiss_delegate, name_delegate
from gateway.sync.intake import Intake
from gateway.types import UserId
from tests.pim.itip.meetings import series
from tests.support.invitations import ANN, BOB
from tests.support.killed import Fuse, Killed
from tests.support.notices import pending_notices
from tests.sync.test_intake import USER, World

CID, DAN = UserId("cid"), UserId("dan")


class Office(World):
    """Ann's calendar and INBOX, with delegates who are told."""

    def begin_anew(self, *, tentative: bool = True) -> None:
        super().begin_anew(tentative=tentative)
        self.told: list[UserId] = []
        delegation = Delegation(self.state, lambda user: f"{user}@example.org", self.told.append)
        self.meetings = replace(self.meetings, delegation=delegation)
        self.intake = Intake(self.state, self.background, self.meetings)

    async def notes(self) -> list[tuple[str, EmailMessage]]:
        """What waits to be mailed: the recipient and the mail."""
        return [_opened(notice) for notice in await pending_notices(self.items, USER)]


def _opened(notice: Notice) -> tuple[str, EmailMessage]:
    (recipient,) = notice.recipients
    mail = message_from_bytes(notice.message, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return recipient, mail


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with await Database.open(tmp_path / "gateway.db") as database:
        yield Office(database)


async def test_delegates_are_named_and_dismissed(office: Office) -> None:
    assert await delegates_of(office.state, USER) == []
    for delegate in (CID, DAN, CID):
        await name_delegate(office.state, USER, delegate)
    assert await delegates_of(office.state, USER) == [CID, DAN]
    for _ in range(2):
        await dismiss_delegate(office.state, USER, CID)
    assert await delegates_of(office.state, USER) == [DAN]
    await dismiss_delegate(office.state, USER, DAN)
    assert await delegates_of(office.state, USER) == []


async def test_each_delegate_is_told_by_a_plain_mail(office: Office) -> None:
    await name_delegate(office.state, USER, CID)
    await name_delegate(office.state, USER, DAN)
    office.inbox.receive("REQUEST", series("LOCATION:Room 2"))
    await office.read()
    notes = await office.notes()
    assert [recipient for recipient, _ in notes] == ["cid@example.org", "dan@example.org"]
    assert office.told == [USER]
    _, mail = notes[0]
    assert (mail["From"], mail["To"], mail["Subject"]) == (ANN, "cid@example.org", f"For {ANN}: Monday")
    assert [part.get_content_type() for part in mail.walk()] == ["text/plain"]
    text = mail.get_content()
    assert text.startswith(f"Bob <{BOB}> sent this to {ANN}, who is to answer it.")
    assert "Where: Room 2" in text
    assert len({mail["Message-ID"] for _, mail in notes}) == 2


async def test_nobody_is_told_without_being_named(office: Office) -> None:
    office.inbox.receive("REQUEST", series())
    await office.read()
    assert await office.notes() == []
    assert office.told == []


async def test_who_sent_it_is_not_told(office: Office) -> None:
    await name_delegate(office.state, USER, UserId("bob"))
    office.inbox.receive("REQUEST", series())
    await office.read()
    assert len(await office.events()) == 1
    assert await office.notes() == []


async def test_what_changes_nothing_is_not_told(office: Office) -> None:
    await name_delegate(office.state, USER, CID)
    office.inbox.receive("REQUEST", series(), sender="mallory@example.net")
    office.inbox.receive("REQUEST", text="rubbish")
    office.inbox.receive("CANCEL", series(uid="unknown@x"))
    await office.read()
    assert await office.notes() == []


async def test_updates_and_cancellations_are_told_too_and_repeated_mail_is_not(office: Office) -> None:
    await name_delegate(office.state, USER, CID)
    for method, event in (
        ("REQUEST", series()),
        ("REQUEST", series()),
        ("REQUEST", series("LOCATION:Room 2", sequence=1)),
        ("CANCEL", series(sequence=2)),
        ("CANCEL", series(sequence=2)),
    ):
        office.inbox.receive(method, event)
    await office.read()
    subjects = [mail["Subject"] for _, mail in await office.notes()]
    assert subjects == [f"For {ANN}: Monday", f"For {ANN}: Monday", f"For {ANN}: Canceled: Monday"]


@pytest.mark.parametrize("tentative", [True, False])
async def test_whatever_breaks_off_each_is_told_once(
    office: Office, monkeypatch: pytest.MonkeyPatch, *, tentative: bool
) -> None:
    """Also where invitations become no events before they are answered."""
    await name_delegate(office.state, USER, CID)
    office.begin_anew(tentative=tentative)
    for number in range(120):
        office.inbox.receive("REQUEST", series(uid=f"{number}@x"))
    with monkeypatch.context() as patched:
        Fuse(5).put(patched, office.state, "save_memo")
        with pytest.raises(Killed):
            await office.read()
    told = len(await office.notes())
    assert told == 100
    office.begin_anew(tentative=tentative)
    await office.read()
    assert len(await office.notes()) == 120
    assert len(await office.events()) == (120 if tentative else 0)
    office.inbox.uidvalidity = 2
    await office.read()
    assert len(await office.notes()) == 120
