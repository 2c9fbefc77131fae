"""Scheduling messages that were stored with a change, mailed once the change is there.

Only the user's own credentials submit his mail, so what could not be mailed at once is mailed on a later
request of his, also after a restart. The key of a notice is its ClientId in the journal of sent mail, which
sees to it that a repeat after a crash sends nothing twice. Of one event everybody is told in the order of the
changes; what is about another one need not wait for them. What the SMTP server refuses for good, or for
days, is dropped, and the user told by a note in his INBOX.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    Kind,
    NotFound,
    Refused,
    SubmissionError,
    UpstreamError,
)
from gateway.items import Notice
from gateway.mail import imip
from gateway.mail.addresses import Address, parse_addresses
from gateway.mail.compose import message_id_of
from gateway.mail.fields import split_header
from gateway.mail.headers import decode_words, raw_text
from gateway.mail.imip import SchedulingMail
from gateway.ports import Clock, Mailboxes
from gateway.ports.items import Notices as StoredNotices
from gateway.sync.background import Background, compute
from gateway.sync.copies import FindMailbox, SentCopies, store_copy
from gateway.sync.outbox import Letter, Outbox, Parcel
from gateway.types import OutboxStage, SentCopy, UserId

__all__ = ["MEMORY", "NoticeMail", "Postman"]

_DELAYS = (0, 5, 25, 125)
"""Seconds before each of the attempts that follow a request."""
MEMORY = timedelta(days=36500)
"""How long the journal is to recognise a notice: as long as it has not been dropped."""
_ENOUGH = 3
"""Messages that have to wait, after which the others are not tried: it is not for what they are."""
_INBOX = "INBOX"


@dataclass(frozen=True, slots=True)
class Postman:
    """What a request of the user lends, to mail with: his outbox and his mail."""

    outbox: Outbox
    mailboxes: Mailboxes
    sent: FindMailbox


@dataclass(frozen=True, slots=True)
class _Letter:
    """What the header of a notice says."""

    sender: str
    subject: str
    message_id: str


class NoticeMail:
    """Knows for whom notices wait, and works them off.

    `patience` is how long the SMTP server may refuse one for the moment before it is given up.
    """

    def __init__(
        self,
        notices: StoredNotices,
        copies: SentCopies,
        clock: Clock,
        background: Background,
        patience: timedelta,
    ) -> None:
        self._notices = notices
        self._copies = copies
        self._clock = clock
        self._background = background
        self._patience = patience
        self._done: set[UserId] = set()
        """Users known to have none."""
        self._waiting: dict[UserId, dict[str, None]] = {}
        """The keys of notices that had to wait, in the order of the last attempts."""
        self._working: dict[UserId, asyncio.Task[None]] = {}
        self._log = structlog.get_logger("gateway.notices")

    def stored(self, user: UserId) -> None:
        """There is something to be mailed for this user: to be called after each commit with notices."""
        self._done.discard(user)

    def resume(self, user: UserId, postman: Callable[[], Postman]) -> None:
        """Begin to mail the user's notices in the background, if there are any and nobody is at it."""
        if user not in self._done and user not in self._working:
            self._working[user] = self._background.start(self._work(user, postman()), resumable=True)

    async def _work(self, user: UserId, postman: Postman) -> None:
        try:
            for delay in _DELAYS:
                await asyncio.sleep(delay)
                while await self.mail(user, postman):
                    if user in self._done:  # nothing was stored meanwhile
                        return
        except GatewayError as error:
            self._log.warning("mailing scheduling messages failed", user=user, reason=error.detail)
        finally:
            del self._working[user]

    async def mail(self, user: UserId, postman: Postman) -> bool:
        """Mail what waits; False when some of it has to wait longer."""
        self._done.add(user)  # first: what is stored from here on takes it back
        failures = 0
        overtaking = False
        waiting = self._waiting.pop(user, {})
        turns = {key: turn for turn, key in enumerate(waiting)}
        pending = await self._notices.pending_notices(user)
        ahead = await compute(_ahead, pending)
        left = {notice.key for notice in pending}
        # Those not tried yet, then the others in turn: a few that nobody takes are not to keep up the rest.
        for notice in sorted(pending, key=lambda one: turns.get(one.key, -1)):
            if failures == _ENOUGH:
                break
            if ahead[notice.key] & left:
                overtaking = True
                continue
            waiting.pop(notice.key, None)
            try:
                await self._one(user, notice, postman)
            except (SubmissionError, UpstreamError, AuthenticationFailed) as error:
                failures += 1
                waiting[notice.key] = None
                self._log.warning("scheduling message waits", user=user, reason=error.detail)
                continue
            except Refused as error:  # it is no message
                self._log.error("scheduling message dropped", user=user, reason=error.detail)
            await self._notices.drop_notice(user, notice.key)
            left.remove(notice.key)
        if overtaking and not failures:  # what they waited for is done
            return await self.mail(user, postman)
        if failures:
            self._done.discard(user)
            self._waiting[user] = waiting
        return not failures

    async def _one(self, user: UserId, notice: Notice, postman: Postman) -> None:
        """Mail one, to each of its recipients by itself should they not be taken together."""
        letter = _read(notice)
        try:
            await self._submit(user, notice, letter, notice.recipients, postman, save=True)
        except SubmissionError as error:
            too_many = error.kind is Kind.SEND_QUOTA_EXCEEDED and len(notice.recipients) > 1
            if error.permanent or too_many or self._lasted(notice):
                await self._apart(user, notice, letter, postman, error)
                return
            await self._notices.note_attempt(user, notice.key)
            raise

    async def _apart(
        self, user: UserId, notice: Notice, letter: _Letter, postman: Postman, error: SubmissionError
    ) -> None:
        refused: list[str] = []
        for recipient in notice.recipients if len(notice.recipients) > 1 else ():
            try:
                await self._submit(user, notice, letter, (recipient,), postman, save=False)
            except SubmissionError as again:
                if not again.permanent and not self._lasted(notice):
                    await self._notices.note_attempt(user, notice.key)
                    raise
                refused.append(recipient)
        if len(notice.recipients) == 1 or len(refused) == len(notice.recipients):
            refused = list(notice.recipients)
        else:
            mailbox = await postman.sent()
            if mailbox is not None:
                await store_copy(postman.mailboxes, mailbox, letter.message_id, notice.message)
        self._log.warning("scheduling message refused", user=user, by=len(refused), reason=error.detail)
        if refused:
            await self._tell(notice, letter, refused, postman.mailboxes)

    def _lasted(self, notice: Notice) -> bool:
        """Whether it was refused for so long that it is given up."""
        return notice.tried is not None and self._clock.now() - notice.tried >= self._patience

    async def _submit(
        self,
        user: UserId,
        notice: Notice,
        letter: _Letter,
        recipients: Sequence[str],
        postman: Postman,
        *,
        save: bool,
    ) -> None:
        addressed = "\n".join(recipients).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(addressed + b"\n\n" + notice.message).hexdigest()
        parcel = Parcel(
            client_id=notice.key if save else f"{notice.key}.{digest[:8]}",
            digest=digest,
            given_message_id=letter.message_id,
            message_id=letter.message_id,
            sender=letter.sender,
            recipients=recipients,
            save=save,
        )

        async def write() -> Letter:
            return Letter(notice.message, notice.message)

        _, entry, _ = await postman.outbox.send(parcel, write, postman.sent)
        if save and entry.stage is not OutboxStage.DONE:
            await self._copies.keep(SentCopy(entry.id, user, letter.message_id, notice.message))

    async def _tell(
        self, notice: Notice, letter: _Letter, refused: Sequence[str], mailboxes: Mailboxes
    ) -> None:
        """Leave a note in the INBOX, once: the user did not write the message, and would never know."""
        listed = "\n".join(f"  {recipient}" for recipient in refused)
        mail = SchedulingMail(
            sender=Address("", letter.sender),
            recipients=(Address("", letter.sender),),
            subject=f"Not delivered: {letter.subject}",
            text=f"Your mail server did not take this message for:\n\n{listed}\n\nThey have not been told.\n",
            date=self._clock.now(),
            name=f"refused {notice.key}",
        )
        name = imip.message_id(letter.sender, mail.name)
        try:
            if not await mailboxes.find_message_id(_INBOX, name):
                await mailboxes.append(_INBOX, imip.write(mail))
        except NotFound:  # it is logged, and there is no INBOX to say it in
            return


def _ahead(pending: Sequence[Notice]) -> dict[str, frozenset[str]]:
    """Of each notice those that go first: the ones before it of the same event, to the same people."""
    if len(pending) < 2:  # as nearly always: read none
        return {notice.key: frozenset() for notice in pending}
    last: dict[tuple[bytes, str], str] = {}
    found: dict[str, frozenset[str]] = {}
    for notice in pending:
        event = imip.event_of(notice.message)
        topics = [(event, recipient.lower()) for recipient in notice.recipients] if event else []
        found[notice.key] = frozenset(last[one] for one in topics if one in last)
        last.update(dict.fromkeys(topics, notice.key))
    return found


def _read(notice: Notice) -> _Letter:
    """Raises `Refused` for a message that is none."""
    fields, _ = split_header(notice.message)
    values = {each.name: raw_text(each.value) for each in fields}
    sender = next(parse_addresses(values.get(b"from", "")), Address("", ""))
    return _Letter(sender.address, decode_words(values.get(b"subject", "")), message_id_of(fields))
