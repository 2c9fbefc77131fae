"""What is kept of a request for mail, for its repeats, and what a device believes that made it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.sync.changes import Outcome
from gateway.sync.cursor import NO_UIDS, MailCursor
from gateway.sync.drafting import Add, DraftAnswer
from gateway.sync.operations import Applied, Operation, effect, fingerprint, flag_change
from gateway.types import CATEGORY, Uids

__all__ = ["Record", "asking", "believing", "differs"]


@dataclass(frozen=True, slots=True)
class Record:
    """What `SyncState.results` holds.

    Outcomes by operation, which of the messages told went as SoftDelete or for their annotations, the
    answers of drafts, and the categories, by UID, that are no keywords. `asked` is the fingerprint of the
    operations of the first request, which those done `later` were not part of.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    aged: Uids = NO_UIDS
    noted: Mapping[str, Uids] = field(default_factory=dict)
    drafts: Mapping[str, DraftAnswer] = field(default_factory=dict)
    beside: Mapping[int, frozenset[str]] = field(default_factory=dict)
    asked: str = ""
    later: frozenset[str] = frozenset()

    def pack(self) -> bytes:
        noted = {name: _to_text(uids) for name, uids in self.noted.items()}
        drafts = {name: answer.pack().decode() for name, answer in self.drafts.items()}
        values = {
            "outcomes": self.outcomes,
            "aged": _to_text(self.aged),
            "noted": noted,
            "drafts": drafts,
            "beside": [[uid, sorted(names)] for uid, names in self.beside.items() if names],
            "asked": self.asked,
            "later": sorted(self.later),
        }
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> Record:
        if not data:
            return cls()
        values = json.loads(data)
        outcomes = {name: Outcome(outcome) for name, outcome in values["outcomes"].items()}
        noted = {name: _from_text(uids) for name, uids in values.get("noted", {}).items()}
        drafts = {name: DraftAnswer.unpack(answer) for name, answer in values.get("drafts", {}).items()}
        beside = {uid: frozenset(names) for uid, names in values.get("beside", ())}
        later = frozenset(values.get("later", ()))
        return cls(
            outcomes, _from_text(values["aged"]), noted, drafts, beside, values.get("asked", ""), later
        )


def differs(operation: Operation, answer: DraftAnswer | None) -> bool:
    """Whether a new draft is not as it was when it was answered: written on since, or to be sent."""
    if not isinstance(operation, Add) or answer is None or answer.outcome is not Outcome.DONE:
        return False
    return answer.uid > 0 if operation.send else answer.digest != operation.digest


def asking(called: Mapping[str, Operation]) -> str:
    """The fingerprint of the operations of a request, as it is kept in the record of it."""
    return fingerprint(
        {
            name: f"{one.digest} {one.send:d} {one.change.identity}" if isinstance(one, Add) else ""
            for name, one in called.items()
        }
    )


def believing(cursor: MailCursor, operations: Iterable[Operation], became: Record | Applied) -> MailCursor:
    """The cursor of a device that did operations, of which this became."""
    for operation in operations:
        cursor = effect(cursor, operation, became.drafts.get(operation.identity))
        change = flag_change(operation, became.drafts, cursor.uidvalidity)
        if change is not None and change.categories is not None and change.uidvalidity == cursor.uidvalidity:
            for name in became.beside.get(change.uid, ()):
                cursor = cursor.marked(CATEGORY + name, Uids((change.uid,)), on=False)
    return cursor


def _to_text(uids: Uids) -> str:
    return base64.b64encode(uids.serialize()).decode() if uids else ""


def _from_text(text: str) -> Uids:
    return Uids.deserialize(base64.b64decode(text)) if text else NO_UIDS
