r"""What is known of messages beside what the mail server keeps: its names, its forms, and who was told.

`flag` holds the details of a follow-up flag, of which the upstream has \Flagged alone; `categories` those
that are no keyword there; `verb` what was done with the message last, and when; `shown` when one could be
read that the mail server had not shown. `like` is what a message is known by wherever it goes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from hashlib import blake2b
from types import MappingProxyType

from gateway.mail.headers import Headers
from gateway.ports import Mailboxes, State
from gateway.sync.cursor import NO_UIDS, MailCursor
from gateway.types import CollectionId, MessageData, Uids, UserId

FLAG = "flag"
CATEGORIES = "categories"
VERB = "verb"
SHOWN = "shown"
LIKENESS = "like"

Values = Mapping[str, bytes]
"""The annotations of one message, by name."""
NOTHING_SAVED: Mapping[tuple[int, str], int] = MappingProxyType({})


async def noted(
    state: State,
    user: UserId,
    collection: CollectionId,
    cursor: MailCursor,
    *,
    newest: int,
    own: Mapping[tuple[int, str], int] = NOTHING_SAVED,
) -> MailCursor:
    """The cursor with all annotations noted that changed up to the revision `newest`.

    Messages that can be shown by now are among its stubs, and so told anew.
    `own` are the revisions of what the device itself saved, and need not be told. Costs nothing when nothing
    changed.
    """
    if newest == cursor.annotations and not own:
        return cursor
    changed = await state.changed_annotations(user, collection, cursor.uidvalidity, cursor.annotations)
    news: defaultdict[str, list[int]] = defaultdict(list)
    for (uid, name), at in changed.items():
        if uid in cursor.uids and own.get((uid, name)) != at:
            news[name].append(uid)
    stubs = Uids(news.pop(SHOWN, ()))
    return replace(
        cursor,
        annotations=max(newest, *changed.values(), 0),
        noted={
            name: cursor.noted.get(name, NO_UIDS) | Uids(news.get(name, ()))
            for name in cursor.noted.keys() | news.keys()
        },
        version="" if news or stubs else cursor.version,
        stubs=cursor.stubs | stubs,
    )


def likeness(message: MessageData) -> bytes | None:
    """What a message and the same one elsewhere have in common; None without a Message-ID."""
    name = (Headers(message.header).get("message-id") or b"").strip()
    return blake2b(b"%d %s" % (message.size, name), digest_size=16).hexdigest().encode() if name else None


async def recognisable(
    mailboxes: Mailboxes,
    mailbox: str,
    uidvalidity: int,
    annotations: Mapping[int, Mapping[str, bytes | None]],
    known: Mapping[int, Values],
) -> dict[int, Mapping[str, bytes | None]]:
    """Annotations about to be stored, with the likeness of each message that has none among those `known`.

    Raises `NotFound` and `UpstreamError`.
    """
    unnamed = [uid for uid in annotations if LIKENESS not in known.get(uid, ())]
    found = await mailboxes.fetch(mailbox, uidvalidity, unnamed, ["Message-ID"]) if unnamed else {}
    alike = {uid: name for uid, message in found.items() if (name := likeness(message))}
    return {
        uid: {**values, LIKENESS: alike[uid]} if uid in alike else values
        for uid, values in annotations.items()
    }


class FlagStatus(IntEnum):
    """State of a follow-up flag (MS-ASEMAIL 2.2.2.74)."""

    CLEARED = 0
    COMPLETE = 1
    ACTIVE = 2


FLAG_TYPE = "Flag for follow up"
"""The FlagType of a flag of which nothing else is known."""
_COMPLETION = ("CompleteTime", "DateCompleted")


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up flag (MS-ASEMAIL 2.2.2.34).

    `details` holds its other elements by name, as the device sent them.
    """

    status: FlagStatus = FlagStatus.CLEARED
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        r"""Whether the message has \Flagged."""
        return self.status is FlagStatus.ACTIVE

    def over(self, before: FollowUp) -> FollowUp:
        """The flag after a device changed it to this one (MS-ASEMAIL 3.1.5.2).

        Set anew, with its kind, it is as the device says; else what the device did not name stays.
        """
        if self.status is FlagStatus.CLEARED:
            return FollowUp()
        if "FlagType" in self.details:
            return self
        kept = {
            name: value
            for name, value in before.details.items()
            if self.status is FlagStatus.COMPLETE or name not in _COMPLETION
        }
        return FollowUp(self.status, {**kept, **self.details})

    def pack(self) -> bytes | None:
        r"""The flag as an annotation; None when \Flagged says all."""
        if self.status is FlagStatus.CLEARED or (
            self.active and self.details in ({}, {"FlagType": FLAG_TYPE})
        ):
            return None
        return json.dumps([self.status, self.details], separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def holds(cls, values: Values, *, flagged: bool) -> bool:
        r"""Whether what is kept agrees with \Flagged, which another mail program may have set or cleared."""
        return FLAG not in values or (json.loads(values[FLAG])[0] == FlagStatus.ACTIVE) is flagged

    @classmethod
    def of(cls, values: Values, *, flagged: bool) -> FollowUp:
        r"""The flag of a message by its annotations and \Flagged; other mail programs know that one alone."""
        if FLAG in values and cls.holds(values, flagged=flagged):
            status, details = json.loads(values[FLAG])
            return cls(FlagStatus(status), details)
        return cls(FlagStatus.ACTIVE, {"FlagType": FLAG_TYPE}) if flagged else cls()


@dataclass(frozen=True, slots=True)
class LastVerb:
    """What was done with a message last (MS-ASEMAIL 2.2.2.46): 1 reply, 2 reply to all, 3 forward."""

    verb: int
    time: datetime

    def pack(self) -> bytes:
        """The value of the annotation `VERB`."""
        return json.dumps([self.verb, self.time.isoformat()]).encode()

    @classmethod
    def of(cls, values: Values) -> LastVerb | None:
        """What is known of a message, None for nothing."""
        if VERB not in values:
            return None
        verb, time = json.loads(values[VERB])
        return cls(verb, datetime.fromisoformat(time))


def pack_categories(names: Iterable[str]) -> bytes | None:
    """Categories as an annotation, None for none."""
    listed = sorted(names)
    return json.dumps(listed).encode() if listed else None


def kept_categories(values: Values) -> frozenset[str]:
    """The categories of a message that are no keywords."""
    return frozenset(json.loads(values[CATEGORIES])) if CATEGORIES in values else frozenset()
