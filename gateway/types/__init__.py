"""Values every room shares."""

from __future__ import annotations

from gateway.types.devices import Access, Control, Device, Visit, Wipe, WipeStage
from gateway.types.folders import Folder, FolderList
from gateway.types.ids import NO_DEVICE, CollectionId, DeviceId, ServerId, Uids, UserId
from gateway.types.journal import Move, Rewrite, Rewrites, Writing
from gateway.types.logins import (
    AppPassword,
    BearerToken,
    Credentials,
    Login,
    LoginKind,
    MasterUser,
    Password,
    Principal,
)
from gateway.types.mail import (
    ANSWERED,
    CATEGORY,
    DELETED,
    DRAFT,
    FLAGGED,
    FORWARDED,
    SEEN,
    TRACKED_FLAGS,
    VIRTUAL_ROLES,
    BodyPart,
    Mailbox,
    MailboxView,
    MessageData,
    Role,
    SectionRequest,
)
from gateway.types.sending import OutboxEntry, OutboxStage, SentCopy
from gateway.types.syncing import Beginning, SyncState

__all__ = [
    "ANSWERED",
    "CATEGORY",
    "DELETED",
    "DRAFT",
    "FLAGGED",
    "FORWARDED",
    "NO_DEVICE",
    "SEEN",
    "TRACKED_FLAGS",
    "VIRTUAL_ROLES",
    "Access",
    "AppPassword",
    "BearerToken",
    "Beginning",
    "BodyPart",
    "CollectionId",
    "Control",
    "Credentials",
    "Device",
    "DeviceId",
    "Folder",
    "FolderList",
    "Login",
    "LoginKind",
    "Mailbox",
    "MailboxView",
    "MasterUser",
    "MessageData",
    "Move",
    "OutboxEntry",
    "OutboxStage",
    "Password",
    "Principal",
    "Rewrite",
    "Rewrites",
    "Role",
    "SectionRequest",
    "SentCopy",
    "ServerId",
    "SyncState",
    "Uids",
    "UserId",
    "Visit",
    "Wipe",
    "WipeStage",
    "Writing",
]
