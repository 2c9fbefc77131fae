"""Some of the boundaries of `sweep`; all of them: `python -m tests.convergence.sweep`."""

from __future__ import annotations

from tests.convergence.habits import ANDROID, IOS
from tests.convergence.sweep import Outcome, sweep
from tests.convergence.world import World


def test_killed_at_a_boundary_nothing_is_lost_or_doubled(world: World) -> None:
    outcome = Outcome()
    habits = IOS if world.profile == "full" else ANDROID
    sweep(world, habits, every=31, outcome=outcome, offset=7)
    assert outcome.wrong == []
    assert outcome.points.total() >= 5
