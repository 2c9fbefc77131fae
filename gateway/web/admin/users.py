"""What administrators decide of users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from gateway.eas.commands.base import Services
from gateway.eas.deciding import Decisions
from gateway.errors import NotFound
from gateway.types import UserId
from gateway.web.pages.shown import plain
from gateway.web.pages.site import Page, Visit

__all__ = ["UserPages"]


@dataclass(frozen=True, slots=True)
class UserPages:
    """The pages about users who have devices."""

    services: Services

    def pages(self) -> Sequence[Page]:
        return (Page("/user/sign-out", show=self._ask_sign_out, post=self._sign_out),)

    async def _ask_sign_out(self, visit: Visit) -> Response:
        user = await self._known(visit.query("user"))
        return visit.page(
            "admin/sign_out.html",
            heading=f"Sign {plain(user)} out?",
            action="/user/sign-out",
            fields={"user": user},
            verb="Sign out",
            back=f"/devices?{urlencode({'user': user})}",
        )

    async def _sign_out(self, visit: Visit) -> Response:
        user = await self._known(visit.form.get("user", ""))
        await Decisions(self.services.state, self.services.clock, visit.session.user).sign_out(user)
        return visit.go("/devices", "user-signed-out", user=user)

    async def _known(self, name: str) -> UserId:
        """A user who has devices. Raises `NotFound`."""
        user = UserId(name.strip().lower())
        if not user or not await self.services.state.list_devices(user):
            raise NotFound(f"{user} has no devices")
        return user
