"""The mail that is measured: mailboxes of every size, the same octets at every run.

The bodies come from a fixed number of templates, the headers are each message's own. Of the messages, 30 %
are plain text, 8 % plain text in a charset from before UTF-8, 12 % HTML, 35 % both, and 15 % carry one to
three attachments; a third have subjects and names beyond ASCII. HTML is 3 to 30 KB long.
"""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header
from email.utils import format_datetime

__all__ = ["DOMAIN", "Message", "note", "notes", "produce"]

DOMAIN = "example.test"
_TEMPLATES = 300
_NEWEST = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
_SPAN = timedelta(days=400)

_WORDS = """
    offer order train weather garden harvest window bridge library letter concert ticket kitchen
    recipe journey harbour mountain lesson teacher market street winter summer island picture camera
    forest river station museum doctor neighbour birthday present holiday meeting table budget
    contract shipment
""".split()  # noqa: SIM905  # easier to read
_SUBJECTS = (
    "Änderung der Lieferung nach Köln",
    "Le déjeuner est reporté à jeudi",
    "Счёт за прошлый месяц",
    "来週の打ち合わせについて",
    "Próxima reunión: mañana por la tarde",
    "Ενημέρωση για το ταξίδι",
    "Bilder vom Fest 🎂",
)
_PEOPLE = (
    "Jörg Häuser",
    "Élodie Marchand",
    "Ольга Смирнова",
    "佐藤健",
    "Ann Archer",
    "Ben Okafor",
    "Íñigo Peña",
)
_FILES = (
    ("application/pdf", "invoice.pdf"),
    ("image/jpeg", "picture.jpg"),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "figures.xlsx"),
)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is appended."""

    data: bytes
    received: datetime
    seen: bool


def produce(name: str, count: int) -> Iterator[Message]:
    """Yield the messages of a mailbox, oldest first; the same ones for the same name and count."""
    templates = _templates()
    source = random.Random(name)
    for number in range(count):
        received = _NEWEST - _SPAN * ((count - 1 - number) / count)
        head = _head(source, name, number, received)
        yield Message(head + source.choice(templates), received, source.random() < 0.85)


def note(name: str, subject: str) -> bytes:
    """Return a short new message, to be found again by its subject."""
    lines = "".join("a short line of a message that has just arrived\r\n" for _ in range(30))
    return (
        f"From: Ann Archer <ann@{DOMAIN}>\r\nTo: {name}@{DOMAIN}\r\nSubject: {subject}\r\n"
        f"Date: {format_datetime(_NEWEST)}\r\nMessage-ID: <{subject}@{DOMAIN}>\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{lines}"
    ).encode()


def notes(name: str, count: int) -> Iterator[Message]:
    """Yield short messages, for mailboxes where their number alone counts."""
    for number in range(count):
        yield Message(note(name, f"note-{number}"), _NEWEST, seen=True)


# --- headers -----------------------------------------------------------------------------------------------


def _head(source: random.Random, name: str, number: int, received: datetime) -> bytes:
    subject = source.choice(_SUBJECTS) if source.random() < 1 / 3 else _phrase(source, 2, 8)
    date = format_datetime(received)
    lines = [
        f"Return-Path: <bounce@{DOMAIN}>",
        f"Received: from relay{source.randrange(9)}.{DOMAIN} ([192.0.2.{source.randrange(250)}])",
        f"\tby mail.{DOMAIN} with ESMTPS id {source.getrandbits(40):x}; {date}",
        f"From: {_mailbox(source)}",
        f"To: {_mailbox(source, name)}",
        f"Subject: {_encoded(f'{subject} {number}')}",
        f"Date: {date}",
        f"Message-ID: <{number}.{source.getrandbits(40):x}@{DOMAIN}>",
        "MIME-Version: 1.0",
    ]
    if source.random() < 0.3:
        lines.append("Cc: " + ",\r\n ".join(_mailbox(source) for _ in range(source.randint(1, 4))))
    if source.random() < 0.4:
        lines.append(f"In-Reply-To: <{source.getrandbits(40):x}@{DOMAIN}>")
    return ("\r\n".join(lines) + "\r\n").encode()


def _mailbox(source: random.Random, name: str = "") -> str:
    return f"{_encoded(source.choice(_PEOPLE))} <{name or f'person{source.randrange(400)}'}@{DOMAIN}>"


def _encoded(text: str) -> str:
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="\r\n")


def _phrase(source: random.Random, least: int, most: int) -> str:
    return " ".join(source.choices(_WORDS, k=source.randint(least, most))).capitalize()


# --- bodies ------------------------------------------------------------------------------------------------


def _templates() -> Sequence[bytes]:
    source = random.Random("templates")
    return [_body(source, number / _TEMPLATES) for number in range(_TEMPLATES)]


def _body(source: random.Random, share: float) -> bytes:
    """Return the rest of a header and a body, of the shape that `share` (0 to 1) of the messages have."""
    if share < 0.30:
        return _part("text/plain", _text(source, 500, 4000), "us-ascii", "7bit")
    if share < 0.38:
        charset, line = source.choice((("iso-8859-1", "Grüße, à demain"), ("koi8-r", "Всего доброго")))
        text = f"{_text(source, 300, 3000)}{line}\r\n"
        return _part("text/plain", text, charset, source.choice(("quoted-printable", "base64")))
    if share < 0.50:
        return _part("text/html", _html(source, 3000, 20000), "utf-8", "quoted-printable")
    if share < 0.85:
        return _alternative(source, 3000, 30000)
    return _with_files(source)


def _text(source: random.Random, least: int, most: int) -> str:
    size, lines = source.randint(least, most), [""]
    while sum(map(len, lines)) < size:
        lines.append(_phrase(source, 6, 12) + ".\r\n")
    return "".join(lines)


def _html(source: random.Random, least: int, most: int) -> str:
    size = source.randint(least, most)
    pieces = ["<html><head><style>p { margin: 0 0 9px; font-family: sans-serif }</style></head><body>\r\n"]
    length = 0
    while length < size:
        kind = source.random()
        if kind < 0.7:
            bold = _phrase(source, 3, 3)
            piece = f'<p style="color:#333">{_phrase(source, 10, 30)} &ndash; <b>{bold}</b> ü</p>'
        elif kind < 0.9:
            link = f"https://{DOMAIN}/{source.randrange(10**5)}?a=1&amp;b=2"
            piece = (
                f'<table><tr><td>{_phrase(source, 4, 4)}</td><td><a href="{link}">more</a></td></tr></table>'
            )
        else:
            piece = f"<blockquote>&gt; {_phrase(source, 20, 20)}<br></blockquote>"
        pieces.append(piece + "\r\n")
        length += len(piece)
    return "".join(pieces) + "</body></html>\r\n"


def _alternative(source: random.Random, least: int, most: int) -> bytes:
    text = _part(
        "text/plain", _text(source, least // 5, most // 5) + "Grüße\r\n", "utf-8", "quoted-printable"
    )
    page = _html(source, least, most)
    html = _part("text/html", page, "utf-8", source.choice(("quoted-printable", "base64")))
    return _multipart("alternative", f"alt-{source.getrandbits(48):x}", (text, html))


def _with_files(source: random.Random) -> bytes:
    first = (
        _alternative(source, 1500, 8000)
        if source.random() < 0.6
        else _part("text/plain", _text(source, 1200, 1200), "us-ascii", "7bit")
    )
    parts = [first]
    for _ in range(source.randint(1, 3)):
        kind, name = source.choice(_FILES)
        head = (
            f'Content-Type: {kind}; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'
        )
        parts.append(head.encode() + _base64(source.randbytes(source.randint(5_000, 120_000))))
    return _multipart("mixed", f"mix-{source.getrandbits(48):x}", parts)


def _part(kind: str, text: str, charset: str, encoding: str) -> bytes:
    data = text.encode(charset)
    if encoding == "quoted-printable":
        data = quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    elif encoding == "base64":
        data = _base64(data)
    head = f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + data


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    mark = boundary.encode()
    inner = b"".join(b"--" + mark + b"\r\n" + part + b"\r\n" for part in parts)
    return (
        f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n\r\n'.encode()
        + inner
        + b"--"
        + mark
        + b"--\r\n"
    )


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")
