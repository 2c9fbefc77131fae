"""FolderUpdate (MS-ASCMD 2.2.1.6): another name for a folder, another parent, or both."""

from __future__ import annotations

from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.folders import folder_changes
from gateway.eas.versions import Version
from wbxml import Element, element
from wbxml.pages import FolderHierarchy


class FolderUpdate:
    """Renames a folder, and with it those below it. Folders keep their ids, collections their keys."""

    name = "FolderUpdate"
    code = 12
    root = FolderHierarchy.FolderUpdate
    status = FolderHierarchy.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` and `UpstreamError`, whose kinds `gateway/eas/status.py` answers."""
        root = fields.document(root)
        if root.find(FolderHierarchy.Status) is not None:
            raise fields.malformed("a request with a Status")
        key = fields.identifier(root, FolderHierarchy.SyncKey)
        folder = fields.identifier(root, FolderHierarchy.ServerId)
        parent = fields.identifier(root, FolderHierarchy.ParentId)
        name = fields.display_name(root)
        changes = folder_changes(context)
        changed = await changes.update(key, folder, parent, name)
        return element(
            FolderHierarchy.FolderUpdate,
            element(FolderHierarchy.Status, 1),
            element(FolderHierarchy.SyncKey, changed.key),
        )
