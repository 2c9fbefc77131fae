"""Messages that a device moves from one mailbox to another, each once however often it asks.

MS-ASCMD 2.2.1.12.

1. What is about to be moved is journaled, with what the message is known by and where the target ends.
2. The messages are moved. Where the server does not tell their new UIDs, they are looked for behind that end.
3. Where they went is stored, in one transaction with what the device knows by that: once it has the answer,
   it holds each message in the target and not in the source. So its next Sync tells it neither, whichever of
   the two keys it comes with.

A repeated request finds the journal: the same answer, and the message is not moved again. After a crash
between 1 and 3 the message is found by its likeness behind the end that was noted, perhaps in both mailboxes.

A device takes along what it knows of a message. Between an answer that was lost and its repeat a Sync may
have told it of changes in the target, where it knew no such message yet: it passed over them. The flags it
took along are therefore journaled too. If those told since are others, it is told the whole message again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.errors import Kind, NotFound, UpstreamRefused
from gateway.ports import Clock, Mailboxes, State
from gateway.sync.beginnings import affected
from gateway.sync.cursor import MailCursor
from gateway.sync.leftovers import End, arrived, end_of, likenesses
from gateway.types import CollectionId, DeviceId, Move, SyncState, Uids, UserId

Message = tuple[int, int]
"""UIDVALIDITY and UID in the source."""

_UNKNOWN = 0
"""The UID of a message that was moved and not found where it went."""
_UNREAD = "unread "
"""Begins the likeness of a message that cannot be found where it went."""


@dataclass(frozen=True, slots=True)
class Place:
    """A collection and the mailbox that holds its messages."""

    collection: CollectionId
    mailbox: str


class MoveOutcome(StrEnum):
    """How the move of a message ended."""

    DONE = "done"
    NOT_FOUND = "not-found"
    NO_TARGET = "no-target"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a message. `uid` is its UID in the target, 0 when nobody knows."""

    outcome: MoveOutcome
    uidvalidity: int = 0
    uid: int = _UNKNOWN


class Mover:
    """Moves messages for one device."""

    def __init__(
        self, state: State, mailboxes: Mailboxes, clock: Clock, user: UserId, device: DeviceId
    ) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._clock = clock
        self._user = user
        self._device = device

    async def move(
        self, source: Place, target: Place, messages: Iterable[Message], *, told: bool = True
    ) -> Mapping[Message, Moved]:
        """Move messages; returns what became of each.

        `told` says that the device hears where each message went; otherwise its next Sync tells it. Raises
        `UpstreamError` when the upstream failed on the way: the request is then to be repeated as a whole.
        """
        asked = tuple(dict.fromkeys(messages))
        async with AsyncExitStack() as leases:
            for collection in sorted({source.collection, target.collection}):
                lease = self._state.lease(self._user, self._device, collection)
                await leases.enter_async_context(lease)
            journal = await self._state.load_moves(
                self._user, self._device, source.collection, target.collection, asked
            )
            done = {message: move for message, move in journal.items() if move.target_uid is not None}
            rest = [message for message in asked if message not in done]
            try:
                moved, outcome = await self._move(source, target, rest, journal)
            except NotFound:
                moved, outcome = {}, dict.fromkeys(rest, MoveOutcome.NO_TARGET)
            await self._carry_annotations(source, target, moved.values())
            states: Mapping[CollectionId, SyncState] = {}
            if told:
                moved, states = await self._after(source, target, moved, done)
            if moved or states:
                await self._state.finish_moves(self._user, self._device, moved.values(), states)
            done |= moved
        return {
            message: Moved(MoveOutcome.DONE, move.target_uidvalidity, move.target_uid or _UNKNOWN)
            if (move := done.get(message))
            else Moved(outcome[message])
            for message in asked
        }

    # --- upstream ------------------------------------------------------------------------------------------

    async def _move(
        self, source: Place, target: Place, messages: Sequence[Message], journal: Mapping[Message, Move]
    ) -> tuple[dict[Message, Move], dict[Message, MoveOutcome]]:
        """Move what was not moved yet; returns what is there now, and the outcomes of the others.

        Raises `NotFound` when there is no such target.
        """
        if not messages:
            return {}, {}
        end = await end_of(self._mailboxes, target.mailbox)
        begun = {  # where the target is another mailbox by now, it begins anew
            message: move
            for message in messages
            if (move := journal.get(message)) and move.target_uidvalidity == end.uidvalidity
        }
        there = await self._located(target, begun)
        try:
            view = await self._mailboxes.view(source.mailbox, exact=[uid for _, uid in messages])
        except NotFound:
            return there, _others(messages, there, Uids(), MoveOutcome.NOT_FOUND)
        uids = Uids(uid for uidvalidity, uid in messages if uidvalidity == view.uidvalidity) & view.uids
        copied = Uids(uid for uidvalidity, uid in there if uidvalidity == view.uidvalidity) & uids
        if copied:
            await self._mailboxes.expunge(source.mailbox, view.uidvalidity, copied)
        uids -= copied
        moves = {message: begun[message] for uid in uids if (message := (view.uidvalidity, uid)) in begun}
        if new := uids - Uids(uid for _, uid in moves):
            moves |= await self._begin(source, target, view.uidvalidity, new, end)
        went, outcome = await self._carry(source, target, view.uidvalidity, moves)
        left = Uids(uid for _, uid in moves.keys() - went.keys())
        if left and outcome is MoveOutcome.LATER:  # or somebody else was faster
            now = await self._mailboxes.view(source.mailbox, exact=left)
            left = left & now.uids if now.uidvalidity == view.uidvalidity else Uids()
        return there | went, _others(messages, there | went, left, outcome)

    async def _begin(
        self, source: Place, target: Place, uidvalidity: int, uids: Uids, end: End
    ) -> dict[Message, Move]:
        """Journal what is about to be moved to a target that ends there."""
        now = self._clock.now()
        # One that the server cannot show can be moved; it is like no other.
        alike = {uid: f"{_UNREAD}{uid}" for uid in uids}
        alike |= await likenesses(self._mailboxes, source.mailbox, uidvalidity, uids)
        made = {
            (uidvalidity, uid): Move(
                source=source.collection,
                uidvalidity=uidvalidity,
                uid=uid,
                target=target.collection,
                likeness=likeness,
                target_uidvalidity=end.uidvalidity,
                target_uidnext=end.next_uid,
                began=now,
            )
            for uid, likeness in alike.items()
        }
        await self._state.begin_moves(self._user, self._device, made.values())
        return made

    async def _carry(
        self, source: Place, target: Place, uidvalidity: int, moves: Mapping[Message, Move]
    ) -> tuple[dict[Message, Move], MoveOutcome]:
        """Move messages; returns those that went, and what to say of others that are still there.

        A server that does not tell where they went may say OK though there were none: only what is found
        there went, or may have gone if nobody could find it.
        """
        if not moves:
            return {}, MoveOutcome.NOT_FOUND
        uids = Uids(uid for _, uid in moves)
        try:
            told = await self._mailboxes.move(source.mailbox, uidvalidity, uids, target.mailbox)
        except NotFound:
            return {}, MoveOutcome.NO_TARGET
        except UpstreamRefused as error:
            later = error.kind is Kind.SERVER_ERROR_RETRY
            return {}, MoveOutcome.LATER if later else MoveOutcome.REFUSED
        went = {(uidvalidity, uid): moves[uidvalidity, uid] for uid in told}
        known = {m: replace(move, target_uid=told[m[1]]) for m, move in went.items() if told[m[1]]}
        unknown = {m: move for m, move in went.items() if m not in known}
        unread = {m: move for m, move in unknown.items() if move.likeness.startswith(_UNREAD)}
        lost = {m: replace(move, target_uid=_UNKNOWN) for m, move in unread.items()}
        return known | lost | await self._located(target, unknown), MoveOutcome.LATER

    async def _located(self, target: Place, moves: Mapping[Message, Move]) -> dict[Message, Move]:
        """Those of the moves whose messages are in the target, with their UIDs there."""
        groups: defaultdict[tuple[int, End], dict[int, Move]] = defaultdict(dict)
        for (uidvalidity, uid), move in moves.items():
            groups[uidvalidity, End(move.target_uidvalidity, move.target_uidnext)][uid] = move
        found: dict[Message, Move] = {}
        for (uidvalidity, end), group in groups.items():
            wanted = {uid: move.likeness for uid, move in group.items()}
            for uid, there in (await arrived(self._mailboxes, target.mailbox, end, wanted)).items():
                found[uidvalidity, uid] = replace(group[uid], target_uid=there)
        return found

    # --- what is known by that ------------------------------------------------------------------------------

    async def _after(
        self,
        source: Place,
        target: Place,
        moved: Mapping[Message, Move],
        before: Mapping[Message, Move],
    ) -> tuple[dict[Message, Move], dict[CollectionId, SyncState]]:
        """The states of a device that has dropped the messages here and holds them there.

        Returns first what was `moved`, with the flags it takes along. Of those it was told of `before`, by an
        answer it may not have got, it may have dropped some since, as Sync told it or because it began anew,
        and has them again by this answer: unless this is a late copy of a request, that nobody hears.
        """
        left, entered = [
            await self._state.load_sync(self._user, self._device, place.collection)
            for place in (source, target)
        ]
        known = _Known(left)
        taken = {message: replace(move, flags=known.flags(*message)) for message, move in moved.items()}
        changed: dict[CollectionId, SyncState] = {}
        if left is not None and taken:
            changed[source.collection] = _affected(left, _leaving(taken))
        if entered is not None and (taken or before):
            annotated = await self._annotated(target, before.values()) if entered.annotations else frozenset()
            after = _affected(_affected(entered, _entering(taken)), _asking_again(before, annotated))
            if after != entered:
                changed[target.collection] = after
        return taken, changed

    async def _annotated(self, target: Place, moves: Iterable[Move]) -> frozenset[Message]:
        """Messages of the target (UIDVALIDITY and UID) with annotations that came along or changed there."""
        found: set[Message] = set()
        for uidvalidity in {move.target_uidvalidity for move in moves}:
            changed = await self._state.changed_annotations(self._user, target.collection, uidvalidity, 0)
            found |= {(uidvalidity, uid) for uid, _ in changed}
        return frozenset(found)

    async def _carry_annotations(self, source: Place, target: Place, moves: Iterable[Move]) -> None:
        groups: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        for move in moves:
            if move.target_uid:
                groups[move.uidvalidity, move.target_uidvalidity][move.uid] = move.target_uid
        for (before, after), uids in groups.items():
            here, there = (source.collection, before), (target.collection, after)
            await self._state.move_annotations(self._user, here, there, uids)


_Effect = Callable[[MailCursor], MailCursor]


def _leaving(moves: Mapping[Message, Move]) -> _Effect:
    def effect(cursor: MailCursor) -> MailCursor:
        return cursor.without(Uids(uid for uidvalidity, uid in moves if uidvalidity == cursor.uidvalidity))

    return effect


class _Known:
    """What a device knows of the messages it moves: it takes their flags along."""

    def __init__(self, state: SyncState | None) -> None:
        self._now = MailCursor.unpack(state.cursor if state else b"")
        self._before = MailCursor.unpack((state.previous if state else None) or b"")

    def flags(self, uidvalidity: int, uid: int) -> frozenset[str] | None:
        """The flags it believes a message to have.

        None when that cannot be told: the two generations differ, or it is to be told the message again.
        """
        now, before = self._now, self._before
        if uidvalidity != now.uidvalidity or uid not in now.uids or uid in now.stubs:
            return None
        flags = now.flags_of(uid)
        if uidvalidity == before.uidvalidity and uid in before.uids and before.flags_of(uid) != flags:
            return None
        return flags


def _entering(moves: Mapping[Message, Move]) -> _Effect:
    def effect(cursor: MailCursor) -> MailCursor:
        for move in moves.values():
            if not (there := move.target_uid):
                continue
            # It may have been told nothing yet, or the mailbox was not there then, or is another one by now.
            cursor = cursor.rebased(move.target_uidvalidity)
            if there not in cursor.uids:
                cursor = cursor.with_message(there, move.flags or ())
                told_whole = move.flags is None
            else:  # told by a Sync since an attempt that was cut off
                told_whole = move.flags is not None and move.flags != cursor.flags_of(there)
            if told_whole:
                cursor = _renewing(cursor, there)
        return cursor

    return effect


def _asking_again(moves: Mapping[Message, Move], annotated: Collection[Message]) -> _Effect:
    def effect(cursor: MailCursor) -> MailCursor:
        for move in moves.values():
            if not (there := move.target_uid):
                continue
            if move.target_uidvalidity != cursor.uidvalidity or there not in cursor.uids:
                cursor = cursor.doubting(move.target_uidvalidity, Uids((there,)))
            elif move.flags != cursor.flags_of(there) or (move.target_uidvalidity, there) in annotated:
                cursor = _renewing(cursor, there)
        return cursor

    return effect


def _renewing(cursor: MailCursor, uid: int) -> MailCursor:
    """The cursor of a device that is to be told a whole message, as one that was shown as a stub."""
    return replace(cursor, stubs=cursor.stubs | Uids((uid,)))


def _affected(state: SyncState, effect: _Effect) -> SyncState:
    """The state after an effect on all it may stand for: the device may come with any of its keys."""

    def after(data: bytes) -> bytes:
        before = MailCursor.unpack(data)
        changed = effect(before)
        return data if changed == before else replace(changed, version="").pack()

    previous = None if state.previous is None else after(state.previous)
    return affected(replace(state, cursor=after(state.cursor), previous=previous), after)


def _others(
    messages: Iterable[Message], done: Mapping[Message, Move], left: Uids, outcome: MoveOutcome
) -> dict[Message, MoveOutcome]:
    """The outcomes of what did not go: `outcome` for those that are still there."""
    return {
        message: outcome if message[1] in left else MoveOutcome.NOT_FOUND
        for message in messages
        if message not in done
    }
