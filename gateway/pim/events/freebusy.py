"""When somebody is free: the time that events take, and the digits phones are told (MS-ASCMD 2.2.3.107)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.pim.events.expansion import instances
from gateway.pim.events.model import Busy, Event, Response
from gateway.pim.rules import Work

__all__ = ["NO_DATA", "SLOT", "Taken", "merged_free_busy", "no_free_busy", "taken"]

SLOT = timedelta(minutes=30)
NO_DATA = "4"
_WORK = 150_000
"""For all events of one answer: about a second."""
_DIGITS = {
    Busy.FREE: 0,
    Busy.TENTATIVE: 1,
    Busy.BUSY: 2,
    Busy.OUT_OF_OFFICE: 3,
    # Whoever works elsewhere can be asked to a meeting.
    Busy.ELSEWHERE: 0,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A time that is not free."""

    start: datetime
    end: datetime
    busy: Busy


def taken(
    events: Iterable[Event], start: datetime, end: datetime, work: Work | None = None
) -> Iterator[Taken]:
    """What events take of the time between two instants.

    What is cancelled or declined takes none, and so does what counts as free or has no length. `work` is what
    all of them may cost: when nothing is left of it, there may be more.
    """
    work = work or Work(_WORK)
    for event in events:
        for one in instances(event, start, end, work):
            said = one.event
            if (
                said.cancelled
                or said.response is Response.DECLINED
                or not _DIGITS[said.busy]
                or one.start == one.end
            ):
                continue
            yield Taken(max(one.start, start), min(one.end, end), said.busy)


def merged_free_busy(times: Iterable[Taken], start: datetime, end: datetime) -> str:
    """One digit for each half hour from `start` on, the last perhaps shorter: the highest in it counts."""
    digits = [0] * _slots(start, end)
    for one in times:
        first = max((one.start - start) // SLOT, 0)
        last = min(-((start - one.end) // SLOT), len(digits))
        for slot in range(first, last):
            digits[slot] = max(digits[slot], _DIGITS[one.busy])
    return "".join(str(digit) for digit in digits)


def no_free_busy(start: datetime, end: datetime) -> str:
    """The digits of somebody of whom nothing is known."""
    return NO_DATA * _slots(start, end)


def _slots(start: datetime, end: datetime) -> int:
    return max(-((start - end) // SLOT), 0)
