"""In which zones the times of one calendar are."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from gateway.pim.lines import Component
from gateway.pim.timezones import Definition, RuleZone, described_zone, named_zone, rules_at
from gateway.pim.timezones.match import zone_like
from gateway.pim.values import Moment

__all__ = ["Zones"]

_MOST_DEFINITIONS = 50
_MOST_MATCHED = 40
"""Years of definitions that are compared with the zones there are; in more each is a zone of its own."""


class Zones:
    """The zones a calendar names or defines.

    A name everybody knows counts, unless the calendar defines it otherwise. A definition is recognised by
    what the clocks do; one that nobody has becomes a zone of its own. Times without a zone are in the one of
    X-WR-TIMEZONE, or in the only one that is defined, or in `default`.
    """

    def __init__(self, calendar: Component, default: tzinfo = UTC) -> None:
        self._components: dict[str, Component] = {}
        for component in list(calendar.parts("VTIMEZONE"))[:_MOST_DEFINITIONS]:
            self._components.setdefault(component.text("TZID").lower(), component)
        self._definitions: dict[str, Definition | None] = {}
        self._matched: dict[tuple[str, int], tzinfo | None] = {}
        self._wide = calendar.text("X-WR-TIMEZONE")
        self._default = default

    def of(self, moment: Moment) -> tzinfo:
        """The zone of a moment that is not in UTC."""
        if moment.tzid:
            found = self._resolved(moment.tzid, moment.clock)
            if found:
                return found
        return self.usual(moment.clock) or self._default

    def usual(self, clock: datetime) -> tzinfo | None:
        """The zone of times that name none, when the calendar as a whole has one."""
        if self._wide and (found := self._resolved(self._wide, clock)):
            return found
        if len(self._components) == 1:
            return self._resolved(next(iter(self._components)), clock)
        return None

    def instant(self, moment: Moment) -> datetime:
        """The time in its zone; of a date, its midnight."""
        return moment.clock.replace(tzinfo=UTC if moment.utc else self.of(moment))

    def _resolved(self, tzid: str, clock: datetime) -> tzinfo | None:
        definition = self._definition(tzid.lower())
        named = named_zone(tzid) or (named_zone(definition.location) if definition else None)
        if definition is None:
            return named or described_zone(tzid, clock)
        if named and clock.replace(tzinfo=named).utcoffset() == clock.replace(tzinfo=definition).utcoffset():
            return named
        at = clock.replace(tzinfo=UTC)
        return self._like(tzid.lower(), definition, named, at) or RuleZone(rules_at(definition, at))

    def _like(self, tzid: str, definition: Definition, named: tzinfo | None, at: datetime) -> tzinfo | None:
        """The zone that a definition means in a year, if anybody knows it."""
        key = (tzid, at.year)
        if key not in self._matched and len(self._matched) < _MOST_MATCHED:
            self._matched[key] = zone_like(definition, at, [named] if named else [])
        return self._matched.get(key)

    def _definition(self, tzid: str) -> Definition | None:
        if tzid not in self._definitions:
            component = self._components.get(tzid)
            self._definitions[tzid] = Definition.of(component) if component else None
        return self._definitions[tzid]
