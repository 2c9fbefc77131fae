"""What comes of a user's answer to an invitation: the event with it, and the reply that is mailed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.eas import meetings
from gateway.eas.commands.base import Context
from gateway.eas.content.ids import ItemName, MessageName, item_server_id, server_id
from gateway.eas.versions import Version
from gateway.items import Item, Notice, StoredItem
from gateway.mail import html
from gateway.mail.digests import digest_of
from gateway.pim.events.document import Document
from gateway.pim.events.model import Event, Participation
from gateway.pim.invitation import Method, Person
from gateway.pim.itip.comparing import differ_by_answers
from gateway.pim.itip.message import Instance, Parts, revision
from gateway.pim.itip.outgoing import Post
from gateway.pim.itip.responding import answered, last_answer, reply
from gateway.sync.scheduling import notice

__all__ = ["Outcome", "Response", "Wording", "outcome", "owner_of"]


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
        return digest_of(told, 32)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of an answer: what is mailed, and whether the event `changes`, to `stored` (None: it goes).

    `answers`: nothing is new in it but answers.
    """

    notices: Sequence[Notice]
    changes: bool
    stored: StoredItem | None = None
    answers: bool = False


def owner_of(context: Context, document: Document) -> str:
    """The user's address by which an event knows him."""
    return meetings.known_as(context, Parts.of(document.calendar))


def outcome(
    context: Context, response: Response, item: Item | None, document: Document, instance: Instance
) -> Outcome:
    """What comes of an answer to an event, which need not be stored (`item`) yet."""
    before = Document.stored_as(item.stored) if item else None
    owner = owner_of(context, document)
    now = _later(context, document.event(owner), instance)
    parts = Parts.of(document.calendar)
    mark = response.mark(parts, instance)
    declined = response.status is Participation.DECLINED
    gone = declined and (instance is None or parts.series is None)
    after = None if gone else answered(document, instance, response.status, mark, owner, now)
    again = item is not None and last_answer(parts, instance) == mark
    # What is gone cannot remember that it was answered: the name of its reply does.
    about = f"{parts.uid}\n{instance}\n{mark}" + ("" if declined else now.isoformat())
    notices = [] if again else _reply(context, response, document, instance, about, now)
    if after is None:
        return Outcome(notices, changes=item is not None)
    if again or (before and after.text == before.text):
        return Outcome(notices, changes=False)
    answers = before is not None and differ_by_answers(before, after, owner)
    return Outcome(notices, changes=True, stored=after.stored, answers=answers)


def _later(context: Context, event: Event, instance: Instance) -> datetime:
    """The time of an answer: now, but a second after the one before, which is what stamps can tell."""
    exceptions = (one.event for one in event.occurrences if instance in {None, one.original})
    before = [one.reply_time for one in (event, *exceptions) if one and one.reply_time]
    return max([context.services.clock.now(), *(one + timedelta(seconds=1) for one in before)])


def _reply(  # noqa: PLR0917 - all of it makes the reply
    context: Context, response: Response, document: Document, instance: Instance, about: str, now: datetime
) -> list[Notice]:
    """The mail to the organizer, where the server is to send it (since 16.0)."""
    wording, principal = response.wording, context.principal
    if wording is None or context.request.version < Version.V16_0:
        return []
    owner = Person(owner_of(context, document), principal.display_name)
    organizer = document.event(owner.address).organizer
    comment = html.to_text(wording.text).replace("\r\n", "\n") if wording.rich else wording.text
    status = response.status
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
