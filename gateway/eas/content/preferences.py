"""What bodies a phone asks for: BodyPreference (MS-ASAIRS 2.2.2.12), MIMESupport, MIMETruncation."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from gateway.eas.content.readers import misplaced
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from wbxml import Element
from wbxml.pages import AirSync, AirSyncBase

__all__ = ["HTML", "MIME", "PLAIN", "RTF", "BodyOptions", "BodyPreference", "parse_body_options"]

PLAIN, HTML, RTF, MIME = 1, 2, 3, 4
"""Values of Type (MS-ASAIRS 2.2.2.41)."""

_MIME_TRUNCATION = {0: 0, 1: 4096, 2: 5120, 3: 7168, 4: 10240, 5: 20480, 6: 51200, 7: 102400}
"""MIMETruncation (MS-ASCMD 2.2.3.112) to octets; 8 is no truncation."""
_TRUNCATION = {0: 0, 1: 512, 2: 1024, 3: 2048, 4: 5120, 5: 10240, 6: 20480, 7: 51200, 8: 102400}
"""Truncation, which is for text in version 2.5, to octets; 9 is no truncation."""
_ORDER = (AirSyncBase.Type, AirSyncBase.TruncationSize, AirSyncBase.AllOrNone, AirSyncBase.Preview)
_LARGEST_NUMBER = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class BodyPreference:
    """One kind of body a phone takes: at most `truncation` octets of it (None: all).

    With `all_or_none` it takes no beginning of a longer one. `preview` is the number of characters of preview
    wanted beside it.
    """

    type: int
    truncation: int | None = None
    all_or_none: bool = False
    preview: int = 0


@dataclass(frozen=True, slots=True)
class BodyOptions:
    """All that a phone says of bodies for one collection or fetch.

    `mime_support` is None when the phone did not say. `part` is its wish for a BodyPart (14.1), `truncation`
    its Truncation (2.5).
    """

    preferences: tuple[BodyPreference, ...] = ()
    mime_support: int | None = None
    mime_truncation: int | None = None
    part: BodyPreference | None = None
    truncation: int | None = None

    def whole(self) -> BodyOptions:
        """The same forms of a body, and all of it."""
        return BodyOptions(
            tuple(replace(one, truncation=None) for one in self.preferences),
            self.mime_support,
            part=self.part,
        )

    def without_data(self) -> BodyOptions:
        """The same forms of a body, and nothing of it but its size and the preview."""
        asked = self.preferences or (() if self.part else (BodyPreference(PLAIN),))
        return BodyOptions(
            tuple(replace(one, truncation=0) for one in asked),
            self.mime_support,
            0,
            self.part and replace(self.part, truncation=0),
            0,
        )

    def previews(self) -> BodyOptions:
        """The same forms of a body, and nothing of it but its size and the preview; the part as asked."""
        return replace(self.without_data(), part=self.part)

    def preference(self, kind: int) -> BodyPreference | None:
        """The preference for a Type."""
        for one in self.preferences:
            if one.type == kind:
                return one
        return None

    @property
    def mime_size(self) -> int | None:
        """How many octets of MIME the phone takes; None: all of it."""
        if self.mime_truncation is not None:
            return _MIME_TRUNCATION.get(self.mime_truncation)
        wanted = self.preference(MIME)
        return wanted.truncation if wanted else None

    @property
    def text_size(self) -> int | None:
        """How many octets of text a phone of version 2.5 takes; None: all of it."""
        return None if self.truncation is None else _TRUNCATION.get(self.truncation)

    def to_json(self) -> str:
        """A compact form to store with a collection."""
        values = asdict(self)
        if self.truncation is None:  # as the first release wrote it
            del values["truncation"]
        return json.dumps(values, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> BodyOptions:
        """The options that `to_json` wrote."""
        data = json.loads(text)
        return cls(
            tuple(BodyPreference(**one) for one in data["preferences"]),
            data["mime_support"],
            data["mime_truncation"],
            BodyPreference(**data["part"]) if data["part"] else None,
            data.get("truncation"),
        )


def parse_body_options(options: Element, version: Version) -> BodyOptions:
    """What an Options element (of Sync, ItemOperations, Search) says of bodies; other children are ignored.

    So is BodyPartPreference before 14.1, which does not know it.

    Raises `Refused`: INVALID_XML for a Type named twice, children in another order, and values out of range;
    BODY_PART_TYPE for a BodyPartPreference that does not ask for HTML (MS-ASAIRS 2.2.2.11).
    """
    preferences = tuple(_preference(one) for one in options.findall(AirSyncBase.BodyPreference))
    if len({one.type for one in preferences}) != len(preferences):
        raise Refused(Kind.INVALID_XML, "two BodyPreference of one Type")
    part = options.find(AirSyncBase.BodyPartPreference) if version >= Version.V14_1 else None
    part_preference = None if part is None else _preference(part)
    if part_preference and part_preference.type != HTML:
        raise Refused(Kind.BODY_PART_TYPE, f"BodyPartPreference of Type {part_preference.type}")
    return BodyOptions(
        preferences,
        _number(options.find(AirSync.MIMESupport), 2),
        _number(options.find(AirSync.MIMETruncation), 8),
        part_preference,
        _number(options.find(AirSync.Truncation), 9),
    )


def _preference(wanted: Element) -> BodyPreference:
    if misplaced(wanted, _ORDER):
        raise Refused(Kind.INVALID_XML, f"children of {wanted.tag!r} are others, repeated or out of order")
    kind = _number(wanted.find(AirSyncBase.Type), MIME)
    if not kind:
        raise Refused(Kind.INVALID_XML, f"{wanted.tag!r} without a Type")
    whole = wanted.find(AirSyncBase.AllOrNone)
    # An empty boolean is true (MS-ASDTYPE 2.1).
    all_or_none = whole is not None and (not whole.text() or bool(_number(whole, 1)))
    return BodyPreference(
        kind,
        _number(wanted.find(AirSyncBase.TruncationSize), _LARGEST_NUMBER),
        all_or_none,
        _number(wanted.find(AirSyncBase.Preview), 255) or 0,
    )


def _number(value: Element | None, largest: int) -> int | None:
    if value is None:
        return None
    text = value.text().strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or int(text) > largest:
        raise Refused(Kind.INVALID_XML, f"{value.tag!r} is no number up to {largest}")
    return int(text)
