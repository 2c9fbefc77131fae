"""What a device may change of a message, carried out upstream: read state, follow-up flag, categories.

All of it is setting values, so a repetition changes nothing. Flags and keywords come first, then what only
the gateway can keep: whoever sees the annotation sees the flag it belongs to.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b

from gateway.errors import NotFound, UpstreamRefused
from gateway.mail.categories import keyword, spellings
from gateway.ports import Mailboxes, State
from gateway.sync.annotations import (
    CATEGORIES,
    FLAG,
    FlagStatus,
    FollowUp,
    Values,
    pack_categories,
    recognisable,
)
from gateway.sync.cursor import NO_UIDS
from gateway.types import CATEGORY, FLAGGED, SEEN, CollectionId, MailboxView, Uids, UserId

_MOST_KEYWORDS = 80
"""Categories of one mailbox that become keywords; more are kept here. Fewer than a view follows."""
_NOTHING: Values = {}


@dataclass(frozen=True, slots=True)
class Change:
    """The device changed properties of a message; None leaves one alone.

    `flag` has the details of the flag that `flagged` sets or clears. `categories` are all the message has.
    """

    uidvalidity: int
    uid: int
    read: bool | None = None
    flagged: bool | None = None
    flag: FollowUp | None = None
    categories: frozenset[str] | None = None

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        name = f"change:{self.uidvalidity}.{self.uid}:{self.read}:{self.flagged}"
        if self.flag is None and self.categories is None:
            return name
        flag = None if self.flag is None else [self.flag.status, sorted(self.flag.details.items())]
        more = json.dumps([flag, None if self.categories is None else sorted(self.categories)])
        return f"{name}:{blake2b(more.encode(), digest_size=16).hexdigest()}"

    @property
    def follow_up(self) -> FollowUp | None:
        """The flag the device set."""
        if self.flag is not None or self.flagged is None:
            return self.flag
        return FollowUp(FlagStatus.ACTIVE if self.flagged else FlagStatus.CLEARED)


class Outcome(StrEnum):
    """How a client operation ended."""

    DONE = "done"
    NOT_FOUND = "not-found"
    REFUSED = "refused"
    QUOTA = "quota"
    CONFLICT = "conflict"
    INVALID = "invalid"
    TOO_LARGE = "too-large"
    RECIPIENTS = "recipients"
    SEND_QUOTA = "send-quota"
    NOT_SENT = "not-sent"
    RETRY = "retry"


@dataclass(slots=True)
class Changed:
    """What became of changes.

    `outcomes` by identity; `saved` are the revisions of the annotations that were stored, and `beside` the
    categories, by UID, that are no keywords.
    """

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    saved: Mapping[tuple[int, str], int] = field(default_factory=dict)
    beside: dict[int, frozenset[str]] = field(default_factory=dict)


class MessageChanges:
    """Carries out changes to messages of one mailbox."""

    def __init__(
        self, state: State, mailboxes: Mailboxes, *, user: UserId, collection: CollectionId, mailbox: str
    ) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._user = user
        self._collection = collection
        self._mailbox = mailbox

    async def apply(self, changes: Sequence[Change], view: MailboxView) -> Changed:
        """Carry out changes in the mailbox last seen as `view`. Raises `UpstreamError`.

        Of several changes to one message the last counts; all are answered alike.
        """
        done = Changed({change.identity: _judge(change, view) for change in changes})
        valid = [change for change in changes if done.outcomes[change.identity] is Outcome.DONE]
        if not valid:
            return done
        read = {change.uid: change.read for change in valid if change.read is not None}
        flagged = {change.uid: change.flagged for change in valid if change.flagged is not None}
        for name, values, on in (
            (SEEN, read, True),
            (SEEN, read, False),
            (FLAGGED, flagged, True),
            (FLAGGED, flagged, False),
        ):
            marked = view.flags.get(name, NO_UIDS)
            wanted = Uids(uid for uid, value in values.items() if value is on)
            uids = wanted - marked if on else wanted & marked
            if uids:
                told = await self._store(view.uidvalidity, uids, {name} if on else (), () if on else {name})
                _settle(valid, uids, told, done)
        await self._categorise(valid, view, done)
        await self._annotate(valid, view, done)
        return done

    async def _store(
        self, uidvalidity: int, uids: Uids, add: Collection[str], remove: Collection[str]
    ) -> tuple[Outcome, Uids]:
        """Set and clear flags; returns how that ended, and which messages were there."""
        try:
            there = await self._mailboxes.set_flags(self._mailbox, uidvalidity, uids, add=add, remove=remove)
        except NotFound:
            return Outcome.NOT_FOUND, NO_UIDS
        except UpstreamRefused as error:
            return refusal(error), NO_UIDS
        return Outcome.DONE, there

    async def _categorise(self, valid: Sequence[Change], view: MailboxView, done: Changed) -> None:
        """Set and clear the keywords of categories, messages with the same difference together."""
        wanted = {change.uid: change.categories for change in valid if change.categories is not None}
        groups: defaultdict[tuple[frozenset[str], frozenset[str]], list[int]] = defaultdict(list)
        free = _MOST_KEYWORDS - sum(name.startswith(CATEGORY) for name in view.flags)
        for uid, names in wanted.items():
            present = _categories_of(view, uid)
            new = sorted(name for name in names if keyword(name) and CATEGORY + name not in view.flags)
            beside = frozenset(new[max(free, 0) :] if view.new_keywords else new)
            beside = (beside | {name for name in names if keyword(name) is None}) - present
            done.beside[uid] = beside
            if names - beside != present:
                groups[names - beside - present, _words_to_clear(present - names, names)].append(uid)
        for (added, removed), listed in groups.items():
            uids = Uids(listed)
            add = [word for name in added if (word := keyword(name))]
            outcome, there = await self._store(view.uidvalidity, uids, add, removed)
            if outcome is Outcome.REFUSED and not removed:  # a server may set its keywords a limit
                done.beside |= {uid: done.beside[uid] | added for uid in uids}
            else:
                _settle(valid, uids, (outcome, there), done)

    async def _annotate(self, valid: Sequence[Change], view: MailboxView, done: Changed) -> None:
        """Store what the upstream cannot keep, of the messages whose changes were done."""
        changes = [change for change in valid if done.outcomes[change.identity] is Outcome.DONE]
        uids = {change.uid for change in changes if change.follow_up or change.categories is not None}
        if not uids:
            return
        known = await self._state.load_annotations(self._user, self._collection, view.uidvalidity, uids)
        values: defaultdict[int, dict[str, bytes | None]] = defaultdict(dict)
        for change in changes:
            if change.follow_up is not None:
                before = FollowUp.of(
                    known.get(change.uid, _NOTHING), flagged=change.uid in view.flags.get(FLAGGED, NO_UIDS)
                )
                values[change.uid][FLAG] = change.follow_up.over(before).pack()
            if change.categories is not None:
                values[change.uid][CATEGORIES] = pack_categories(done.beside[change.uid])
        news: dict[int, Mapping[str, bytes | None]] = {
            uid: changed
            for uid, named in values.items()
            if (changed := {k: v for k, v in named.items() if v != known.get(uid, _NOTHING).get(k)})
        }
        if news:
            try:
                news = await recognisable(self._mailboxes, self._mailbox, view.uidvalidity, news, known)
            except (NotFound, UpstreamRefused):  # the messages have gone meanwhile: so would their details
                return
            done.saved = await self._state.save_annotations(
                self._user, self._collection, view.uidvalidity, news
            )


def refusal(error: UpstreamRefused) -> Outcome:
    """What a refusal of the upstream is to a device."""
    return Outcome.QUOTA if error.code == "OVERQUOTA" else Outcome.REFUSED


def _judge(change: Change, view: MailboxView) -> Outcome:
    if change.uidvalidity != view.uidvalidity or change.uid not in view.uids:
        return Outcome.NOT_FOUND
    if change.flag is not None and change.flag.active and not change.flag.details.get("FlagType"):
        # Needed to set a flag, not to change one that is set (MS-ASEMAIL 3.1.5.2).
        return Outcome.DONE if change.uid in view.flags.get(FLAGGED, NO_UIDS) else Outcome.INVALID
    return Outcome.DONE


def _settle(changes: Sequence[Change], uids: Uids, told: tuple[Outcome, Uids], done: Changed) -> None:
    """Note which changes failed because a STORE for `uids` ended as `told`."""
    outcome, there = told
    failed = uids - there
    for change in changes:
        if change.uid in failed:
            done.outcomes[change.identity] = Outcome.NOT_FOUND if outcome is Outcome.DONE else outcome


def _words_to_clear(removed: Collection[str], kept: Collection[str]) -> frozenset[str]:
    """The keywords of categories that a message is not to have any more.

    None that is, but for its case, a keyword of one it keeps: to a server the two are the same.
    """
    needed = {word.lower() for name in kept if (word := keyword(name))}
    return frozenset(word for name in removed for word in spellings(name) if word.lower() not in needed)


def _categories_of(view: MailboxView, uid: int) -> frozenset[str]:
    """The categories of a message that are keywords."""
    return frozenset(
        name.removeprefix(CATEGORY)
        for name, uids in view.flags.items()
        if name.startswith(CATEGORY) and uid in uids
    )
