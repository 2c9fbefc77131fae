r"""What a mail is marked with, to and from a device (MS-ASEMAIL 2.2.2): Read, Flag, Categories, last verb.

Made of the flags upstream and of what the gateway keeps beside them. A detail that \Flagged or \Answered
contradicts is stale: another mail program has had its say since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from gateway.eas.content.limits import MOST_CATEGORIES
from gateway.eas.content.values import BadItem, date_time, parse_date_time
from gateway.eas.versions import Version
from gateway.errors import Refused
from gateway.mail.categories import LONGEST_CATEGORY
from gateway.mail.categories import categories as named_by
from gateway.sync.annotations import (
    CATEGORIES,
    FLAG,
    VERB,
    FlagStatus,
    FollowUp,
    LastVerb,
    Values,
    kept_categories,
)
from gateway.types import ANSWERED, CATEGORY, FLAGGED, FORWARDED, SEEN
from wbxml import Element, Tag, element
from wbxml.pages import Email, Email2, Tasks

__all__ = ["NO_VALUES", "Marks", "parse_categories", "parse_flag"]

NO_VALUES: Values = {}
_LONGEST_TEXT = 4096
_UNKNOWN, _REPLIED, _REPLIED_TO_ALL, _FORWARDED = 0, 1, 2, 3
"""Values of LastVerbExecuted (MS-ASEMAIL 2.2.2.46)."""

_SUBJECT = "Subject"
_TEXTS: Mapping[str, Tag] = {
    _SUBJECT: Tasks.Subject,
    "FlagType": Email.FlagType,
    "SubOrdinalDate": Tasks.SubOrdinalDate,
}
_TIMES: Mapping[str, Tag] = {
    "CompleteTime": Email.CompleteTime,
    "DateCompleted": Tasks.DateCompleted,
    "StartDate": Tasks.StartDate,
    "DueDate": Tasks.DueDate,
    "UtcStartDate": Tasks.UtcStartDate,
    "UtcDueDate": Tasks.UtcDueDate,
    "ReminderTime": Tasks.ReminderTime,
    "OrdinalDate": Tasks.OrdinalDate,
}
_REMINDER = "ReminderSet"
_DETAILS: Mapping[str, Tag] = {**_TEXTS, **_TIMES, _REMINDER: Tasks.ReminderSet}
_SPAN = ("StartDate", "DueDate", "UtcStartDate", "UtcDueDate")


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one message. `flags` are tracked flags in lower case; IMAP compares them so."""

    flags: frozenset[str]
    categories: frozenset[str]
    follow_up: FollowUp
    last_verb: LastVerb | None

    @classmethod
    def of(cls, flags: Collection[str], values: Values = NO_VALUES) -> Marks:
        """By flags, with keywords or categories as `MailboxView` has them, and annotations."""
        return _marks(flags, values) if values else _marks_alone(frozenset(flags))

    def read(self) -> Element:
        """Read."""
        return Element(Email.Read, "1" if SEEN.lower() in self.flags else "0")

    def flag(self, subject: str = "") -> Element:
        """Flag, empty when there is none (MS-ASEMAIL 2.2.2.34).

        `subject` is that of the message, and of a flag without one of its own (MS-ASEMAIL 2.2.2.75.2).
        """
        if self.follow_up.status is FlagStatus.CLEARED:
            return element(Email.Flag)
        flag = element(Email.Flag, element(Email.Status, self.follow_up.status))
        details = {_SUBJECT: subject, **self.follow_up.details} if subject else self.follow_up.details
        for name, tag in _DETAILS.items():
            if name in details:
                flag.append(Element(tag, details[name]))
        return flag

    def lacks_subject(self, names: Iterable[str]) -> bool:
        """Whether a flag without a subject of its own is among what changed, by `names` as for `changes`."""
        told = any(name == FLAG or name.lower() == FLAGGED.lower() for name in names)
        shown = self.follow_up.status is not FlagStatus.CLEARED
        return told and shown and _SUBJECT not in self.follow_up.details

    def categories_element(self) -> Element:
        """Categories, empty when there are none (14.0 and later)."""
        listed = sorted(self.categories)[:MOST_CATEGORIES]
        return Element(Email.Categories, None, [Element(Email.Category, name) for name in listed])

    def verbs(self) -> list[Element]:
        """LastVerbExecuted and its time, as far as known (14.0 and later)."""
        verb, time = self._verb()
        made = [element(Email2.LastVerbExecuted, verb)]
        if time is not None:
            made.append(element(Email2.LastVerbExecutionTime, date_time(time)))
        return made

    @property
    def used(self) -> bool:
        """Whether something was done with the message."""
        return self._verb()[0] != _UNKNOWN

    def _verb(self) -> tuple[int, datetime | None]:
        """What was done last, and when, where that is known."""
        answered, known = ANSWERED.lower() in self.flags, self.last_verb
        # Not every server keeps $Forwarded: that it is missing says nothing.
        if known is not None and (answered or known.verb == _FORWARDED):
            return known.verb, known.time
        if answered:
            return _REPLIED, None
        return _FORWARDED if FORWARDED.lower() in self.flags else _UNKNOWN, None

    def changes(self, names: Iterable[str], version: Version, subject: str = "") -> list[Element]:
        """What is told of a message of which nothing but marks changed (MS-ASEMAIL 3.2.5.4.1).

        `names` are the flags, categories and annotations that did, `subject` is for its flag. The result is
        empty when the version has no way to tell.
        """
        changed = {name if name.startswith(CATEGORY) else name.lower() for name in names}
        made: list[Element] = []
        if SEEN.lower() in changed:
            made.append(self.read())
        if version >= Version.V12_0 and changed & {FLAGGED.lower(), FLAG}:
            made.append(self.flag(subject))
        if version >= Version.V14_0:
            if CATEGORIES in changed or any(name.startswith(CATEGORY) for name in changed):
                made.append(self.categories_element())
            if changed & {ANSWERED.lower(), FORWARDED.lower(), VERB}:
                made.extend(self.verbs())
        return made


def _marks(flags: Collection[str], values: Values) -> Marks:
    lower = frozenset(name.lower() for name in flags)
    named = {name.removeprefix(CATEGORY) for name in flags if name.startswith(CATEGORY)}
    named |= named_by(name for name in flags if not name.startswith(CATEGORY))
    return Marks(
        lower,
        frozenset(named) | kept_categories(values),
        FollowUp.of(values, flagged=FLAGGED.lower() in lower),
        LastVerb.of(values),
    )


@lru_cache(maxsize=1024)
def _marks_alone(flags: frozenset[str]) -> Marks:
    """The messages of a mailbox have few different sets of flags, and hardly any has annotations."""
    return _marks(flags, NO_VALUES)


def parse_flag(flag: Element) -> FollowUp:
    """What a device says of a flag, checked as far as that needs no message (MS-ASEMAIL 2.2.2.34, 3.1.5.2).

    Raises `BadItem`.
    """
    if not flag.children:
        return FollowUp()
    status = (flag.child_text(Email.Status) or "").strip()
    if status not in ("0", "1", "2"):
        raise BadItem("the Status of a Flag is none of 0, 1, 2")
    details = {name: text for name, tag in _DETAILS.items() if (text := (flag.child_text(tag) or "").strip())}
    if any(len(text) > _LONGEST_TEXT for text in details.values()):
        raise BadItem("a Flag with a text too long")
    try:
        times = {name: parse_date_time(details[name]) for name in _TIMES if name in details}
    except Refused as error:
        raise BadItem("a Flag with a time that is none") from error
    if details.get(_REMINDER, "0") not in ("0", "1"):
        raise BadItem("the ReminderSet of a Flag is neither 0 nor 1")
    found = FollowUp(FlagStatus(int(status)), details)
    if found.active:
        _check_times(details, times)
    elif found.status is FlagStatus.COMPLETE and not {"CompleteTime", "DateCompleted"} <= details.keys():
        raise BadItem("a Flag is complete without the time")
    return found


def _check_times(details: Mapping[str, str], times: Mapping[str, datetime]) -> None:
    given = [times[name] for name in _SPAN if name in times]
    if given and len(given) < len(_SPAN):
        raise BadItem("a Flag has some of its four dates only")
    if given:
        start, due, utc_start, utc_due = given
        if start > due or utc_start > utc_due:
            raise BadItem("a Flag starts after it is due")
    if details.get(_REMINDER) == "1" and "ReminderTime" not in details:
        raise BadItem("a Flag with a reminder but without its time")


def parse_categories(categories: Element) -> frozenset[str]:
    """The categories a device gives a message; nameless ones are passed over. Raises `BadItem`."""
    listed = categories.findall(Email.Category)
    names = frozenset(name for one in listed if (name := one.text().strip()))
    if len(listed) > MOST_CATEGORIES or any(len(name) > LONGEST_CATEGORY for name in names):
        raise BadItem("too many categories, or a name too long")
    return names
