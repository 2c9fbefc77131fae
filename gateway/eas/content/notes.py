"""Note items (MS-ASNOTE): ApplicationData of the Notes class to the notes of `pim`, and back. Since 14.0."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.eas.content.itembody import body_text, native_type, read_body, shown_body
from gateway.eas.content.limits import LONGEST_CATEGORY, LONGEST_SUBJECT, MOST_CATEGORIES
from gateway.eas.content.mapping import Mapped
from gateway.eas.content.preferences import HTML, PLAIN, RTF, BodyOptions
from gateway.eas.content.readers import names, no_instance, text
from gateway.eas.content.values import BadItem, compact_date_time, refusing
from gateway.eas.versions import Version
from gateway.items import Item, ItemKind, ItemNumber
from gateway.mail.headers import clean
from gateway.pim.matching import Texts
from gateway.pim.notes.document import (
    PLACES,
    STICKY_NOTE,
    Note,
    NotePatch,
    new_note,
    patch_note,
    read_note,
    stored_note,
)
from gateway.pim.properties import UNSET, Body, Unset
from gateway.query import Place
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, DeleteItem, Given, Made
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Notes

if TYPE_CHECKING:
    from gateway.eas.content.items import Scene
    from gateway.eas.itemoptions import ItemOptions

__all__ = ["TABLE", "NoteContent"]

_MESSAGE_CLASS = re.compile(rf"{re.escape(STICKY_NOTE)}(?:\..{{1,240}})?", re.IGNORECASE | re.DOTALL)
_LONGEST_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What an ApplicationData is read with: `note` is what it changes, None for a new one."""

    version: Version
    note: Note | None


@dataclass(frozen=True, slots=True)
class _Showing:
    version: Version
    body: BodyOptions


def _read_subject(data: Element, _: _Reading) -> str | Unset:
    """One that is not there stays (MS-ASNOTE 3.2.5.3)."""
    found = text(data, Notes.Subject, LONGEST_SUBJECT)
    return UNSET if found is None else found


def _show_subject(note: Note, _: _Showing) -> Iterator[Element]:
    yield element(Notes.Subject, clean(note.subject))


def _read_body(data: Element, reading: _Reading) -> Body | Unset | None:
    known = (reading.note.body or Body("")) if reading.note else None
    return read_body(data, reading.version, known, None, takes_rtf=True)


def _show_body(note: Note, showing: _Showing) -> Iterator[Element]:
    yield from shown_body(note.body, showing.body, showing.version, None, takes_rtf=True)
    yield element(AirSyncBase.NativeBodyType, native_type(note.body))


def _read_categories(data: Element, _: _Reading) -> tuple[str, ...] | None:
    """Those that are not there go (MS-ASNOTE 3.2.5.3)."""
    return names(data, Notes.Categories, Notes.Category, MOST_CATEGORIES, LONGEST_CATEGORY)


def _show_categories(note: Note, _: _Showing) -> Iterator[Element]:
    listed = [name for one in note.categories if (name := clean(one))]
    if listed:
        named = (element(Notes.Category, name) for name in listed[:MOST_CATEGORIES])
        yield element(Notes.Categories, *named)


def _read_message_class(data: Element, _: _Reading) -> str | Unset:
    found = text(data, Notes.MessageClass)
    if found is None:
        return UNSET
    if not _MESSAGE_CLASS.fullmatch(found):
        raise BadItem("a note with the MessageClass of something else")
    return found


def _show_message_class(note: Note, _: _Showing) -> Iterator[Element]:
    yield element(Notes.MessageClass, clean(note.message_class))


def _read_modified(_data: Element, _: _Reading) -> Unset:
    """What a device says of it does not count (MS-ASNOTE 3.1.5.3.1)."""
    return UNSET


def _show_modified(note: Note, _: _Showing) -> Iterator[Element]:
    yield element(Notes.LastModifiedDate, compact_date_time(note.modified or note.stamp or _LONGEST_AGO))


TABLE: tuple[Mapped[Note, _Reading, _Showing], ...] = (
    Mapped("subject", (Notes.Subject,), PLACES["subject"].properties, _read_subject, _show_subject),
    Mapped(
        "body",
        (AirSyncBase.Body, AirSyncBase.NativeBodyType),
        PLACES["body"].properties,
        _read_body,
        _show_body,
        "HTML is kept beside the text made of it; what comes as RTF is kept as text or HTML.",
    ),
    Mapped(
        "categories",
        (Notes.Categories, Notes.Category),
        PLACES["categories"].properties,
        _read_categories,
        _show_categories,
    ),
    Mapped(
        "message_class",
        (Notes.MessageClass,),
        PLACES["message_class"].properties,
        _read_message_class,
        _show_message_class,
        f"{STICKY_NOTE} where nothing is said.",
    ),
    Mapped(
        "modified",
        (Notes.LastModifiedDate,),
        PLACES["modified"].properties,
        _read_modified,
        _show_modified,
        "When the gateway changed it last; what devices say does not count.",
    ),
)
"""Every element of the Notes page, and of AirSyncBase what notes have."""


class NoteContent:
    """Notes in folders."""

    kind = ItemKind.NOTES
    name = "Notes"
    filters = frozenset(range(9))
    ghosts = False

    def body_types(self, version: Version) -> frozenset[int]:  # noqa: ARG002
        """In every version the same."""
        return frozenset({PLAIN, HTML, RTF})

    def since(self, filter_type: int, now: datetime) -> datetime | None:  # noqa: ARG002
        """There is no window, whatever a device asks for."""
        return None

    # --- operations --------------------------------------------------------------------------------------

    def add(self, client_id: str, digest: str, data: Element, scene: Scene) -> AddItem:
        """A new note. Raises `BadItem`."""
        patch = _read(data, _Reading(scene.version, None))
        uid = str(uuid.uuid4())

        def make(_given: Given) -> Made:
            return Made(stored_note(new_note(patch, uid, scene.now)))

        def merge(item: Item, _given: Given) -> Made:
            return _changed(item, data, scene)

        return AddItem(client_id, digest, make, merge)

    def change(
        self, number: ItemNumber, instance: str, digest: str, data: Element, scene: Scene
    ) -> ChangeItem:
        """A note that is different. Raises `BadItem`."""
        no_instance(instance)
        _read(data, _Reading(scene.version, None))  # what can be no note is refused whatever it changes

        def change(item: Item, _given: Given) -> Made:
            return _changed(item, data, scene)

        return ChangeItem(number, digest, change)

    def delete(self, number: ItemNumber, instance: str, scene: Scene) -> DeleteItem:  # noqa: ARG002
        """A note that goes. Raises `BadItem`."""
        no_instance(instance)
        return DeleteItem(number)

    # --- what devices are told ---------------------------------------------------------------------------

    def render(self, item: Item, options: ItemOptions, scene: Scene) -> Sequence[Element]:
        """The note as this device sees it."""
        note = read_note(item.stored.text)
        return _shown(replace(note, modified=note.modified or item.modified), scene.version, options.body)

    def stub(self, item: Item, scene: Scene) -> Sequence[Element]:
        """An explanation."""
        note = Note(item.stored.uid, subject="(This note cannot be shown)", modified=item.modified)
        return _shown(note, scene.version, BodyOptions())

    def texts(self, item: Item, scene: Scene) -> Texts:  # noqa: ARG002
        """Its subject, text and categories."""
        note = read_note(item.stored.text)
        return {
            Place.SUBJECT: [note.subject],
            Place.BODY: [body_text(note.body)],
            Place.ANYWHERE: note.categories,
        }

    def answered(self, answer: Answer, scene: Scene) -> Sequence[Element]:  # noqa: ARG002
        """Nothing but the ServerId."""
        return ()


def _read(data: Element, reading: _Reading) -> NotePatch:
    read = {one.name: one.read(data, reading) for one in TABLE}
    del read["modified"]
    return NotePatch(**read)


def _shown(note: Note, version: Version, options: BodyOptions) -> Sequence[Element]:
    showing = _Showing(version, options)
    return [made for one in TABLE for made in one.show(note, showing)]


def _changed(item: Item, data: Element, scene: Scene) -> Made:
    """What comes of a Change: what the device was shown and sends back changes nothing. Raises `Refused`."""
    note = read_note(item.stored.text)
    with refusing():
        patch = _read(data, _Reading(scene.version, note))
    if patch.subject == clean(note.subject):
        patch = replace(patch, subject=UNSET)
    shown = tuple(name for one in note.categories if (name := clean(one)))[:MOST_CATEGORIES]
    if (patch.categories or ()) == shown:
        patch = replace(patch, categories=UNSET)
    return Made(stored_note(patch_note(item.stored.text, patch, scene.now)))
