"""A patch done to the components of an event: values that differ, and what follows from them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar

from gateway.errors import NotFound
from gateway.pim.clock import same_zone, tzid_of
from gateway.pim.events.expansion import has_occurrences, originals_of
from gateway.pim.events.model import (
    INHERIT,
    UNSET,
    BadEvent,
    Event,
    EventPatch,
    OccurrencePatch,
    Recurrence,
    Unset,
)
from gateway.pim.events.series import Series
from gateway.pim.events.writing import (
    WRITERS,
    Target,
    invited_otherwise,
    merged_attendees,
    write_times,
)
from gateway.pim.length import later
from gateway.pim.names import BLOB, BLOB_ZONE, CALENDAR_TYPE
from gateway.pim.properties import settled_body
from gateway.pim.recurrence import read_rule, with_calendar_type, write_rule
from gateway.pim.tree import Node, make_line
from gateway.pim.values import FIRST_YEAR, LAST_YEAR, parse_moment, utc_text
from gateway.pim.zonelines import NewZones, define_zones, used_zones

__all__ = ["apply"]

_T = TypeVar("_T")
_DAY = timedelta(days=1)
_UNTIL = re.compile(r"(?<=UNTIL=)[^;]*", re.IGNORECASE)
_DEFAULTS: Mapping[str, Any] = {one.name: one.default for one in fields(Event) if one.default is not MISSING}
"""What an event has where nothing is said: what None in a patch stands for."""


def apply(calendar: Node, patch: EventPatch, owner: str, now: datetime, *, whole: bool = False) -> None:
    """Change a calendar with one event.

    Raises `BadEvent`, and `NotFound` for an occurrence that there is not; but in a patch of the `whole` event
    it may be deleted all the same.
    """
    before, zones_before = calendar.text, used_zones(calendar)
    series = Series.of(calendar, owner)
    zones: NewZones = {}
    if _patch_when(series, patch, zones):
        series = Series.of(calendar, owner)
    if _patch_values(series, patch):
        series = Series.of(calendar, owner)
    _patch_occurrences(series, patch, zones, now, whole=whole)
    if calendar.text != before:
        _stamp(series.main, patch, now, received=series.event.received)
        define_zones(calendar, zones, zones_before)


# --- when it happens ------------------------------------------------------------------------------------


def _patch_when(series: Series, patch: EventPatch, zones: NewZones) -> bool:
    """Change start, end and rule, and what follows from that for exceptions; whether anything changed."""
    old, main = series.event, series.main
    start, end, all_day = _times(old, patch, old)
    rule = _wanted_rule(old, patch.recurrence, start, all_day=all_day)
    moved = not _same_times(old, start, end, all_day=all_day)
    if moved:
        recurring = rule is not None if not isinstance(rule, Unset) else old.recurring
        _write_times(main, start, end, zones, all_day=all_day, recurring=recurring)
    _patch_blob(main, patch.blob, start, all_day=all_day)
    if isinstance(rule, Recurrence):
        _write_rule(main, rule, start, all_day=all_day)
    elif rule is None:
        main.remove("RRULE", "RDATE", CALENDAR_TYPE)
        series.forget_exceptions()
    elif moved and old.rule:
        _move_until(main, old, start, all_day=all_day)
    if not moved and rule is UNSET:
        return False
    new = Series.of(series.calendar, series.owner).event
    if new.rule and not has_occurrences(new):
        raise BadEvent("a rule without occurrences")
    if patch.resets_exceptions:
        series.forget_exceptions()
    elif new.recurring:
        series.follow(new)
    return True


def _times(old: Event, patch: OccurrencePatch, series: Event) -> tuple[datetime, datetime, bool]:
    """Start, end and whether it is of whole days, as an event is to have them. Raises `BadEvent`.

    `series` has what the patch wants to inherit.
    """
    start = _chosen(patch.start, old.start, series.start)
    end = _chosen(patch.end, old.end, series.end)
    all_day = _chosen(patch.all_day, old.all_day, series.all_day)
    if patch.end is INHERIT and end < start:
        end = later(start, series.length)
    zone = start.tzinfo
    if not zone or any(not FIRST_YEAR <= one.year <= LAST_YEAR for one in (start, end)):
        raise BadEvent("a time too far away")
    if all_day:
        start = datetime.combine(start, time(), zone)
        until_midnight = _DAY if end.time() > time() else timedelta()
        end = datetime.combine(end, time(), zone) + until_midnight
        end = start + _DAY if end == start else end
    else:
        start = start.replace(microsecond=0)
        end = end.replace(microsecond=0).astimezone(zone)
    if end.astimezone(UTC) < start.astimezone(UTC):
        raise BadEvent("an end before the start")
    return start, end, all_day


def _chosen(wanted: _T | Unset, old: _T, inherited: _T) -> _T:
    if wanted is INHERIT:
        return inherited
    return old if isinstance(wanted, Unset) else wanted


def _same_times(old: Event, start: datetime, end: datetime, *, all_day: bool) -> bool:
    if all_day or old.all_day:
        dates = old.start.date() == start.date() and old.end.date() == end.date()
        return dates and old.all_day == all_day
    return old.start == start and old.end == end and same_zone(old.start.tzinfo, start.tzinfo)


def _write_times(
    node: Node, start: datetime, end: datetime, zones: NewZones, *, all_day: bool, recurring: bool
) -> None:
    write_times(node, start, end, all_day=all_day, recurring=recurring)
    zone = start.tzinfo or UTC
    zones[tzid_of(zone)] = zone, start


def _patch_blob(main: Node, blob: str | Unset | None, start: datetime, *, all_day: bool) -> None:
    """Keep the time zone as the phone sent it, for as long as the event is in it."""
    named = main.component.get("DTSTART")
    tzid = tzid_of(start.tzinfo or UTC)
    if not all_day and named:
        tzid = named.params.get("TZID", "")
    if isinstance(blob, Unset):
        found = main.component.get(BLOB)
        if found and found.params.get(BLOB_ZONE, "") != tzid:
            main.remove(BLOB)
    elif not blob:
        main.remove(BLOB)
    else:
        found = main.component.get(BLOB)
        if found is None or found.value != blob or found.params.get(BLOB_ZONE, "") != tzid:
            main.replace(BLOB, [make_line(BLOB, blob, {BLOB_ZONE: tzid} if tzid else {})])


def _wanted_rule(
    old: Event, wanted: Recurrence | Unset | None, start: datetime, *, all_day: bool
) -> Recurrence | Unset | None:
    """The rule to be written, None to remove it; UNSET to leave it, which phones may not know of.

    Phones say some rules in several ways, of which one is read again: Monday to Friday each day is a week.
    """
    if isinstance(wanted, Unset) or wanted == old.recurrence:
        return UNSET
    if wanted is None or old.recurrence is None:
        return wanted
    meant = read_rule(_written_rule(wanted, start, all_day=all_day), start)
    same = meant and with_calendar_type(meant, wanted.calendar_type) == old.recurrence
    return UNSET if same else wanted


def _written_rule(rule: Recurrence, start: datetime, *, all_day: bool) -> str:
    if not all_day or not rule.until:
        return write_rule(rule)
    # A date: that of the zone.
    local = rule.until.astimezone(start.tzinfo)
    return write_rule(replace(rule, until=local.replace(tzinfo=UTC)), dated=True)


def _write_rule(main: Node, rule: Recurrence, start: datetime, *, all_day: bool) -> None:
    main.replace("RRULE", [make_line("RRULE", _written_rule(rule, start, all_day=all_day))])
    main.remove("EXRULE")
    noted = [make_line(CALENDAR_TYPE, str(rule.calendar_type))] if rule.calendar_type else []
    main.replace(CALENDAR_TYPE, noted)


def _move_until(main: Node, old: Event, start: datetime, *, all_day: bool) -> None:
    """Have a rule end at the same day when the time of day changes: its end counts to the second."""
    line = next(main.lines("RRULE"))
    value = line.read.value if line.read else ""
    found = _UNTIL.search(value)
    until = parse_moment(found[0]) if found else None
    if until is None or (old.start.timetz(), old.all_day) == (start.timetz(), all_day):
        return
    clock = until.clock
    if until.utc:
        clock = clock.replace(tzinfo=UTC).astimezone(old.zone).replace(tzinfo=None)
    if until.dated or old.all_day:
        clock = datetime.combine(clock, start.time())
    else:
        clock += datetime.combine(clock, start.time()) - datetime.combine(clock, old.start.time())
    text = f"{clock:%Y%m%d}" if all_day else utc_text(clock.replace(tzinfo=start.tzinfo))
    main.replace("RRULE", [line.with_params(_UNTIL.sub(text, value))])


# --- what it is -----------------------------------------------------------------------------------------


def _patch_values(series: Series, patch: EventPatch) -> bool:
    """Change values of the series, and of exceptions that had them from it; whether anything changed."""
    old = series.event
    exceptions = [(one.event, series.changed[one.original]) for one in old.occurrences if one.event]
    changed = False
    for name, write in WRITERS.items():
        wanted = getattr(patch, name)
        if isinstance(wanted, Unset):
            continue
        value, before = _settled(name, wanted, old), getattr(old, name)
        if value == before:
            continue
        changed = True
        write(series.main, value, Target(series.owner, old.start))
        for event, node in exceptions:
            if getattr(event, name) == before:
                write(node, value, Target(series.owner, event.start))
            elif name == "attendees":
                guests = invited_otherwise(event.attendees, before, value)
                write(node, guests, Target(series.owner, event.start))
    return changed


def _settled(name: str, wanted: Any, old: Event) -> Any:
    """A value as an event has it: None is what it is without one, and what is left open is as before."""
    if wanted is None:
        return _DEFAULTS[name]
    match name:
        case "attendees" if wanted != old.attendees:
            return merged_attendees(wanted, old.attendees)
        case "body":
            return settled_body(wanted, old.body)
        case "location" if wanted == type(wanted)():
            return None
    return wanted


# --- occurrences ----------------------------------------------------------------------------------------


def _patch_occurrences(
    series: Series, patch: EventPatch, zones: NewZones, now: datetime, *, whole: bool
) -> None:
    known = {one.original: one.event for one in series.event.occurrences}
    for original, change in _by_original(series.event, patch):
        if original is None and change is None and whole:
            continue
        if original is None:
            raise NotFound("the series has no such occurrence")
        if change is None:
            series.delete(original)
            continue
        before = known.get(original) or series.event.instance(original)
        node = series.exception(original)
        text = node.text
        _patch_occurrence(series, node, before, change, zones)
        if node.text != text or original not in known:
            _stamp(node, change, now, received=before.received)


def _by_original(event: Event, patch: EventPatch) -> Sequence[tuple[datetime | None, OccurrencePatch | None]]:
    """The patches of occurrences by the original starts that are meant (None: there is none such)."""
    moments = [_day_of(event, moment) if event.all_day else moment for moment, _ in patch.occurrences]
    originals = originals_of(event, moments) if event.recurring else [None] * len(moments)
    return [(original, change) for original, (_, change) in zip(originals, patch.occurrences, strict=True)]


def _day_of(event: Event, moment: datetime) -> datetime:
    """The whole day that is meant: by the date."""
    local = moment.astimezone(event.zone) if moment.time() > time() else moment
    return datetime.combine(local, time(), event.zone)


def _patch_occurrence(
    series: Series, node: Node, before: Event, patch: OccurrencePatch, zones: NewZones
) -> None:
    inherited = series.event.instance(before.original or before.start)
    start, end, all_day = _times(before, patch, inherited)
    if not _same_times(before, start, end, all_day=all_day):
        _write_times(node, start, end, zones, all_day=all_day, recurring=False)
    for name, write in WRITERS.items():
        wanted = getattr(patch, name, UNSET)
        if wanted is UNSET:
            continue
        value = getattr(inherited, name) if wanted is INHERIT else _settled(name, wanted, before)
        if value != getattr(before, name):
            write(node, value, Target(series.owner, start))


def _stamp(node: Node, patch: OccurrencePatch, now: datetime, *, received: bool) -> None:
    """Note when it was changed. The stamp of what somebody else organizes is his."""
    node.replace("LAST-MODIFIED", [make_line("LAST-MODIFIED", utc_text(now))])
    if isinstance(patch.stamp, Unset) and not received:
        # Never back: of versions within a second the later ones are of seconds to come (`itip.outgoing`).
        known = parse_moment(node.component.text("DTSTAMP"))
        usable = known is not None and known.utc and FIRST_YEAR <= known.clock.year <= LAST_YEAR
        latest = max(now, known.clock.replace(tzinfo=UTC)) if known and usable else now
        node.replace("DTSTAMP", [make_line("DTSTAMP", utc_text(latest))])
