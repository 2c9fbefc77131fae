"""An end in order: SIGTERM ends a long run as Ctrl-C does, but neither comes while servers start or stop.

A server whose start is interrupted belongs to nobody, and would outlive the program.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Ending:
    """Raises `SystemExit` for a signal; once nothing may be disturbed, when that is over."""

    def __init__(self) -> None:
        self.undisturbed = 0
        self.due = 0

    def come(self, number: int, _: FrameType | None) -> None:
        self.due = number
        self.end_if_due()

    def end_if_due(self) -> None:
        if self.due and not self.undisturbed:
            sys.exit(128 + self.due)


_ending = _Ending()


def end_in_order() -> None:
    """Have SIGTERM and SIGINT end the program so that everything it started is ended too."""
    for number in _SIGNALS:
        signal.signal(number, _ending.come)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off the end until the work inside is done; only signals of `end_in_order` are meant."""
    _ending.undisturbed += 1
    try:
        yield
    finally:
        _ending.undisturbed -= 1
    _ending.end_if_due()
