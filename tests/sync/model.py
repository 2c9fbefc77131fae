"""A mailbox in memory for the sync engine, which can be cut off at any upstream call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from gateway.errors import NotFound, UpstreamRefused, UpstreamUnavailable
from gateway.mail.categories import categories
from gateway.ports import Mailboxes
from gateway.types import CATEGORY, TRACKED_FLAGS, BodyPart, MailboxView, MessageData, Uids

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Box:
    """The messages of one mailbox: flags and internal date by UID."""

    uidvalidity: int = 1
    next_uid: int = 1
    modseq: int = 1
    flags: dict[int, set[str]] = field(default_factory=dict)
    dates: dict[int, datetime] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    """The Message-IDs of those that have one."""
    headers: dict[int, bytes] = field(default_factory=dict)

    def deliver(
        self, *flags: str, date: datetime = EPOCH, message_id: str = "", header: bytes | None = None
    ) -> int:
        uid = self.next_uid
        self.ids[uid] = message_id
        named = f"Message-ID: {message_id}\r\n" if message_id else ""
        self.headers[uid] = f"Subject: {uid}\r\n{named}\r\n".encode() if header is None else header
        self.next_uid += 1
        self.modseq += 1
        self.flags[uid] = set(flags)
        self.dates[uid] = date
        return uid

    def mark(self, uid: int, name: str, *, on: bool) -> None:
        self.modseq += 1
        (self.flags[uid].add if on else self.flags[uid].discard)(name)

    def remove(self, uid: int) -> None:
        self.modseq += 1
        del self.flags[uid], self.dates[uid]

    def rebuild(self) -> None:
        """Give the mailbox another UIDVALIDITY: the same messages under new UIDs."""
        old = sorted(self.flags)
        self.uidvalidity += 1
        self.modseq += 1
        self.flags = {index: self.flags[uid] for index, uid in enumerate(old, 1)}
        self.dates = {index: self.dates[uid] for index, uid in enumerate(old, 1)}
        self.ids = {index: self.ids[uid] for index, uid in enumerate(old, 1)}
        self.headers = {index: self.headers[uid] for index, uid in enumerate(old, 1)}
        self.next_uid = len(old) + 1


class MemoryUpstream:
    """The part of the `Mailboxes` port that sync uses.

    The upstream is cut off at the `fail_after`th call that changes something. The change is done when the
    connection breaks: the caller cannot know. With `half_a_move` set, the next move breaks off when the
    copies are made. Flags in `refused` cannot be set. Of flags that others changed `late` says what was true
    before, until we change something ourselves; see `Mailboxes.view`.
    """

    def __init__(self, **boxes: Box) -> None:
        self.boxes = boxes
        self.fail_after: int | None = None
        self.half_a_move = False
        self.new_keywords = True
        self.refused: set[str] = set()
        self.late: dict[int, set[str]] = {}

    @property
    def port(self) -> Mailboxes:
        return cast("Mailboxes", self)

    def _box(self, mailbox: str, uidvalidity: int | None = None) -> Box:
        box = self.boxes.get(mailbox)
        if box is None or (uidvalidity is not None and box.uidvalidity != uidvalidity):
            raise NotFound(mailbox)
        return box

    def _cut(self) -> None:
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after <= 0:
                self.fail_after = None
                raise UpstreamUnavailable("cut off")

    async def view(self, mailbox: str, *, exact: Iterable[int] = ()) -> MailboxView:
        box = self._box(mailbox)
        late = {uid: flags for uid, flags in self.late.items() if uid not in set(exact)}
        shown = {uid: late.get(uid, flags) for uid, flags in box.flags.items()}
        return MailboxView(
            box.uidvalidity,
            f"{box.uidvalidity}.{box.modseq}.{sorted(late)}",
            Uids(shown),
            {name: Uids(uid for uid, flags in shown.items() if name in flags) for name in TRACKED_FLAGS}
            | {
                CATEGORY + name: Uids(uid for uid, flags in shown.items() if name in categories(flags))
                for name in categories(flag for flags in shown.values() for flag in flags)
            },
            self.new_keywords,
        )

    async def received_since(self, mailbox: str, uidvalidity: int, since: datetime) -> Uids:
        box = self._box(mailbox, uidvalidity)
        return Uids(uid for uid, date in box.dates.items() if date >= since)

    async def set_flags(
        self,
        mailbox: str,
        uidvalidity: int,
        uids: Iterable[int],
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> Uids:
        box = self._box(mailbox, uidvalidity)
        add = list(add)
        if self.refused.intersection(add):
            raise UpstreamRefused("no more keywords", "LIMIT")
        there = Uids(uid for uid in uids if uid in box.flags)
        self.late.clear()
        for uid in there:
            for name in add:
                box.mark(uid, name, on=True)
            for name in remove:
                box.mark(uid, name, on=False)
        self._cut()
        return there

    async def move(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], target: str
    ) -> Mapping[int, int | None]:
        box, trash = self._box(mailbox, uidvalidity), self._box(target)
        moved: dict[int, int | None] = {}
        for uid in [uid for uid in uids if uid in box.flags]:
            moved[uid] = trash.deliver(
                *box.flags[uid], date=box.dates[uid], message_id=box.ids[uid], header=box.headers[uid]
            )
            if not self.half_a_move:
                box.remove(uid)
        if self.half_a_move:
            self.half_a_move = False
            raise UpstreamUnavailable("cut off")
        self._cut()
        return moved

    async def fetch(
        self, mailbox: str, uidvalidity: int, uids: Iterable[int], _header_fields: Sequence[str] | None
    ) -> Mapping[int, MessageData]:
        box = self._box(mailbox, uidvalidity)
        plain = BodyPart("1", "text", "plain")
        return {
            uid: MessageData(uid, frozenset(box.flags[uid]), box.dates[uid], 0, plain, box.headers[uid])
            for uid in uids
            if uid in box.flags
        }

    async def next_uid(self, mailbox: str) -> tuple[int, int]:
        box = self._box(mailbox)
        return box.uidvalidity, box.next_uid

    async def find_message_id(self, mailbox: str, message_id: str) -> Uids:
        box = self._box(mailbox)
        return Uids(uid for uid in box.flags if box.ids[uid] == message_id)

    async def expunge(self, mailbox: str, uidvalidity: int, uids: Iterable[int]) -> Uids:
        box = self._box(mailbox, uidvalidity)
        there = Uids(uid for uid in uids if uid in box.flags)
        for uid in there:
            box.remove(uid)
        self._cut()
        return there
