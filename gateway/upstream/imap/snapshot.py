"""A mailbox's content at one moment, and how it is brought up to date in as few octets as the server allows.

With QRESYNC (RFC 7162) one SELECT tells all changes since the last modseq. With CONDSTORE alone, SELECT
tells whether anything changed, FETCH CHANGEDSINCE the flags, and a search what is gone. Without either, or
for a mailbox without modseqs, everything is listed each time: sets of UIDs by ESEARCH (RFC 4731), else
FETCH FLAGS.

Modseqs are only ever used to ask for differences from a full listing, never for the listing itself: after a
migration all messages may have the same one. The base of the next difference is what SELECT said, before
anything was listed, so that a change during the listing is told twice rather than never. A sum that does
not fit (EXISTS) leads to a full listing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType

from pyroaring import BitMap

from gateway.errors import NotFound, UpstreamConfused, UpstreamRefused
from gateway.types import ANSWERED, DELETED, FLAGGED, FORWARDED, SEEN, TRACKED_FLAGS, MailboxView, Uids
from gateway.upstream.imap import commands, search_keys
from gateway.upstream.imap.exchange import Reply
from gateway.upstream.imap.listing import exists as mailbox_exists
from gateway.upstream.imap.responses import Fetch, Vanished
from gateway.upstream.imap.search import search_many
from gateway.upstream.imap.selected import Selected
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.sets import MAX_NUMBER

MAX_MESSAGES = 10_000_000
"""More than any real mailbox has; a server that claims more is not believed."""

ATTEMPTS = 3
"""How often a listing is repeated because the mailbox changed meanwhile."""

KEYS = {
    SEEN: search_keys.key("SEEN"),
    FLAGGED: search_keys.key("FLAGGED"),
    ANSWERED: search_keys.key("ANSWERED"),
    FORWARDED: search_keys.key_flag("KEYWORD", FORWARDED),
    DELETED: search_keys.key("DELETED"),
}


@dataclass(frozen=True)
class Snapshot:
    """All messages, those with each of `TRACKED_FLAGS` and \\Deleted, and what SELECT said of the mailbox."""

    uidvalidity: int
    uidnext: int
    exists: int
    modseq: int | None
    all: Uids
    flags: Mapping[str, Uids]

    @cached_property
    def view(self) -> MailboxView:
        """What the rest of the gateway sees of it."""
        deleted = self.flags[DELETED]
        flags = {flag: self.flags[flag] - deleted for flag in TRACKED_FLAGS}
        return MailboxView(self.uidvalidity, self._version, self.all - deleted, MappingProxyType(flags))

    @property
    def _version(self) -> str:
        if self.modseq is not None:
            # New mail and flags raise the modseq; where expunging does not, it lowers the count.
            return f"{self.uidvalidity}.{self.modseq}.{self.uidnext}.{self.exists}"
        digest = hashlib.blake2b(digest_size=16)
        for uids in (self.all, *(self.flags[flag] for flag in KEYS)):
            # The serialised form of equal bitmaps may differ, the members do not.
            digest.update(len(uids).to_bytes(4, "big") + uids.to_array().tobytes())
        return f"{self.uidvalidity}.{digest.hexdigest()}"

    @property
    def cost(self) -> int:
        """About how many octets of memory it takes."""
        # Two octets for a UID in a bitmap, and most are in those of the view once more.
        return 2048 + 4 * (len(self.all) + sum(map(len, self.flags.values())))


async def refresh(session: Session, mailbox: str, known: Snapshot | None) -> Snapshot:
    """The mailbox as it is now. Leaves it selected. Raises `NotFound` and `UpstreamError`."""
    for _ in range(ATTEMPTS):
        known = await _refresh_once(session, mailbox, known)
        if session.selected is None or not session.selected.changes or known.modseq is None:
            break
    assert known is not None
    return known


async def select(
    session: Session, mailbox: str, *, qresync: tuple[int, int] | None = None
) -> tuple[Reply, Selected]:
    """SELECT with what the server has of CONDSTORE. Raises `NotFound` and `UpstreamError`."""
    condstore = "CONDSTORE" in session.capabilities and not session.enabled & {"CONDSTORE", "QRESYNC"}
    try:
        reply = await session.select(mailbox, qresync=qresync, condstore=condstore)
    except UpstreamRefused as error:
        if error.code == "NONEXISTENT" or not await mailbox_exists(session, mailbox):
            raise NotFound(f"mailbox: {error.detail}") from error
        raise
    if session.selected is None or not session.selected.uidvalidity:
        raise session.confused("SELECT told no UIDVALIDITY")
    return reply, session.selected


async def _refresh_once(session: Session, mailbox: str, known: Snapshot | None) -> Snapshot:
    incremental = "QRESYNC" in session.enabled
    qresync = (known.uidvalidity, known.modseq) if incremental and known and known.modseq else None
    reply, selected = await select(session, mailbox, qresync=qresync)
    if (
        known is not None
        and known.modseq is not None
        and selected.modseq is not None
        and selected.uidvalidity == known.uidvalidity
        and selected.modseq >= known.modseq
    ):
        if _same(known, selected):
            return known
        if qresync:
            changed = _with_changes(known, selected, reply.of(Fetch), reply.of(Vanished))
        else:
            changed = await _difference(session, selected, known)
        if len(changed.all) == selected.exists:
            return changed
    return await _list(session, selected)


def _same(known: Snapshot, selected: Selected) -> bool:
    base = (known.uidnext, known.exists, known.modseq)
    return base == (selected.uidnext, selected.exists, selected.modseq)


def _with_changes(
    known: Snapshot, selected: Selected, fetches: Iterable[Fetch], vanished: Iterable[Vanished]
) -> Snapshot:
    """`known` with what the server told since, and the sums of `selected`."""
    everything, flags = BitMap(known.all), {flag: BitMap(uids) for flag, uids in known.flags.items()}
    for gone in vanished:
        everything -= gone.uids
    for told in fetches:
        if told.uid is not None and told.flags is not None:
            everything.add(told.uid)
            for flag, uids in flags.items():
                uids.add(told.uid) if flag in told.flags else uids.discard(told.uid)
    return _snapshot(selected, everything, flags)


def _snapshot(selected: Selected, everything: BitMap | Uids, flags: Mapping[str, BitMap | Uids]) -> Snapshot:
    if len(everything) > MAX_MESSAGES:
        raise UpstreamConfused("a mailbox with too many messages")
    return Snapshot(
        selected.uidvalidity,
        selected.uidnext,
        selected.exists,
        selected.modseq,
        Uids(everything),
        MappingProxyType({flag: Uids(uids & everything) for flag, uids in flags.items()}),
    )


async def _difference(session: Session, selected: Selected, known: Snapshot) -> Snapshot:
    """CONDSTORE without QRESYNC: flags by modseq; who is gone shows in the sum and is then searched for."""
    [command] = commands.uid_fetch(_any_uid(selected), ["FLAGS"], changed_since=known.modseq)
    base = replace(selected)
    reply = await session.execute(command)
    changed = _with_changes(known, base, reply.of(Fetch), ())
    if len(changed.all) == base.exists:
        return changed
    survivors = (await search_many(session, [(search_keys.key("ALL"),)]))[0]
    return _with_changes(changed, base, (), [Vanished(Uids(changed.all - survivors))])


async def _list(session: Session, selected: Selected) -> Snapshot:
    base = replace(selected)
    if not base.exists:
        return _snapshot(base, BitMap(), {flag: BitMap() for flag in KEYS})
    if "ESEARCH" in session.capabilities:
        everything, *sets = await search_many(
            session, [(search_keys.key("ALL"),), *((key,) for key in KEYS.values())]
        )
        return _snapshot(base, everything, dict(zip(KEYS, sets, strict=True)))
    [command] = commands.uid_fetch(_any_uid(selected), ["FLAGS"])
    reply = await session.execute(command)
    empty = Snapshot(0, 0, 0, None, Uids(), {flag: Uids() for flag in KEYS})
    return _with_changes(empty, base, reply.of(Fetch), ())


def _any_uid(selected: Selected) -> range:
    """Every UID the mailbox can have."""
    if not selected.uidnext:
        return range(1, MAX_NUMBER + 1)
    return range(1, max(selected.uidnext, selected.exists + 1))
