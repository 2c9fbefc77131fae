"""A mailbox's content at one moment, and how it is brought up to date in as few octets as the server allows.

With QRESYNC (RFC 7162) one SELECT tells all changes since the last modseq. With CONDSTORE alone, SELECT
tells whether anything changed, FETCH CHANGEDSINCE the flags, and a search what is gone. Without either, or
for a mailbox without modseqs, everything is listed: sets of UIDs by ESEARCH (RFC 4731), else FETCH FLAGS; and
listed anew when the server tells of any change, and after `RESELECT_AFTER` at the latest. A connection that
comes from another mailbox learns from SELECT whether messages came or went, from STATUS how many are unread.
Keywords that are categories are listed like flags, at most `MAX_CATEGORIES` of them.

Modseqs are only ever used to ask for differences from a full listing, never for the listing itself: after a
migration all messages may have the same one. The base of the next difference is what SELECT said, before
anything was listed, so that a change during the listing is told twice rather than never. A sum that does
not fit (EXISTS) leads to a full listing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from pyroaring import BitMap

from gateway.errors import NotFound, UpstreamConfused, UpstreamRefused
from gateway.mail.categories import category
from gateway.types import (
    ANSWERED,
    CATEGORY,
    DELETED,
    FLAGGED,
    FORWARDED,
    SEEN,
    TRACKED_FLAGS,
    MailboxView,
    Uids,
)
from gateway.upstream.imap import commands, search_keys
from gateway.upstream.imap.exchange import Reply
from gateway.upstream.imap.listing import exists as mailbox_exists
from gateway.upstream.imap.responses import Condition, Fetch, Status, StatusData, Vanished
from gateway.upstream.imap.search import search_many
from gateway.upstream.imap.selected import Selected
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.sets import MAX_NUMBER

MAX_MESSAGES = 10_000_000
"""More than any real mailbox has; a server that claims more is not believed."""

MAX_CATEGORIES = 100
"""Keywords of one mailbox that are looked at: each costs a search when everything is listed."""

RESELECT_AFTER = 60.0
"""Seconds until a mailbox is selected again: not every server tells that it was deleted and made anew.
Without modseqs everything is listed then: of a change the server may have told among what we asked for, and
its STATUS shows no other flags than \\Seen."""

ATTEMPTS = 3
"""How often a listing is repeated because the mailbox changed meanwhile."""

NO_UIDS = Uids()

KEYS = {
    SEEN: search_keys.key("SEEN"),
    FLAGGED: search_keys.key("FLAGGED"),
    ANSWERED: search_keys.key("ANSWERED"),
    FORWARDED: search_keys.key_flag("KEYWORD", FORWARDED),
    DELETED: search_keys.key("DELETED"),
}


@dataclass(frozen=True)
class Snapshot:
    """All messages, those with each flag of `KEYS` and each keyword, and what SELECT said of the mailbox.

    `taken` is when that was, in the event loop's time; what was so long ago that it must not be relied upon
    without a look at the flags has -inf.
    """

    uidvalidity: int
    uidnext: int
    exists: int
    modseq: int | None
    all: Uids
    flags: Mapping[str, Uids]
    new_keywords: bool = True
    taken: float = field(default=float("-inf"), compare=False)

    @cached_property
    def view(self) -> MailboxView:
        """What the rest of the gateway sees of it."""
        deleted = self.flags[DELETED]
        flags = {flag: self.flags[flag] - deleted for flag in TRACKED_FLAGS}
        for flag, uids in self.flags.items():
            if flag not in KEYS and (there := uids - deleted) and (name := category(flag)):
                flags[CATEGORY + name] = flags.get(CATEGORY + name, Uids()) | there
        return MailboxView(
            self.uidvalidity,
            self.version,
            self.all - deleted,
            MappingProxyType(flags),
            self.new_keywords,
        )

    @cached_property
    def version(self) -> str:
        """Equal only for equal snapshots."""
        if self.modseq is not None:
            # New mail and flags raise the modseq; where expunging does not, it lowers the count.
            return f"{self.uidvalidity}.{self.modseq}.{self.uidnext}.{self.exists}"
        digest = hashlib.blake2b(digest_size=16)
        keywords = sorted(flag for flag in self.flags.keys() - KEYS.keys() if self.flags[flag])
        for uids in (self.all, *(self.flags[flag] for flag in (*KEYS, *keywords))):
            # The serialised form of equal bitmaps may differ, the members do not.
            digest.update(len(uids).to_bytes(4, "big") + uids.to_array().tobytes())
        digest.update("\0".join(keywords).encode("utf-8", "surrogateescape"))
        return f"{self.uidvalidity}.{digest.hexdigest()}"

    @property
    def cost(self) -> int:
        """About how many octets of memory it takes."""
        # Two octets for a UID in a bitmap, and most are in those of the view once more.
        return 2048 + 4 * (len(self.all) + sum(map(len, self.flags.values())))


async def refresh(session: Session, mailbox: str, known: Snapshot | None, exact: Uids = NO_UIDS) -> Snapshot:
    """The mailbox as it is now; leaves it selected. Raises `NotFound` and `UpstreamError`.

    Without modseqs flags may be those of `RESELECT_AFTER` seconds ago, but not of the messages in `exact`.
    """
    current = await _refreshed(session, mailbox, known)
    if current is known and current.modseq is None and (named := exact & current.all):
        return await _with_flags_of(session, current, named)
    return current


async def _refreshed(session: Session, mailbox: str, known: Snapshot | None) -> Snapshot:
    if known is not None:
        current = await _catch_up(session, mailbox, known)
        if current is not None:
            return current
    for _ in range(ATTEMPTS):
        known = await _refresh_once(session, mailbox, known)
        if session.selected is None or not session.selected.changes or known.modseq is None:
            break
    assert known is not None
    if session.selected is not None:
        session.selected.version = known.version
    return known


async def look(session: Session) -> bool:
    """Let the server tell what is new in the selected mailbox; False when it has to be selected again."""
    now, selected = asyncio.get_running_loop().time(), session.selected
    try:
        reply = await session.execute(commands.simple("NOOP"))
    except UpstreamRefused:
        return False
    if selected is not None:
        selected.looked = now
        if selected.modseq is None and any(reply.of(Fetch)):
            return False  # of which change this tells is not certain
    # Dovecot says so when the mailbox was deleted and another has its name.
    return all(status.status is Condition.OK for status in reply.of(Status))


async def _catch_up(session: Session, mailbox: str, known: Snapshot) -> Snapshot | None:
    """`known` with what the server told since, if the mailbox is still selected; None if that is not all."""
    selected = session.selected
    if selected is None or selected.mailbox != mailbox or selected.version != known.version:
        return None
    if not selected.exists:
        return None  # Cyrus shows a mailbox that was deleted as an empty one
    since = selected.since if known.modseq is not None else min(selected.since, known.taken)
    if asyncio.get_running_loop().time() - since > RESELECT_AFTER or not await look(session):
        return None
    if not selected.exists:
        return None  # emptied, or deleted
    if known.modseq is None:
        # Not every server tells when the mailbox goes.
        return known if not selected.changes and await _same_status(session, mailbox, known) else None
    if not selected.changes:
        return known
    if not known.uidnext:
        return None
    # Modseqs of what is asked for are not taken for the base of the next difference: at the moment of NOOP
    # everything below those it told was told, at any other moment that is not certain.
    news = selected.catch_up()
    fetches = [Fetch(0, uid, flags) for uid, flags in news.flags.items()]
    base = replace(selected, modseq=max(known.modseq, news.modseq), uidnext=known.uidnext)
    if base.exists > len(known.all - news.gone):
        [command] = commands.uid_fetch(range(known.uidnext, MAX_NUMBER + 1), ["FLAGS"])
        arrived = [told for told in (await session.execute(command)).of(Fetch) if told.uid is not None]
        fetches += arrived
        base.uidnext = max((told.uid + 1 for told in arrived if told.uid), default=known.uidnext)
    changed = _with_changes(known, base, fetches, [Vanished(Uids(news.gone))])
    if news.partial or len(changed.all) != base.exists:
        return None
    selected.version = changed.version
    return changed


async def _same_status(session: Session, mailbox: str, known: Snapshot, **more: int) -> bool:
    """Whether the name leads to the known mailbox, with no other messages and `more` of its STATUS."""
    expected = {"MESSAGES": known.exists, "UIDNEXT": known.uidnext, "UIDVALIDITY": known.uidvalidity} | more
    command = commands.status(session.dialect, mailbox, list(expected))
    try:
        reply = await session.execute(command)
    except UpstreamRefused:
        return False
    told = next((data.values for data in reply.of(StatusData)), {})
    return all(told.get(item, 0) == value for item, value in expected.items())


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
    returns = session.selected is None or session.selected.mailbox != mailbox
    reply, selected = await select(session, mailbox, qresync=qresync)
    if known is not None and returns and await _is_still(session, selected, known):
        return known
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


async def _is_still(session: Session, selected: Selected, known: Snapshot) -> bool:
    """Whether a mailbox without modseqs, to which we return, shows no sign of a change since a moment ago."""
    if known.modseq is not None or not known.uidnext or not _same(known, selected):
        return False
    if selected.uidvalidity != known.uidvalidity or selected.since - known.taken > RESELECT_AFTER:
        return False
    unseen = len(known.all) - len(known.flags[SEEN])
    return await _same_status(session, selected.mailbox, known, UNSEEN=unseen)


async def _with_flags_of(session: Session, known: Snapshot, uids: Uids) -> Snapshot:
    """`known`, a mailbox without modseqs, with the flags that some of its messages have now."""
    assert session.selected is not None
    replies = await session.pipeline(*commands.uid_fetch(uids, ["FLAGS"]))
    fetches = [told for reply in replies for told in reply.of(Fetch)]
    if uids - Uids(told.uid for told in fetches if told.uid is not None and told.flags is not None):
        return await _list(session, session.selected)
    changed = _with_changes(known, session.selected, fetches, ())
    if changed.version == known.version:
        return known
    session.selected.version = changed.version
    return replace(changed, taken=known.taken)


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
            _note_categories(flags, told.flags)
            for flag, uids in flags.items():
                uids.add(told.uid) if flag in told.flags else uids.discard(told.uid)
    return _snapshot(selected, everything, flags)


def _note_categories(flags: dict[str, BitMap], seen: Iterable[str]) -> None:
    """Begin to follow categories that were not seen before."""
    for flag in seen:
        if flag not in flags and len(flags) < len(KEYS) + MAX_CATEGORIES and category(flag):
            flags[flag] = BitMap()


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
        selected.permanent_flags is None or "\\*" in selected.permanent_flags,
        selected.since,
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
        keywords = sorted(flag for flag in base.flags - KEYS.keys() if category(flag))[:MAX_CATEGORIES]
        keys = KEYS | {flag: search_keys.key_flag("KEYWORD", flag) for flag in keywords}
        everything, *sets = await search_many(
            session, [(search_keys.key("ALL"),), *((key,) for key in keys.values())]
        )
        return _snapshot(base, everything, dict(zip(keys, sets, strict=True)))
    [command] = commands.uid_fetch(_any_uid(selected), ["FLAGS"])
    reply = await session.execute(command)
    empty = Snapshot(0, 0, 0, None, Uids(), {flag: Uids() for flag in KEYS})
    return _with_changes(empty, base, reply.of(Fetch), ())


def _any_uid(selected: Selected) -> range:
    """Every UID the mailbox can have."""
    if not selected.uidnext:
        return range(1, MAX_NUMBER + 1)
    return range(1, max(selected.uidnext, selected.exists + 1))
