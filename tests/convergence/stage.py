"""What a story is played on: mail servers, gateways before them, and what goes wrong with these."""

from __future__ import annotations

import re
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Literal, Self

from gateway.demo.client import Account as DemoAccount
from gateway.demo.client import Client, PhoneError
from gateway.demo.phone import Phone as DemoPhone
from tests.convergence.choices import Choices
from tests.convergence.ending import undisturbed
from tests.convergence.habits import Habits
from tests.convergence.ledger import Ledger
from tests.convergence.network import Network
from tests.convergence.phone import Account, Phone
from tests.support.dovecot import Dovecot
from tests.support.smtp_sink import SmtpSink
from tests.support.tcp_cut import Direction, Way

__all__ = ["Profile", "Stage"]

Profile = Literal["full", "bare"]
_SERVED_SECONDS = 60.0
_NOT_YET = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE})
_TOKEN = re.compile(rb"(?im)^Message-ID: *<([^@>]+)@convergence")


class Stage(ABC):
    """Dovecot, an SMTP server, and whatever serves phones. A context manager."""

    dovecot: Dovecot
    sink: SmtpSink
    line: Way
    """The way from the gateways to IMAP."""

    def __init__(self, profile: Profile = "full") -> None:
        self.profile = profile
        self.faults: Counter[str] = Counter()
        self.burnt: Counter[str] = Counter()
        """At which boundaries a gateway was killed."""
        self._users = 0
        self._tokens = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with undisturbed(), ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        with undisturbed():
            self._stack.close()

    @abstractmethod
    def _start(self, stack: ExitStack) -> None:
        """Start everything; `stack` ends it."""

    def new_user(self) -> str:
        """A login nobody used before."""
        self._users += 1
        return f"user{self._users}"

    def new_token(self, prefix: str) -> str:
        """A subject nobody used before."""
        self._tokens += 1
        return f"{prefix}{self._tokens}"

    @property
    @abstractmethod
    def arguments(self) -> str:
        """The arguments by which a long run has such a stage."""

    @abstractmethod
    def network(self) -> Network:
        """A way for a phone to come by."""

    def phone(self, user: str, device: str, habits: Habits, ledger: Ledger) -> Phone:
        """A phone that has been provisioned; like any it tries again when the gateway asks it to."""
        network = self.network()
        account = DemoAccount(network.host, network.port, user, self.dovecot.password, device)
        key = _when_served(DemoPhone(Client(account)).provision)
        return Phone(Account(user, self.dovecot.password, device, key), habits, network, ledger)

    # --- what goes wrong -----------------------------------------------------------------------------------

    @abstractmethod
    def trouble(self, choices: Choices, ledger: Ledger) -> AbstractContextManager[list[str]]:
        """Perhaps trouble what is done inside; afterwards the list says in words what came of it."""

    @abstractmethod
    def ensure_alive(self, ledger: Ledger) -> None:
        """Start again what died."""

    @abstractmethod
    def trouble_at_rest(self, choices: Choices, ledger: Ledger) -> str:
        """Let something happen while nothing is asked; says what."""

    @abstractmethod
    def recover(self, ledger: Ledger) -> None:
        """Begin anew with all gateways, after a story that went wrong."""

    @contextmanager
    def _upstream_cut(self, choices: Choices, came: list[str]) -> Iterator[None]:
        """Cut the line to IMAP meanwhile, at some byte."""
        octets = choices.number(1, 1500)
        direction: Direction = choices.pick(("up", "down"))
        ended = self.line.ended
        self.line.cut_after(octets, direction)
        try:
            yield
        finally:
            self.line.mend()
            if self.line.ended > ended:
                self.faults["upstream cut"] += 1
                came.append(f"the line to IMAP cut after {octets} octets {direction}")

    @contextmanager
    def _imap_restarting(self, came: list[str]) -> Iterator[None]:
        """Restart the IMAP server meanwhile."""
        came.append("IMAP restarted meanwhile")
        self.faults["IMAP restarted meanwhile"] += 1
        thread = threading.Thread(target=self.dovecot.restart)
        with undisturbed():
            thread.start()
            try:
                yield
            finally:
                thread.join()

    def restart_dovecot(self) -> None:
        """End the IMAP server and start it again."""
        self.faults["IMAP restarted"] += 1
        with undisturbed():
            self.dovecot.restart()

    # --- what is to be seen from outside -------------------------------------------------------------------

    @abstractmethod
    def unfinished(self) -> dict[str, str]:
        """The stages of messages in the journal of sent mail that are neither done nor failed, by token."""

    @abstractmethod
    def log(self) -> str:
        """What the gateways wrote."""

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
            if error.code not in _NOT_YET or time.monotonic() > deadline:
                raise
        time.sleep(0.1)
