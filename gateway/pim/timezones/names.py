"""Zones by what people call them: IANA names, Windows names, and both in the dress of other programs."""

from __future__ import annotations

import re
import zoneinfo
from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from gateway.pim.timezones.windows import WINDOWS_ZONES

__all__ = ["named_zone", "zone_names"]

_LONGEST = 255
_WINDOWS = {name.lower(): zone for name, zone in WINDOWS_ZONES.items()}
_UTC = frozenset(
    {"z", "utc", "gmt", "etc/utc", "etc/gmt", "tzone://microsoft/utc", "coordinated universal time"}
)
_QUOTES = "\"' \t"
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


@lru_cache(maxsize=1)
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}
