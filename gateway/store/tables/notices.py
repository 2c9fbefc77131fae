"""Scheduling messages that are to be mailed, as transactions. `now` is in milliseconds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet

from gateway.items import FileInfo, Notice, NoticeFile, PendingNotice
from gateway.store.tables.times import from_milliseconds
from gateway.store.transactions import Dialects, Transaction, single
from gateway.types import UserId

__all__ = ["add", "are_pending", "bare", "drop", "note_attempt", "note_told", "prune", "split", "take"]

_ADD = """
    INSERT INTO notice ("user", key, recipients, event) VALUES (?, ?, ?, ?)
    ON CONFLICT ("user", key) DO NOTHING RETURNING id
"""
_ADD_MAIL = "INSERT INTO notice_mail (message) VALUES (?) RETURNING id"
_PUT = "UPDATE notice SET mail = ?, place = ? WHERE id = ?"
_ADD_FILE = """
    INSERT INTO notice_file (mail, position, file, content_id, inline)
    SELECT cast(? AS bigint), cast(? AS bigint), item_file.number, cast(? AS text), cast(? AS bigint)
    FROM item_file CROSS JOIN item
    WHERE item_file.number = ? AND item.number = item_file.item AND folder = ?
"""
_ARE_PENDING = 'SELECT 1 FROM notice WHERE "user" = ? AND dropped IS NULL LIMIT 1'
_CANDIDATES = Dialects(
    sqlite="""
        SELECT id, recipients, event, place FROM notice
        WHERE user = ?1 AND dropped IS NULL AND key NOT IN (SELECT value FROM json_each(?2))
        ORDER BY turn, place, id
    """,
    postgres="""
        SELECT id, recipients, event, place FROM notice
        WHERE "user" = $1 AND dropped IS NULL AND key <> ALL ($2::text[])
        ORDER BY turn, place, id
    """,
)
_EARLIER = """
    SELECT recipients FROM notice WHERE "user" = ? AND event = ? AND place < ? AND dropped IS NULL
"""
_LOAD = """
    SELECT key, recipients, message, event, apart, bare, tried, mail
    FROM notice CROSS JOIN notice_mail WHERE notice_mail.id = mail AND notice.id = ?
"""
_FILES = """
    SELECT number, content_id, inline, name, content_type, size
    FROM notice_file CROSS JOIN item_file WHERE number = file AND mail = ? ORDER BY position
"""
_NEXT_TURN = '(SELECT max(turn) + 1 FROM notice WHERE "user" = ?1 AND dropped IS NULL)'
_TRY = f"""
    UPDATE notice SET tried = coalesce(tried, ?3), turn = {_NEXT_TURN}
    WHERE "user" = ?1 AND key = ?2 AND dropped IS NULL
"""  # noqa: S608 - made of constants
_TELL = """
    UPDATE notice SET recipients = '[]', tried = NULL WHERE "user" = ? AND key = ? AND dropped IS NULL
"""
_BARE = 'UPDATE notice SET bare = 1 WHERE "user" = ? AND key = ? AND dropped IS NULL'
_SPLIT = f"""
    INSERT INTO notice ("user", key, recipients, mail, event, place, tried, turn, apart, bare)
    SELECT "user", cast(?3 AS text), cast(?4 AS text), mail, event, place,
        CASE WHEN cast(?5 AS bigint) = 1 THEN coalesce(tried, ?6) ELSE tried END,
        CASE WHEN cast(?5 AS bigint) = 1 THEN {_NEXT_TURN} ELSE turn END, 1, bare FROM notice
    WHERE "user" = ?1 AND key = ?2 AND dropped IS NULL
"""  # noqa: S608 - made of constants
_DROP = """
    UPDATE notice SET dropped = ?, recipients = '[]', mail = NULL
    WHERE "user" = ? AND key = ? AND dropped IS NULL
"""
_MAIL = 'SELECT mail FROM notice WHERE "user" = ? AND key = ? AND dropped IS NULL'
_FORGET = "DELETE FROM notice_mail WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM notice WHERE mail = ?1)"


async def add(transaction: Transaction, user: UserId, notice: Notice, folder: int) -> None:
    """Store a message, unless its key is known; with files of items in the folder and no others."""
    row = (user, notice.key, json.dumps(notice.recipients), notice.event)
    added = await transaction.row(_ADD, row)
    if added is None:
        return
    stored = await transaction.row(_ADD_MAIL, (notice.message,))
    assert stored is not None
    mail, place = stored[0], added[0]  # ids grow
    await transaction.run(_PUT, (mail, place, added[0]))
    for position, file in enumerate(notice.files):
        values = (mail, position, file.content_id, int(file.inline), file.number, folder)
        await transaction.run(_ADD_FILE, values)


async def are_pending(transaction: Transaction, user: UserId) -> bool:
    """Whether there are messages of a user that were not dropped."""
    return await transaction.row(_ARE_PENDING, (user,)) is not None


async def take(transaction: Transaction, user: UserId, without: Collection[str]) -> PendingNotice | None:
    """The message to be mailed next. See `ports.Notices.next_notice`."""
    for number, recipients, event, place in await transaction.rows(_CANDIDATES, (user, list(without))):
        told = json.loads(recipients)
        waiting = await _waiting(transaction, told, (user, event, place)) if event else frozenset()
        free = tuple(one for one in told if one.lower() not in waiting)
        if free or not told:
            return await _load(transaction, number, free)
    return None


async def _waiting(
    transaction: Transaction, recipients: Sequence[str], before: tuple[UserId, str, int]
) -> AbstractSet[str]:
    """Those (in lower case) for whom a message of a user about an event waits that has an earlier place."""
    wanted = {one.lower() for one in recipients}
    found: set[str] = set()
    for (told,) in await transaction.rows(_EARLIER, before):
        found |= wanted.intersection(one.lower() for one in json.loads(told))
        if found == wanted:  # as nearly always: it is for the same people
            break
    return found


async def _load(transaction: Transaction, number: int, free: Sequence[str]) -> PendingNotice | None:
    row = await transaction.row(_LOAD, (number,))
    if row is None:  # dropped meanwhile
        return None
    key, recipients, message, event, apart, bared, tried, mail = row
    files = [] if bared else list(await transaction.rows(_FILES, (mail,)))
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


@single
async def note_attempt(transaction: Transaction, user: UserId, key: str, now: int) -> None:
    """Note that a message could not be mailed now; of several times the first one is kept."""
    await transaction.run(_TRY, (user, key, now))


@single
async def note_told(transaction: Transaction, user: UserId, key: str) -> None:
    """Note that a message needs to go to nobody any more."""
    await transaction.run(_TELL, (user, key))


async def bare(transaction: Transaction, user: UserId, key: str) -> None:
    """Have a message go without its files."""
    await transaction.run(_BARE, (user, key))


async def split(
    transaction: Transaction,
    user: UserId,
    key: str,
    parts: Mapping[str, Sequence[str]],
    *,
    tried: Collection[str],
    now: int,
) -> None:
    """Put several messages (recipients by key) in the place of one; those of `tried` were tried just now."""
    await transaction.alone(_of(user))
    for name, recipients in parts.items():
        values = (user, key, name, json.dumps(recipients), int(name in tried), now)
        await transaction.run(_SPLIT, values)
    await drop(transaction, user, key, now)


async def drop(transaction: Transaction, user: UserId, key: str, now: int) -> None:
    """Forget all of a message but its key."""
    await transaction.alone(_of(user))  # others of the same mail may go, too
    row = await transaction.row(_MAIL, (user, key))
    await transaction.run(_DROP, (now, user, key))
    if row is not None:
        await transaction.run(_FORGET, (row[0],))


async def prune(transaction: Transaction, before: int) -> None:
    """Forget the keys of messages dropped before that time (in milliseconds)."""
    await transaction.run("DELETE FROM notice WHERE dropped < ?", (before,))


def _of(user: UserId) -> str:
    return f"notices {user}"
