"""What follows from a change of a meeting, in the store and by mail: `pim/itip` and `mail/imip` together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from html import escape

from gateway.items import Notice
from gateway.mail import imip
from gateway.mail.addresses import Address
from gateway.mail.digests import digest_of
from gateway.mail.fragment import fragment
from gateway.mail.imip import SchedulingMail
from gateway.mail.recipients import deliverable
from gateway.pim.events.document import Document
from gateway.pim.events.model import BadEvent, Event
from gateway.pim.invitation import Method, Person, read_invitation
from gateway.pim.itip import words
from gateway.pim.itip.outgoing import Post, told
from gateway.sync.itemoperations import Made

__all__ = ["MOST_INVITED", "forwarded", "notice", "organized"]

MOST_INVITED = 500
"""People whom the server invites to a meeting, or tells that it changed."""


def organized(before: Document | None, after: Document | None, author: Address, now: datetime) -> Made:
    """What comes of a change of an event by its owner, who has the server tell those invited (16.x).

    `before` None is a new event, `after` None a deleted one. Nobody is told of what is no meeting, or of one
    that somebody else organizes. Raises `BadEvent`, also for more people to be invited than are mailed to.
    """
    outcome = told(before, after, author.address, now)
    requests = [post for post in outcome.posts if post.method is Method.REQUEST]
    if len({one.address.lower() for post in requests for one in post.to}) > MOST_INVITED:
        raise BadEvent(f"more than {MOST_INVITED} people to be invited")
    stored = None
    if after is not None and outcome.text is not None:  # nothing but versions and answers is new in it
        stored = replace(after.stored, text=outcome.text)
    mailed = [(post, made) for post in outcome.posts if (made := notice(post, author, now))]
    return Made(
        stored,
        tuple(made for _, made in mailed),
        current=frozenset(made.key for post, made in mailed if post.method is Method.REQUEST),
        whole=frozenset(made.key for post, made in mailed if post.whole),
    )


def notice(
    post: Post,
    author: Address,
    now: datetime,
    *,
    comment: str = "",
    html: str = "",
    answer: str = "",
    about: str = "",
    prefix: str = "",
) -> Notice | None:
    """The mail of one scheduling message; None when it can reach nobody.

    `comment` is what the author adds, `html` the same in HTML; `answer` his PARTSTAT in a reply. `about` is
    what makes it another one than a message of the same content. `prefix` stands before the subject.
    """
    reached = {address: one for one in post.to if (address := deliverable(one.address)) is not None}
    invitation = read_invitation(post.calendar)
    if not reached or invitation is None:
        return None
    key = _key(about or post.calendar, post.method, reached)
    description = _description(post)
    told = replace(invitation, description="") if description else invitation
    text = words.describe(told, "" if html else comment)
    rich = bool(html or description)
    mail = SchedulingMail(
        sender=author,
        recipients=tuple(Address(one.name, address) for address, one in reached.items()),
        subject=prefix + words.title(invitation, answer=answer, again=post.again),
        text=f"{html}<pre>{escape(text)}</pre>{description}" if rich else text,
        date=now,
        name=key,
        method=post.method.value,
        calendar=post.calendar,
        rich=rich,
    )
    return Notice(key, tuple(reached), imip.write(mail), invitation.uid, post.files)


def forwarded(
    event: Event, people: Iterable[Address], author: Address, now: datetime, *, about: str
) -> Notice | None:
    """The note that tells the organizer of an event whom it was forwarded to; None when it cannot reach him.

    `about` is what tells this note from others.
    """
    organizer = event.organizer or Person("")
    address = deliverable(organizer.address)
    if address is None:
        return None
    listed = "\n".join(f"  {one}" for one in people)
    key = digest_of(f"forwarded\n{about}")
    mail = SchedulingMail(
        sender=author,
        recipients=(Address(organizer.name, address),),
        subject=f"Meeting Forward Notification: {event.subject}",
        text=f"{author} forwarded your invitation to:\n\n{listed}\n",
        date=now,
        name=key,
    )
    return Notice(key, (address,), imip.write(mail))


def _description(post: Post) -> str:
    """What an invitation says in HTML, fit to stand behind other text; "" when it says nothing so."""
    body = Document(post.calendar).event("").body if post.method is Method.REQUEST else None
    return fragment(body.html) if body and body.html else ""


def _key(about: str, method: Method, reached: Iterable[str]) -> str:
    parts = "\n".join((method, *sorted(reached), about))
    return digest_of(parts)
