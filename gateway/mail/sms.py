"""Text messages (SMS) as mail: the form in which they are kept among it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.mail.headers import clean

__all__ = ["TextMessage", "compose", "message_id"]

_DOMAIN = "sms.invalid"
"""Telephone numbers become addresses in a domain that cannot exist (RFC 2606 2)."""
_NUMBER = re.compile(r"\+?[0-9][0-9 ()/.-]*")
_BRACKETS = re.compile(r"<[^>]*>|\[[^\]]*\]")
_SUBJECT = 60
"""Characters of the text that make the subject."""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text message that a phone got, or with `outgoing` one that it sent.

    `sender` and `recipients` are written as phones do: a number, or a name with `[MOBILE:number]` behind it.
    """

    outgoing: bool
    sender: str
    recipients: str
    date: datetime
    text: str = field(repr=False)

    @property
    def digest(self) -> str:
        """What makes two of them the same one, whichever device tells of it, and however often."""
        parts = (str(self.outgoing), self.sender, self.recipients, self.date.isoformat(), self.text)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def message_id(digest: str) -> str:
    """The Message-ID of the mail that holds it."""
    return f"<{digest}@{_DOMAIN}>"


def compose(message: TextMessage, owner: str) -> bytes:
    """The mail that holds a text message; `owner` is the address of the user, for the side that is his."""
    mail = EmailMessage(policy=SMTP)
    text = message.text.encode("utf-8", "replace").decode()
    mail["From"] = _listed(_addresses(message.sender), owner)
    mail["To"] = _listed(_addresses(message.recipients), owner)
    mail["Subject"] = _line(text)[:_SUBJECT] or "SMS"
    mail["Date"] = format_datetime(message.date)
    mail["Message-ID"] = message_id(message.digest)
    mail.set_content(text, cte="base64")
    return mail.as_bytes()


def _listed(addresses: Iterable[Address], owner: str) -> list[Address]:
    return list(addresses) or [Address(addr_spec=owner) if owner.isascii() and "@" in owner else _unknown()]


def _addresses(text: str) -> Iterator[Address]:
    for one in re.split("[;,]", text):
        number = _NUMBER.search(one)
        name = _line(_BRACKETS.sub("", one)).strip(' "')
        if number:
            digits = re.sub("[^0-9+]", "", number[0])
            yield Address("" if _NUMBER.fullmatch(name) else name, digits, _DOMAIN)
        elif name:
            yield Address(name, "unknown", _DOMAIN)


def _line(text: str) -> str:
    """Text in one line, whatever counts as the end of one."""
    return clean(" ".join(text.split()))


def _unknown() -> Address:
    return Address("", "unknown", _DOMAIN)
