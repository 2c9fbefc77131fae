"""Delegates: users who get the meeting mail of another one too.

They are told by plain mail from him: what the message was, for whom, and from whom. It holds no calendar, so
that no program takes the invitation for theirs, and none can be sent in circles.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from gateway.items import Notice
from gateway.mail import imip
from gateway.mail.addresses import Address
from gateway.mail.digests import digest_of
from gateway.mail.headers import clean
from gateway.mail.imip import SchedulingMail
from gateway.mail.recipients import deliverable
from gateway.pim.invitation import read_invitation
from gateway.pim.itip import words
from gateway.ports.state import SyncStates
from gateway.types import NO_DEVICE, UserId

__all__ = ["Delegation", "Heard", "delegates_of", "dismiss_delegate", "name_delegate"]

_MEMO = "delegates"


async def delegates_of(state: SyncStates, user: UserId) -> Sequence[UserId]:
    """The delegates of a user, in the order in which he named them."""
    stored = await state.load_memo(user, NO_DEVICE, _MEMO)
    return [UserId(name) for name in json.loads(stored)] if stored else []


async def name_delegate(state: SyncStates, user: UserId, delegate: UserId) -> None:
    """Have a user's meeting mail told to another one; no error when it is."""
    await _save(state, user, dict.fromkeys((*await delegates_of(state, user), delegate)))


async def dismiss_delegate(state: SyncStates, user: UserId, delegate: UserId) -> None:
    """Undo that; no error when it is undone."""
    await _save(state, user, [one for one in await delegates_of(state, user) if one != delegate])


async def _save(state: SyncStates, user: UserId, delegates: Sequence[UserId] | dict[UserId, None]) -> None:
    value = json.dumps(list(delegates)).encode() if delegates else None
    await state.save_memo(user, NO_DEVICE, _MEMO, value)


@dataclass(frozen=True, slots=True)
class Heard:
    """A scheduling message that came by mail: its calendar, and what the mail around it says."""

    calendar: str
    method: str
    sender: Address
    subject: str


@dataclass(frozen=True, slots=True)
class Delegation:
    """Tells delegates. `address` gives that of a user; `stored` is called once there is something to mail.

    `zone` is that of times in none.
    """

    state: SyncStates
    address: Callable[[UserId], str]
    stored: Callable[[UserId], None]
    zone: tzinfo = UTC

    async def notes(self, user: UserId, owner: str, heard: Heard, now: datetime) -> Sequence[Notice]:
        """What a user, whose address is `owner`, has to mail to his delegates because of a message."""
        known = {owner.lower(), heard.sender.address.lower()}
        made = []
        for delegate in await delegates_of(self.state, user):
            address = deliverable(self.address(delegate))
            if address is not None and address.lower() not in known:
                made.append(_note(owner, address, heard, now, self.zone))
        return made


def _note(owner: str, delegate: str, heard: Heard, now: datetime, zone: tzinfo) -> Notice:
    about = f"delegate\n{delegate.lower()}\n{heard.sender.address.lower()}\n{heard.calendar}"
    key = digest_of(about)
    invitation = read_invitation(heard.calendar, heard.method, zone)
    subject = clean(heard.subject) or (words.title(invitation) if invitation else "")
    sender = clean(heard.sender.name) or heard.sender.address
    if heard.sender.name:
        sender += f" <{heard.sender.address}>"
    said = f"{sender} sent this to {owner}, who is to answer it. You are told of it as a delegate."
    mail = SchedulingMail(
        sender=Address("", owner),
        recipients=(Address("", delegate),),
        subject=f"For {owner}: {subject}",
        text=words.describe(invitation, said) if invitation else f"{said}\n",
        date=now,
        name=key,
    )
    return Notice(key, (delegate,), imip.write(mail))
