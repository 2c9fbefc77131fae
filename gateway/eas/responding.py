"""One answer of a user to an invitation: from what he named to the event, the reply and the mail put away."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.eas import meetings
from gateway.eas.commands.base import Context
from gateway.eas.content.calendar.exceptions import original_in
from gateway.eas.content.ids import ItemName, MessageName, item_server_id, server_id
from gateway.eas.content.meeting import meeting_of
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.errors import GatewayError, Kind, NotFound, Refused, StateConflict, UpstreamUnavailable
from gateway.items import Edit, Item, ItemKind, Notice, StoredItem
from gateway.mail import html
from gateway.mail.addresses import addresses
from gateway.mail.headers import Headers
from gateway.mail.scheduling import Calendar, calendar_part, open_calendar
from gateway.mail.structure import lay_out
from gateway.pim.events.document import Document
from gateway.pim.events.model import Participation
from gateway.pim.invitation import Method, Person
from gateway.pim.itip.comparing import differ_by_answers
from gateway.pim.itip.incoming import apply, outdated
from gateway.pim.itip.message import Instance, Message, Parts, read_message, revision
from gateway.pim.itip.outgoing import Post
from gateway.pim.itip.responding import answered, last_answer, reply
from gateway.ports import Commit
from gateway.sync import itemfolders
from gateway.sync.background import compute
from gateway.sync.copies import NO_DEVICE
from gateway.sync.folders import Folders, folder_with_role
from gateway.sync.hierarchy import find, mailbox_of
from gateway.sync.moves import Mover, Place
from gateway.sync.responses import LEASE, Given, Responses
from gateway.sync.scheduling import notice
from gateway.types import Role, SectionRequest, ServerId

__all__ = ["Response", "Wording", "respond"]

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Wording:
    """What is mailed with an answer: a comment, as text or HTML, and other times that are proposed."""

    text: str = field(default="", repr=False)
    rich: bool = False
    proposed: tuple[datetime, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: `named` is a mail, or an event with (`instance`, as sent) an occurrence of it.

    `wording` None: no reply is mailed.
    """

    named: MessageName | ItemName
    instance: str
    status: Participation
    wording: Wording | None

    @property
    def name(self) -> str:
        """What tells what is answered."""
        if isinstance(self.named, ItemName):
            return f"{item_server_id(self.named.collection, self.named.number)} {self.instance}"
        return server_id(self.named.collection, self.named.uidvalidity, self.named.uid)

    def mark(self, parts: Parts, instance: Instance) -> str:
        """What tells this answer, to this version of the event, from others."""
        version = revision(parts.events.get(instance) or parts.main)
        told = repr((self.status.value, self.wording, self.wording and self.wording.text, version))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What comes of an answer: what is mailed, and whether the event `changes`, to `stored` (None: it goes).

    `answers`: nothing is new in it but answers.
    """

    notices: Sequence[Notice]
    changes: bool
    stored: StoredItem | None = None
    answers: bool = False


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
        """The user's address by which an event knows him."""
        return meetings.known_as(self.context, Parts.of(document.calendar))

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
            found = (await mailboxes.fetch(mailbox, name.uidvalidity, [name.uid], ("From",))).get(name.uid)
        except NotFound:
            return None
        if found is None:
            return None
        part = calendar_part(lay_out(found.structure))
        request = SectionRequest(name.uid, part.section if part else "")
        data = await mailboxes.fetch_sections(mailbox, name.uidvalidity, [request]) if part else {}
        if part is None or request not in data:
            raise Refused(Kind.INVALID_XML, "a mail that is no invitation")
        calendar = open_calendar(part, data[request])
        message = await compute(read_message, calendar.text, calendar.method, self.context.services.zone)
        if message is None or not await compute(self._is_asked, message, calendar):
            raise Refused(Kind.INVALID_XML, "a mail that is no invitation, or the user's own")
        sender = next(addresses(Headers(found.header), "from"), None)
        return message, sender.address if sender else ""

    def _is_asked(self, message: Message, calendar: Calendar) -> bool:
        """Whether a message asks the user for an answer."""
        owner, own = meetings.known_as(self.context, message.parts), meetings.own(self.context)
        shown = meeting_of(calendar.text, calendar.method, owner, own)
        return shown is not None and message.method is Method.REQUEST

    async def _to_message(self, message: Message, sender: str) -> ServerId | None:
        instance = message.parts.instance_of_all
        for _ in range(_ATTEMPTS):
            item = await self._known(message.parts.uid)
            document = await compute(self._applied, message, item, sender)
            try:
                return await self._answer(item, message.parts.uid, document, instance)
            except StateConflict:
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
        items = self.context.services.items
        found = await items.find_items(self.context.principal.user, ItemKind.CALENDAR, uid)
        return next(iter(found), None)

    # --- the answer --------------------------------------------------------------------------------------

    async def _answer(
        self, item: Item | None, uid: str, document: Document, instance: Instance
    ) -> ServerId | None:
        """Store an answer to an event, be it stored or not, with the reply. Raises `StateConflict`."""
        response, services, user = self.response, self.context.services, self.context.principal.user
        made = await compute(self._made, item, uid, document, instance)
        if item is None:
            folder = await itemfolders.default_folder(services.items, user, ItemKind.CALENDAR)
            place, number, based_on = folder.id, (await services.items.new_item_numbers(1))[0], 0
        else:
            place, number, based_on = item.folder, item.number, item.revision
        given = Given(uid, instance.isoformat() if instance else "", response.status.value)
        await self._responses.keep(response.name, given)
        edits = [Edit(number, based_on, made.stored, made.answers)] if made.changes else []
        if edits or made.notices:
            await services.items.commit_items(Commit(user, place, edits, notices=made.notices))
        if made.notices:
            meetings.mail_new(self.context)
        return None if response.status is Participation.DECLINED else item_server_id(place, number)

    def _made(self, item: Item | None, uid: str, document: Document, instance: Instance) -> _Outcome:
        """What comes of an answer to an event, which need not be stored yet."""
        response, before = self.response, Document.stored_as(item.stored) if item else None
        owner, now = self._owner(document), self._later(document, instance)
        parts = Parts.of(document.calendar)
        mark = response.mark(parts, instance)
        declined = response.status is Participation.DECLINED
        gone = declined and (instance is None or parts.series is None)
        after = None if gone else answered(document, instance, response.status, mark, owner, now)
        again = item is not None and last_answer(parts, instance) == mark
        # What is gone cannot remember that it was answered: the name of its reply does.
        about = f"{uid}\n{instance}\n{mark}" + ("" if declined else now.isoformat())
        notices = [] if again else self._reply(document, instance, about, now)
        if after is None:
            return _Outcome(notices, changes=item is not None)
        if again or (before and after.text == before.text):
            return _Outcome(notices, changes=False)
        answers = before is not None and differ_by_answers(before, after, owner)
        return _Outcome(notices, changes=True, stored=after.stored, answers=answers)

    def _later(self, document: Document, instance: Instance) -> datetime:
        """The time of an answer: now, but a second after the one before, which is what stamps can tell."""
        event = document.event(self._owner(document))
        exceptions = (one.event for one in event.occurrences if instance in {None, one.original})
        before = [one.reply_time for one in (event, *exceptions) if one and one.reply_time]
        return max([self.context.services.clock.now(), *(one + timedelta(seconds=1) for one in before)])

    def _reply(self, document: Document, instance: Instance, about: str, now: datetime) -> list[Notice]:
        """The mail to the organizer, where the server is to send it (since 16.0)."""
        wording, principal = self.response.wording, self.context.principal
        if wording is None or self.context.request.version < Version.V16_0:
            return []
        owner = Person(self._owner(document), principal.display_name)
        organizer = document.event(owner.address).organizer
        comment = html.to_text(wording.text).replace("\r\n", "\n") if wording.rich else wording.text
        status = self.response.status
        calendar = reply(document, instance, status, owner, now, comment, wording.proposed)
        method = Method.COUNTER if wording.proposed else Method.REPLY
        made = notice(
            Post(method, (organizer,) if organizer else (), calendar),
            meetings.author(principal, owner.address),
            now,
            comment=comment,
            html=wording.text if wording.rich else "",
            answer=status.value,
            about=about,
        )
        return [made] if made else []

    # --- the mail afterwards -----------------------------------------------------------------------------

    def _folders(self) -> Folders:
        context = self.context
        return Folders(context.services.state, context.mailboxes, context.principal.user)

    async def _put_away(self, source: Place, role: str | None, name: MessageName) -> None:
        """Move an invitation that was answered to the trash. Raises `UpstreamUnavailable`."""
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
        except UpstreamUnavailable:
            raise  # the device repeats its request
        except GatewayError as error:  # the answer itself is stored
            context.log.warning("an answered invitation stays where it is", reason=error.detail)
