"""Text of `format=flowed` (RFC 3676): lines that the sender's program broke are put together again.

A phone is not told of the format, and its lines are of another width.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["is_flowed", "unflow"]

_LINE = re.compile(r"(>*) ?(.*)", re.DOTALL)
_SIGNATURE = "-- "


def is_flowed(params: Mapping[str, str]) -> bool:
    """Whether the parameters of a text/plain part say so."""
    return params.get("format", "").lower() == "flowed"


def unflow(text: str, params: Mapping[str, str]) -> str:
    """The text with paragraphs on one line each, parted by LF; quoted ones begin with `> ` for each level."""
    delete_space = params.get("delsp", "").lower() == "yes"
    paragraphs: list[str] = []
    flowing: list[str] = []
    depth = -1
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        match = _LINE.fullmatch(line)
        assert match  # it matches everything
        quotes, content = len(match[1]), match[2]
        if quotes != depth or content == _SIGNATURE:
            _end(flowing, depth, paragraphs)
            depth = quotes
        if content.endswith(" ") and content != _SIGNATURE:
            flowing.append(content[:-1] if delete_space else content)
        else:
            flowing.append(content)
            _end(flowing, depth, paragraphs)
    _end(flowing, depth, paragraphs)
    return "\n".join(paragraphs)


def _end(flowing: list[str], depth: int, paragraphs: list[str]) -> None:
    if flowing:
        mark = "> " * depth
        paragraphs.append((mark + "".join(flowing)).rstrip(" ") if depth else "".join(flowing))
        flowing.clear()
