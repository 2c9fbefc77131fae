"""What a failure is called on the wire: error kind to Status value or HTTP code, decided here alone.

A command's own values come first and hold in every version. For the rest there are the common status codes,
which exist from 14.0; before that the HTTP code tells the failure.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from gateway.eas.versions import Version
from gateway.errors import GatewayError, Kind, StoreUnavailable
from wbxml import Element, Tag, element, pages

__all__ = ["RETRY_AFTER", "HttpAnswer", "Level", "StatusAnswer", "answer", "retry_after", "value"]

RETRY_AFTER = 30
"""Seconds a device is asked to wait after a 503."""
_STORE_RETRY_AFTER = 5, 15


class Level(Enum):
    """What a Status belongs to."""

    REQUEST = auto()
    """The whole request: the Status child of the root."""
    COLLECTION = auto()
    """A part with a Status of its own: Sync's Collection, GetItemEstimate's Response, Search's Store."""
    ITEM = auto()
    """One item or operation."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A failure told by the HTTP code, with an empty body."""

    code: int


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """A failure told in the body: the root element of the command with a single Status, `within` a child."""

    root: Tag
    status: Tag
    value: int
    within: Tag | None = None

    def document(self) -> Element:
        """Return the reply."""
        told = element(self.status, self.value)
        return element(self.root, element(self.within, told) if self.within else told)


def answer(command: str | None, kind: Kind, version: Version | None) -> HttpAnswer | StatusAnswer:
    """Return how a whole request is refused.

    `command` and `version` are None when the request does not name one that exists.
    """
    status, code = _COMMON[kind]
    envelope = _ENVELOPES.get(command or "")
    own = _OWN.get((command or "", Level.REQUEST), _NOTHING).get(kind)
    if kind in _ALWAYS_HTTP or (command, kind) in _HTTP_FOR or envelope is None or version is None:
        return _http(command, kind, code)
    if own is not None:
        return StatusAnswer(*envelope, own, _WITHIN.get(command or ""))
    if version.body_status:
        return StatusAnswer(*envelope, _known_to(version, status), _WITHIN.get(command or ""))
    return _http(command, kind, code)


def retry_after(error: GatewayError) -> int:
    """Seconds a device is asked to wait after the 503 that this error became.

    Fewer where the store is away: another node may have it, and one that restarts is back soon. They differ,
    so that not all devices come at once.
    """
    return random.randint(*_STORE_RETRY_AFTER) if isinstance(error, StoreUnavailable) else RETRY_AFTER  # noqa: S311


def value(command: str, level: Level, kind: Kind, version: Version) -> int:
    """Return the Status of a part of a reply that failed while others did not.

    For `Level.REQUEST` prefer `answer`, which may choose an HTTP code.
    """
    own = _OWN.get((command, level), _NOTHING)
    if kind in own:
        return own[kind]
    if version.body_status or Kind.SERVER_ERROR not in own:
        return _known_to(version, _COMMON[kind][0])
    return own[Kind.SERVER_ERROR]


def _http(command: str | None, kind: Kind, code: int) -> HttpAnswer:
    code = _HTTP_FOR.get((command, kind), code)
    return HttpAnswer(code)


def _known_to(version: Version, status: int) -> int:
    """Put an older status in the place of one that came with 14.1."""
    return _BEFORE_14_1.get(status, status) if version < Version.V14_1 else status


# --- the common status codes (MS-ASCMD 2.2.2), HTTP codes up to 12.1 (MS-ASHTTP 2.2.2.1.1) -----------------

_COMMON: Mapping[Kind, tuple[int, int]] = {
    Kind.INVALID_CONTENT: (101, 400),
    Kind.INVALID_WBXML: (102, 400),
    Kind.INVALID_XML: (103, 400),
    Kind.INVALID_DATE_TIME: (104, 400),
    Kind.INVALID_IDS: (106, 400),
    Kind.INVALID_MIME: (107, 400),
    Kind.DEVICE_ID_INVALID: (108, 400),
    Kind.DEVICE_TYPE_INVALID: (109, 400),
    Kind.SERVER_ERROR: (110, 500),
    Kind.SERVER_ERROR_RETRY: (111, 503),
    Kind.MAILBOX_QUOTA_EXCEEDED: (113, 507),
    Kind.MAILBOX_OFFLINE: (114, 503),
    Kind.SEND_QUOTA_EXCEEDED: (115, 403),
    Kind.RECIPIENT_UNRESOLVED: (116, 400),
    Kind.PREVIOUSLY_SENT: (118, 200),  # sent it is, so without a code that says more, all is well
    Kind.NO_RECIPIENT: (119, 400),
    Kind.SUBMISSION_FAILED: (120, 500),
    Kind.TOO_LARGE: (122, 400),
    Kind.USER_DISABLED: (126, 403),
    Kind.DEVICE_BLOCKED: (129, 403),
    Kind.ACCESS_DENIED: (130, 403),
    Kind.SYNC_STATE_NOT_FOUND: (132, 403),
    Kind.SYNC_STATE_LOCKED: (133, 503),
    Kind.COMMAND_NOT_SUPPORTED: (137, 501),
    Kind.VERSION_NOT_SUPPORTED: (138, 400),
    Kind.VERSION_TOO_OLD: (138, 505),  # said to devices of version 1.0
    Kind.NOT_FULLY_PROVISIONABLE: (139, 403),
    Kind.REMOTE_WIPE_REQUESTED: (140, 449),
    Kind.LEGACY_DEVICE: (141, 449),
    Kind.DEVICE_NOT_PROVISIONED: (142, 449),
    Kind.POLICY_REFRESH: (143, 449),
    Kind.INVALID_POLICY_KEY: (144, 449),
    Kind.EXTERNALLY_MANAGED: (145, 403),
    Kind.TOO_MANY_DEVICES: (177, 403),
    Kind.INVALID_STORED_REQUEST: (149, 400),
    # Phones that get a 500 for SmartReply or SmartForward send the whole message by SendMail instead.
    Kind.ITEM_NOT_FOUND: (150, 500),
    # Known to the folder commands alone, which have values of their own for them.
    Kind.FOLDER_EXISTS: (110, 500),
    Kind.PARENT_NOT_FOUND: (110, 500),
    Kind.DEFAULT_FOLDER: (110, 500),
    Kind.RECIPIENT_CACHE: (110, 500),
    # Known to Sync alone, for single items.
    Kind.CONFLICT: (110, 500),
    Kind.INVALID_RECIPIENTS: (183, 400),
    Kind.BODY_PART_TYPE: (164, 400),
    Kind.DEVICE_INFORMATION_REQUIRED: (165, 403),
    Kind.INVALID_ACCOUNT: (166, 403),
    Kind.NO_RECURRENCE: (146, 400),
    Kind.RIGHTS_MANAGEMENT_OFF: (168, 403),
    Kind.INVALID_MIME_BODY: (178, 400),
    Kind.INVALID_SMART_FORWARD: (179, 400),
    Kind.EXCEPTIONS_FAILED: (184, 400),
    # Known to Settings alone.
    Kind.DENIED_BY_POLICY: (130, 403),
}

_BEFORE_14_1: Mapping[int, int] = {
    183: 119,
    164: 103,
    165: 103,
    166: 130,
    177: 129,
    168: 103,
    178: 103,
    179: 103,
    184: 103,
}

_ALWAYS_HTTP = frozenset({Kind.MAILBOX_OFFLINE})
"""Told by the HTTP code in every version: every phone waits after a 503, few know a Status that says so."""

_HTTP_FOR: Mapping[tuple[str | None, Kind], int] = {
    ("SendMail", Kind.INVALID_IDS): 500,
    ("Provision", Kind.SYNC_STATE_NOT_FOUND): 500,
    # Some phones repeat a Ping at once after any Status that is an error; after a 503 they wait.
    ("Ping", Kind.SERVER_ERROR_RETRY): 503,
    ("Ping", Kind.SYNC_STATE_LOCKED): 503,
}

# --- the values of single commands (MS-ASCMD 2.2.3.177) ----------------------------------------------------

_NOTHING: Mapping[Kind, int] = MappingProxyType({})

_MALFORMED = (Kind.INVALID_XML, Kind.INVALID_DATE_TIME, Kind.INVALID_IDS, Kind.INVALID_MIME)
_FAILED = (Kind.SERVER_ERROR, Kind.SERVER_ERROR_RETRY, Kind.SYNC_STATE_LOCKED, Kind.MAILBOX_OFFLINE)


def _own(malformed: int | None = None, failed: int | None = None, **others: int) -> Mapping[Kind, int]:
    """Build one command's values; `others` name kinds in lower case and override the two groups."""
    table: dict[Kind, int] = {}
    if malformed is not None:
        table.update(dict.fromkeys(_MALFORMED, malformed))
    if failed is not None:
        table.update(dict.fromkeys(_FAILED, failed))
    table.update({Kind[name.upper()]: number for name, number in others.items()})
    return table


_FOLDER_CHANGE = _own(
    failed=6,
    invalid_xml=10,
    sync_state_not_found=9,
    folder_exists=2,
    recipient_cache=3,
    access_denied=3,
    item_not_found=4,
    parent_not_found=5,
)

_OWN: Mapping[tuple[str, Level], Mapping[Kind, int]] = {
    ("Sync", Level.REQUEST): _own(
        malformed=4,
        failed=5,
        server_error_retry=16,
        sync_state_locked=16,
        sync_state_not_found=12,
        item_not_found=12,
        invalid_stored_request=13,
    ),
    ("Sync", Level.COLLECTION): _own(
        malformed=4, failed=5, sync_state_not_found=3, item_not_found=12, mailbox_quota_exceeded=9
    ),
    ("Sync", Level.ITEM): _own(
        malformed=6,
        failed=5,
        item_not_found=8,
        mailbox_quota_exceeded=9,
        access_denied=6,
        conflict=7,
        invalid_content=6,
    ),
    ("FolderSync", Level.REQUEST): _own(failed=6, invalid_xml=10, sync_state_not_found=9, item_not_found=6),
    ("FolderCreate", Level.REQUEST): {**_FOLDER_CHANGE, Kind.DEFAULT_FOLDER: 3},
    ("FolderUpdate", Level.REQUEST): {**_FOLDER_CHANGE, Kind.DEFAULT_FOLDER: 2},
    ("FolderDelete", Level.REQUEST): {**_FOLDER_CHANGE, Kind.DEFAULT_FOLDER: 3},
    ("Ping", Level.REQUEST): _own(
        malformed=4, failed=8, invalid_stored_request=3, sync_state_not_found=7, item_not_found=7
    ),
    ("ItemOperations", Level.REQUEST): _own(failed=3, invalid_xml=2, item_not_found=6),
    ("ItemOperations", Level.ITEM): _own(
        malformed=2, failed=3, invalid_mime=14, item_not_found=6, too_large=11, access_denied=16
    ),
    ("GetItemEstimate", Level.COLLECTION): _own(
        item_not_found=2, invalid_ids=2, sync_state_not_found=3, server_error=4
    ),
    ("MoveItems", Level.ITEM): _own(
        malformed=5,
        failed=7,
        server_error=5,
        invalid_ids=1,
        item_not_found=1,
        mailbox_quota_exceeded=5,
        access_denied=5,
    ),
    ("MeetingResponse", Level.ITEM): _own(
        malformed=2,
        invalid_date_time=104,
        invalid_content=2,
        failed=4,
        item_not_found=2,
        mailbox_offline=3,
        mailbox_quota_exceeded=3,
        access_denied=3,
    ),
    ("Search", Level.REQUEST): _own(failed=3),
    ("Search", Level.COLLECTION): _own(
        malformed=2,
        failed=3,
        invalid_content=2,
        mailbox_offline=7,
        item_not_found=6,
        access_denied=5,
        sync_state_not_found=11,
    ),
    ("Find", Level.REQUEST): _own(malformed=2, sync_state_not_found=3),
    ("Find", Level.COLLECTION): _own(malformed=2, invalid_content=2, item_not_found=2),
    ("ResolveRecipients", Level.REQUEST): _own(malformed=5, failed=6),
    ("Settings", Level.REQUEST): _own(invalid_xml=2, access_denied=3, failed=4),
    ("Settings", Level.ITEM): _own(
        malformed=5,
        invalid_content=5,
        invalid_xml=2,
        access_denied=3,
        failed=4,
        mailbox_quota_exceeded=4,
        conflict=6,
        denied_by_policy=7,
    ),
    ("ValidateCert", Level.REQUEST): _own(malformed=2, failed=17),
    ("Provision", Level.REQUEST): _own(invalid_xml=2, failed=3),
}

_ENVELOPES: Mapping[str, tuple[Tag, Tag]] = {
    "Sync": (pages.AirSync.Sync, pages.AirSync.Status),
    "SendMail": (pages.ComposeMail.SendMail, pages.ComposeMail.Status),
    "SmartForward": (pages.ComposeMail.SmartForward, pages.ComposeMail.Status),
    "SmartReply": (pages.ComposeMail.SmartReply, pages.ComposeMail.Status),
    "FolderSync": (pages.FolderHierarchy.FolderSync, pages.FolderHierarchy.Status),
    "FolderCreate": (pages.FolderHierarchy.FolderCreate, pages.FolderHierarchy.Status),
    "FolderDelete": (pages.FolderHierarchy.FolderDelete, pages.FolderHierarchy.Status),
    "FolderUpdate": (pages.FolderHierarchy.FolderUpdate, pages.FolderHierarchy.Status),
    "MoveItems": (pages.Move.MoveItems, pages.Move.Status),
    "GetItemEstimate": (pages.GetItemEstimate.GetItemEstimate, pages.GetItemEstimate.Status),
    "MeetingResponse": (pages.MeetingResponse.MeetingResponse, pages.MeetingResponse.Status),
    "Search": (pages.Search.Search, pages.Search.Status),
    "Settings": (pages.Settings.Settings, pages.Settings.Status),
    "Ping": (pages.Ping.Ping, pages.Ping.Status),
    "ItemOperations": (pages.ItemOperations.ItemOperations, pages.ItemOperations.Status),
    "Provision": (pages.Provision.Provision, pages.Provision.Status),
    "ResolveRecipients": (pages.ResolveRecipients.ResolveRecipients, pages.ResolveRecipients.Status),
    "ValidateCert": (pages.ValidateCert.ValidateCert, pages.ValidateCert.Status),
    "Find": (pages.Find.Find, pages.Find.Status),
}
"""Root and Status of every command whose reply is a document; the others have no way to tell a Status."""

_WITHIN: Mapping[str, Tag] = {"MeetingResponse": pages.MeetingResponse.Result}
"""Where the Status stands of commands whose root has none (MS-ASCMD 2.2.3.177.9)."""
