"""Client operations on the messages of one mailbox: carried out upstream once, also when they are repeated.

Setting a flag twice changes nothing. A deletion is noted as an intent first: one repeated after a crash finds
it and is known to have worked, in part or whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Protocol

from gateway.errors import NotFound, UpstreamRefused
from gateway.mail.categories import keyword
from gateway.ports import Mailboxes, State
from gateway.sync.changes import Change, MessageChanges, Outcome, refusal
from gateway.sync.cursor import NO_UIDS, MailCursor
from gateway.sync.drafting import Add, DraftAnswer, Drafting, Edit
from gateway.sync.drafts import Drafts
from gateway.sync.leftovers import End, arrived, end_of, likenesses
from gateway.types import CATEGORY, FLAGGED, SEEN, CollectionId, DeviceId, MailboxView, Uids, UserId


@dataclass(frozen=True, slots=True)
class Delete:
    """The device deleted a message."""

    uidvalidity: int
    uid: int

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        return f"delete:{self.uidvalidity}.{self.uid}"


Operation = Change | Delete | Add | Edit


class _Identified(Protocol):
    @property
    def identity(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of operations: their `outcomes` in order, and what `MessageChanges` tells beside them.

    `drafts` are the answers to Adds and Edits, by identity.
    """

    outcomes: Sequence[Outcome]
    saved: Mapping[tuple[int, str], int]
    beside: Mapping[int, frozenset[str]]
    drafts: Mapping[str, DraftAnswer]


class MailOperations:
    """Carries out one device's operations on one mailbox.

    `trash` is None when there is no such mailbox, and `drafts` where no drafts are made.
    """

    def __init__(
        self,
        state: State,
        mailboxes: Mailboxes,
        *,
        user: UserId,
        device: DeviceId,
        collection: CollectionId,
        mailbox: str,
        trash: str | None,
        trash_collection: CollectionId | None = None,
        drafts: Drafts | None = None,
    ) -> None:
        self._drafts = drafts
        self._state = state
        self._mailboxes = mailboxes
        self._user = user
        self._device = device
        self._collection = collection
        self._mailbox = mailbox
        self._trash = trash
        self._trash_collection = trash_collection
        self._changes = MessageChanges(state, mailboxes, user=user, collection=collection, mailbox=mailbox)

    async def apply(
        self, operations: Sequence[Operation], view: MailboxView, how: Drafting, *, deletes_as_moves: bool
    ) -> Applied:
        """Carry out operations upstream, in a mailbox seen as `view` a moment ago, exact for what they name.

        Raises `UpstreamError` when the upstream failed on the way: the request is then to be repeated as a
        whole.
        """
        deletes = [operation for operation in operations if isinstance(operation, Delete)]
        gone = {(operation.uidvalidity, operation.uid) for operation in deletes}
        answers: Mapping[str, DraftAnswer] = {}
        writes = [one for one in operations if isinstance(one, Add | Edit) and not _in_vain(one, gone)]
        if writes and self._drafts is not None:
            answers = await self._drafts.apply(writes, how)
            named = [answer.uid for answer in answers.values() if answer.uid]
            named += [one.uid for one in operations if not isinstance(one, Add)]
            view = await self._mailboxes.view(self._mailbox, exact=named)
        changes = [
            change
            for operation in operations
            if (change := flag_change(operation, answers, view.uidvalidity)) is not None
            and (change.uidvalidity, change.uid) not in gone
        ]
        changed = await self._changes.apply(changes, view)
        outcomes = changed.outcomes | await self._delete(deletes, view, how.key, as_moves=deletes_as_moves)
        outcomes |= {identity: answer.outcome for identity, answer in answers.items()}
        for operation in operations:  # a Change of a message deleted in the same request: Delete wins
            outcomes.setdefault(operation.identity, Outcome.DONE)
        told = [outcomes[operation.identity] for operation in operations]
        return Applied(told, changed.saved, changed.beside, answers)

    async def _delete(
        self, deletes: Sequence[Delete], view: MailboxView, key: str, *, as_moves: bool
    ) -> dict[str, Outcome]:
        if not deletes:
            return {}
        stored = await self._state.load_intents(self._user, self._device, self._collection)
        # Earlier releases noted deletions without the key.
        intents = {name.removeprefix(f"{key} "): value for name, value in stored.items()}
        present = Uids(
            delete.uid
            for delete in deletes
            if delete.uidvalidity == view.uidvalidity and delete.uid in view.uids
        )
        gone, outcome = NO_UIDS, Outcome.NOT_FOUND
        if present:
            end = await self._end_of_trash() if as_moves else b""
            new = {d.identity: end for d in deletes if d.uid in present and d.identity not in intents}
            if new:
                named = {f"{key} {identity}": value for identity, value in new.items()}
                await self._state.save_intents(self._user, self._device, self._collection, named)
            begun = {
                d.uid: intents[d.identity] for d in deletes if d.uid in present and d.identity in intents
            }
            gone, outcome = await self._remove(view.uidvalidity, present, begun, as_moves=as_moves)
        return {
            delete.identity: Outcome.DONE
            if delete.uid in gone or (delete.identity in intents and delete.uid not in present)
            else (outcome if delete.uid in present else Outcome.NOT_FOUND)
            for delete in deletes
        }

    async def _end_of_trash(self) -> bytes:
        """Where the trash ends, for the intents; b"" when nothing is to be moved there."""
        if self._trash is None or self._trash == self._mailbox:
            return b""
        try:
            return (await end_of(self._mailboxes, self._trash)).pack()
        except (NotFound, UpstreamRefused):  # what comes of it, the move itself will tell
            return b""

    async def _remove(
        self, uidvalidity: int, uids: Uids, begun: Mapping[int, bytes], *, as_moves: bool
    ) -> tuple[Uids, Outcome]:
        """Move to the trash or remove for good; returns what is gone, and why the rest is not.

        `begun` are those for which an earlier attempt was cut off, with where the trash ended before it.
        """
        try:
            if not as_moves or self._trash == self._mailbox:
                return await self._mailboxes.expunge(self._mailbox, uidvalidity, uids), Outcome.NOT_FOUND
            if self._trash is None:  # never remove for good what was to be moved
                return NO_UIDS, Outcome.REFUSED
            return await self._move(uidvalidity, uids, begun, self._trash), Outcome.NOT_FOUND
        except NotFound:
            return NO_UIDS, Outcome.NOT_FOUND
        except UpstreamRefused as error:
            return NO_UIDS, refusal(error)

    async def _move(self, uidvalidity: int, uids: Uids, begun: Mapping[int, bytes], trash: str) -> Uids:
        gone, mailboxes, box = NO_UIDS, self._mailboxes, self._mailbox
        moved: dict[int, int | None] = {}
        if copied := await self._copied(uidvalidity, begun, trash):
            gone = await mailboxes.expunge(box, uidvalidity, copied)
            moved |= {uid: new for uid, new in copied.items() if uid in gone}
        if rest := uids - gone:
            moved |= await mailboxes.move(box, uidvalidity, rest, trash)
        await self._carry_annotations(uidvalidity, moved)
        return Uids(moved)

    async def _carry_annotations(self, uidvalidity: int, moved: Mapping[int, int | None]) -> None:
        """Have what is known of messages follow them to the trash, if the server tells their UIDs there."""
        uids = {uid: new for uid, new in moved.items() if new is not None}
        if not uids or self._trash_collection is None or self._trash is None:
            return
        known = await self._state.load_annotations(self._user, self._collection, uidvalidity, uids)
        if known:
            there = (await self._mailboxes.next_uid(self._trash))[0]
            await self._state.move_annotations(
                self._user,
                (self._collection, uidvalidity),
                (self._trash_collection, there),
                {uid: uids[uid] for uid in known},
            )

    async def _copied(self, uidvalidity: int, begun: Mapping[int, bytes], trash: str) -> dict[int, int]:
        """Which of the messages have arrived in the trash by an attempt that was cut off, and as what."""
        copied: dict[int, int] = {}
        for value in set(begun.values()):
            if (end := End.unpack(value)) is not None:
                uids = [uid for uid in begun if begun[uid] == value]
                wanted = await likenesses(self._mailboxes, self._mailbox, uidvalidity, uids)
                copied |= await arrived(self._mailboxes, trash, end, wanted)
        return copied


def _in_vain(operation: Add | Edit, gone: Collection[tuple[int, int]]) -> bool:
    """Whether a draft is deleted in the request that edits it."""
    return (
        isinstance(operation, Edit) and not operation.send and (operation.uidvalidity, operation.uid) in gone
    )


def flag_change(operation: Operation, answers: Mapping[str, DraftAnswer], uidvalidity: int) -> Change | None:
    """What an operation does to the flags of a message; None for nothing, or if the message is not there."""
    if isinstance(operation, Delete):
        return None
    if isinstance(operation, Change):
        return operation
    answer = answers.get(operation.identity)
    if answer is None or answer.outcome is not Outcome.DONE or not answer.uid:
        return None
    change = replace(operation.change, uidvalidity=uidvalidity, uid=answer.uid)
    return None if change == Change(uidvalidity, answer.uid) else change


def effect(cursor: MailCursor, operation: Operation, answer: DraftAnswer | None = None) -> MailCursor:
    """What the device believes after it did the operation.

    A device keeps its own change even when told that it failed, so the cursor takes it over whatever the
    outcome: the difference to the mailbox then puts the device right (a message it failed to delete is
    added again). A draft it has in the version that it was answered.
    """
    if isinstance(operation, Delete):
        if operation.uidvalidity == cursor.uidvalidity:
            cursor = replace(cursor.without(Uids((operation.uid,))), version="")
        return cursor
    if isinstance(operation, Add | Edit):
        cursor = _with_draft(cursor, operation, answer)
        change = flag_change(operation, {operation.identity: answer} if answer else {}, cursor.uidvalidity)
        return cursor if change is None else _with_change(cursor, change)
    return _with_change(cursor, operation)


def _with_draft(cursor: MailCursor, operation: Add | Edit, answer: DraftAnswer | None) -> MailCursor:
    if answer is None or answer.outcome is not Outcome.DONE or not answer.uid:
        return replace(cursor, version="")
    if isinstance(operation, Add) and answer.uid not in cursor.uids:
        cursor = cursor.with_message(answer.uid, () if operation.change.read is False else (SEEN,))
    editions = {**cursor.editions, answer.uid: answer.edition} if answer.edition else cursor.editions
    return replace(cursor, editions=editions, version="")


def _with_change(cursor: MailCursor, change: Change) -> MailCursor:
    if change.uidvalidity != cursor.uidvalidity:
        return cursor
    one = Uids((change.uid,))
    if change.read is not None:
        cursor = cursor.marked(SEEN, one, on=change.read)
    if change.flagged is not None:
        cursor = cursor.marked(FLAGGED, one, on=change.flagged)
    if change.categories is not None:
        wanted = {CATEGORY + name for name in change.categories if keyword(name)}
        for name in wanted.union(name for name in cursor.flags if name.startswith(CATEGORY)):
            cursor = cursor.marked(name, one, on=name in wanted)
    return replace(cursor, version="")


def names(operations: Sequence[_Identified]) -> list[str]:
    """Under which name the outcome of each operation is recorded.

    A user may mark, unmark and mark again: the second mark is not a repetition of the first.
    """
    told: list[str] = []
    count: Counter[str] = Counter()
    for operation in operations:
        count[operation.identity] += 1
        number = count[operation.identity]
        told.append(operation.identity if number == 1 else f"{operation.identity}#{number}")
    return told


def fingerprint(contents: Mapping[str, str]) -> str:
    """What tells the operations of a request apart from those of any other.

    `contents` are by the names of the operations what these do not say of them.
    """
    named = json.dumps(sorted(contents.items()))
    return blake2b(named.encode(), digest_size=16).hexdigest()
