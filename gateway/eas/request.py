"""The head of a request: the query in both its forms, and the headers (MS-ASHTTP 2.2.1).

Raises BadRequest alone, whatever the bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.types import DeviceId

__all__ = ["COMMAND_CODES", "MAX_DEVICE_ID", "BadRequest", "EasRequest", "as_stored", "parse"]

COMMAND_CODES: Mapping[int, str] = {
    0: "Sync",
    1: "SendMail",
    2: "SmartForward",
    3: "SmartReply",
    4: "GetAttachment",
    5: "GetHierarchy",
    6: "CreateCollection",
    7: "DeleteCollection",
    8: "MoveCollection",
    9: "FolderSync",
    10: "FolderCreate",
    11: "FolderDelete",
    12: "FolderUpdate",
    13: "MoveItems",
    14: "GetItemEstimate",
    15: "MeetingResponse",
    16: "Search",
    17: "Settings",
    18: "Ping",
    19: "ItemOperations",
    20: "Provision",
    21: "ResolveRecipients",
    22: "ValidateCert",
    23: "Find",
}
"""Every command there is, served or not, by its code in the base64 query (MS-ASHTTP 2.2.1.1.1.1.2)."""

MAX_DEVICE_ID = 64
"""Characters. The specification says 32 letters and digits; real devices send more."""

_FIRST_VERSION = "1.0"
_NAMES = {name.lower(): name for name in COMMAND_CODES.values()}


@dataclass(frozen=True, slots=True)
class EasRequest:
    """What a request says apart from its body.

    `command` is spelled as in `COMMAND_CODES`. `user` is what the query names, which is not proven: the login
    counts. `policy_key` is None when none was sent. `locale` is the LCID of the base64 query (0x0409: en-US).
    `attachment_name` to `occurrence` are "" when absent. `content_type` is lower case and without parameters.
    """

    command: str
    version: Version
    user: str
    device_id: DeviceId
    device_type: str
    policy_key: int | None = None
    locale: int | None = None
    attachment_name: str = ""
    collection_id: str = ""
    item_id: str = ""
    long_id: str = ""
    occurrence: str = ""
    save_in_sent: bool = False
    accept_multipart: bool = False
    accept_gzip: bool = False
    content_type: str = ""
    user_agent: str = ""


class BadRequest(Refused):
    """The query or a header cannot be used.

    `command` and `version` are what could be read all the same: they decide how the refusal is told.
    """

    def __init__(
        self, kind: Kind, detail: str, command: str | None = None, version: Version | None = None
    ) -> None:
        super().__init__(kind, detail)
        self.command = command
        self.version = version


@dataclass(slots=True)
class _Query:
    """What a query holds, before any of it is judged."""

    command: str = ""
    version: str = ""
    user: str = ""
    device_id: str = ""
    device_type: str = ""
    policy_key: int | None = None
    locale: int | None = None
    attachment_name: str = ""
    collection_id: str = ""
    item_id: str = ""
    long_id: str = ""
    occurrence: str = ""
    save_in_sent: bool = False
    accept_multipart: bool = False


class _Said(NamedTuple):
    """The headers that count, as sent; None is one that was not."""

    version: str | None
    policy_key: str | None
    accept_multipart: str | None
    accept_encoding: str | None
    content_type: str | None
    user_agent: str | None


_HEADERS = (
    "ms-asprotocolversion",
    "x-ms-policykey",
    "ms-asacceptmultipart",
    "accept-encoding",
    "content-type",
    "user-agent",
)


def parse(query: bytes, headers: Mapping[str, str]) -> EasRequest:
    """Read the head of a request.

    `query` is what stands after the `?`, as sent; header names are lower case. Where the base64 query gives a
    value, the header for it is not looked at (MS-ASHTTP 2.2.1.1.2). Raises `BadRequest`.
    """
    said = _Said(*map(headers.get, _HEADERS))
    short = len(query) + sum(len(text) for text in said if text) <= _KNOWN_OCTETS
    return _known(query, said) if short else _read(query, said)


def _read(query: bytes, said: _Said) -> EasRequest:
    raw = unquote_to_bytes(query)
    if not raw:
        raise BadRequest(Kind.INVALID_CONTENT, "the request has no query")
    found = _packed_query(raw) if _is_packed(raw) else _plain_query(query, said)
    version = Version.parse(found.version)
    command = _NAMES.get(found.command.lower())
    if not _is_device_id(found.device_id):
        raise BadRequest(Kind.DEVICE_ID_INVALID, "the device id is missing or unusable", command, version)
    if not found.device_type.strip() or not found.device_type.isprintable():
        raise BadRequest(Kind.DEVICE_TYPE_INVALID, "the device type is missing or unusable", command, version)
    if version is None:
        too_old = found.version.strip() == _FIRST_VERSION
        kind = Kind.VERSION_TOO_OLD if too_old else Kind.VERSION_NOT_SUPPORTED
        raise BadRequest(kind, f"protocol version {_shown(found.version)}", command, None)
    if command is None:
        raise BadRequest(Kind.COMMAND_NOT_SUPPORTED, f"command {_shown(found.command)}", None, version)
    return EasRequest(
        command=command,
        version=version,
        user=found.user,
        device_id=as_stored(found.device_id),
        device_type=found.device_type,
        policy_key=found.policy_key,
        locale=found.locale,
        attachment_name=found.attachment_name,
        collection_id=found.collection_id,
        item_id=found.item_id,
        long_id=found.long_id,
        occurrence=found.occurrence,
        save_in_sent=found.save_in_sent,
        accept_multipart=found.accept_multipart,
        accept_gzip=_accepts_gzip(said.accept_encoding or ""),
        content_type=(said.content_type or "").partition(";")[0].strip().lower(),
        user_agent=said.user_agent or "",
    )


_KNOWN_OCTETS = 1024
"""Heads up to this length are remembered: a device says the same with every request for a command."""
_known = lru_cache(maxsize=4096)(_read)


# --- the plain query (MS-ASHTTP 2.2.1.1.1.2) ---------------------------------------------------------------

_MAX_FIELDS = 64


def _plain_query(query: bytes, said: _Said) -> _Query:
    try:
        pairs = parse_qsl(
            query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="replace"
        )
    except ValueError as error:
        raise BadRequest(Kind.INVALID_CONTENT, "the query has too many fields") from error
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), value)
    return _Query(
        command=values.get("cmd", ""),
        version=said.version or "",
        user=values.get("user", ""),
        device_id=values.get("deviceid", ""),
        device_type=values.get("devicetype", ""),
        policy_key=_policy_key(said.policy_key),
        attachment_name=values.get("attachmentname", ""),
        collection_id=values.get("collectionid", ""),
        item_id=values.get("itemid", ""),
        long_id=values.get("longid", ""),
        occurrence=values.get("occurrence", ""),
        save_in_sent=values.get("saveinsent", "").upper() == "T",
        accept_multipart=(said.accept_multipart or "").strip().upper() == "T",
    )


def _policy_key(text: str | None) -> int | None:
    """Read X-MS-PolicyKey; what is no 32-bit number becomes 0, the key nobody was given."""
    if text is None:
        return None
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= len("4294967295")):
        return 0
    key = int(text)
    return key if key <= 0xFFFFFFFF else 0


# --- the base64 query (MS-ASHTTP 2.2.1.1.1.1) --------------------------------------------------------------


class _Parameter(IntEnum):
    """The parameters that are read; others are obsolete, or to come."""

    ATTACHMENT_NAME = 0
    COLLECTION_ID = 1
    ITEM_ID = 3
    LONG_ID = 4
    OCCURRENCE = 6
    OPTIONS = 7
    USER = 8


_SAVE_IN_SENT, _ACCEPT_MULTIPART = 0x01, 0x02


def _is_packed(raw: bytes) -> bool:
    return b"&" not in raw and b"=" not in raw.rstrip(b"=")


def _packed_query(raw: bytes) -> _Query:
    # A blank was a plus that somebody on the way took for a form's encoding; some devices use the URL-safe
    # alphabet.
    text = raw.rstrip(b"=").translate(_TO_STANDARD)
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise BadRequest(Kind.INVALID_CONTENT, "the query is neither fields nor base64") from error
    reader = _Reader(data)
    version, code, locale = struct.unpack("<BBH", reader.take(4))
    query = _Query(version=f"{version // 10}.{version % 10}", locale=locale)
    query.command = COMMAND_CODES.get(code, f"#{code}")
    query.device_id = _device_id(reader.counted())
    key = reader.counted()
    if len(key) not in {0, 4}:
        raise BadRequest(Kind.INVALID_CONTENT, "the policy key of the query is not 0 or 4 bytes long")
    query.policy_key = int.from_bytes(key, "little") if key else None
    query.device_type = _text(reader.counted())
    while not reader.at_end:
        parameter = reader.take(1)[0]
        _set_parameter(query, parameter, reader.counted())
    return query


_TO_STANDARD = bytes.maketrans(b"-_ ", b"+/+")


def _set_parameter(query: _Query, parameter: int, value: bytes) -> None:
    match parameter:
        case _Parameter.ATTACHMENT_NAME:
            query.attachment_name = _text(value)
        case _Parameter.COLLECTION_ID:
            query.collection_id = _text(value)
        case _Parameter.ITEM_ID:
            query.item_id = _text(value)
        case _Parameter.LONG_ID:
            query.long_id = _text(value)
        case _Parameter.OCCURRENCE:
            query.occurrence = _text(value)
        case _Parameter.OPTIONS:
            options = value[0] if value else 0
            query.save_in_sent = bool(options & _SAVE_IN_SENT)
            query.accept_multipart = bool(options & _ACCEPT_MULTIPART)
        case _Parameter.USER:
            query.user = _text(value)


class _Reader:
    """Bytes taken one field after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise BadRequest(Kind.INVALID_CONTENT, "the base64 query is cut short")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def counted(self) -> bytes:
        """Take a field that stands behind its length."""
        return self.take(self.take(1)[0])


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


# --- device ids --------------------------------------------------------------------------------------------


def _device_id(value: bytes) -> str:
    """Return the id as text; bytes that are none (a GUID) as hexadecimal."""
    return value.decode("ascii") if _VISIBLE.fullmatch(value) else value.hex()


_VISIBLE = re.compile(rb"[!-~]+")
_GUID = re.compile(r"[0-9A-Fa-f]{32}")


def _is_device_id(text: str) -> bool:
    return 0 < len(text) <= MAX_DEVICE_ID and all("!" <= character <= "~" for character in text)


def as_stored(device_id: str) -> DeviceId:
    """Write a GUID the way the base64 form gives it, so that both forms name one device."""
    return DeviceId(device_id.lower() if _GUID.fullmatch(device_id) else device_id)


# --- headers -----------------------------------------------------------------------------------------------


def _accepts_gzip(header: str) -> bool:
    for item in header.lower().split(","):
        coding, _, parameters = item.partition(";")
        if coding.strip() in {"gzip", "x-gzip", "*"}:
            return parameters.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def _shown(text: str) -> str:
    """Cut text from outside to what a log line can bear."""
    return ascii(text[:40])
