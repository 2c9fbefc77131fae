"""Where an event is: LOCATION, GEO and what Outlook and Apple write beside them, read and written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.pim.events.model import Location
from gateway.pim.lines import Component
from gateway.pim.names import APPLE_LOCATION, LOCATIONS
from gateway.pim.tree import Line, escaped, make_line

__all__ = ["PLACE", "read_place", "write_place"]

PLACE = ("LOCATION", "GEO", LOCATIONS, APPLE_LOCATION)
"""The properties that say where it is."""
_LONGEST_JSON = 1 << 16
_TEXTS = {
    "annotation": "LocationAnnotation",
    "street": "LocationStreet",
    "city": "LocationCity",
    "state": "LocationState",
    "country": "LocationCountry",
    "postal_code": "LocationPostalCode",
    "uri": "LocationUri",
}
_NUMBERS = {
    "latitude": "Latitude",
    "longitude": "Longitude",
    "accuracy": "Accuracy",
    "altitude": "Altitude",
    "altitude_accuracy": "AltitudeAccuracy",
}
_ADDRESS = ("street", "postal_code", "city", "state", "country")
_GEO = re.compile(
    r"\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?)\s*[;,]\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?)", re.ASCII
)


def read_place(event: Component) -> Location | None:
    """Where it is; None when nothing says so.

    What Outlook writes counts as long as it is about the place that LOCATION names, which every program sets.
    """
    found = event.get("LOCATION")
    shown = found.text if found else ""
    place = _structured(event)
    if place is None or _shown(place) != shown:
        latitude, longitude = _coordinates(event)
        place = Location(shown, latitude=latitude, longitude=longitude)
    return None if place == Location() else place


def write_place(place: Location | None) -> Iterator[Line]:
    """The lines that say so."""
    if place is None or place == Location():
        return
    if shown := _shown(place):
        yield make_line("LOCATION", escaped(shown))
    if place.latitude is not None and place.longitude is not None:
        yield make_line("GEO", f"{place.latitude:.6f};{place.longitude:.6f}")
    described: dict[str, str | float] = {"DisplayName": place.name}
    described |= {key: text for name, key in _TEXTS.items() if (text := getattr(place, name))}
    described |= {key: value for name, key in _NUMBERS.items() if (value := getattr(place, name)) is not None}
    if len(described) > 1:
        yield make_line(LOCATIONS, json.dumps([described], ensure_ascii=False, separators=(",", ":")))


def _shown(place: Location) -> str:
    """What a program shows that knows LOCATION alone."""
    return place.name or ", ".join(text for name in _ADDRESS if (text := getattr(place, name)))


def _structured(event: Component) -> Location | None:
    found = event.get(LOCATIONS)
    if found is None or len(found.value) > _LONGEST_JSON:
        return None
    try:
        listed = json.loads(found.value)
    except (ValueError, RecursionError):
        return None
    first = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(first, dict):
        return None
    values: dict[str, Any] = {name: _text(first, key) for name, key in _TEXTS.items()}
    values |= {name: _number(first, key) for name, key in _NUMBERS.items()}
    return Location(_text(first, "DisplayName"), **values)


def _text(described: Mapping[str, object], key: str) -> str:
    value = described.get(key)
    return value if isinstance(value, str) else ""


def _number(described: Mapping[str, object], key: str) -> float | None:
    value = described.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _coordinates(event: Component) -> tuple[float | None, float | None]:
    for name, scheme in (("GEO", ""), (APPLE_LOCATION, "geo:")):
        found = event.get(name)
        if found and found.value.startswith(scheme):
            match = _GEO.match(found.value.removeprefix(scheme).replace("\\;", ";"))
            if match and abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180:
                return float(match[1]), float(match[2])
    return None, None
