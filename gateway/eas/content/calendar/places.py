"""Where an event is: a text up to 14.1, a container of AirSyncBase since (MS-ASAIRS 2.2.2.28), both ways."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.eas.content.readers import decimal, once, text
from gateway.eas.versions import Version
from gateway.mail.headers import clean
from gateway.pim.events.model import Location
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Calendar

__all__ = ["location_tag", "read_location", "shown_location"]

_LONGEST_TEXT = 32768
_TEXTS = {
    "name": AirSyncBase.DisplayName,
    "annotation": AirSyncBase.Annotation,
    "street": AirSyncBase.Street,
    "city": AirSyncBase.City,
    "state": AirSyncBase.State,
    "country": AirSyncBase.Country,
    "postal_code": AirSyncBase.PostalCode,
    "uri": AirSyncBase.LocationUri,
}
_NUMBERS = {
    "latitude": AirSyncBase.Latitude,
    "longitude": AirSyncBase.Longitude,
    "accuracy": AirSyncBase.Accuracy,
    "altitude": AirSyncBase.Altitude,
    "altitude_accuracy": AirSyncBase.AltitudeAccuracy,
}
_NOWHERE = Location()


def location_tag(version: Version) -> Tag:
    """The element a version has for it."""
    return AirSyncBase.Location if version >= Version.V16_0 else Calendar.Location


def read_location(data: Element, version: Version) -> Location | None:
    """The place a device names; None when its element is empty or not there. Raises `BadItem`."""
    if version < Version.V16_0:
        name = text(data, Calendar.Location, _LONGEST_TEXT)
        return Location(name) if name else None
    container = once(data, AirSyncBase.Location)
    if container is None:
        return None
    texts = {name: text(container, tag, _LONGEST_TEXT) or "" for name, tag in _TEXTS.items()}
    numbers = {name: decimal(container, tag) for name, tag in _NUMBERS.items()}
    found = Location(
        name=texts["name"],
        annotation=texts["annotation"],
        street=texts["street"],
        city=texts["city"],
        state=texts["state"],
        country=texts["country"],
        postal_code=texts["postal_code"],
        latitude=numbers["latitude"],
        longitude=numbers["longitude"],
        accuracy=numbers["accuracy"],
        altitude=numbers["altitude"],
        altitude_accuracy=numbers["altitude_accuracy"],
        uri=texts["uri"],
    )
    return None if found == _NOWHERE else found


def shown_location(place: Location | None, version: Version) -> Element:
    """The element of a place; empty when there is none."""
    if version < Version.V16_0:
        return element(Calendar.Location, _in_one_line(place)[:_LONGEST_TEXT] if place else None)
    return element(AirSyncBase.Location, *(_parts(place) if place else ()))


def _in_one_line(place: Location) -> str:
    """What people call it, or its address, or where it is on the earth."""
    town = " ".join(filter(None, (place.postal_code, place.city)))
    address = ", ".join(filter(None, (place.street, town, place.state, place.country)))
    found = clean(place.name) or clean(address)
    if not found and place.latitude is not None and place.longitude is not None:
        found = f"{place.latitude}, {place.longitude}"
    return found or clean(place.annotation or place.uri)


def _parts(place: Location) -> Iterator[Element]:
    for name, tag in _TEXTS.items():
        if part := clean(getattr(place, name)):
            yield element(tag, part[:_LONGEST_TEXT])
    for name, tag in _NUMBERS.items():
        number = getattr(place, name)
        if number is not None:
            yield element(tag, repr(number))
