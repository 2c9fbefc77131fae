"""The user's calendars, address books, task lists and notes: seen, shared with others, taken out as files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from starlette.responses import Response

from gateway.eas.addresslist import Reach
from gateway.eas.commands.base import Services
from gateway.errors import NotFound
from gateway.items import Item, ItemFolder, ItemKind, Right
from gateway.ports.directory import domain_of
from gateway.sync import itemfolders
from gateway.sync.exporting import export_folder
from gateway.sync.sharing import NOUNS, share_folder
from gateway.types import CollectionId, UserId
from gateway.web.pages.problems import Problem
from gateway.web.pages.rendering import SECURITY
from gateway.web.pages.shown import plain
from gateway.web.pages.site import Page, Visit
from gateway.web.pages.streaming import streamed

__all__ = ["FolderPages"]

_GROUPS = {
    ItemKind.CALENDAR: "Calendars",
    ItemKind.CONTACTS: "Address books",
    ItemKind.TASKS: "Task lists",
    ItemKind.NOTES: "Notes",
}
_RIGHTS = {"read": Right.READ, "write": Right.WRITE}
_LONGEST_ADDRESS = 320
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,:;\"*%]+@[^\s@<>()\[\]\\,:;\"*%]+")
"""An address of one person, and nothing that somebody may take for all of them."""
_NO_ADDRESS = "Write the mail address of the person to share with."
_NO_FOLDER = "There is no such folder any more."


@dataclass(frozen=True, slots=True)
class _Shown:
    """A folder as a page has it; `shares` are those who see it, by address, with what they may do."""

    folder: ItemFolder
    noun: str
    own: bool
    shares: tuple[tuple[UserId, Right], ...] = ()


@dataclass(frozen=True, slots=True)
class FolderPages:
    """The pages about folders."""

    services: Services

    def pages(self) -> Sequence[Page]:
        return (
            Page("/folders", show=self._list),
            Page("/folder", show=self._show),
            Page("/folder/share", post=self._share),
            Page("/folder/unshare", post=self._unshare),
            Page("/folder/leave", post=self._leave),
            Page("/folder/export", show=self._export),
        )

    async def _list(self, visit: Visit) -> Response:
        user = visit.session.user
        seen = [one for one in await itemfolders.seen(self.services.items, user) if one.kind in NOUNS]
        shown = [await self._shown(one, user) for one in seen]
        groups = [
            (title, [one for one in shown if one.folder.kind is kind]) for kind, title in _GROUPS.items()
        ]
        return visit.page("account/folders.html", groups=[one for one in groups if one[1]])

    async def _show(self, visit: Visit) -> Response:
        user = visit.session.user
        folder = await self._named(visit, visit.query("id"))
        return visit.page(
            "account/folder.html",
            shown=await self._shown(folder, user),
            domain="" if self._reach is Reach.ALL else domain_of(visit.session.email),
            may_share=self._reach is not Reach.NONE,
        )

    async def _share(self, visit: Visit) -> Response:
        folder = await self._own(visit, visit.form.get("id", ""))
        right = _RIGHTS.get(visit.form.get("right", ""))
        if right is None:
            raise Problem(400, "Say whether they may only read, or change things too.")
        user = await self._meant(visit, visit.form.get("with", "").strip())
        if user == folder.owner:
            raise Problem(409, "This address is your own: write that of somebody else.")
        await self._decide(visit, folder, user, right)
        return visit.go("/folder", "shared", id=folder.id)

    async def _unshare(self, visit: Visit) -> Response:
        folder = await self._own(visit, visit.form.get("id", ""))
        await self._decide(visit, folder, UserId(visit.form.get("with", "")), None)
        return visit.go("/folder", "unshared", id=folder.id)

    async def _leave(self, visit: Visit) -> Response:
        folder = await self._named(visit, visit.form.get("id", ""))
        if folder.owner == visit.session.user:
            raise Problem(409, "This folder is your own.")
        await self._decide(visit, folder, visit.session.user, None)
        return visit.go("/folders", "left")

    async def _export(self, visit: Visit) -> Response:
        folder = await self._own(visit, visit.query("id"))
        log = structlog.get_logger("gateway.pages")

        def problem(item: Item, reason: str) -> None:
            log.warning("item left out of an export", user=folder.owner, item=item.number, reason=reason)

        card = folder.kind is ItemKind.CONTACTS
        headers = {"Content-Disposition": _attachment(plain(folder.name), ".vcf" if card else ".ics")}
        pieces = export_folder(self.services.items, folder, problem)
        kind = f"text/{'vcard' if card else 'calendar'}; charset=utf-8"
        return await streamed(pieces, kind, dict(SECURITY) | headers)

    # --- who and what --------------------------------------------------------------------------------------

    @property
    def _reach(self) -> Reach:
        """With whom users share by themselves: those they find, too."""
        return self.services.directory.listed

    async def _meant(self, visit: Visit, address: str) -> UserId:
        """The user with an address. Whether there is one is not told: it may be that he has not come yet.

        Raises `Problem` where it cannot be one of those the user may share with.
        """
        if not address or len(address) > _LONGEST_ADDRESS or not address.isprintable():
            raise Problem(400, _NO_ADDRESS)
        if self._reach is Reach.NONE:
            raise Problem(403, "Sharing is up to your administrator here.")
        own = domain_of(visit.session.email)
        if "@" not in address and own:
            address = f"{address}@{own}"
        if not _ADDRESS.fullmatch(address if "@" in address else f"{address}@here"):
            raise Problem(400, _NO_ADDRESS)
        if self._reach is Reach.DOMAIN and domain_of(address) != own:
            raise Problem(403, f"You can share with people whose address ends in @{own}.")
        known = await self.services.directory.people.users_at([address])
        if known:
            return known[0]
        identity = self.services.identity
        return identity.principal(identity.login_of(address) or address, "").user

    async def _named(self, visit: Visit, folder: str) -> ItemFolder:
        """A folder the user sees. Raises `NotFound`."""
        found = await itemfolders.find(self.services.items, visit.session.user, CollectionId(folder))
        if found is None or found.kind not in NOUNS:
            raise NotFound(_NO_FOLDER)
        return found

    async def _own(self, visit: Visit, folder: str) -> ItemFolder:
        """A folder of the user's. Raises `NotFound` and `Problem`."""
        found = await self._named(visit, folder)
        if found.owner != visit.session.user:
            raise Problem(403, "Only the owner of a folder can do this.")
        return found

    async def _shown(self, folder: ItemFolder, user: UserId) -> _Shown:
        own = folder.owner == user
        shares = await self.services.items.item_folder_shares(folder.id) if own else {}
        return _Shown(folder, NOUNS[folder.kind], own, tuple(sorted(shares.items())))

    async def _decide(self, visit: Visit, folder: ItemFolder, user: UserId, right: Right | None) -> None:
        services = self.services
        who, now = visit.session.user, services.clock.now()
        await share_folder(services.state, services.items, folder, user, right, who=who, now=now)


def _attachment(name: str, suffix: str) -> str:
    """Content-Disposition for a file that is called like a folder (RFC 6266)."""
    ascii_name = re.sub(r"[^A-Za-z0-9 ._-]", "_", name).strip(" .") or "export"
    return f"attachment; filename=\"{ascii_name}{suffix}\"; filename*=UTF-8''{quote(name + suffix, safe='')}"
