"""The mail cursor: what one device knows of one mailbox, as sets of UIDs.

It is an immutable value. What a device is sent next is always the difference between two values
(`diff.py`), so nothing has to remember "pending changes": a lost reply, a replay and a resync are all the
same computation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.sync.window import Window
from gateway.types import Uids

NO_UIDS = Uids()
_FORMAT = 2
"""Format 1 knew no annotations."""


@dataclass(frozen=True, slots=True)
class MailCursor:
    """What a device knows of a mailbox.

    `uids` are the messages it holds and `flags` which of them it believes to carry each tracked flag and
    category (named as in `MailboxView.flags`).
    `since` is the start of the filter window its contents were computed for (None: all mail), and
    `conversations` says whether conversations are in it as a whole. `version` is
    the version of the mailbox view the device fully agrees with, or "" while changes remain. `former` are
    messages of an earlier UIDVALIDITY that the device still has to be told are gone, and `doubtful` ones of
    this one.

    `stubs` are messages that were shown as a stub by an earlier release and are to be told again in full;
    `release` is the one that looked for them last.

    `annotations` is the revision of the collection's annotations up to which the device was told of them, but
    for those `noted`, by name, of which it still has to be told.

    `editions` are those of the edited messages it holds (see `MailboxView.editions`).
    """

    uidvalidity: int = 0
    version: str = ""
    since: datetime | None = None
    uids: Uids = NO_UIDS
    flags: Mapping[str, Uids] = field(default_factory=dict)
    former: tuple[tuple[int, Uids], ...] = ()
    stubs: Uids = NO_UIDS
    release: str = ""
    conversations: bool = False
    annotations: int = 0
    noted: Mapping[str, Uids] = field(default_factory=dict)
    editions: Mapping[int, int] = field(default_factory=dict)

    @property
    def window(self) -> Window:
        """What the device wants of the mailbox."""
        return Window(self.since, self.conversations)

    def flag(self, name: str) -> Uids:
        """The known messages that carry the flag."""
        return self.flags.get(name, NO_UIDS)

    def flags_of(self, uid: int) -> frozenset[str]:
        """The tracked flags and categories the device believes the message to have."""
        return frozenset(name for name, uids in self.flags.items() if uid in uids)

    def without(self, uids: Uids) -> MailCursor:
        """The cursor of a device that has dropped these messages."""
        flags = {name: marked - uids for name, marked in self.flags.items()}
        return replace(
            self,
            uids=self.uids - uids,
            flags=flags,
            stubs=self.stubs - uids,
            noted=fewer(self.noted, uids),
            editions={uid: edition for uid, edition in self.editions.items() if uid not in uids},
        )

    def with_message(self, uid: int, flags: Iterable[str]) -> MailCursor:
        """The cursor of a device that has itself made a message, with these of the tracked flags."""
        one = Uids((uid,))
        marked = {name: self.flag(name) | one for name in flags}
        return replace(self, uids=self.uids | one, flags={**self.flags, **marked})

    @property
    def doubtful(self) -> Uids:
        """Messages of which nobody knows whether the device holds them.

        It is told that they are gone, and after that of those that are there.
        """
        return dict(self.former).get(self.uidvalidity, NO_UIDS)

    def doubting(self, uidvalidity: int, uids: Uids) -> MailCursor:
        """The cursor of a device that may hold these too."""
        unknown = uids - self.uids if uidvalidity == self.uidvalidity else uids
        return replace(self, former=_joined(self.former, uidvalidity, unknown)) if unknown else self

    def marked(self, name: str, uids: Uids, *, on: bool) -> MailCursor:
        """The cursor of a device that has itself set or cleared a flag on messages it knows."""
        known = uids & self.uids
        marked = self.flag(name) | known if on else self.flag(name) - known
        return replace(self, flags={**self.flags, name: marked})

    def rebased(self, uidvalidity: int) -> MailCursor:
        """The same cursor over a mailbox whose UIDVALIDITY is another one now.

        All that was known is `former`.
        """
        if uidvalidity == self.uidvalidity:
            return self
        former = self.former
        if self.uids:
            former = _joined(former, self.uidvalidity, self.uids)
        return MailCursor(
            uidvalidity=uidvalidity,
            since=self.since,
            former=former,
            release=self.release,
            conversations=self.conversations,
        )

    def pack(self) -> bytes:
        """The cursor as bytes for the store."""
        header = {
            "format": _FORMAT,
            "uidvalidity": self.uidvalidity,
            "version": self.version,
            "since": self.since.isoformat() if self.since else None,
            "former": [validity for validity, _ in self.former],
            "release": self.release,
            "conversations": self.conversations,
            "annotations": self.annotations,
            "noted": sorted(self.noted),
            "editions": list(self.editions.items()),
        }
        names = sorted(name for name, uids in self.flags.items() if uids)
        sets = [self.uids, self.stubs, *map(self.flag, names), *(uids for _, uids in self.former)]
        sets += [self.noted[name] for name in sorted(self.noted)]
        blobs = [uids.serialize() for uids in sets]
        header["flags"] = names
        header["sizes"] = [len(blob) for blob in blobs]
        return json.dumps(header, separators=(",", ":")).encode() + b"\n" + b"".join(blobs)

    @classmethod
    def unpack(cls, data: bytes) -> MailCursor:
        """The cursor `pack` made these bytes of; b"" is the cursor of a device that knows nothing."""
        if not data:
            return cls()
        head, _, body = data.partition(b"\n")
        header = json.loads(head)
        sets: list[Uids] = []
        position = 0
        for size in header["sizes"]:
            sets.append(Uids.deserialize(body[position : position + size]))
            position += size
        names, former, noted = header["flags"], header["former"], header.get("noted", ())
        return cls(
            uidvalidity=header["uidvalidity"],
            version=header["version"],
            since=datetime.fromisoformat(header["since"]) if header["since"] else None,
            uids=sets[0],
            flags=dict(zip(names, sets[2 : 2 + len(names)], strict=True)),
            former=tuple(zip(former, sets[2 + len(names) : len(sets) - len(noted)], strict=True)),
            stubs=sets[1],
            release=header["release"],
            conversations=header.get("conversations", False),
            annotations=header.get("annotations", 0),
            noted=dict(zip(noted, sets[len(sets) - len(noted) :], strict=True)),
            editions=dict(header.get("editions", ())),
        )


def fewer(sets: Mapping[str, Uids], uids: Uids) -> dict[str, Uids]:
    """The sets without these messages, those that become empty left out."""
    return {name: left for name, had in sets.items() if (left := had - uids)}


def _joined(
    former: tuple[tuple[int, Uids], ...], uidvalidity: int, uids: Uids
) -> tuple[tuple[int, Uids], ...]:
    """What is to be told as gone, with more of one UIDVALIDITY."""
    known = dict(former)
    known[uidvalidity] = known.get(uidvalidity, NO_UIDS) | uids
    return tuple(known.items())
