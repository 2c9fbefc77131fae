"""Scheduling messages as mail (RFC 6047): the calendar, and beside it the same for people to read."""

from __future__ import annotations

import hashlib
from base64 import encodebytes
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from gateway.mail import tree
from gateway.mail.addresses import Address
from gateway.mail.digests import digest_of
from gateway.mail.newfields import made, mailbox, words
from gateway.mail.newparts import text_part
from gateway.mail.recipients import ascii_domain
from gateway.mail.tree import Part

__all__ = ["SchedulingMail", "message_id", "write"]

_LONGEST_SUBJECT = 500


@dataclass(frozen=True, slots=True)
class SchedulingMail:
    """What is mailed to whom.

    `method` is that of `calendar`, which is None for a note to people alone. `text` is plain, or HTML when
    `rich`. `name` tells this message from all others of the sender: the same name makes the same message.
    """

    sender: Address
    recipients: tuple[Address, ...]
    subject: str
    text: str = field(repr=False)
    date: datetime
    name: str
    method: str = ""
    calendar: str | None = field(default=None, repr=False)
    rich: bool = False


def message_id(sender: str, name: str) -> str:
    """The Message-ID of the message with this name, with brackets."""
    digest = digest_of(f"{sender.lower()}\n{name}")
    return f"<{digest}@{ascii_domain(sender.lower().rpartition('@')[2]) or 'localhost'}>"


def write(mail: SchedulingMail) -> bytes:
    """The message; the same for the same mail.

    The calendar is an alternative of the text, which is where Outlook, Apple and Google look for it. It is in
    base64, since its lines may be folded in the middle of characters.
    """
    content = text_part(mail.text.encode("utf-8", "replace"), rich=mail.rich)
    fields = [
        made("From", mailbox(mail.sender).encode("utf-8", "replace")),
        made("To", ", ".join(map(mailbox, mail.recipients)).encode("utf-8", "replace")),
        made("Subject", words(mail.subject[:_LONGEST_SUBJECT], "Subject")),
        made("Date", format_datetime(mail.date).encode()),
        made("Message-ID", message_id(mail.sender.address, mail.name).encode()),
        made("MIME-Version", b"1.0"),
    ]
    if mail.calendar is not None:
        fields.append(made("Content-Class", b"urn:content-classes:calendarmessage"))
        texts = content.children or [content]
        forms = [*texts, _calendar_part(mail.calendar, mail.method)]
        content = Part([made("Content-Type", b"multipart/alternative")], None, forms)
    root = Part([*fields, *content.fields], content.raw, content.children)
    return tree.serialise(root, "=_" + hashlib.sha256(mail.name.encode("utf-8", "replace")).hexdigest()[:24])


def _calendar_part(calendar: str, method: str) -> Part:
    kind = f"text/calendar; charset=utf-8; method={method}"
    fields = [made("Content-Type", kind.encode()), made("Content-Transfer-Encoding", b"base64")]
    return Part(fields, encodebytes(calendar.encode("utf-8", "replace")).replace(b"\n", b"\r\n"))
