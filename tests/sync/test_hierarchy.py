"""The folder hierarchy: ids that stay, names that fit, differences that add up."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sync import hierarchy
from gateway.sync.hierarchy import FolderRow, FolderType
from gateway.types import CollectionId, FolderList, Mailbox, Role

INBOX = Mailbox("INBOX", "/", Role.INBOX, uidvalidity=1)
DRAFTS = Mailbox("Drafts", "/", Role.DRAFTS, uidvalidity=2)


def box(name: str, uidvalidity: int | None = None, delimiter: str = "/", **more: object) -> Mailbox:
    return Mailbox(name, delimiter, uidvalidity=uidvalidity, **more)  # type: ignore[arg-type]


def ids(folders: FolderList) -> dict[str | None, str]:
    return {folder.mailbox or folder.role: folder.id for folder in folders.folders if not folder.gone}


def test_outbox_and_drafts_are_always_there() -> None:
    folders = hierarchy.assign(FolderList(), [INBOX])
    rows = {row.type: row.name for row in hierarchy.listing(folders, [INBOX])}
    assert rows == {FolderType.INBOX: "Inbox", FolderType.OUTBOX: "Outbox", FolderType.DRAFTS: "Drafts"}


def test_virtual_drafts_become_real_under_the_same_id() -> None:
    before = hierarchy.assign(FolderList(), [INBOX])
    after = hierarchy.assign(before, [INBOX, DRAFTS])
    assert ids(after)["Drafts"] == ids(before)["drafts"]
    rows = hierarchy.listing(after, [INBOX, DRAFTS])
    assert [row.name for row in rows].count("Drafts") == 1


def test_nothing_new_is_the_same_list() -> None:
    folders = hierarchy.assign(FolderList(), [INBOX, DRAFTS])
    assert hierarchy.assign(folders, [INBOX, DRAFTS]) is folders


def test_a_rename_keeps_the_id() -> None:
    before = hierarchy.assign(FolderList(), [INBOX, box("Old", 7)])
    after = hierarchy.assign(before, [INBOX, box("New", 7)])
    assert ids(after)["New"] == ids(before)["Old"]
    told = hierarchy.changes(
        hierarchy.listing(before, [INBOX, box("Old", 7)]), hierarchy.listing(after, [INBOX, box("New", 7)])
    )
    assert [row.name for row in told.updated] == ["New"]
    assert not told.added
    assert not told.deleted


def test_a_rename_is_not_guessed_where_two_could_be_meant() -> None:
    before = hierarchy.assign(FolderList(), [INBOX, box("A", 7), box("B", 7)])
    after = hierarchy.assign(before, [INBOX, box("C", 7), box("D", 7)])
    assert not set(ids(after).values()) & {ids(before)["A"], ids(before)["B"]}


def test_a_rename_of_ours_keeps_the_ids_of_all_below() -> None:
    boxes = [INBOX, box("A"), box("A/B"), box("AB")]
    known = ids(hierarchy.assign(FolderList(), boxes))
    under_way = hierarchy.begin_rename(hierarchy.assign(FolderList(), boxes), boxes[1], "X/C")
    under_way = hierarchy.assign(under_way, boxes)
    assert ids(under_way) == known
    renamed = [INBOX, box("X"), box("X/C"), box("X/C/B"), box("AB")]
    for before in (under_way, hierarchy.end_rename(under_way, boxes[1], "X/C")):  # unknown after a crash
        after = ids(hierarchy.assign(before, renamed))
        assert (after["X/C"], after["X/C/B"], after["AB"]) == (known["A"], known["A/B"], known["AB"])
        assert after["X"] not in known.values()
        assert not {"A", "A/B"} & after.keys()


def test_a_rename_that_was_refused_leaves_no_trace() -> None:
    boxes = [INBOX, box("A"), box("A/B")]
    before = hierarchy.assign(FolderList(), boxes)
    under_way = hierarchy.begin_rename(before, boxes[1], "C")
    assert hierarchy.end_rename(under_way, boxes[1], "A") == before
    # What comes under the name that was wanted is another folder, as long as this one is there.
    after = ids(hierarchy.assign(under_way, [*boxes, box("C")]))
    assert after["C"] not in ids(before).values()


@given(st.text(st.sampled_from("ab/.\\"), min_size=1), st.sampled_from("/.\\"))
def test_a_name_with_delimiters_is_one_level_and_shown_as_it_was(name: str, delimiter: str) -> None:
    level = hierarchy.level(name, delimiter)
    assert delimiter not in level
    boxes = [INBOX, box(level, delimiter=delimiter)]
    rows = hierarchy.listing(hierarchy.assign(FolderList(), boxes), boxes)
    assert (rows[1].name, rows[1].parent) == (name, "0")


def test_mailbox_ids_tell_renames_and_swaps() -> None:
    one, two = box("One", mailbox_id="x"), box("Two", mailbox_id="y")
    before = hierarchy.assign(FolderList(), [INBOX, one, two])
    after = hierarchy.assign(before, [INBOX, replace(one, name="Two"), replace(two, name="One")])
    assert ids(after)["Two"] == ids(before)["One"]
    assert ids(after)["One"] == ids(before)["Two"]


def test_a_folder_that_comes_back_has_its_old_id_and_no_other_gets_it() -> None:
    before = hierarchy.assign(FolderList(), [INBOX, box("A", 7)])
    without = hierarchy.assign(before, [INBOX])
    other = hierarchy.assign(without, [INBOX, box("B", 8)])
    assert ids(other)["B"] != ids(before)["A"]
    back = hierarchy.assign(other, [INBOX, box("A", 9), box("B", 8)])
    assert ids(back)["A"] == ids(before)["A"]


def test_children_hang_below_their_parents_and_gaps_join_the_name() -> None:
    boxes = [INBOX, box("Work"), box("Work/2026/March"), box("INBOX/Lists")]
    folders = hierarchy.assign(FolderList(), boxes)
    rows = {row.name: row for row in hierarchy.listing(folders, boxes)}
    assert rows["2026/March"].parent == rows["Work"].id
    assert rows["Lists"].parent == rows["Inbox"].id
    assert rows["Work"].parent == hierarchy.ROOT


def test_a_namespace_below_inbox_is_no_nesting() -> None:
    boxes = [
        Mailbox("INBOX", ".", Role.INBOX),
        box("INBOX.Sent", delimiter="."),
        box("INBOX.Sent.Old", delimiter="."),
    ]
    folders = hierarchy.assign(FolderList(), boxes)
    rows = {row.name: row for row in hierarchy.listing(folders, boxes)}
    assert hierarchy.personal_prefix(boxes) == "INBOX."
    assert rows["Sent"].parent == hierarchy.ROOT
    assert rows["Old"].parent == rows["Sent"].id


def test_the_server_may_say_the_prefix_before_there_is_any_other_mailbox() -> None:
    assert hierarchy.personal_prefix([Mailbox("INBOX", ".", Role.INBOX, prefix="INBOX.")]) == "INBOX."
    assert hierarchy.personal_prefix([INBOX]) == ""


def test_sibling_names_are_unique() -> None:
    boxes = [INBOX, box("Outbox"), box("work"), box("Work")]
    folders = hierarchy.assign(FolderList(), boxes)
    names = [row.name for row in hierarchy.listing(folders, boxes)]
    assert names.count("Outbox") == 1
    assert "Outbox (2)" in names
    assert {"work", "Work (2)"} <= set(names)


def test_names_that_cannot_be_told_are_made_fit() -> None:
    odd = ["a\0b", "esc\x1b[1m", "half \ud800", "\x01", "x" * 3000, "x" * 3000 + "y", "  "]
    boxes = [INBOX, *(box(name) for name in odd)]
    folders = hierarchy.assign(FolderList(), boxes)
    rows = hierarchy.listing(folders, boxes)
    names = [row.name for row in rows if row.parent == hierarchy.ROOT]
    assert len(set(names)) == len(names)
    assert all(0 < len(name) <= 256 and name.isprintable() for name in names)
    hierarchy.pack(rows)


def test_a_noselect_mailbox_is_shown_as_a_container() -> None:
    folders = hierarchy.assign(FolderList(), [INBOX, box("Top", selectable=False)])
    assert next(f for f in folders.folders if f.mailbox == "Top").role == hierarchy.CONTAINER


row_sets = st.dictionaries(
    st.integers(1, 20).map(str).map(CollectionId),
    st.tuples(st.just("0"), st.text(max_size=3), st.just(12)),
    max_size=8,
).map(lambda rows: tuple(FolderRow(identity, *rest) for identity, rest in rows.items()))


@given(row_sets, row_sets)
def test_changes_turn_one_listing_into_the_other(
    before: tuple[FolderRow, ...], after: tuple[FolderRow, ...]
) -> None:
    told = hierarchy.changes(before, after)
    known = {row.id: row for row in before}
    for identity in told.deleted:
        del known[identity]
    for row in told.updated:
        assert row.id in known
        known[row.id] = row
    for row in told.added:
        assert row.id not in known
        known[row.id] = row
    assert known == {row.id: row for row in after}
    assert hierarchy.unpack(hierarchy.pack(after)) == after


@pytest.mark.parametrize("data", [b"", b"[]"])
def test_an_empty_listing(data: bytes) -> None:
    assert hierarchy.unpack(data) == ()
