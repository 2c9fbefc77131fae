"""Status responses: condition, response code, text (RFC 3501 7.1, RFC 5530 and the extensions' codes)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from gateway.upstream.imap.flags import flag_set
from gateway.upstream.imap.responses import AppendUid, CodeValue, Condition, CopyUid, ResponseCode
from gateway.upstream.imap.sets import MAX_NUMBER, parse_ranges, parse_set
from gateway.upstream.imap.tokens import Fault, number, required_text, whole

__all__ = ["CONDITIONS", "capability_names", "parse_status_text"]

CONDITIONS = {condition.value: condition for condition in Condition}
_LONGEST_SHARED = 4096

_CODE = re.compile(r'\[([^ \]\[()"]+)(?: ((?:"(?:[^"\\]|\\.)*+"|[^\]"])*+))?\] ?')


@lru_cache(maxsize=64)
def _shared_names(text: str) -> frozenset[str]:
    return frozenset(text.upper().split())


def capability_names(text: str) -> frozenset[str]:
    """The names in upper case, one set for all connections to a server: it takes 6 KiB."""
    return _shared_names(text) if len(text) <= _LONGEST_SHARED else frozenset(text.upper().split())


def parse_status_text(text: str) -> tuple[ResponseCode | None, str]:
    """What follows the condition: (code, text for humans); a malformed code stays part of the text."""
    match = _CODE.match(text) if text.startswith("[") else None
    if match is None:
        return None, text
    name, arguments = match[1].upper(), match[2]
    return ResponseCode(name, _value(name, arguments)), text[match.end() :]


def _value(name: str, arguments: str | None) -> CodeValue:
    if arguments is None:
        return None
    try:
        if (convert := _VALUES.get(name)) is not None:
            return convert(arguments)
        return number(arguments)
    except ValueError:
        return arguments


def _append_uid(arguments: str) -> AppendUid:
    uidvalidity, uids = arguments.split()
    return AppendUid(number(uidvalidity, MAX_NUMBER), parse_set(uids))


def _copy_uid(arguments: str) -> CopyUid:
    uidvalidity, source, target = arguments.split()
    code = CopyUid(number(uidvalidity, MAX_NUMBER), parse_ranges(source), parse_ranges(target))
    if sum(map(len, code.source)) != sum(map(len, code.target)):
        raise Fault("as many UIDs on both sides")
    return code


def _only_list(arguments: str) -> list[str]:
    nodes = whole(arguments, ())
    if len(nodes) != 1 or not isinstance(nodes[0], list):
        raise Fault("one list")
    return [required_text(node) for node in nodes[0]]


def _mailbox_id(arguments: str) -> str:
    (mailbox_id,) = _only_list(arguments)
    return mailbox_id


_VALUES: dict[str, Callable[[str], CodeValue]] = {
    "APPENDUID": _append_uid,
    "COPYUID": _copy_uid,
    "MODIFIED": parse_set,
    "MAILBOXID": _mailbox_id,
    "PERMANENTFLAGS": lambda arguments: flag_set(" ".join(_only_list(arguments))),
    "BADCHARSET": lambda arguments: frozenset(_only_list(arguments)),
    "CAPABILITY": capability_names,
}
