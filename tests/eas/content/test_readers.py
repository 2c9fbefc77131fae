"""Typed values out of ApplicationData: what fits, what is not there, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content import readers
from gateway.eas.content.values import BadItem
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar
from wbxml.tags import resolve

NOON = datetime(2026, 3, 5, 12, 0, 30, tzinfo=UTC)


def data(*values: str | None) -> Element:
    """Children of one tag with these texts."""
    return element(AirSync.ApplicationData, *(element(Calendar.Reminder, value) for value in values))


def test_what_is_not_there_is_none() -> None:
    for read in (readers.once, readers.text, readers.decimal, readers.boolean, readers.moment):
        assert read(data(), Calendar.Reminder) is None
    assert readers.integer(data(), Calendar.Reminder, 0, 9) is None
    assert readers.names(data(), Calendar.Categories, Calendar.Category, 9, 9) is None


def test_what_is_there_twice_is_refused() -> None:
    for read in (readers.once, readers.text, readers.decimal, readers.boolean, readers.moment):
        with pytest.raises(BadItem):
            read(data("1", "1"), Calendar.Reminder)


def test_what_stands_where_it_may_not() -> None:
    kind, size, data = (
        element(tag, 1) for tag in (AirSyncBase.Type, AirSyncBase.EstimatedDataSize, AirSyncBase.Data)
    )
    order = (AirSyncBase.Type, AirSyncBase.EstimatedDataSize, AirSyncBase.Data)
    unheard_of = element(resolve(AirSyncBase.Type.page, 0x3F), "x")
    for good in (
        (),
        (kind,),
        (kind, data),
        (kind, size, data),
        (unheard_of, kind, element(Calendar.Reminder), data),
    ):
        assert not readers.misplaced(element(AirSyncBase.Body, *good), order)
    for bad in ((data, kind), (kind, kind), (kind, element(AirSyncBase.Preview), data)):
        assert readers.misplaced(element(AirSyncBase.Body, *bad), order)
    assert not readers.misplaced(element(AirSyncBase.Body, data, kind), order, in_order=False)
    for bad in ((kind, data, kind), (data, element(AirSyncBase.Preview))):
        assert readers.misplaced(element(AirSyncBase.Body, *bad), order, in_order=False)


def test_texts() -> None:
    assert readers.text(data(" a b "), Calendar.Reminder) == "a b"
    assert readers.text(data(None), Calendar.Reminder) == ""
    assert readers.text(data("abc"), Calendar.Reminder, 3) == "abc"
    with pytest.raises(BadItem):
        readers.text(data("abcd"), Calendar.Reminder, 3)


@pytest.mark.parametrize(
    ("written", "number"), [("0", 0), ("-1", -1), (" 9 ", 9), ("007", 7), (None, None), ("", None)]
)
def test_numbers(written: str | None, number: int | None) -> None:
    assert readers.integer(data(written), Calendar.Reminder, -1, 9) == number


@pytest.mark.parametrize("written", ["10", "-2", "1.0", "x", "1e1", "+1", "\u0661", "9" * 5000])
def test_what_is_no_such_number(written: str) -> None:
    with pytest.raises(BadItem):
        readers.integer(data(written), Calendar.Reminder, -1, 9)


@pytest.mark.parametrize(("written", "number"), [("1.5", 1.5), ("-1e3", -1000.0), ("7", 7.0), ("", None)])
def test_doubles(written: str, number: float | None) -> None:
    assert readers.decimal(data(written), AirSyncBase.Altitude) is None
    assert readers.decimal(data(written), Calendar.Reminder) == number


@pytest.mark.parametrize("written", ["inf", "nan", "1e999", "x", "1,5", "1" * 65])
def test_what_is_no_double(written: str) -> None:
    with pytest.raises(BadItem):
        readers.decimal(data(written), Calendar.Reminder)


@pytest.mark.parametrize(("written", "truth"), [("0", False), ("1", True), ("", True), (None, True)])
def test_booleans(written: str | None, truth: bool) -> None:
    assert readers.boolean(data(written), Calendar.Reminder) is truth


def test_what_is_no_boolean() -> None:
    with pytest.raises(BadItem):
        readers.boolean(data("2"), Calendar.Reminder)


@pytest.mark.parametrize(
    "written",
    ["20260305T120030Z", "2026-03-05T12:00:30.000Z", "2026-03-05T12:00:30Z", "20260305T12:00:30.123456789"],
)
def test_times_in_every_form(written: str) -> None:
    assert readers.moment(data(written), Calendar.Reminder) == NOON


def test_a_date_is_its_midnight() -> None:
    assert readers.parse_moment("20260305") == datetime(2026, 3, 5, tzinfo=UTC)
    assert readers.moment(data(""), Calendar.Reminder) is None


@pytest.mark.parametrize(
    "written",
    ["noon", "20260230T120000Z", "20260305T250000Z", "15000305T120000Z", "99990305T120000Z", "2026030"],
)
def test_what_is_no_time(written: str) -> None:
    with pytest.raises(BadItem):
        readers.moment(data(written), Calendar.Reminder)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(written: str) -> None:
    try:
        assert readers.parse_moment(written).tzinfo is UTC
    except BadItem:
        return


def listed(*texts: str) -> Element:
    container = element(Calendar.Categories, *(element(Calendar.Category, text) for text in texts))
    return element(AirSync.ApplicationData, container)


def test_names_are_listed_once_each() -> None:
    found = readers.names(listed("b", " a ", "", "b"), Calendar.Categories, Calendar.Category, 4, 1)
    assert found == ("b", "a")


@pytest.mark.parametrize("texts", [("a",) * 5, ("ab",)])
def test_too_many_names_or_too_long(texts: tuple[str, ...]) -> None:
    with pytest.raises(BadItem):
        readers.names(listed(*texts), Calendar.Categories, Calendar.Category, 4, 1)
