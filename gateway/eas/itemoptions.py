"""The sticky options of a collection of items (MS-ASCMD 2.2.3.125.5), with what it said in Supported."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache

from gateway.eas.content.preferences import BodyOptions
from gateway.sync.conflict import Policy

__all__ = ["ItemOptions"]

_REMEMBERED = 256
"""Options whose two forms are remembered: phones of one kind all want the same, in every request."""


@dataclass(frozen=True, slots=True)
class ItemOptions:
    """What a device wants of a collection of items.

    `supported` are the names of the elements it listed in Supported with key 0, None without one.
    """

    filter_type: int = 0
    conflict: Policy = Policy.SERVER_WINS
    body: BodyOptions = field(default_factory=BodyOptions)
    supported: frozenset[str] | None = None

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019  # what it keeps alive is small and of bounded number
    def pack(self) -> bytes:
        """The options as bytes for the store."""
        values = {
            "filter": self.filter_type,
            "conflict": self.conflict,
            "body": self.body.to_json(),
            "supported": None if self.supported is None else sorted(self.supported),
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    @lru_cache(maxsize=_REMEMBERED)
    def unpack(cls, data: bytes) -> ItemOptions:
        """The options `pack` made these bytes of; b"" are the defaults."""
        if not data:
            return cls()
        values = json.loads(data)
        supported = values["supported"]
        return cls(
            values["filter"],
            Policy(values["conflict"]),
            BodyOptions.from_json(values["body"]),
            None if supported is None else frozenset(supported),
        )
