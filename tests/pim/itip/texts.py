"""The rules of scheduling as these tests use them: with events as texts."""

from __future__ import annotations

from datetime import datetime

from gateway.pim.events.document import Document
from gateway.pim.events.model import Participation, Person
from gateway.pim.itip import comparing, outgoing, responding
from gateway.pim.itip.message import Instance, Parts
from gateway.pim.itip.outgoing import Told

__all__ = ["answered", "differ_by_answers", "last_answer", "reply", "self_told", "told"]


def told(before: str | None, after: str | None, owner: str, now: datetime) -> Told:
    was, is_now = (None if text is None else Document(text) for text in (before, after))
    return outgoing.told(was, is_now, owner, now)


def self_told(before: str, after: str, owner: str) -> str:
    return outgoing.self_told(Document(before), Document(after), owner).text


def answered(
    text: str, instance: Instance, status: Participation, mark: str, owner: str, now: datetime
) -> str:
    return responding.answered(Document(text), instance, status, mark, owner, now).text


def last_answer(text: str, instance: Instance) -> str:
    return responding.last_answer(Parts.read(text), instance)


def reply(
    text: str,
    instance: Instance,
    status: Participation,
    owner: Person,
    now: datetime,
    comment: str = "",
    proposed: tuple[datetime, datetime] | None = None,
) -> str:
    return responding.reply(Document(text), instance, status, owner, now, comment, proposed)


def differ_by_answers(before: str, after: str, owner: str) -> bool:
    return comparing.differ_by_answers(Document(before), Document(after), owner)
