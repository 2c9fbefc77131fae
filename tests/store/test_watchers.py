"""The registry of watches remembers nobody who has none."""

from __future__ import annotations

from gateway.store.watchers import Watchers
from gateway.types import CollectionId, UserId

ANNA, BERT = UserId("anna@example.com"), UserId("bert@example.com")
CALENDAR = CollectionId("i1")


def test_users_are_known_while_they_watch() -> None:
    watchers = Watchers()
    ends = [watchers.watch(user, lambda _: None) for user in (ANNA, BERT, ANNA)]
    assert set(watchers.users()) == {ANNA, BERT}
    ends[0]()
    ends[1]()
    assert watchers.users() == (ANNA,)
    ends[2]()
    ends[2]()
    assert watchers.users() == ()


def test_calls_are_made_in_the_order_of_their_watches() -> None:
    watchers = Watchers()
    heard: list[tuple[int, CollectionId]] = []
    for number in range(3):
        watchers.watch(ANNA, lambda folder, number=number: heard.append((number, folder)))  # type: ignore[misc]
    watchers.tell({CALENDAR: [BERT, ANNA]})
    assert heard == [(0, CALENDAR), (1, CALENDAR), (2, CALENDAR)]
