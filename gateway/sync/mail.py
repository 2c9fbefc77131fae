"""Sync of one mailbox with one device: client operations applied once, server changes told once, keys issued.

The order of steps makes every one of them repeatable:

1. The lease of the collection is taken: one request at a time works on it.
2. The key tells from which cursor to start (`keys.py`). A replay starts from `previous` and gets the
   recorded outcomes.
3. Deletions are noted as intents, then the operations go upstream. Setting a flag twice changes nothing; a
   deletion that is repeated after a crash finds its intent and is known to have worked, in part or whole.
   Intents belong to a key, and are kept until the device has proven the next one.
4. Server changes are the difference between the cursor and the mailbox view; the window's share is taken.
5. Old cursor, new cursor and outcomes are stored in one transaction. Only then is anything rendered: should
   that fail, the device repeats its key and gets the same answer from step 2.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from gateway.ports import Clock, Mailboxes, State
from gateway.sync import diff
from gateway.sync.annotations import noted
from gateway.sync.beginnings import answer_to, dropping_branches
from gateway.sync.changes import Outcome
from gateway.sync.conflict import Policy
from gateway.sync.cursor import NO_UIDS, MailCursor
from gateway.sync.diff import NOTHING, MailDelta
from gateway.sync.drafting import Add, DraftAnswer, Drafting
from gateway.sync.drafts import Drafts
from gateway.sync.keys import KeyUse, beginning, begun_anew, branched, classify, format_key, key_of
from gateway.sync.lapses import Lapses
from gateway.sync.mailreplay import Record, asking, believing, differs
from gateway.sync.operations import Applied, MailOperations, Operation, names
from gateway.sync.window import Window
from gateway.types import CollectionId, DeviceId, MailboxView, SyncState, Uids, UserId

_NO_ANSWERS: Mapping[str, DraftAnswer] = MappingProxyType({})
_NOTHING_DONE = Applied((), MappingProxyType({}), MappingProxyType({}), _NO_ANSWERS)
_EMPTY = MailboxView(uidvalidity=0, version="empty", uids=NO_UIDS, flags={})


def _no_filter(options: bytes) -> None:
    """Let all mail through."""


def _server_wins(options: bytes) -> Policy:  # noqa: ARG001
    return Policy.SERVER_WINS


def _in_full(options: bytes, rich: bool) -> None:
    """Show all of a text."""


@dataclass(frozen=True, slots=True)
class MailRequest:
    """What a device asks of a mail collection in one Sync.

    `limit` is the largest number of server changes wanted. `answered` says that the reply holds more than
    outcomes and changes (a fetched item, a refusal), and so needs a new key. `options` are the sticky options
    to store (None: keep those stored), opaque here; `since` reads the start of the filter window out of them,
    `policy` who wins a conflict, and `shown` how many octets of a text (rich or not) the device gets.
    """

    key: str
    operations: Sequence[Operation] = ()
    get_changes: bool = True
    limit: int = 100
    answered: bool = False
    since: Callable[[bytes], datetime | None] = _no_filter
    policy: Callable[[bytes], Policy] = _server_wins
    shown: Callable[[bytes, bool], int | None] = _in_full
    deletes_as_moves: bool = True
    options: bytes | None = None
    conversations: bool = False


@dataclass(frozen=True, slots=True)
class MailReply:
    """What to tell the device.

    `outcomes` are those of the request's operations, in order. `told` are the server changes; `before` is the
    cursor they start from and `after` the one with the flags they lead to. `more` says that further changes
    wait; `coming` are messages that the next reply will probably add. `options` are the sticky options in
    force. `drafts` are the answers to Adds and Edits, by identity.
    """

    use: KeyUse
    key: str = "0"
    outcomes: Sequence[Outcome] = ()
    before: MailCursor = field(default_factory=MailCursor)
    after: MailCursor = field(default_factory=MailCursor)
    told: MailDelta = NOTHING
    more: bool = False
    options: bytes = b""
    drafts: Mapping[str, DraftAnswer] = field(default_factory=dict)
    coming: Uids = NO_UIDS

    @property
    def silent(self) -> bool:
        """Whether there is nothing to say: no operation, no change, the key still the same."""
        return self.use is KeyUse.CURRENT and not self.outcomes and not len(self.told) and not self.more


class MailSync:
    """One device's sync of one mailbox.

    `mailbox` None is a folder that exists here only and holds nothing. `trash` is where deleted mail goes,
    None when there is no such mailbox. `drafts` are None where no drafts can be made.
    """

    def __init__(
        self,
        state: State,
        mailboxes: Mailboxes,
        *,
        user: UserId,
        device: DeviceId,
        collection: CollectionId,
        mailbox: str | None,
        trash: str | None,
        trash_collection: CollectionId | None = None,
        release: str,
        clock: Clock,
        drafts: Drafts | None = None,
    ) -> None:
        self._state = state
        self._lapses = Lapses(state, clock, user, collection)
        self._mailboxes = mailboxes
        self._user = user
        self._device = device
        self._collection = collection
        self._mailbox = mailbox or ""
        self._release = release
        self._operations = MailOperations(
            state,
            mailboxes,
            user=user,
            device=device,
            collection=collection,
            mailbox=self._mailbox,
            trash=trash,
            trash_collection=trash_collection,
            drafts=drafts,
        )

    async def run(self, request: MailRequest) -> MailReply:
        """Serve one request.

        Raises `UpstreamError`, and `NotFound` when the mailbox is gone; nothing is stored then.
        """
        async with self._state.lease(self._user, self._device, self._collection):
            stored = await self._state.load_sync(self._user, self._device, self._collection)
            use = classify(stored, request.key)
            if use is KeyUse.INITIAL:
                return await self._begin(stored, request)
            if stored is None or use is KeyUse.UNKNOWN:
                return MailReply(KeyUse.UNKNOWN)
            if use is KeyUse.REPLAY:
                return await self._replay(stored, request)
            if use is KeyUse.FRESH:  # proven, also when there is nothing to tell
                stored = await self._save(begun_anew(stored, request.key))
            return await self._advance(stored, request)

    async def _view(self, operations: Collection[Operation] = ()) -> MailboxView:
        """The mailbox now, for operations that are about to be compared with it."""
        if not self._mailbox:
            return _EMPTY
        named = [one.uid for one in operations if not isinstance(one, Add)]
        return await self._mailboxes.view(self._mailbox, exact=named)

    # --- key 0 -------------------------------------------------------------------------------------------

    async def _begin(self, stored: SyncState | None, request: MailRequest) -> MailReply:
        """Issue a first key."""
        await self._view()  # a mailbox that is not there must not get a key
        begun, key = beginning(stored, request.options or b"")
        await self._state.reset_sync(self._user, self._device, self._collection, begun)
        return MailReply(KeyUse.INITIAL, key)

    # --- the current key ---------------------------------------------------------------------------------

    async def _advance(self, stored: SyncState, request: MailRequest) -> MailReply:
        known = MailCursor.unpack(stored.cursor)
        options = stored.options if request.options is None else request.options
        view = await self._view(request.operations)
        base = known.rebased(view.uidvalidity)
        base = await noted(self._state, self._user, self._collection, base, newest=stored.annotations)
        if base.release != self._release:
            base = await self._with_stubs(base)
            if stored.cursor:  # stored with the next key only, since saving forgets the intents
                stored = replace(stored, cursor=base.pack())
        applied, before = _NOTHING_DONE, base
        if request.operations:
            applied, before, view = await self._apply(request, options, base, view)
        outcomes, drafts = applied.outcomes, applied.drafts
        told, after, coming = NOTHING, before, NO_UIDS
        if request.get_changes:
            told, after, coming = await self._changes(request, options, before, view)
        if stored.annotations:
            after = await self._lapses.forget(stored.annotations, before, after, told)
            await self._lapses.drop(base, after, view)
        if not outcomes and not len(told) and not request.answered:
            if after != known or options != stored.options:  # learnt, with nothing to tell: same key
                await self._save(replace(stored, cursor=after.pack(), options=options))
            return MailReply(KeyUse.CURRENT, format_key(stored), before=before, after=after, options=options)
        called = dict(zip(names(request.operations), request.operations, strict=True))
        done = dict(zip(called, outcomes, strict=True))
        record = Record(done, told.aged, told.noted, drafts, applied.beside, asking(called))
        issued = await self._save(
            replace(
                dropping_branches(stored),
                number=stored.number + 1,
                cursor=after.pack(),
                previous=stored.cursor,
                results=record.pack(),
                options=options,
            )
        )
        more = request.get_changes and not after.version
        return MailReply(
            KeyUse.CURRENT, format_key(issued), outcomes, before, after, told, more, options, drafts, coming
        )

    async def _with_stubs(self, cursor: MailCursor) -> MailCursor:
        """The cursor with those messages marked that another release could not show, to be told again."""
        stubs = NO_UIDS
        if cursor.uids:
            items = await self._state.poison_of_others(self._user, self._collection, self._release)
            named = (item.partition(".") for item in items)
            uids = (int(uid) for validity, _, uid in named if validity == str(cursor.uidvalidity))
            stubs = (cursor.stubs | Uids(uids)) & cursor.uids
        version = "" if stubs else cursor.version
        return replace(cursor, stubs=stubs, release=self._release, version=version)

    async def _changes(
        self, request: MailRequest, options: bytes, before: MailCursor, view: MailboxView
    ) -> tuple[MailDelta, MailCursor, Uids]:
        """Take this reply's share of the server changes.

        Returns it with the cursor it leads to, and what the next reply will probably add.
        """
        window = Window(request.since(options), request.conversations)
        if before.version == view.version and before.window == window:
            return NOTHING, before, NO_UIDS
        within = await window.members(self._mailboxes, self._mailbox, view.uidvalidity)
        delta = diff.compare(before, view, within)
        told = diff.take(delta, request.limit)
        after = diff.advance(before, view, told, complete=len(told) == len(delta))
        rest = MailDelta(added=delta.added - told.added)
        after = replace(after, since=window.since, conversations=window.conversations)
        return told, after, diff.take(rest, request.limit).added

    # --- the previous key --------------------------------------------------------------------------------

    async def _replay(self, stored: SyncState, request: MailRequest) -> MailReply:
        """Give the answer to the previous key again; operations that were not part of it are done now.

        Then it is another answer, with a key of its own: who goes on with the newest key did not get it. With
        fewer operations it is not: what became of the others is told.
        """
        record = Record.unpack(stored.results)
        options = stored.options if request.options is None else request.options
        called = dict(zip(names(request.operations), request.operations, strict=True))
        asked, key, after = asking(called), format_key(stored), MailCursor.unpack(stored.cursor)
        if (heard := answer_to(stored, asked)) is not None:
            key, after = key_of(heard), MailCursor.unpack(heard.cursor)
        elif asked != record.asked:
            record, after = await self._completed(request, options, after, record, called)
            if not record.later.isdisjoint(called):
                kept, key = branched(replace(stored, results=record.pack()), asked, after.pack(), options)
                await self._save(kept)
        # What came later may have been done before the key was answered, and be told with that answer.
        before = MailCursor.unpack(stored.previous or b"").rebased(after.uidvalidity)
        before = believing(before, request.operations, record)
        return MailReply(
            KeyUse.REPLAY,
            key,
            [record.outcomes[name] for name in called],
            before,
            after,
            diff.between(before, after, record.aged, record.noted),
            more=request.get_changes and not after.version,
            options=options,
            drafts=record.drafts,
        )

    async def _completed(
        self,
        request: MailRequest,
        options: bytes,
        cursor: MailCursor,
        record: Record,
        called: Mapping[str, Operation],
    ) -> tuple[Record, MailCursor]:
        """Do the operations of a repeated request that have no answer.

        Returns the record with theirs, and the cursor of a device that did all that were not in the first.
        """
        new = {
            name: operation
            for name, operation in called.items()
            if name not in record.outcomes or differs(operation, record.drafts.get(operation.identity))
        }
        known = [one for name, one in called.items() if name in record.later and name not in new]
        cursor = believing(cursor, known, record)
        if not new:
            return record, cursor
        rest = replace(request, operations=[*new.values()])
        view = await self._view(new.values())
        applied, cursor, _ = await self._apply(rest, options, cursor, view, record.drafts)
        completed = replace(
            record,
            outcomes={**record.outcomes, **dict(zip(new, applied.outcomes, strict=True))},
            drafts={**record.drafts, **applied.drafts},
            beside={**record.beside, **applied.beside},
            later=record.later.union(new),
        )
        return completed, cursor

    async def _apply(
        self,
        request: MailRequest,
        options: bytes,
        cursor: MailCursor,
        view: MailboxView,
        answers: Mapping[str, DraftAnswer] = _NO_ANSWERS,
    ) -> tuple[Applied, MailCursor, MailboxView]:
        """Carry out the operations; returns what became of them, the device's cursor, and a fresh view."""
        how = Drafting(request.key, cursor, request.policy(options), partial(request.shown, options), answers)
        applied = await self._operations.apply(
            request.operations, view, how, deletes_as_moves=request.deletes_as_moves
        )
        cursor = believing(cursor, request.operations, applied)
        if applied.saved:
            cursor = await noted(
                self._state,
                self._user,
                self._collection,
                cursor,
                newest=cursor.annotations,
                own=applied.saved,
            )
        fresh = await self._view()
        return applied, cursor.rebased(fresh.uidvalidity), fresh

    async def _save(self, state: SyncState) -> SyncState:
        """Store a state. Intents stay as long as the device may come with the key they belong to.

        This request need not be the one that began them: a copy of an earlier attempt, with fewer operations,
        may have been overtaken.
        """
        keys = [format_key(replace(state, number=number)) for number in (state.number, state.number - 1)]
        return await self._state.save_sync(
            self._user, self._device, self._collection, state, keep=[f"{key} " for key in keys]
        )
