"""Which items of a folder a device is told: those of a FilterType, or the MaxItems latest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.eas.content.kinds import content_of
from gateway.eas.itemoptions import ItemOptions
from gateway.items import ItemFolder

__all__ = ["window_start"]


def window_start(
    folder: ItemFolder, options: ItemOptions, now: datetime, ends: Sequence[datetime]
) -> datetime | None:
    """Items that end before it are not told; None: all are.

    `ends` are those of a recipient information cache, the latest first (`sync.recipients.ends_of`).
    """
    if 0 < options.max_items < len(ends):
        return ends[options.max_items - 1]
    return content_of(folder.kind).since(options.filter_type, now)
