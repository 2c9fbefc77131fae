"""Body options of requests: parsing, refusing, storing."""

from __future__ import annotations

import pytest

from gateway.eas.content.preferences import (
    HTML,
    MIME,
    PLAIN,
    BodyOptions,
    BodyPreference,
    parse_body_options,
)
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from wbxml import Element, Tag, element
from wbxml.pages import AirSync, AirSyncBase, ItemOperations

TYPE, SIZE, WHOLE, PREVIEW = (
    AirSyncBase.Type,
    AirSyncBase.TruncationSize,
    AirSyncBase.AllOrNone,
    AirSyncBase.Preview,
)


def preference(*children: tuple[Tag, str], tag: Tag = AirSyncBase.BodyPreference) -> Element:
    return element(tag, *(element(name, value) for name, value in children))


def options(*children: Element, tag: Tag = AirSync.Options) -> Element:
    return element(tag, *children)


@pytest.mark.parametrize("tag", [AirSync.Options, ItemOperations.Options])
def test_everything(tag: Tag) -> None:
    parsed = parse_body_options(
        options(
            element(AirSync.FilterType, "3"),
            preference((TYPE, "2"), (SIZE, "51200"), (WHOLE, "1"), (PREVIEW, "255")),
            preference((TYPE, "1")),
            element(AirSync.MIMESupport, "1"),
            element(AirSync.MIMETruncation, "4"),
            preference((TYPE, "2"), (SIZE, "10"), tag=AirSyncBase.BodyPartPreference),
            tag=tag,
        ),
        Version.V14_1,
    )
    assert parsed == BodyOptions(
        (BodyPreference(HTML, 51200, True, 255), BodyPreference(PLAIN)), 1, 4, BodyPreference(HTML, 10)
    )
    assert BodyOptions.from_json(parsed.to_json()) == parsed


def test_nothing() -> None:
    assert parse_body_options(options(), Version.V16_1) == BodyOptions()
    assert BodyOptions.from_json(BodyOptions().to_json()) == BodyOptions()


@pytest.mark.parametrize(("value", "octets"), [("0", 0), ("1", 512), ("8", 102400), ("9", None)])
def test_truncation(value: str, octets: int | None) -> None:
    parsed = parse_body_options(options(element(AirSync.Truncation, value)), Version.V16_1)
    assert parsed.text_size == octets
    assert BodyOptions.from_json(parsed.to_json()) == parsed


def test_what_the_first_release_stored_is_read_and_written_alike() -> None:
    stored = '{"preferences":[],"mime_support":1,"mime_truncation":null,"part":null}'
    assert BodyOptions.from_json(stored) == BodyOptions(mime_support=1)
    assert BodyOptions(mime_support=1).to_json() == stored


def test_the_whole_of_the_same_forms() -> None:
    wanted = BodyOptions((BodyPreference(HTML, 512, True), BodyPreference(MIME, 5)), 2, 1, truncation=1)
    whole = BodyOptions((BodyPreference(HTML, None, True), BodyPreference(MIME)), 2)
    assert wanted.whole() == whole
    assert whole.mime_size is None


@pytest.mark.parametrize(("text", "value"), [("", True), ("1", True), ("0", False)])
def test_an_empty_boolean_is_true(text: str, value: bool) -> None:
    parsed = parse_body_options(options(preference((TYPE, "1"), (SIZE, "5"), (WHOLE, text))), Version.V16_1)
    assert parsed.preferences[0].all_or_none is value


@pytest.mark.parametrize(
    "child",
    [
        preference((SIZE, "5")),
        preference((TYPE, "0")),
        preference((TYPE, "5")),
        preference((TYPE, "x")),
        preference((TYPE, "")),
        preference((TYPE, "1"), (SIZE, "-1")),
        preference((TYPE, "1"), (SIZE, "4294967296")),
        preference((TYPE, "1"), (SIZE, "9" * 5000)),
        preference((TYPE, "1"), (SIZE, "٣")),
        preference((SIZE, "5"), (TYPE, "1")),
        preference((TYPE, "1"), (WHOLE, "1"), (SIZE, "5")),
        preference((TYPE, "1"), (TYPE, "1")),
        preference((TYPE, "1"), (SIZE, "5"), (WHOLE, "1"), (WHOLE, "1")),
        preference((TYPE, "1"), (AirSyncBase.Data, "x")),
        element(AirSyncBase.BodyPreference, element(TYPE, "1"), preference((TYPE, "2"))),
        preference((TYPE, "1"), (WHOLE, "2")),
        preference((TYPE, "1"), (PREVIEW, "256")),
        element(AirSync.MIMESupport, "3"),
        element(AirSync.MIMETruncation, "9"),
        element(AirSync.Truncation, "10"),
    ],
)
def test_refused(child: Element) -> None:
    with pytest.raises(Refused) as refused:
        parse_body_options(options(child), Version.V16_1)
    assert refused.value.kind is Kind.INVALID_XML


def test_a_type_may_be_named_once() -> None:
    with pytest.raises(Refused) as refused:
        parse_body_options(
            options(preference((TYPE, "1")), preference((TYPE, "1"), (SIZE, "5"))), Version.V16_1
        )
    assert refused.value.kind is Kind.INVALID_XML


def test_a_body_part_is_html() -> None:
    wanted = options(preference((TYPE, "1"), tag=AirSyncBase.BodyPartPreference))
    with pytest.raises(Refused) as refused:
        parse_body_options(wanted, Version.V14_1)
    assert refused.value.kind is Kind.BODY_PART_TYPE


@pytest.mark.parametrize("version", [Version.V12_0, Version.V12_1, Version.V14_0])
@pytest.mark.parametrize("kind", ["1", "2", "77"])
def test_versions_without_a_body_part_pass_over_the_wish(version: Version, kind: str) -> None:
    wanted = options(preference((TYPE, kind), tag=AirSyncBase.BodyPartPreference))
    assert parse_body_options(wanted, version) == BodyOptions()


@pytest.mark.parametrize(
    ("truncation", "size"), [(None, 77), (0, 0), (1, 4096), (4, 10240), (7, 102400), (8, None)]
)
def test_mime_truncation_comes_before_the_size_of_the_preference(
    truncation: int | None, size: int | None
) -> None:
    assert BodyOptions((BodyPreference(MIME, 77),), 2, truncation).mime_size == size


def test_without_data_no_form_is_given_that_was_not_asked_for() -> None:
    part = BodyPreference(HTML, 77)
    assert BodyOptions(part=part).without_data() == BodyOptions(
        part=BodyPreference(HTML, 0), mime_truncation=0, truncation=0
    )
    assert BodyOptions(part=part).previews().part == part
    assert BodyOptions().previews().preferences == (BodyPreference(PLAIN, 0),)
