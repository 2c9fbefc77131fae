"""Holding a request until there is news.

What Ping and a Sync with Wait have in common (MS-ASCMD 3.1.5.8).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.eas import meetings
from gateway.eas.commands.base import Context
from gateway.eas.itemhold import ItemHold
from gateway.eas.options import CollectionOptions
from gateway.errors import StoreUnavailable, UpstreamUnavailable
from gateway.ports import NAMES, Unsubscribe
from gateway.sync.annotations import noted
from gateway.sync.cursor import MailCursor
from gateway.sync.foldernews import FolderNews
from gateway.sync.folders import HIERARCHY
from gateway.sync.hierarchy import mailbox_of
from gateway.sync.news import baseline, has_news
from gateway.sync.waiter import Waiter
from gateway.sync.window import Window
from gateway.types import CollectionId, Folder, SyncState

_EARLY = 1.0
"""Seconds before the time is over the answer leaves: phones drop the connection soon after."""
_SHORT, _LAST_LOOK = 120.0, 0.5
"""A request held for so many seconds at most looks once more so many before it ends: where mailboxes are
polled, that may not have been done meanwhile."""
_ITEMS = "\1"
"""What is told of folders of items goes by this name beside those of mailboxes."""
_FOLDERS = ""
"""By this name the list of folders goes, as the stores call it."""
_RETRY_DELAYS = (1, 2, 4, 8, 16)
"""Seconds between the first attempts when the upstream or the store goes away while a request is held."""
_SELDOM = 60
"""Seconds between further ones: the watch tells when it stands again."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A folder being waited for, and what the device knows of it."""

    collection: CollectionId
    mailbox: str
    cursor: MailCursor
    window: Window


class HierarchyChanged(Exception):
    """The device does not know the folders as they are; a FolderSync would tell it."""


@contextmanager
def waiting(context: Context) -> Iterator[None]:
    """As long as a request waits: others are told so, and it is answered when the user's groups change."""
    context.on_hold()
    groups = context.services.groups
    end = None if groups is None else groups.watch(context.principal, context.superseded.set)
    try:
        yield
    finally:
        if end is not None:
            end()


async def wait_for_news(
    context: Context,
    folders: Sequence[Folder],
    seconds: float,
    items: Sequence[CollectionId] = (),
    *,
    hierarchy: bool = False,
) -> Sequence[CollectionId]:
    """The folders with news, as soon as there are any; `items` are those of items among them.

    None when time is up, the server shuts down, the device asks anew or something was decided of it, be the
    upstream in the middle of an answer. Raises `NotFound` when a mailbox or a folder of items is gone, with
    `hierarchy` `HierarchyChanged` as soon as that is so, and `UpstreamUnavailable` or `StoreUnavailable` when
    the upstream or the store did not answer once. One that goes away after that is waited for: the device
    could do no more, and would log in again and again.
    """
    hold = _Hold(context, seconds, hierarchy=hierarchy)
    loop, limit = asyncio.get_running_loop(), asyncio.timeout_at(hold.deadline)

    def end() -> None:
        if not limit.expired():
            limit.reschedule(loop.time())

    unsubscribe: list[Unsubscribe] = []
    tally = context.services.tally
    tally.held += 1
    try:
        with waiting(context):
            async with limit:
                unsubscribe += [interrupt.listen(end) for interrupt in hold.interrupts]
                return await hold.news(folders, items)
    except TimeoutError:
        if hold.compared or hold.interrupted:
            return ()
        raise UpstreamUnavailable("no answer in the time the request is held") from None
    finally:
        tally.held -= 1
        for each in unsubscribe:
            each()


class _Hold:
    """One held request. `compared`: it was found out at least once whether there are news."""

    def __init__(self, context: Context, seconds: float, *, hierarchy: bool) -> None:
        self._context = context
        self._hierarchy = hierarchy
        self.deadline = asyncio.get_running_loop().time() + max(seconds - _EARLY, seconds / 2)
        self.interrupts = (context.stopping, context.superseded)
        self.compared = False
        self._last_look = self.deadline - min(_LAST_LOOK, seconds / 4) if seconds <= _SHORT else None
        self._annotated: set[CollectionId] = set()
        """Collections in which annotations changed."""

    @property
    def interrupted(self) -> bool:
        """Whether the request is to be answered now, news or not."""
        return any(interrupt.is_set() for interrupt in self.interrupts)

    async def news(self, folders: Sequence[Folder], items: Sequence[CollectionId]) -> Sequence[CollectionId]:
        """The folders with news, none when interrupted; to be ended from outside at the deadline."""
        names = {folder.id: mailbox for folder in folders if (mailbox := mailbox_of(folder))}
        watched = {*names.values(), NAMES} if names and self._hierarchy else names.values()
        loop = asyncio.get_running_loop()
        async with Waiter(self._context.mailboxes, watched, self.interrupts) as waiter:
            waiter.until_left(self._watch_annotations(names, waiter))
            stored = ItemHold(self._context, items)
            if items or self._hierarchy:
                waiter.until_left(stored.watch(lambda folder: waiter.notify(_ITEMS if folder else _FOLDERS)))
            if self._hierarchy:
                services, user = self._context.services, self._context.principal.user
                waiter.until_left(services.state.watch_folders(user, waiter.notify))
            if items:
                waiter.until_left(await meetings.watch(self._context))
            by_mailbox: Mapping[str, _Watched] | None = None
            dirty = everything = frozenset({*names.values(), _FOLDERS})
            failures = 0
            while True:
                changed: Sequence[CollectionId] = ()
                failure: UpstreamUnavailable | StoreUnavailable | None = None
                try:
                    if by_mailbox is None:
                        await stored.begin()
                        by_mailbox = {folder.mailbox: folder for folder in await self._watched(folders)}
                    changed = await stored.changed()
                    await self._look_at_folders(dirty, mail=bool(by_mailbox))
                    changed = [*changed, *await self._changed(by_mailbox, dirty)]
                    self.compared, failures = True, 0
                except (UpstreamUnavailable, StoreUnavailable) as error:
                    if failures >= len(_RETRY_DELAYS) and not self.compared:
                        raise
                    failure, failures = error, failures + 1
                if changed or self.interrupted:
                    return changed
                now = loop.time()
                if failure:  # what was dirty still has to be looked at
                    await self._pause(waiter, failure, failures)
                    dirty |= everything
                else:
                    dirty = await waiter.news((self._last_look or self.deadline) - now)
                    if self._last_look and not dirty:
                        dirty, self._last_look = everything, None

    async def _pause(
        self, waiter: Waiter, failure: UpstreamUnavailable | StoreUnavailable, failures: int
    ) -> None:
        """Leave alone for a while what just failed; a watch may tell earlier that the upstream is back.

        What tells of the store tells all who wait at once. They do not ask it all at once, and not at all as
        long as it is away for each time that somebody tried to listen.
        """
        if isinstance(failure, StoreUnavailable):
            await asyncio.sleep(_RETRY_DELAYS[min(failures, len(_RETRY_DELAYS)) - 1] * random.uniform(0.5, 1))  # noqa: S311
            return
        delay = _RETRY_DELAYS[failures - 1] if failures <= len(_RETRY_DELAYS) else _SELDOM
        await waiter.news(min(self.deadline - asyncio.get_running_loop().time(), delay))

    def _watch_annotations(self, names: Mapping[CollectionId, str], waiter: Waiter) -> Unsubscribe:
        """Have changes of what is kept of messages here wake the request too, where they are to."""
        context = self._context
        if not context.services.limits.notify_all:
            return lambda: None

        def notify(collection: CollectionId) -> None:
            for changed in names if not collection else names.keys() & {collection}:
                self._annotated.add(changed)
                waiter.notify(names[changed])

        return context.services.state.watch_annotations(context.principal.user, notify)

    async def _look_at_folders(self, dirty: frozenset[str], *, mail: bool) -> None:
        """Raises `HierarchyChanged`; `UpstreamUnavailable` only if `mail` is waited for."""
        if not self._hierarchy or not dirty & {_FOLDERS, NAMES}:
            return
        context, services = self._context, self._context.services
        user, device = context.principal.user, context.device.id
        news = FolderNews(
            services.state,
            context.mailboxes,
            services.items,
            user,
            device,
            recipients=context.request.version.has_recipients,
        )
        try:
            if await news.there(suspected=NAMES in dirty):
                raise HierarchyChanged
        except UpstreamUnavailable:
            if mail:
                raise

    async def _watched(self, folders: Sequence[Folder]) -> Sequence[_Watched]:
        """What to compare each folder with: what the device was sent last.

        For a folder never synced it is what is there now.
        """
        context = self._context
        states = await context.services.state.load_syncs(context.principal.user, context.device.id)
        if self._hierarchy and HIERARCHY not in states:
            raise HierarchyChanged  # a device that never asked for its folders, or is to ask for them anew
        found: list[_Watched] = []
        for folder in folders:
            mailbox = mailbox_of(folder)
            if mailbox is None:
                continue  # nothing ever arrives there
            stored = states.get(folder.id)
            if stored is None:
                cursor = baseline(await context.mailboxes.view(mailbox))
                window = Window(None, cursor.conversations)
                found.append(_Watched(folder.id, mailbox, cursor, window))
            else:
                found.append(await self._sent(folder.id, mailbox, stored))
        return found

    async def _sent(self, collection: CollectionId, mailbox: str, stored: SyncState) -> _Watched:
        """A folder with what the device was sent last."""
        services, user = self._context.services, self._context.principal.user
        cursor = MailCursor.unpack(stored.cursor)
        cursor = await noted(services.state, user, collection, cursor, newest=stored.annotations)
        since = CollectionOptions.unpack(stored.options).since(services.clock.now())
        return _Watched(collection, mailbox, cursor, Window(since, cursor.conversations))

    async def _changed(
        self, folders: Mapping[str, _Watched], dirty: frozenset[str]
    ) -> Sequence[CollectionId]:
        annotated, self._annotated = self._annotated, set()
        try:
            return [
                folder.collection
                for mailbox, folder in folders.items()
                if mailbox in dirty
                and (folder.collection in annotated or await self._has_news(folder))
                and await self._has_news_now(folder)
            ]
        except (UpstreamUnavailable, StoreUnavailable):
            self._annotated |= annotated
            raise

    async def _has_news(self, folder: _Watched) -> bool:
        any_change = self._context.services.limits.notify_all
        mailboxes = self._context.mailboxes
        return await has_news(mailboxes, folder.mailbox, folder.cursor, folder.window, any_change=any_change)

    async def _has_news_now(self, folder: _Watched) -> bool:
        """Whether there is news for what the device knows by now: it may have moved mail itself."""
        context = self._context
        state, user, device = context.services.state, context.principal.user, context.device.id
        async with state.lease(user, device, folder.collection):  # a move under way is noted then
            stored = await state.load_sync(user, device, folder.collection)
        if stored is None:
            return True
        return await self._has_news(await self._sent(folder.collection, folder.mailbox, stored))
