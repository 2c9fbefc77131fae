"""The servers, the gateway between them, and the things that go wrong with them."""

from __future__ import annotations

import re
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, nullcontext
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Literal

from gateway.demo.client import Account as DemoAccount
from gateway.demo.client import Client, PhoneError
from gateway.demo.phone import Phone as DemoPhone
from tests.convergence.choices import Choices
from tests.support.line import Direction, Line
from tests.convergence.ending import undisturbed
from tests.convergence.habits import Habits
from tests.convergence.ledger import Ledger
from tests.convergence.network import Network
from tests.convergence.phone import Account, Phone
from tests.convergence.process import FusedGateway
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.smtp_sink import SmtpSink

Profile = Literal["full", "bare"]
_SERVED_SECONDS = 30.0
_TOKEN = re.compile(rb"(?im)^Message-ID: *<([^@>]+)@convergence")


class World:
    """Dovecot, an SMTP server, and the gateway between them. A context manager.

    `defects` are as in `fused`; `mail` and `database` are those of an earlier world to go on with, where mail
    is kept as Maildir, by the names of mailboxes.
    """

    def __init__(
        self,
        profile: Profile = "full",
        *,
        defects: Mapping[str, str] | None = None,
        mail: Path | None = None,
        database: Path | None = None,
    ) -> None:
        self.profile = profile
        self._defects = defects
        self._mail = mail
        self._database = database
        self.faults: Counter[str] = Counter()
        self.burnt: Counter[str] = Counter()
        """At which boundaries the gateway was killed."""
        self._users = 0
        self._tokens = 0
        self._stack = ExitStack()

    def __enter__(self) -> World:
        with undisturbed(), ExitStack() as stack:
            options = Options(
                profile=self.profile, storage="maildir", filed_by="name" if self._mail else "id"
            )
            self.dovecot = stack.enter_context(Dovecot(options, mail=self._mail))
            self.sink = stack.enter_context(SmtpSink())
            self.line = stack.enter_context(Line(self.dovecot.port))
            self.gateway = FusedGateway(
                self.dovecot, self.sink, imap_port=self.line.port, defects=self._defects
            )
            if self._database is not None:
                shutil.copy(self._database, self.gateway.database)
            stack.enter_context(self.gateway)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with undisturbed():
            self._stack.close()

    def new_user(self) -> str:
        """A login nobody used before."""
        self._users += 1
        return f"user{self._users}"

    def new_token(self, prefix: str) -> str:
        """A subject nobody used before."""
        self._tokens += 1
        return f"{prefix}{self._tokens}"

    def phone(self, user: str, device: str, habits: Habits, ledger: Ledger) -> Phone:
        """A phone that has been provisioned; like any it tries again when the gateway asks it to."""
        account = DemoAccount(self.gateway.host, self.gateway.port, user, self.dovecot.password, device)
        key = _when_served(DemoPhone(Client(account)).provision)
        network = Network(self.gateway.port)
        return Phone(Account(user, self.dovecot.password, device, key), habits, network, ledger)

    # --- what goes wrong -----------------------------------------------------------------------------------

    @contextmanager
    def trouble(self, choices: Choices, ledger: Ledger) -> Iterator[list[str]]:
        """Perhaps trouble what is done inside.

        The gateway is killed at a boundary, the line to IMAP is cut at a byte, or the IMAP server restarts.
        Afterwards the list says in words what came of it.
        """
        kind = choices.number(0, 99)
        came: list[str] = []
        cut = ""
        if kind < 8:
            self.gateway.fuse.arm(choices.number(1, 24))
        elif kind < 14:
            octets = choices.number(1, 1500)
            direction: Direction = choices.pick(("up", "down"))
            cut = f"the line to IMAP cut after {octets} octets {direction}"
            self.line.cut_after(octets, direction)
        elif kind == 14:
            came.append("IMAP restarted meanwhile")
        cuts = self.line.cuts
        try:
            with self._restarting() if kind == 14 else nullcontext():
                yield came
        finally:
            self.line.mend()
            if cut and self.line.cuts > cuts:
                self.faults["upstream cut"] += 1
                came.append(cut)
            self.gateway.fuse.disarm()
            if boundary := self.gateway.fuse.burnt_at:
                came.append(f"the gateway killed {boundary}")
            self.ensure_alive(ledger)

    @contextmanager
    def _restarting(self) -> Iterator[None]:
        """Restart the IMAP server meanwhile."""
        self.faults["IMAP restarted meanwhile"] += 1
        thread = threading.Thread(target=self.dovecot.restart)
        with undisturbed():
            thread.start()
            try:
                yield
            finally:
                thread.join()

    def ensure_alive(self, ledger: Ledger) -> None:
        """Start the gateway again if it died."""
        if not self.gateway.alive:
            self.revive(ledger)

    def kill(self, ledger: Ledger) -> None:
        """Kill the gateway while nothing is asked of it, and start it again."""
        self.gateway.kill()
        self.revive(ledger)

    def revive(self, ledger: Ledger) -> None:
        """Start the gateway again after its death."""
        self.burnt[self.gateway.fuse.burnt_at or "at rest"] += 1
        self.faults["gateway killed"] += 1
        self.gateway.kill()
        for token, stage in self.unfinished().items():
            if stage == "accepted":
                ledger.uncertain[token] += 1
        self.gateway.start()

    def restart_dovecot(self) -> None:
        """End the IMAP server and start it again."""
        self.faults["IMAP restarted"] += 1
        with undisturbed():
            self.dovecot.restart()

    # --- what is to be seen from outside -------------------------------------------------------------------

    def unfinished(self) -> dict[str, str]:
        """The stages of messages in the gateway's journal that are neither done nor failed, by token."""
        if not self.gateway.database.exists():
            return {}
        with closing(sqlite3.connect(self.gateway.database, timeout=5)) as connection:
            rows = connection.execute(
                "SELECT message_id, stage FROM outbox WHERE stage IN ('accepted', 'submitted')"
            ).fetchall()
        return {message_id.strip("<>").partition("@")[0]: stage for message_id, stage in rows}

    def received(self) -> Counter[str]:
        """How often the SMTP server took each message."""
        found = (_TOKEN.search(message.data) for message in self.sink.received)
        return Counter(match[1].decode() for match in found if match)


def _when_served(ask: Callable[[], str]) -> str:
    """What is answered once the gateway, which leaves a mail server alone that failed, does not say 503."""
    deadline = time.monotonic() + _SERVED_SECONDS
    while True:
        try:
            return ask()
        except PhoneError as error:
            if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                raise
        time.sleep(0.1)
