"""The names of edited messages, there and back."""

from __future__ import annotations

import pytest

from gateway.sync.rewrites import Names, relabelled
from gateway.types import SEEN, BodyPart, MailboxView, Rewrite, Uids

ONE = Rewrite(1, 5, 12, {"1": "2", "2": "", "100001": "3"}, (5, 9))
NAMES = Names(1, [ONE, Rewrite(2, 6, 13)])


def test_uids_are_translated_and_old_versions_hidden() -> None:
    assert NAMES.known([4, 5, 9, 12]) == Uids([4, 5])
    assert NAMES.known([5, 9]) == Uids()
    assert NAMES.upstream([4, 5]) == Uids([4, 12])
    assert NAMES.upstream([9, 12]) == Uids()  # nobody can know them by these
    assert (NAMES.uid(5), NAMES.item(12), NAMES.uid(6)) == (12, 5, 6)


def test_a_view_shows_each_message_once() -> None:
    view = MailboxView(1, "v", Uids([4, 9, 12]), {SEEN: Uids([9, 12])})
    shown = NAMES.shown(view)
    assert (shown.uids, shown.flags[SEEN], shown.editions) == (Uids([4, 5]), Uids([5]), {5: 12})
    assert NAMES.stale(view) == Uids([9])
    assert NAMES.gone(view) == []
    later = Names(1, [Rewrite(1, 5, 14, {}, (12,))]).shown(view)
    assert later.version != shown.version
    assert Names(1, []).shown(view) is view


def test_a_message_that_vanished_is_known_to_be_gone() -> None:
    view = MailboxView(1, "v", Uids([4]), {})
    assert NAMES.gone(view) == [ONE]
    assert NAMES.shown(view).uids == Uids([4])
    assert not NAMES.shown(view).editions


@pytest.mark.parametrize(
    ("label", "section"),
    [("1", "2"), ("2", None), ("100001", "3"), ("1.MIME", "2.MIME"), ("2.MIME", None), ("900001", "1")]
    + [(same, same) for same in ("", "HEADER", "TEXT", "4", "4.1.2")],
)
def test_sections_are_translated(label: str, section: str | None) -> None:
    assert NAMES.section(5, label) == section
    assert NAMES.section(4, label) == label


def test_a_structure_is_labelled_so_that_each_part_is_found_again() -> None:
    leaves = [
        BodyPart(str(number), kind, "x") for number, kind in enumerate(("text", "image", "application"), 1)
    ]
    inner = BodyPart("4", "multipart", "mixed", children=(BodyPart("4.1", "text", "plain"),))
    root = BodyPart("", "multipart", "mixed", children=(*leaves, inner))
    labelled = NAMES.labelled(5, root)
    sections = [part.section for part in labelled.children]
    assert sections == ["900001", "1", "100001", "4"]
    assert [NAMES.section(5, section) for section in sections[:3]] == ["1", "2", "3"]
    assert NAMES.labelled(4, root) is root
    boxed = Names(1, [Rewrite(1, 5, 12, {"4": "1"})]).labelled(5, root)
    assert [part.section for part in boxed.children] == ["4", "2", "3", "0"]


def test_labels_are_never_given_twice() -> None:
    first = relabelled({}, ["2", "3"], {"1": "1", "3": "2"}, ["3"])
    assert first == {"2": "", "3": "2", "100001": "3"}
    second = relabelled(first, ["2", "3"], {"2": "2"}, ["3", "4"])
    assert second == {"2": "", "3": "2", "100001": "", "100002": "3", "4": "4"}
