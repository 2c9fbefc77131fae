"""Values every room shares.

Identities, mailboxes, messages as the upstream shows them, stored device state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType, TypeAlias

from pyroaring import FrozenBitMap

UserId = NewType("UserId", str)
"""The upstream login in lower case: the identity under which everything is stored."""
DeviceId = NewType("DeviceId", str)
CollectionId = NewType("CollectionId", str)
ServerId = NewType("ServerId", str)

Uids = FrozenBitMap
"""A set of IMAP UIDs (unsigned 32-bit), immutable, compressed."""

SEEN = "\\Seen"
FLAGGED = "\\Flagged"
ANSWERED = "\\Answered"
DRAFT = "\\Draft"
DELETED = "\\Deleted"
FORWARDED = "$Forwarded"
TRACKED_FLAGS = (SEEN, FLAGGED, ANSWERED, FORWARDED)
"""The flags a phone is told about.

IMAP compares flags without regard to case; these are the canonical spellings.
"""
CATEGORY = "category:"
"""What the name of a category begins with where it stands among flags: no flag is then taken for one."""


@dataclass(frozen=True, slots=True)
class Password:
    """A user's login and password."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A user's login, and the token that proves it (RFC 6750). Another token of his is as good."""

    login: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class MasterUser:
    """A user's login, opened by somebody who may log in as everybody, without the user's password.

    `separator` stands between both where the server takes them as one login ("anna*master"); "" where it is
    told for whom by SASL (the authorization identity of RFC 4616).
    """

    login: str
    master: str
    password: str = field(repr=False)
    separator: str = ""


Credentials: TypeAlias = Password | BearerToken | MasterUser
"""What logs in upstream. Lives in memory only; never in `repr`, logs or the store."""


class LoginKind(StrEnum):
    """What a user proved with who he is."""

    PASSWORD = "password"  # noqa: S105 (a name)
    """With the password of his mail account."""
    APP_PASSWORD = "app password"  # noqa: S105 (a name)
    TOKEN = "token"  # noqa: S105 (a name)
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Login:
    """How a user logged in: `app_password` is the number of the one he used, `expires` the end of a token."""

    kind: LoginKind = LoginKind.PASSWORD
    app_password: int = 0
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """An authenticated user: who it is, which address is his, and what opens the upstream for him."""

    user: UserId
    email: str
    credentials: Credentials
    display_name: str = ""
    login: Login = Login()


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A password that a user made for one device or purpose, and can revoke alone.

    `number` is unique in the store and never given again; 0 before it is stored. `device` used it last, at
    `used`, which is not exact; with `bound` no other device may. The text itself is known to nobody.
    """

    user: UserId
    name: str
    digest: bytes = field(repr=False)
    created: datetime
    bound: bool = False
    device: DeviceId = DeviceId("")
    used: datetime | None = None
    number: int = 0


class Role(StrEnum):
    """What a mailbox is for (RFC 6154 special use, or a well-known name)."""

    INBOX = "inbox"
    DRAFTS = "drafts"
    SENT = "sent"
    TRASH = "trash"
    JUNK = "junk"
    ARCHIVE = "archive"
    ALL = "all"
    STARRED = "starred"
    IMPORTANT = "important"


VIRTUAL_ROLES = frozenset({Role.ALL, Role.STARRED, Role.IMPORTANT})
"""Of mailboxes that show messages which are in another one too."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox as LIST shows it.

    `name` is decoded Unicode with the server's delimiter; INBOX is always `INBOX`. `shared` ones are in the
    namespace of another user or of everybody. `prefix` is what the names of new mailboxes begin with
    ("INBOX."), told with the INBOX where the server says so.
    """

    name: str
    delimiter: str | None
    role: Role | None = None
    selectable: bool = True
    uidvalidity: int | None = None
    mailbox_id: str | None = None
    shared: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class MailboxView:
    r"""What a mailbox holds at one moment.

    `version` changes whenever anything else here does: equal versions mean equal views, without comparing.
    `flags` maps each of `TRACKED_FLAGS` to the UIDs that have it, and so each category in use (its name after
    `CATEGORY`). Messages marked \Deleted are not in `uids`. `new_keywords` says whether keywords can be
    stored that no message has yet (PERMANENTFLAGS, RFC 3501 7.1). `editions` has a number for each message
    that a device edited, another one after each edit.
    """

    uidvalidity: int
    version: str
    uids: Uids
    flags: Mapping[str, Uids]
    new_keywords: bool = True
    editions: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BodyPart:
    """A node of a message's MIME structure (RFC 3501 BODYSTRUCTURE).

    `section` is the part number for FETCH ("1.2"; "1" for the only part of a simple message; for a
    multipart its own number, "" at the root). Type, subtype, encoding and disposition are lower case.
    Parameter names are lower case; values are raw: UTF-8 decoded with surrogateescape, still RFC 2231 or
    2047 encoded. `size` counts octets as transferred (before the transfer encoding is undone); 0 for
    multiparts. `children` are the parts of a multipart, or the one root part of an embedded
    message/rfc822, which without a `description` has its subject as one.
    """

    section: str
    type: str
    subtype: str
    params: Mapping[str, str] = field(default_factory=dict)
    content_id: str | None = None
    description: str | None = None
    encoding: str = "7bit"
    size: int = 0
    disposition: str | None = None
    disposition_params: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    children: tuple[BodyPart, ...] = ()

    @property
    def content_type(self) -> str:
        return f"{self.type}/{self.subtype}"


@dataclass(frozen=True, slots=True)
class MessageData:
    """What one FETCH told about a message.

    `header` is the raw header block (all fields, or those asked for).
    """

    uid: int
    flags: frozenset[str]
    internal_date: datetime
    size: int
    structure: BodyPart
    header: bytes


@dataclass(frozen=True, slots=True)
class SectionRequest:
    """Bytes wanted of a message.

    FETCH section ("1.2", "HEADER", "" for everything) and at most `limit` octets from `offset`.
    """

    uid: int
    section: str
    offset: int = 0
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the ActiveSync hierarchy, the same id for every device of the user.

    `mailbox` is the upstream name, or None for folders that exist only here (Outbox). `gone` folders keep
    their id, so that a device is told of the deletion and the id is never given to another folder.
    `renaming` is the name that a rename under way gives the mailbox.
    """

    id: CollectionId
    mailbox: str | None
    role: str | None = None
    uidvalidity: int | None = None
    mailbox_id: str | None = None
    gone: bool = False
    renaming: str | None = None


@dataclass(frozen=True, slots=True)
class FolderList:
    """All folders ever given an id for a user. `revision` guards against lost updates (compare and set)."""

    revision: int = 0
    next_id: int = 1
    folders: tuple[Folder, ...] = ()


class Access(StrEnum):
    """What a device may do here."""

    ALLOW = "allow"
    BLOCK = "block"
    QUARANTINE = "quarantine"
    """Nothing until somebody has decided."""


class Wipe(StrEnum):
    """What a device is to delete: all that is on it, or the account alone (MS-ASPROV 3.1.5.1.2.2)."""

    DEVICE = "device"
    ACCOUNT = "account"


class WipeStage(StrEnum):
    """How far a wipe is."""

    ASKED = "asked"
    TOLD = "told"
    """The device was told, and has not answered yet."""
    DONE = "done"
    FAILED = "failed"
    """The device could not; it is told again."""


@dataclass(frozen=True, slots=True)
class Control:
    """What people decided of a device.

    `access` None: by the rules. `wipe` None: there is none; otherwise `stage` and `asked` say how far it is
    and since when, and `answered` when the device said so.
    """

    access: Access | None = None
    wipe: Wipe | None = None
    stage: WipeStage | None = None
    asked: datetime | None = None
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A partnership.

    One phone of one user. `policy_key` is the permanent key, 0 until there is one. `policy` is the digest of
    the policy that was acknowledged with it, `compliance` the Status sent for that (1 applied, 2 partly,
    3 not, 4 by somebody else), `provisioned` when; `refused` is the Status sent for a policy after which the
    device was refused, 0 once it was not. `synced` is when it last synchronised with success and `address`
    where it was then. These two and `control` are stored apart: saving a device does not touch them.
    `decided` is the number of the newest decision about it when it was loaded, None where it was not.
    """

    user: UserId
    id: DeviceId
    type: str
    policy_key: int = 0
    version: str = ""
    agent: str = ""
    information: Mapping[str, str] = field(default_factory=dict)
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    policy: str = ""
    compliance: int = 1
    provisioned: datetime | None = None
    control: Control = Control()
    refused: int = 0
    synced: datetime | None = None
    address: str = ""
    decided: int | None = field(default=None, compare=False)

    def replace(self, **changes: object) -> Device:
        """A copy with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Visit:
    """From where a device asked, and when it last synchronised with success; None: not since it was noted."""

    address: str
    synced: datetime | None = None


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a device knows of a collection that comes with the key `{epoch}.1`, and its options.

    `request` is the fingerprint of the operations when it is another answer to the request that led to the
    newest key, "" when it is one to SyncKey 0.
    """

    epoch: str
    cursor: bytes = b""
    options: bytes = b""
    request: str = ""


@dataclass(frozen=True, slots=True)
class SyncState:
    """Two generations of what one device knows of a collection (collection "": of the folder hierarchy).

    The newest key issued is `{epoch}.{number}`. `cursor` is what the device knows once it has that key;
    `previous` what it knew with key `number - 1`, kept until the device proves the new key by using it.
    `results` holds the answers to the client operations of the request that produced `number`, for a
    replay of that request. `options` are the collection's sticky options. `beginnings` are those that the
    device has not proven yet, oldest first (`sync/beginnings.py`): what is known stays until the key of one
    is used. `revision` guards against lost updates: 0 is "not stored yet". `annotations` is not part of the
    state: it is the newest revision of the collection's annotations when the state was read (0: there are
    none), so that looking for changes costs no reading of its own.
    """

    epoch: str
    number: int
    cursor: bytes
    previous: bytes | None = None
    results: bytes = b""
    options: bytes = b""
    revision: int = 0
    beginnings: tuple[Beginning, ...] = ()
    annotations: int = 0


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A message that was stored again when a device edited it, for IMAP cannot change one.

    It goes by the UID `item`, its first one, and is `uid` by now. `labels` maps what devices call its
    attachments (the section each had when they first heard of it) to their sections now, "" for those that
    were removed. `stale` are UIDs of earlier versions that may still be there.
    """

    uidvalidity: int
    item: int
    uid: int
    labels: Mapping[str, str] = field(default_factory=dict)
    stale: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Writing:
    """A message about to be stored, so that it is found again when nobody knows whether it was.

    `marker` is in its header, and its UID is above `newest`. `rewrite` is what to note then (`item` 0: it is
    a new message). `name` is the intent of the device that gets an answer made from `value`.
    """

    marker: str
    newest: int
    rewrite: Rewrite
    device: DeviceId
    collection: CollectionId
    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Rewrites:
    """What is known of the edited messages of a mailbox."""

    done: tuple[Rewrite, ...] = ()
    pending: tuple[Writing, ...] = ()


@dataclass(frozen=True, slots=True)
class Move:
    """A message that a device moved, or is about to, remembered so that a repeated request finds it.

    `likeness` is what the message is known by where it arrives, under a UID not below `target_uidnext`.
    `target_uid` is None while the move is under way, and 0 when nobody knows where the message went. `flags`
    are those of the device's copy (named as in `MailboxView.flags`), None when that is not known.
    """

    source: CollectionId
    uidvalidity: int
    uid: int
    target: CollectionId
    likeness: str
    target_uidvalidity: int
    target_uidnext: int
    began: datetime
    target_uid: int | None = None
    flags: frozenset[str] | None = None


class OutboxStage(StrEnum):
    """How far a message to be sent has come. Each stage is committed before the next step starts."""

    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """A message a device asked to send, remembered so that a repeated request does not send it twice.

    `digest` is the SHA-256 of the MIME as received, in hex. `save` tells whether a copy belongs in Sent.
    """

    id: int
    user: UserId
    device: DeviceId
    client_id: str
    message_id: str
    digest: str
    save: bool
    stage: OutboxStage
    created: datetime


@dataclass(frozen=True, slots=True)
class SentCopy:
    """A message that was submitted but is not in Sent yet. `entry` is the id of its `OutboxEntry`."""

    entry: int
    user: UserId
    message_id: str
    message: bytes = field(repr=False)
