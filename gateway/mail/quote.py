"""The original below what somebody wrote: his header in short, then his text, in HTML and in plain text."""

from __future__ import annotations

import html
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from gateway.mail.addresses import addresses
from gateway.mail.fragment import fragment
from gateway.mail.headers import Headers
from gateway.mail.html import join

__all__ = ["HEADER_FIELDS", "Line", "below_html", "below_text", "summary"]

HEADER_FIELDS = ("From", "To", "Cc", "Subject", "Date")
"""The fields of the original that are shown."""

Line = tuple[str, str]
"""A name and its value."""

_LONGEST_VALUE = 8192
_RULE = "_" * 32
_HTML_RULE = '<hr style="display:inline-block; width:98%">'


def summary(headers: Headers, received: datetime) -> tuple[Line, ...]:
    """What is told of the original; `received` counts when its own date cannot be read."""
    values = (
        ("From", _people(headers, "from")),
        ("Sent", _date(headers, received)),
        ("To", _people(headers, "to")),
        ("Cc", _people(headers, "cc")),
        ("Subject", headers.text("subject")),
    )
    return tuple((name, value) for name, value in values if value)


def below_text(written: str, lines: Iterable[Line], original: str) -> str:
    """Plain text with the original below; line ends are CRLF."""
    told = "\r\n".join(f"{name}: {value}" for name, value in lines)
    return f"{written.rstrip()}\r\n\r\n{_RULE}\r\n{told}\r\n\r\n{original}".lstrip("\r\n")


def below_html(written: str, lines: Iterable[Line], original: str) -> str:
    """An HTML document with the original, another one, below."""
    told = "<br>\r\n".join(f"<b>{name}:</b> {html.escape(value)}" for name, value in lines)
    quoted = f'{_HTML_RULE}\r\n<div dir="ltr">{told}</div>\r\n<br>\r\n{fragment(original)}\r\n'
    return join([written, quoted])


def _people(headers: Headers, name: str) -> str:
    """Names and addresses of a field; a long list is cut between two of them."""
    shown: list[str] = []
    left = _LONGEST_VALUE
    for one in addresses(headers, name):
        text = f"{one.name} <{one.address}>" if one.name and one.address else one.name or one.address
        left -= len(text) + 2
        if left < 0:
            shown.append("...")
            break
        shown.append(text)
    return "; ".join(shown)


def _date(headers: Headers, received: datetime) -> str:
    """The date as its sender wrote it, with his time zone."""
    try:
        date = parsedate_to_datetime(headers.text("date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        date = received
    return format_datetime(date)
