"""Stories chosen by hypothesis: whatever happens on the way, after quiet all stores are the same."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.convergence import quiet
from tests.convergence.choices import Drawn
from tests.convergence.habits import ANDROID, IOS, OUTLOOK
from tests.convergence.play import Play, Step
from tests.convergence.steps import WEIGHTED
from tests.convergence.world import World

# A failure is not made smaller: every attempt would take seconds, and `make soak` tells the whole story.
PROFILE = settings(
    max_examples=6,
    stateful_step_count=35,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Story(RuleBasedStateMachine):
    """Three phones, a second mail program, and every fault."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(self.world, (IOS, ANDROID, OUTLOOK))

    @rule(data=st.data(), kind=st.sampled_from(WEIGHTED))
    def happens(self, data: st.DataObject, kind: type[Step]) -> None:
        self.play.step(Drawn(data), kind)

    def teardown(self) -> None:
        note("\n".join(self.play.told))
        quiet.settle(self.play)
        verdict, _ = quiet.verdict(self.play)
        self.play.close()
        resyncs = [line for phone in (*self.play.phones, *self.play.retired) for line in phone.forced_resyncs]
        assert not verdict, verdict
        assert not resyncs
        assert "unexpected error" not in self.play.world.log()


def test_all_stores_are_the_same_after_quiet(world: World) -> None:
    run_state_machine_as_test(type("StoryHere", (Story,), {"world": world}), settings=PROFILE)
