"""Which version runs, and by which clock."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

RELEASE = version("activesync-gateway")


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)
