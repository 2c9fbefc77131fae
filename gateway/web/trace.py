"""The trace of single devices: requests and replies as XML, with what people wrote blotted out.

Devices are traced for ever because the configuration says so: then it is logged; or for a while because an
administrator asked for it (`activesync-gateway trace`): then it is stored, for him to read.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Mapping

import structlog

from gateway.eas.request import EasRequest
from gateway.errors import GatewayError
from gateway.ports import Clock, State
from gateway.ports.traces import Traced
from gateway.types import DeviceId, UserId
from wbxml import Element, Tag, pages, xmlview

__all__ = ["Trace", "redacted"]

_EVERY = 1.0
"""Seconds from one look at who is to be traced to the next, and between writes of what came of it."""
_KEPT = 500
"""Requests and replies of a device that are stored, the newest ones."""
_MOST_PENDING = 1000
_LONGEST = 256 * 1024
"""Characters of a document; the rest is cut off."""


class Trace:
    """Which devices are traced: "user" for all of a user's, or "user/deviceid"; and those asked for."""

    def __init__(self, traced: Iterable[str], state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._logged: set[tuple[str, str]] = set()
        for each in traced:
            user, slash, device = each.lower().rpartition("/")
            self._logged.add((user, device) if slash else (device, ""))
        self._stored: set[tuple[str, str]] = set()
        self._pending: deque[Traced] = deque(maxlen=_MOST_PENDING)
        self._failing = False
        self._log = structlog.get_logger("gateway.eas")

    def wants(self, user: UserId, device: DeviceId) -> bool:
        """Whether requests of a device are traced."""
        return _has(self._logged, user, device) or _has(self._stored, user, device)

    def request(self, user: UserId, request: EasRequest, document: Element | None, size: int) -> None:
        """What a device asks; `size` is that of a body which is no document."""
        told = {"document": _shown(document), "mime": size}
        self._tell("request", user, request, told)

    def reply(
        self, user: UserId, request: EasRequest, document: Element | None, http: int, reason: str
    ) -> None:
        """What it is answered, and why where that is a refusal."""
        self._tell("reply", user, request, {"document": _shown(document), "http": http, "reason": reason})

    def _tell(self, kind: str, user: UserId, request: EasRequest, told: Mapping[str, object]) -> None:
        device = request.device_id
        if _has(self._logged, user, device):
            self._log.info(f"trace {kind}", user=user, device=device, command=request.command, **told)
        if _has(self._stored, user, device):
            what = {"kind": kind, "command": request.command, "version": str(request.version)}
            line = json.dumps(what | dict(told), ensure_ascii=False)
            self._pending.append(Traced(0, self._clock.now(), user, device, line))

    async def refresh(self) -> None:
        """See who is to be traced, and store what was asked and answered."""
        entries = [*self._pending]
        self._pending.clear()
        try:
            running = await self._state.running_traces(self._clock.now())
            self._stored = {(user, device.lower()) for user, device in running}
            if entries:
                await self._state.write_trace(entries, _KEPT)
        except GatewayError as error:
            # It is asked every second, mostly for nobody.
            if entries or not self._failing:
                lost = {"lost": len(entries)} if entries else {}
                self._log.warning("cannot see who is to be traced", reason=error.detail, **lost)
            self._failing = True
        else:
            self._failing = False

    async def run(self) -> None:
        """Do so all the time; ends when it is cancelled."""
        while True:
            await self.refresh()
            await asyncio.sleep(_EVERY)


def _has(traced: set[tuple[str, str]], user: UserId, device: DeviceId) -> bool:
    return bool(traced) and ((user, "") in traced or (user, device.lower()) in traced)


def _shown(document: Element | None) -> str | None:
    if document is None:
        return None
    text = redacted(document)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n[{len(text) - _LONGEST} more characters]"


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
