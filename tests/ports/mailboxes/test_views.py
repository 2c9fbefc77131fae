"""What a mailbox holds."""

from __future__ import annotations

import asyncio
import random

from gateway.mail.categories import categories
from gateway.ports import Mailboxes
from gateway.types import CATEGORY, FLAGGED, FORWARDED, SEEN, TRACKED_FLAGS, Uids
from tests.ports.mailboxes.helpers import fill
from tests.support import messages
from tests.support.imap_servers import MailProgram, MailServer


async def test_view_of_an_empty_mailbox(mail: Mailboxes) -> None:
    view = await mail.view("INBOX")
    assert not view.uids
    assert set(view.flags) == set(TRACKED_FLAGS)


async def test_view_stays_the_same_while_nothing_changes(mail: Mailboxes) -> None:
    await fill(mail, 3)
    first = await mail.view("INBOX")
    assert await mail.view("INBOX") == first


async def test_view_shows_what_others_do(mail: Mailboxes, other: MailProgram, server: MailServer) -> None:
    one, two, three = await fill(mail, 3)
    versions = [(await mail.view("INBOX")).version]
    await other.append("INBOX", messages.plain("four"), flags=(SEEN,))
    view = await mail.view("INBOX")
    versions.append(view.version)
    [four] = view.uids - Uids([one, two, three])
    assert list(view.flags[SEEN]) == [four]
    await other.store("INBOX", [one, two], "+", *server.flags[1:])
    view = await mail.view("INBOX")
    versions.append(view.version)
    assert all(list(view.flags[flag]) == [one, two] for flag in server.flags[1:])
    await other.store("INBOX", [two], "-", FLAGGED)
    view = await mail.view("INBOX")
    versions.append(view.version)
    assert list(view.flags[FLAGGED]) == [one]
    await other.expunge("INBOX", [one])
    view = await mail.view("INBOX")
    versions.append(view.version)
    assert list(view.uids) == [two, three, four]
    assert not view.flags[FLAGGED]
    assert len(set(versions)) == len(versions)


async def test_view_shows_what_we_did_and_what_came_while_we_were_elsewhere(
    mail: Mailboxes, other: MailProgram, server: MailServer
) -> None:
    elsewhere = server.name("Elsewhere")
    await mail.create(elsewhere)
    one, two = await fill(mail, 2)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    for number in range(3):
        await mail.view(elsewhere)
        await mail.set_flags("INBOX", uidvalidity, [one], add=[FLAGGED])
        await mail.view(elsewhere)
        assert list((await mail.view("INBOX")).flags[FLAGGED]) == [one]
        await mail.set_flags("INBOX", uidvalidity, [one], remove=[FLAGGED])
        await mail.view(elsewhere)
        assert not (await mail.view("INBOX")).flags[FLAGGED]
        await mail.view(elsewhere)
        await other.store("INBOX", [two], "-" if number % 2 else "+", SEEN)
        assert (two in (await mail.view("INBOX")).flags[SEEN]) is (number % 2 == 0)
        await mail.view(elsewhere)
        await other.append("INBOX", messages.plain("another"), flags=(SEEN,))
        assert len((await mail.view("INBOX")).uids) == 3 + number
        await mail.view(elsewhere)
        await other.store("INBOX", [one], "-" if number % 2 else "+", FLAGGED)
        flagged = (await mail.view("INBOX", exact=[one, two])).flags[FLAGGED]
        assert list(flagged) == ([] if number % 2 else [one])
        await other.store("INBOX", [one], "-", FLAGGED)
        assert not (await mail.view("INBOX", exact=[one])).flags[FLAGGED]
    await mail.view(elsewhere)
    await other.expunge("INBOX", [one])
    await other.append("INBOX", messages.plain("in its place"))
    view = await mail.view("INBOX")
    assert one not in view.uids
    assert len(view.uids) == 5


async def test_messages_marked_deleted_are_not_shown(mail: Mailboxes, other: MailProgram) -> None:
    one, two = await fill(mail, 2, flags=[SEEN])
    await other.store("INBOX", [one], "+", "\\Deleted")
    view = await mail.view("INBOX")
    assert list(view.uids) == [two]
    assert list(view.flags[SEEN]) == [two]
    await other.store("INBOX", [one], "-", "\\Deleted")
    view = await mail.view("INBOX")
    assert list(view.uids) == list(view.flags[SEEN]) == [one, two]


async def test_categories_are_shown_by_name(mail: Mailboxes, other: MailProgram, server: MailServer) -> None:
    one, two, three = await fill(mail, 3)
    uidvalidity = (await mail.view("INBOX")).uidvalidity
    keeps = FORWARDED in server.flags
    assert (await mail.view("INBOX")).new_keywords is keeps
    await mail.set_flags("INBOX", uidvalidity, [one], add=["cat-^red_^cross-"])
    if keeps:
        await other.store("INBOX", [two], "+", "$Label1", "Receipts", "$MDNSent", "NonJunk")
    shown = {name: list(uids) for name, uids in (await mail.view("INBOX")).flags.items() if CATEGORY in name}
    expected = {"Red Cross": [one], "Important": [two], "Receipts": [two]} if keeps else {}
    assert shown == {CATEGORY + name: uids for name, uids in expected.items()}
    await mail.set_flags("INBOX", uidvalidity, [one, two, three], remove=["cat-^red_^cross-", "unheard-of"])
    shown = {name: list(uids) for name, uids in (await mail.view("INBOX")).flags.items() if CATEGORY in name}
    expected.pop("Red Cross", None)
    assert shown == {CATEGORY + name: uids for name, uids in expected.items()}


async def test_view_follows_a_busy_mailbox(mail: Mailboxes, other: MailProgram, server: MailServer) -> None:
    dice = random.Random(7)
    keywords = ("cat-^red-", "plain", "$MDNSent") if FORWARDED in server.flags else ()
    flags = (*server.flags, *keywords)
    await fill(mail, 5)
    known: dict[str, tuple[object, ...]] = {}
    for step in range(25):
        present = sorted(await other.flags("INBOX"))
        chosen = dice.sample(present, min(2, len(present)))
        match dice.choice(("append", "set", "clear", "expunge", "nothing")):
            case "append":
                await other.append("INBOX", messages.plain(f"step {step}"))
            case "set" if chosen:
                await other.store("INBOX", chosen, "+", dice.choice(flags))
            case "clear" if chosen:
                await other.store("INBOX", chosen, "-", dice.choice(flags))
            case "expunge" if len(present) > 3:
                await other.expunge("INBOX", chosen[:1])
        view = await mail.view("INBOX")
        truth = await other.flags("INBOX")
        assert list(view.uids) == sorted(truth)
        for flag in TRACKED_FLAGS:
            assert list(view.flags[flag]) == sorted(uid for uid, flags in truth.items() if flag in flags)
        named = {
            CATEGORY + name: sorted(uid for uid, flags in truth.items() if name in categories(flags))
            for flags in truth.values()
            for name in categories(flags)
        }
        assert {name: list(uids) for name, uids in view.flags.items() if name not in TRACKED_FLAGS} == named
        content = (list(view.uids), named, *(list(view.flags[flag]) for flag in TRACKED_FLAGS))
        assert known.setdefault(view.version, content) == content


async def test_a_view_is_never_older_than_the_call(mail: Mailboxes, other: MailProgram) -> None:
    await fill(mail, 2)
    for _ in range(5):
        early = [asyncio.create_task(mail.view("INBOX")) for _ in range(3)]
        await asyncio.sleep(0)
        before = await other.flags("INBOX")
        await other.append("INBOX", messages.plain("late"))
        late = await asyncio.gather(*(mail.view("INBOX") for _ in range(3)))
        await asyncio.gather(*early)
        assert [len(view.uids) for view in late] == [len(before) + 1] * 3


async def test_a_view_survives_a_caller_who_leaves(mail: Mailboxes) -> None:
    await fill(mail, 2)
    leaving = asyncio.create_task(mail.view("INBOX"))
    staying = asyncio.create_task(mail.view("INBOX"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert len((await staying).uids) == 2
