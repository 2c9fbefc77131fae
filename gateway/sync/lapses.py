"""Annotations that no longer hold: of flags that others set or cleared, and of messages that are gone."""

from __future__ import annotations

from gateway.ports import Clock, State
from gateway.sync.annotations import FLAG, FollowUp, noted
from gateway.sync.cursor import MailCursor
from gateway.sync.diff import MailDelta
from gateway.types import FLAGGED, CollectionId, MailboxView, UserId


class Lapses:
    """Finds what lapsed in one collection, by what a device is told."""

    def __init__(self, state: State, clock: Clock, user: UserId, collection: CollectionId) -> None:
        self._state = state
        self._clock = clock
        self._user = user
        self._collection = collection

    async def forget(self, newest: int, before: MailCursor, after: MailCursor, told: MailDelta) -> MailCursor:
        """Forget the details of flags that another mail program set or cleared since; other devices are told.

        `newest` is the revision from before the mailbox was looked at: what a device saved later stays.
        Returns the device's cursor `after` that.
        """
        turned = (before.flag(FLAGGED) ^ after.flag(FLAGGED)) & told.changed
        if not turned:
            return after
        place = self._user, self._collection, after.uidvalidity
        known = await self._state.load_annotations(*place, turned)
        lapsed: dict[int, dict[str, bytes | None]] = {
            uid: {FLAG: None}
            for uid, values in known.items()
            if not FollowUp.holds(values, flagged=uid in after.flag(FLAGGED))
        }
        if not lapsed:
            return after
        saved = await self._state.save_annotations(*place, lapsed, newest=newest)
        return await noted(
            self._state, self._user, self._collection, after, newest=after.annotations, own=saved
        )

    async def drop(self, base: MailCursor, after: MailCursor, view: MailboxView) -> None:
        """Note that messages the device held are gone: what is known of them may be forgotten."""
        now = self._clock.now()
        gone = [(view.uidvalidity, (base.uids - after.uids) - view.uids)]
        gone += [(validity, uids) for validity, uids in base.former if validity != view.uidvalidity]
        for validity, uids in gone:
            if uids:
                await self._state.drop_annotations(self._user, self._collection, validity, uids, now)
