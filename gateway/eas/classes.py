"""The folder that a Class stands for, where a device of version 2.5 names no CollectionId."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import NotFound
from gateway.types import CollectionId, FolderList, Role

__all__ = ["default_collection"]

_DEFAULTS: Mapping[str, str] = {"Email": Role.INBOX}
"""The role of the default folder of a class."""


def default_collection(folders: FolderList, name: str) -> CollectionId:
    """The id of the default folder of a class. Raises `NotFound`."""
    role = _DEFAULTS.get(name)
    for folder in folders.folders:
        if role is not None and folder.role == role and not folder.gone:
            return folder.id
    raise NotFound("no folder for this class")
