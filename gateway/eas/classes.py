"""The folder that a Class stands for, where a device of version 2.5 names no CollectionId."""

from __future__ import annotations

from gateway.eas.commands.base import Context
from gateway.eas.content.kinds import content_named
from gateway.errors import NotFound
from gateway.items import Right
from gateway.sync import itemfolders
from gateway.sync.folders import Folders, folder_with_role
from gateway.types import CollectionId, Role

__all__ = ["default_collection"]

_MAIL = "Email"


async def default_collection(context: Context, name: str) -> CollectionId:
    """The id of the default folder of a class. Raises `NotFound`."""
    services, user = context.services, context.principal.user
    content = content_named(name)
    if content is not None:
        for folder in await itemfolders.provide(services.items, user):
            if folder.kind is content.kind and folder.default and folder.right is Right.OWNER:
                return folder.id
    if name == _MAIL:
        inbox = folder_with_role(await Folders(services.state, context.mailboxes, user).all(), Role.INBOX)
        if inbox is not None:
            return inbox.id
    raise NotFound("no folder for this class")
