"""Reading messages: structure and headers in bulk, sections in few commands.

Commands are bounded in messages, in expected octets and in their own length, and sent some at a time ahead of
the answers. A message the server refuses to show must not hide the others: a refused batch is asked for again
in halves.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from gateway.errors import UpstreamUnavailable
from gateway.types import BodyPart, MessageData, SectionRequest, Uids
from gateway.upstream.imap import commands
from gateway.upstream.imap.responses import Fetch
from gateway.upstream.imap.search import search_many
from gateway.upstream.imap.search_keys import key_date
from gateway.upstream.imap.session import Session

STRUCTURES_AT_ONCE = 200
"""Messages in one FETCH of structures and headers."""
DATES_AT_ONCE = 5000
OCTETS_AT_ONCE = 4 * 1024 * 1024
UNKNOWN_SIZE = 256 * 1024
"""Octets expected of one FETCH of sections; what a section without limit counts for."""
LONGEST_LIST = 4000
"""Octets of the sections that one command names: servers bound the length of its line."""
AHEAD = 3
"""Commands sent before the first of them is answered."""
LATER = frozenset({"UNAVAILABLE", "INUSE", "LIMIT"})
"""Codes of a refusal that is over some time (RFC 5530): no fault of a message."""
LONGEST = 2**31 - 1
"""A partial FETCH needs a length, and not every server reads one beyond 31 bits."""

log = logging.getLogger(__name__)

_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)

Refused = Callable[[int, str], object]
"""Called with a message, by its UID, that the server refused to show, and with what it said."""

_Spec = tuple[str, int, int | None]
"""A section, an offset and a limit."""


async def fetch_messages(
    session: Session, uids: Iterable[int], header_fields: Sequence[str] | None, refused: Refused
) -> dict[int, MessageData]:
    """Structure, flags, date, size and header of those messages that are there. Raises `UpstreamError`."""
    items = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODYSTRUCTURE"]
    if header_fields is None:
        items.append(commands.section("HEADER"))
    elif header_fields:
        items.append(commands.header_fields(header_fields))
    messages: dict[int, MessageData] = {}
    batches = [(batch, items) for batch in _slices(sorted(set(uids)), STRUCTURES_AT_ONCE)]
    async for told in _fetch_all(session, batches, refused):
        message = _message(told)
        if message is not None:
            messages[message.uid] = message
    return messages


async def received_since(session: Session, since: datetime) -> Uids:
    """The messages whose internal date is not before `since`, to the second. Raises `UpstreamError`.

    SEARCH SINCE compares whole days, in whatever zone the server takes: it decides for all but the messages
    of the days around, whose dates are looked at.
    """
    day = since.astimezone(UTC).date()
    around = (day - timedelta(days=1), day + timedelta(days=2))
    perhaps, surely = await search_many(session, [[key_date("SINCE", bound)] for bound in around])
    dates = await fetch_dates(session, list(perhaps - surely))
    return surely | Uids(uid for uid, date in dates.items() if date >= since)


async def fetch_dates(session: Session, uids: Sequence[int]) -> dict[int, datetime]:
    """The internal dates of those messages that are there. Raises `UpstreamError`."""
    batches = [(batch, ["INTERNALDATE"]) for batch in _slices(list(uids), DATES_AT_ONCE)]
    return {
        told.uid: told.internal_date
        async for told in _fetch_all(session, batches)
        if told.uid is not None and told.internal_date is not None
    }


async def look_at(
    session: Session, uids: Sequence[int], items: list[str], at_once: int
) -> AsyncIterator[Fetch]:
    """Some items of many messages, `at_once` by one command, in about this order. Raises `UpstreamError`."""
    batches = [(batch, items) for batch in _slices(list(uids), at_once)]
    async for told in _fetch_all(session, batches):
        yield told


async def fetch_sections(
    session: Session, requests: Iterable[SectionRequest], refused: Refused
) -> dict[SectionRequest, bytes]:
    """The sections that are there. Raises `UpstreamError`."""
    wanted: dict[int, dict[_Spec, SectionRequest]] = defaultdict(dict)
    for request in requests:
        wanted[request.uid][request.section, request.offset, request.limit] = request
    alike: dict[tuple[_Spec, ...], list[int]] = defaultdict(list)
    for uid in sorted(wanted):
        alike[tuple(sorted(wanted[uid], key=repr))].append(uid)
    batches = [
        (batch, [_item(spec) for spec in some])
        for specs, uids in alike.items()
        for some in _sayable(specs)
        for batch in _slices(uids, _affordable(some))
    ]
    found: dict[SectionRequest, bytes] = {}
    async for told in _fetch_all(session, batches, refused):
        for spec, request in wanted.get(told.uid or 0, {}).items():
            data = _section(told, spec)
            if data is not None:
                found[request] = data
    return found


def _slices(uids: list[int], size: int) -> Iterator[list[int]]:
    return (uids[at : at + size] for at in range(0, len(uids), size))


def _unseen(_uid: int, _detail: str) -> None:
    """What is looked for is not found in a message that the server refuses to show."""


async def _fetch_all(
    session: Session, batches: Sequence[tuple[list[int], list[str]]], refused: Refused = _unseen
) -> AsyncIterator[Fetch]:
    """Everything told about the messages of the batches; several `Fetch` may be about one message.

    Of one that was expunged a moment ago, which the connection had not been told of, Dovecot tells no section
    and says so in the end (RFC 5530 3): it is left out.
    """
    for at in range(0, len(batches), AHEAD):
        group = batches[at : at + AHEAD]
        with session.together():
            futures = [
                (batch, items, [session.start(command) for command in commands.uid_fetch(batch, items)])
                for batch, items in group
            ]
        for batch, items, parts in futures:
            for future in parts:
                reply = await future
                gone = reply.code("EXPUNGEISSUED") is not None
                for told in reply.of(Fetch):
                    if not (gone and None in told.sections.values()):
                        yield told
                if reply.tagged.code and reply.tagged.code.name in LATER:
                    raise UpstreamUnavailable(f"FETCH: {reply.detail}")
                if not reply.succeeded:
                    async for told in _fetch_again(session, batch, items, reply.detail, refused):
                        yield told
                    break


async def _fetch_again(
    session: Session, batch: list[int], items: list[str], detail: str, refused: Refused
) -> AsyncIterator[Fetch]:
    """What can be had of a batch that was refused."""
    if len(batch) == 1:
        refused(batch[0], detail)
        less = [item for item in items if item != "BODYSTRUCTURE"]
        halves = [(batch, less)] if less != items else []
    else:
        middle = len(batch) // 2
        halves = [(batch[:middle], items), (batch[middle:], items)]
    async for told in _fetch_all(session, halves, refused):
        yield told


def _message(told: Fetch) -> MessageData | None:
    if told.uid is None or told.flags is None or (told.size is None and told.structure is None):
        # Somebody changed the flags meanwhile, and the server told us by the way.
        return None
    if told.faults:
        log.warning("message %d: %s not understood", told.uid, ", ".join(told.faults))
    size = told.size or 0
    header = next((data for name, data in told.sections.items() if name.startswith("BODY[HEADER")), None)
    # Without a structure the message is shown as it stands, rather than not at all.
    structure = told.structure or BodyPart("1", "text", "plain", size=size)
    date = told.internal_date or _NO_DATE
    return MessageData(told.uid, told.flags, date, size, structure, header or b"")


def _item(spec: _Spec) -> str:
    section, offset, limit = spec
    if not offset and limit is None:
        return commands.section(section)
    return commands.section(section, offset=offset, length=LONGEST if limit is None else max(limit, 1))


def _sayable(specs: Sequence[_Spec]) -> Iterator[Sequence[_Spec]]:
    """The sections, as many together as one command may name."""
    first = length = 0
    for at, spec in enumerate(specs):
        length += len(_item(spec)) + 1
        if length > LONGEST_LIST and at > first:
            yield specs[first:at]
            first, length = at, len(_item(spec)) + 1
    yield specs[first:]


def _affordable(specs: Iterable[_Spec]) -> int:
    """Of how many messages these sections may be asked for at once."""
    octets = sum(UNKNOWN_SIZE if limit is None else limit for _, _, limit in specs)
    return max(1, min(STRUCTURES_AT_ONCE, OCTETS_AT_ONCE // max(octets, 1)))


def _section(told: Fetch, spec: _Spec) -> bytes | None:
    section, offset, limit = spec
    name = f"BODY[{section.upper()}]"
    data = told.sections.get(f"{name}<{offset}>")
    if data is None:
        data = told.sections.get(name)
        if data is not None:
            data = data[offset:]
    return data if data is None or limit is None else data[:limit]
