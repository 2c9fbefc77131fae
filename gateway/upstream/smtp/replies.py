"""What an SMTP server's refusal means for the phone (RFC 5321 4.2, enhanced codes RFC 3463)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from gateway.errors import Kind, SubmissionError

__all__ = ["Step", "refusal", "temporary", "too_many"]

Step = Literal["MAIL", "RCPT", "DATA"]

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_LONGEST_TEXT = 200

_TOO_MANY = (5, 3)
_NO_ROOM = 452
# By subject and detail of the enhanced code; these are more exact than the reply code.
_WHATEVER_THE_CLASS = {
    # The same message meets the same limit again, however long the phone waits.
    (2, 3): Kind.TOO_LARGE,  # longer than this recipient takes
    (3, 4): Kind.TOO_LARGE,  # larger than the system takes
    # Servers say "452 4.5.3" and mean the rest to come in another transaction; here all get it or none.
    _TOO_MANY: Kind.SEND_QUOTA_EXCEEDED,  # too many recipients
}
_FOR_GOOD = {(2, 2): Kind.SEND_QUOTA_EXCEEDED}  # mailbox full: with 4.2.2 it may have room later
_PERMANENT: dict[Step, Kind] = {
    "MAIL": Kind.SUBMISSION_FAILED,
    "RCPT": Kind.RECIPIENT_UNRESOLVED,
    "DATA": Kind.SUBMISSION_FAILED,
}


def refusal(
    step: Step, code: int, text: str, refused: Mapping[str, bool] = MappingProxyType({})
) -> SubmissionError:
    """The error for a reply that refused a step of the submission; no mail was taken.

    `refused` are the recipients that it was for, if it was for some, see `SubmissionError`.
    """
    permanent = 500 <= code < 600
    detail = _detail(text)
    kind = _WHATEVER_THE_CLASS.get(detail) or (_FOR_GOOD.get(detail) if permanent else None)
    if kind is None:
        kind = _by_code(step, code)
    said = f"{step} refused: {code} {_readable(text)}"
    return SubmissionError(said, kind=kind, permanent=permanent, refused=refused)


def too_many(code: int, text: str) -> bool:
    """Whether a RCPT was refused because of those before it: the server takes no more in one transaction."""
    return _detail(text) == _TOO_MANY or (code == _NO_ROOM and not _ENHANCED.match(text))


def temporary(detail: str) -> SubmissionError:
    """The error for a server that cannot be used at the moment."""
    return SubmissionError(_readable(detail), kind=Kind.SERVER_ERROR_RETRY)


def _detail(text: str) -> tuple[int, int]:
    """Subject and detail of the enhanced code; (0, 0) without one."""
    match = _ENHANCED.match(text)
    return (int(match[2]), int(match[3])) if match else (0, 0)


def _by_code(step: Step, code: int) -> Kind:
    if code == 552:
        return Kind.SEND_QUOTA_EXCEEDED if step == "RCPT" else Kind.TOO_LARGE
    if 500 <= code < 600:
        return _PERMANENT[step]
    return Kind.SERVER_ERROR_RETRY


def _readable(text: str) -> str:
    return _CONTROL.sub(" ", text)[:_LONGEST_TEXT]
