"""What a connection knows of the mailbox it has selected, kept true by whatever the server tells unasked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(slots=True)
class Selected:
    """The selected mailbox. `modseq` is None while the server keeps none for it (NOMODSEQ, or no CONDSTORE).

    `changes` counts what the server told of since SELECT ended: as long as it stands still, a series of
    commands saw one and the same mailbox.
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

    @classmethod
    def after_select(cls, mailbox: str, responses: Iterable[Response], tagged: Tagged) -> Selected:
        """From the responses to SELECT. What precedes `[CLOSED]` is of the mailbox left (RFC 7162 3.2.11)."""
        selected = cls(mailbox)
        for response in responses:
            if isinstance(response, Status) and response.code and response.code.name == "CLOSED":
                selected = cls(mailbox)
            else:
                selected._learn(response)
        selected.read_only = tagged.code is not None and tagged.code.name == "READ-ONLY"
        return selected

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
        match response:
            case Exists(count=count):
                self.changes += count != self.exists
                self.exists = count
            case Expunge():
                self.changes += 1
                self.exists -= 1
            case Vanished(uids=uids, earlier=False):
                self.changes += 1
                self.exists -= len(uids)
            case Fetch(modseq=modseq) if modseq and self.modseq:
                # The others were asked for.
                self.changes += modseq > self.modseq
            case Flags(flags=flags):
                self.flags = flags
            case Status(status=Condition.OK, code=code) if code and code.name == "PERMANENTFLAGS":
                self._learn_code(code.name, code.value)
