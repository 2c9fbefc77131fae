"""The user's own devices: seen, wiped, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from gateway.eas.commands.base import Services
from gateway.eas.deciding import Decisions, find_device
from gateway.types import Device, Wipe
from gateway.web.pages.devices import shown_device, wipe_named
from gateway.web.pages.shown import name_of
from gateway.web.pages.site import Page, Visit

__all__ = ["DevicePages"]


@dataclass(frozen=True, slots=True)
class DevicePages:
    """The pages about devices."""

    services: Services

    def pages(self) -> Sequence[Page]:
        return (
            Page("", show=self._list),
            Page("/device", show=self._show),
            Page("/device/wipe", show=self._ask_wipe, post=self._wipe),
            Page("/device/unwipe", post=self._unwipe),
            Page("/device/remove", show=self._ask_remove, post=self._remove),
        )

    async def _list(self, visit: Visit) -> Response:
        await self._recall(visit)
        devices = await self.services.state.list_devices(visit.session.user)
        newest = sorted(devices, key=_seen, reverse=True)
        shown = [shown_device(one, self.services.admission) for one in newest]
        return visit.page("account/devices.html", devices=shown)

    async def _show(self, visit: Visit) -> Response:
        await self._recall(visit)
        device = await self._named(visit, visit.query("id"))
        return visit.page("account/device.html", shown=shown_device(device, self.services.admission))

    async def _ask_wipe(self, visit: Visit) -> Response:
        device, wipe = await self._named(visit, visit.query("id")), wipe_named(visit.query("kind"))
        name = name_of(device)
        whole = wipe is Wipe.DEVICE
        return visit.page(
            "pages/wipe.html",
            heading=f"Wipe {name}?" if whole else f"Remove the account from {name}?",
            name=name,
            action="/device/wipe",
            fields={"id": device.id, "kind": wipe.value},
            verb="Delete everything on it" if whole else "Remove the account",
            back=f"/device?{urlencode({'id': device.id})}",
        )

    async def _wipe(self, visit: Visit) -> Response:
        wipe = wipe_named(visit.form.get("kind", ""))
        device = await self._named(visit, visit.form.get("id", ""))
        await self._decisions(visit).wipe(visit.session.user, device.id, wipe)
        return visit.go("/device", "wipe-asked", id=device.id)

    async def _unwipe(self, visit: Visit) -> Response:
        device = await self._named(visit, visit.form.get("id", ""))
        await self._decisions(visit).unwipe(visit.session.user, device.id)
        return visit.go("/device", "wipe-taken-back", id=device.id)

    async def _ask_remove(self, visit: Visit) -> Response:
        device = await self._named(visit, visit.query("id"))
        return visit.page(
            "account/remove.html",
            heading=f"Remove {name_of(device)} from the list?",
            action="/device/remove",
            fields={"id": device.id},
            verb="Remove it",
            back=f"/device?{urlencode({'id': device.id})}",
        )

    async def _remove(self, visit: Visit) -> Response:
        device = await self._named(visit, visit.form.get("id", ""))
        await self._decisions(visit).remove(visit.session.user, device.id)
        return visit.go("", "removed")

    async def _recall(self, visit: Visit) -> None:
        """Know the user's groups, by which it is decided what his devices may do."""
        if self.services.groups is not None:
            await self.services.groups.recall(visit.session.user)

    async def _named(self, visit: Visit, device: str) -> Device:
        """The user's own device. Raises `NotFound`."""
        return await find_device(self.services.state, visit.session.user, device)

    def _decisions(self, visit: Visit) -> Decisions:
        user = visit.session.user
        return Decisions(self.services.state, self.services.clock, user, owner=user)


def _seen(device: Device) -> float:
    seen = device.last_seen or device.first_seen
    return seen.timestamp() if seen else 0.0
