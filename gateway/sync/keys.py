"""Sync keys: what a key presented by a device means for the two generations kept.

MS-ASCMD 2.2.3.181, 3.1.5.3.

A key is `{epoch}.{number}`. The epoch is random and made anew at each SyncKey 0, so that a key of an
earlier life of the collection, of another collection or of another user is never taken for a current one.
Within an epoch numbers count up. A new beginning does not end what was before until its first key is used: a
late copy of an old request with SyncKey 0 must not take away the keys a device has (`beginnings.py`).

    presented              is         the server
    "0"                    INITIAL    starts anew
    {epoch}.{number}       CURRENT    takes `cursor` as proven, may issue number + 1
    {epoch}.{number - 1}   REPLAY     repeats the answer it gave to that key, from `previous`
    {beginning}.1          FRESH      takes that beginning as proven, and forgets the epochs before
    anything else          UNKNOWN    refuses: Sync Status 3, FolderSync Status 9
"""

from __future__ import annotations

import secrets
from enum import Enum, auto

from gateway.sync.beginnings import with_beginnings
from gateway.types import Beginning, SyncState

INITIAL_KEY = "0"


class KeyUse(Enum):
    """What a presented key is, seen from the stored state."""

    INITIAL = auto()
    CURRENT = auto()
    REPLAY = auto()
    FRESH = auto()
    UNKNOWN = auto()


def new_epoch() -> str:
    """A fresh random epoch, unguessable so that one user's keys tell nothing of another's."""
    return secrets.token_hex(8)


def format_key(state: SyncState) -> str:
    """The newest key of a state, as the device gets it (below the 64 characters a key may have)."""
    return f"{state.epoch}.{state.number}"


def begun_anew(state: SyncState, key: str) -> SyncState:
    """The state with that beginning in force whose key this is; the later ones stay."""
    kept = state.beginnings
    place = next(number for number, one in enumerate(kept) if key == key_of(one))
    begun = SyncState(
        kept[place].epoch,
        1,
        kept[place].cursor,
        options=kept[place].options,
        revision=state.revision,
        annotations=state.annotations,
    )
    return with_beginnings(begun, [one for one in kept[place + 1 :] if not one.request])


def beginning(stored: SyncState | None, options: bytes) -> tuple[SyncState, str]:
    """The state of a collection after SyncKey 0, and the first key. What the device had before stays good."""
    if stored is None:
        begun = SyncState(new_epoch(), 1, b"", options=options)
        return begun, format_key(begun)
    return _beside(stored, Beginning(new_epoch(), options=options))


def branched(stored: SyncState, request: str, cursor: bytes, options: bytes) -> tuple[SyncState, str]:
    """The state after another answer to the request before, and the key of who got that one."""
    return _beside(stored, Beginning(new_epoch(), cursor, options, request))


def _beside(stored: SyncState, begun: Beginning) -> tuple[SyncState, str]:
    return with_beginnings(stored, [*stored.beginnings, begun]), key_of(begun)


def key_of(begun: Beginning) -> str:
    """The key of who begins there."""
    return f"{begun.epoch}.1"


def classify(state: SyncState | None, key: str) -> KeyUse:
    """What the presented key means; never raises, whatever the key is."""
    if key == INITIAL_KEY:
        return KeyUse.INITIAL
    if state is None:
        return KeyUse.UNKNOWN
    if key == format_key(state):
        return KeyUse.CURRENT
    if state.previous is not None and key == f"{state.epoch}.{state.number - 1}":
        return KeyUse.REPLAY
    if any(key == key_of(one) for one in state.beginnings):
        return KeyUse.FRESH
    return KeyUse.UNKNOWN


def cursor_of(state: SyncState, key: str) -> bytes:
    """What a device knows that has a key, which is not unknown."""
    if key == format_key(state):
        return state.cursor
    begun = (one.cursor for one in state.beginnings if key == key_of(one))
    return next(begun, state.previous or b"")
