"""Messages that devices asked to send, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.types.ids import DeviceId, UserId


class OutboxStage(StrEnum):
    """How far a message to be sent has come. Each stage is committed before the next step starts."""

    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message a device asked to send, remembered so that a repeated request does not send it twice.

    `digest` is the SHA-256 of the MIME as received, in hex. `save` tells whether a copy belongs in Sent.
    """

    id: int
    user: UserId
    device: DeviceId
    client_id: str
    message_id: str
    digest: str
    save: bool
    stage: OutboxStage
    created: datetime


@dataclass(frozen=True, slots=True)
class SentCopy:
    """A message that was submitted but is not in Sent yet. `entry` is the id of its `OutboxEntry`."""

    entry: int
    user: UserId
    message_id: str
    message: bytes = field(repr=False)
