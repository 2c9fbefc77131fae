"""Which groups of the directories users are in: asked when they come, kept, believed while nobody answers.

What policies and rules demand of a group must not get lost with the directory. So what it said once counts
until it says something else, also after a restart. Of whom nothing was ever said, nothing is decided while it
is away: he is answered that he shall come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from gateway.errors import GatewayError
from gateway.groups import Groups, group_name
from gateway.ports import Clock, Unsubscribe
from gateway.ports import memberships as port
from gateway.ports.directory import Belonging, Viewer
from gateway.ports.memberships import Membership
from gateway.sync.background import Background
from gateway.types import Principal, UserId

__all__ = ["LearnedGroups", "known_by"]

_PATIENCE = 2.0
"""Seconds that a request waits for news of a user of whom something is known."""
_AGAIN = timedelta(seconds=30)
"""After so long a directory that could not say something of a user is asked again."""


def known_by(principal: Principal) -> tuple[frozenset[str], str]:
    """By which addresses, in lower case, and which alias ("": none) a user is looked up in directories."""
    user = principal.user
    if "@" in user:
        return frozenset((principal.email.lower(), user)), ""
    return frozenset((principal.email.lower(),)), user


@dataclass(slots=True, eq=False)
class _Waiting:
    """The requests of a user that wait: `tell` when his groups change, which `timer` looks for."""

    principal: Principal
    tell: list[Callable[[], None]] = field(default_factory=list)
    timer: asyncio.TimerHandle = field(init=False)


class LearnedGroups:
    """Fills `groups.learned`. `names` are the groups that are of directories; an answer counts for `age`.

    Without names nothing is asked.
    """

    def __init__(
        self,
        groups: Groups,
        names: Collection[str],
        store: port.Memberships,
        clock: Clock,
        background: Background,
        *,
        sources: Sequence[Belonging] = (),
        age: timedelta = timedelta(minutes=10),
    ) -> None:
        self._groups = groups
        self._names = frozenset(map(group_name, names))
        self._store = store
        self._clock = clock
        self._background = background
        self._sources = sources
        self._age = age
        self._known: dict[UserId, Membership] = {}
        self._asking: dict[UserId, asyncio.Task[None]] = {}
        self._in_vain: dict[UserId, datetime] = {}
        self._waiting: dict[UserId, _Waiting] = {}
        self._recalled: datetime | None = None

    async def learn(self, principal: Principal) -> None:
        """Know the groups of who sends a request, not older than the age if there is somebody to ask.

        Raises `UpstreamError` when nothing is known of him and nobody can be asked, and `GatewayError`.
        """
        if not self._names:
            return
        user = principal.user
        known = self._known.get(user) or await self._stored(user)
        if known is None:
            await asyncio.shield(self._begin(principal))
        elif self._is_due(known):
            await asyncio.wait({self._begin(principal)}, timeout=_PATIENCE)

    def watch(self, principal: Principal, changed: Callable[[], None]) -> Unsubscribe:
        """Have `changed` called when the groups of a user whose request waits become others.

        They are asked for as they age; the returned function ends that.
        """
        if not self._names:
            return lambda: None
        waiting = self._waiting.get(principal.user)
        if waiting is None:
            waiting = self._waiting[principal.user] = _Waiting(principal)
            self._look_later(waiting)
        waiting.principal = principal  # the newest, who is let in for longest
        waiting.tell.append(changed)
        return partial(self._end, waiting, changed)

    async def recall(self, user: UserId | None = None) -> None:
        """Know what is stored of a user, or of everybody, without asking: for who looks at devices."""
        if not self._names:
            return
        if user is not None:
            await self._stored(user)
            return
        found = await self._store.list_memberships(self._recalled)
        for membership in found:
            self._remember(membership)
        self._recalled = max((one.asked for one in found), default=self._recalled)

    async def _stored(self, user: UserId) -> Membership | None:
        """What is stored of a user, if it is about all the groups that are named by now."""
        stored = await self._store.load_membership(user)
        if stored is not None:
            self._remember(stored)
        return self._known.get(user)

    def _remember(self, membership: Membership) -> None:
        known = self._known.get(membership.user)
        if known is not None and known.asked >= membership.asked and not self._is_ahead(known):
            return
        before = self._groups.learned.get(membership.user)
        self._groups.learned[membership.user] = membership.groups
        if self._names <= membership.groups.keys():
            self._known[membership.user] = membership
        waiting = self._waiting.get(membership.user)
        if waiting is not None and before != membership.groups:
            for changed in tuple(waiting.tell):
                changed()

    def _look_later(self, waiting: _Waiting) -> None:
        """Look at a user's groups when they will be due; where they are, as if they were asked for now."""
        left = self._age
        if (known := self._known.get(waiting.principal.user)) is not None:
            left = known.asked + self._age - self._clock.now()
        if not timedelta() < left < self._age:
            left = self._age
        waiting.timer = asyncio.get_running_loop().call_later(left.total_seconds(), self._look, waiting)

    def _look(self, waiting: _Waiting) -> None:
        known = self._known.get(waiting.principal.user)
        if known is None or self._is_due(known):
            self._begin(waiting.principal)
        self._look_later(waiting)

    def _end(self, waiting: _Waiting, changed: Callable[[], None]) -> None:
        with suppress(ValueError):  # it was ended before
            waiting.tell.remove(changed)
        if not waiting.tell and self._waiting.get(waiting.principal.user) is waiting:
            waiting.timer.cancel()
            del self._waiting[waiting.principal.user]

    def _is_due(self, known: Membership) -> bool:
        """Whether it is time to ask again, and not in vain just now."""
        now = self._clock.now()
        tried = self._in_vain.get(known.user)
        old = now - known.asked >= self._age or self._is_ahead(known)
        return old and (tried is None or abs(now - tried) >= _AGAIN)

    def _is_ahead(self, known: Membership) -> bool:
        """Whether it was told at a time that is still to come: by a clock that was wrong and is put right."""
        return known.asked - self._clock.now() >= _AGAIN

    def _begin(self, principal: Principal) -> asyncio.Task[None]:
        """Ask, unless that is under way."""
        user = principal.user
        task = self._asking.get(user)
        if task is None:
            task = self._asking[user] = self._background.start(self._ask(principal), resumable=True)
            task.add_done_callback(lambda task: self._asked(user, task))
        return task

    async def _ask(self, principal: Principal) -> None:
        user = principal.user
        viewer = Viewer(user, principal.credentials)
        addresses, alias = known_by(principal)
        found: set[str] = set()
        for source in self._sources:
            found |= await source.groups_of(viewer, addresses, alias)
        groups = {name: name in found for name in self._names}
        membership = Membership(user, groups, self._clock.now())
        await self._store.save_membership(membership)
        self._remember(membership)

    def _asked(self, user: UserId, task: asyncio.Task[None]) -> None:
        del self._asking[user]
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._in_vain.pop(user, None)
            return
        self._in_vain[user] = self._clock.now()
        log = structlog.get_logger("gateway.directory")
        log.warning(
            "the groups of a user cannot be asked; what was said before counts",
            user=user,
            known=user in self._known,
            reason=error.detail if isinstance(error, GatewayError) else repr(error),
        )
