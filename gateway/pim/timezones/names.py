"""Zones by what people call them: IANA names, Windows names, and both in the dress of other programs."""

from __future__ import annotations

import re
import zoneinfo
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.pim.timezones.rules import RuleZone, ZoneRules
from gateway.pim.timezones.windows import WINDOWS_ZONES

__all__ = ["described_zone", "named_zone", "zone_names"]

_LONGEST = 255
_WINDOWS = {name.lower(): zone for name, zone in WINDOWS_ZONES.items()}
_UTC = frozenset(
    {"z", "utc", "gmt", "etc/utc", "etc/gmt", "tzone://microsoft/utc", "coordinated universal time"}
)
_QUOTES = "\"' \t"
_DESCRIPTION = re.compile(r"(?:UTC|GMT) ?([+-]) ?([0-9]{1,2})[:.]?([0-9]{2})?", re.ASCII | re.IGNORECASE)
_PLACES = re.compile(r"[,;/()]")
_WINDOWS_DAYLIGHT = re.compile(r" (?:daylight|summer) time$")


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The names of all zones that are a place's: no offsets, no abbreviations, no copies."""
    areas = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/")
    found = zoneinfo.available_timezones()
    return frozenset(name for name in found if name.startswith((*areas, "Indian/", "Pacific/")))


@lru_cache(maxsize=4096)
def named_zone(name: str) -> tzinfo | None:
    """The zone of a name in whatever form calendars write it, or None.

    Understood are IANA names in any case, also at the end of a path (`/mozilla.org/1_2/Europe/Berlin`), and
    Windows names ("W. Europe Standard Time").
    """
    plain = name.strip(_QUOTES).lower()
    if not plain or len(plain) > _LONGEST:
        return None
    if plain in _UTC:
        return ZoneInfo("Etc/UTC")
    windows = _WINDOWS.get(plain) or _WINDOWS.get(_WINDOWS_DAYLIGHT.sub(" standard time", plain))
    if windows:
        return ZoneInfo(windows)
    known = _by_lower_case()
    pieces = plain.replace(" ", "_").strip("/").split("/")
    for first in range(len(pieces)):
        found = known.get("/".join(pieces[first:]))
        if found and (first == 0 or "/" in found):
            return ZoneInfo(found)
    return None


def described_zone(text: str, clock: datetime) -> tzinfo | None:
    """The zone of a description such as "(UTC+01:00) Amsterdam, Berlin, Rome", which tells standard time.

    A place in it decides where its zone has that offset; else the offset counts alone.
    """
    match = _DESCRIPTION.search(text[:_LONGEST])
    if match is None:
        return None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    offset = (hours * 60 + minutes) * (-1 if match[1] == "-" else 1)
    for place in _PLACES.split(text[match.end() : _LONGEST]):
        zone = _by_place().get(place.strip().replace(" ", "_").lower())
        january, july = (clock.replace(month=month, day=1, tzinfo=zone).utcoffset() for month in (1, 7))
        if zone and timedelta(minutes=offset) in {january, july}:
            return zone
    return RuleZone(ZoneRules.fixed(offset))


@lru_cache(maxsize=1)
def _by_place() -> dict[str, tzinfo]:
    return {name.rpartition("/")[2].lower(): ZoneInfo(name) for name in sorted(zone_names())}


@lru_cache(maxsize=1)
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}
