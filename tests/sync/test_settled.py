"""Who owes nothing, as all processes know it."""

from __future__ import annotations

from gateway.ports import Subject
from gateway.sync.settled import Settled
from gateway.types import UserId
from tests.support.buses import Line

ANNA, BERT = UserId("anna@example.com"), UserId("bert\n@example.com")


def test_what_is_stored_elsewhere_is_known_here() -> None:
    ends = Line.ends(2)
    (here, there), others = (Settled(end, "a") for end in ends), Settled(ends[1], "b")
    for one in (here, there, others):
        one.add(ANNA)
        one.add(BERT)
    here.owes(BERT)
    assert [BERT in one for one in (here, there, others)] == [False, False, True]
    assert all(ANNA in one for one in (here, there, others))


def test_who_missed_something_knows_nothing() -> None:
    (end,) = Line.ends(1)
    settled = Settled(end, "a")
    settled.add(ANNA)
    end.tell(Subject.OWED, "")
    assert ANNA not in settled
