"""Scheduling messages that are to be mailed, as transactions on a connection. `now` is in milliseconds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from gateway.items import FileInfo, Notice, NoticeFile, PendingNotice
from gateway.store.sqlite.times import from_milliseconds
from gateway.types import UserId

__all__ = ["add", "are_pending", "bare", "drop", "note_attempt", "note_told", "prune", "split", "take"]

_ADD = """
    INSERT INTO notice (user, key, recipients, event, place)
    VALUES (?, ?, ?, ?, (SELECT coalesce(max(id), 0) + 1 FROM notice))
    ON CONFLICT DO NOTHING RETURNING id
"""
_ADD_FILE = """
    INSERT INTO notice_file (mail, position, file, content_id, inline)
    SELECT ?, ?, item_file.number, ?, ? FROM item_file CROSS JOIN item
    WHERE item_file.number = ? AND item.number = item_file.item AND folder = ?
"""
_ARE_PENDING = "SELECT 1 FROM notice WHERE user = ? AND dropped IS NULL LIMIT 1"
_CANDIDATES = """
    SELECT id, recipients, event, place FROM notice
    WHERE user = ? AND dropped IS NULL AND key NOT IN (SELECT value FROM json_each(?))
    ORDER BY turn, place, id
"""
_EARLIER = """
    SELECT recipients FROM notice WHERE user = ? AND event = ? AND place < ? AND dropped IS NULL
"""
_LOAD = """
    SELECT key, recipients, message, event, apart, bare, tried, mail
    FROM notice CROSS JOIN notice_mail ON notice_mail.id = mail WHERE notice.id = ?
"""
_FILES = """
    SELECT number, content_id, inline, name, content_type, size
    FROM notice_file CROSS JOIN item_file ON number = file WHERE mail = ? ORDER BY position
"""
_NEXT_TURN = "(SELECT max(turn) + 1 FROM notice WHERE user = ?1 AND dropped IS NULL)"
_TRY = f"""
    UPDATE notice SET tried = coalesce(tried, ?3), turn = {_NEXT_TURN}
    WHERE user = ?1 AND key = ?2 AND dropped IS NULL
"""  # noqa: S608 - made of constants
_TELL = """
    UPDATE notice SET recipients = '[]', tried = NULL WHERE user = ? AND key = ? AND dropped IS NULL
"""
_BARE = "UPDATE notice SET bare = 1 WHERE user = ? AND key = ? AND dropped IS NULL"
_SPLIT = f"""
    INSERT INTO notice (user, key, recipients, mail, event, place, tried, turn, apart, bare)
    SELECT user, ?3, ?4, mail, event, place,
        iif(?5, coalesce(tried, ?6), tried), iif(?5, {_NEXT_TURN}, turn), 1, bare FROM notice
    WHERE user = ?1 AND key = ?2 AND dropped IS NULL
"""  # noqa: S608 - made of constants
_DROP = """
    UPDATE notice SET dropped = ?, recipients = '[]', mail = NULL
    WHERE user = ? AND key = ? AND dropped IS NULL
"""
_MAIL = "SELECT mail FROM notice WHERE user = ? AND key = ? AND dropped IS NULL"
_FORGET = "DELETE FROM notice_mail WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM notice WHERE mail = ?1)"


def add(connection: sqlite3.Connection, user: UserId, notice: Notice, folder: int) -> None:
    """Store a message, unless its key is known; with files of items in the folder and no others."""
    row = (user, notice.key, json.dumps(notice.recipients), notice.event)
    added = connection.execute(_ADD, row).fetchone()
    if added is None:
        return
    mail = connection.execute("INSERT INTO notice_mail (message) VALUES (?)", (notice.message,)).lastrowid
    connection.execute("UPDATE notice SET mail = ? WHERE id = ?", (mail, added[0]))
    for position, file in enumerate(notice.files):
        values = (mail, position, file.content_id, file.inline, file.number, folder)
        connection.execute(_ADD_FILE, values)


def are_pending(connection: sqlite3.Connection, user: UserId) -> bool:
    """Whether there are messages of a user that were not dropped."""
    return connection.execute(_ARE_PENDING, (user,)).fetchone() is not None


def take(connection: sqlite3.Connection, user: UserId, without: Collection[str]) -> PendingNotice | None:
    """The message to be mailed next. See `ports.Notices.next_notice`."""
    unwanted = json.dumps(list(without))
    for number, recipients, event, place in connection.execute(_CANDIDATES, (user, unwanted)):
        told = json.loads(recipients)
        waiting = _waiting(connection, told, (user, event, place)) if event else frozenset()
        free = tuple(one for one in told if one.lower() not in waiting)
        if free or not told:
            return _load(connection, number, free)
    return None


def _waiting(
    connection: sqlite3.Connection, recipients: Sequence[str], before: tuple[UserId, str, int]
) -> AbstractSet[str]:
    """Those (in lower case) for whom a message of a user about an event waits that has an earlier place."""
    wanted = {one.lower() for one in recipients}
    found: set[str] = set()
    for (told,) in connection.execute(_EARLIER, before):
        found |= wanted.intersection(one.lower() for one in json.loads(told))
        if found == wanted:  # as nearly always: it is for the same people
            break
    return found


def _load(connection: sqlite3.Connection, number: int, free: Sequence[str]) -> PendingNotice:
    row: tuple[Any, ...] = connection.execute(_LOAD, (number,)).fetchone()
    key, recipients, message, event, apart, bared, tried, mail = row
    files = [] if bared else connection.execute(_FILES, (mail,)).fetchall()
    notice = Notice(
        key,
        tuple(json.loads(recipients)),
        message,
        event,
        tuple(NoticeFile(file, content_id, bool(inline)) for file, content_id, inline, *_ in files),
    )
    return PendingNotice(
        notice,
        free=tuple(free),
        apart=bool(apart),
        tried=None if tried is None else from_milliseconds(tried),
        files=tuple(FileInfo(file, name, kind, size) for file, _, _, name, kind, size in files),
    )


def note_attempt(connection: sqlite3.Connection, user: UserId, key: str, now: int) -> None:
    """Note that a message could not be mailed now; of several times the first one is kept."""
    connection.execute(_TRY, (user, key, now))


def note_told(connection: sqlite3.Connection, user: UserId, key: str) -> None:
    """Note that a message needs to go to nobody any more."""
    connection.execute(_TELL, (user, key))


def bare(connection: sqlite3.Connection, user: UserId, key: str) -> None:
    """Have a message go without its files."""
    connection.execute(_BARE, (user, key))


def split(
    connection: sqlite3.Connection,
    user: UserId,
    key: str,
    parts: Mapping[str, Sequence[str]],
    *,
    tried: Collection[str],
    now: int,
) -> None:
    """Put several messages (recipients by key) in the place of one; those of `tried` were tried just now."""
    for name, recipients in parts.items():
        values = (user, key, name, json.dumps(recipients), name in tried, now)
        connection.execute(_SPLIT, values)
    drop(connection, user, key, now)


def drop(connection: sqlite3.Connection, user: UserId, key: str, now: int) -> None:
    """Forget all of a message but its key."""
    row = connection.execute(_MAIL, (user, key)).fetchone()
    connection.execute(_DROP, (now, user, key))
    if row is not None:
        connection.execute(_FORGET, row)


def prune(connection: sqlite3.Connection, before: int) -> None:
    """Forget the keys of messages dropped before that time (in milliseconds)."""
    connection.execute("DELETE FROM notice WHERE dropped < ?", (before,))
