"""Sending once: the journal around the submission of a message.

Each stage is stored before the next step begins, so that whatever dies in between, a repeated request finds
out how far the message came:

    ACCEPTED   journalled; perhaps handed to the SMTP server, perhaps not. A repeat looks for the message in
               Sent, where some servers put it themselves, and else submits again: the one gap SMTP leaves is
               closed on the side of not losing mail. When it was the store that failed, `taken` knows.
    SUBMITTED  the server has it. A repeat only makes up for a missing copy in Sent.
    DONE       nothing is left to do.
    FAILED     the server refused it. A repeat is a new attempt.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from gateway.errors import (
    ENDS_REQUEST,
    AuthenticationFailed,
    GatewayError,
    NotFound,
    StoreUnavailable,
    SubmissionError,
    UpstreamError,
)
from gateway.ports import Clock, Mailboxes, Pieces, State, Submission
from gateway.sync.copies import COPIES_LEASE, FindMailbox, store_copy
from gateway.sync.taken import Consequence, Taken
from gateway.types import NO_DEVICE, SEEN, DeviceId, OutboxEntry, OutboxStage, Principal

_LEASE = "send"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What identifies a message to be sent, and to whom it goes.

    `client_id` is what the device calls this attempt, "" where the protocol version has no such thing.
    `digest` is the SHA-256 of what the device asked for and `given_message_id` the Message-ID in it, "" when
    there was none; `message_id` is the one that is sent. `save` tells whether a copy belongs in Sent.
    """

    client_id: str
    digest: str
    given_message_id: str
    message_id: str
    sender: str
    recipients: Sequence[str]
    save: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """The message itself, and its copy for Sent."""

    message: bytes | Pieces = field(repr=False)
    sent_copy: bytes | Pieces = field(repr=False)


Compose = Callable[[], Awaitable[Letter]]
"""Writes the message, which may need the upstream: not called when there is nothing to send or to copy.

Called again it gives the same. May raise `GatewayError`.
"""


class Sending(Enum):
    """What became of a request to send."""

    SENT = auto()
    SENT_BEFORE = auto()
    """Another attempt of the device had sent the same message."""
    REPEATED = auto()
    """The very same request (its ClientId) had been served before."""


class Outbox:
    """Sends the mail of one user's device."""

    def __init__(
        self,
        state: State,
        submission: Submission,
        mailboxes: Mailboxes,
        clock: Clock,
        taken: Taken,
        *,
        principal: Principal,
        device: DeviceId,
        memory: timedelta,
    ) -> None:
        self._state = state
        self._submission = submission
        self._mailboxes = mailboxes
        self._clock = clock
        self._taken = taken
        self._principal = principal
        self._device = device
        self._memory = memory

    async def send(
        self,
        parcel: Parcel,
        compose: Compose,
        sent: FindMailbox,
        consequence: Consequence | None = None,
        *,
        alone: Compose | None = None,
    ) -> tuple[Sending, OutboxEntry, Letter | None]:
        """Submit a message unless that was done before, and store its copy in Sent if one is wanted.

        `alone` writes the message without what it is about: it is the copy when the message was sent, and
        cannot be written again because that is gone. Raises `SubmissionError`, and what `compose` raises:
        nothing is sent then, or the request is to be repeated. A copy that fails is no error: the entry
        returned is not DONE then, and the letter is the one to be copied if there is one.
        """
        now = self._clock.now()
        user = self._principal.user
        # One after the other: the requests of this device, and those of any device with this message.
        async with (
            self._state.lease(user, self._device, _LEASE),
            self._state.lease(user, NO_DEVICE, parcel.digest),
        ):
            since = now - self._memory
            sending, letter = Sending.SENT, None
            taken = self._taken.find(user, self._device, parcel.digest, since)
            if taken is not None:
                entry, new = taken, False
            else:
                entry, new = await self._state.begin_send(self._entry(parcel, now), since)
            if not new and entry.stage is OutboxStage.ACCEPTED and await self._is_in(sent, parcel):
                if consequence is not None:
                    await consequence()
                await self._state.mark_send(entry.id, OutboxStage.DONE)
                entry = replace(entry, stage=OutboxStage.DONE)
            if taken is not None:
                await self._taken.note(taken, consequence)
            elif new or entry.stage is OutboxStage.ACCEPTED:
                letter = await self._submit(entry, parcel, compose, consequence)
                entry = replace(entry, stage=OutboxStage.SUBMITTED)
            elif parcel.client_id and entry.client_id == parcel.client_id:
                sending = Sending.REPEATED
            else:
                sending = Sending.SENT_BEFORE
            if entry.stage is OutboxStage.SUBMITTED:
                first = letter is not None
                if parcel.save and letter is None:
                    letter = await _again(compose, alone or compose)
                entry = await self._copy(entry, parcel, letter, sent, first=first)
            self._taken.forget(entry)
        return sending, entry, letter

    async def _is_in(self, sent: FindMailbox, parcel: Parcel) -> bool:
        """Whether the message is in Sent: servers that put it there themselves so tell that they took it."""
        try:
            mailbox = await sent()
            return mailbox is not None and bool(
                await self._mailboxes.find_message_id(mailbox, parcel.message_id)
            )
        except (UpstreamError, NotFound, AuthenticationFailed):
            return False

    async def _submit(
        self, entry: OutboxEntry, parcel: Parcel, compose: Compose, consequence: Consequence | None
    ) -> Letter:
        try:
            letter = await compose()
        except GatewayError:
            await self._state.mark_send(entry.id, OutboxStage.FAILED)
            raise
        try:
            await self._submission.submit(self._principal, parcel.sender, parcel.recipients, letter.message)
        except SubmissionError as error:
            if not error.sent_unknown:
                await self._state.mark_send(entry.id, OutboxStage.FAILED)
            raise
        await self._taken.note(entry, consequence)
        return letter

    async def _copy(
        self, entry: OutboxEntry, parcel: Parcel, letter: Letter | None, sent: FindMailbox, *, first: bool
    ) -> OutboxEntry:
        """Store the copy; after an earlier attempt only if that has not stored it already."""
        try:
            if parcel.save and letter is not None:
                mailbox = await sent()
                if mailbox is None:
                    return entry
                if first:
                    await self._mailboxes.append(mailbox, letter.sent_copy, flags=(SEEN,))
                else:
                    async with self._state.lease(self._principal.user, NO_DEVICE, COPIES_LEASE):
                        await store_copy(self._mailboxes, mailbox, parcel.message_id, letter.sent_copy)
        except (UpstreamError, NotFound, AuthenticationFailed):  # the message itself is sent
            return entry
        with suppress(StoreUnavailable):  # all is done; a repeat would find the copy
            await self._state.mark_send(entry.id, OutboxStage.DONE)
        return replace(entry, stage=OutboxStage.DONE)

    def _entry(self, parcel: Parcel, now: datetime) -> OutboxEntry:
        return OutboxEntry(
            id=0,
            user=self._principal.user,
            device=self._device,
            client_id=parcel.client_id,
            message_id=parcel.given_message_id,
            digest=parcel.digest,
            save=parcel.save,
            stage=OutboxStage.ACCEPTED,
            created=now,
        )


async def _again(compose: Compose, alone: Compose) -> Letter:
    """A message written a second time, for its copy: `alone` when what it is about is gone.

    Raises `ENDS_REQUEST`: the device is to ask again then, since nothing else remembers that a copy is owed.
    """
    try:
        return await compose()
    except ENDS_REQUEST:
        raise
    except GatewayError:
        return await alone()
