"""Trees for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from wbxml import Element, Tag
from wbxml.pages import PAGES, resolve

KNOWN_TAGS = [tag for page in PAGES.values() for tag in dict.fromkeys(page.tokens.values())]

tags: st.SearchStrategy[Tag] = st.one_of(
    st.sampled_from(KNOWN_TAGS),
    st.builds(resolve, st.integers(0, 255), st.integers(0x05, 0x3F)),
)

text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def _leaf(tag: Tag, characters: str, data: bytes, is_text: bool) -> Element:
    return Element(tag, characters if is_text and not tag.opaque else data)


leaves = st.builds(_leaf, tags, text, st.binary(), st.booleans())

trees: st.SearchStrategy[Element] = st.recursive(
    leaves,
    lambda inner: st.builds(Element, tags, st.none(), st.lists(inner, max_size=6)),
    max_leaves=25,
)
"""Trees that a document can carry exactly: no text in opaque tags, which comes back as bytes."""
