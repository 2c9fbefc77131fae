"""What has to be true in the end: where every message is, its marks, and how often each was sent.

A message that several wrote to at the same time may end either way: its expectation is None then. All that
was acknowledged and that nobody else touched since must be so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from tests.convergence.properties import PROPERTIES, Property, Values

PLACE: Final = "place"
GONE = ""
"""The place of a message that was removed for good."""
CONTENDED = -1
TRASH = "Trash"

Aspect = Property | Literal["place"]
"""What can be true of a message: one of its properties, or where it is."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a mailbox holds it."""

    token: str
    values: Values
    recent: bool = True
    """Whether it is in the window of every FilterType."""


@dataclass(slots=True, eq=False)
class Claim:
    """What a user of a phone wants to be true of a message: the value of a property, or a place."""

    token: str
    aspect: Aspect
    value: str
    mark: int = 0
    """Belongs to the ledger."""


@dataclass(slots=True)
class Verdict:
    """What is wrong, in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.doubled)


@dataclass(slots=True)
class Ledger:
    """Expectations of one user's mail."""

    moves_at_once: bool = True
    """Whether the server has MOVE: otherwise a move that is cut off leaves a copy behind for a while."""
    old: set[str] = field(default_factory=set)
    """Messages older than any FilterType but 0 lets through."""
    doomed: set[str] = field(default_factory=set)
    """Messages that somebody may have removed for good."""
    uncertain: Counter[str] = field(default_factory=Counter)
    """Times nobody could know whether a message was submitted: each may lead to one more copy."""
    _place: dict[str, str | None] = field(default_factory=dict)
    _values: dict[tuple[str, Property], str | None] = field(default_factory=dict)
    _touched: Counter[tuple[str, Aspect]] = field(default_factory=Counter)
    _in_flight: Counter[tuple[str, Aspect]] = field(default_factory=Counter)
    torn: set[str] = field(default_factory=set)
    """Messages that the other program took away while a move of a phone may have left a copy of them.

    Nobody can tell then whether the phone's move was done, and two are better than none: the known gap.
    """
    acknowledged: set[str] = field(default_factory=set)
    """Messages the gateway said it had sent."""

    # --- what the second mail program does -----------------------------------------------------------------

    def delivered(self, token: str, mailbox: str, values: Values, *, old: bool = False) -> None:
        """A message arrived."""
        self._place[token] = mailbox
        self._values |= {(token, kind): value for kind, value in zip(PROPERTIES, values, strict=True)}
        if old:
            self.old.add(token)

    def marked(self, token: str, kind: Property, value: str) -> None:
        """A property was changed."""
        self._touched[token, kind] += 1
        self._values[token, kind] = None if self._contended(token, kind) else value

    def moved(self, token: str, mailbox: str) -> None:
        """A message was moved."""
        self._touched[token, PLACE] += 1
        if self._contended(token, PLACE) and not self.moves_at_once:
            self.torn.add(token)
        self._place[token] = None if self._contended(token, PLACE) else mailbox

    def expunged(self, token: str) -> None:
        """A message was removed for good."""
        self._touched[token, PLACE] += 1
        self.doomed.add(token)
        self._place[token] = None

    def _contended(self, token: str, aspect: Aspect) -> bool:
        """Whether a phone may still do the same, or take the message elsewhere, nobody knows when."""
        return self._in_flight[token, aspect] > 0 or self._in_flight[token, PLACE] > 0

    def renamed(self, old: str, new: str) -> None:
        """A mailbox got another name."""
        for token, place in self._place.items():
            if place == old:
                self._place[token] = new

    # --- what phones do ------------------------------------------------------------------------------------

    def issued(self, claim: Claim) -> None:
        """A user did something; nobody knows yet when the gateway does it."""
        token, aspect = claim.token, claim.aspect
        contended = self._contended(token, aspect)
        # What is done to a message that is deleted in the same request is not done.
        touched: tuple[Aspect, ...] = (PLACE, *PROPERTIES) if aspect == PLACE else (aspect,)
        self._touched.update((token, each) for each in touched)
        claim.mark = CONTENDED if contended else self._touched[token, aspect]
        self._in_flight[token, aspect] += 1
        if aspect == PLACE and claim.value == GONE:
            self.doomed.add(token)
        self._expect(claim, certain=False)

    def settled(self, claim: Claim, *, done: bool) -> None:
        """The gateway answered; `done` says that it claims success."""
        key = claim.token, claim.aspect
        self._in_flight[key] -= 1
        untouched = claim.mark == self._touched[key] and not self._in_flight[key]
        self._expect(claim, certain=done and untouched)

    def _expect(self, claim: Claim, *, certain: bool) -> None:
        expected = claim.value if certain else None
        if isinstance(claim.aspect, Property):
            self._values[claim.token, claim.aspect] = expected
        else:
            self._place[claim.token] = expected

    def came_to_be(self, token: str) -> None:
        """A message that a phone made was acknowledged: it must be there, if nobody else removed it."""
        if self._touched[token, PLACE] == 1:
            self.doomed.discard(token)

    def sent(self, token: str) -> None:
        """The gateway acknowledged that a message was sent."""
        self.acknowledged.add(token)
        self._place.setdefault(token, None)

    def stayed(self, token: str) -> bool:
        """Whether nobody ever took a message to another place, or wanted to."""
        return not self._touched[token, PLACE]

    # --- the end -------------------------------------------------------------------------------------------

    def check_mail(self, mail: Mapping[str, Iterable[Message]], verdict: Verdict) -> None:
        """Compare with what the mailboxes hold."""
        places: dict[str, list[str]] = {}
        found: dict[str, Message] = {}
        for mailbox, messages in mail.items():
            for message in messages:
                places.setdefault(message.token, []).append(mailbox)
                found[message.token] = message
        for token, where in places.items():
            if len(where) > (2 if token in self.torn else 1):
                verdict.doubled.append(f"{token} is in {sorted(where)}")
        for token, place in self._place.items():
            where = places.get(token, [])
            if not where and token not in self.doomed:
                verdict.lost.append(f"{token} is nowhere, expected in {place}")
            elif where and place == GONE:
                verdict.lost.append(f"the removal of {token}, which is in {where}")
            elif where and place is not None and place not in where:
                verdict.lost.append(f"{token} is in {where}, expected in {place}")
        for (token, kind), value in self._values.items():
            if value is not None and token in found:
                has = found[token].values[PROPERTIES.index(kind)]
                if has != kind.upstream(value):
                    verdict.lost.append(f"{kind}={value!r} of {token}, which has {has!r}")

    def check_sent(self, received: Mapping[str, int], verdict: Verdict) -> int:
        """Compare with what the SMTP server took; returns how many copies came through the one known gap."""
        extra = 0
        for token in self.acknowledged:
            count = received.get(token, 0)
            if not count:
                verdict.lost.append(f"{token} was acknowledged and never sent")
            elif count > 1 + self.uncertain[token]:
                verdict.doubled.append(f"{token} was sent {count} times")
            else:
                extra += count - 1
        return extra
