"""The text of an event: asb:Body, and Body of version 2.5 (MS-ASCAL 2.2.2.7), both ways."""

from __future__ import annotations

from gateway.eas.content import itembody
from gateway.eas.content.itembody import OldBody, native_type
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.versions import Version
from gateway.pim.events.model import Body, Event, Unset
from wbxml import Element
from wbxml.pages import Calendar

__all__ = ["native_type", "read_body", "shown_body"]

_OLD = OldBody(Calendar.Body, Calendar.BodyTruncated)


def read_body(data: Element, version: Version, event: Event | None) -> Body | Unset | None:
    """What a device wrote; `event` is what it changes. Raises `BadItem`."""
    known = (event.body or Body("")) if event else None
    return itembody.read_body(data, version, known, _OLD, takes_rtf=version < Version.V16_0)


def shown_body(body: Body | None, options: BodyOptions, version: Version) -> list[Element]:
    """The text as a device wants it."""
    return itembody.shown_body(body, options, version, _OLD, takes_rtf=version < Version.V16_0)
