"""Two nodes, and each kind of misfortune once; for a long time: `make soak-nodes`."""

from __future__ import annotations

from tests.convergence import quiet
from tests.convergence.choices import Random
from tests.convergence.cluster import Cluster
from tests.convergence.faults import FAULTS, CutForgotten
from tests.convergence.habits import ANDROID, IOS
from tests.convergence.play import Play
from tests.convergence.steps.sending import Sends
from tests.convergence.steps.syncing import Syncs
from tests.convergence.steps.waiting import Waits

SHORT = [fault for fault in FAULTS if fault is not CutForgotten]
"""A connection that stays silent is given up after ten seconds only: too long for a test of all days."""


def test_whatever_happens_to_nodes_and_their_database_nothing_is_lost_or_doubled() -> None:
    with Cluster(SHORT) as cluster:
        play, choices = Play(cluster, (IOS, ANDROID)), Random(1)
        for fault in SHORT:
            cluster.possible = [fault]
            play.step(choices, Waits)
            play.step(choices, Syncs)
            play.step(choices, Sends)
        quiet.settle(play)
        verdict, _ = quiet.verdict(play)
        play.close()
        told = "\n".join(play.told)
        assert not verdict, f"{verdict}\n{told}"
        assert [phone.forced_resyncs for phone in play.phones] == [[], []], told
        assert cluster.faults.keys() >= {fault.name for fault in SHORT}
        assert "unexpected error" not in cluster.log()
