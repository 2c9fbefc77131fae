"""Files of an event in the store, as they go out with mail about it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.items import NoticeFile
from gateway.pim.events.reading import files_of
from gateway.pim.tree import Node

__all__ = ["enclosed_files"]


def enclosed_files(events: Iterable[Node]) -> tuple[NoticeFile, ...]:
    """Those of some VEVENTs, each once.

    They are parts of the mail and not named in its calendar, as Exchange has it: programs show the parts, and
    what a calendar kept a name of would be gone with the mail.
    """
    found = (file for event in events for file in files_of(event.component))
    return tuple({one.number: NoticeFile(one.number, one.content_id, one.inline) for one in found}.values())
