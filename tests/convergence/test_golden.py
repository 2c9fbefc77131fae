"""A session of the first release goes on with this one: no resync, nothing twice, nothing lost."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.convergence import golden, quiet
from tests.convergence.kinds import CALENDAR
from tests.convergence.phone import Phone
from tests.convergence.play import Play
from tests.convergence.process import ROOT
from tests.convergence.world import World
from wbxml import Element, decode
from wbxml.pages import AirSync, Ping

SESSIONS = sorted((ROOT / "tests/store/sqlite/golden").glob("session-*"))


@pytest.fixture(params=SESSIONS, ids=lambda path: path.name)
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Play]:
    """The session, with this release in the place of the one it began with."""
    folder: Path = request.param
    database = tmp_path / "gateway.db"
    database.write_bytes((folder / "gateway.db").read_bytes())
    with closing(sqlite3.connect(database)) as connection, connection:
        # The session was a moment ago: what is remembered of messages sent does not last for years.
        connection.execute("UPDATE outbox SET created = ?", (int(time.time() * 1000),))
    # Not in pytest's folder: whichever pytest starts next closes that to all others, to Dovecot too.
    with (
        tempfile.TemporaryDirectory() as room,
        World("full", mail=golden.open_mail(folder, Path(room)), database=database) as world,
    ):
        play = Play(world, ())
        play.phones = golden.open_phones(folder, play)
        yield play
        play.close()


def told(phone: Phone, collection: str) -> list[Element]:
    """The commands of one Sync, which the phone then takes."""
    body, _ = phone.sync_request([collection])
    answer = phone.network.exchange(phone.request("Sync", body))
    found = [
        command
        for part in (decode(answer.body).iter() if answer.body else ())
        if part.tag is AirSync.Commands
        for command in part
    ]
    assert phone.sync([collection]) == "done"
    return found


def whole(command: Element) -> str:
    """All texts of a command."""
    return "\n".join(part.text() for part in command.iter())


def test_the_session_goes_on_where_it_was(play: Play) -> None:
    repeated = {errand.token for phone in play.phones for errand in phone.errands}
    owed = play.world.unfinished().keys() - repeated
    assert (len(repeated), len(owed)) == (2, 1)
    play.ledger.acknowledged |= owed
    letters = repeated | owed
    for phone in play.phones:
        hierarchy, keys = phone.hierarchy_key, {name: one.key for name, one in phone.collections.items()}
        folders = dict(phone.folders)
        assert phone.folder_sync() == "done"
        new = {one.name for name, one in phone.folders.items() if name not in folders}
        later = {"Calendar", "Contacts", "Tasks", "Notes", "Recipients"}
        assert new <= later, "what an old release did not have, and nothing else"
        assert {name: phone.folders.get(name) for name in folders} == folders
        assert (phone.hierarchy_key == hierarchy) is not bool(new)
        inbox = next(name for name in phone.folders if phone.path(name) == "INBOX")
        sent = next(name for name in phone.folders if phone.path(name) == "Sent")
        trash = next(name for name in phone.folders if phone.path(name) == "Trash")
        broken_off = {name for name, held in phone.collections.items() if held.unanswered}
        assert broken_off == {inbox, *phone.folders_of(CALENDAR)} & phone.collections.keys(), (
            "killed in the middle"
        )
        commands: list[Element] = []
        while batch := told(phone, inbox):
            commands += batch
        assert AirSync.Add not in {command.tag for command in commands}, "it has them all"
        (shown,) = (command for command in commands if "The text of" in whole(command))
        assert f"The text of {golden.POISONED}." in whole(shown), "what the old release could not show"
        for name in phone.synced:
            if name not in {inbox, sent, trash} and name in keys:
                assert told(phone, name) == []
                assert phone.collections[name].key == keys[name]
    quiet.settle(play)
    verdict, _ = quiet.verdict(play)
    # What was sent then went to the SMTP server of then; none of it is sent again.
    assert sorted(verdict.lost) == sorted(f"{token} was acknowledged and never sent" for token in letters)
    assert not play.world.received()
    assert not verdict.doubled
    assert [phone.forced_resyncs for phone in play.phones] == [[], []]
    assert letters <= {one.token for one in play.mail.content("Sent").values()}
    assert not play.world.unfinished()


def test_what_is_remembered_of_requests_still_counts(play: Play) -> None:
    phone = play.phones[0]
    assert phone.folder_sync() == "done"  # else what new releases have makes a Ping end
    answer = phone.network.exchange(phone.request("Ping", b""))
    assert decode(answer.body).child_text(Ping.Status) in {"1", "2"}, "the stored Ping"
    inbox = next(name for name in phone.folders if phone.path(name) == "INBOX")
    while told(phone, inbox):
        pass
    empty = phone.network.exchange(phone.request("Sync", b""))
    assert (empty.code, empty.body) == (200, b""), "the stored Sync, and nothing new"


def test_new_mail_is_all_that_is_told(play: Play) -> None:
    quiet.settle(play)
    token = play.world.new_token("new")
    play.mail.deliver("Alpha", token)
    for phone in play.phones:
        alpha = next(name for name in phone.folders if phone.path(name) == "Alpha")
        (added,) = told(phone, alpha)
        assert added.tag is AirSync.Add
    assert [phone.forced_resyncs for phone in play.phones] == [[], []]
