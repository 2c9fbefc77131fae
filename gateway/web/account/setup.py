"""What a user types into a new phone, and the profile that types it for him."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import Response

from gateway.web.autodiscover.profile import profile
from gateway.web.autodiscover.servers import Servers
from gateway.web.pages.rendering import SECURITY
from gateway.web.pages.site import Page, Visit
from gateway.web.ways import Ways

__all__ = ["SetupPages"]


@dataclass(frozen=True, slots=True)
class SetupPages:
    """The pages about new phones."""

    servers: Servers
    ways: Ways

    def pages(self) -> Sequence[Page]:
        return (
            Page("/set-up", show=self._show),
            Page("/set-up/activesync.mobileconfig", show=self._profile),
        )

    async def _show(self, visit: Visit) -> Response:
        email, place, way = visit.session.email, urlsplit(visit.url), self.ways.app_passwords
        return visit.page(
            "account/setup.html",
            email=email,
            login=self.servers.login(email),
            host=place.netloc,
            secure=place.scheme == "https",
            app_password=way is not None and way.required,
        )

    async def _profile(self, visit: Visit) -> Response:
        email = visit.session.email
        sign_in = None if self.ways.tokens is None else self.ways.tokens.tokens.sign_in()
        headers = {"Content-Disposition": 'attachment; filename="activesync.mobileconfig"'}
        return Response(
            profile(visit.url, email, self.servers.login(email), sign_in),
            media_type="application/x-apple-aspen-config",
            headers=dict(SECURITY) | headers,
        )
