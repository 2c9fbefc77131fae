"""Nodes that get a newer release one after the other, under phones that notice nothing of it."""

from __future__ import annotations

from gateway.store.postgres.schema import migrations
from tests.convergence import quiet
from tests.convergence.choices import Random
from tests.convergence.cluster import Cluster, Node
from tests.convergence.faults import AllStopped, Fault
from tests.convergence.habits import ANDROID, IOS
from tests.convergence.ledger import Ledger
from tests.convergence.play import Play
from tests.convergence.steps.sending import Sends
from tests.convergence.steps.syncing import Syncs
from tests.convergence.steps.waiting import Waits

NEWEST = migrations()[-1].number
WIDER = f"""-- works with {NEWEST}
CREATE TABLE further (id bigint PRIMARY KEY);
ALTER TABLE device ADD COLUMN further text NOT NULL DEFAULT '';
ALTER TABLE folder_list ADD COLUMN further bigint;
ALTER TABLE sync_state ADD COLUMN further bigint NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN further bytea;
ALTER TABLE outbox ADD COLUMN further bigint NOT NULL DEFAULT 0;
CREATE INDEX item_further ON item (further) WHERE further IS NOT NULL;
"""
"""What the newer release adds to the tables of all that phones do here."""


class Upgraded(Fault):
    """A node of this release is stopped in order, and started again as one of the newer release."""

    name = "upgrade of a node"

    def strike(self, cluster: Cluster, node: Node, ledger: Ledger) -> None:
        old = next(each.gateway for each in (node, *cluster.nodes) if each.gateway.newer is None)
        old.terminate()
        old.further(WIDER)
        old.start()


def test_nodes_of_two_releases_serve_side_by_side_and_nothing_is_lost_or_doubled() -> None:
    """Before, while the newer one alters the tables, with one of each, both started anew, and after."""
    with Cluster([AllStopped]) as cluster:
        play, choices = Play(cluster, (IOS, ANDROID)), Random(1)
        known: list[str] = []
        for fault in (Upgraded, AllStopped, Upgraded):
            for kind in (Syncs, Sends, Syncs):
                play.step(choices, kind)
            cluster.possible = [fault]
            play.step(choices, Waits)
            cluster.possible = [AllStopped]
            known.append(cluster.postgres.query("SELECT max(number) FROM migration", cluster.database))
        assert known == [str(NEWEST + 1)] * 3
        for kind in (Syncs, Sends, Syncs):
            play.step(choices, kind)
        quiet.settle(play)
        verdict, _ = quiet.verdict(play)
        play.close()
        told = "\n".join(play.told)
        assert not verdict, f"{verdict}\n{told}"
        assert [phone.forced_resyncs for phone in play.phones] == [[], []], told
        assert cluster.faults[Upgraded.name] == len(cluster.nodes)
        for wrong in ("unexpected error", "the store cannot be used"):
            assert wrong not in cluster.log()
