"""Devices searched, filtered and shown page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from gateway.eas.admission import Admission
from gateway.types import Access, Device, WipeStage

__all__ = ["PAGE", "STATES", "Listed", "Search", "find"]

PAGE = 50
"""Devices on a page."""
STATES = {
    "allow": "allowed",
    "quarantine": "waiting for a decision",
    "block": "blocked",
    "decided": "decided by hand",
    "wipe": "to be wiped",
    "wiped": "wiped",
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


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of what was found. `page` is the one shown, which is the last one where it asked for more."""

    devices: Sequence[Device]
    total: int
    page: int
    pages: int


def find(devices: Sequence[Device], search: Search, admission: Admission) -> Listed:
    """The devices that are looked for, those seen last first."""
    found = [one for one in devices if _matches(one, search) and _is(one, search.state, admission)]
    found.sort(key=_seen, reverse=True)
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(1, search.page), pages)
    return Listed(found[(page - 1) * PAGE : page * PAGE], len(found), page, pages)


def _matches(device: Device, search: Search) -> bool:
    model = device.information.get("Model", "")
    pairs = (
        (search.user, device.user),
        (search.type, device.type),
        (search.model, model),
        (search.agent, device.agent),
    )
    if any(wanted.lower() not in told.lower() for wanted, told in pairs):
        return False
    told = (device.user, device.id, device.type, model, device.agent, device.address)
    every = " ".join((*told, device.information.get("FriendlyName", ""))).lower()
    return all(word in every for word in search.text.lower().split())


def _is(device: Device, state: str, admission: Admission) -> bool:
    control = device.control
    match state:
        case "wipe":
            return control.wipe is not None and control.stage is not WipeStage.DONE
        case "wiped":
            return control.stage is WipeStage.DONE
        case "decided":
            return control.access is not None
        case "allow" | "quarantine" | "block":
            return admission.access_of(device) is Access(state)
        case _:
            return True


def _seen(device: Device) -> float:
    seen = device.last_seen or device.first_seen
    return seen.timestamp() if seen else 0.0
