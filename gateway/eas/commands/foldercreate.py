"""FolderCreate (MS-ASCMD 2.2.1.3): a new folder for mail or for items."""

from __future__ import annotations

from gateway.eas import fields
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.folders import folder_changes
from gateway.eas.versions import Version
from gateway.sync.hierarchy import FolderType
from gateway.sync.itemfolders import kind_of_type
from wbxml import Element, element
from wbxml.pages import FolderHierarchy

_FOR_MAIL = frozenset({FolderType.USER_GENERIC, FolderType.USER_MAIL})


class FolderCreate:
    """Creates a mailbox below another, or a folder for a kind of item that is served."""

    name = "FolderCreate"
    code = 10
    root = FolderHierarchy.FolderCreate
    status = FolderHierarchy.Status
    first = Version.V2_5
    last = None
    needs_policy_key = True
    body = BodyRule.REQUIRED

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `Refused` and `UpstreamError`, whose kinds `gateway/eas/status.py` answers."""
        root = fields.document(root)
        key = fields.identifier(root, FolderHierarchy.SyncKey)
        parent = fields.identifier(root, FolderHierarchy.ParentId)
        name = fields.display_name(root)
        kind = fields.number(root, FolderHierarchy.Type)
        if kind is None or (kind not in _FOR_MAIL and kind_of_type(kind) is None):
            raise fields.malformed("a folder of a type that cannot be created")
        changes = folder_changes(context)
        made = await changes.create(key, parent, name, kind)
        return element(
            FolderHierarchy.FolderCreate,
            element(FolderHierarchy.Status, 1),
            element(FolderHierarchy.SyncKey, made.key),
            element(FolderHierarchy.ServerId, made.folder),
        )
