"""FolderDelete (MS-ASCMD 2.2.1.4): a folder goes, with all that is in it and below it."""

from __future__ import annotations

from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.folders import folder_changes
from gateway.eas.versions import Version
from wbxml import Element, element
from wbxml.pages import FolderHierarchy


class FolderDelete:
    """Deletes a folder for good, a mailbox as the mail server does; those every phone expects stay."""

    name = "FolderDelete"
    code = 11
    root = FolderHierarchy.FolderDelete
    status = FolderHierarchy.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` and `UpstreamError`, whose kinds `gateway/eas/status.py` answers."""
        root = fields.document(root)
        key = fields.identifier(root, FolderHierarchy.SyncKey)
        folder = fields.identifier(root, FolderHierarchy.ServerId)
        changes = folder_changes(context)
        deleted = await changes.delete(key, folder)
        return element(
            FolderHierarchy.FolderDelete,
            element(FolderHierarchy.Status, 1),
            element(FolderHierarchy.SyncKey, deleted.key),
        )
