"""A bus between parts under test, as if each were in a process of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from gateway.ports import Subject, Unsubscribe

__all__ = ["Line"]


class Line:
    """One end of a bus; what an end announces all `others` hear at once."""

    secret = b"common"

    def __init__(self) -> None:
        self.others: list[Line] = []
        self.said: list[tuple[Subject, str]] = []
        """What was announced here."""
        self._hearers: defaultdict[Subject, list[Callable[[str], None]]] = defaultdict(list)

    def announce(self, subject: Subject, text: str) -> None:
        self.said.append((subject, text))
        for other in self.others:
            other.tell(subject, text)

    def listen(self, subject: Subject, hear: Callable[[str], None]) -> Unsubscribe:
        self._hearers[subject].append(hear)
        return lambda: self._hearers[subject].remove(hear)

    def tell(self, subject: Subject, text: str) -> None:
        """Have this end hear something."""
        for hear in self._hearers[subject]:
            hear(text)

    @classmethod
    def ends(cls, count: int) -> list[Line]:
        """So many ends that hear each other."""
        made = [cls() for _ in range(count)]
        for one in made:
            one.others = [other for other in made if other is not one]
        return made
