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

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gateway.types import SyncState

__all__ = [
    "Beginning",
    "affected",
    "answer_to",
    "beginnings",
    "dropping_branches",
    "newest_answer",
    "with_beginnings",
]

_MOST = 8
"""Beginnings that are kept. There is another one only when a request was sent more than once."""
_MOST_BRANCHES = 4
"""Of them those that are other answers: each holds as much as the newest key does."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a device knows that got the key `{epoch}.1`, and its options.

    `request` is the fingerprint of the operations when it is another answer to the request that led to the
    newest key, "" when it is one to SyncKey 0.
    """

    epoch: str
    cursor: bytes = b""
    options: bytes = b""
    request: str = ""


def beginnings(state: SyncState) -> Sequence[Beginning]:
    """Those of a collection, oldest first."""
    packed = state.fresh_options
    if not state.fresh:
        return ()
    if not packed.startswith(b"["):  # of a release that kept one alone
        return (Beginning(state.fresh, state.fresh_cursor, packed),)
    return [
        Beginning(epoch, bytes.fromhex(cursor), options.encode(), request)
        for epoch, cursor, options, request in json.loads(packed)
    ]


def with_beginnings(state: SyncState, kept: Sequence[Beginning]) -> SyncState:
    """The state with these beginnings, of which the oldest are left out when there are too many."""
    if not kept:
        return replace(state, fresh="", fresh_options=b"", fresh_cursor=b"")
    surplus = [one for one in kept if one.request][:-_MOST_BRANCHES]
    kept = [one for one in kept if one not in surplus][-_MOST:]
    values = [[one.epoch, one.cursor.hex(), one.options.decode(), one.request] for one in kept]
    packed = json.dumps(values, separators=(",", ":")).encode()
    return replace(state, fresh=kept[-1].epoch, fresh_options=packed, fresh_cursor=b"")


def newest_answer(state: SyncState) -> bytes:
    """The cursor of who got the last answer to the request that led to the newest key."""
    return next((one.cursor for one in reversed(beginnings(state)) if one.request), state.cursor)


def answer_to(state: SyncState, request: str) -> Beginning | None:
    """Who got another answer to the request that led to the newest key, when it had these operations."""
    return next((one for one in beginnings(state) if one.request == request), None)


def dropping_branches(state: SyncState) -> SyncState:
    """The state of a device that has proven the newest key: it did not get another answer."""
    kept = beginnings(state)
    others = [one for one in kept if not one.request]
    return state if len(others) == len(kept) else with_beginnings(state, others)


def affected(state: SyncState, effect: Callable[[bytes], bytes]) -> SyncState:
    """The state after an effect on what the device may know, whichever beginning it comes with."""
    kept = beginnings(state)
    changed = [replace(one, cursor=effect(one.cursor)) for one in kept]
    return state if changed == list(kept) else with_beginnings(state, changed)
