"""One search: mailbox by mailbox, newest messages first, with whatever the server offers to make it short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import nlargest
from operator import attrgetter

from gateway.errors import UpstreamRefused
from gateway.query import Found, Hit, Query
from gateway.types import Uids
from gateway.upstream.imap import commands
from gateway.upstream.imap.conditions import Conditions, is_ascii
from gateway.upstream.imap.facts import HEADER_FIELDS, Facts
from gateway.upstream.imap.messages import look_at
from gateway.upstream.imap.responses import ESearch
from gateway.upstream.imap.search import search_many
from gateway.upstream.imap.search_keys import key
from gateway.upstream.imap.selected import Selected
from gateway.upstream.imap.session import Session

__all__ = ["Finder"]

ENOUGH_LOOKED_AT = 10_000
"""Messages of one mailbox after which no more are looked at when there are hits enough: the others have lower
UIDs, so most of them are older."""
_DATES_AT_ONCE, _HEADERS_AT_ONCE, _STRUCTURES_AT_ONCE = 500, 250, 200
_STRETCH = 1000
"""Messages looked at before it is asked whether there are hits enough."""
_BREATH = 200
"""Messages looked at before the event loop goes on with other work."""
_MAILBOXES_AT_ONCE = 100
_UNDELETED = key("UNDELETED")
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)
_RECEIVED = attrgetter("received", "uid")


class Finder:
    """Collects the newest `limit` messages for which a query holds; what there is so far is in `found`."""

    def __init__(self, query: Query, limit: int) -> None:
        self._query = query
        self._limit = limit
        self._in_ascii = False
        """Whether the server refused to search for text in UTF-8."""
        self._told: dict[str, ESearch] = {}
        """What a search over several mailboxes told, for those that have hits."""
        self._hits: dict[str, list[Hit]] = {}
        self._more: dict[str, int] = {}
        """Matches beyond the hits, by mailbox."""

    def found(self, *, complete: bool) -> Found:
        """What was found in the mailboxes looked into, even those that were not finished."""
        hits = [hit for found in self._hits.values() for hit in found]
        total = len(hits) + sum(self._more.values())
        return Found(tuple(nlargest(self._limit, hits, _RECEIVED)), total, complete)

    async def narrow(self, session: Session, mailboxes: Sequence[str]) -> Sequence[str]:
        """Those of the mailboxes that are worth looking into: all, unless the server has MULTISEARCH.

        Raises `UpstreamError`.
        """
        if "MULTISEARCH" not in session.capabilities or len(mailboxes) < 2:
            return mailboxes
        keys = (_UNDELETED, self._conditions(session).literally())
        told: dict[str, ESearch] = {}
        for at in range(0, len(mailboxes), _MAILBOXES_AT_ONCE):
            some = mailboxes[at : at + _MAILBOXES_AT_ONCE]
            command = commands.search_in(session.dialect, some, *keys, returns=("ALL", "COUNT"))
            try:
                reply = await session.execute(command)
            except UpstreamRefused:
                return mailboxes
            told |= {answer.mailbox: answer for answer in reply.of(ESearch) if answer.mailbox is not None}
        self._told = told
        return [name for name in mailboxes if name in told and told[name].count != 0]

    async def look(self, session: Session, selected: Selected) -> None:
        """Look into the selected mailbox; may be repeated. Raises `UpstreamError`."""
        mailbox = selected.mailbox
        hits: list[Hit] = []
        self._hits[mailbox], self._more[mailbox] = hits, 0
        conditions, matches, answers = await self._ask(session, selected)
        newest = list(matches)[::-1]
        dear = conditions.needs_header or conditions.needs_structure
        looked = found = 0
        for at in range(0, len(newest), _STRETCH):
            if found >= self._limit and (dear or looked >= ENOUGH_LOOKED_AT):
                break
            asked = set(newest[at : at + _STRETCH])
            async for facts in _facts(session, sorted(asked, reverse=True), conditions):
                if facts.uid not in asked:
                    continue
                asked.discard(facts.uid)
                looked += 1
                if conditions.hold(facts, answers):
                    found += 1
                    hits.append(Hit(mailbox, selected.uidvalidity, facts.uid, facts.received))
                if not looked % _BREATH:
                    await asyncio.sleep(0)
        if looked:
            # The others are taken to be like those looked at.
            self._more[mailbox] = (len(newest) - looked) * found // looked
        if found > self._limit:
            self._more[mailbox] += found - self._limit
            hits[:] = nlargest(self._limit, hits, _RECEIVED)

    def _conditions(self, session: Session) -> Conditions:
        return Conditions(self._query, fuzzy="SEARCH=FUZZY" in session.capabilities, utf8=not self._in_ascii)

    async def _ask(
        self, session: Session, selected: Selected
    ) -> tuple[Conditions, Uids, Mapping[Query, Uids]]:
        """The superset of the query in this mailbox, and the members of its questions."""
        conditions = self._conditions(session)
        told = self._told.get(selected.mailbox)
        if told and told.uidvalidity == selected.uidvalidity and _is_plain(conditions):
            known = told.all or Uids()
            if told.count == len(known):
                return conditions, known, {}
        try:
            return conditions, *await _search(session, conditions)
        except UpstreamRefused as error:
            # RFC 3501 asks for the code, but not every server sends it.
            if error.code not in {"BADCHARSET", "CANNOT", ""} or self._in_ascii or is_ascii(self._query):
                raise
            self._in_ascii = True
        conditions = self._conditions(session)
        return conditions, *await _search(session, conditions)


def _is_plain(conditions: Conditions) -> bool:
    """Whether one search tells all that the server is asked."""
    return not conditions.questions and conditions.superset() == conditions.literally()


async def _search(session: Session, conditions: Conditions) -> tuple[Uids, Mapping[Query, Uids]]:
    supersets = [conditions.superset()]
    if conditions.literally() not in supersets:
        supersets.append(conditions.literally())
    asked = [*supersets, *map(conditions.exact, conditions.questions)]
    told = await search_many(session, [(_UNDELETED, each) for each in asked])
    matches, answers = Uids.union(*told[: len(supersets)]), told[len(supersets) :]
    return matches, dict(zip(conditions.questions, answers, strict=True))


async def _facts(session: Session, uids: list[int], conditions: Conditions) -> AsyncIterator[Facts]:
    """What the conditions need to know of messages, in about the order of the UIDs."""
    items, at_once = ["INTERNALDATE"], _DATES_AT_ONCE
    if conditions.needs_header:
        items.append(commands.header_fields(HEADER_FIELDS))
        at_once = _HEADERS_AT_ONCE
    if conditions.needs_structure:
        items.append("BODYSTRUCTURE")
        at_once = _STRUCTURES_AT_ONCE
    async for told in look_at(session, uids, items, at_once):
        if told.uid is None or (told.internal_date is None and "INTERNALDATE" not in told.faults):
            continue  # told by the way, because somebody changed its flags
        header = next((data for name, data in told.sections.items() if name.startswith("BODY[HEADER")), None)
        yield Facts(told.uid, told.internal_date or _NO_DATE, header or b"", told.structure)
