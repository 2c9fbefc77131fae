"""The Calendar class as the commands use it: `ItemContent` of events."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from gateway.eas.content.calendar.absent import in_series, kept
from gateway.eas.content.calendar.additions import read_addition, without_exceptions
from gateway.eas.content.calendar.changes import Reviser
from gateway.eas.content.calendar.exceptions import check_exceptions
from gateway.eas.content.calendar.files import FileChanges, answered_files, read_files
from gateway.eas.content.calendar.series import as_known
from gateway.eas.content.calendar.texts import texts_of
from gateway.eas.content.calendar.writing import shown_event, shown_stub
from gateway.eas.content.ids import ItemName
from gateway.eas.content.limits import LONGEST_UID
from gateway.eas.content.preferences import HTML, PLAIN, RTF
from gateway.eas.content.readers import parse_moment, text
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.items import Item, ItemKind, ItemNumber
from gateway.mail.addresses import Address
from gateway.pim.events.document import Document
from gateway.pim.events.model import Event, Person
from gateway.pim.invitation import known_as
from gateway.pim.itip.outgoing import self_told
from gateway.pim.matching import Texts
from gateway.pim.tree import BadText
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, DeleteItem, Given, Made
from gateway.sync.scheduling import organized
from wbxml import Element, element
from wbxml.pages import Calendar

if TYPE_CHECKING:
    from gateway.eas.content.items import Scene
    from gateway.eas.itemoptions import ItemOptions

__all__ = ["CalendarContent"]

_WINDOWS = {4: 14, 5: 31, 6: 92, 7: 183}
"""Days of the past that a FilterType shows (MS-ASCMD 2.2.3.68.2)."""
_OF_CLIENTS = uuid.UUID("6b0cb0b2-6a53-4c51-9a0f-0d1ae3f5e7a1")
"""Under which the UIDs of events are made that a device names by a ClientUid."""


class CalendarContent:
    """Events in calendars."""

    kind = ItemKind.CALENDAR
    name = "Calendar"
    filters = frozenset({0, *_WINDOWS})
    ghosts = True

    def body_types(self, version: Version) -> frozenset[int]:
        """Rich text is a matter of older devices."""
        return frozenset({PLAIN, HTML}) if version >= Version.V16_0 else frozenset({PLAIN, HTML, RTF})

    def since(self, filter_type: int, now: datetime) -> datetime | None:
        """Midnight, in UTC, so many days ago."""
        if not filter_type:
            return None
        start = now.astimezone(UTC) - timedelta(days=_WINDOWS[filter_type])
        return start.replace(hour=0, minute=0, second=0, microsecond=0)

    # --- operations --------------------------------------------------------------------------------------

    def add(self, client_id: str, digest: str, data: Element, scene: Scene) -> AddItem:
        """A new event. Raises `BadItem`."""
        addition = read_addition(data, scene.version, scene.now)
        files = _files(data, None, scene.version)
        named = _uid(data, scene)
        uid = named or str(uuid.uuid4())

        def make(given: Given) -> Made:
            event, complete = addition.event(uid, _owner(scene), scene.now, files, given)
            return replace(_made(None, event, scene), incomplete=not complete)

        def merge(item: Item, given: Given) -> Made:
            told = without_exceptions(data) if scene.version >= Version.V16_0 else data
            before = Document.stored_as(item.stored)
            return _made(before, _reviser(item, before, scene).changed(told, kept, None, given), scene)

        return AddItem(client_id, digest, make, merge, named, files.uploads if files else ())

    def change(
        self, number: ItemNumber, instance: str, digest: str, data: Element, scene: Scene
    ) -> ChangeItem:
        """An event or an occurrence that is different. Raises `BadItem`."""
        check_exceptions(data)
        _check_instance(instance, scene.version)
        files = _files(data, ItemName(scene.folder.id, number), scene.version)

        def change(item: Item, given: Given) -> Made:
            before = Document.stored_as(item.stored)
            reviser = _reviser(item, before, scene)
            if instance:
                changed = reviser.changed_instance(instance, data, files, given)
            else:
                changed = reviser.changed(data, in_series(scene.version, given.supported), files, given)
            return _made(before, changed, scene)

        return ChangeItem(number, digest, change, instance, files.uploads if files else ())

    def delete(self, number: ItemNumber, instance: str, scene: Scene) -> DeleteItem:
        """An event or an occurrence that goes. Raises `BadItem`."""
        _check_instance(instance, scene.version)
        if not instance:
            return DeleteItem(number, lambda item, _given: _gone(item, scene))

        def change(item: Item, _given: Given) -> Made:
            before = Document.stored_as(item.stored)
            return _made(before, _reviser(item, before, scene).without(instance), scene)

        return DeleteItem(number, change, instance)

    # --- what devices are told ---------------------------------------------------------------------------

    def render(self, item: Item, options: ItemOptions, scene: Scene) -> Sequence[Element]:
        """The event as this device sees it."""
        document = Document(item.stored.text)
        event = as_known(document.event(_address(document, scene), scene.zone), scene.version)
        event = replace(event, modified=event.modified or item.modified, organizer=_host(event, scene))
        return shown_event(event, scene.version, ItemName(item.folder, item.number), options.body)

    def stub(self, item: Item, scene: Scene) -> Sequence[Element]:
        """A time and an explanation."""
        return shown_stub(item.stored.uid, item.stored.starts or item.created, scene.version)

    def texts(self, item: Item, scene: Scene) -> Texts:
        """Those of the event and of its exceptions."""
        return texts_of(Document(item.stored.text).event(scene.owner, scene.zone))

    def answered(self, answer: Answer, scene: Scene) -> Sequence[Element]:
        """Since 16.0 the UID of what was added, and how its new files are called."""
        if scene.version < Version.V16_0:
            return ()
        told = [element(Calendar.UID, answer.uid[:LONGEST_UID])] if answer.digest and answer.uid else []
        if answer.files:
            told.append(answered_files(answer.files, ItemName(scene.folder.id, answer.number)))
        return told


def _made(before: Document | None, after: Document | None, scene: Scene) -> Made:
    """What comes of an operation: the event `after` it, None when it goes.

    Since 16.0 the server tells those who are invited (MS-ASCMD 3.1.5.5), in the name of the owner whoever
    changed it.
    """
    if scene.version < Version.V16_0:
        if before and after:
            after = self_told(before, after, _owner(scene, before).address)
        return Made(after.stored if after else None)
    owner = _owner(scene, after or before)
    return organized(before, after, Address(owner.name, owner.address), scene.now)


def _gone(item: Item, scene: Scene) -> Made:
    """What comes of the deletion of an event; of one that cannot be read nobody can be told."""
    try:
        return _made(Document.stored_as(item.stored), None, scene)
    except BadText:
        return Made(None)


def _reviser(item: Item, document: Document, scene: Scene) -> Reviser:
    name = ItemName(item.folder, item.number)
    return Reviser(name, document, _owner(scene, document), scene.version, scene.now, scene.zone)


def _uid(data: Element, scene: Scene) -> str:
    """The UID a device gives an event; "" when the server is to make one up. Raises `BadItem`.

    Since 16.0 there is the ClientUid instead: what comes under the same one again is the same event.
    """
    if scene.version < Version.V16_0:
        return text(data, Calendar.UID, LONGEST_UID) or ""
    given = text(data, Calendar.ClientUid, LONGEST_UID)
    return str(uuid.uuid5(_OF_CLIENTS, f"{scene.folder.owner}\n{given}")) if given else ""


def _owner(scene: Scene, known: Document | None = None) -> Person:
    """The owner of the calendar, by the address under which an event knows him."""
    address = scene.owner if known is None else _address(known, scene)
    own = scene.owner == scene.principal.email
    return Person(address, scene.principal.display_name if own else "")


def _host(event: Event, scene: Scene) -> Person | None:
    """The organizer as a device knows him: Android lets the account's own address alone edit a meeting.

    Up to 14.1 devices mail invitations by themselves, for which they need the address that people know.
    """
    host = event.organizer
    if host is None or event.received or scene.version < Version.V16_0 or not scene.own(host.address):
        return host
    return Person(scene.owner, host.name)


def _address(document: Document, scene: Scene) -> str:
    """The address under which an event knows the owner of the calendar."""
    event = document.event(scene.owner, scene.zone)
    return known_as(event.organizer, (one.person for one in event.attendees), scene.owner, scene.own)


def _files(data: Element, item: ItemName | None, version: Version) -> FileChanges | None:
    return read_files(data, item) if version >= Version.V16_0 else None


def _check_instance(instance: str, version: Version) -> None:
    """Refuse an InstanceId that is no time, or of a device that cannot know of any."""
    if instance and version < Version.V16_0:
        raise BadItem("an InstanceId before 16.0")
    if instance:
        parse_moment(instance)
