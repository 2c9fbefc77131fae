"""Devices searched, filtered and shown page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.eas.admission import Admission
from gateway.eas.choices import access_choice
from gateway.ports import State
from gateway.ports.devicelist import Standing, WantedDevices
from gateway.types import Device

__all__ = ["PAGE", "STATES", "Listed", "Search", "find"]

PAGE = 50
"""Devices on a page."""
_MOST_WORDS = 10
STATES: Mapping[str, str] = {
    Standing.ALLOW: "allowed",
    Standing.QUARANTINE: "waiting for a decision",
    Standing.BLOCK: "blocked",
    Standing.DECIDED: "decided by hand",
    Standing.WIPE: "to be wiped",
    Standing.WIPED: "wiped",
}
"""What can be asked for, in words."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: devices that have all of it; texts anywhere, in any case of letters."""

    text: str = ""
    state: str = ""
    user: str = ""
    type: str = ""
    model: str = ""
    agent: str = ""
    page: int = 1

    def query(self, page: int) -> str:
        """The query of the URL with another page of the same search."""
        named = {
            "q": self.text,
            "state": self.state,
            "user": self.user,
            "type": self.type,
            "model": self.model,
            "agent": self.agent,
            "page": str(page) if page > 1 else "",
        }
        return urlencode({name: value for name, value in named.items() if value})

    @property
    def narrowed(self) -> bool:
        """Whether one of the finer filters is used."""
        return bool(self.user or self.type or self.model or self.agent)

    @property
    def wanted(self) -> WantedDevices:
        """What the store looks for."""
        return WantedDevices(
            words=tuple(self.text.split()[:_MOST_WORDS]),
            standing=Standing(self.state) if self.state else None,
            user=self.user,
            type=self.type,
            model=self.model,
            agent=self.agent,
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of what was found, of how many that are known. `page` is the one shown.

    It is the last one where a later one was asked for.
    """

    devices: Sequence[Device]
    total: int
    known: int
    page: int
    pages: int


async def find(state: State, search: Search, admission: Admission) -> Listed:
    """The devices that are looked for, those seen last first."""
    choice, page = access_choice(admission), max(1, search.page)
    found = await state.find_devices(search.wanted, choice, (page - 1) * PAGE, PAGE)
    pages = max(1, -(-found.total // PAGE))
    if page > pages:
        page = pages
        found = await state.find_devices(search.wanted, choice, (page - 1) * PAGE, PAGE)
    return Listed(found.devices, found.total, found.known, page, pages)
