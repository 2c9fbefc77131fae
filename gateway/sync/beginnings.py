"""Beginnings of a collection that its device has not proven yet: keys beside the newest, each with a cursor.

A key stands for one answer, and so for one thing that a device may know. Where two answers lead to different
knowledge, and only the next request will tell which of them was heard, each gets a key of its own:

- every SyncKey 0 begins anew. A request that a device gave up before it began once more, and that arrives
  late, has the key of the beginning before, and is not taken for one of the device as it is now;
- a repeated request with other operations than the first. Whoever goes on with the key of the first answer
  does not know of them, and is told what became of them as of what others did.

What the device has stays good until it uses one of these keys; the older ones are forgotten then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.types import Beginning, SyncState

__all__ = [
    "affected",
    "answer_to",
    "dropping_branches",
    "newest_answer",
    "with_beginnings",
]

_MOST = 8
"""Beginnings that are kept. There is another one only when a request was sent more than once."""
_MOST_BRANCHES = 4
"""Of them those that are other answers: each holds as much as the newest key does."""


def with_beginnings(state: SyncState, kept: Sequence[Beginning]) -> SyncState:
    """The state with these beginnings, of which the oldest are left out when there are too many."""
    surplus = [one for one in kept if one.request][:-_MOST_BRANCHES]
    return replace(state, beginnings=tuple(one for one in kept if one not in surplus)[-_MOST:])


def newest_answer(state: SyncState) -> bytes:
    """The cursor of who got the last answer to the request that led to the newest key."""
    return next((one.cursor for one in reversed(state.beginnings) if one.request), state.cursor)


def answer_to(state: SyncState, request: str) -> Beginning | None:
    """Who got another answer to the request that led to the newest key, when it had these operations."""
    return next((one for one in state.beginnings if one.request == request), None)


def dropping_branches(state: SyncState) -> SyncState:
    """The state of a device that has proven the newest key: it did not get another answer."""
    return replace(state, beginnings=tuple(one for one in state.beginnings if not one.request))


def affected(state: SyncState, effect: Callable[[bytes], bytes]) -> SyncState:
    """The state after an effect on what the device may know, whichever beginning it comes with."""
    changed = tuple(replace(one, cursor=effect(one.cursor)) for one in state.beginnings)
    return replace(state, beginnings=changed)
