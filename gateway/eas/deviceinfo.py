"""What a device says of itself: the DeviceInformation of Settings and Provision (MS-ASCMD 2.2.3.45)."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.eas import fields
from wbxml import Element
from wbxml.pages import Settings

_FIELDS = (
    Settings.Model,
    Settings.IMEI,
    Settings.FriendlyName,
    Settings.OS,
    Settings.OSLanguage,
    Settings.PhoneNumber,
    Settings.UserAgent,
    Settings.EnableOutboundSMS,
    Settings.MobileOperator,
)
_MAX_LENGTH = 1024


def parse(information: Element) -> Mapping[str, str]:
    """The values of a DeviceInformation/Set by element name; those sent empty are left out, as deleted.

    Raises `Refused(INVALID_XML)` when there is no Set. Strings are not judged, only cut at 1,024 characters.
    """
    values = fields.required(information, Settings.Set)
    found = {tag.name: (values.child_text(tag) or "")[:_MAX_LENGTH] for tag in _FIELDS}
    return {name: text for name, text in found.items() if text}
