"""Messages stored again under a new UID, and those about to be, as transactions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from gateway.store.tables import syncs
from gateway.store.transactions import Transaction, single
from gateway.types import CollectionId, DeviceId, Rewrite, Rewrites, UserId, Writing

__all__ = ["Key", "abandon", "begin", "finish", "forget", "load"]

Key = tuple[UserId, str]
"""user, mailbox"""

# Both in one statement, so that they are of the same moment: what is done is not pending any more.
_LOAD = """
    SELECT NULL, uidvalidity, uid, item, labels, stale, NULL, NULL, NULL, NULL
    FROM rewrite WHERE "user" = ?1 AND mailbox = ?2
    UNION ALL
    SELECT marker, uidvalidity, newest, item, labels, stale, device, collection, name, value
    FROM writing WHERE "user" = ?1 AND mailbox = ?2
"""
_SAVE = """
    INSERT INTO rewrite ("user", mailbox, uidvalidity, item, uid, labels, stale)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT ("user", mailbox, uidvalidity, item)
    DO UPDATE SET uid = excluded.uid, labels = excluded.labels, stale = excluded.stale
"""
_BEGIN = """
    INSERT INTO writing (
        "user", mailbox, marker, uidvalidity, newest, item, labels, stale, device, collection, name, value
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_END = 'DELETE FROM writing WHERE "user" = ? AND mailbox = ? AND marker = ?'
_FORGET = 'DELETE FROM rewrite WHERE "user" = ? AND mailbox = ? AND uidvalidity = ? AND item = ?'


async def load(transaction: Transaction, key: Key) -> Rewrites:
    """What is known of a mailbox."""
    done: list[Rewrite] = []
    pending: list[Writing] = []
    for marker, validity, number, item, labels, stale, *more in await transaction.rows(_LOAD, key):
        rewrite = Rewrite(validity, item, number, json.loads(labels), tuple(json.loads(stale)))
        if marker is None:
            done.append(rewrite)
            continue
        device, collection, name, value = more
        pending.append(
            Writing(
                marker=marker,
                newest=number,
                rewrite=replace(rewrite, uid=0),
                device=DeviceId(device),
                collection=CollectionId(collection),
                name=name,
                value=value,
            )
        )
    return Rewrites(tuple(done), tuple(pending))


@single
async def begin(transaction: Transaction, key: Key, writing: Writing) -> None:
    """Note a message that is about to be stored."""
    rewrite = writing.rewrite
    await transaction.run(
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


async def finish(transaction: Transaction, key: Key, writing: Writing, uid: int, answer: bytes) -> None:
    """Note that a message is stored as `uid`: under which name, and the answer for its device."""
    rewrite, (user, _) = writing.rewrite, key
    if rewrite.item:
        labels, stale = json.dumps(dict(rewrite.labels)), json.dumps(rewrite.stale)
        await transaction.run(_SAVE, (*key, rewrite.uidvalidity, rewrite.item, uid, labels, stale))
    await syncs.save_intents(transaction, (user, writing.device, writing.collection), {writing.name: answer})
    await abandon(transaction, key, writing.marker)


@single
async def abandon(transaction: Transaction, key: Key, marker: str) -> None:
    """Forget a message that was not stored after all."""
    await transaction.run(_END, (*key, marker))


async def forget(transaction: Transaction, key: Key, rewrites: Iterable[Rewrite]) -> None:
    """Forget messages that are gone."""
    await transaction.run_all(_FORGET, [(*key, each.uidvalidity, each.item) for each in rewrites])
