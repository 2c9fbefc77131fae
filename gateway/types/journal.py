"""Edits and moves of messages, noted before the upstream is touched so that they are found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.types.ids import CollectionId, DeviceId


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A message that was stored again when a device edited it, for IMAP cannot change one.

    It goes by the UID `item`, its first one, and is `uid` by now. `labels` maps what devices call its
    attachments (the section each had when they first heard of it) to their sections now, "" for those that
    were removed. `stale` are UIDs of earlier versions that may still be there.
    """

    uidvalidity: int
    item: int
    uid: int
    labels: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Writing:
    """A message about to be stored, so that it is found again when nobody knows whether it was.

    `marker` is in its header, and its UID is above `newest`. `rewrite` is what to note then (`item` 0: it is
    a new message). `name` is the intent of the device that gets an answer made from `value`.
    """

    marker: str
    newest: int
    rewrite: Rewrite
    device: DeviceId
    collection: CollectionId
    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Rewrites:
    """What is known of the edited messages of a mailbox."""

    done: tuple[Rewrite, ...] = ()
    pending: tuple[Writing, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A message that a device moved, or is about to, remembered so that a repeated request finds it.

    `likeness` is what the message is known by where it arrives, under a UID not below `target_uidnext`.
    `target_uid` is None while the move is under way, and 0 when nobody knows where the message went. `flags`
    are those of the device's copy (named as in `MailboxView.flags`), None when that is not known.
    """

    source: CollectionId
    uidvalidity: int
    uid: int
    target: CollectionId
    likeness: str
    target_uidvalidity: int
    target_uidnext: int
    began: datetime
    target_uid: int | None = None
    flags: frozenset[str] | None = None
