"""What happened since the start, or is going on, that is worth a number and no line of its own."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Counts that only grow, but for `held`, for the metrics.

    `replays`: Syncs of a collection that were asked for again because their answer got lost. `conflicts`:
    operations of devices that were refused since the server's version wins. `stubs`: items that could not be
    shown, each counted once by a release. `held`: requests that wait for news at the moment.
    """

    replays: int = 0
    conflicts: int = 0
    stubs: int = 0
    held: int = 0
