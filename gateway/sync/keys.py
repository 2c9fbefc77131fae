"""Sync keys: what a key presented by a device means for the two generations kept.

MS-ASCMD 2.2.3.181, 3.1.5.3.

A key is `{epoch}.{number}`. The epoch is random and made anew at each SyncKey 0, so that a key of an
earlier life of the collection, of another collection or of another user is never taken for a current one.
Within an epoch numbers count up. A new beginning does not end what was before until its first key is used: a
late copy of an old request with SyncKey 0 must not take away the keys a device has.

    presented              is         the server
    "0"                    INITIAL    starts anew
    {epoch}.{number}       CURRENT    takes `cursor` as proven, may issue number + 1
    {epoch}.{number - 1}   REPLAY     repeats the answer it gave to that key, from `previous`
    {fresh}.1              FRESH      takes the new beginning as proven, and forgets the epoch before
    anything else          UNKNOWN    refuses: Sync Status 3, FolderSync Status 9
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from enum import Enum, auto

from gateway.types import SyncState

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


def begun_anew(state: SyncState) -> SyncState:
    """The state with its new beginning in force."""
    return SyncState(
        state.fresh,
        1,
        state.fresh_cursor,
        options=state.fresh_options,
        revision=state.revision,
        annotations=state.annotations,
    )


def beginning(stored: SyncState | None, options: bytes) -> tuple[SyncState, str]:
    """The state of a collection after SyncKey 0, and the first key, which may be the one it got before.

    A repeated SyncKey 0 gets the same one as long as that was not used. What the device had before stays good
    until then.
    """
    if stored is None:
        begun = SyncState(new_epoch(), 1, b"", options=options)
    elif not stored.cursor:
        begun = replace(stored, options=options)
    else:
        fresh = stored.fresh or new_epoch()
        begun = replace(stored, fresh=fresh, fresh_options=options, fresh_cursor=b"")
    return begun, f"{begun.fresh or begun.epoch}.1"


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
    if state.fresh and key == f"{state.fresh}.1":
        return KeyUse.FRESH
    return KeyUse.UNKNOWN
