"""Changes of the folder hierarchy that a request asks for."""

from __future__ import annotations

from gateway.eas.commands.base import Context
from gateway.sync.folderchanges import FolderChanges

__all__ = ["folder_changes"]


def folder_changes(context: Context) -> FolderChanges:
    """What creates, renames and deletes folders for the device that asks."""
    services = context.services
    return FolderChanges(
        services.state,
        context.mailboxes,
        services.items,
        context.principal.user,
        context.device.id,
        recipients=context.request.version.has_recipients,
    )
