"""What a device in quarantine is served: an INBOX with one message, which says that it has to wait.

Nothing is kept of it, and none of its keys is one of ours: as soon as it is let in it is told that it is out
of step, and begins anew with what there really is.
"""

from __future__ import annotations

from datetime import datetime

from gateway.eas import fields
from gateway.eas.commands import ping
from gateway.eas.commands.base import Context, Reply
from gateway.eas.commands.sync import reply, request
from gateway.eas.commands.sync.request import MAX_WAIT, SyncCollection, Verb
from gateway.eas.content.values import date_time
from gateway.eas.hold import waiting
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.sync.hierarchy import FolderType
from gateway.sync.keys import INITIAL_KEY
from gateway.sync.waiter import Waiter
from gateway.types import CollectionId
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email, FolderHierarchy, Ping, Settings

__all__ = ["is_open", "serve"]

_ABOUT_DEVICE = frozenset({Settings.DeviceInformation, Settings.UserInformation})
_BEGUN, _TOLD = "quarantine.1", "quarantine.2"
"""SyncKeys: after the first answer, and after the one with the message."""
_INBOX = CollectionId("q1")
_FOLDERS = {
    _INBOX: ("Inbox", FolderType.INBOX),
    CollectionId("q2"): ("Drafts", FolderType.DRAFTS),
    CollectionId("q3"): ("Deleted Items", FolderType.DELETED_ITEMS),
    CollectionId("q4"): ("Sent Items", FolderType.SENT_ITEMS),
    CollectionId("q5"): ("Outbox", FolderType.OUTBOX),
    CollectionId("q6"): ("Calendar", FolderType.CALENDAR),
    CollectionId("q7"): ("Contacts", FolderType.CONTACTS),
}
_ONE = f"{_INBOX}:1"
_LONGEST_PING = 59 * 60
_SUBJECT = "This device is waiting to be allowed"
_TEXT = """Your account is set up on this device, but the device may not synchronise yet: an administrator has
to allow it first. Until then you see no mail here but this message. There is nothing you have to do;
once the device is allowed your mail arrives by itself.

Device: {type}
Id: {id}
User: {user}
"""


def is_open(command: str, root: Element | None) -> bool:
    """Whether a request is served as ever: it tells what somebody has to decide of, or gets a policy."""
    if command == "Settings":
        return root is None or all(child.tag in _ABOUT_DEVICE for child in root)
    return command == "Provision"


async def serve(command: str, context: Context, root: Element | None) -> Reply:
    """The answer to a command of a device in quarantine. Raises `Refused` for what is not for such ones."""
    match command:
        case "FolderSync":
            return _folders(root)
        case "Sync":
            return await _sync(context, root)
        case "Ping":
            return await _ping(context, root)
    raise Refused(Kind.DEVICE_BLOCKED, "the device is in quarantine")


def _folders(root: Element | None) -> Element:
    """All folders, or with the key that went with them that there is no change."""
    key = fields.identifier(root, FolderHierarchy.SyncKey) if root is not None else ""
    if key not in {INITIAL_KEY, _BEGUN}:
        raise Refused(Kind.SYNC_STATE_NOT_FOUND, "a hierarchy key of before the quarantine")
    added = [] if key == _BEGUN else [_folder(*each) for each in _FOLDERS.items()]
    return element(
        FolderHierarchy.FolderSync,
        element(FolderHierarchy.Status, 1),
        element(FolderHierarchy.SyncKey, _BEGUN),
        element(FolderHierarchy.Changes, element(FolderHierarchy.Count, len(added)), *added),
    )


def _folder(identity: CollectionId, shown: tuple[str, FolderType]) -> Element:
    name, kind = shown
    return element(
        FolderHierarchy.Add,
        element(FolderHierarchy.ServerId, identity),
        element(FolderHierarchy.ParentId, 0),
        element(FolderHierarchy.DisplayName, name),
        element(FolderHierarchy.Type, int(kind)),
    )


async def _sync(context: Context, root: Element | None) -> Element | None:
    version = context.request.version
    if root is None:
        raise Refused(Kind.INVALID_STORED_REQUEST, "nothing is remembered in quarantine")
    asked = request.parse(root, version)
    told = [made for each in asked.collections if (made := _collection(context, each)) is not None]
    if not told and version < Version.V12_1:
        told = [reply.unchanged(each, version) for each in asked.collections]
    if told:
        return element(AirSync.Sync, element(AirSync.Collections, *told))
    await _wait(context, min(asked.wait or 0, MAX_WAIT * 60))
    return None


def _collection(context: Context, asked: SyncCollection) -> Element | None:
    """What is told of a collection; None when there is nothing to tell."""
    version, kind = context.request.version, asked.kind or reply.MAIL
    identity = asked.id or _INBOX
    if identity not in _FOLDERS:
        return reply.failed(asked, Kind.ITEM_NOT_FOUND, version)
    if asked.key == INITIAL_KEY:
        return reply.frame(identity, _BEGUN, reply.SUCCESS, version, kind)
    if asked.key not in {_BEGUN, _TOLD}:
        return reply.failed(asked, Kind.SYNC_STATE_NOT_FOUND, version)
    if any(one.verb is Verb.ADD for one in asked.commands):
        # It would be lost here; the device keeps what it was not told to be added.
        return reply.failed(asked, Kind.SERVER_ERROR, version)
    if asked.key == _TOLD or identity != _INBOX:
        return None
    made = reply.frame(identity, _TOLD, reply.SUCCESS, version, kind)
    data = element(AirSync.ApplicationData, *_message(context))
    add = element(AirSync.Add, element(AirSync.ServerId, _ONE), data)
    made.append(element(AirSync.Commands, add))
    return made


def _message(context: Context) -> list[Element]:
    """The one message, as of when the device came first."""
    device, email = context.device, context.principal.email
    when: datetime = device.first_seen or context.services.clock.now()
    text = _TEXT.format(type=device.type, id=device.id, user=email)
    if notice := context.services.admission.notice:
        text += f"\n{notice}\n"
    text = text.replace("\n", "\r\n")
    made = [
        element(Email.To, email),
        element(Email.From, email),
        element(Email.Subject, _SUBJECT),
        element(Email.DateReceived, date_time(when)),
        element(Email.DisplayTo, email),
        element(Email.Importance, 2),
        element(Email.Read, 0),
    ]
    size = len(text.encode())
    if context.request.version < Version.V12_0:
        return [
            *made,
            element(Email.MessageClass, "IPM.Note"),
            element(Email.BodySize, size),
            element(Email.BodyTruncated, 0),
            element(Email.Body, text),
        ]
    return [
        *made,
        element(
            AirSyncBase.Body,
            element(AirSyncBase.Type, 1),
            element(AirSyncBase.EstimatedDataSize, size),
            element(AirSyncBase.Truncated, 0),
            element(AirSyncBase.Data, text),
        ),
        element(Email.MessageClass, "IPM.Note"),
        element(Email.ContentClass, "urn:content-classes:message"),
        element(AirSyncBase.NativeBodyType, 1),
    ]


async def _ping(context: Context, root: Element | None) -> Element:
    seconds = fields.number(root, Ping.HeartbeatInterval, None) if root is not None else None
    if seconds is None:
        return element(Ping.Ping, element(Ping.Status, 3))
    watched = root.find(Ping.Folders) if root is not None else None
    if watched is not None and any(ping.folder_id(one) not in _FOLDERS for one in watched):
        return element(Ping.Ping, element(Ping.Status, 7))  # folders of before the quarantine
    await _wait(context, min(max(seconds, context.services.limits.heartbeat_min), _LONGEST_PING))
    return element(Ping.Ping, element(Ping.Status, 1))


async def _wait(context: Context, seconds: float) -> None:
    """Hold the answer, until somebody decides of the device."""
    if seconds > 0:
        with waiting(context):
            async with Waiter(context.mailboxes, (), (context.stopping, context.superseded)) as waiter:
                await waiter.news(seconds)
