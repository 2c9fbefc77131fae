"""What has to be true in the end: where every message is, its marks, and how often each was sent.

A message that several wrote to at the same time may end either way: its expectation is None then. All that
was acknowledged and that nobody else touched since must be so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tests.convergence.store import Operation, Verb

GONE = ""
CONTENDED = -1
TRASH = "Trash"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a mailbox holds it."""

    token: str
    read: bool
    flagged: bool
    recent: bool = True
    """Whether it is in the window of every FilterType."""


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

    old: set[str] = field(default_factory=set)
    """Messages older than any FilterType but 0 lets through."""
    doomed: set[str] = field(default_factory=set)
    """Messages that somebody may have removed for good."""
    uncertain: Counter[str] = field(default_factory=Counter)
    """Times nobody could know whether a message was submitted: each may lead to one more copy."""
    _place: dict[str, str | None] = field(default_factory=dict)
    _marks: dict[tuple[str, Verb], bool | None] = field(default_factory=dict)
    _touched: Counter[tuple[str, Verb]] = field(default_factory=Counter)
    _in_flight: Counter[tuple[str, Verb]] = field(default_factory=Counter)
    acknowledged: set[str] = field(default_factory=set)
    """Messages the gateway said it had sent."""

    # --- what the second mail program does -----------------------------------------------------------------

    def delivered(self, token: str, mailbox: str, *, read: bool, flagged: bool, old: bool) -> None:
        """A message arrived."""
        self._place[token] = mailbox
        self._marks[token, Verb.READ], self._marks[token, Verb.FLAG] = read, flagged
        if old:
            self.old.add(token)

    def marked(self, token: str, verb: Verb, *, on: bool) -> None:
        """A mark was set or cleared."""
        self._touched[token, verb] += 1
        self._marks[token, verb] = None if self._contended(token, verb) else on

    def moved(self, token: str, mailbox: str) -> None:
        """A message was moved."""
        self._touched[token, Verb.DELETE] += 1
        self._place[token] = None if self._contended(token, Verb.DELETE) else mailbox

    def expunged(self, token: str) -> None:
        """A message was removed for good."""
        self._touched[token, Verb.DELETE] += 1
        self.doomed.add(token)
        self._place[token] = None

    def _contended(self, token: str, verb: Verb) -> bool:
        """Whether a phone may still do the same, or remove the message, nobody knows when."""
        return self._in_flight[token, verb] > 0 or self._in_flight[token, Verb.DELETE] > 0

    def renamed(self, old: str, new: str) -> None:
        """A mailbox got another name."""
        for token, place in self._place.items():
            if place == old:
                self._place[token] = new

    # --- what phones do ------------------------------------------------------------------------------------

    def issued(self, operation: Operation) -> None:
        """A user did something; nobody knows yet when the gateway does it."""
        token, verb = operation.token, operation.verb
        contended = self._contended(token, verb)
        # What is done to a message that is deleted in the same request is not done.
        for touched in Verb if verb is Verb.DELETE else (verb,):
            self._touched[token, touched] += 1
        operation.mark = CONTENDED if contended else self._touched[token, verb]
        self._in_flight[token, verb] += 1
        if operation.permanent:
            self.doomed.add(token)
        self._expect(operation, certain=False)

    def settled(self, operation: Operation, *, done: bool) -> None:
        """The gateway answered; `done` says that it claims success."""
        key = operation.token, operation.verb
        self._in_flight[key] -= 1
        untouched = operation.mark == self._touched[key] and not self._in_flight[key]
        self._expect(operation, certain=done and untouched)

    def _expect(self, operation: Operation, *, certain: bool) -> None:
        token = operation.token
        if operation.verb is Verb.DELETE:
            place = GONE if operation.permanent else TRASH
            self._place[token] = place if certain else None
        else:
            self._marks[token, operation.verb] = operation.on if certain else None

    def sent(self, token: str) -> None:
        """The gateway acknowledged that a message was sent."""
        self.acknowledged.add(token)
        self._place.setdefault(token, None)

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
            if len(where) > 1:
                verdict.doubled.append(f"{token} is in {sorted(where)}")
        for token, place in self._place.items():
            where = places.get(token, [])
            if not where and token not in self.doomed:
                verdict.lost.append(f"{token} is nowhere, expected in {place}")
            elif where and place == GONE:
                verdict.lost.append(f"the removal of {token}, which is in {where}")
            elif where and place is not None and place not in where:
                verdict.lost.append(f"{token} is in {where}, expected in {place}")
        for (token, verb), on in self._marks.items():
            if on is None or token not in found:
                continue
            message = found[token]
            if (message.read if verb is Verb.READ else message.flagged) is not on:
                verdict.lost.append(f"{verb.value}={on} of {token}")

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
