"""What administrators see and cannot change here: health, rules and policies, poison items, the audit log."""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from starlette.responses import Response

from gateway.eas.choices import access_choice, policy_counts
from gateway.eas.commands.base import Services
from gateway.policies import ELEMENTS, Policy
from gateway.ports.audit import Wanted
from gateway.ports.devicelist import PolicyCount
from gateway.web.admin.charts import charts_of
from gateway.web.admin.samples import Samples
from gateway.web.pages.site import Page, Visit

__all__ = ["LookingPages"]

_ACTS = 50
"""Acts on a page of the audit log."""
_ITEMS = 500
"""Poison items on the page; those of one broken release are alike, and may be very many."""


@dataclass(frozen=True, slots=True)
class LookingPages:
    """The pages that show. `checks` says how the servers behind are."""

    services: Services
    samples: Samples
    checks: Callable[[], Awaitable[Mapping[str, str]]]
    started: datetime

    def pages(self) -> Sequence[Page]:
        return (
            Page("", show=self._overview),
            Page("/live", show=self._live, refreshes=True),
            Page("/rules", show=self._rules),
            Page("/poison", show=self._poison),
            Page("/audit", show=self._audit),
        )

    async def _overview(self, visit: Visit) -> Response:
        state = self.services.state
        counts = await state.count_devices(access_choice(self.services.admission))
        return visit.page(
            "admin/overview.html",
            counts=counts,
            poison=await state.count_poison(),
            release=self.services.release,
            started=self.started,
            machine=platform.node(),
            **await self._health(),
        )

    async def _live(self, visit: Visit) -> Response:
        return visit.page("admin/live.html", **await self._health())

    async def _health(self) -> dict[str, object]:
        return {"checks": await self.checks(), "charts": charts_of(self.samples.curves())}

    async def _rules(self, visit: Visit) -> Response:
        admission = self.services.admission
        rows = [_Demanded(*one) for one in await policy_counts(self.services.state, admission)]
        return visit.page("admin/rules.html", admission=admission, policies=rows)

    async def _poison(self, visit: Visit) -> Response:
        state = self.services.state
        failures = await state.list_poison(most=_ITEMS)
        items = [(*item, [*those]) for item, those in groupby(failures, lambda failure: failure[:3])]
        return visit.page("admin/poison.html", items=items, total=await state.count_poison())

    async def _audit(self, visit: Visit) -> Response:
        before = visit.query("before")
        named = {name: visit.query(name).strip() for name in ("who", "act", "user", "device")}
        newest = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
        wanted = Wanted(named["who"], named["act"], named["user"].lower(), named["device"], newest)
        acts = await self.services.state.list_acts(wanted, _ACTS + 1)
        older = acts[_ACTS - 1].number if len(acts) > _ACTS else None
        return visit.page("admin/audit.html", wanted=wanted, acts=acts[:_ACTS], older=older, named=named)


@dataclass(frozen=True, slots=True)
class _Demanded:
    """A policy, for how many devices it is, and how many of them have acknowledged it as it is now."""

    policy: Policy
    count: PolicyCount

    @property
    def demands(self) -> Sequence[tuple[str, str, str]]:
        """What it demands: the element, what that does, and its value."""
        values = self.policy.values
        return [(one.name, one.about, one.shown(values[one.name])) for one in ELEMENTS if one.name in values]
