"""Conversations whose later messages are to be moved as well (MoveAlways, MS-ASCON 2.2.2.8).

What a device asked for is remembered for its user. It is carried out where new mail is looked at, before it
is told: in the folders the conversation was in, and in the INBOX. A message that somebody moved back stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from gateway.errors import UpstreamRefused
from gateway.mail.conversations import THREADING_FIELDS, conversation
from gateway.mail.headers import Headers
from gateway.ports import Bus, Mailboxes, State
from gateway.sync.moves import MoveOutcome, Mover, Place
from gateway.sync.settled import Settled
from gateway.sync.verbs import FindFolder
from gateway.types import NO_DEVICE, CollectionId, MessageData, UserId

__all__ = ["AlwaysMoved", "Rule"]

_MEMO = "always moved"
_MOST = 200
"""Conversations of a user; of more, those named last."""
_MOST_LOOKED_AT = 500
"""New messages that are looked at at once, the newest."""
_MOST_MOVED = 100
_SLACK = timedelta(minutes=5)
"""By how much the clocks of gateway and mail server may differ."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Where messages of a conversation go: those that come to one of `sources` after `since`.

    `ids` are in hex. `moved` are digests of those that went already.
    """

    ids: Sequence[str]
    target: CollectionId
    sources: Sequence[CollectionId]
    since: str
    moved: Sequence[str] = ()

    def wants(self, message: MessageData) -> bool:
        """Whether a message that came to one of the sources is to be moved."""
        headers = Headers(message.header)
        late = message.internal_date >= datetime.fromisoformat(self.since)
        return late and conversation(headers, b"").id.hex() in self.ids and _digest(headers) not in self.moved


@dataclass(frozen=True, slots=True)
class _Rules:
    """Those of a user; `ends` says up to where each collection was looked at: UIDVALIDITY and next UID."""

    rules: Sequence[Rule] = ()
    ends: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def pack(self) -> bytes | None:
        if not self.rules:
            return None
        return json.dumps({"rules": [asdict(rule) for rule in self.rules], "ends": self.ends}).encode()

    @classmethod
    def unpack(cls, data: bytes | None) -> _Rules:
        if data is None:
            return cls()
        values = json.loads(data)
        return cls([Rule(**rule) for rule in values["rules"]], values["ends"])


class AlwaysMoved:
    """The conversations of all users that are moved whenever something is added to them."""

    def __init__(self, state: State, bus: Bus) -> None:
        self._state = state
        self._without = Settled(bus, "always moved")
        """Users known to have none."""

    async def keep(
        self,
        user: UserId,
        ids: Iterable[bytes],
        target: CollectionId,
        sources: Iterable[CollectionId],
        now: datetime,
    ) -> None:
        """Remember where a conversation goes from now on."""
        named = {one.hex() for one in ids}
        async with self._state.lease(user, NO_DEVICE, _MEMO):
            known = await self._load(user)
            before = [rule for rule in known.rules if named & set(rule.ids)]
            others = [rule for rule in known.rules if rule not in before]
            come = {*sources}.union(*(rule.sources for rule in before))
            rule = Rule(sorted(named), target, sorted(come), (now - _SLACK).isoformat())
            await self._save(user, replace(known, rules=[*others, rule][-_MOST:]))
        self._without.owes(user)

    async def apply(
        self, user: UserId, place: Place, mailboxes: Mailboxes, find: FindFolder, mover: Mover
    ) -> None:
        """Move what came to a mailbox and belongs elsewhere. Raises `UpstreamError` and `NotFound`."""
        if user in self._without:
            return
        async with self._state.lease(user, NO_DEVICE, _MEMO):
            known = await self._load(user)
            if not known.rules:
                self._without.add(user)
                return
            rules = [rule for rule in known.rules if place.collection in rule.sources]
            rules = [rule for rule in rules if rule.target != place.collection]
            if rules:
                await self._apply(user, known, rules, place, mailboxes, find, mover)

    async def _apply(  # noqa: PLR0917 - as `apply`, with what it found
        self,
        user: UserId,
        known: _Rules,
        rules: Sequence[Rule],
        place: Place,
        mailboxes: Mailboxes,
        find: FindFolder,
        mover: Mover,
    ) -> None:
        view = await mailboxes.view(place.mailbox)
        validity, end = known.ends.get(place.collection, (0, 0))
        if validity == view.uidvalidity:
            new = view.uids[view.uids.rank(end - 1) :]
            if not new:
                return
        else:
            since = min(datetime.fromisoformat(rule.since) for rule in rules)
            new = view.uids & await mailboxes.received_since(place.mailbox, view.uidvalidity, since)
        new = new[-_MOST_LOOKED_AT:]
        try:
            found = await mailboxes.fetch(place.mailbox, view.uidvalidity, new, THREADING_FIELDS)
        except UpstreamRefused:
            return
        after: dict[int, Rule | None] = {}
        settled = True
        for rule in rules:
            wanted = {uid: message for uid, message in found.items() if rule.wants(message)}
            if wanted:
                changed, done = await _moved(rule, wanted, view.uidvalidity, place, find, mover)
                after[id(rule)] = changed
                settled &= done
        ends = {**known.ends}
        if settled:
            ends[place.collection] = (view.uidvalidity, max(view.uids, default=0) + 1)
        kept = [left for rule in known.rules if (left := after.get(id(rule), rule)) is not None]
        await self._save(user, _Rules(kept, ends))

    async def _load(self, user: UserId) -> _Rules:
        return _Rules.unpack(await self._state.load_memo(user, NO_DEVICE, _MEMO))

    async def _save(self, user: UserId, rules: _Rules) -> None:
        sources = {source for rule in rules.rules for source in rule.sources}
        ends = {source: end for source, end in rules.ends.items() if source in sources}
        await self._state.save_memo(user, NO_DEVICE, _MEMO, replace(rules, ends=ends).pack())


async def _moved(  # noqa: PLR0917 - the first four say what is moved
    rule: Rule,
    messages: Mapping[int, MessageData],
    uidvalidity: int,
    source: Place,
    find: FindFolder,
    mover: Mover,
) -> tuple[Rule | None, bool]:
    """Move messages; returns the rule after that, None when its target is gone, and False to do it again."""
    mailbox = await find(rule.target)
    if mailbox is None:
        return None, True
    target = Place(rule.target, mailbox)
    # The next Sync of each device tells where they are, also of this one.
    told = await mover.move(source, target, [(uidvalidity, uid) for uid in messages], told=False)
    outcomes = {uid: one.outcome for (_, uid), one in told.items()}
    went = [uid for uid, outcome in outcomes.items() if outcome is MoveOutcome.DONE]
    moved = [*rule.moved, *(_digest(Headers(messages[uid].header)) for uid in went)]
    return replace(rule, moved=moved[-_MOST_MOVED:]), MoveOutcome.LATER not in outcomes.values()


def _digest(headers: Headers) -> str:
    return hashlib.blake2b(headers.get("message-id") or b"", digest_size=8).hexdigest()
