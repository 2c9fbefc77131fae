"""What is remembered of the scheduling mail of a user: how far his INBOX was read, and what was in it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gateway.mail.digests import digest_of
from gateway.pim.itip.message import Instance, Parts, Revision, revision

__all__ = ["Memory"]

_REMEMBERED = 500
"""Versions of events that are remembered beyond the events."""
_MOST_LATER = 100
"""Messages that are to be looked at again, at once."""
_ROUNDS = 6
_FIRST_WAIT = timedelta(minutes=1)
_NOTHING = (-1, 0.0)


@dataclass(slots=True)
class Memory:
    """Up to which UID the INBOX of a user was read, and the newest versions of events seen.

    Mail from before `since` (seconds since 1970) is not read. `later` are messages (UID) that could not be
    brought in: how often that was so, and when (seconds since 1970) they are to be looked at again.
    """

    uidvalidity: int
    read: int
    versions: dict[str, tuple[int, float]] = field(default_factory=dict)
    since: float = 0.0
    later: dict[int, tuple[int, float]] = field(default_factory=dict)

    def pack(self) -> bytes:
        later = [(uid, *values) for uid, values in self.later.items()]
        values = [self.uidvalidity, self.read, self.versions, self.since, later]
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Memory:
        """Also what was packed before there was anything to be looked at later."""
        uidvalidity, read, versions, since, *more = json.loads(data)
        later = {uid: (rounds, at) for uid, rounds, at in (more[0] if more else ())}
        return cls(
            uidvalidity, read, {name: (one[0], one[1]) for name, one in versions.items()}, since, later
        )

    def knows(self, parts: Parts) -> bool:
        """Whether all of it was seen before, or newer."""
        return all(
            _comparable(revision(event)) <= max(self._seen(parts, instance), self._seen(parts, None))
            for instance, event in parts.events.items()
        )

    def note(self, parts: Parts) -> None:
        """Remember its versions."""
        for instance, event in parts.events.items():
            name = _name(parts, instance)
            newest = max(self.versions.pop(name, _NOTHING), _comparable(revision(event)))
            self.versions[name] = newest  # at the end, as the one used last
        for name in list(self.versions)[:-_REMEMBERED]:
            del self.versions[name]

    def due(self, now: datetime) -> list[int]:
        """The messages that are to be looked at again by now."""
        return sorted(uid for uid, (_, at) in self.later.items() if at <= now.timestamp())

    def postpone(self, uid: int, now: datetime) -> bool:
        """Have a message looked at again later; False when that was done often enough."""
        rounds, _ = self.later.pop(uid, (0, 0.0))
        if rounds == _ROUNDS or len(self.later) == _MOST_LATER:
            return False
        self.later[uid] = rounds + 1, (now + _FIRST_WAIT * 2**rounds).timestamp()
        return True

    def _seen(self, parts: Parts, instance: Instance) -> tuple[int, float]:
        return self.versions.get(_name(parts, instance), _NOTHING)


def _comparable(version: Revision) -> tuple[int, float]:
    sequence, stamp = version
    return sequence, (stamp - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def _name(parts: Parts, instance: Instance) -> str:
    """What an event, or an occurrence, of its organizer is called: others have no say in it."""
    organizer = parts.organizer.address.strip().lower() if parts.organizer else ""
    text = f"{organizer}\n{parts.uid}\n{instance.isoformat() if instance else ''}"
    return digest_of(text, 16)
