"""Whom a change of a meeting is to be told by its organizer, and what (RFC 5546 3.2).

    change                                      SEQUENCE    message
    time, recurrence, place                     raised      REQUEST to all attendees
    title, text, links, files; a new meeting                REQUEST to all attendees
    an attendee more                                        REQUEST to that one
    an attendee less                                        CANCEL to that one
    cancelled, deleted                          raised      CANCEL to all attendees
    categories, reminder, and the like                      none

The same holds for each occurrence by itself. Of a meeting that was over before and is over after the change
nobody is told anything.

Devices up to 14.1 mail their changes by themselves, under a SEQUENCE that they do not tell here. They raise
it by one at most for each change, so these are counted, and the next message from here has a higher one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

from gateway.items import NoticeFile
from gateway.pim.clock import Clock
from gateway.pim.events.document import Document
from gateway.pim.events.place import PLACE
from gateway.pim.invitation import Method, Person, read_person
from gateway.pim.itip.files import enclosed_files
from gateway.pim.itip.message import Instance, Parts, Revision, is_cancelled, revision, same_address
from gateway.pim.itip.public import as_cancelled, instance_of, leaving_out, public, renewed
from gateway.pim.itip.times import clock_of, deleted, in_place, timing
from gateway.pim.names import ALT_DESC, CONFERENCE_LINK, EXTERNAL_LINKS, PROPOSED, SELF_TOLD
from gateway.pim.tree import Node, make_line

__all__ = ["Post", "Told", "self_told", "told"]

_TEXTS = ("SUMMARY", "DESCRIPTION", ALT_DESC, "URL", "STATUS", CONFERENCE_LINK, *EXTERNAL_LINKS)
_SECOND = timedelta(seconds=1)
_MOST_DIGITS = 6
People = Mapping[str, Person]
"""Attendees by their address in lower case."""


@dataclass(frozen=True, slots=True)
class Post:
    """A message to be mailed: `calendar` is its text, `again` says that they were told of it before.

    `whole` says all that there is to say of the event to those it goes to. `files` go out with it.
    """

    method: Method
    to: tuple[Person, ...]
    calendar: str
    again: bool = False
    whole: bool = False
    files: tuple[NoticeFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The event as it is to be stored (None: it is deleted), and whom to tell what."""

    text: str | None
    posts: tuple[Post, ...] = ()


def told(before: Document | None, after: Document | None, owner: str, now: datetime) -> Told:
    """What follows from a change of an event by `owner`. Raises `BadEvent`.

    `before` None is a new event, `after` None a deleted one. Nothing follows from what is done to a meeting
    that somebody else organizes.
    """
    old = Parts.of(before.calendar) if before is not None else None
    new = Parts.of(after.calendar) if after is not None else None
    known = new or old
    organizer = known.organizer if known else None
    nothing = Told(after.text if after else None)
    if organizer is None or not same_address(organizer.address, owner):
        return nothing
    if all(_is_over(one, now) for one in (before, after) if one is not None):
        return nothing
    now = now.astimezone(UTC).replace(microsecond=0)
    if new is None or (is_cancelled(new.main) and old is not None):
        posts = () if old is None or is_cancelled(old.main) else tuple(_called_off(old, new, owner, now))
    else:
        change = _Change(old, new, owner, now)
        posts = tuple(change.posts())
    return Told(new.calendar.text if new else None, posts)


def self_told(before: Document, after: Document, owner: str) -> Document:
    """The event after a change by `owner` of which the device tells people by itself. Raises `BadEvent`."""
    if before.text == after.text:
        return after
    new = Parts.of(after.calendar)
    organizer = new.organizer
    if organizer is None or not same_address(organizer.address, owner):
        return after
    old = Parts.of(before.calendar)
    for instance, event in new.events.items():
        known = old.events.get(instance) or old.main
        event.replace(SELF_TOLD, [make_line(SELF_TOLD, str(_self_told(known) + 1))])
    return Document.of(new.calendar)


def _self_told(event: Node) -> int:
    text = event.component.text(SELF_TOLD)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0


def _is_over(document: Document, now: datetime) -> bool:
    end = document.bounds[1]
    return end is not None and end <= now


def _called_off(old: Parts, new: Parts | None, owner: str, now: datetime) -> Iterator[Post]:
    """All of it is cancelled; people who are asked to single occurrences only are told of those.

    That of the series is newer than each exception, which goes with it.
    """
    everybody = people(old.series, owner)
    versions = {instance: _newer(event, now, raised=True) for instance, event in old.events.items()}
    newest = _newest(versions.values())
    for instance, event in old.events.items():
        newness = newest if instance is None else versions[instance]
        if new is not None and instance in new.events:
            renewed(new.events[instance], newness)
        meant = people(event, owner)
        if instance is not None:
            meant = {address: one for address, one in meant.items() if address not in everybody}
        yield from _cancel(old, event, newness, meant)


def _cancel(parts: Parts, event: Node, newness: Revision, meant: People) -> Iterator[Post]:
    if meant:
        text = public(parts, [as_cancelled(event, newness, meant.keys())], Method.CANCEL)
        yield Post(Method.CANCEL, tuple(meant.values()), text, again=True)


def people(event: Node | None, owner: str) -> People:
    """Whom a VEVENT invites, without its organizer."""
    found: dict[str, Person] = {}
    for one in event.component.all("ATTENDEE") if event else ():
        person = read_person(one)
        address = person.address.strip().lower()
        if "@" in address and not same_address(address, owner):
            found.setdefault(address, person)
    return found


def _newer(event: Node, now: datetime, *, raised: bool) -> Revision:
    """The version after that of a VEVENT: later by a second at least, which is what DTSTAMP can tell."""
    sequence, stamp = revision(event)
    return sequence + _self_told(event) + raised, max(now, stamp + _SECOND)


def _newest(versions: Iterable[Revision]) -> Revision:
    """A version that none of these is newer than, in either way to count."""
    sequences, stamps = zip(*versions, strict=True)
    return max(sequences), max(stamps)


class _Weight(IntEnum):
    """What a change means to those who are invited."""

    NONE = 0
    TEXT = 1
    PLACE = 2
    TIME = 3


class _Change:
    """A meeting that takes place, before (None: it is new) and after a change; `new` is completed."""

    def __init__(self, old: Parts | None, new: Parts, owner: str, now: datetime) -> None:
        self._old = old
        self._new = new
        self._owner = owner
        self._now = now
        self._before, self._after = clock_of(old), clock_of(new)
        self._called_off = deleted(new.series, self._after) - deleted(self._known(None), self._before)
        self._dismissed = people(self._known(None), owner).keys() - people(new.series, owner).keys()
        """Those who are told that they are not invited any more, to any occurrence."""
        self._weights = {instance: self._weigh(instance, event) for instance, event in new.events.items()}

    def posts(self) -> Iterator[Post]:
        """The messages. Versions are raised first: that of the series has its exceptions in it."""
        for instance, event in self._new.events.items():
            self._renew(instance, event)
        whole: set[str] = set()
        if self._new.series is not None:
            for post in self._of(None, self._new.series, self._shown(self._new.series), frozenset()):
                if post.method is Method.REQUEST:
                    whole |= {one.address.strip().lower() for one in post.to}
                yield post
        for instance, event in self._new.events.items():
            if instance is not None:
                yield from self._of(instance, event, [event], frozenset(whole))
        for instance in sorted(self._called_off, key=str):
            yield from self._left_out(instance, frozenset(whole))
        for instance in sorted(self._dropped(), key=str):
            now = frozenset(people(self._new.series, self._owner))
            yield from self._left_out(instance, now)

    def _shown(self, series: Node) -> list[Node]:
        """The whole meeting: occurrences to which nobody is invited any more are left out of the series.

        As exceptions that name nobody they would be taken for such as invite those of the series.
        """
        events = self._new.events
        if not people(series, self._owner):
            return list(events.values())
        alone = {one for one in events if one is not None and not people(events[one], self._owner)}
        if not alone:
            return list(events.values())
        others = [
            event for instance, event in events.items() if instance is not None and instance not in alone
        ]
        return [leaving_out(series, sorted(alone), self._after), *others]

    def _known(self, instance: Instance) -> Node | None:
        """What they know of an occurrence: the exception, or the series."""
        if self._old is None:
            return None
        return self._old.events.get(instance) or self._old.series

    def _weigh(self, instance: Instance, event: Node) -> _Weight:
        old = self._old
        if old is None:
            return _Weight.NONE if instance is not None else _Weight.TEXT
        known = self._known(instance)
        if known is None:
            return _Weight.TIME
        if instance is None:
            same = timing(known, self._before) == timing(event, self._after)
            back = deleted(known, self._before) - deleted(event, self._after) - self._new.events.keys()
            reverted = old.events.keys() - self._new.events.keys() - deleted(event, self._after)
            if not same or back:
                return _Weight.TIME
            if reverted:
                return _Weight.PLACE
        elif instance in old.events:
            same = timing(known, self._before) == timing(event, self._after)
        else:
            same = in_place(event, instance, known, self._before, self._after)
        if not same:
            return _Weight.TIME
        if _values(known, PLACE) != _values(event, PLACE):
            return _Weight.PLACE
        return _Weight.TEXT if _said(known) != _said(event) else _Weight.NONE

    def _renew(self, instance: Instance, event: Node) -> None:
        weight, known = self._weights[instance], self._known(instance)
        if known is None:
            renewed(event, (revision(event)[0], self._now))
            return
        if not weight and people(known, self._owner).keys() == people(event, self._owner).keys():
            return
        versions = [_newer(known, self._now, raised=weight >= _Weight.PLACE)]
        if instance is None and self._old is not None:
            exceptions = [_newer(one, self._now, raised=True) for one in self._old.events.values()]
            if weight is _Weight.TIME:  # newer than each of them, too: they are of what it was before
                versions += exceptions
            elif (
                self._dismissed
            ):  # said after them, but of the same version for all the others, who answer it
                versions += [(0, stamp) for _, stamp in exceptions]
        renewed(event, _newest(versions))
        if weight is _Weight.TIME:
            _ask_again(event, self._owner)

    def _of(self, instance: Instance, event: Node, shown: list[Node], told: frozenset[str]) -> Iterator[Post]:
        """The messages about the series or one exception; `told` are those who got the whole meeting."""
        known = self._known(instance)
        was, now = people(known, self._owner), people(event, self._owner)
        if self._old is None and instance is not None:
            was = people(self._new.series, self._owner)
        still = now.keys() if instance is None else now.keys() | self._dismissed
        gone = _others(was, still)
        if known is not None and self._old is not None:
            yield from _cancel(self._old, _about(known, instance, self._before), revision(event), gone)
        if instance is not None and is_cancelled(event):
            if known is not None and not is_cancelled(known):
                yield from _cancel(self._new, event, revision(event), _others(now, told))
            return
        meant = {again: self._meant(instance, now, was, told, again=again) for again in (True, False)}
        if any(meant.values()):
            text, files = public(self._new, shown, Method.REQUEST), enclosed_files(shown)
            for again, those in meant.items():
                if those:
                    to, told_before = tuple(those.values()), again and known is not None
                    yield Post(Method.REQUEST, to, text, told_before, whole=instance is None, files=files)

    def _meant(
        self, instance: Instance, now: People, was: People, told: frozenset[str], *, again: bool
    ) -> People:
        """Those who get a REQUEST: who was invited before (`again`) if something is new, or who was not."""
        if again and not self._weights[instance]:
            return {}
        return {address: one for address, one in _others(now, told).items() if (address in was) is again}

    def _dropped(self) -> set[datetime]:
        """The exceptions that are none any more, be it that the series went on to other days."""
        before = self._old.events.keys() if self._old else set()
        return {one for one in before - self._new.events.keys() - self._called_off if one is not None}

    def _left_out(self, instance: datetime, told: frozenset[str]) -> Iterator[Post]:
        """An occurrence is deleted, or is not what those were asked to who are not `told` of the series."""
        known = self._known(instance)
        if known is None or self._old is None:
            return
        newness = _newer(known, self._now, raised=True)
        meant = _others(people(known, self._owner), told | self._dismissed)
        yield from _cancel(self._old, _about(known, instance, self._before), newness, meant)


def _about(known: Node, instance: Instance, clock: Clock) -> Node:
    """What they know of an occurrence, as a VEVENT of its own."""
    if instance is None or known.component.get("RECURRENCE-ID") is not None:
        return known
    return instance_of(known, instance, clock)


def _others(meant: People, told: Collection[str]) -> People:
    return {address: one for address, one in meant.items() if address not in told}


def _values(event: Node, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Some properties, to compare."""
    read = event.component
    return sorted((one.name, one.text.strip()) for one in read.properties if one.name in names and one.value)


def _said(event: Node) -> tuple[list[tuple[str, str]], tuple[NoticeFile, ...]]:
    """What people read of it, and its files, to compare."""
    return _values(event, _TEXTS), enclosed_files([event])


def _ask_again(event: Node, owner: str) -> None:
    """Forget the answers, which were to another time."""
    event.replace(
        "ATTENDEE",
        [
            line
            if line.read is None or same_address(read_person(line.read).address, owner)
            else line.with_params(**{"PARTSTAT": "NEEDS-ACTION", PROPOSED: None})
            for line in event.lines("ATTENDEE")
        ],
    )
