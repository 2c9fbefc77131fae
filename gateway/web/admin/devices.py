"""The devices of everybody: searched, seen, decided of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from gateway.eas.commands.base import Services
from gateway.eas.deciding import Decisions, find_device
from gateway.ports.audit import Wanted
from gateway.types import Access, Device, UserId, Wipe
from gateway.web.admin.listing import STATES, Search, find
from gateway.web.pages.devices import ACCESS, shown_device, wipe_named
from gateway.web.pages.problems import Problem
from gateway.web.pages.shown import name_of, plain
from gateway.web.pages.site import Page, Visit

__all__ = ["DevicePages"]

_ACTS_SHOWN = 20
_CHOICES: Mapping[str, tuple[Access | None, str]] = {
    "allow": (Access.ALLOW, "Allow"),
    "quarantine": (Access.QUARANTINE, "Have it wait"),
    "block": (Access.BLOCK, "Block"),
    "undecide": (None, "As the rules say"),
}


@dataclass(frozen=True, slots=True)
class DevicePages:
    """The pages about devices."""

    services: Services

    def pages(self) -> Sequence[Page]:
        return (
            Page("/devices", show=self._list),
            Page("/device", show=self._show),
            Page("/device/decide", post=self._decide),
            Page("/device/wipe", show=self._ask_wipe, post=self._wipe),
            Page("/device/unwipe", post=self._unwipe),
            Page("/device/resync", show=self._ask_resync, post=self._resync),
            Page("/device/remove", show=self._ask_remove, post=self._remove),
        )

    async def _list(self, visit: Visit) -> Response:
        search, admission = _search(visit), self.services.admission
        listed = await find(self.services.state, search, admission)
        await self._recall(*listed.devices)
        shown = [shown_device(one, admission) for one in listed.devices]
        return visit.page(
            "admin/devices.html",
            search=search,
            states=STATES,
            listed=listed,
            devices=shown,
        )

    async def _show(self, visit: Visit) -> Response:
        device = await self._asked(visit)
        await self._recall(device)
        acts = await self.services.state.list_acts(Wanted(user=device.user, device=device.id), _ACTS_SHOWN)
        return visit.page(
            "admin/device.html",
            shown=shown_device(device, self.services.admission),
            acts=acts,
            decided=ACCESS[device.control.access] if device.control.access else "",
            choices=[
                (name, text) for name, (access, text) in _CHOICES.items() if access != device.control.access
            ],
        )

    async def _decide(self, visit: Visit) -> Response:
        device = await self._posted(visit)
        wanted = visit.form.get("access", "")
        if wanted not in _CHOICES:
            raise Problem(400, "Say what the device may do: allow, block, quarantine, or as the rules say.")
        await self._decisions(visit).set_access(device.user, device.id, _CHOICES[wanted][0])
        if "list" in visit.form:
            # On to the next one: this is no longer among those that wait.
            return visit.go("/devices", f"decided-{wanted}", **dict(parse_qsl(visit.form["list"])))
        return _back(visit, device, f"decided-{wanted}")

    async def _ask_wipe(self, visit: Visit) -> Response:
        device, wipe = await self._asked(visit), wipe_named(visit.query("kind"))
        whole = wipe is Wipe.DEVICE
        return visit.page(
            "pages/wipe.html",
            heading=f"Wipe {_named(device)}?" if whole else f"Remove the account from {_named(device)}?",
            name=name_of(device),
            verb="Delete everything on it" if whole else "Remove the account",
            **_confirmed(device, "wipe", kind=wipe.value),
        )

    async def _wipe(self, visit: Visit) -> Response:
        device, wipe = await self._posted(visit), wipe_named(visit.form.get("kind", ""))
        await self._decisions(visit).wipe(device.user, device.id, wipe)
        return _back(visit, device, "wipe-asked")

    async def _unwipe(self, visit: Visit) -> Response:
        device = await self._posted(visit)
        await self._decisions(visit).unwipe(device.user, device.id)
        return _back(visit, device, "wipe-taken-back")

    async def _ask_resync(self, visit: Visit) -> Response:
        device = await self._asked(visit)
        return visit.page(
            "admin/resync.html",
            heading=f"Have {_named(device)} begin anew?",
            verb="Begin anew",
            **_confirmed(device, "resync"),
        )

    async def _resync(self, visit: Visit) -> Response:
        device = await self._posted(visit)
        await self._decisions(visit).resync(device.user, device.id)
        return _back(visit, device, "resync")

    async def _ask_remove(self, visit: Visit) -> Response:
        device = await self._asked(visit)
        return visit.page(
            "admin/remove.html",
            heading=f"Remove {_named(device)}?",
            verb="Remove it",
            **_confirmed(device, "remove"),
        )

    async def _remove(self, visit: Visit) -> Response:
        device = await self._posted(visit)
        await self._decisions(visit).remove(device.user, device.id)
        return visit.go("/devices", "removed")

    async def _recall(self, *devices: Device) -> None:
        """Know the groups of the users of devices, by which it is decided what these may do."""
        if self.services.groups is not None:
            for user in {one.user for one in devices}:
                await self.services.groups.recall(user)

    async def _asked(self, visit: Visit) -> Device:
        """The device that a URL names. Raises `NotFound`."""
        return await find_device(self.services.state, UserId(visit.query("user")), visit.query("id"))

    async def _posted(self, visit: Visit) -> Device:
        """The device that a form names. Raises `NotFound`."""
        form = visit.form
        return await find_device(self.services.state, UserId(form.get("user", "")), form.get("id", ""))

    def _decisions(self, visit: Visit) -> Decisions:
        return Decisions(self.services.state, self.services.clock, visit.session.user)


def _search(visit: Visit) -> Search:
    page = visit.query("page")
    return Search(
        text=visit.query("q").strip(),
        state=visit.query("state") if visit.query("state") in STATES else "",
        user=visit.query("user").strip(),
        type=visit.query("type").strip(),
        model=visit.query("model").strip(),
        agent=visit.query("agent").strip(),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


def _confirmed(device: Device, act: str, **fields: str) -> Mapping[str, Any]:
    """What a page that asks before something is done needs to know."""
    return {
        "action": f"/device/{act}",
        "fields": {"user": device.user, "id": device.id} | fields,
        "back": f"/device?{urlencode({'user': device.user, 'id': device.id})}",
    }


def _named(device: Device) -> str:
    return f"{name_of(device)} of {plain(device.user)}"


def _back(visit: Visit, device: Device, said: str) -> Response:
    return visit.go("/device", said, user=device.user, id=device.id)
