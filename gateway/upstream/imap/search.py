"""UID SEARCH, answered as sets: by ESEARCH (RFC 4731) where the server has it, else by SEARCH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.types import Uids
from gateway.upstream.imap import commands
from gateway.upstream.imap.exchange import Reply
from gateway.upstream.imap.responses import ESearch, Search
from gateway.upstream.imap.search_keys import SearchKey
from gateway.upstream.imap.session import Session


async def search(session: Session, *keys: SearchKey) -> Uids:
    """The UIDs for which all `keys` hold. Raises `UpstreamError`."""
    return (await search_many(session, [keys]))[0]


async def search_many(session: Session, questions: Sequence[Sequence[SearchKey]]) -> list[Uids]:
    """Several searches, in one round trip where the answers can be told apart. Raises `UpstreamError`."""
    if "ESEARCH" not in session.capabilities:
        return [await _plain(session, keys) for keys in questions]
    returns = ("ALL", "COUNT")
    asked = [commands.uid_search(session.dialect, *keys, returns=returns) for keys in questions]
    replies = await session.pipeline(*asked)
    # A server may tell what several searches found before it ends the first: the tag says whose it is.
    told = {found.tag: found for reply in replies for found in reply.of(ESearch) if found.uid and found.tag}
    return [
        await _plain(session, keys) if (found := _extended(reply, told)) is None else found
        for keys, reply in zip(questions, replies, strict=True)
    ]


def _extended(reply: Reply, told: Mapping[str, ESearch]) -> Uids | None:
    """The set of an ESEARCH, or None when it cannot be relied on.

    Some servers write runs that span UIDs no message has; the count tells.
    """
    untagged = (found for found in reply.of(ESearch) if found.uid and found.tag is None)
    answer = told.get(reply.tagged.tag) or next(untagged, None)
    if answer is None:
        return None
    found = answer.all if answer.all is not None else Uids()
    return found if answer.count == len(found) else None


async def _plain(session: Session, keys: Sequence[SearchKey]) -> Uids:
    reply = await session.execute(commands.uid_search(session.dialect, *keys))
    return Uids().union(*(answer.numbers for answer in reply.of(Search)))
