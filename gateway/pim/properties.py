"""Properties that events, tasks and notes have alike, read and written: texts, categories, times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from gateway.pim.clock import tzid_of
from gateway.pim.invitation import Sensitivity, sensitivity_of
from gateway.pim.lines import Component, Property
from gateway.pim.names import ALT_DESC
from gateway.pim.tree import Line, Node, escaped, make_line
from gateway.pim.values import utc_text

__all__ = [
    "INHERIT",
    "UNSET",
    "Body",
    "Unset",
    "moment_line",
    "natural",
    "put_text",
    "read_body",
    "read_categories",
    "read_sensitivity",
    "read_text",
    "settled_body",
    "write_body",
    "write_categories",
    "write_sensitivity",
]

_MOST_CATEGORIES = 1000
_SPLIT = re.compile(r"((?:\\.|[^,\\])*)(?:,|$)", re.DOTALL)
_SENSITIVITY_WORDS = {
    Sensitivity.PERSONAL: "X-PERSONAL",
    Sensitivity.PRIVATE: "PRIVATE",
    Sensitivity.CONFIDENTIAL: "CONFIDENTIAL",
}


class Unset(Enum):
    """What stands in a patch for a value that it does not give."""

    UNSET = "as it is"
    INHERIT = "as the series has it"
    """For an occurrence: it has no value of its own (any more). For a series the same as UNSET."""


UNSET = Unset.UNSET
INHERIT = Unset.INHERIT


@dataclass(frozen=True, slots=True)
class Body:
    """The description. With `html` that is what was written, and `plain` the same as text.

    Lines end with LF.
    """

    plain: str
    html: str = ""


def read_text(component: Component, name: str) -> str:
    """The text of a property as it is, blanks and all; "" when it is not there."""
    found = component.get(name)
    return found.text if found else ""


def put_text(node: Node, name: str, text: str) -> None:
    """Change a text; what its line says of the language stays, another form of the text does not."""
    known = next(node.lines(name), None)
    line = known.with_params(escaped(text), ALTREP=None) if known else make_line(name, escaped(text))
    node.replace(name, [line] if text else [])


def read_body(component: Component) -> Body | None:
    """The description, as text and (X-ALT-DESC) as HTML; None when there is none."""
    html = next(
        (
            one.text
            for one in component.all(ALT_DESC)
            if one.params.get("FMTTYPE", "text/html").lower() == "text/html"
        ),
        "",
    )
    plain = read_text(component, "DESCRIPTION")
    return Body(plain, html) if plain or html else None


def write_body(node: Node, body: Body | None) -> None:
    """Change the description in both forms."""
    put_text(node, "DESCRIPTION", body.plain if body else "")
    html = body.html if body else ""
    node.replace(ALT_DESC, [make_line(ALT_DESC, escaped(html), {"FMTTYPE": "text/html"})] if html else [])


def settled_body(wanted: Body, old: Body | None) -> Body | None:
    """The description that is meant: the same text without its HTML comes from who was shown it so."""
    if old and not wanted.html and wanted.plain == old.plain:
        return old
    return wanted if wanted.plain or wanted.html else None


def read_categories(component: Component) -> Iterator[str]:
    """The different categories, in order."""
    seen: set[str] = set()
    for found in component.all("CATEGORIES"):
        for match in _SPLIT.finditer(found.value):
            text = Property("", match[1]).text.strip()
            if text and text not in seen and len(seen) < _MOST_CATEGORIES:
                seen.add(text)
                yield text


def write_categories(node: Node, categories: tuple[str, ...]) -> None:
    """Put these categories in place of all there are."""
    listed = ",".join(escaped(one) for one in categories)
    node.replace("CATEGORIES", [make_line("CATEGORIES", listed)] if listed else [])


def read_sensitivity(component: Component) -> Sensitivity:
    """What CLASS says."""
    return sensitivity_of(component.text("CLASS"))


def write_sensitivity(node: Node, sensitivity: Sensitivity) -> None:
    """Change CLASS."""
    word = _SENSITIVITY_WORDS.get(sensitivity)
    node.replace("CLASS", [make_line("CLASS", word)] if word else [])


def moment_line(name: str, moment: datetime, *, all_day: bool, recurring: bool = True) -> Line:
    """A property with a time, by the clock of its zone; of whole days with the date.

    An hour that comes twice is the first of the two in a clock time: what is meant once, and in the
    second, is written in UTC.
    """
    date = f"{moment.year:04}{moment:%m%d}"
    if all_day:
        return make_line(name, date, {"VALUE": "DATE"})
    tzid = tzid_of(moment.tzinfo or UTC)
    again = moment.fold and moment.utcoffset() != moment.replace(fold=0).utcoffset()
    if not tzid or (again and not recurring):
        return make_line(name, utc_text(moment))
    return make_line(name, f"{date}T{moment:%H%M%S}", {"TZID": tzid})


def natural(text: str) -> int:
    """The natural number in a value; 0 when there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0
