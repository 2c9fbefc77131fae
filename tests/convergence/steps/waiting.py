"""Phones that wait for news in a Ping, whatever happens to the node that holds it or to the database."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

from tests.convergence import quiet
from tests.convergence.choices import Choices
from tests.convergence.cluster import Cluster, Node
from tests.convergence.items import MakeItem
from tests.convergence.kinds import CALENDAR
from tests.convergence.ledger import Verdict
from tests.convergence.network import NoReply
from tests.convergence.phone import Phone
from tests.convergence.play import Play, Step
from tests.convergence.properties import EMPTY
from tests.convergence.steps.items import KeepsItems
from tests.support.waiting import eventually

__all__ = ["Waits"]

_HEARTBEAT = 300
_LONGEST = 120.0
"""Seconds after which somebody who waits was not told. How soon it was is told by the long run."""
_PAUSE = 0.2
"""Seconds after which a phone whose connection broke comes again."""


class _Waiting(threading.Thread):
    """A phone that pings and syncs until it has a certain item, or its user has enough of it.

    A context manager. `told` is when it was told, 0.0 until then.
    """

    def __init__(self, phone: Phone, folders: list[str], token: str) -> None:
        super().__init__(name="waiting", daemon=True)
        self.told = 0.0
        self.came: list[str] = []
        """What it was answered, in words."""
        self._phone = phone
        self._folders = folders
        self._ended = threading.Event()
        self._token = token

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                news = self._phone.ping(self._folders, _HEARTBEAT)
                now = time.monotonic()
                if news or self._phone.stale:
                    self.came.append(f"told of {news}")
                    self._catch_up()
                    if self._has_it():
                        self.told = now
                        return
            except NoReply as error:
                self.came.append(str(error))
                time.sleep(_PAUSE)
            if pause := self._phone.asked_to_wait:
                self.came.append(f"asked to wait for {pause} s")
                self._ended.wait(pause)

    def _catch_up(self) -> None:
        while quiet.finish(self._phone) and not self._ended.is_set():
            time.sleep(_PAUSE)

    def _has_it(self) -> bool:
        held = (self._phone.collection(folder) for folder in self._folders)
        return any(item.token == self._token for each in held for item in each.items.values())


class Waits(Step):
    """A phone waits, mail comes or another phone makes an event, and something goes wrong about that time."""

    weight = 6

    def __init__(self, play: Play) -> None:
        super().__init__(play)
        self._untold: list[str] = []

    def happens(self, choices: Choices) -> None:
        play, cluster = self.play, self.play.world
        assert isinstance(cluster, Cluster)
        cluster.start_all()  # there has to be a node left when one goes
        phone, other = choices.pick(play.phones), choices.pick(play.phones)
        for each in {phone, other}:
            eventually(lambda each=each: not quiet.finish(each))  # type: ignore[misc]
        inbox = next(name for name in phone.synced if phone.path(name) == "INBOX")
        folders = [inbox, self._calendar(phone)]
        fault = choices.pick(cluster.possible)(choices)
        to_who_holds, early = choices.number(0, 3) > 0, choices.number(0, 1) == 0
        delay = choices.number(0, 500) / 1000
        by_mail = other is phone or choices.number(0, 1) == 0

        token = play.world.new_token("m" if by_mail else "c")
        before = 0.0 if early else delay
        with _Waiting(phone, folders, token) as waiting:
            node = self._who_holds(cluster)
            if not to_who_holds:
                node = next((each for each in cluster.serving if each is not node), node)
            with cluster.striking(fault, node, play.ledger, delay - before):
                time.sleep(before)
                self._make(token, None if by_mail else other)
                began = time.monotonic()
            deadline = time.monotonic() + _LONGEST
            while waiting.is_alive() and time.monotonic() < deadline:
                waiting.join(0.1)
                cluster.ensure_alive(play.ledger)
        if waiting.told:
            cluster.waited.append(max(0.0, waiting.told - began))
        else:
            self._untold.append(f"{phone} was not told of {token}: {waiting.came}")
        play.tell(
            f"{phone} waits for {token}, {fault.name}: {node.name} after {delay - before} s, news after "
            f"{before} s: told {waiting.told - began:.2f} s later; {waiting.came}"
        )

    def _who_holds(self, cluster: Cluster) -> Node:
        holding: list[Node] = []

        def look() -> bool:
            holding[:] = [node for node in cluster.nodes if node.held]
            return bool(holding)

        eventually(look)
        return holding[0]

    def _calendar(self, phone: Phone) -> str:
        """The calendar every user has."""
        return next(one.id for one in phone.folders.values() if one.type == CALENDAR.default)

    def _make(self, token: str, other: Phone | None) -> None:
        """Let mail come, or another phone make an event."""
        play = self.play
        if other is None:
            play.mail.deliver("INBOX", token)
            play.ledger.delivered(token, "INBOX", EMPTY)
            return
        items = play.steps.setdefault(KeepsItems, KeepsItems(play))
        assert isinstance(items, KeepsItems)
        other.do(self._calendar(other), MakeItem(token, items.agenda, other.habits.version))
        eventually(lambda: not quiet.finish(other))

    def check(self) -> Verdict:
        return Verdict(lost=self._untold)
