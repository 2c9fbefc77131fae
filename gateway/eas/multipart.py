"""The multipart form of an ItemOperations reply (MS-ASHTTP 2.2.2.1.1.1.1, MS-ASCMD 2.2.1.10)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

CONTENT_TYPE = "application/vnd.ms-sync.multipart"


@dataclass(slots=True)
class Parts:
    """Collects the data that goes beside the WBXML document of a reply."""

    data: list[bytes] = field(default_factory=list)

    def add(self, data: bytes) -> int:
        """Take the data of a part; returns its index in the reply, where 0 is the document itself."""
        self.data.append(data)
        return len(self.data)


def pack(parts: Sequence[bytes]) -> bytes:
    """The body of a reply: the number of parts, offset and length of each (little endian), then the parts."""
    offset = 4 + 8 * len(parts)
    header = [struct.pack("<I", len(parts))]
    for part in parts:
        header.append(struct.pack("<II", offset, len(part)))
        offset += len(part)
    return b"".join([*header, *parts])
