"""Cursors and differences: a device told everything, in windows of any size, agrees with the mailbox."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.sync import diff
from gateway.sync.cursor import MailCursor
from gateway.types import CATEGORY, FLAGGED, FORWARDED, SEEN, TRACKED_FLAGS, MailboxView, Uids

uid_sets = st.frozensets(st.integers(1, 60)).map(Uids)
categories = st.sets(st.sampled_from([f"{CATEGORY}red", f"{CATEGORY}Büro", f"{CATEGORY}\\Seen"]))
FORMAT_1 = (
    "eyJmb3JtYXQiOjEsInVpZHZhbGlkaXR5Ijo3LCJ2ZXJzaW9uIjoiNy4xMi41LjQiLCJzaW5jZSI6IjIwMjYtMTEtMDFUMDA6MDA6MDArMDA6"
    "MDAiLCJmb3JtZXIiOls2XSwicmVsZWFzZSI6IjAuMSIsImZsYWdzIjpbIlxcU2VlbiIsIiRGb3J3YXJkZWQiXSwic2l6ZXMiOlsyNCwxOCwy"
    "MCwxOCwyMF19CjowAAABAAAAAAADABAAAAABAAIAAwCEAzowAAABAAAAAAAAABAAAAADADowAAABAAAAAAABABAAAAABAAIAOjAAAAEAAAAA"
    "AAAAEAAAAAMAOjAAAAEAAAAAAAEAEAAAAAgACQA="
)
"""A cursor as the first release stored it, in Base64."""


@st.composite
def views(draw: st.DrawFn, uidvalidity: int = 2) -> MailboxView:
    uids = draw(uid_sets)
    flags = {name: draw(uid_sets) & uids for name in (*TRACKED_FLAGS, *draw(categories))}
    return MailboxView(uidvalidity, draw(st.text(min_size=1, max_size=5)), uids, flags)


@st.composite
def cursors(draw: st.DrawFn) -> MailCursor:
    uids = draw(uid_sets)
    flags = {name: draw(uid_sets) & uids for name in (*TRACKED_FLAGS, *draw(categories))}
    former = draw(st.lists(st.tuples(st.just(1), uid_sets.filter(bool)), max_size=1))
    stubs = draw(uid_sets) & uids
    since = draw(st.none() | st.datetimes())
    noted = {name: some for name in ("flag", "verb") if (some := draw(uid_sets) & uids)}
    return MailCursor(
        2, "", since, uids, flags, tuple(former), stubs, "1", annotations=draw(st.integers(0, 9)), noted=noted
    )


@given(cursors())
def test_a_cursor_survives_the_store(cursor: MailCursor) -> None:
    read = MailCursor.unpack(cursor.pack())
    assert replace(read, flags={}) == replace(cursor, flags={})
    assert all(read.flag(name) == cursor.flag(name) for name in {*read.flags, *cursor.flags})


def test_a_cursor_of_the_first_release_is_read() -> None:
    assert MailCursor.unpack(base64.b64decode(FORMAT_1)) == MailCursor(
        uidvalidity=7,
        version="7.12.5.4",
        since=datetime(2026, 11, 1, tzinfo=UTC),
        uids=Uids([1, 2, 3, 900]),
        flags={SEEN: Uids([1, 2]), FORWARDED: Uids([3])},
        former=((6, Uids([8, 9])),),
        stubs=Uids([3]),
        release="0.1",
    )


def test_nothing_stored_is_nothing_known() -> None:
    assert MailCursor.unpack(b"") == MailCursor()


@given(cursors(), views(), st.none() | uid_sets, st.integers(1, 9))
def test_windows_lead_to_agreement(
    cursor: MailCursor, view: MailboxView, window: Uids | None, limit: int
) -> None:
    total = len(diff.compare(cursor, view, window))
    told_in_all = 0
    for _ in range(total + 1):
        delta = diff.compare(cursor, view, window)
        told = diff.take(delta, limit)
        assert len(told) <= limit
        assert bool(len(told)) == bool(len(delta))
        complete = len(told) == len(delta)
        after = diff.advance(cursor, view, told, complete=complete)
        again = diff.between(cursor, after, told.aged, told.noted)
        assert again == told
        told_in_all += len(told)
        cursor = after
        if complete:
            break
    assert told_in_all == total
    wanted = view.uids if window is None else view.uids & window
    assert cursor.uids == wanted
    assert cursor.version == view.version
    assert not cursor.former
    assert not cursor.stubs & wanted
    assert not cursor.noted
    assert all(
        cursor.flag(name) == view.flags.get(name, Uids()) & wanted for name in {*view.flags, *cursor.flags}
    )


def test_new_mail_comes_first_and_newest_first() -> None:
    cursor = MailCursor(2, uids=Uids(range(1, 101)))
    view = MailboxView(2, "v", Uids(range(101, 201)), {})
    told = diff.take(diff.compare(cursor, view, None), 10)
    assert list(told.added) == [196, 197, 198, 199, 200]
    assert len(told.removed) == 5


def test_deletions_are_not_hidden_by_an_initial_sync() -> None:
    cursor = MailCursor(2, uids=Uids([1, 2]))
    view = MailboxView(2, "v", Uids(range(2, 1000)), {})
    told = diff.take(diff.compare(cursor, view, None), 10)
    assert list(told.removed) == [1]
    assert len(told.added) == 9


@given(cursors(), views(), uid_sets, st.integers(1, 5))
def test_doubtful_messages_are_told_as_gone_before_they_are_told(
    cursor: MailCursor, view: MailboxView, doubtful: Uids, limit: int
) -> None:
    cursor = cursor.doubting(cursor.uidvalidity, doubtful)
    doubtful -= cursor.uids
    assert cursor.doubtful == doubtful
    held = cursor.uids | doubtful  # a device that has them all; one that has none passes over deletions
    while not cursor.version:
        delta = diff.compare(cursor, view, None)
        told = diff.take(delta, limit)
        gone = told.removed | dict(told.former).get(cursor.uidvalidity, Uids())
        assert not told.added & (held - gone)
        held = (held - gone) | told.added
        cursor = diff.advance(cursor, view, told, complete=len(told) == len(delta))
    assert held == cursor.uids == view.uids
    assert MailCursor.unpack(cursor.pack()).former == ()


def test_what_was_doubtful_is_of_an_earlier_uidvalidity_after_a_rebuild() -> None:
    cursor = MailCursor(2, uids=Uids([1, 2])).doubting(2, Uids([2, 3]))
    assert cursor.rebased(3).former == ((2, Uids([1, 2, 3])),)


def test_leaving_the_window_is_not_being_deleted() -> None:
    cursor = MailCursor(2, uids=Uids([1, 2, 3]))
    view = MailboxView(2, "v", Uids([1, 2]), {})
    delta = diff.compare(cursor, view, Uids([2]))
    assert list(delta.aged) == [1]
    assert list(delta.removed) == [3]


def test_an_annotation_is_told_once_and_a_category_like_a_flag() -> None:
    red, blue = f"{CATEGORY}red", f"{CATEGORY}blue"
    cursor = MailCursor(2, uids=Uids([1, 2, 3]), flags={red: Uids([2])}, noted={"flag": Uids([1])})
    view = MailboxView(2, "v", Uids([1, 2, 3]), {blue: Uids([3])})
    told = diff.compare(cursor, view, None)
    assert (list(told.changed), told.noted) == ([1, 2, 3], {"flag": Uids([1])})
    after = diff.advance(cursor, view, told, complete=True)
    assert after.flags == {blue: Uids([3])}
    assert not len(diff.compare(after, view, None))


def test_the_devices_own_change_is_no_news() -> None:
    cursor = MailCursor(2, uids=Uids([1, 2]), flags={}).marked(SEEN, Uids([1]), on=True)
    view = MailboxView(2, "v", Uids([1, 2]), {SEEN: Uids([1]), FLAGGED: Uids([2])})
    assert list(diff.compare(cursor, view, None).changed) == [2]


def test_another_uidvalidity_is_another_mailbox() -> None:
    cursor = MailCursor(1, "old", datetime(2026, 1, 1), Uids([1, 2])).rebased(2)  # noqa: DTZ001
    delta = diff.compare(cursor, MailboxView(2, "v", Uids([1]), {}), None)
    assert list(delta.added) == [1]
    assert delta.former == ((1, Uids([1, 2])),)
    assert not delta.removed
