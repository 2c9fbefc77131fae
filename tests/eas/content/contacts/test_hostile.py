"""ApplicationData of any kind is a contact, or refused; what is stored then can be shown to every device."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import Refused
from tests.eas.content.contacts.support import JPEG, Shelf, card
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Contacts, Contacts2

TAGS = [
    tag for page in (Contacts, Contacts2, AirSyncBase) for tag in vars(page).values() if isinstance(tag, Tag)
]
TEXTS = st.sampled_from(
    [
        "",
        " ",
        "1",
        "-1",
        "\r\n\t",
        "\x01\ufffe",
        "\u202e;,\\",
        "1980-02-29T00:00:00.000Z",
        "99999999T999999Z",
        JPEG,
        "=",
        "long",
    ]
) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
ELEMENTS = st.recursive(
    st.builds(element, st.sampled_from(TAGS), TEXTS | st.none()),
    lambda inner: st.builds(
        lambda tag, parts: element(tag, *parts), st.sampled_from(TAGS), st.lists(inner, max_size=4)
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(Version),
    st.lists(ELEMENTS, max_size=8),
    st.none() | st.frozensets(st.sampled_from([tag.name for tag in TAGS]), max_size=9),
)
def test_anything(version: Version, data: list[Element], supported: frozenset[str] | None) -> None:
    text = card("N:Lee;Ann;;;", "TEL;TYPE=CELL:1", "X-KEPT:x", "NOTE:n")
    data = [element(one.tag, "a" * 40_000) if one.text() == "long" else one for one in data]
    for shelf in (Shelf(version), Shelf.of(text, version)):
        shelf.supported = supported
        try:
            if shelf.stored is None:
                shelf.add(*data)
            else:
                shelf.change(*data)
        except (BadItem, Refused):
            continue
        for other in Version:
            shelf.speaking(other).shown()
        assert shelf.stored is not None
        assert shelf.stored.uid
