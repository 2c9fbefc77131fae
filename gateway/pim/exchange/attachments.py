"""Files that stand in the text of an event itself (ATTACH in base64), taken out of it and put into it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field, replace

from gateway.items import FileNumber
from gateway.pim.events.model import File
from gateway.pim.events.writing import file_line
from gateway.pim.lines import parse_property
from gateway.pim.names import FILE_ID, FILE_INLINE, FILE_NUMBER
from gateway.pim.tree import Line

__all__ = ["OCTETS_OF_A_LINE", "Enclosed", "enclosed", "heading", "is_enclosed", "written"]

OCTETS_OF_A_LINE = 54
"""Octets of a file that one line holds."""
_LONGEST_HEAD = 8192
_NAMES = ("FILENAME", "X-FILENAME", "X-APPLE-FILENAME", "X-ORACLE-FILENAME", "X-LABEL", "LABEL")
"""Where programs say how a file is called; FILENAME is that of RFC 8607."""
_NAMELESS = "attachment"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that stood in the text. `mark` stands where it stood, until it is stored and has a number."""

    file: File
    mark: Line
    content: bytes = field(repr=False)

    def line(self, number: FileNumber) -> Line:
        """The ATTACH that names it in the store."""
        return file_line(replace(self.file, number=number))


def is_enclosed(whole: bytes) -> bool:
    """Whether an unfolded line is an ATTACH with the file in it."""
    head = whole[:_LONGEST_HEAD].partition(b":")[0].upper()
    return head.startswith(b"ATTACH;") and (b"BASE64" in head or b"BINARY" in head)


def enclosed(whole: bytes) -> Enclosed | None:
    """The file in such a line; None when it cannot be read."""
    head = whole[:_LONGEST_HEAD].decode("utf-8", "replace")
    found = parse_property(head)
    if found is None:
        return None
    try:
        content = base64.b64decode(whole[len(head[: len(head) - len(found.value)].encode()) :], validate=True)
    except (binascii.Error, ValueError):
        return None
    params = found.params
    name = next((params[key] for key in _NAMES if params.get(key)), _NAMELESS)
    inline = params.get(FILE_INLINE, "").upper() == "TRUE"
    file = File(0, name, params.get("FMTTYPE", ""), len(content), params.get(FILE_ID, ""), inline)
    return Enclosed(file, file_line(file), content)


def heading(line: Line) -> str:
    """What stands before the content of a file, of which `line` is the ATTACH in the store."""
    # What the store calls it is of no use elsewhere.
    changes = {FILE_NUMBER.replace("-", "_"): None, "SIZE": None, "ENCODING": "BASE64", "VALUE": "BINARY"}
    return line.with_params("", **changes).raw


def written(content: bytes) -> str:
    """A piece of the content behind that: all but the last are a multiple of `OCTETS_OF_A_LINE` long."""
    pieces = (content[at : at + OCTETS_OF_A_LINE] for at in range(0, len(content), OCTETS_OF_A_LINE))
    return "".join(f"\r\n {base64.b64encode(piece).decode('ascii')}" for piece in pieces)
