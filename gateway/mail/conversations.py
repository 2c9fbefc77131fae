"""Which conversation a message belongs to, and where in it, from its header alone.

All messages that name the same first reference get the same id; a reply's index continues its parent's
(MS-ASEMAIL 2.2.2.21, 2.2.2.22). No state is kept, so every device and every mailbox gets the same values.

An index is made of times: when the conversation began, and how much later each reply came. Only the message
itself tells when it was written, and those that answer it must have the same beginning of an index. So the
times are made of the identifiers, which all of them name: of the right form, each later than the one before,
and none that a clock ever showed. For the same reason Thread-Index counts only where there are no
identifiers: some messages of a conversation have it and some have not.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import blake2b

from gateway.mail.headers import Headers

__all__ = [
    "THREADING_FIELDS",
    "Conversation",
    "conversation",
    "first_message",
    "is_answer",
    "message_ids",
    "topic",
]

THREADING_FIELDS = ("Message-ID", "In-Reply-To", "References", "Thread-Index")
"""The header fields that `conversation` looks at."""

_MESSAGE_ID = re.compile(rb"<([^<>\s]{1,996})>")
_LEVEL_SIZE = 5
_EARLIEST, _LATEST = 0xCA8A755C6E, 0xDB5BE019BA
"""Between which conversations begin: bits 55 to 16 of a FILETIME (100 ns since 1601), of 2010 and of 2025."""
_DAY = 86_400 * 10_000_000 >> 18
"""A day in the unit of a level's time: 18 bits are dropped, as its delta code 0 says (about 26 ms)."""
_MOST_LEVELS = 40
_THREAD_INDEX_HEADER = 22
_PREFIXES = re.compile(
    r"(?:(?:re|aw|antw|sv|vs|ref|rif|r|odp|ynt|tr|fwd?|wg|i|回复|回覆|答复|转发|轉寄|答覆)(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:\uff1a]\s*)*+",
    re.IGNORECASE,
)
_FORWARD = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|转发|轉寄)\s*[:\uff1a]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Conversation:
    """`id` is 16 octets; `index` has 5 octets for the first message and 5 more for each reply level."""

    id: bytes
    index: bytes


def message_ids(value: bytes | None) -> list[bytes]:
    """The message identifiers of a References, In-Reply-To or Message-ID field, without brackets."""
    return _MESSAGE_ID.findall(value) if value else []


def conversation(headers: Headers, otherwise: bytes) -> Conversation:
    """The conversation by References, In-Reply-To, Message-ID or Thread-Index; `otherwise` names a loner."""
    chain = _answered(headers)
    own = message_ids(headers.get("message-id"))[:1]
    chain = [*chain, *own] if own != chain[-1:] else chain
    if not chain:
        return _from_thread_index(headers.get("thread-index")) or _from_chain([otherwise])
    return _from_chain(chain)


def first_message(headers: Headers) -> bytes | None:
    """The Message-ID of the first message of a conversation, by one that continues it; None for others."""
    return next(iter(_answered(headers)), None)


def is_answer(headers: Headers) -> bool:
    """Whether a message answers another one, rather than begin a conversation or forward something."""
    return bool(_answered(headers)) and not _FORWARD.match(headers.text("subject"))


def _answered(headers: Headers) -> list[bytes]:
    """The Message-IDs of what a message answers, the first of the conversation first."""
    return message_ids(headers.get("references")) or message_ids(headers.get("in-reply-to"))[:1]


def topic(subject: str) -> str:
    """The subject without the marks of replies and forwards."""
    match = _PREFIXES.match(subject)
    return subject[match.end() :] if match else subject


def _from_chain(chain: list[bytes]) -> Conversation:
    if len(chain) > _MOST_LEVELS:
        chain = [*chain[: _MOST_LEVELS - 1], chain[-1]]
    index = b"".join((_beginning(chain[0]), *map(_level, range(1, len(chain)), chain[1:])))
    return Conversation(blake2b(chain[0], digest_size=16, person=b"conversation").digest(), index)


def _beginning(identifier: bytes) -> bytes:
    moment = _EARLIEST + _number(identifier) % (_LATEST - _EARLIEST)
    return moment.to_bytes(_LEVEL_SIZE, "big")


def _level(number: int, identifier: bytes) -> bytes:
    """A reply: 1 bit of delta code, 31 of the time since the beginning, 8 that are random and a sequence."""
    later, apart = divmod(_number(identifier) % (_DAY << 8), 1 << 8)
    return ((number * _DAY + later) << 8 | apart).to_bytes(_LEVEL_SIZE, "big")


def _number(identifier: bytes) -> int:
    return int.from_bytes(blake2b(identifier, digest_size=8, person=b"index").digest(), "big")


def _from_thread_index(value: bytes | None) -> Conversation | None:
    """Outlook's Thread-Index: a version octet, 5 octets of time, a GUID, then 5 octets per level."""
    try:
        index = base64.b64decode(value or b"")
    except (binascii.Error, ValueError):
        return None
    if len(index) < _THREAD_INDEX_HEADER:
        return None
    levels = index[_THREAD_INDEX_HEADER : _THREAD_INDEX_HEADER + _LEVEL_SIZE * _MOST_LEVELS]
    whole = len(levels) - len(levels) % _LEVEL_SIZE
    return Conversation(index[6:_THREAD_INDEX_HEADER], index[1:6] + levels[:whole])
