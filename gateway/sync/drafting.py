"""Operations on drafts: what a device asks for, what it is answered, and how its request meets the drafts."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field

from gateway.mail.draft import DraftPatch
from gateway.sync.changes import Change, Outcome
from gateway.sync.conflict import Policy
from gateway.sync.cursor import MailCursor

__all__ = ["UNKNOWN_EDITION", "Add", "DraftAnswer", "Drafting", "Edit"]

UNKNOWN_EDITION = -1
"""A device that has this edition has to be told the message again."""


@dataclass(frozen=True, slots=True)
class Add:
    """The device made a draft, or with `send` a message that is sent at once.

    `digest` is that of the patch. `change` are the flags it has, for UID 0.
    """

    client_id: str
    patch: DraftPatch
    digest: str
    change: Change
    send: bool = False

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        return f"add:{self.client_id}"


@dataclass(frozen=True, slots=True)
class Edit:
    """The device changed the content of a draft; with `send` it is sent then. `change` is for its flags."""

    change: Change
    patch: DraftPatch
    digest: str
    send: bool = False

    @property
    def uidvalidity(self) -> int:
        """Of the message."""
        return self.change.uidvalidity

    @property
    def uid(self) -> int:
        """Of the message, as devices know it."""
        return self.change.uid

    @property
    def identity(self) -> str:
        """What makes two operations the same one, across a retry."""
        return f"edit:{self.uidvalidity}.{self.uid}:{self.digest}:{self.send:d}"


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """What a device is told of an Add or Edit, and again when it repeats it.

    `uid` is 0 when nothing was stored. `edition` is that of the message, 0 before its first edit; of one that
    was sent it is the version to be removed. `digest` is of the patch it was made with. `thread` are
    ConversationId and ConversationIndex, and `files` the sections of new attachments by their ClientId.
    `text` tells what was written: the number of characters, and their digest.
    """

    outcome: Outcome = Outcome.DONE
    uid: int = 0
    edition: int = 0
    digest: str = ""
    thread: tuple[bytes, bytes] = (b"", b"")
    text: tuple[int, str] = (0, "")
    files: Mapping[str, str] = field(default_factory=dict)

    def pack(self) -> bytes:
        """The answer as a JSON object."""
        values = asdict(self) | {"thread": [base64.b64encode(one).decode() for one in self.thread]}
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, data: bytes) -> DraftAnswer:
        """The answer `pack` made these bytes of."""
        values = json.loads(data)
        identity, index = map(base64.b64decode, values.pop("thread"))
        text = tuple(values.pop("text"))
        return cls(Outcome(values.pop("outcome")), thread=(identity, index), text=text, **values)


@dataclass(frozen=True, slots=True)
class Drafting:
    """How a request meets the drafts: its key, what its device knows, and who wins a conflict.

    `shown` tells up to how many octets of a text (rich or not) the device was shown; `answers` are those that
    it was given before, by operation.
    """

    key: str
    cursor: MailCursor
    policy: Policy
    shown: Callable[[bool], int | None]
    answers: Mapping[str, DraftAnswer] = field(default_factory=dict)
