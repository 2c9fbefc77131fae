"""FolderSync (MS-ASCMD 2.2.1.5): the folder hierarchy and what changed in it."""

from __future__ import annotations

from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.versions import OFFERED, Version
from gateway.errors import Kind, Refused
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import FolderRow, HierarchyChanges
from gateway.sync.keys import KeyUse
from wbxml import Element, element
from wbxml.pages import FolderHierarchy


class FolderSync:
    """Tells the whole hierarchy for SyncKey 0 and the difference for a later key."""

    name = "FolderSync"
    code = 9
    root = FolderHierarchy.FolderSync
    status = FolderHierarchy.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` (Status 10 without a key, 9 for one that is not known) and `UpstreamError`."""
        root = fields.document(root)
        key = fields.identifier(root, FolderHierarchy.SyncKey)
        services = context.services
        folders = Folders(
            services.state,
            context.mailboxes,
            context.principal.user,
            services.items,
            recipients=context.request.version.has_recipients,
            caching=services.recipients is not None,
        )
        reply = await folders.sync(context.device.id, key)
        if reply.use is KeyUse.UNKNOWN:
            raise Refused(Kind.SYNC_STATE_NOT_FOUND, "unknown hierarchy key")
        if reply.use is KeyUse.INITIAL:
            context.reply_headers.update(services.discovery)
            context.reply_headers["X-MS-RP"] = OFFERED
        return element(
            FolderHierarchy.FolderSync,
            element(FolderHierarchy.Status, 1),
            element(FolderHierarchy.SyncKey, reply.key),
            _changes(reply.changes),
        )


def _changes(changes: HierarchyChanges) -> Element:
    return element(
        FolderHierarchy.Changes,
        element(FolderHierarchy.Count, len(changes)),
        *(element(FolderHierarchy.Update, *_row(row)) for row in changes.updated),
        *(
            element(FolderHierarchy.Delete, element(FolderHierarchy.ServerId, folder))
            for folder in changes.deleted
        ),
        *(element(FolderHierarchy.Add, *_row(row)) for row in changes.added),
    )


def _row(row: FolderRow) -> tuple[Element, ...]:
    return (
        element(FolderHierarchy.ServerId, row.id),
        element(FolderHierarchy.ParentId, row.parent),
        element(FolderHierarchy.DisplayName, row.name),
        element(FolderHierarchy.Type, int(row.type)),
    )
