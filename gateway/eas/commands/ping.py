"""Ping (MS-ASCMD 2.2.1.13): an answer that waits until there is news, or the interval is over.

Interval and folders are remembered separately; either may be left out of a later request. A Ping proves
nothing about what the device received: it compares with what was last sent, and stores nothing but its own
parameters.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gateway.eas import fields, meetings
from gateway.eas.commands.base import BodyRule, Context, Reply
from gateway.eas.hold import HierarchyChanged, wait_for_news
from gateway.eas.versions import Version
from gateway.errors import NotFound
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import find
from gateway.sync.itemfolders import is_item_folder
from gateway.types import CollectionId, Folder
from wbxml import Element, element
from wbxml.pages import Ping as Page

_EXPIRED = 1
_CHANGES = 2
_INCOMPLETE = 3
_SYNTAX = 4
_OUT_OF_RANGE = 5
_TOO_MANY_FOLDERS = 6
_FOLDER_SYNC = 7

MEMO = "ping"


class Ping:
    """Waits for news in the folders named: new mail, or whatever changed among items."""

    name = "Ping"
    code = 18
    root = Page.Ping
    status = Page.Status
    first = Version.V2_5
    last = None
    needs_policy_key = False
    body = BodyRule.OPTIONAL

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `UpstreamError` when the upstream stays away."""
        memo = await context.services.state.load_memo(context.principal.user, context.device.id, MEMO)
        interval, folders = self._parameters(memo, root)
        root = None
        limits = context.services.limits
        if interval is None or not folders:
            return _status(_INCOMPLETE)
        if len(folders) != len(set(folders)):
            return _status(_SYNTAX)
        if not limits.heartbeat_min <= interval <= limits.heartbeat_max:
            allowed = limits.heartbeat_min if interval < limits.heartbeat_min else limits.heartbeat_max
            return _status(_OUT_OF_RANGE, element(Page.HeartbeatInterval, allowed))
        if len(folders) > limits.max_ping_folders:
            return _status(_TOO_MANY_FOLDERS, element(Page.MaxFolders, limits.max_ping_folders))
        value = json.dumps([interval, folders]).encode()
        if value != memo:
            user, device = context.principal.user, context.device.id
            await context.services.state.save_memo(user, device, MEMO, value)
        meetings.mail(context)
        try:
            wanted = await self._resolve(context, folders)
            if wanted is None:
                return _status(_FOLDER_SYNC)
            items = [folder for folder in folders if is_item_folder(folder)]
            changed = await wait_for_news(context, wanted, interval, items, hierarchy=True)
        except (NotFound, HierarchyChanged):
            return _status(_FOLDER_SYNC)
        if not changed:
            return _status(_EXPIRED)
        return _status(_CHANGES, element(Page.Folders, *(element(Page.Folder, folder) for folder in changed)))

    # --- parameters --------------------------------------------------------------------------------------

    def _parameters(
        self, memo: bytes | None, root: Element | None
    ) -> tuple[int | None, Sequence[CollectionId]]:
        """Interval in seconds and folder ids, where the request says nothing those of the last one."""
        interval, folders = remembered(memo) if memo else (None, [])
        if root is not None:
            interval = _interval(root, interval)
            named = fields.only(root, Page.Folders)
            if named is not None and named.children:
                folders = [CollectionId(folder_id(folder)) for folder in named.findall(Page.Folder)]
        return interval, folders

    async def _resolve(self, context: Context, wanted: Sequence[CollectionId]) -> Sequence[Folder] | None:
        """The folders of mail with these ids; None when the device's hierarchy is out of date."""
        wanted = [collection for collection in wanted if not is_item_folder(collection)]
        known = await Folders(context.services.state, context.mailboxes, context.principal.user).all()
        folders = [folder for collection in wanted if (folder := find(known, collection)) is not None]
        return folders if len(folders) == len(wanted) else None


def remembered(memo: bytes) -> tuple[int, list[CollectionId]]:
    """Interval in seconds and folder ids of the Ping that was stored as these bytes."""
    interval, folders = json.loads(memo)
    return interval, [CollectionId(folder) for folder in folders]


def _interval(root: Element, default: int | None) -> int | None:
    """Seconds; any number is one, be it negative or of many digits: out of range, but no syntax error."""
    child = fields.only(root, Page.HeartbeatInterval)
    text = child.text().strip() if child is not None else ""
    digits = text.removeprefix("-").lstrip("0")
    if text.removeprefix("-") and (not digits or (digits.isascii() and digits.isdigit())):
        return -1 if text.startswith("-") else int(digits[:11] or "0")
    return fields.number(root, Page.HeartbeatInterval, default)


def folder_id(folder: Element) -> str:
    """The id of a Folder, which is its Id child or, from some clients, its text."""
    if folder.children:
        return fields.identifier(folder, Page.Id)
    text = folder.text().strip()
    if not text:
        raise fields.malformed("a folder without an id")
    return text


def _status(value: int, *more: Element) -> Element:
    return element(Page.Ping, element(Page.Status, value), *more)
