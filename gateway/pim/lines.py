"""iCalendar and vCard text (RFC 5545 3.1, RFC 6350 3.2) read into properties, however badly it is written.

A line that cannot be read costs that line. Values stay as they are written until somebody wants one, so that
reading costs little and a bad value spoils nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gateway.pim.limits import DEEPEST, MOST_LINES

__all__ = ["LONGEST_LINE", "Component", "Property", "parameters", "parse_property", "read"]

LONGEST_LINE = 1 << 20
"""Characters of a line that is read."""
_FOLD = re.compile(r"\n[ \t]")
_HEAD = re.compile(r"(?:([A-Za-z0-9-]{1,64})\.)?([A-Za-z0-9-]{1,64})(?=[;:])")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]{1,64})\s*=\s*((?:"[^"]*"|[^";:])*)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CARET = re.compile(r"\^([n'^])")
_NO_PARAMS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Property:
    """A property: names in upper case, the value as written; parameter values without their quotes.

    TYPE may be there several times (RFC 6350 5.6): its values are listed, with commas. `group` is what joins
    the property to others of a vCard (RFC 6350 3.3), in upper case.
    """

    name: str
    value: str
    params: Mapping[str, str] = field(default_factory=dict)
    group: str = ""

    @property
    def text(self) -> str:
        """The value as text, with escapes undone (RFC 5545 3.3.11)."""
        return _ESCAPE.sub(_unescaped, self.value) if "\\" in self.value else self.value


@dataclass(slots=True)
class Component:
    """What stands between BEGIN and END, in order."""

    name: str
    properties: list[Property] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)

    def get(self, name: str) -> Property | None:
        """The first property of a name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Property]:
        """The properties of a name."""
        return (one for one in self.properties if one.name == name)

    def text(self, name: str) -> str:
        """The text of a property, without blanks around it; "" when it is not there."""
        found = self.get(name)
        return found.text.strip() if found else ""

    def parts(self, name: str) -> Iterator[Component]:
        """The components of a name that stand in this one."""
        return (one for one in self.components if one.name == name)


def read(text: str) -> list[Component]:
    """The calendars (VCALENDAR) in a text. Never raises; what is cut off in mid-air ends there."""
    root = Component("")
    open_components = [root]
    skipped = 0
    known: dict[str, Property | None] = {}
    for line in _lines(text):
        # Once, however often it is there: exceptions of a series repeat most of what it says.
        if line not in known:
            known[line] = parse_property(line)
        found = known[line]
        if found is None:
            continue
        inner = found.value.strip().upper()
        if found.name == "BEGIN":
            if len(open_components) > DEEPEST:
                skipped += 1
                continue
            begun = Component(inner)
            open_components[-1].components.append(begun)
            open_components.append(begun)
        elif found.name == "END":
            if skipped:
                skipped -= 1
            else:
                _end(open_components, inner)
        elif not skipped:
            open_components[-1].properties.append(found)
    return list(root.parts("VCALENDAR"))


def _lines(text: str) -> Iterator[str]:
    """Whole lines; one that was broken in two without a blank is read as two, the second lost."""
    unfolded = _FOLD.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return (line for line in unfolded.split("\n", MOST_LINES)[:MOST_LINES] if len(line) <= LONGEST_LINE)


def parse_property(line: str) -> Property | None:
    """The property in an unfolded line; None when it cannot be read."""
    line = line.lstrip("\ufeff \t")
    head = _HEAD.match(line)
    if head is None:
        return None
    at, params = head.end(), _NO_PARAMS
    if line[at] == ";":
        params = {}
        for found in parameters(line, at):
            key, text = found[1].upper(), _plain(found[2])
            params[key] = f"{params[key]},{text}" if key == "TYPE" and key in params else text
            at = found.end()
        at = line.find(":", at)
        if at < 0:
            return None
    return Property(head[2].upper(), line[at + 1 :], params, (head[1] or "").upper())


def parameters(line: str, at: int) -> Iterator[re.Match[str]]:
    """The parameters that stand in an unfolded line from there: groups are name and value as written."""
    while found := _PARAMETER.match(line, at):
        yield found
        at = found.end()


def _plain(value: str) -> str:
    """A parameter value without quotes, and what stands for characters it cannot have (RFC 6868)."""
    value = value.replace('"', "").strip()
    return _CARET.sub(_uncareted, value) if "^" in value else value


def _uncareted(match: re.Match[str]) -> str:
    return {"n": "\n", "'": '"', "^": "^"}[match[1]]


def _end(open_components: list[Component], name: str) -> None:
    """Close the innermost component of a name, and those in it that were left open."""
    for depth in range(len(open_components) - 1, 0, -1):
        if open_components[depth].name == name:
            del open_components[depth:]
            return


def _unescaped(escape: re.Match[str]) -> str:
    return "\n" if escape[1] in "nN" else escape[1]
