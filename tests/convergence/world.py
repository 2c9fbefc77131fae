"""One gateway with a store of its own between the servers, killed and started again."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.convergence.choices import Choices
from tests.convergence.ledger import Ledger
from tests.convergence.network import Network
from tests.convergence.process import FusedGateway
from tests.convergence.stage import Profile, Stage
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.smtp_sink import SmtpSink
from tests.support.tcp_cut import Way

__all__ = ["World"]


class World(Stage):
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
        super().__init__(profile)
        self._defects = defects
        self._mail = mail
        self._database = database

    def _start(self, stack: ExitStack) -> None:
        options = Options(profile=self.profile, storage="maildir", filed_by="name" if self._mail else "id")
        self.dovecot = stack.enter_context(Dovecot(options, mail=self._mail))
        self.sink = stack.enter_context(SmtpSink())
        self.line = stack.enter_context(Way(self.dovecot.port))
        self.gateway = FusedGateway(self.dovecot, self.sink, imap_port=self.line.port, defects=self._defects)
        if self._database is not None:
            shutil.copy(self._database, self.gateway.database)
        stack.enter_context(self.gateway)

    @property
    def arguments(self) -> str:
        return f"--profile {self.profile}"

    def network(self) -> Network:
        return Network(self.gateway.port)

    @contextmanager
    def trouble(self, choices: Choices, ledger: Ledger) -> Iterator[list[str]]:
        """Perhaps trouble what is done inside.

        The gateway is killed at a boundary, the line to IMAP is cut at a byte, or the IMAP server restarts.
        """
        kind = choices.number(0, 99)
        came: list[str] = []
        try:
            with ExitStack() as stack:
                if kind < 8:
                    self.gateway.fuse.arm(choices.number(1, 24))
                elif kind < 14:
                    stack.enter_context(self._upstream_cut(choices, came))
                elif kind == 14:
                    stack.enter_context(self._imap_restarting(came))
                yield came
        finally:
            self.gateway.fuse.disarm()
            if boundary := self.gateway.fuse.burnt_at:
                came.append(f"the gateway killed {boundary}")
            self.ensure_alive(ledger)

    def trouble_at_rest(self, choices: Choices, ledger: Ledger) -> str:
        self.recover(ledger)
        return "the gateway is killed at rest"

    def ensure_alive(self, ledger: Ledger) -> None:
        if not self.gateway.alive:
            self.revive(ledger)

    def recover(self, ledger: Ledger) -> None:
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

    def unfinished(self) -> dict[str, str]:
        if not self.gateway.database.exists():
            return {}
        with closing(sqlite3.connect(self.gateway.database, timeout=60)) as connection:
            rows = connection.execute(
                "SELECT message_id, stage FROM outbox WHERE stage IN ('accepted', 'submitted')"
            ).fetchall()
        return {message_id.strip("<>").partition("@")[0]: stage for message_id, stage in rows}

    def log(self) -> str:
        return self.gateway.log()
