"""What it means that a device leaves a property out of a Change (MS-ASCMD 2.2.3.178, MS-ASCAL 3.1.5.3)."""

from __future__ import annotations

from collections.abc import Callable, Collection

from gateway.eas.versions import Version
from gateway.pim.events.model import INHERIT, UNSET, Unset
from wbxml import Tag
from wbxml.pages import Calendar

__all__ = ["Absent", "in_exception", "in_series", "kept"]

Absent = Callable[[Tag], Unset | None]
"""Says of an element that is not there what becomes of its property: None removes it."""

_NEVER_GHOSTED = frozenset({Calendar.Location})
_SINCE_14 = frozenset({Calendar.ResponseRequested, Calendar.DisallowNewTimeProposal})


def kept(_tag: Tag) -> Unset:
    """Everything stays as it is."""
    return UNSET


def in_series(version: Version, supported: Collection[str] | None) -> Absent:
    """In a Change: what the device never knew stays, and since 16.0 everything.

    `supported` are the names it listed in Supported, whose absence means that they are gone; so does that of
    everything when it sent no such list, None.
    """

    def absent(tag: Tag) -> Unset | None:
        if version >= Version.V16_0 or (version < Version.V14_0 and tag in _SINCE_14):
            return UNSET
        ghosted = supported is not None and tag.name not in supported and tag not in _NEVER_GHOSTED
        return UNSET if ghosted else None

    return absent


def in_exception(version: Version) -> Absent:
    """In an Exception: the occurrence is like its series there; what the device never knew stays."""

    def absent(tag: Tag) -> Unset:
        unknown = version < Version.V14_0 and tag is Calendar.Attendees
        return UNSET if unknown or tag in _SINCE_14 else INHERIT

    return absent
