"""The page of elements is that of the tables, and names every element there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eas.content.elements_page import page
from wbxml import Tag
from wbxml.pages import Contacts, Contacts2, Notes, Tasks

PAGE = Path(__file__).parents[3] / "deploy/elements.md"


def test_the_page_is_current() -> None:
    told = PAGE.read_text(encoding="utf-8")
    assert told == page(), "python -m tests.eas.content.elements_page > deploy/elements.md"


@pytest.mark.parametrize(
    ("code_page", "head"),
    [(Contacts, "## Contacts"), (Contacts2, "## Contacts"), (Tasks, "## Tasks"), (Notes, "## Notes")],
)
def test_no_element_is_missing(code_page: type, head: str) -> None:
    every = {tag.name for tag in vars(code_page).values() if isinstance(tag, Tag)}
    told = PAGE.read_text(encoding="utf-8").partition(head)[2].partition("\n## ")[0]
    assert all(f"`AirSyncBase:{name}`" in told for name in ("Body", "NativeBodyType"))
    assert sorted(name for name in every if f"`{name}`" not in told) == []
    assert every
