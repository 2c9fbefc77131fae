"""Messages stored again under a new UID, and those about to be, as transactions on a connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from gateway.store.sqlite import syncs
from gateway.types import CollectionId, DeviceId, Rewrite, Rewrites, UserId, Writing

__all__ = ["Key", "abandon", "begin", "finish", "forget", "load"]

Key = tuple[UserId, str]
"""user, mailbox"""

_LOAD = "SELECT uidvalidity, item, uid, labels, stale FROM rewrite WHERE user = ? AND mailbox = ?"
_LOAD_WRITINGS = """
    SELECT marker, uidvalidity, newest, item, labels, stale, device, collection, name, value
    FROM writing WHERE user = ? AND mailbox = ?
"""
_SAVE = """
    INSERT OR REPLACE INTO rewrite (user, mailbox, uidvalidity, item, uid, labels, stale)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_BEGIN = """
    INSERT INTO writing (
        user, mailbox, marker, uidvalidity, newest, item, labels, stale, device, collection, name, value
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_END = "DELETE FROM writing WHERE user = ? AND mailbox = ? AND marker = ?"
_FORGET = "DELETE FROM rewrite WHERE user = ? AND mailbox = ? AND uidvalidity = ? AND item = ?"


def load(connection: sqlite3.Connection, key: Key) -> Rewrites:
    """What is known of a mailbox."""
    done = tuple(
        Rewrite(validity, item, uid, json.loads(labels), tuple(json.loads(stale)))
        for validity, item, uid, labels, stale in connection.execute(_LOAD, key)
    )
    pending = tuple(
        Writing(
            marker=marker,
            newest=newest,
            rewrite=Rewrite(validity, item, 0, json.loads(labels), tuple(json.loads(stale))),
            device=DeviceId(device),
            collection=CollectionId(collection),
            name=name,
            value=value,
        )
        for marker, validity, newest, item, labels, stale, device, collection, name, value in (
            connection.execute(_LOAD_WRITINGS, key)
        )
    )
    return Rewrites(done, pending)


def begin(connection: sqlite3.Connection, key: Key, writing: Writing) -> None:
    """Note a message that is about to be stored."""
    rewrite = writing.rewrite
    connection.execute(
        _BEGIN,
        (
            *key,
            writing.marker,
            rewrite.uidvalidity,
            writing.newest,
            rewrite.item,
            json.dumps(dict(rewrite.labels)),
            json.dumps(rewrite.stale),
            writing.device,
            writing.collection,
            writing.name,
            writing.value,
        ),
    )


def finish(connection: sqlite3.Connection, key: Key, writing: Writing, uid: int, answer: bytes) -> None:
    """Note that a message is stored as `uid`: under which name, and the answer for its device."""
    rewrite, (user, _) = writing.rewrite, key
    if rewrite.item:
        labels, stale = json.dumps(dict(rewrite.labels)), json.dumps(rewrite.stale)
        connection.execute(_SAVE, (*key, rewrite.uidvalidity, rewrite.item, uid, labels, stale))
    syncs.save_intents(connection, (user, writing.device, writing.collection), {writing.name: answer})
    abandon(connection, key, writing.marker)


def abandon(connection: sqlite3.Connection, key: Key, marker: str) -> None:
    """Forget a message that was not stored after all."""
    connection.execute(_END, (*key, marker))


def forget(connection: sqlite3.Connection, key: Key, rewrites: Iterable[Rewrite]) -> None:
    """Forget messages that are gone."""
    connection.executemany(_FORGET, [(*key, each.uidvalidity, each.item) for each in rewrites])
