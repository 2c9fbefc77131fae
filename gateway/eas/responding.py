"""One answer of a user to an invitation: from what he named to the event, the reply and the mail put away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.eas import meetings
from gateway.eas.answers import Response, outcome, owner_of
from gateway.eas.commands.base import Context
from gateway.eas.content.calendar.exceptions import original_in
from gateway.eas.content.ids import ItemName, MessageName, item_server_id
from gateway.eas.content.meeting import meeting_of
from gateway.eas.content.values import BadItem
from gateway.errors import ENDS_REQUEST, GatewayError, Kind, NotFound, Refused, StateConflict
from gateway.items import Item, ItemKind
from gateway.mail.addresses import addresses
from gateway.mail.headers import Headers
from gateway.mail.scheduling import PEOPLE, Calendar, calendar_part, open_calendar
from gateway.mail.structure import lay_out
from gateway.pim.events.document import Document
from gateway.pim.events.model import Participation
from gateway.pim.invitation import Method
from gateway.pim.itip.incoming import apply, outdated
from gateway.pim.itip.message import Instance, Message, Parts, read_message
from gateway.ports import Commit
from gateway.sync import itemfolders
from gateway.sync.background import compute
from gateway.sync.eventplaces import known_event, place_of
from gateway.sync.folders import Folders, folder_with_role
from gateway.sync.guests import check_open
from gateway.sync.hierarchy import find, mailbox_of
from gateway.sync.moves import Mover, Place
from gateway.sync.responses import LEASE, Given, Responses
from gateway.types import NO_DEVICE, Role, SectionRequest, ServerId

__all__ = ["respond"]

_ATTEMPTS = 5


async def respond(context: Context, response: Response) -> ServerId | None:
    """Answer an invitation; returns the name of the event, None when it is declined and gone.

    Raises `Refused` and what the mail server and the store raise. Repeating it changes nothing more.
    """
    await meetings.settle(context)
    async with context.services.state.lease(context.principal.user, NO_DEVICE, LEASE):
        work = _Work(context, response)
        if isinstance(response.named, ItemName):
            return await work.to_event(response.named)
        return await work.to_mail(response.named)


@dataclass(frozen=True, slots=True)
class _Work:
    context: Context
    response: Response

    def _owner(self, document: Document) -> str:
        return owner_of(self.context, document)

    @property
    def _responses(self) -> Responses:
        return Responses(self.context.services.state, self.context.principal.user)

    # --- by the event ------------------------------------------------------------------------------------

    async def to_event(self, name: ItemName) -> ServerId | None:
        items = self.context.services.items
        folder = await itemfolders.find(items, self.context.principal.user, name.collection)
        if folder is None or folder.kind is not ItemKind.CALENDAR:
            raise NotFound("no such calendar")
        for _ in range(_ATTEMPTS):
            item = (await items.load_items(folder.id, [name.number])).get(name.number)
            if item is None:
                await self._was_declined()
                return None
            check_open(folder, item)
            document = Document.stored_as(item.stored)
            instance = await compute(self._instance, document)
            try:
                return await self._answer(item, item.stored.uid, document, instance)
            except StateConflict:
                continue
        raise StateConflict("the event keeps changing")

    def _instance(self, document: Document) -> Instance:
        """The occurrence that is answered. Raises `Refused`."""
        event = document.event(self._owner(document))
        if not event.received or event.cancelled:
            raise Refused(Kind.INVALID_XML, "an event that asks for no answer")
        if not self.response.instance:
            return Parts.of(document.calendar).instance_of_all
        try:
            original = original_in(event, self.response.instance, self.context.request.version)
        except BadItem as error:
            raise Refused(Kind.INVALID_DATE_TIME, str(error)) from error
        return original.replace(tzinfo=None) if event.all_day else original

    async def _was_declined(self) -> None:
        """See to it that an event is not there because it was declined. Raises `NotFound`."""
        known = await self._responses.find(self.response.name)
        if known is None or known.status != self.response.status.value:
            raise NotFound("no such event")

    # --- by the mail -------------------------------------------------------------------------------------

    async def to_mail(self, name: MessageName) -> ServerId | None:
        if self.response.instance:
            raise Refused(Kind.INVALID_XML, "an InstanceId for a mail")
        folder = find(await self._folders().all(), name.collection)
        mailbox = mailbox_of(folder) if folder else None
        if folder is None or mailbox is None:
            raise NotFound("no such collection")
        found = await self._invitation(mailbox, name)
        if found is None:
            return await self._again()
        message, sender = found
        told = await self._to_message(message, sender)
        await self._put_away(Place(folder.id, mailbox), folder.role, name)
        return told

    async def _invitation(self, mailbox: str, name: MessageName) -> tuple[Message, str] | None:
        """The invitation in a mail, and from whom it is; None when the mail is gone. Raises `Refused`."""
        mailboxes = self.context.mailboxes
        try:
            found = (await mailboxes.fetch(mailbox, name.uidvalidity, [name.uid], PEOPLE)).get(name.uid)
        except NotFound:
            return None
        if found is None:
            return None
        part = calendar_part(lay_out(found.structure))
        request = SectionRequest(name.uid, part.section if part else "")
        data = await mailboxes.fetch_sections(mailbox, name.uidvalidity, [request]) if part else {}
        if part is None or request not in data:
            raise Refused(Kind.INVALID_XML, "a mail that is no invitation")
        headers = Headers(found.header)
        calendar = open_calendar(part, data[request], headers)
        message = await compute(read_message, calendar.text, calendar.method, self.context.services.zone)
        if message is None or not await compute(self._is_asked, message, calendar):
            raise Refused(Kind.INVALID_XML, "a mail that is no invitation, or the user's own")
        sender = next(addresses(headers, "from"), None)
        return message, sender.address if sender else ""

    def _is_asked(self, message: Message, calendar: Calendar) -> bool:
        """Whether a message asks the user for an answer."""
        owner, own = meetings.known_as(self.context, message.parts), meetings.own(self.context)
        shown = meeting_of(calendar.text, calendar.method, owner, own, self.context.services.zone)
        return shown is not None and message.method is Method.REQUEST

    async def _to_message(self, message: Message, sender: str) -> ServerId | None:
        instance = message.parts.instance_of_all
        for _ in range(_ATTEMPTS):
            item = await self._known(message.parts.uid)
            document = await compute(self._applied, message, item, sender)
            try:
                return await self._answer(item, message.parts.uid, document, instance)
            except (StateConflict, NotFound):  # changed, or gone with its calendar
                continue
        raise StateConflict("the event keeps changing")

    def _applied(self, message: Message, item: Item | None, sender: str) -> Document:
        """The event with an invitation in it. Raises `Refused`."""
        now = self.context.services.clock.now()
        held = Document.stored_as(item.stored) if item else None
        owner = self._owner(held) if held else meetings.known_as(self.context, message.parts)
        text = held.text if held else None
        applied = apply(message, text, sender=sender, owner=owner, now=now, trusted=True)
        if applied.text is not None:
            return Document(applied.text)
        if text is not None and outdated(message, text):
            raise Refused(Kind.INVALID_XML, "an invitation for what the meeting was before")
        if held is None or not held.event(owner).received:
            raise Refused(Kind.INVALID_XML, "an invitation that cannot be believed")
        return held

    async def _again(self) -> ServerId | None:
        """A mail that is gone, which it is once it was answered. Raises `NotFound`."""
        known = await self._responses.find(self.response.name)
        if known is None:
            raise NotFound("the invitation is gone")
        item = await self._known(known.uid)
        if item is None:
            await self._was_declined()
            return None
        instance = datetime.fromisoformat(known.instance) if known.instance else None
        return await self._answer(item, known.uid, Document.stored_as(item.stored), instance)

    async def _known(self, uid: str) -> Item | None:
        return await known_event(self.context.services.items, self.context.principal.user, uid)

    # --- the answer --------------------------------------------------------------------------------------

    async def _answer(
        self, item: Item | None, uid: str, document: Document, instance: Instance
    ) -> ServerId | None:
        """Store an answer to an event, be it stored or not, with the reply. Raises `StateConflict`."""
        response, services, user = self.response, self.context.services, self.context.principal.user
        made = await compute(outcome, self.context, response, item, document, instance)
        place = await place_of(services.items, user, item)
        given = Given(uid, instance.isoformat() if instance else "", response.status.value)
        await self._responses.keep(response.name, given)
        edits = [place.edit(made.stored, answers=made.answers)] if made.changes else []
        if edits or made.notices:
            await services.items.commit_items(Commit(user, place.folder, edits, notices=made.notices))
        if made.notices:
            meetings.mail_new(self.context)
        return (
            None if response.status is Participation.DECLINED else item_server_id(place.folder, place.number)
        )

    # --- the mail afterwards -----------------------------------------------------------------------------

    def _folders(self) -> Folders:
        context = self.context
        return Folders(context.services.state, context.mailboxes, context.principal.user)

    async def _put_away(self, source: Place, role: str | None, name: MessageName) -> None:
        """Move an invitation that was answered to the trash. Raises `ENDS_REQUEST`."""
        if role == Role.TRASH:
            return
        context = self.context
        try:
            folders = self._folders()
            trash = folder_with_role(await folders.all(), Role.TRASH)
            if trash is None:
                await folders.create_missing()
                trash = folder_with_role((await folders.refresh())[0], Role.TRASH)
            if trash is None or trash.mailbox is None:
                return
            user, services = context.principal.user, context.services
            mover = Mover(services.state, context.mailboxes, services.clock, user, context.device.id)
            target = Place(trash.id, trash.mailbox)
            await mover.move(source, target, [(name.uidvalidity, name.uid)], told=False)
        except ENDS_REQUEST:
            raise  # the device repeats its request
        except GatewayError as error:  # the answer itself is stored
            context.log.warning("an answered invitation stays where it is", reason=error.detail)
