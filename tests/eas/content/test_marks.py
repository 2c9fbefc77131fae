"""Marks: what a device is told of flags, details and categories, and what it may say of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.marks import Marks, parse_categories, parse_flag
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.sync.annotations import (
    CATEGORIES,
    FLAG,
    VERB,
    FlagStatus,
    FollowUp,
    LastVerb,
    Values,
    pack_categories,
)
from gateway.types import ANSWERED, CATEGORY, FLAGGED, FORWARDED, SEEN, TRACKED_FLAGS
from wbxml import Element, element
from wbxml.pages import Email, Email2, Tasks

NEW, OLD = Version.V16_1, Version.V12_1
NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
TIME = "2026-03-01T09:15:00.000Z"
LATER = "2026-03-02T09:15:00.000Z"
DATES = (
    Element(Tasks.StartDate, TIME),
    Element(Tasks.DueDate, LATER),
    Element(Tasks.UtcStartDate, TIME),
    Element(Tasks.UtcDueDate, LATER),
)
TYPED = Element(Email.FlagType, "Flag for follow up")


def flag(status: str, *details: Element) -> Element:
    return element(Email.Flag, Element(Email.Status, status), *details)


def texts(marked: Element) -> dict[str, str]:
    return {child.tag.name: child.text() for child in marked}


def kept(follow_up: FollowUp) -> Values:
    packed = follow_up.pack()
    return {} if packed is None else {FLAG: packed}


def test_a_change_of_flags_names_nothing_else() -> None:
    def told(flags: list[str], changed: list[str], version: Version = NEW) -> list[Element]:
        return Marks.of(flags).changes(changed, version)

    assert [one.tag for one in told([SEEN, FLAGGED], list(TRACKED_FLAGS), OLD)] == [Email.Read, Email.Flag]
    assert told(["\\SEEN"], [SEEN])[0].text() == "1"
    assert told([], [SEEN])[0].text() == "0"
    assert len(told([], [FLAGGED])[0]) == 0
    assert [one.tag for one in told([FLAGGED], [FLAGGED, FLAG])] == [Email.Flag]
    assert told([ANSWERED], [ANSWERED], OLD) == []
    assert [one.text() for one in told([ANSWERED, FORWARDED], [ANSWERED])] == ["1"]
    assert [one.text() for one in told([FORWARDED], [FORWARDED])] == ["3"]
    assert [one.text() for one in told([], [ANSWERED])] == ["0"]
    assert told([f"{CATEGORY}Red"], [f"{CATEGORY}Red"], OLD) == []
    [categories] = told([f"{CATEGORY}Red", f"{CATEGORY}blue"], [f"{CATEGORY}Red"])
    assert [one.text() for one in categories] == ["Red", "blue"]
    assert [len(one) for one in told([], [f"{CATEGORY}Red", CATEGORIES])] == [0]


def test_categories_come_from_keywords_and_from_what_is_kept() -> None:
    marks = Marks.of(
        ["$label1", "cat-^a-", "$MDNSent", SEEN], {CATEGORIES: pack_categories(["ö" * 99]) or b""}
    )
    assert marks.categories == {"Important", "A", "ö" * 99}


@pytest.mark.parametrize(
    ("flags", "verb", "told"),
    [
        ([ANSWERED], 2, ["2", "2026-11-03T12:00:00.000Z"]),
        ([], 3, ["3", "2026-11-03T12:00:00.000Z"]),
        ([], 1, ["0"]),
        ([FORWARDED], 1, ["3"]),
    ],
    ids=["agrees", "a server without $Forwarded", "no longer answered", "forwarded since"],
)
def test_the_last_verb_and_its_time(flags: list[str], verb: int, told: list[str]) -> None:
    marks = Marks.of(flags, {VERB: LastVerb(verb, NOON).pack()})
    assert [one.text() for one in marks.verbs()] == told
    assert marks.used is (told != ["0"])
    assert next(one.tag for one in marks.changes([VERB], NEW)) is Email2.LastVerbExecuted


def test_a_flag_without_a_subject_has_that_of_the_message() -> None:
    bare = Marks.of([FLAGGED], kept(parse_flag(flag("2", TYPED, *DATES))))
    titled = Marks.of([FLAGGED], kept(parse_flag(flag("2", TYPED, Element(Tasks.Subject, "Büro")))))
    assert texts(bare.flag("lunch"))["Subject"] == texts(bare.changes([FLAG], OLD, "lunch")[0])["Subject"]
    assert texts(bare.flag("lunch"))["Subject"] == "lunch"
    assert texts(titled.flag("lunch"))["Subject"] == "Büro"
    assert "Subject" not in texts(bare.flag())
    assert not len(Marks.of([]).flag("lunch"))
    assert bare.lacks_subject([FLAG])
    assert Marks.of([FLAGGED]).lacks_subject([SEEN, FLAGGED.upper()])
    assert not bare.lacks_subject([SEEN, CATEGORIES])
    assert not titled.lacks_subject([FLAG])
    assert not Marks.of([]).lacks_subject([FLAGGED])


def test_a_flag_comes_back_with_all_its_details() -> None:
    sent = flag(
        "2",
        TYPED,
        *DATES,
        Element(Tasks.Subject, "Büro"),
        Element(Tasks.ReminderSet, "1"),
        Element(Tasks.ReminderTime, TIME),
        Element(Tasks.OrdinalDate, TIME),
        Element(Tasks.SubOrdinalDate, "5555"),
    )
    shown = Marks.of([FLAGGED], kept(parse_flag(sent))).flag()
    assert texts(shown) == texts(sent)


def test_a_completed_flag_comes_back() -> None:
    sent = flag("1", TYPED, Element(Email.CompleteTime, TIME), Element(Tasks.DateCompleted, TIME))
    values = kept(parse_flag(sent))
    assert texts(Marks.of([], values).flag()) == texts(sent)
    assert texts(Marks.of([FLAGGED], values).flag()) == {"Status": "2", "FlagType": "Flag for follow up"}


def test_another_mail_program_makes_details_stale() -> None:
    values = kept(parse_flag(flag("2", TYPED, *DATES)))
    assert not len(Marks.of([], values).flag())
    assert not FollowUp.holds(values, flagged=False)
    assert FollowUp.holds(values, flagged=True)


def test_details_not_named_stay_until_the_flag_is_cleared() -> None:
    first = parse_flag(flag("2", TYPED, *DATES))
    changed = parse_flag(flag("2", Element(Tasks.Subject, "new"))).over(first)
    assert changed.details == {**first.details, "Subject": "new"}
    done = parse_flag(flag("1", Element(Email.CompleteTime, TIME), Element(Tasks.DateCompleted, TIME))).over(
        changed
    )
    assert done.details == {**changed.details, "CompleteTime": TIME, "DateCompleted": TIME}
    again = parse_flag(flag("2", Element(Tasks.Subject, "newer"))).over(done)
    assert again.details == {**first.details, "Subject": "newer"}
    assert parse_flag(flag("2", TYPED)).over(done).details == {"FlagType": "Flag for follow up"}
    assert parse_flag(flag("0")).over(done) == parse_flag(element(Email.Flag)).over(done) == FollowUp()


@pytest.mark.parametrize(
    "sent",
    [
        flag("3"),
        flag(""),
        element(Email.Flag, TYPED),
        flag("2", TYPED, *DATES[:3]),
        flag("2", TYPED, DATES[0], Element(Tasks.DueDate, "2026-02-28T00:00:00Z"), *DATES[2:]),
        flag("2", TYPED, *DATES[:2], DATES[2], Element(Tasks.UtcDueDate, "2026-02-28T00:00:00Z")),
        flag("2", TYPED, Element(Tasks.ReminderSet, "1")),
        flag("2", TYPED, Element(Tasks.ReminderSet, "2")),
        flag("2", TYPED, Element(Tasks.OrdinalDate, "tomorrow")),
        flag("2", Element(Email.FlagType, "x" * 4097)),
        flag("1"),
        flag("1", Element(Email.CompleteTime, TIME)),
        flag("1", Element(Tasks.DateCompleted, TIME)),
    ],
)
def test_a_flag_that_cannot_be(sent: Element) -> None:
    with pytest.raises(BadItem):
        parse_flag(sent)


@given(
    st.lists(
        st.builds(
            Element,
            st.sampled_from(
                [Email.Status, Email.FlagType, Tasks.StartDate, Tasks.ReminderSet, Tasks.Subject]
            ),
            st.text(max_size=9) | st.sampled_from(["0", "1", "2", TIME]),
        ),
        max_size=6,
    )
)
def test_whatever_is_sent_is_a_flag_or_bad(children: list[Element]) -> None:
    try:
        sent = parse_flag(element(Email.Flag, *children))
    except BadItem:
        return
    assert FollowUp.of(kept(sent), flagged=sent.active).status is sent.status
    if not sent.active:
        assert FollowUp.of(kept(sent), flagged=False) == (
            sent if sent.status is FlagStatus.COMPLETE else FollowUp()
        )


def test_categories_a_device_sends() -> None:
    sent = element(Email.Categories, *(Element(Email.Category, name) for name in ("Red", " ", "a b", "Red")))
    assert parse_categories(sent) == {"Red", "a b"}
    assert parse_categories(Element(Email.Categories)) == frozenset()


@pytest.mark.parametrize("names", [["x" * 256], [str(number) for number in range(301)]])
def test_categories_beyond_the_bounds(names: list[str]) -> None:
    with pytest.raises(BadItem):
        parse_categories(element(Email.Categories, *(Element(Email.Category, name) for name in names)))
