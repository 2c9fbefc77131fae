"""The sticky options of a collection: AirSync Options (MS-ASCMD 2.2.3.125.5), read, stored and applied."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

from gateway.eas import fields
from gateway.eas.content.preferences import BodyOptions, parse_body_options
from gateway.eas.versions import Version
from gateway.sync.conflict import Policy
from wbxml import Element, Tag
from wbxml.pages import AirSync

_DAYS = {1: 1, 2: 3, 3: 7, 4: 14, 5: 31}
"""Days of mail a FilterType lets through (MS-ASCMD 2.2.3.68.2); 0 is everything."""
_POLICIES = {policy.value: policy for policy in Policy}
_SERVER_WINS = str(Policy.SERVER_WINS.value)
_REMEMBERED = 256
"""Options whose two forms are remembered: phones of one kind all want the same, in every request."""


@dataclass(frozen=True, slots=True)
class CollectionOptions:
    """What a device wants of a mail collection; `filter_type` is 0 to 5."""

    filter_type: int = 0
    conflict: Policy = Policy.SERVER_WINS
    body: BodyOptions = field(default_factory=BodyOptions)

    @classmethod
    def parse(cls, blocks: list[Element], version: Version) -> CollectionOptions:
        """The options of one request; an element without content is all defaults.

        Raises `Refused(INVALID_XML)` for a FilterType mail does not have and for more than one block per
        class.
        """
        wanted = mail_block(blocks)
        parsed = [(block, cls._of(block, version)) for block in blocks]  # of text messages only checked
        return next((options for block, options in parsed if block is wanted), cls())

    @classmethod
    def _of(cls, block: Element, version: Version) -> CollectionOptions:
        if block.find(AirSync.MaxItems) is not None:
            raise fields.malformed("MaxItems outside the recipient information cache")
        filter_type = int(first_text(block, AirSync.FilterType, "0"))
        if filter_type and filter_type not in _DAYS:
            raise fields.malformed(f"FilterType {filter_type} does not exist for mail")
        conflict = int(first_text(block, AirSync.Conflict, _SERVER_WINS))
        policy = _POLICIES.get(conflict)
        if policy is None:
            raise fields.malformed(f"Conflict {conflict} does not exist")
        return cls(filter_type, policy, parse_body_options(block, version))

    def since(self, now: datetime) -> datetime | None:
        """The start of the filter window, to the hour, so that it does not move with every request.

        None: no filter.
        """
        if not self.filter_type:
            return None
        start = now - timedelta(days=_DAYS[self.filter_type])
        return start.replace(minute=0, second=0, microsecond=0)

    @lru_cache(maxsize=_REMEMBERED)  # noqa: B019  # what it keeps alive is small and of bounded number
    def pack(self) -> bytes:
        """The options as bytes for the store."""
        values = {"filter": self.filter_type, "conflict": self.conflict, "body": self.body.to_json()}
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    @lru_cache(maxsize=_REMEMBERED)
    def unpack(cls, data: bytes) -> CollectionOptions:
        """The options `pack` made these bytes of; b"" are the defaults."""
        if not data:
            return cls()
        values = json.loads(data)
        return cls(values["filter"], Policy(values["conflict"]), BodyOptions.from_json(values["body"]))


def mail_block(blocks: list[Element]) -> Element | None:
    """The Options that concern mail; beside them there may be some for SMS alone (MS-ASCMD 2.2.3.27.6).

    Raises `Refused(INVALID_XML)` for other classes and for one class twice.
    """
    classes = [block.child_text(AirSync.Class) or "Email" for block in blocks]
    if len(set(classes)) != len(classes) or not set(classes) <= {"Email", "SMS"}:
        raise fields.malformed("Options for a class the folder does not hold, or twice")
    return blocks[classes.index("Email")] if "Email" in classes else None


def first_text(block: Element, tag: Tag, default: str) -> str:
    """The text of a child that clients sometimes send twice: the first counts; not a number is malformed."""
    text = (block.child_text(tag) or default).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise fields.malformed(f"{tag!r} is not a number")
    return text
