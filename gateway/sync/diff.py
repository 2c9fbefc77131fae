"""What a device has to be told: what differs from what it knows, and the share that fits a window.

Everything here is pure set algebra on cursors and views, so its cost follows the sets' compressed size,
not the number of messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from gateway.sync.cursor import NO_UIDS, MailCursor, fewer
from gateway.types import MailboxView, Uids


@dataclass(frozen=True, slots=True)
class MailDelta:
    """Server changes for a device, all of one mailbox.

    `removed` is gone from the mailbox (Delete); `aged` is still there but outside the filter window
    (SoftDelete); `former` are messages of an earlier UIDVALIDITY (Delete). `renewed` are messages whose whole
    content is to be told again (Change). `noted` are, by name, those of `changed` whose annotations changed.
    """

    added: Uids = NO_UIDS
    changed: Uids = NO_UIDS
    removed: Uids = NO_UIDS
    aged: Uids = NO_UIDS
    former: tuple[tuple[int, Uids], ...] = ()
    renewed: Uids = NO_UIDS
    noted: Mapping[str, Uids] = field(default_factory=dict)

    def __len__(self) -> int:
        sets = (self.added, self.changed, self.removed, self.aged, self.renewed)
        return sum(map(len, sets)) + sum(len(uids) for _, uids in self.former)


NOTHING = MailDelta()


def compare(cursor: MailCursor, view: MailboxView, window: Uids | None) -> MailDelta:
    """Everything the device must be told to agree with the view.

    Only messages in `window` count (None: all). The cursor must already be rebased to the view's UIDVALIDITY.
    """
    wanted = view.uids if window is None else view.uids & window
    kept = cursor.uids & wanted
    renewed = (cursor.stubs | _edited(cursor.editions, view.editions)) & kept
    noted = _within(cursor.noted, kept - renewed)
    return MailDelta(
        added=wanted - cursor.uids - cursor.doubtful,
        changed=((_differing(cursor.flags, view.flags) & kept) - renewed).union(*noted.values()),
        removed=cursor.uids - view.uids,
        aged=(cursor.uids & view.uids) - wanted,
        former=cursor.former,
        renewed=renewed,
        noted=noted,
    )


def take(delta: MailDelta, limit: int) -> MailDelta:
    """At most `limit` changes of a delta.

    New mail comes newest first and gets at least half of the window when there is that much, so that
    neither a large clean-up hides new mail nor an initial sync hides deletions.
    """
    if len(delta) <= limit:
        return delta
    others = len(delta) - len(delta.added)
    for_added = min(len(delta.added), max(limit - others, (limit + 1) // 2))
    rest = limit - for_added
    former: list[tuple[int, Uids]] = []
    for validity, uids in delta.former:
        part = _lowest(uids, rest)
        if part:
            former.append((validity, part))
            rest -= len(part)
    removed = _lowest(delta.removed, rest)
    rest -= len(removed)
    changed = _highest(delta.changed, rest)
    rest -= len(changed)
    renewed = _highest(delta.renewed, rest)
    rest -= len(renewed)
    return MailDelta(
        added=_highest(delta.added, for_added),
        changed=changed,
        removed=removed,
        aged=_lowest(delta.aged, rest),
        former=tuple(former),
        renewed=renewed,
        noted=_within(delta.noted, changed),
    )


def advance(cursor: MailCursor, view: MailboxView, told: MailDelta, *, complete: bool) -> MailCursor:
    """The cursor of a device that has been told `told`; `complete` when nothing else remained.

    Of doubtful messages more may be to be told after they were told as gone.
    """
    touched = told.added | told.changed | told.renewed
    gone = told.removed | told.aged
    flags = {
        name: ((cursor.flag(name) - touched) | (view.flags.get(name, NO_UIDS) & touched)) - gone
        for name in cursor.flags.keys() | view.flags.keys()
    }
    settled = dict(told.former)
    former = tuple(
        (validity, left)
        for validity, uids in cursor.former
        if (left := uids - settled.get(validity, NO_UIDS))
    )
    return replace(
        cursor,
        version=view.version if complete and not cursor.doubtful else "",
        uids=(cursor.uids | told.added) - gone,
        flags={name: uids for name, uids in flags.items() if uids},
        former=former,
        stubs=cursor.stubs - told.renewed - gone,
        noted=fewer(cursor.noted, touched | gone),
        editions=_editions(cursor, view, told.added | told.renewed, gone),
    )


def between(before: MailCursor, after: MailCursor, aged: Uids, noted: Mapping[str, Uids]) -> MailDelta:
    """What was told to bring a device from one cursor to another: `advance` read backwards.

    `aged` names the messages that went as SoftDelete, and `noted` those told for their annotations: that the
    cursors alone do not say.
    """
    kept = before.uids & after.uids
    differing = _differing(before.flags, after.flags) & kept
    renewed = ((before.stubs - after.stubs) | _edited(before.editions, after.editions)) & kept
    noted = _within(noted, kept - renewed)
    gone = before.uids - after.uids
    left = dict(after.former)
    return MailDelta(
        added=after.uids - before.uids,
        changed=(differing - renewed).union(*noted.values()),
        removed=gone - aged,
        aged=gone & aged,
        former=tuple(
            (validity, told)
            for validity, uids in before.former
            if (told := uids - left.get(validity, NO_UIDS))
        ),
        renewed=renewed,
        noted=noted,
    )


def _edited(known: Mapping[int, int], present: Mapping[int, int]) -> Uids:
    """The messages that have another edition than the one known."""
    return Uids(uid for uid in known.keys() | present.keys() if known.get(uid) != present.get(uid))


def _editions(cursor: MailCursor, view: MailboxView, told: Uids, gone: Uids) -> dict[int, int]:
    """The editions a device knows when it was told of some messages in full, and that others are gone."""
    if not cursor.editions and not view.editions:
        return {}
    known = {uid: edition for uid, edition in cursor.editions.items() if uid not in gone and uid not in told}
    return known | {uid: edition for uid, edition in view.editions.items() if uid in told}


def _within(sets: Mapping[str, Uids], uids: Uids) -> dict[str, Uids]:
    """The sets with no other messages than these, those that become empty left out."""
    return {name: left for name, had in sets.items() if (left := had & uids)}


def _differing(some: Mapping[str, Uids], others: Mapping[str, Uids]) -> Uids:
    """The messages with a flag in the one and not in the other."""
    differing = NO_UIDS
    for name in some.keys() | others.keys():
        differing |= some.get(name, NO_UIDS) ^ others.get(name, NO_UIDS)
    return differing


def _lowest(uids: Uids, count: int) -> Uids:
    if count <= 0:
        return NO_UIDS
    return uids if len(uids) <= count else Uids(islice(uids, count))


def _highest(uids: Uids, count: int) -> Uids:
    if count <= 0:
        return NO_UIDS
    return uids if len(uids) <= count else uids[len(uids) - count :]
