"""One notice on its way: mailed to all it is for, or split, or given up.

The key of a notice is its ClientId in the journal of sent mail, which sees to it that a repeat after a crash
sends nothing twice. One that the server takes for some of its recipients only is split, in the store, into
several with keys of their own: from then on each goes once to its recipients, or waits. Its copy is put into
Sent after that, and found there when it is repeated. What the SMTP server refuses for good, or for days, is
dropped, and the user told by a note in his INBOX.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import structlog

from gateway.errors import GatewayError, Kind, NotFound, Refused, SubmissionError, UpstreamUnavailable
from gateway.items import FileNumber, Notice, PendingNotice
from gateway.mail import imip
from gateway.mail.addresses import Address, parse_addresses
from gateway.mail.compose import message_id_of
from gateway.mail.enclosing import Enclosure, enclose
from gateway.mail.fields import split_header
from gateway.mail.headers import decode_words, raw_text
from gateway.mail.imip import SchedulingMail
from gateway.mail.original import LARGEST
from gateway.ports import Clock, Items, Mailboxes, Pieces, Spool
from gateway.sync.copies import FindMailbox, store_copy
from gateway.sync.outbox import Letter, Outbox, Parcel
from gateway.types import UserId

__all__ = ["Delivery", "Postman"]

_STEP = 256 * 1024
"""Octets of a file that are read at once."""
_INBOX = "INBOX"


@dataclass(frozen=True, slots=True)
class Postman:
    """What a request of the user lends, to mail with: his outbox and his mail."""

    outbox: Outbox
    mailboxes: Mailboxes
    sent: FindMailbox


@dataclass(frozen=True, slots=True)
class _Header:
    """What the header of a notice says."""

    sender: str
    subject: str
    message_id: str

    @classmethod
    def of(cls, notice: Notice) -> _Header:
        """Raises `Refused` for a message that is none."""
        fields, _ = split_header(notice.message)
        values = {each.name: raw_text(each.value) for each in fields}
        sender = next(parse_addresses(values.get(b"from", "")), Address("", ""))
        return cls(sender.address, decode_words(values.get(b"subject", "")), message_id_of(fields))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One step of a notice. `patience` is how long it may have to wait before it is given up."""

    user: UserId
    pending: PendingNotice
    postman: Postman
    items: Items
    clock: Clock
    spool: Callable[[], Spool]
    patience: timedelta
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def notice(self) -> Notice:
        return self.pending.notice

    @property
    def lasted(self) -> bool:
        """Whether it could not be mailed for so long that it is given up."""
        tried = self.pending.tried
        return tried is not None and self.clock.now() - tried >= self.patience

    async def advance(self) -> frozenset[str]:
        """Go a step; returns keys of what came of it that has to wait. Raises why the whole has to."""
        log = structlog.get_logger("gateway.notices").bind(user=self.user)
        notice, free = self.notice, self.pending.free
        try:
            header = _Header.of(notice)
        except Refused as error:
            log.warning("scheduling message that is none dropped", reason=error.detail)
            await self._drop()
            return frozenset()
        if len(free) < len(notice.recipients):
            return await self._split([free, tuple(one for one in notice.recipients if one not in free)])
        with self.stack:
            try:
                written = await self._submit(header) if notice.recipients else None
            except SubmissionError as error:
                if error.sent_unknown and not self.lasted:
                    raise
                log.warning("scheduling message refused", reason=error.detail)
                return await self._refused(header, error)
            await self._copy(header, written)
        await self._drop()
        return frozenset()

    async def _submit(self, header: _Header) -> bytes | Pieces | None:
        """Mail it; returns the message, None when that was done before. Raises `SubmissionError`."""
        notice = self.notice
        about = "\n".join((*notice.recipients, "", *(str(one.number) for one in notice.files), ""))
        digest = hashlib.sha256(about.encode("utf-8", "surrogatepass") + notice.message).hexdigest()
        parcel = Parcel(
            client_id=notice.key,
            digest=digest,
            given_message_id=header.message_id,
            message_id=header.message_id,
            sender=header.sender,
            recipients=notice.recipients,
            save=False,
        )

        async def write() -> Letter:
            message = await self._write()
            return Letter(message, message)

        # In Sent, the copy of one part of it would stand for all of them.
        sent = _nowhere if self.pending.apart else self.postman.sent
        _, _, letter = await self.postman.outbox.send(parcel, write, sent)
        return letter.message if letter else None

    async def _write(self) -> bytes | Pieces:
        """The mail, with its files. Raises `SubmissionError` when they are more than anybody would take."""
        notice = self.notice
        if not notice.files:
            return notice.message
        if sum(info.size for info in self.pending.files) > LARGEST:
            raise SubmissionError("files that are too large", kind=Kind.TOO_LARGE, permanent=True)
        spool = self.spool()
        self.stack.callback(spool.close)
        files = [
            Enclosure(
                info.name, info.content_type, file.content_id, file.inline, partial(self._read, file.number)
            )
            for file, info in zip(notice.files, self.pending.files, strict=True)
        ]
        await enclose(notice.message, files, spool)
        return spool

    async def _read(self, file: FileNumber) -> AsyncIterator[bytes]:
        at = 0
        while piece := await self.items.read_item_file(file, at, _STEP):
            yield piece
            at += len(piece)

    async def _copy(self, header: _Header, written: bytes | Pieces | None) -> None:
        """Put its copy into Sent, unless it is there. Raises why it has to wait."""
        try:
            mailbox = await self.postman.sent()
            if mailbox is None:
                raise UpstreamUnavailable("there is no mailbox for sent mail")
            written = await self._write() if written is None else written
            await store_copy(self.postman.mailboxes, mailbox, header.message_id, written)
        except GatewayError:
            if self.notice.recipients:
                await self.items.note_told(self.user, self.notice.key)
            elif self.lasted:
                return
            raise

    async def _drop(self) -> None:
        await self.items.drop_notice(self.user, self.notice.key)

    # --- what is not taken ---------------------------------------------------------------------------------

    async def _refused(self, header: _Header, error: SubmissionError) -> frozenset[str]:
        """Go on without what the server does not take. Raises the error when it is to be tried again."""
        recipients = self.notice.recipients
        if error.kind is Kind.TOO_LARGE and self.notice.files:
            said = "Your mail server took this message without its files only:"
            await self._tell(header, "Sent without files", said, (file.name for file in self.pending.files))
            await self.items.leave_out_files(self.user, self.notice.key)
            return frozenset()
        parts = [
            tuple(one for one in recipients if error.refused.get(one) is answer)
            for answer in (None, False, True)
        ]
        there = [part for part in parts if part]
        too_many = error.kind is Kind.SEND_QUOTA_EXCEEDED and not error.permanent
        if len(there) > 1:  # of too many at once, the others may go next
            return await self._split(there, tried=() if too_many else parts[1])
        if too_many and not error.refused and len(recipients) > 1:
            half = len(recipients) // 2
            return await self._split([recipients[:half], recipients[half:]])
        if not (error.permanent or self.lasted):
            raise error
        said = "Your mail server did not take this message for these, who have not been told:"
        await self._tell(header, "Not delivered", said, recipients)
        await self._drop()
        return frozenset()

    async def _split(self, parts: Sequence[Sequence[str]], tried: Sequence[str] = ()) -> frozenset[str]:
        """Have each part of the recipients be told by itself; returns the key of those just tried, if any."""
        keys = {self._key(part): part for part in parts}
        waiting = frozenset(key for key, part in keys.items() if part == tried)
        await self.items.split_notice(self.user, self.notice.key, keys, waiting)
        return waiting

    def _key(self, part: Sequence[str]) -> str:
        """What a part is called: the same whenever it is made."""
        told = "\n".join((self.notice.key, *part)).encode("utf-8", "surrogatepass")
        return hashlib.sha256(told).hexdigest()[:40]

    async def _tell(self, header: _Header, what: str, said: str, about: Iterable[str]) -> None:
        """Leave a note in the INBOX, once: the user did not write the message, and would never know."""
        listed = "\n".join(f"  {one}" for one in about)
        mail = SchedulingMail(
            sender=Address("", header.sender),
            recipients=(Address("", header.sender),),
            subject=f"{what}: {header.subject}",
            text=f"{said}\n\n{listed}\n",
            date=self.clock.now(),
            name=f"{what} {self.notice.key}",
        )
        name = imip.message_id(header.sender, mail.name)
        mailboxes: Mailboxes = self.postman.mailboxes
        try:
            if not await mailboxes.find_message_id(_INBOX, name):
                await mailboxes.append(_INBOX, imip.write(mail))
        except NotFound:  # it is logged, and there is no INBOX to say it in
            return


async def _nowhere() -> None:
    """`FindMailbox` where there is none."""
