"""Where what phones have of contacts, tasks and notes stands in vCards and iCalendar: a page for readers.

It is made of the tables the gateway goes by, by `python -m tests.eas.content.elements_page`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from gateway.eas.content import notes
from gateway.eas.content.contacts.elements import PARTS, Form, placed
from gateway.eas.content.contacts.telling import OLD_BODY
from gateway.eas.content.mapping import Mapped
from gateway.eas.content.tasks import elements as tasks
from wbxml import Tag
from wbxml.pages import AirSyncBase, Contacts

__all__ = ["page"]

CACHED = (Contacts.Alias, Contacts.WeightedRank)
"""What no contact has (MS-ASCNTC 2.2.2.2, 2.2.2.76)."""

_HEAD = """\
# Elements of contacts, tasks and notes

What phones have of an item, since which version of the protocol, and where it stands in the text that the
gateway keeps: what other programs read in files that are exported, and write into those that are imported.
Everything else in such a text stays as it is, whatever phones change. This page is made of the tables the
gateway goes by.
"""


def page() -> str:
    """The whole page (Markdown)."""
    return "\n".join(
        [
            _HEAD,
            "## Contacts (MS-ASCNTC) in vCards\n",
            *_table(("Element", "Since", "Written as", "In a vCard"), _contacts()),
            f"\nOf the recipient information cache: {', '.join(map(_name, CACHED))}.",
            "\n## Tasks (MS-ASTASK) in VTODO\n",
            *_table(("Element", "Since", "In iCalendar", "Remark"), _mapped(tasks.TABLE)),
            "\n## Notes (MS-ASNOTE) in VJOURNAL\n",
            *_table(("Element", "Since", "In iCalendar", "Remark"), _mapped(notes.TABLE)),
            "",
        ]
    )


def _contacts() -> Iterator[tuple[str, ...]]:
    for one in placed():
        tags = [one.element, *([PARTS[one.field]] if one.field in PARTS else [])]
        if one.form is Form.BODY:
            old = (OLD_BODY.text, OLD_BODY.truncated, OLD_BODY.size, OLD_BODY.rich)
            tags += [AirSyncBase.NativeBodyType, *(tag for tag in old if tag is not None)]
        form = one.form.value.replace("asb:Body", "body")
        yield ", ".join(map(_name, tags)), _since(tags), form, one.place


def _mapped(table: Iterable[Mapped[Any, Any, Any]]) -> Iterator[tuple[str, ...]]:
    for value in table:
        properties = ", ".join(f"`{name}`" for name in value.properties)
        yield ", ".join(map(_name, value.elements)), _since(value.elements), properties, value.remark


def _since(tags: Iterable[Tag]) -> str:
    return ", ".join(dict.fromkeys(tag.min_version or "" for tag in tags))


def _name(tag: Tag) -> str:
    return f"`{'AirSyncBase:' if tag.namespace == AirSyncBase.Body.namespace else ''}{tag.name}`"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (heads, ("---",) * len(heads), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
