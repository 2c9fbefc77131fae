"""MailSync: two phones, others at work on the mailbox, and a network that loses and repeats."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.errors import UpstreamUnavailable
from gateway.store.sqlite.state import SqliteState
from gateway.sync.changes import Change
from gateway.sync.mail import MailReply
from gateway.sync.operations import Delete, Operation
from gateway.types import FLAGGED, SEEN
from tests.sync.mailphone import Phone, contents
from tests.sync.model import Box, MemoryUpstream


class Convergence(RuleBasedStateMachine):
    """Two phones, a mailbox others work on too, and a network that loses and repeats."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory()
        self.state = self.loop.run_until_complete(SqliteState.open(Path(self.folder.name) / "g.db"))
        self.upstream = MemoryUpstream(INBOX=Box(), Trash=Box())
        self.inbox = self.upstream.boxes["INBOX"]
        self.phones = [Phone(self.state, self.upstream, name) for name in ("one", "two")]
        self.expunged = 0

    def teardown(self) -> None:
        for phone in self.phones:
            self.loop.run_until_complete(phone.settle())
            assert phone.items == contents(self.inbox)
            assert phone.resets == 0
        self.loop.run_until_complete(self.state.aclose())
        self.loop.close()
        self.folder.cleanup()

    @rule(flags=st.sets(st.sampled_from([SEEN, FLAGGED])))
    def arrives(self, flags: set[str]) -> None:
        self.inbox.deliver(*flags)

    @rule(data=st.data(), name=st.sampled_from([SEEN, FLAGGED]), on=st.booleans())
    def marked_elsewhere(self, data: st.DataObject, name: str, on: bool) -> None:
        if self.inbox.flags:
            self.inbox.mark(data.draw(st.sampled_from(sorted(self.inbox.flags))), name, on=on)

    @rule(data=st.data())
    def removed_elsewhere(self, data: st.DataObject) -> None:
        if self.inbox.flags:
            self.inbox.remove(data.draw(st.sampled_from(sorted(self.inbox.flags))))

    @rule()
    def rebuilt(self) -> None:
        self.inbox.rebuild()

    @rule(
        data=st.data(),
        which=st.integers(0, 1),
        limit=st.integers(1, 6),
        fate=st.sampled_from(["arrives", "reply lost", "repeated", "cut off"]),
    )
    def syncs(self, data: st.DataObject, which: int, limit: int, fate: str) -> None:
        phone = self.phones[which]
        operations = self._operations(data, phone) if phone.key != "0" else []
        for operation in operations:
            phone.act(operation)
        note(f"{which} {fate} {operations}")
        if fate == "cut off":
            self.upstream.fail_after = 1
        replies: list[MailReply] = []
        for _ in range(1 if fate == "arrives" else 2):
            with suppress(UpstreamUnavailable):
                ask = phone.ask(operations=operations, limit=limit)
                replies.append(self.loop.run_until_complete(ask))
            self.upstream.fail_after = None
        # A request that a proxy repeated is answered twice, and the phone hears the first answer.
        phone.apply(replies[0] if fate == "repeated" else replies[-1])

    def _operations(self, data: st.DataObject, phone: Phone) -> list[Operation]:
        if not phone.items:
            return []
        chosen = data.draw(st.lists(st.sampled_from(sorted(phone.items)), unique=True, max_size=3))
        made: list[Operation] = []
        for name in chosen:
            kinds: list[Operation] = [
                Delete(*name),
                Change(*name, read=True),
                Change(*name, read=False, flagged=True),
            ]
            made.append(data.draw(st.sampled_from(kinds)))
        return made

    @invariant()
    def nothing_is_lost(self) -> None:
        """A phone never removes more than the messages it deleted."""
        assert all(phone.resets == 0 for phone in self.phones)


Convergence.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestConvergence = Convergence.TestCase
