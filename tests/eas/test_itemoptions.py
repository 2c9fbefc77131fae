"""The options of folders of items: read, merged with what is stored, stored again."""

from __future__ import annotations

import pytest

from gateway.eas.content.kinds import CONTENTS, content_named, content_of
from gateway.eas.content.preferences import BodyPreference
from gateway.eas.itemoptions import ItemOptions, parse_item_options, wanted
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.items import ItemKind
from gateway.sync.conflict import Policy
from gateway.sync.itemfolders import SERVED
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Calendar

CALENDAR = content_of(ItemKind.CALENDAR)


def block(*children: Element) -> Element:
    return element(AirSync.Options, *children)


def parsed(*children: Element, version: Version = Version.V14_1) -> ItemOptions:
    return parse_item_options([block(*children)], CALENDAR, version)


def preference(kind: int) -> Element:
    return element(AirSyncBase.BodyPreference, element(AirSyncBase.Type, kind))


def test_the_kinds_served_are_those_that_have_folders() -> None:
    assert {content.kind for content in CONTENTS} == {*SERVED, ItemKind.RECIPIENTS}
    assert content_named("Calendar") is CALENDAR
    assert content_named("Email") is None


@pytest.mark.parametrize("filter_type", [0, 4, 5, 6, 7])
def test_filters_of_a_calendar(filter_type: int) -> None:
    assert parsed(element(AirSync.FilterType, filter_type)).filter_type == filter_type


@pytest.mark.parametrize(
    "children",
    [
        (element(AirSync.FilterType, 1),),
        (element(AirSync.FilterType, 8),),
        (element(AirSync.FilterType, "x"),),
        (element(AirSync.Conflict, 2),),
        (element(AirSync.Class, "Email"),),
        (element(AirSync.MaxItems, 3),),
    ],
)
def test_what_a_calendar_cannot_have(children: tuple[Element, ...]) -> None:
    with pytest.raises(Refused):
        parsed(*children)


def test_two_blocks_are_for_mail() -> None:
    with pytest.raises(Refused):
        parse_item_options([block(), block()], CALENDAR, Version.V14_1)


@pytest.mark.parametrize(("version", "types"), [(Version.V14_1, [1, 3]), (Version.V16_1, [1])])
def test_body_types_the_kind_does_not_have_are_left_out(version: Version, types: list[int]) -> None:
    options = parsed(*(preference(kind) for kind in (1, 3, 4)), version=version)
    assert [one.type for one in options.body.preferences] == types


def test_options_are_stored_and_read() -> None:
    options = parsed(element(AirSync.FilterType, 5), element(AirSync.Conflict, 0), preference(2))
    assert ItemOptions.unpack(options.pack()) == options
    assert options.conflict is Policy.CLIENT_WINS
    assert options.body.preferences == (BodyPreference(2),)
    assert ItemOptions.unpack(b"") == ItemOptions()


def test_supported_stays_when_options_are_replaced() -> None:
    listed = element(AirSync.Supported, element(Calendar.Subject), element(Calendar.StartTime))
    first = wanted([block(element(AirSync.FilterType, 5))], listed, CALENDAR, Version.V14_1)(b"")
    second = wanted([block(element(AirSync.Conflict, 0))], None, CALENDAR, Version.V14_1)(first)
    kept = wanted([], None, CALENDAR, Version.V14_1)(second)
    assert kept == second
    options = ItemOptions.unpack(kept)
    assert options.supported == frozenset({"Subject", "StartTime"})
    assert (options.filter_type, options.conflict) == (0, Policy.CLIENT_WINS)


def test_an_empty_supported_is_not_none() -> None:
    made = wanted([], element(AirSync.Supported), CALENDAR, Version.V14_1)(b"")
    assert ItemOptions.unpack(made).supported == frozenset()
