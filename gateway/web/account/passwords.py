"""App passwords: made, shown once, listed, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from gateway.eas.apppasswords import LONGEST_NAME, AppPasswordBook, NewPassword
from gateway.eas.commands.base import Services
from gateway.web.pages.problems import Problem
from gateway.web.pages.site import Page, Visit

__all__ = ["PasswordPages"]


@dataclass(frozen=True, slots=True)
class PasswordPages:
    """The pages about app passwords."""

    services: Services

    def pages(self) -> Sequence[Page]:
        return (
            Page("/app-passwords", show=self._show, post=self._make),
            Page("/app-passwords/revoke", show=self._ask_revoke, post=self._revoke),
        )

    async def _show(self, visit: Visit, made: NewPassword | None = None) -> Response:
        listed = await self._book(visit).listed(visit.session.user)
        return visit.page("account/passwords.html", made=made, passwords=listed, longest=LONGEST_NAME)

    async def _make(self, visit: Visit) -> Response:
        """Make one, and show it in the answer: it is told this once, so there is no page to go on to."""
        name = visit.form.get("name", "")
        bound = bool(visit.form.get("bound"))
        made = await self._book(visit).create(visit.session.user, name, bound=bound)
        return await self._show(visit, made)

    async def _ask_revoke(self, visit: Visit) -> Response:
        number = _number(visit.query("number"))
        listed = await self._book(visit).listed(visit.session.user)
        name = next((one.name for one in listed if one.number == number), "")
        if not name:
            raise Problem(404, "This app password is gone already.")
        return visit.page(
            "account/revoke.html",
            heading=f"Revoke “{name}”?",
            action="/app-passwords/revoke",
            fields={"number": str(number)},
            verb="Revoke it",
            back="/app-passwords",
        )

    async def _revoke(self, visit: Visit) -> Response:
        await self._book(visit).revoke(visit.session.user, _number(visit.form.get("number", "")))
        return visit.go("/app-passwords", "revoked")

    def _book(self, visit: Visit) -> AppPasswordBook:
        user = visit.session.user
        return AppPasswordBook(self.services.state, self.services.clock, user, owner=user)


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        raise Problem(404, "There is no such app password.")
    return int(written)
