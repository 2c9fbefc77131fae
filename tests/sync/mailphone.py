"""A phone with a mailbox, which applies what MailSync tells it."""

from __future__ import annotations

from gateway.app import SystemClock
from gateway.store.sqlite.state import SqliteState
from gateway.sync.changes import Change
from gateway.sync.keys import KeyUse
from gateway.sync.mail import MailReply, MailRequest, MailSync
from gateway.sync.operations import Delete, Operation
from gateway.types import FLAGGED, SEEN, CollectionId, DeviceId, UserId
from tests.sync.model import Box, MemoryUpstream


class Phone:
    """A device's local store, which applies replies as a phone does."""

    def __init__(
        self,
        state: SqliteState,
        upstream: MemoryUpstream,
        device: str,
        mailbox: str = "INBOX",
        trash: str | None = "Trash",
        release: str = "1",
    ) -> None:
        self.sync = MailSync(
            state,
            upstream.port,
            user=UserId("ann"),
            device=DeviceId(device),
            collection=CollectionId("1"),
            mailbox=mailbox,
            trash=trash,
            release=release,
            clock=SystemClock(),
        )
        self.key = "0"
        self.items: dict[tuple[int, int], frozenset[str]] = {}
        self.resets = 0

    async def ask(self, **request: object) -> MailReply:
        """Send a request without applying the answer: as if the reply were lost."""
        return await self.sync.run(MailRequest(self.key, **request))  # type: ignore[arg-type]

    def apply(self, reply: MailReply) -> None:
        if reply.use is KeyUse.UNKNOWN:
            self.key, self.items = "0", {}
            self.resets += 1
            return
        self.key = reply.key
        validity, told = reply.after.uidvalidity, reply.told
        for former, uids in told.former:
            for uid in uids:
                self.items.pop((former, uid), None)
        for uid in (*told.removed, *told.aged):
            self.items.pop((validity, uid), None)
        for uid in told.added:
            assert (validity, uid) not in self.items, "the same message twice"
            self.items[validity, uid] = reply.after.flags_of(uid)
        for uid in told.changed | told.renewed:
            assert (validity, uid) in self.items, "a change of a message the device does not have"
            self.items[validity, uid] = reply.after.flags_of(uid)

    def act(self, operation: Operation) -> None:
        """Do an operation locally, before the server hears of it."""
        assert isinstance(operation, Change | Delete)
        name = (operation.uidvalidity, operation.uid)
        if isinstance(operation, Delete):
            self.items.pop(name, None)
            return
        flags = set(self.items.get(name, ()))
        for flag, wanted in ((SEEN, operation.read), (FLAGGED, operation.flagged)):
            if wanted is not None:
                (flags.add if wanted else flags.discard)(flag)
        if name in self.items:
            self.items[name] = frozenset(flags)

    async def settle(self, **request: object) -> None:
        """Sync until there is nothing more."""
        for _ in range(200):
            reply = await self.ask(**request)
            self.apply(reply)
            if reply.silent:
                return
        raise AssertionError("never quiet")


def contents(box: Box) -> dict[tuple[int, int], frozenset[str]]:
    return {(box.uidvalidity, uid): frozenset(flags) for uid, flags in box.flags.items()}
