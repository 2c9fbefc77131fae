"""GetHierarchy (MS-ASCMD 2.2.1.9 of its early editions): all mail folders at once, up to 12.1."""

from __future__ import annotations

from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import Version
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import FolderRow, FolderType, listing
from wbxml import Element, element
from wbxml.pages import FolderHierarchy

__all__ = ["GetHierarchy"]

_TYPES = {kind: kind for kind in FolderType if kind <= FolderType.OUTBOX} | {
    FolderType.USER_MAIL: FolderType.USER_GENERIC
}
"""The types it knows, and as what it tells others that hold mail."""


class GetHierarchy:
    """Lists the folders; nothing is remembered of what was told."""

    name = "GetHierarchy"
    code = 5
    root = FolderHierarchy.Folders
    status = None
    first = Version.V2_5
    last = Version.V12_1
    needs_policy_key = True
    body = BodyRule.NONE

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `UpstreamError`."""
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        known, mailboxes = await folders.refresh()
        return element(
            FolderHierarchy.Folders,
            *(_folder(row) for row in listing(known, mailboxes) if row.type in _TYPES),
        )


def _folder(row: FolderRow) -> Element:
    return element(
        FolderHierarchy.Folder,
        element(FolderHierarchy.DisplayName, row.name),
        element(FolderHierarchy.ServerId, row.id),
        element(FolderHierarchy.Type, int(_TYPES[FolderType(row.type)])),
        element(FolderHierarchy.ParentId, row.parent),
    )
