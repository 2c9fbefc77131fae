"""Flags, moving, expunging, appending."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from gateway.errors import GatewayError, NotFound, UpstreamUnavailable
from gateway.mail.pieces import Joined
from gateway.ports import Mailboxes
from gateway.types import FLAGGED, FORWARDED, SEEN, SectionRequest
from tests.ports.mailboxes.helpers import fill
from tests.support import messages
from tests.support.imap_servers import MailProgram, MailServer


async def test_set_flags_tells_which_messages_there_are(mail: Mailboxes, server: MailServer) -> None:
    one, two, three = await fill(mail, 3, flags=[SEEN])
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    changed = await mail.set_flags(
        "INBOX", uidvalidity, [one, three, 4711], add=[FLAGGED, FORWARDED], remove=[SEEN]
    )
    assert list(changed) == [one, three]
    view = await mail.view("INBOX")
    assert list(view.flags[FLAGGED]) == [one, three]
    # A keyword that the server cannot keep does not make the others fail.
    assert list(view.flags[FORWARDED]) == ([one, three] if FORWARDED in server.flags else [])
    assert list(view.flags[SEEN]) == [two]
    assert not await mail.set_flags("INBOX", uidvalidity, [4711], add=[SEEN])
    assert not await mail.set_flags("INBOX", uidvalidity, [], add=[SEEN])


async def test_move(mail: Mailboxes, other: MailProgram, server: MailServer) -> None:
    target = server.name("Ziel & Co")
    await mail.create(target)
    one, two, three, four = await fill(mail, 4)
    await other.store("INBOX", [four], "+", "\\Deleted")
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    moved = await mail.move("INBOX", uidvalidity, [one, three, 4711], target)
    assert set(moved) == {one, three}
    arrived = await mail.view(target)
    assert len(arrived.uids) == 2
    assert set(moved.values()) <= {*arrived.uids, None}
    subjects = await mail.fetch(target, arrived.uidvalidity, arrived.uids, ["Subject"])
    assert {data.header.split()[-1] for data in subjects.values()} == {b"0", b"2"}
    assert list((await mail.view("INBOX")).uids) == [two]
    # What somebody else marked is neither removed nor unmarked.
    assert {uid: "\\Deleted" in flags for uid, flags in (await other.flags("INBOX")).items()} == {
        two: False,
        four: True,
    }
    assert await mail.move("INBOX", uidvalidity, [one], target) == {}


async def test_move_to_nowhere_leaves_the_message(mail: Mailboxes, server: MailServer) -> None:
    [uid] = await fill(mail, 1)
    view = await mail.view("INBOX")
    with pytest.raises(NotFound):
        await mail.move("INBOX", view.uidvalidity, [uid], server.name("Nowhere"))
    assert list((await mail.view("INBOX")).uids) == [uid]


async def test_expunge_spares_what_others_marked(mail: Mailboxes, other: MailProgram) -> None:
    one, two, three = await fill(mail, 3)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    await other.store("INBOX", [three], "+", "\\Deleted")
    assert list(await mail.expunge("INBOX", uidvalidity, [one, 4711])) == [one]
    left = await other.flags("INBOX")
    assert set(left) == {two, three}
    assert "\\Deleted" in left[three]
    assert not await mail.expunge("INBOX", uidvalidity, [one])


async def test_append_tells_where(mail: Mailboxes, server: MailServer) -> None:
    where = await mail.append("INBOX", messages.plain("here"), flags=[SEEN])
    view = await mail.view("INBOX")
    assert where in (None, (view.uidvalidity, view.uids[0]))
    assert list(view.flags[SEEN]) == list(view.uids)


@pytest.mark.parametrize("octets", [100, 3_000_000])
async def test_append_takes_pieces(mail: Mailboxes, octets: int) -> None:
    whole = messages.plain("in pieces", "x" * 70 + "\n" + "a line of text\n" * (octets // 16))
    view = memoryview(whole)
    cut = len(whole) // 3
    message = Joined((whole[:cut], view[cut : 2 * cut], Joined((view[2 * cut :],))))
    await asyncio.gather(mail.append("INBOX", message, flags=[SEEN]), mail.append("INBOX", message))
    shown = await mail.view("INBOX")
    requests = [SectionRequest(uid, "") for uid in shown.uids]
    found = await mail.fetch_sections("INBOX", shown.uidvalidity, requests)
    assert list(found.values()) == [whole, whole]


async def test_append_ends_with_its_source(mail: Mailboxes) -> None:
    class Broken:
        """Breaks off in the middle, unless it is only looked at."""

        looked = False

        def __len__(self) -> int:
            return 3_000_000

        def __iter__(self) -> Iterator[bytes]:
            yield messages.plain("half") + b"x" * 100_000
            if self.looked:
                raise GatewayError("the disk is gone")
            self.looked = True

    with pytest.raises(UpstreamUnavailable):
        await mail.append("INBOX", Broken())
    await mail.append("INBOX", messages.plain("after it"))
    assert len((await mail.view("INBOX")).uids) == 1
