"""New events: since 16.0 a series is added without those of its exceptions that cannot be (Status 184)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.eas.content.calendar.absent import kept
from gateway.eas.content.calendar.changes import with_files, with_organizer
from gateway.eas.content.calendar.exceptions import check_exceptions, read_exceptions
from gateway.eas.content.calendar.files import FileChanges
from gateway.eas.content.calendar.reading import read_patch
from gateway.eas.content.calendar.times import When
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.pim.events.document import Document, new_event
from gateway.pim.events.expansion import originals_of
from gateway.pim.events.model import EventPatch, OccurrencePatch, Person, Unset
from gateway.sync.itemoperations import Given
from wbxml import Element, element
from wbxml.pages import Calendar

__all__ = ["Addition", "read_addition", "without_exceptions"]


@dataclass(frozen=True, slots=True)
class Addition:
    """What a device adds.

    `exceptions` are those that may fail alone, by original start; others are part of the `patch`. It is not
    `complete` when some could not be understood.
    """

    patch: EventPatch
    exceptions: Mapping[datetime, OccurrencePatch | None] = field(default_factory=dict)
    complete: bool = True

    def event(
        self, uid: str, owner: Person, now: datetime, files: FileChanges | None, given: Given
    ) -> tuple[Document, bool]:
        """The event, and whether all of it is there. Raises `Refused`."""
        patch = with_files(with_organizer(self.patch, None, owner), (), files, given)
        made = new_event(patch, uid, owner.address, now)
        if not self.exceptions:
            return made, self.complete
        series = made.event(owner.address)
        originals = originals_of(series, list(self.exceptions))
        named = zip(self.exceptions.items(), originals, strict=True)
        known = {one: change for (one, change), there in named if there}
        wanted = [one for one, change in self.exceptions.items() if change is not None or one in known]
        made = made.patched(EventPatch(occurrences=tuple(known.items())), owner.address, now)
        return made, self.complete and len(wanted) == len(known)


def read_addition(data: Element, version: Version, now: datetime) -> Addition:
    """What an Add asks for. Raises `BadItem`."""
    if version < Version.V16_0:
        return Addition(read_patch(data, version, None, kept, now))
    check_exceptions(data)
    patch = read_patch(without_exceptions(data), version, None, kept, now)
    if isinstance(patch.start, Unset) or isinstance(patch.end, Unset) or isinstance(patch.recurrence, Unset):
        return Addition(patch)
    when = When(patch.start, patch.end, patch.all_day is True)
    found: dict[datetime, OccurrencePatch | None] = {}
    complete = True
    for one in _exceptions(data):
        try:
            alone = element(data.tag, element(Calendar.Exceptions, one))
            found.update(read_exceptions(alone, version, None, when))
        except BadItem:
            complete = False
    return Addition(patch, found, complete)


def without_exceptions(data: Element) -> Element:
    """The same but for its exceptions."""
    return element(data.tag, *(one for one in data if one.tag is not Calendar.Exceptions))


def _exceptions(data: Element) -> Sequence[Element]:
    listed = data.find(Calendar.Exceptions)
    return listed.findall(Calendar.Exception) if listed else ()
