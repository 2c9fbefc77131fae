"""What goes wrong with one of several nodes, with the database they share, or on the way between the two.

A fault is made of choices, and strikes once, at rest or while something is asked for. Nodes that died are
started again by the cluster, some steps later; ways that are cut mend by themselves, after some seconds.
"""

from __future__ import annotations

import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tests.convergence.choices import Choices
from tests.convergence.ledger import Ledger
from tests.support.tcp_cut import Cut

if TYPE_CHECKING:
    from tests.convergence.cluster import Cluster, Node

__all__ = ["FAULTS", "CutForgotten", "Fault", "NodeKilled", "WorkerKilled"]

_LONGEST_CUT = 40
"""Tenths of a second."""
_MOST_STEPS = 6


class Fault(ABC):
    """One misfortune."""

    name: ClassVar[str]

    def __init__(self, choices: Choices) -> None:
        self.steps = choices.number(0, _MOST_STEPS)
        """For which a node that ended stays away."""
        self.seconds = choices.number(1, _LONGEST_CUT) / 10
        """For which a way is cut."""

    @abstractmethod
    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        """Let it happen, to a node or to the database; returns when it has happened."""


class NodeKilled(Fault):
    """A node is killed by SIGKILL."""

    name = "SIGKILL of a node"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        cluster.kill(node, self.steps, ledger)


class NodeStopped(Fault):
    """A node is stopped in order, as for an upgrade, and started again."""

    name = "SIGTERM of a node"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        node.gateway.terminate()
        node.steps_down = self.steps


class AllStopped(Fault):
    """All nodes are stopped and started again, one after the other."""

    name = "rolling restart of all nodes"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        for each in cluster.nodes:
            if each.gateway.alive:
                each.gateway.terminate()
            cluster.revive(each)


class WorkerKilled(Fault):
    """One of the processes of a node is killed; its parent starts another one."""

    name = "SIGKILL of a worker"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        parent = node.gateway.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        if children:
            with suppress(ProcessLookupError):
                os.kill(int(children[self.steps % len(children)]), signal.SIGKILL)


class StoreRestarted(Fault):
    """PostgreSQL is restarted: connections end, nothing is lost."""

    name = "PostgreSQL restarted, fast"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        cluster.postgres.stop()
        cluster.postgres.start()


class StoreCrashed(Fault):
    """PostgreSQL ends at once, is started again, and recovers."""

    name = "PostgreSQL restarted, immediate"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        cluster.postgres.crash()
        cluster.postgres.start()


class CutReset(Fault):
    """The connections between a node and PostgreSQL are reset, and new ones too, for some seconds."""

    name = "a node cut from PostgreSQL: connections reset"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        self._cut(node)
        cluster.mend_in(node, self.seconds)

    def _cut(self, node: Node) -> None:
        node.way.cut(Cut.RESET)


class CutSilent(CutReset):
    """Nothing passes between a node and PostgreSQL for some seconds; what was sent arrives then."""

    name = "a node cut from PostgreSQL: silence"

    def _cut(self, node: Node) -> None:
        node.way.cut(Cut.HELD)


class CutForgotten(CutReset):
    """The same, after which the connections there were stay silent."""

    name = "a node cut from PostgreSQL: silence, connections forgotten"

    def _cut(self, node: Node) -> None:
        node.way.cut(Cut.SILENT)


FAULTS: Sequence[type[Fault]] = (
    NodeKilled,
    NodeStopped,
    AllStopped,
    StoreRestarted,
    StoreCrashed,
    CutReset,
    CutSilent,
    CutForgotten,
)
"""What happens to several nodes."""
