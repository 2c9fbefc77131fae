"""What is known of one request, for its line in the log, and the answer when it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import wbxml
from gateway.eas import status
from gateway.eas.versions import Version
from gateway.errors import GatewayError
from gateway.web import documents
from gateway.web.http import Response

if TYPE_CHECKING:
    from gateway.web.spans import RequestSpan

__all__ = ["Record", "refused"]

_UNAVAILABLE = 503


@dataclass(slots=True)
class Record:
    """What the log line of a request says, filled in as it becomes known."""

    address: str = ""
    user: str = ""
    device: str = ""
    command: str = ""
    version: str = ""
    status: str = ""
    reason: str = ""
    bytes_in: int = 0
    body_read: bool = False
    span: RequestSpan | None = None
    traced: bool = False
    document: wbxml.Element | None = None
    digest: int = 0
    news: bool = False

    def names(self) -> dict[str, str]:
        """Return what is known of who asked for what, and how it went."""
        names = ("user", "device", "command", "version", "status", "reason")
        return {name: text for name in names if (text := getattr(self, name))}


def refused(command: str | None, version: Version | None, error: GatewayError, record: Record) -> Response:
    """The answer to a request that is refused: a document with a Status, or a code of HTTP."""
    record.reason = f"{error.kind}: {error.detail}" if error.detail else str(error.kind)
    answer = status.answer(command, error.kind, version)
    if isinstance(answer, status.StatusAnswer):
        record.status = str(answer.value)
        record.document = answer.document()
        return Response(200, {"Content-Type": documents.WBXML}, wbxml.encode(record.document))
    if answer.code != _UNAVAILABLE:
        return Response(answer.code)
    return Response(answer.code, {"Retry-After": str(status.retry_after(error))})
