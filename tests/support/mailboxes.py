"""Messages in memory, answered as an IMAP server would: structure, header fields and sections of raw bytes.

Only what reading mail needs; the rest of the `Mailboxes` port is tested against real servers.
"""

from __future__ import annotations

import email
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.policy import compat32
from typing import cast

from gateway.ports import Mailboxes
from gateway.types import BodyPart, MessageData, SectionRequest

__all__ = ["MemoryMailboxes", "structure_of"]

RECEIVED = datetime(2026, 3, 1, 9, 15, tzinfo=UTC)
_ENVELOPED = frozenset({"message/rfc822", "message/global"})


class MemoryMailboxes:
    """One mailbox of raw messages; UIDs count from 1.

    `asked` holds the section requests that were made, in so many `rounds`.
    """

    def __init__(self, messages: Sequence[bytes], flags: Mapping[int, Iterable[str]] | None = None) -> None:
        self._messages = dict(enumerate(messages, 1))
        self._flags = flags or {}
        self._parsed: dict[int, tuple[MessageData, dict[str, bytes]]] = {}
        self.asked: list[SectionRequest] = []
        self.rounds = 0

    @property
    def port(self) -> Mailboxes:
        """These as the port, of which they have the reading half."""
        return cast("Mailboxes", self)

    async def fetch(
        self, _mailbox: str, _uidvalidity: int, uids: Iterable[int], _header_fields: Sequence[str] | None
    ) -> Mapping[int, MessageData]:
        return {uid: self._open(uid)[0] for uid in uids if uid in self._messages}

    async def fetch_sections(
        self, _mailbox: str, _uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        self.asked.extend(requests)
        self.rounds += 1
        answers: dict[SectionRequest, bytes] = {}
        for request in requests:
            if request.uid not in self._messages:
                continue
            whole = self._open(request.uid)[1].get(request.section)
            if whole is not None:
                end = None if request.limit is None else request.offset + request.limit
                answers[request] = whole[request.offset : end]
        return answers

    async def stream_section(
        self, mailbox: str, uidvalidity: int, request: SectionRequest, chunk: int = 262144
    ) -> AsyncIterator[bytes]:
        whole = (await self.fetch_sections(mailbox, uidvalidity, [request]))[request]
        for start in range(0, len(whole), chunk):
            yield whole[start : start + chunk]

    def _open(self, uid: int) -> tuple[MessageData, dict[str, bytes]]:
        if uid not in self._parsed:
            raw = self._messages[uid]
            structure, sections = structure_of(raw)
            flags = frozenset(self._flags.get(uid, ()))
            header = sections["HEADER"]
            self._parsed[uid] = (MessageData(uid, flags, RECEIVED, len(raw), structure, header), sections)
        return self._parsed[uid]


def structure_of(raw: bytes) -> tuple[BodyPart, dict[str, bytes]]:
    """The structure of a message, and the bytes of each section ("" and "HEADER" among them)."""
    # One character for each octet, so that the parser changes none.
    message = email.message_from_string(raw.decode("latin-1"), policy=compat32)
    header, blank, text = raw.partition(b"\r\n\r\n")
    sections = {"": raw, "HEADER": header + blank, "TEXT": text}
    return _part(message, "" if _has_parts(message) else "1", sections), sections


def _part(part: Message, section: str, sections: dict[str, bytes]) -> BodyPart:
    params = _parameters(part, "content-type")
    disposition = _parameters(part, "content-disposition")
    content_type = part.get_content_type()
    children: tuple[BodyPart, ...] = ()
    if part.is_multipart() and content_type in _ENVELOPED:
        inner = part.get_payload(0)
        assert isinstance(inner, Message)
        data = _octets(inner.as_string(policy=compat32.clone(linesep="\r\n")))
        children = (_part(inner, section if _has_parts(inner) else f"{section}.1", sections),)
    elif _has_parts(part):
        data = b""
        prefix = f"{section}." if section else ""
        children = tuple(
            _part(child, f"{prefix}{number}", sections)
            for number, child in enumerate(part.get_payload(), 1)
            if isinstance(child, Message)
        )
    else:
        payload = part.get_payload()
        # The parser takes status reports apart, an IMAP server does not.
        pieces = payload if isinstance(payload, list) else [payload]
        data = b"".join(_octets(str(piece)) for piece in pieces)
    if section and content_type.partition("/")[0] != "multipart":
        sections[section] = data
    kind, _, subtype = content_type.partition("/")
    return BodyPart(
        section=section,
        type=kind,
        subtype=subtype,
        params=dict(params[1:]),
        content_id=_text(part, "content-id"),
        description=_text(part, "content-description") or _subject(part),
        encoding=(_text(part, "content-transfer-encoding") or "7bit").strip().lower(),
        size=len(data),
        disposition=disposition[0][0] if disposition else None,
        disposition_params=dict(disposition[1:]),
        location=_text(part, "content-location"),
        children=children,
    )


def _subject(part: Message) -> str | None:
    """That of an embedded message, which an IMAP server tells in its envelope."""
    inner = part.get_payload() if part.get_content_maintype() == "message" else None
    return _text(inner[0], "subject") if isinstance(inner, list) and isinstance(inner[0], Message) else None


def _has_parts(part: Message) -> bool:
    return part.is_multipart() and part.get_content_maintype() == "multipart"


def _text(part: Message, name: str) -> str | None:
    value = part.get(name)
    return None if value is None else _octets(str(value)).decode("utf-8", "surrogateescape")


def _octets(value: str) -> bytes:
    return value.encode("latin-1")


def _parameters(part: Message, name: str) -> list[tuple[str, str]]:
    """The value and the raw parameters of a structured field, as BODYSTRUCTURE gives them."""
    values = [header_value for header_name, header_value in part.raw_items() if header_name.lower() == name]
    if not values:
        return []
    pieces = _split(_octets(str(values[0])).decode("utf-8", "surrogateescape"))
    found: list[tuple[str, str]] = [(pieces[0].strip().lower(), "")]
    for piece in pieces[1:]:
        key, _, value = piece.partition("=")
        value = value.strip()
        if value[:1] == '"' and value[-1:] == '"':
            value = value[1:-1].replace('\\"', '"')
        found.append((key.strip().lower(), value.replace("\r\n", "").replace("\n", "")))
    return found


def _split(value: str) -> list[str]:
    """Parts between semicolons outside quotes."""
    pieces, quoted = [""], False
    for character in value:
        quoted ^= character == '"'
        if character == ";" and not quoted:
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces
