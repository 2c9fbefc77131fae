"""What a device writes it gets back, in every version; what a vCard says beside it survives."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.eas.content.contacts.elements import ELEMENTS, Form
from gateway.eas.versions import Version
from gateway.pim.contacts.model import Field
from tests.eas.content.contacts.support import JPEG, Shelf, properties
from tests.pim.contacts.samples import SAMPLES, taken
from wbxml import Element, element
from wbxml.pages import Contacts

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).map(
    lambda text: " ".join(text.split())
)
PICTURES = st.binary(min_size=1, max_size=40).map(
    lambda octets: base64.b64encode(b"\xff\xd8\xff" + octets).decode()
)
DAYS = st.dates(min_value=date(1604, 1, 1), max_value=date(4500, 12, 30)).map(
    lambda day: f"{day.isoformat()}T00:00:00.000Z"
)
ADDRESSES = TEXTS | st.sampled_from(['"Ann B. Lee" <ann@example.test>', "Ann <ann@example.test>", "a <b"])


def strategy(field: Field) -> st.SearchStrategy[Any]:
    form = ELEMENTS[field][1]
    if form is Form.LIST:
        return st.lists(TEXTS.filter(bool), min_size=1, max_size=4, unique=True).map(tuple)
    if form is Form.DAY:
        return DAYS
    if form is Form.PICTURE:
        return PICTURES
    if form in {Form.LINES, Form.BODY}:
        return st.lists(TEXTS.filter(bool), min_size=1, max_size=3).map("\n".join)
    return ADDRESSES if "Email" in field or "IMAddress" in field else TEXTS


SAID = st.fixed_dictionaries({}, optional={field.value: strategy(field) for field in Field}).map(
    lambda said: {name: value for name, value in said.items() if value}
)


def data(said: dict[str, Any], version: Version) -> list[Element]:
    """What a device sends."""
    if version >= Version.V12_0 or "Body" not in said:
        return properties(**said)
    written = properties(**{name: value for name, value in said.items() if name != "Body"})
    return [*written, element(Contacts.Body, said["Body"])]


def expected(said: dict[str, Any], seen: dict[str, Any]) -> dict[str, Any]:
    """What the device sees: without FileAs it is how the contact is called."""
    return {"FileAs": seen["FileAs"], **said} if "FileAs" in seen else said


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(Version), SAID, SAID)
def test_what_a_device_says_it_sees(version: Version, first: dict[str, Any], then: dict[str, Any]) -> None:
    shelf = Shelf(version).add(*data(first, version))
    seen: dict[str, Any] = dict(shelf.seen)
    assert seen == expected(first, seen)
    assume(then.get("FileAs") != seen.get("FileAs"))  # one that comes back follows the name
    shelf.change(*data(then, version))
    seen = dict(shelf.seen)
    for kept in ("Picture", "Body"):
        then = {kept: first[kept], **then} if kept in first else then
    assert seen == expected(then, seen)
    before = shelf.text
    shelf.change(*data(seen, version))
    assert shelf.text == before


@pytest.mark.parametrize("version", Version)
def test_an_empty_element_takes_its_value_away(version: Version) -> None:
    said: dict[str, Any] = {field.value: "a" for field in Field}
    said |= {"Children": ("a",), "Categories": ("a",), "Picture": JPEG}
    said |= dict.fromkeys(("Birthday", "Anniversary"), "1980-02-29T00:00:00.000Z")
    whole = Shelf(version).add(*data(said, version))
    for name in said.keys() - {"FileAs"}:  # without that it is how the contact is called
        shelf = Shelf.of(whole.text, version)
        shelf.change(*data({**said, name: ""}, version))
        assert shelf.seen == {one: value for one, value in said.items() if one != name}, name


@pytest.mark.parametrize("name", sorted(SAMPLES))
@settings(max_examples=15, deadline=None)
@given(version=st.sampled_from(Version), said=SAID)
def test_vcards_lose_nothing(name: str, version: Version, said: dict[str, Any]) -> None:
    """A device changes a contact of another program: it sees what it said, and all it never saw is there."""
    text = taken(SAMPLES[name].text)
    shelf = Shelf.of(text, version)
    seen: dict[str, Any] = dict(shelf.seen)
    shelf.change(*data(seen, version))
    assert shelf.text == text
    shelf.change(*data(said, version))
    after = dict(shelf.seen)
    kept: dict[str, Any] = {one: seen[one] for one in ("Picture", "Body") if one in seen}
    assert after == expected(kept | said, after)
    whole = shelf.text.replace("\r\n ", "").split("\r\n")
    for end in SAMPLES[name].hidden:
        assert any(end in line for line in whole), (end, shelf.text)
