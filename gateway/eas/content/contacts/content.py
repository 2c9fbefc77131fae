"""The Contacts class as the commands use it: `ItemContent` of contacts."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gateway.eas.content.contacts.elements import ELEMENTS, Form
from gateway.eas.content.contacts.reading import news, read_contact_data, sends_no_pictures
from gateway.eas.content.contacts.telling import shown_contact, shown_stub
from gateway.eas.content.contacts.texts import texts_of
from gateway.eas.content.preferences import HTML, PLAIN, RTF
from gateway.eas.content.readers import no_instance, without_no_dates
from gateway.eas.content.values import refusing
from gateway.eas.versions import Version
from gateway.items import Item, ItemKind, ItemNumber
from gateway.pim.contacts.document import new_contact, patch_contact, read_contact, stored_contact
from gateway.pim.matching import Texts
from gateway.sync.itemoperations import AddItem, Answer, ChangeItem, DeleteItem, Given, Made
from wbxml import Element

if TYPE_CHECKING:
    from gateway.eas.content.items import Scene
    from gateway.eas.itemoptions import ItemOptions

__all__ = ["ContactsContent"]

_DATES = frozenset(tag for tag, form in ELEMENTS.values() if form is Form.DAY)


class ContactsContent:
    """Contacts in address books."""

    kind = ItemKind.CONTACTS
    name = "Contacts"
    filters = frozenset(range(9))
    ghosts = True

    def body_types(self, _version: Version) -> frozenset[int]:
        """Text as in a letter."""
        return frozenset({PLAIN, HTML, RTF})

    def since(self, _filter_type: int, _now: datetime) -> datetime | None:
        """A FilterType means nothing (MS-ASCMD 2.2.3.68.2)."""
        return None

    def add(self, client_id: str, digest: str, data: Element, scene: Scene) -> AddItem:
        """A new contact. Raises `BadItem`."""
        data = without_no_dates(data, _DATES)
        patch = read_contact_data(data, scene.version, scene.zone, {})
        uid = str(uuid.uuid4())

        def make(_given: Given) -> Made:
            return Made(stored_contact(new_contact(patch, uid, scene.now)))

        def merge(item: Item, _given: Given) -> Made:
            return _changed(item, data, scene, None, whole=False)

        return AddItem(client_id, digest, make, merge)

    def change(
        self, number: ItemNumber, instance: str, digest: str, data: Element, scene: Scene
    ) -> ChangeItem:
        """A contact that is different. Raises `BadItem`."""
        no_instance(instance)
        data = without_no_dates(data, _DATES)
        read_contact_data(data, scene.version, scene.zone, {})

        def change(item: Item, given: Given) -> Made:
            return _changed(item, data, scene, given.supported, whole=True)

        return ChangeItem(number, digest, change)

    def delete(self, number: ItemNumber, instance: str, _scene: Scene) -> DeleteItem:
        """A contact that goes. Raises `BadItem`."""
        no_instance(instance)
        return DeleteItem(number)

    def render(self, item: Item, options: ItemOptions, scene: Scene) -> Sequence[Element]:
        """The contact as this device sees it."""
        return shown_contact(read_contact(item.stored.text), scene.version, options.body)

    def stub(self, _item: Item, scene: Scene) -> Sequence[Element]:
        """An explanation in place of a name."""
        return shown_stub(scene.version)

    def texts(self, item: Item, _scene: Scene) -> Texts:
        """All that is written of somebody."""
        return texts_of(read_contact(item.stored.text))

    def answered(self, _answer: Answer, _scene: Scene) -> Sequence[Element]:
        """Nothing beside the Status."""
        return ()


def _changed(
    item: Item, data: Element, scene: Scene, supported: Collection[str] | None, *, whole: bool
) -> Made:
    with refusing():
        known = read_contact(item.stored.text)
        patch = read_contact_data(data, scene.version, scene.zone, known)
        no_pictures = sends_no_pictures(scene.device_type, supported)
        patch = news(patch, known, supported, whole=whole, no_pictures=no_pictures)
        return Made(stored_contact(patch_contact(item.stored.text, patch, scene.now)))
