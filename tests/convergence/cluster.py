"""Several gateways on one PostgreSQL behind one HAProxy, which knows no phone from another."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException

from tests.convergence.choices import Choices
from tests.convergence.ending import undisturbed
from tests.convergence.faults import Fault, NodeKilled
from tests.convergence.habits import Habits
from tests.convergence.ledger import Ledger
from tests.convergence.network import Network
from tests.convergence.phone import Phone
from tests.convergence.process import FusedGateway
from tests.convergence.stage import Profile, Stage
from tests.deploy.proxies import Balancer
from tests.support.dovecot import Dovecot
from tests.support.dovecot_config import Options
from tests.support.postgres import Postgres
from tests.support.smtp_sink import SmtpSink
from tests.support.tcp_cut import Way
from tests.support.waiting import eventually

__all__ = ["Cluster", "Node"]

REPLY_SECONDS = 60.0
"""How long phones wait for an answer."""
_KEEPALIVE = 30.0
"""Seconds after which PostgreSQL, as gateways ask it, finds that a connection fell silent."""
_MOST_BOUNDARIES = 24
_LONGEST_DELAY = 60
"""Milliseconds from the beginning of a request to the fault."""
_HELD = "eas_requests_held"
_UNFINISHED = "SELECT message_id, stage FROM outbox WHERE stage IN ('accepted', 'submitted')"


@dataclass(slots=True)
class Node:
    """One gateway, and its way to the database.

    `steps_down` is for how many steps it is left alone after its end.
    """

    name: str
    way: Way
    gateway: FusedGateway
    steps_down: int = 0

    @property
    def held(self) -> int:
        """How many requests it holds that wait for news; none that it does not tell of."""
        try:
            return int(self.gateway.metric(_HELD)) if self.gateway.alive else 0
        except (OSError, HTTPException):  # all its workers were killed just now
            return 0


class Cluster(Stage):
    """Nodes, of one or more processes each. A context manager. What goes wrong in a story is `fault`."""

    def __init__(
        self, faults: Sequence[type[Fault]], *, nodes: int = 2, workers: int = 1, profile: Profile = "full"
    ) -> None:
        super().__init__(profile)
        self.possible = faults
        """What may go wrong."""
        self.waited: list[float] = []
        """How long news took to those who waited for it, in seconds."""
        self.phones: list[Phone] = []
        self.nodes: list[Node] = []
        self._count = nodes
        self._workers = workers
        self._mending: list[threading.Timer] = []

    def _start(self, stack: ExitStack) -> None:
        self.dovecot = stack.enter_context(Dovecot(Options(profile=self.profile, storage="maildir")))
        self.sink = stack.enter_context(SmtpSink())
        self.line = stack.enter_context(Way(self.dovecot.port))
        self.postgres = stack.enter_context(Postgres())
        self.database = self.postgres.create()
        for number in range(self._count):
            way = stack.enter_context(Way(self.postgres.port, keepalive=_KEEPALIVE))
            store = f"postgresql://gateway@{way.host}:{way.port}/{self.database}"
            gateway = FusedGateway(
                self.dovecot, self.sink, imap_port=self.line.port, store=store, workers=self._workers
            )
            self.nodes.append(Node("ABCDEFGH"[number], way, gateway))
            stack.enter_context(gateway)
        stack.callback(self._mend_all)
        self.proxy = stack.enter_context(Balancer([node.gateway.port for node in self.nodes]))

    @property
    def arguments(self) -> str:
        return f"--nodes {self._count} --workers {self._workers}"

    def network(self) -> Network:
        return Network(self.proxy.plain_port, proxied=True, seconds=REPLY_SECONDS)

    def phone(self, user: str, device: str, habits: Habits, ledger: Ledger) -> Phone:
        made = super().phone(user, device, habits, ledger)
        self.phones.append(made)
        return made

    # --- what goes wrong -----------------------------------------------------------------------------------

    @contextmanager
    def trouble(self, choices: Choices, ledger: Ledger) -> Iterator[list[str]]:
        """Perhaps trouble what is done inside: by what goes wrong in this story, or a cut line to IMAP.

        A node may be killed at one of its boundaries, everything else comes some milliseconds later.
        """
        kind = choices.number(0, 99)
        came: list[str] = []
        try:
            with ExitStack() as stack:
                if kind < 12:
                    stack.enter_context(self._fault_meanwhile(choices, ledger, came))
                elif kind < 14:
                    stack.enter_context(self._upstream_cut(choices, came))
                yield came
        finally:
            self.ensure_alive(ledger)

    @contextmanager
    def _fault_meanwhile(self, choices: Choices, ledger: Ledger, came: list[str]) -> Iterator[None]:
        fault, node = choices.pick(self.possible)(choices), choices.pick(self.serving)
        boundary, delay = choices.number(1, _MOST_BOUNDARIES), choices.number(0, _LONGEST_DELAY) / 1000
        if isinstance(fault, NodeKilled) and choices.number(0, 1):
            with self._burning(fault, node, boundary, ledger, came):
                yield
            return
        with self.striking(fault, node, ledger, delay):
            came.append(f"{fault.name}: {node.name}, after {delay} s")
            yield

    @contextmanager
    def _burning(
        self, fault: Fault, node: Node, boundary: int, ledger: Ledger, came: list[str]
    ) -> Iterator[None]:
        """Kill a node at one of its boundaries, if it comes so far meanwhile."""
        node.gateway.fuse.arm(boundary)
        try:
            yield
        finally:
            node.gateway.fuse.disarm()
            if where := node.gateway.fuse.burnt_at:
                self.burnt[where] += 1
                self.faults[fault.name] += 1
                came.append(f"{fault.name}: {node.name}, {where}")
                self.kill(node, fault.steps, ledger)

    @contextmanager
    def striking(self, fault: Fault, node: Node, ledger: Ledger, delay: float) -> Iterator[None]:
        """Have a fault strike after some seconds, whatever is done meanwhile; it has struck in the end."""

        def strike() -> None:
            time.sleep(delay)
            fault.strike(self, node, ledger)

        self.faults[fault.name] += 1
        with undisturbed():
            with ThreadPoolExecutor(1) as thread:
                struck = thread.submit(strike)
                yield
            struck.result()

    def trouble_at_rest(self, choices: Choices, ledger: Ledger) -> str:
        fault, node = choices.pick(self.possible)(choices), choices.pick(self.serving)
        with self.striking(fault, node, ledger, 0.0):
            pass
        return f"{fault.name}: {node.name}, at rest"

    def kill(self, node: Node, steps: int, ledger: Ledger) -> None:
        """End a node at once, and leave it alone for some steps."""
        node.gateway.kill()
        node.steps_down = steps
        for token, stage in self.unfinished().items():
            if stage == "accepted":
                ledger.uncertain[token] += 1

    def mend_in(self, node: Node, seconds: float) -> None:
        """Have the way of a node to the database whole again after a while."""
        self._mending = [timer for timer in self._mending if timer.is_alive()]
        self._mending.append(threading.Timer(seconds, node.way.mend))
        self._mending[-1].start()

    def _mend_all(self) -> None:
        for timer in self._mending:
            timer.cancel()
            timer.join()
        for node in self.nodes:
            node.way.mend()

    @property
    def serving(self) -> list[Node]:
        """The nodes that run."""
        return [node for node in self.nodes if node.gateway.alive]

    def ensure_alive(self, ledger: Ledger) -> None:
        """Start again the nodes that have been down for long enough; all when none is left."""
        left = bool(self.serving)
        for node in self.nodes:
            if node.gateway.alive:
                continue
            if left and node.steps_down:
                node.steps_down -= 1
            else:
                self.revive(node)

    def start_all(self) -> None:
        """Start again all nodes that are down."""
        for node in self.nodes:
            if not node.gateway.alive:
                self.revive(node)

    def revive(self, node: Node) -> None:
        """Start a node again that has ended."""
        node.way.mend()
        node.gateway.kill()
        node.gateway.start()

    def recover(self, ledger: Ledger) -> None:
        self._mend_all()
        self.postgres.resume()
        for node in self.nodes:
            self.kill(node, 0, ledger)
            self.revive(node)

    # --- what is to be seen from outside -------------------------------------------------------------------

    def unfinished(self) -> dict[str, str]:
        found: list[str] = []

        def ask() -> bool:
            try:
                found[:] = self.postgres.query(_UNFINISHED, self.database).splitlines()
            except subprocess.CalledProcessError:  # it is just being restarted
                return False
            return True

        eventually(ask)
        rows = (line.rpartition("|") for line in found)
        return {message_id.strip("<>").partition("@")[0]: stage for message_id, _, stage in rows}

    def log(self) -> str:
        lines = [
            f"{line} node={node.name}" for node in self.nodes for line in node.gateway.log().splitlines()
        ]
        return "\n".join(sorted(lines))
