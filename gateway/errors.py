"""The errors of the gateway: one tree, each with a kind that `eas/status.py` turns into an answer.

GatewayError
+-- ConfigError               the configuration cannot be used
+-- AuthenticationFailed      the credentials are refused, by the upstream or here
|   +-- TokenExpired          a token that was good is so no more
+-- Refused                   the request cannot be done; `kind` says why
|   +-- NotFound              mailbox, message, part or folder is not there
|   +-- AlreadyExists         there is a mailbox or folder of that name
+-- UpstreamError             the upstream failed
|   +-- UpstreamUnavailable   no connection, time-out, BYE: trying again later helps
|   +-- UpstreamRefused       the upstream said NO (permissions, quota, limits)
|   +-- UpstreamConfused      the upstream broke its protocol
+-- SubmissionError           the SMTP server did not take a message
+-- StateConflict             somebody else changed the stored state meanwhile
+-- StoreUnavailable          the store cannot be asked, or takes nothing, for now
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """Why a request cannot be served.

    The values are the names MS-ASCMD 2.2.2 uses for common status codes where one exists.
    """

    INVALID_CONTENT = "InvalidContent"
    INVALID_WBXML = "InvalidWBXML"
    INVALID_XML = "InvalidXML"
    INVALID_DATE_TIME = "InvalidDateTime"
    INVALID_IDS = "InvalidIDs"
    INVALID_MIME = "InvalidMIME"
    DEVICE_ID_INVALID = "DeviceIdMissingOrInvalid"
    DEVICE_TYPE_INVALID = "DeviceTypeMissingOrInvalid"
    SERVER_ERROR = "ServerError"
    SERVER_ERROR_RETRY = "ServerErrorRetryLater"
    ACCESS_DENIED = "AccessDenied"
    MAILBOX_QUOTA_EXCEEDED = "MailboxQuotaExceeded"
    MAILBOX_OFFLINE = "MailboxServerOffline"
    SEND_QUOTA_EXCEEDED = "SendQuotaExceeded"
    RECIPIENT_UNRESOLVED = "MessageRecipientUnresolved"
    PREVIOUSLY_SENT = "MessagePreviouslySent"
    NO_RECIPIENT = "MessageHasNoRecipient"
    SUBMISSION_FAILED = "MailSubmissionFailed"
    TOO_LARGE = "AttachmentIsTooLarge"
    USER_DISABLED = "UserDisabledForSync"
    DEVICE_BLOCKED = "DeviceIsBlockedForThisUser"
    SYNC_STATE_NOT_FOUND = "SyncStateNotFound"
    SYNC_STATE_LOCKED = "SyncStateLocked"
    COMMAND_NOT_SUPPORTED = "CommandNotSupported"
    VERSION_NOT_SUPPORTED = "VersionNotSupported"
    VERSION_TOO_OLD = "VersionTooOld"
    TOO_MANY_DEVICES = "MaximumDevicesReached"
    NOT_FULLY_PROVISIONABLE = "DeviceNotFullyProvisionable"
    REMOTE_WIPE_REQUESTED = "RemoteWipeRequested"
    LEGACY_DEVICE = "LegacyDeviceOnStrictPolicy"
    POLICY_REFRESH = "PolicyRefresh"
    EXTERNALLY_MANAGED = "ExternallyManagedDevicesNotAllowed"
    DEVICE_NOT_PROVISIONED = "DeviceNotProvisioned"
    INVALID_POLICY_KEY = "InvalidPolicyKey"
    INVALID_STORED_REQUEST = "InvalidStoredRequest"
    ITEM_NOT_FOUND = "ItemNotFound"
    CONFLICT = "Conflict"
    INVALID_RECIPIENTS = "InvalidRecipients"
    FOLDER_EXISTS = "FolderExists"
    PARENT_NOT_FOUND = "ParentNotFound"
    DEFAULT_FOLDER = "DefaultFolder"
    RECIPIENT_CACHE = "RecipientCache"
    INVALID_ACCOUNT = "InvalidAccountId"
    NO_RECURRENCE = "NoRecurrenceInCalendar"
    RIGHTS_MANAGEMENT_OFF = "IRM_FeatureDisabled"
    INVALID_MIME_BODY = "InvalidMimeBodyCombination"
    INVALID_SMART_FORWARD = "InvalidSmartForwardParameters"
    BODY_PART_TYPE = "BodyPartPreferenceTypeNotSupported"
    DEVICE_INFORMATION_REQUIRED = "DeviceInformationRequired"
    EXCEPTIONS_FAILED = "OneOrMoreExceptionsFailed"
    DENIED_BY_POLICY = "DeniedByPolicy"


class GatewayError(Exception):
    """Base of every error raised on purpose.

    `detail` is for the log: it names no message text and no secret.
    """

    kind: Kind = Kind.SERVER_ERROR

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class ConfigError(GatewayError):
    """The configuration cannot be used; the message is one line naming file, key and what is allowed."""


class AuthenticationFailed(GatewayError):
    """The credentials are refused, by the upstream or here."""

    kind = Kind.ACCESS_DENIED


class TokenExpired(AuthenticationFailed):
    """A token that was made out for us, and is over: whoever sends it does not guess."""


class Refused(GatewayError):
    """The request cannot be done as asked; `kind` says why."""

    def __init__(self, kind: Kind, detail: str = "") -> None:
        super().__init__(detail)
        self.kind = kind


class NotFound(Refused):
    """A mailbox, message, part or folder is not there (any more)."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(Kind.ITEM_NOT_FOUND, detail)


class AlreadyExists(Refused):
    """There is a mailbox or folder of that name."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(Kind.FOLDER_EXISTS, detail)


class UpstreamError(GatewayError):
    """The upstream server failed."""

    kind = Kind.SERVER_ERROR_RETRY


class UpstreamUnavailable(UpstreamError):
    """No connection, a time-out or BYE: trying again later helps."""

    kind = Kind.MAILBOX_OFFLINE


class UpstreamHungUp(UpstreamUnavailable):
    """The upstream ended the connection when asked for messages: it stops, or cannot read one of them."""


class UpstreamCrowded(UpstreamUnavailable):
    """The upstream allows the user no more connections than he has by now, be they ours or not."""


class UpstreamRefused(UpstreamError):
    """The upstream said NO.

    `code` is its response code in upper case ("OVERQUOTA", "NOPERM", "TRYCREATE"), or "".
    """

    kind = Kind.SERVER_ERROR

    def __init__(self, detail: str = "", code: str = "") -> None:
        super().__init__(detail)
        self.code = code
        if code == "OVERQUOTA":
            self.kind = Kind.MAILBOX_QUOTA_EXCEEDED
        elif code in ("NOPERM", "AUTHORIZATIONFAILED"):
            self.kind = Kind.ACCESS_DENIED
        elif code in ("UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"):
            self.kind = Kind.SERVER_ERROR_RETRY


class UpstreamConfused(UpstreamError):
    """The upstream broke its protocol; the connection is closed."""


class SubmissionError(GatewayError):
    """The SMTP server did not take the message.

    `kind` tells which Status the phone gets; `permanent` whether the same message may be offered again;
    `sent_unknown` is set when the connection died after the message was handed over and before the answer
    came. `refused` has the recipients it was for, as far as the server named them, each with whether that is
    for good: nobody got the message, but the others would.
    """

    def __init__(
        self,
        detail: str = "",
        *,
        kind: Kind = Kind.SUBMISSION_FAILED,
        permanent: bool = False,
        sent_unknown: bool = False,
        refused: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.permanent = permanent
        self.sent_unknown = sent_unknown
        self.refused = refused


class StateConflict(GatewayError):
    """Somebody else changed the stored state between reading and writing it; nothing was written."""

    kind = Kind.SYNC_STATE_LOCKED


class StoreUnavailable(GatewayError):
    """The store cannot be asked or takes nothing, until that passes or the administrator sees to it.

    What was about to be stored is not, or nobody knows: the request is to be repeated. `why` may be shown to
    anybody: it names no server, no file and no account.
    """

    kind = Kind.MAILBOX_OFFLINE

    def __init__(self, detail: str = "", why: str = "") -> None:
        super().__init__(detail)
        self.why = why


ENDS_REQUEST = (AuthenticationFailed, UpstreamUnavailable, StoreUnavailable)
"""What is no matter of the part of a request that meets it: the whole is answered so, and asked again."""
