"""Messages that the mail server did not show: looked at again from time to time, told anew once it does.

Only the user's own credentials open his mailbox, so each attempt rides on a request of his.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

from gateway.eas.content import email
from gateway.eas.content.preferences import PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.errors import GatewayError, NotFound, UpstreamRefused
from gateway.ports import Clock, Mailboxes, State
from gateway.sync.annotations import SHOWN
from gateway.sync.background import Background
from gateway.sync.verbs import FindFolder
from gateway.types import CollectionId, Uids, UserId

__all__ = ["Stubs"]

_INTERVAL = 24 * 3600.0
_MOST = 50
"""Messages of a user that are looked at each time; of more, others the next time."""
_A_LITTLE = BodyOptions((BodyPreference(PLAIN, 512),))


class Stubs:
    """Finds out which messages can be shown by now, of those that this `release` could not show.

    What only others could not, every device is told anew as soon as it meets this one.
    """

    def __init__(self, state: State, clock: Clock, background: Background, release: str) -> None:
        self._state = state
        self._release = release
        self._clock = clock
        self._background = background
        self._due: dict[UserId, float] = {}

    def resume(self, user: UserId, mailboxes: Mailboxes, find: FindFolder) -> None:
        """Begin to look at the user's messages in the background, if that was not done for a day."""
        now = asyncio.get_running_loop().time()
        if now >= self._due.get(user, 0.0):
            self._due[user] = now + _INTERVAL
            self._background.start(self.work(user, mailboxes, find))

    async def work(self, user: UserId, mailboxes: Mailboxes, find: FindFolder) -> None:
        """Look at them; where the mail server fails, that was it until the next time."""
        try:
            for collection, names in (await self._listed(user)).items():
                mailbox = await find(collection)
                if mailbox is not None:
                    await self._look(user, collection, names, mailboxes, mailbox)
        except GatewayError:
            return

    async def _listed(self, user: UserId) -> dict[CollectionId, dict[int, Uids]]:
        """UIDs by collection and UIDVALIDITY."""
        items = [
            (collection, item)
            for _, collection, item, release, reason in await self._state.list_poison(user)
            if release == self._release and reason.startswith(email.NOT_GIVEN)
        ]
        groups: defaultdict[CollectionId, defaultdict[int, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for collection, item in random.sample(items, min(len(items), _MOST)):
            uidvalidity, _, uid = item.partition(".")
            groups[collection][int(uidvalidity)].append(int(uid))
        return {
            collection: {validity: Uids(uids) for validity, uids in names.items()}
            for collection, names in groups.items()
        }

    async def _look(
        self,
        user: UserId,
        collection: CollectionId,
        names: dict[int, Uids],
        mailboxes: Mailboxes,
        mailbox: str,
    ) -> None:
        try:
            view = await mailboxes.view(mailbox)
            validity = view.uidvalidity
            present = names.get(validity, Uids()) & view.uids
            found = await email.render(
                mailboxes, mailbox, validity, [*present], _A_LITTLE, Version.V16_1, collection=collection
            )
        except (NotFound, UpstreamRefused):
            return
        shown = Uids(uid for uid, message in found.items() if not message.unread)
        if shown:
            told = {SHOWN: self._clock.now().isoformat().encode()}
            await self._state.save_annotations(user, collection, validity, dict.fromkeys(shown, told))
        for epoch, uids in names.items():
            settled = uids - (present - shown) if epoch == validity else uids
            await self._state.forget_poison(user, collection, [f"{epoch}.{uid}" for uid in settled])
