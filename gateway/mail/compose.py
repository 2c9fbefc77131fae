"""Makes the message a phone wants to send fit for submission (RFC 6409 8, RFC 5322 3.6, MS-ASCMD 2.2.1.17).

Only header fields that must change are touched; the body keeps its octets but for line ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

from gateway.errors import Kind, Refused
from gateway.mail.addresses import Address, parse_addresses
from gateway.mail.digests import digest_of
from gateway.mail.fields import Field, crlf, fold, split_header
from gateway.mail.headers import clean, raw_text
from gateway.mail.pieces import Joined
from gateway.mail.recipients import deliverable, recipients
from gateway.ports import Pieces

__all__ = ["Outgoing", "Part", "message_id_of", "prepare"]

_RECIPIENT_FIELDS = (b"to", b"cc", b"bcc")
_HIDDEN = (b"bcc", b"resent-bcc")
_ONCE = (b"from", b"sender", b"date", b"message-id", b"mime-version")
_LONGEST_NAME = 200
_WIDTH = 76
_BRACKETED = re.compile(rb"<[^<>\s]{1,996}>")


Part = bytes | memoryview | Pieces


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message ready to be handed to an SMTP server.

    `recipients` is the envelope (To, Cc and Bcc), each address once. `fields` are those of the header, Bcc
    among them, and `body` what follows the empty line, with CRLF line ends. `digest` is the SHA-256 of the
    request, in hex. `message_id` is with its angle brackets; `given_message_id` is the same, or "" when the
    phone gave none.
    """

    envelope_from: str
    recipients: tuple[str, ...]
    fields: tuple[Field, ...] = field(repr=False)
    body: tuple[Part, ...] = field(repr=False)
    message_id: str
    given_message_id: str
    digest: str

    @property
    def message(self) -> Joined:
        """What is submitted: without Bcc."""
        return self._with(each for each in self.fields if each.name not in _HIDDEN)

    @property
    def sent_copy(self) -> Joined:
        """The same with Bcc, for the sender's own mailbox."""
        return self._with(self.fields)

    def _with(self, fields: Iterable[Field]) -> Joined:
        return Joined((b"".join(each.raw for each in fields) + b"\r\n", *self.body))


def prepare(
    mime: bytes,
    *,
    sender: str,
    sender_name: str,
    may_send_as: Callable[[str], bool],
    now: datetime,
    unique: str,
    about: str = "",
) -> Outgoing:
    """The envelope and the pieces to submit for a message as the phone sent it, which is not copied.

    From becomes `sender` unless it is an address the user `may_send_as`, with the display name the phone
    chose, else `sender_name`. Missing From, Date, Message-ID and MIME-Version are added; `now` has a time
    zone. `unique` tells messages with the same octets apart (the ClientId): the same MIME with the same
    `unique` gets the same Message-ID again; with "", time tells them apart. `about` is what else the request
    says (the message replied to), and part of the digest.

    Raises `Refused`: `INVALID_MIME` for what has no proper header, `NO_RECIPIENT`, `RECIPIENT_UNRESOLVED` for
    an address nobody can deliver to, `SUBMISSION_FAILED` when `sender` is none.
    """
    own = deliverable(sender)
    if own is None:
        raise Refused(Kind.SUBMISSION_FAILED, "the user's own address cannot be used: look at identity.email")
    hashed = hashlib.sha256(mime)
    hashed.update(about.encode("utf-8", "surrogatepass"))
    digest = hashed.hexdigest()
    normal = crlf(mime)
    fields, body = split_header(normal)
    envelope = recipients(each.value for each in fields if each.name in _RECIPIENT_FIELDS)
    if not envelope:
        raise Refused(Kind.NO_RECIPIENT, "the message names no recipient")
    fields, author = _with_author(_without_repeats(fields), own, sender_name, may_send_as)
    given_message_id = message_id_of(fields)
    fields = _with_origin(fields, now, _new_message_id(own, digest, unique or now.isoformat()))
    return Outgoing(
        envelope_from=author,
        recipients=envelope,
        fields=tuple(fields),
        body=(memoryview(normal)[body:],),
        message_id=message_id_of(fields),
        given_message_id=given_message_id,
        digest=digest,
    )


def message_id_of(fields: Collection[Field]) -> str:
    """The Message-ID as the field has it, from bracket to bracket where it has them; "" without a field."""
    for each in fields:
        if each.name == b"message-id" and each.value:
            match = _BRACKETED.search(each.value)
            return raw_text(match[0] if match else each.value)
    return ""


def _without_repeats(fields: list[Field]) -> list[Field]:
    """Fields that may stand once only: the first with a value counts."""
    seen: set[bytes] = set()
    kept = []
    for each in fields:
        if each.name in _ONCE:
            if each.name in seen or not each.value:
                continue
            seen.add(each.name)
        kept.append(each)
    return kept


def _with_author(
    fields: list[Field], own: str, own_name: str, may_send_as: Callable[[str], bool]
) -> tuple[list[Field], str]:
    """The fields with a From the user may use and without a Sender he may not, and the address in From."""
    author = own
    made: list[Field] = []
    for each in fields:
        if each.name == b"from":
            author, kept = _author(each, own, own_name, may_send_as)
            made.append(kept)
        elif each.name != b"sender" or _is_allowed([*parse_addresses(raw_text(each.value))], may_send_as):
            made.append(each)
    if not any(each.name == b"from" for each in made):
        made.append(_address_field(own_name, own))
    return made, author


def _author(each: Field, own: str, own_name: str, may_send_as: Callable[[str], bool]) -> tuple[str, Field]:
    parsed = list(parse_addresses(raw_text(each.value)))
    name = parsed[0].name if parsed else ""
    if not _is_allowed(parsed, may_send_as):
        return own, _address_field(name or own_name, own)
    address = deliverable(parsed[0].address) or own
    if each.value.count(b"@") == 1:
        return address, each
    # Another reader could take another part of it for the address.
    return address, _address_field(name, address)


def _is_allowed(parsed: list[Address], may_send_as: Callable[[str], bool]) -> bool:
    if len(parsed) != 1:
        return False
    address = parsed[0].address.lower()
    wire = deliverable(address)
    return wire is not None and (may_send_as(address) or may_send_as(wire.lower()))


def _new_message_id(own: str, digest: str, unique: str) -> str:
    name = digest_of(f"{own}\n{digest}\n{unique}")
    return f"<{name}@{own.rpartition('@')[2]}>"


def _with_origin(fields: list[Field], now: datetime, message_id: str) -> list[Field]:
    """The fields with Date, Message-ID and MIME-Version."""
    wanted = {
        b"date": f"Date: {format_datetime(now)}",
        b"message-id": f"Message-ID: {message_id}",
        b"mime-version": "MIME-Version: 1.0",
    }
    present = {each.name for each in fields}
    added = [Field(name, f"{line}\r\n".encode()) for name, line in wanted.items() if name not in present]
    return [*fields, *added]


def _address_field(name: str, address: str) -> Field:
    """A From field; encoded words for a name that is not ASCII (RFC 2047)."""
    name = clean(name)[:_LONGEST_NAME]
    if not name:
        line = f"From: {address}"
    elif name.isascii():
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        line = f'From: "{quoted}" <{address}>'
    else:
        words = Header(name, "utf-8", header_name="From").encode(linesep="")
        line = f"From: {words} <{address}>"
    return Field(b"from", fold(line.encode(), _WIDTH) + b"\r\n")
