"""Waiting until something is so, on a machine of any load."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds that are long enough on any machine."""


def eventually(check: Callable[[], bool]) -> None:
    """Returns as soon as `check` is true; fails when that takes too long."""
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.02)
