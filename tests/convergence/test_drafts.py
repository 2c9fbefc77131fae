"""A session with drafts, the gateway killed at an I/O boundary: no draft is lost, doubled or renamed."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from contextlib import suppress

from tests.blackbox.drafting import (
    add,
    answer,
    attachments,
    body,
    change,
    file,
    names_of,
    shown,
    stored,
    subject,
    text_of,
    to,
)
from tests.convergence.ledger import Ledger
from tests.convergence.world import World
from tests.support.phone import Phone, Served, commands, delete
from wbxml import Element
from wbxml.pages import AirSyncBase

EVERY = 41
"""Of some 250 boundaries, each kind of server has others tried."""


class Session:
    """One phone's scripted session, and a second phone that looks on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.user = world.new_user()
        self.ledger = Ledger()
        self.phone, self.other = (
            Phone(world.gateway.host, world.gateway.port, self.user, world.dovecot.password, device=name)
            for name in ("PHONE1", "PHONE2")
        )
        for one in (self.phone, self.other):
            one.provision()
        self.folder = self.phone.folders()["Drafts"]
        for one in (self.phone, self.other):
            one.begin(self.folder)

    def run(self) -> dict[str, str]:
        """Make, edit, send and delete drafts; returns the texts of those that are left, by ServerId."""
        keep, edit, send, drop = self.added("keep", "edit", "send", "drop")
        self.sync(change(edit, body("edited"), attachments(file("f1", b"one"))))
        self.sync(change(edit, subject("edit"), attachments(file("f2", b"two"))), change(keep, to("")))
        self.sync(change(send, subject("sent"), send=True), delete(drop))
        self.sync(add("at-once", to("bob@example.test"), subject("at once"), body("x"), send=True))
        self.sync(change(edit, body("edited twice")))
        return {keep: "keep", edit: "edited twice"}

    def added(self, *names: str) -> list[str]:
        request = [add(name, to("bob@example.test"), subject(name), body(name)) for name in names]
        served = self.sync(*request)
        return [answer(served, number)[1] for number in range(len(names))]

    def sync(self, *operations: Element) -> Served:
        """Repeat a request until it is answered; the gateway is started again when it died."""
        for _ in range(10):
            self.world.ensure_alive(self.ledger)
            try:
                return self.phone.sync(self.folder, commands(*operations))
            except (OSError, http.client.HTTPException):
                continue
        raise AssertionError("no answer")

    def held(self, phone: Phone) -> dict[str, str]:
        """What a phone has in the end, from a new beginning."""
        phone.begin(self.folder)
        return {name: shown(data, AirSyncBase.Data) for name, data in phone.sync(self.folder).added.items()}

    def wrong(self, left: dict[str, str]) -> Sequence[str]:
        """What is not as it should be, in words."""
        world, dovecot = self.world, self.world.dovecot
        world.gateway.fuse.disarm()
        world.ensure_alive(self.ledger)
        found: list[str] = []
        if self.held(self.phone) != left or self.held(self.other) != left:
            found.append(f"phones have {self.held(self.phone)} and {self.held(self.other)}, not {left}")
        drafts = [message for _, message in stored(dovecot, self.user)]
        if sorted(map(text_of, drafts)) != sorted(left.values()):
            found.append(f"the server has {list(map(text_of, drafts))}")
        if sorted(name for draft in drafts for name in names_of(draft)) != ["f1.bin", "f2.bin"]:
            found.append(f"attachments {list(map(names_of, drafts))}")
        copies = sorted(str(message["Subject"]) for _, message in stored(dovecot, self.user, "Sent"))
        if copies != ["at once", "sent"]:
            found.append(f"in Sent: {copies}")
        return found


def sent(world: World) -> int:
    return len(world.sink.received)


def test_killed_at_a_boundary_every_draft_is_there_once(world: World) -> None:
    whole = Session(world)
    world.gateway.fuse.arm(0)
    left = whole.run()
    boundaries = world.gateway.fuse.passed
    assert boundaries > 40
    assert whole.wrong(left) == []
    for number in range(len(world.profile), boundaries + 1, EVERY):
        session = Session(world)
        before, burnt = sent(world), world.burnt.copy()
        world.gateway.fuse.arm(number)
        left = session.run()
        wrong = session.wrong(left)
        where = world.burnt - burnt
        assert wrong == [], f"killed {dict(where)} at boundary {number}"
        again = sent(world) - before - 2
        # Between the server's answer and the note of it nobody can know that the message was taken.
        assert again <= session.ledger.uncertain.total(), (number, where)


def test_killed_before_a_late_copy_of_a_shorter_request_a_draft_is_there_once(world: World) -> None:
    killed = 0
    for boundary in range(8, 28, 3):
        session = Session(world)
        (old,) = session.added("old")
        late = session.phone.collection(session.folder, commands(delete(old)))
        request = delete(old), add("new", subject("new"), body("new"))
        world.gateway.fuse.arm(boundary)
        with suppress(OSError, http.client.HTTPException):
            session.phone.post_sync(session.phone.collection(session.folder, commands(*request)))
        killed += not world.gateway.alive
        world.gateway.fuse.disarm()
        world.ensure_alive(session.ledger)
        session.phone.post_sync(late)
        served = session.sync(*request)
        status, new, _ = answer(served)
        assert status == "1", boundary
        assert new not in served.added, f"told as new what it made itself, killed at {boundary}"
        drafts = [str(message["Subject"]) for _, message in stored(world.dovecot, session.user)]
        assert drafts == ["new"], boundary
        assert session.held(session.phone) == session.held(session.other) == {new: "new"}, boundary
    assert killed > 3
