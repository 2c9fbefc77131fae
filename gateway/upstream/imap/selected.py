"""What a connection knows of the mailbox it has selected, kept true by whatever the server tells unasked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pyroaring import BitMap

from gateway.types import Uids
from gateway.upstream.imap.responses import (
    Condition,
    Exists,
    Expunge,
    Fetch,
    Flags,
    Response,
    Status,
    Tagged,
    Vanished,
)

MOST_NEWS = 10_000
"""Messages whose flags are kept until somebody asks."""


@dataclass(slots=True)
class News:
    """What the server told unasked: flags by UID, and who is gone. `modseq` is the highest it told with that.

    `partial`: it told of more than it named.
    """

    flags: dict[int, frozenset[str]] = field(default_factory=dict)
    gone: BitMap = field(default_factory=BitMap)
    modseq: int = 0
    partial: bool = False

    def changed(self, fetch: Fetch) -> None:
        """A message has other flags."""
        if fetch.uid is None or fetch.flags is None or len(self.flags) >= MOST_NEWS:
            self.partial = True
        else:
            self.flags[fetch.uid] = fetch.flags
            self.modseq = max(self.modseq, fetch.modseq or 0)

    def vanished(self, uids: Uids) -> None:
        """Messages are gone."""
        self.gone |= uids
        for uid in [uid for uid in self.flags if uid in uids]:
            del self.flags[uid]


@dataclass(slots=True)
class Selected:
    """The selected mailbox. `modseq` is None while the server keeps none for it (NOMODSEQ, or no CONDSTORE).

    `changes` counts what the server told of since SELECT ended, or since `catch_up`: as long as it stands
    still, a series of commands saw one and the same mailbox. `news` says what it was, as far as the server
    said it by UID. `version` names the snapshot to which the news come, "" for none. `since` is when SELECT
    ended and `looked` when the server was last asked what is new, in the event loop's time; `highest` is the
    highest UID of a message that the connection knows to be there.
    """

    mailbox: str
    uidvalidity: int = 0
    uidnext: int = 0
    exists: int = 0
    modseq: int | None = None
    read_only: bool = False
    flags: frozenset[str] = frozenset()
    permanent_flags: frozenset[str] | None = None
    changes: int = 0
    news: News = field(default_factory=News)
    version: str = ""
    since: float = 0.0
    looked: float = 0.0
    highest: int = 0

    @classmethod
    def after_select(
        cls, mailbox: str, responses: Iterable[Response], tagged: Tagged, now: float = 0.0
    ) -> Selected:
        """From the responses to SELECT. What precedes `[CLOSED]` is of the mailbox left (RFC 7162 3.2.11)."""
        selected = cls(mailbox)
        for response in responses:
            if isinstance(response, Status) and response.code and response.code.name == "CLOSED":
                selected = cls(mailbox)
            else:
                selected._learn(response)
        selected.read_only = tagged.code is not None and tagged.code.name == "READ-ONLY"
        selected.since = selected.looked = now
        selected.highest = max(selected.uidnext - 1, 0)
        return selected

    def catch_up(self) -> News:
        """Take the news. What comes from now on is counted anew, and belongs to no snapshot yet."""
        news, self.news, self.changes, self.version = self.news, News(), 0, ""
        self.modseq = max(self.modseq or 0, news.modseq) or None
        return news

    def _learn(self, response: Response) -> None:
        match response:
            case Exists(count=count):
                self.exists = count
            case Flags(flags=flags):
                self.flags = flags
            case Status(status=Condition.OK, code=code) if code is not None:
                self._learn_code(code.name, code.value)

    def _learn_code(self, name: str, value: object) -> None:
        match name, value:
            case "UIDVALIDITY", int():
                self.uidvalidity = value
            case "UIDNEXT", int():
                self.uidnext = value
            case "HIGHESTMODSEQ", int():
                self.modseq = value or None
            case "NOMODSEQ", _:
                self.modseq = None
            case "PERMANENTFLAGS", frozenset():
                self.permanent_flags = value

    def update(self, response: Response) -> None:
        """Take in an untagged response that came after SELECT had ended."""
        if isinstance(response, Fetch) and response.uid is not None and response.uid > self.highest:
            self.highest = response.uid
        match response:
            case Exists(count=count):
                self.changes += count != self.exists
                self.exists = count
            case Expunge():
                self.changes += 1
                self.exists -= 1
                self.news.partial = True
            case Vanished(uids=uids, earlier=False):
                self.changes += 1
                self.exists -= len(uids)
                self.news.vanished(uids)
            case Fetch(modseq=modseq) if modseq and self.modseq and modseq > self.modseq:
                # The others were asked for.
                self.changes += 1
                self.news.changed(response)
            case Fetch(uid=None, flags=frozenset()) if self.modseq is None:
                # What is asked for always has a UID.
                self.changes += 1
            case Flags(flags=flags):
                self.flags = flags
            case Status(status=Condition.OK, code=code) if code and code.name == "PERMANENTFLAGS":
                self._learn_code(code.name, code.value)
