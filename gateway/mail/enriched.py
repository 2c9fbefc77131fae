"""text/enriched and its forerunner text/richtext as plain text (RFC 1896, RFC 1341 7.1.3)."""

from __future__ import annotations

import re

__all__ = ["SUBTYPES", "to_text"]

SUBTYPES = frozenset({"enriched", "richtext"})

_PARAMETER = re.compile(r"<param>[^<]{0,1000}</param>", re.IGNORECASE)
_TOKEN = re.compile(r"<<|</?([a-z0-9-]{1,60})>|\r?\n(?:\r?\n)*", re.IGNORECASE)
_RICHTEXT = {"nl": "\n", "np": "\n", "lt": "<"}
"""Commands of richtext that stand for characters."""


def to_text(text: str, subtype: str) -> str:
    """The text without its commands, with the line breaks that are meant.

    In enriched text a line end alone is a blank, and of several in a row all but one count; in richtext
    all are blanks, and a command breaks lines. What `<nofill>` encloses keeps its lines.
    """
    filled = 0

    def plain(token: re.Match[str]) -> str:
        nonlocal filled
        found, command = token[0], (token[1] or "").lower()
        if found == "<<":
            return "<"
        if command == "nofill":
            filled += -1 if found[1] == "/" else 1
        if command:
            return _RICHTEXT.get(command, "") if subtype == "richtext" else ""
        breaks = found.count("\n")
        if subtype == "richtext":
            return " "
        if filled > 0:
            return "\n" * breaks
        return "\n" * (breaks - 1) if breaks > 1 else " "

    return _TOKEN.sub(plain, _PARAMETER.sub("", text))
