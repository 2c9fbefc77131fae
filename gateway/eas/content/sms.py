"""Text messages on the wire: class SMS (14.0 and later), elements of Email with a plain body."""

from __future__ import annotations

from gateway.eas.content.preferences import PLAIN
from gateway.eas.content.values import BadItem, parse_date_time
from gateway.errors import Refused
from gateway.mail.sms import TextMessage
from wbxml import Element
from wbxml.pages import AirSyncBase, Email

__all__ = ["parse_read", "parse_text"]

_LONGEST_TEXT = 65536
_LONGEST_LIST = 4096


def parse_text(data: Element, *, outgoing: bool) -> TextMessage:
    """The text message an ApplicationData holds. Raises `BadItem`."""
    body = data.find(AirSyncBase.Body)
    kind = (body.child_text(AirSyncBase.Type) or "").strip() if body is not None else str(PLAIN)
    text = (body.child_text(AirSyncBase.Data) or "") if body is not None else ""
    sender, recipients = (data.child_text(tag) or "" for tag in (Email.From, Email.To))
    if kind != str(PLAIN) or len(text) > _LONGEST_TEXT or max(len(sender), len(recipients)) > _LONGEST_LIST:
        raise BadItem("a text message that is no text, or too long")
    try:
        date = parse_date_time(data.child_text(Email.DateReceived) or "")
    except Refused as error:
        raise BadItem("a text message without its time") from error
    return TextMessage(outgoing, sender, recipients, date, text)


def parse_read(data: Element) -> bool | None:
    """Whether it was read; None when nothing is said of that. Raises `BadItem`."""
    text = data.child_text(Email.Read)
    if text is None:
        return None
    if text.strip() not in ("", "0", "1"):
        raise BadItem("Read is neither 0 nor 1")
    return text.strip() != "0"
