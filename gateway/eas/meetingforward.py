"""SmartForward of an event (MS-ASCMD 2.2.1.19): the server invites further people, since 16.0.

Who organizes the meeting invites them himself. Anybody else sends the invitation on: the organizer stays who
he is, and is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from gateway.eas import fields, forwardees, meetings, sending
from gateway.eas.commands.base import Context
from gateway.eas.content.calendar.exceptions import original_in
from gateway.eas.content.ids import ItemName, parse_item_server_id
from gateway.eas.content.values import BadItem, parse_date_time
from gateway.eas.forwardees import Forward
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused, StateConflict
from gateway.items import Edit, Item, ItemKind, Notice
from gateway.mail import html
from gateway.mail.digests import digest_of
from gateway.pim.events.document import Document
from gateway.pim.events.model import Attendee, EventPatch, OccurrencePatch, Participation
from gateway.pim.invitation import Method, Person
from gateway.pim.itip.files import enclosed_files
from gateway.pim.itip.message import Instance, Parts
from gateway.pim.itip.outgoing import Post
from gateway.pim.itip.public import instance_of, public
from gateway.pim.itip.times import clock_of
from gateway.ports import Commit
from gateway.sync import itemfolders, scheduling
from gateway.sync.background import compute
from gateway.sync.guests import check_open
from gateway.sync.itemfolders import is_item_name
from gateway.sync.itemoperations import Made
from gateway.types import CollectionId, OutboxEntry, OutboxStage
from wbxml import Element
from wbxml.pages import AirSyncBase, ComposeMail

__all__ = ["forward", "is_meant"]

_ATTEMPTS = 5


def is_meant(context: Context, root: Element) -> bool:
    """Whether a request is about an event, and leaves the writing to the server."""
    source = root.find(ComposeMail.Source)
    item = (source.child_text(ComposeMail.ItemId) or "") if source else ""
    written = root.find(ComposeMail.Forwardees) or root.find(AirSyncBase.Body)
    return bool(written) and is_item_name(item.strip()) and context.request.version >= Version.V16_0


async def forward(context: Context, root: Element) -> None:
    """Serve one request. Raises `Refused` and what the store raises; goes on when the client goes away."""
    wanted = forwardees.read(root)
    client_id = sending.wish(context, root, b"").client_id
    source = fields.required(root, ComposeMail.Source)
    name = parse_item_server_id((source.child_text(ComposeMail.ItemId) or "").strip())
    folder = (source.child_text(ComposeMail.FolderId) or "").strip()
    if folder and name.collection != CollectionId(folder):
        raise NotFound("an item of another collection")
    instance = (source.child_text(ComposeMail.InstanceId) or "").strip()
    if instance:
        parse_date_time(instance)
    work = _Work(context, name, instance, wanted, client_id)
    await asyncio.shield(context.services.background.start(work.run()))


@dataclass(frozen=True, slots=True)
class _Work:
    """One event on its way to further people."""

    context: Context
    name: ItemName
    instance: str
    wanted: Forward
    client_id: str

    async def run(self) -> None:
        """Store what is to be mailed, once for a ClientId. Raises `Refused`."""
        services, user = self.context.services, self.context.principal.user
        about = (
            f"{self.context.device.id}\n{self.client_id}\n{self.name}\n{self.instance}\n{self.wanted.people}"
        )
        now = services.clock.now()
        entry = OutboxEntry(
            id=0,
            user=user,
            device=self.context.device.id,
            client_id=self.client_id,
            message_id="",
            digest=digest_of(about, 64),
            save=False,
            stage=OutboxStage.ACCEPTED,
            created=now,
        )
        entry, new = await services.state.begin_send(entry, now - services.limits.duplicate_window)
        if not new and entry.stage is not OutboxStage.ACCEPTED:
            raise Refused(Kind.PREVIOUSLY_SENT, "this ClientId was used before")
        try:
            await self._commit(about)
        except Refused:
            await services.state.mark_send(entry.id, OutboxStage.FAILED)
            raise
        await services.state.mark_send(entry.id, OutboxStage.DONE)
        meetings.mail_new(self.context)

    async def _commit(self, about: str) -> None:
        items, user = self.context.services.items, self.context.principal.user
        folder = await itemfolders.find(items, user, self.name.collection)
        if folder is None or folder.kind is not ItemKind.CALENDAR:
            raise NotFound("no such calendar")
        for _ in range(_ATTEMPTS):
            item = (await items.load_items(folder.id, [self.name.number])).get(self.name.number)
            if item is None:
                raise NotFound("no such event")
            check_open(folder, item)
            edits, notices = await compute(self._made, item, about)
            try:
                await items.commit_items(Commit(user, folder.id, edits, notices=notices))
            except StateConflict:
                continue
            return
        raise StateConflict("the event keeps changing")

    def _made(self, item: Item, about: str) -> tuple[list[Edit], list[Notice]]:
        """What is stored, and what is mailed."""
        document = Document.stored_as(item.stored)
        owner = meetings.known_as(self.context, Parts.of(document.calendar))
        event = document.event(owner)
        original = None
        if self.instance:
            try:
                original = original_in(event, self.instance, self.context.request.version)
            except BadItem as error:
                raise Refused(Kind.INVALID_DATE_TIME, str(error)) from error
        if event.received:
            return [], self._sent_on(document, owner, original, about)
        made = self._invited(document, owner, original)
        edits = [Edit(item.number, item.revision, made.stored)] if made.stored != item.stored else []
        return edits, list(made.notices)

    def _invited(self, document: Document, owner: str, original: datetime | None) -> Made:
        """The organizer invites more people."""
        principal, now = self.context.principal, self.context.services.clock.now()
        event = document.event(owner)
        known = event.occurrence(original) if original else None
        invited = (known.event if known and known.event else event).attendees
        there = {one.person.address.lower() for one in invited}
        more = (
            Attendee(Person(one.address, one.name), status=Participation.NEEDS_ACTION)
            for one in self.wanted.people
            if one.address.lower() not in there
        )
        attendees = (*invited, *more)
        if original is not None:
            patch = OccurrencePatch(attendees=attendees)
            changed = document.with_occurrence(original, patch, owner, now)
        else:
            organizer = event.organizer or Person(owner, principal.display_name)
            changed = document.patched(EventPatch(attendees=attendees, organizer=organizer), owner, now)
        return scheduling.organized(document, changed, meetings.author(principal, owner), now)

    def _sent_on(self, document: Document, owner: str, original: datetime | None, about: str) -> list[Notice]:
        """An attendee sends the invitation on, as he got it."""
        principal, now, wanted = self.context.principal, self.context.services.clock.now(), self.wanted
        author = meetings.author(principal, owner)
        parts = Parts.of(document.calendar)
        shown = list(parts.events.values())
        event = document.event(owner)
        if original is not None:
            key: Instance = original.replace(tzinfo=None) if event.all_day else original
            shown = [parts.events.get(key) or instance_of(parts.main, original, clock_of(parts))]
        people = tuple(Person(one.address, one.name) for one in wanted.people)
        sent = scheduling.notice(
            Post(Method.REQUEST, people, public(parts, shown, Method.REQUEST), files=enclosed_files(shown)),
            author,
            now,
            comment=html.to_text(wanted.text).replace("\r\n", "\n") if wanted.rich else wanted.text,
            html=wanted.text if wanted.rich else "",
            about=about,
            prefix="FW: ",
        )
        told = scheduling.forwarded(event, wanted.people, author, now, about=about)
        return [one for one in (sent, told) if one is not None]
