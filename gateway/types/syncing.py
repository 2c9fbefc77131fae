"""What a device knows of a collection, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a device knows of a collection that comes with the key `{epoch}.1`, and its options.

    `request` is the fingerprint of the operations when it is another answer to the request that led to the
    newest key, "" when it is one to SyncKey 0.
    """

    epoch: str
    cursor: bytes = b""
    options: bytes = b""
    request: str = ""


@dataclass(frozen=True, slots=True)
class SyncState:
    """Two generations of what one device knows of a collection (collection "": of the folder hierarchy).

    The newest key issued is `{epoch}.{number}`. `cursor` is what the device knows once it has that key;
    `previous` what it knew with key `number - 1`, kept until the device proves the new key by using it.
    `results` holds the answers to the client operations of the request that produced `number`, for a
    replay of that request. `options` are the collection's sticky options. `beginnings` are those that the
    device has not proven yet, oldest first (`sync/beginnings.py`): what is known stays until the key of one
    is used. `revision` guards against lost updates: 0 is "not stored yet". `annotations` is not part of the
    state: it is the newest revision of the collection's annotations when the state was read (0: there are
    none), so that looking for changes costs no reading of its own.
    """

    epoch: str
    number: int
    cursor: bytes
    previous: bytes | None = None
    results: bytes = b""
    options: bytes = b""
    revision: int = 0
    beginnings: tuple[Beginning, ...] = ()
    annotations: int = 0
