"""The sticky options of a collection of items (MS-ASCMD 2.2.3.125.5), with what it said in Supported."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from gateway.eas import fields
from gateway.eas.content.preferences import BodyOptions, parse_body_options
from gateway.eas.options import first_text
from gateway.eas.versions import Version
from gateway.items import ItemKind
from gateway.sync.conflict import Policy
from wbxml import Element, element
from wbxml.pages import AirSync

if TYPE_CHECKING:
    from gateway.eas.content.items import ItemContent

__all__ = ["ItemOptions", "parse_item_options", "wanted"]

_REMEMBERED = 256
"""Options whose two forms are remembered: phones of one kind all want the same, in every request."""


@dataclass(frozen=True, slots=True)
class ItemOptions:
    """What a device wants of a collection of items.

    `supported` are the names of the elements it listed in Supported with key 0, None without one. `max_items`
    is how many of a recipient information cache it wants, 0 all.
    """

    filter_type: int = 0
    conflict: Policy = Policy.SERVER_WINS
    body: BodyOptions = field(default_factory=BodyOptions)
    supported: frozenset[str] | None = None
    max_items: int = 0

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019  # what it keeps alive is small and of bounded number
    def pack(self) -> bytes:
        """The options as bytes for the store."""
        values = {
            "filter": self.filter_type,
            "conflict": self.conflict,
            "body": self.body.to_json(),
            "supported": None if self.supported is None else sorted(self.supported),
        }
        if self.max_items:
            values["max_items"] = self.max_items
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
            values.get("max_items", 0),
        )


def parse_item_options(blocks: Sequence[Element], content: ItemContent, version: Version) -> ItemOptions:
    """The options of one request, without Supported.

    Body types the kind does not have are left out: phones send the same preferences for every folder. Raises
    `Refused(INVALID_XML)` for a FilterType it does not have, for another class, and for more than one block.
    """
    if len(blocks) > 1:
        raise fields.malformed(f"two Options for a folder of {content.name}")
    block = next(iter(blocks), None)
    if block is None:
        return ItemOptions()
    if (block.child_text(AirSync.Class) or content.name) != content.name:
        raise fields.malformed(f"Options of another class for a folder of {content.name}")
    capped = block.findall(AirSync.MaxItems)[:1]  # there may be more, of which the first counts
    max_items = fields.number(element(AirSync.Options, *capped), AirSync.MaxItems, 0) or 0
    if capped and content.kind is not ItemKind.RECIPIENTS:
        raise fields.malformed("MaxItems outside the recipient information cache")
    filter_type = int(first_text(block, AirSync.FilterType, "0"))
    if filter_type not in content.filters:
        raise fields.malformed(f"FilterType {filter_type} does not exist for {content.name}")
    conflict = int(first_text(block, AirSync.Conflict, str(Policy.SERVER_WINS.value)))
    if conflict not in (*Policy,):
        raise fields.malformed(f"Conflict {conflict} does not exist")
    body = parse_body_options(block, version)
    types = content.body_types(version)
    body = replace(body, preferences=tuple(one for one in body.preferences if one.type in types))
    return ItemOptions(filter_type, Policy(conflict), body, max_items=max_items)


def wanted(
    blocks: Sequence[Element], supported: Element | None, content: ItemContent, version: Version
) -> Callable[[bytes], bytes]:
    """What makes the options to store of those stored: as the request says, or as they are.

    `supported` is that of a request with key 0 (MS-ASCMD 2.2.3.178). Raises `Refused(INVALID_XML)`.
    """
    if supported is not None and not content.ghosts:
        raise fields.malformed(f"Supported for a folder of {content.name}")
    parsed = parse_item_options(blocks, content, version) if blocks else None
    listed = None if supported is None else frozenset(child.tag.name for child in supported)

    def applied(stored: bytes) -> bytes:
        known = ItemOptions.unpack(stored)
        kept = known.supported if listed is None else listed
        return replace(parsed or known, supported=kept).pack()

    return applied
