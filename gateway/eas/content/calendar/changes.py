"""A stored event after what a device does to it, or to an occurrence of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import TypeVar

from gateway.eas.content.calendar.absent import Absent, kept
from gateway.eas.content.calendar.exceptions import instance_of, is_alone, original_in, read_instance
from gateway.eas.content.calendar.files import FileChanges
from gateway.eas.content.calendar.reading import news, read_patch
from gateway.eas.content.calendar.series import as_known
from gateway.eas.content.calendar.writing import shown_event, shown_properties
from gateway.eas.content.ids import ItemName
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.content.values import refusing
from gateway.eas.versions import Version
from gateway.pim.events.document import Document
from gateway.pim.events.expansion import originals_of
from gateway.pim.events.model import INHERIT, UNSET, Event, EventPatch, File, OccurrencePatch, Person, Unset
from gateway.sync.itemoperations import Given
from wbxml import Element, element
from wbxml.pages import AirSync

__all__ = ["Reviser", "with_files", "with_organizer"]

_Patch = TypeVar("_Patch", bound=OccurrencePatch)


@dataclass(frozen=True, slots=True)
class Reviser:
    """Changes one item, in the calendar of `owner`, in one protocol version.

    `zone` is that of whole days whose zone nobody said.

    Everything raises `Refused`, and nothing is half done then.
    """

    item: ItemName
    document: Document
    owner: Person
    version: Version
    now: datetime
    zone: tzinfo

    def changed(self, data: Element, absent: Absent, files: FileChanges | None, given: Given) -> Document:
        """The event after a Change of the whole."""
        with refusing():
            event = self._event(self.document)
            told, known = (
                read_patch(one, self.version, event, absent, self.now) for one in (data, self._shown(event))
            )
            patch = with_organizer(news(told, known), event, self.owner)
            if given.answered:
                patch = _without_answers(patch, event)
            patch = with_files(patch, event.files, files, given)
            if patch.occurrences and not (patch.start is UNSET and patch.recurrence is UNSET):
                return self._moved(patch)
            return self._patched(self.document, patch)

    def changed_instance(
        self, instance: str, data: Element, files: FileChanges | None, given: Given
    ) -> Document:
        """The event after a Change of an occurrence."""
        with refusing():
            event = self._event(self.document)
            if is_alone(event, instance, self.version):
                return self.changed(data, kept, files, given)
            occurrence = instance_of(event, instance, self.version)
            shown = element(AirSync.ApplicationData, *shown_properties(occurrence, self.version))
            told, known = (read_instance(one, self.version, occurrence, self.now) for one in (data, shown))
            patch = news(told, known)
            if given.answered:
                patch = _without_answers(patch, event)
            patch = with_files(patch, occurrence.files, files, given)
            document = self.document
            if patch.attendees not in {UNSET, INHERIT, None} and event.organizer is None:
                document = self._patched(document, EventPatch(organizer=self.owner))
            original = occurrence.original or occurrence.start
            return document.with_occurrence(original, patch, self.owner.address, self.now)

    def without(self, instance: str) -> Document | None:
        """The event without an occurrence; None when nothing is left."""
        with refusing():
            event = self._event(self.document)
            if is_alone(event, instance, self.version):
                return None
            original = original_in(event, instance, self.version)
            return self.document.with_occurrence(original, None, self.owner.address, self.now)

    def _moved(self, patch: EventPatch) -> Document:
        """The event after a series moved: exceptions that a device names still, at days it has left, go."""
        moved = self._patched(self.document, replace(patch, occurrences=()))
        series = self._event(moved)
        originals = originals_of(series, [moment for moment, _ in patch.occurrences])
        left = tuple(one for one, there in zip(patch.occurrences, originals, strict=True) if there)
        return self._patched(moved, EventPatch(occurrences=left))

    def _event(self, document: Document) -> Event:
        return as_known(document.event(self.owner.address, self.zone), self.version)

    def _patched(self, document: Document, patch: EventPatch) -> Document:
        return document.patched(patch, self.owner.address, self.now)

    def _shown(self, event: Event) -> Element:
        """The event as devices know it, but for what later ones may not say in a Change."""
        if self.version >= Version.V16_0:
            event = replace(event, occurrences=())
        shown = shown_event(event, self.version, self.item, BodyOptions())
        return element(AirSync.ApplicationData, *shown)


def with_organizer(patch: EventPatch, known: Event | None, owner: Person) -> EventPatch:
    """A patch after which a meeting has an organizer: if nobody says who, it is the owner of the calendar.

    `known` is the event of before.
    """
    before = known.attendees if known else ()
    guests = before if isinstance(patch.attendees, Unset) else patch.attendees
    if not guests or isinstance(patch.organizer, Person):
        return patch
    return replace(patch, organizer=UNSET if known and known.organizer else owner)


def with_files(patch: _Patch, known: Sequence[File], files: FileChanges | None, given: Given) -> _Patch:
    """A patch with what a device does to files; `known` are those of before."""
    return replace(patch, files=files.applied(known, given.files)) if files else patch


def _without_answers(patch: _Patch, event: Event) -> _Patch:
    """A patch that leaves answers as they are, of a device that repeats those it knows."""
    if isinstance(patch.attendees, tuple):
        patch = replace(patch, attendees=tuple(replace(one, status=None) for one in patch.attendees))
    if event.received:
        patch = replace(patch, busy=UNSET)
    if isinstance(patch, EventPatch):
        exceptions = ((at, one and _without_answers(one, event)) for at, one in patch.occurrences)
        patch = replace(patch, occurrences=tuple(exceptions))
    return patch
