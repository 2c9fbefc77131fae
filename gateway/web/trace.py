"""The trace of single devices: requests and replies as XML, with what people wrote blotted out."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.types import DeviceId, UserId
from wbxml import Element, Tag, pages, xmlview

__all__ = ["Trace", "redacted"]


class Trace:
    """Which devices are traced: "user" for all of a user's, or "user/deviceid"."""

    def __init__(self, traced: Iterable[str]) -> None:
        self._users: set[str] = set()
        self._devices: set[tuple[str, str]] = set()
        for each in traced:
            user, slash, device = each.rpartition("/")
            if slash:
                self._devices.add((user.lower(), device.lower()))
            else:
                self._users.add(device.lower())

    def wants(self, user: UserId, device: DeviceId) -> bool:
        return user in self._users or (user, device.lower()) in self._devices


def redacted(root: Element) -> str:
    """Return a document as XML in which of all texts but the protocol's own only the length is left."""
    return xmlview.pretty(root, _redact)


def _redact(tag: Tag, value: str | bytes) -> str | bytes:
    if tag in _SHOWN or (tag.page in _SHOWN_PAGES and tag not in _HIDDEN):
        return value
    unit = "characters" if isinstance(value, str) else "bytes"
    return f"[{len(value)} {unit}]"


# Pages of keys, ids, statuses and numbers, and the tags in them that are not. What is in no list is hidden,
# so that a tag added to another code page is hidden until somebody looks at it.
_SHOWN_PAGES = frozenset(
    page.number
    for page in (
        pages.AirSync,
        pages.Move,
        pages.GetItemEstimate,
        pages.FolderHierarchy,
        pages.MeetingResponse,
        pages.Ping,
        pages.Provision,
    )
)

_HIDDEN = frozenset({pages.FolderHierarchy.DisplayName})

_SHOWN = frozenset(
    {
        pages.AirSyncBase.AllOrNone,
        pages.AirSyncBase.ClientId,
        pages.AirSyncBase.ContentType,
        pages.AirSyncBase.EstimatedDataSize,
        pages.AirSyncBase.FileReference,
        pages.AirSyncBase.InstanceId,
        pages.AirSyncBase.IsInline,
        pages.AirSyncBase.Method,
        pages.AirSyncBase.NativeBodyType,
        pages.AirSyncBase.Status,
        pages.AirSyncBase.Truncated,
        pages.AirSyncBase.TruncationSize,
        pages.AirSyncBase.Type,
        pages.ComposeMail.ClientId,
        pages.ComposeMail.FolderId,
        pages.ComposeMail.InstanceId,
        pages.ComposeMail.ItemId,
        pages.ComposeMail.LongId,
        pages.ComposeMail.Status,
        pages.Email.AllDayEvent,
        pages.Email.BusyStatus,
        pages.Email.ContentClass,
        pages.Email.DateReceived,
        pages.Email.EndTime,
        pages.Email.Importance,
        pages.Email.InstanceType,
        pages.Email.InternetCPID,
        pages.Email.MessageClass,
        pages.Email.MIMESize,
        pages.Email.MIMETruncated,
        pages.Email.Read,
        pages.Email.StartTime,
        pages.Email.Status,
        pages.Email2.IsDraft,
        pages.Email2.LastVerbExecuted,
        pages.Email2.LastVerbExecutionTime,
        pages.Email2.MeetingMessageType,
        pages.Find.Range,
        pages.Find.SearchId,
        pages.Find.Status,
        pages.Find.Total,
        pages.ItemOperations.DstFldId,
        pages.ItemOperations.Part,
        pages.ItemOperations.Range,
        pages.ItemOperations.Status,
        pages.ItemOperations.Store,
        pages.ItemOperations.Total,
        pages.ResolveRecipients.Status,
        pages.RightsManagement.RightsManagementSupport,
        pages.Search.LongId,
        pages.Search.Name,
        pages.Search.Range,
        pages.Search.Status,
        pages.Search.Total,
        pages.Settings.BodyType,
        pages.Settings.Enabled,
        pages.Settings.Model,
        pages.Settings.OofState,
        pages.Settings.OS,
        pages.Settings.OSLanguage,
        pages.Settings.Status,
        pages.Settings.UserAgent,
        pages.ValidateCert.Status,
    }
)
