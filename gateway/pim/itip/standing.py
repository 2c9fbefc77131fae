"""How an invitation in a mailbox stands to the event in the calendar (MS-ASEMAIL 2.2.2.47)."""

from __future__ import annotations

from datetime import UTC
from enum import IntEnum

from gateway.pim.events.document import Document
from gateway.pim.events.model import Event, Participation
from gateway.pim.invitation import Invitation
from gateway.pim.itip.message import Instance, Parts, Revision, is_cancelled, revision
from gateway.pim.tree import Node

__all__ = ["Standing", "standing"]

_HOLDS = frozenset({Participation.ACCEPTED, Participation.TENTATIVE})


class Standing(IntEnum):
    """What the mail of an invitation is by now; the values are those of MeetingMessageType."""

    INITIAL = 1
    UPDATE = 2
    INFORMATION = 3
    """An update after which the answer given before holds: nothing is asked."""
    OUTDATED = 4
    """A newer one came, or the meeting was called off."""


def standing(invitation: Invitation, document: Document | None, owner: str) -> Standing:
    """That of an invitation, where the calendar of `owner` holds this event, or (None) none of its UID."""
    said = Standing.UPDATE if invitation.sequence else Standing.INITIAL
    if document is None or invitation.stamp is None:
        return said
    parts = Parts.of(document.calendar)
    instance = _instance(invitation, parts)
    known = parts.events.get(instance) or parts.series
    if known is None:
        return said
    told = invitation.sequence, invitation.stamp
    if _is_newer(known, told, same=parts.events.get(instance) is known):
        return Standing.OUTDATED
    event = document.event(owner)
    if instance is not None:
        exception = event.occurrence(invitation.recurrence_id) if invitation.recurrence_id else None
        event = exception.event if exception and exception.event else event
    return Standing.INFORMATION if revision(known) == told and _is_answered(event, told, owner) else said


def _instance(invitation: Invitation, parts: Parts) -> Instance:
    """Which occurrence it is about, as the event has it."""
    which = invitation.recurrence_id
    if which is None:
        return None
    dated = which.replace(tzinfo=None)
    return dated if dated in parts.events else which.astimezone(UTC)


def _is_newer(known: Node, told: Revision, *, same: bool) -> bool:
    """Whether more is known of it, beyond what leaves the meeting as it is.

    A series may count further than what was said of one of its occurrences later (`same` False).
    """
    newest = revision(known)
    cancelled = is_cancelled(known)
    if not same:
        return newest[1] > told[1] and (newest[0] > told[0] or cancelled)
    return newest[0] > told[0] or (cancelled and newest > told)


def _is_answered(event: Event, told: Revision, owner: str) -> bool:
    """Whether the user's answer is older than what he was told, and was left to him."""
    own = event.attendee(owner)
    replied = event.reply_time
    return own is not None and own.status in _HOLDS and replied is not None and replied < told[1]
