"""Which messages of a mailbox belong to the same conversations as others.

A conversation is known by its first message (`mail/conversations.py`). The header of each message that is
asked about is read once. That a conversation has older members is asked of SEARCH, once as well: whatever
arrives later is read itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.mail.conversations import THREADING_FIELDS, conversation, first_message
from gateway.mail.headers import Headers
from gateway.types import Uids
from gateway.upstream.imap import commands, search_keys
from gateway.upstream.imap.messages import look_at
from gateway.upstream.imap.search import search, search_many
from gateway.upstream.imap.search_keys import SearchKey
from gateway.upstream.imap.selected import Selected
from gateway.upstream.imap.session import Session
from gateway.upstream.imap.sets import MAX_NUMBER
from gateway.upstream.imap.syntax import CommandError

__all__ = ["Conversations"]

_MOST_MAILBOXES = 8
_MOST_SEARCHED = 500
"""Conversations searched for in one go, the newest ones."""
_MOST_LATE = 1000
"""Messages that are read because they are new, though nobody asked about them."""
_HEADERS_AT_ONCE = 500
_SEARCHED_AT_ONCE = 10


@dataclass(slots=True)
class _Known:
    """What was read of one mailbox: the conversation of messages by UID, and which were searched for.

    All messages from `uidnext` on are still to be read.
    """

    uidvalidity: int
    uidnext: int
    conversations: dict[int, bytes] = field(default_factory=dict)
    searched: set[bytes] = field(default_factory=set)


class Conversations:
    """What is known of the conversations in a user's mailboxes, the most recently used few of them."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def complete(self, session: Session, selected: Selected, uids: Uids) -> Uids:
        """These messages and all others of their conversations in the mailbox. Raises `UpstreamError`."""
        known = self._of(selected)
        late = await search(session, search_keys.key_uids(range(known.uidnext, MAX_NUMBER + 1)))
        firsts = await _read(session, known, uids | Uids(list(late)[-_MOST_LATE:]))
        known.uidnext = min(max(known.uidnext - 1, *late, 0) + 1, MAX_NUMBER)
        wanted = [first for uid, first in sorted(firsts.items(), reverse=True) if first not in known.searched]
        asked = list(dict.fromkeys(wanted))[:_MOST_SEARCHED]
        await _read(session, known, await _search(session, asked))
        known.searched.update(asked)
        conversations = {known.conversations[uid] for uid in uids if uid in known.conversations}
        members = (uid for uid, identity in known.conversations.items() if identity in conversations)
        return uids | Uids(members)

    def _of(self, selected: Selected) -> _Known:
        known = self._known.pop(selected.mailbox, None)
        if known is None or known.uidvalidity != selected.uidvalidity:
            known = _Known(selected.uidvalidity, selected.uidnext or 1)
        self._known[selected.mailbox] = known
        while len(self._known) > _MOST_MAILBOXES:
            self._known.popitem(last=False)
        return known


async def _read(session: Session, known: _Known, uids: Uids) -> dict[int, bytes]:
    """Read the headers of messages that are not known yet; returns the first messages of what they answer."""
    firsts: dict[int, bytes] = {}
    unread = [uid for uid in uids if uid not in known.conversations]
    items = [commands.header_fields(THREADING_FIELDS)]
    async for told in look_at(session, unread, items, _HEADERS_AT_ONCE):
        header = next((data for name, data in told.sections.items() if name.startswith("BODY[HEADER")), None)
        if told.uid is None or header is None:
            continue
        headers = Headers(header)
        known.conversations[told.uid] = conversation(headers, b"%d" % told.uid).id
        first = first_message(headers)
        if first is not None:
            firsts[told.uid] = first
    return firsts


async def _search(session: Session, firsts: Iterable[bytes]) -> Uids:
    """The messages that name one of these Message-IDs."""
    keys = [made for first in firsts if (made := _naming(first)) is not None]
    groups = [keys[at : at + _SEARCHED_AT_ONCE] for at in range(0, len(keys), _SEARCHED_AT_ONCE)]
    found = await search_many(session, [(search_keys.key_any(group),) for group in groups]) if groups else []
    return Uids().union(*found)


def _naming(first: bytes) -> SearchKey | None:
    """Messages that are this one, or name it; None for an identifier that SEARCH cannot be asked for."""
    text = first.decode("ascii", "replace")
    fields = ("MESSAGE-ID", "REFERENCES", "IN-REPLY-TO")
    try:
        return search_keys.key_any([search_keys.key_header(name, text) for name in fields])
    except CommandError:
        return None
