"""Text messages that phones upload, kept as mail in a mailbox of their own.

A text message is known by its content: whoever tells of it again, be it the same phone after a lost reply or
a new start, is told the same, and it is kept once.
"""

from __future__ import annotations

from gateway.errors import NotFound
from gateway.mail import sms
from gateway.mail.sms import TextMessage
from gateway.ports import Mailboxes, State
from gateway.sync.hierarchy import personal_prefix
from gateway.types import SEEN, DeviceId, UserId

__all__ = ["Texts"]

_LEASE = "texts"
_ALL_DEVICES = DeviceId("")


class Texts:
    """The text messages of one user. `name` is that of the mailbox, without the prefix of the server."""

    def __init__(self, state: State, mailboxes: Mailboxes, *, user: UserId, owner: str, name: str) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._user = user
        self._owner = owner
        self._name = name
        self._mailbox = ""

    async def add(self, message: TextMessage, *, read: bool) -> None:
        """Keep it, unless it is kept already. Raises `UpstreamError`."""
        async with self._state.lease(self._user, _ALL_DEVICES, _LEASE):
            mailbox = await self._found(create=True)
            if await self._mailboxes.find_message_id(mailbox, sms.message_id(message.digest)):
                return
            flags = [SEEN] if read or message.outgoing else []
            content = sms.compose(message, self._owner)
            await self._mailboxes.append(mailbox, content, flags=flags, date=message.date)

    async def mark(self, digest: str, *, read: bool) -> None:
        """Note whether it was read. Raises `NotFound` and `UpstreamError`."""
        mailbox = await self._found(create=False)
        validity, _ = await self._mailboxes.next_uid(mailbox)
        uids = await self._mailboxes.find_message_id(mailbox, sms.message_id(digest))
        marks = {"add" if read else "remove": [SEEN]}
        if not await self._mailboxes.set_flags(mailbox, validity, uids, **marks):
            raise NotFound("no such text message")

    async def remove(self, digest: str) -> None:
        """Forget it; one that is not there is no error. Raises `UpstreamError`."""
        try:
            mailbox = await self._found(create=False)
        except NotFound:
            return
        validity, _ = await self._mailboxes.next_uid(mailbox)
        uids = await self._mailboxes.find_message_id(mailbox, sms.message_id(digest))
        await self._mailboxes.expunge(mailbox, validity, uids)

    async def _found(self, *, create: bool) -> str:
        """The mailbox. Raises `NotFound`."""
        if not self._mailbox:
            mailboxes = await self._mailboxes.list()
            name = personal_prefix(mailboxes) + self._name
            if all(mailbox.name != name for mailbox in mailboxes):
                if not create:
                    raise NotFound("no text messages")
                await self._mailboxes.create(name)
            self._mailbox = name
        return self._mailbox
