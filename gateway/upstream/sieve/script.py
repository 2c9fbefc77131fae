"""The gateway's own Sieve script (RFC 5228): made of what is set, and read again from it.

What is set stands in its comments, with a digest of all below: so the script on the server is the only place
that knows it, and a script that somebody wrote or changed himself is not taken for the gateway's.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import takewhile
from typing import Any

from gateway.mail import entities, html
from gateway.ports.directory import domain_of
from gateway.ports.filters import Audience, AutoReply, AwayState, OutOfOffice

__all__ = ["NAME", "Stored", "answers_by_itself", "needs", "parse", "render"]

NAME = "activesync-gateway"
"""What the script is called on the server."""
_DAYS = 7
"""How long nobody gets the same text twice (RFC 5230 4.1)."""
_HEAD = """\
# Out-of-office replies as they were set on a phone, and the script that was active before, included.
# Change the replies on the phone: activesync-gateway leaves a script alone that was changed elsewhere.
"""
_MARKER = "# activesync-gateway 1 "
_DATA = "#="
_WIDTH = 76
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)
"""What comes of comments that somebody else wrote under a right digest."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is set, and the name of the user's own script that runs after the replies, or ""."""

    away: OutOfOffice
    included: str = ""


def needs(stored: Stored) -> frozenset[str]:
    """The extensions of Sieve that the script is written in."""
    found = {"include"} if stored.included else set()
    if stored.away.state is not AwayState.OFF:
        found |= {"envelope", "vacation"}
    if stored.away.state is AwayState.TIMED:
        found |= {"date", "relational"}
    return frozenset(found)


def render(stored: Stored, addresses: Iterable[str]) -> str:
    """The script; `addresses` are the user's own, his main one first. The same values make the same text."""
    body = "".join(f"{line}\r\n" for line in (*_data(stored), *_rules(stored, tuple(addresses))))
    return _HEAD.replace("\n", "\r\n") + f"{_MARKER}{_digest(body)}\r\n{body}"


def parse(text: str) -> Stored | None:
    """What a script says that `render` made, whatever became of its line ends; None for any other.

    But for the addresses the user knows.
    """
    _, marker, rest = text.partition(_MARKER)
    digest, _, body = rest.partition("\n")
    if not marker or digest.strip() != _digest(body):
        return None
    # The first lines alone: one of a reply may look the same.
    data = takewhile(lambda line: line.startswith(_DATA), body.splitlines())
    written = "".join(line.removeprefix(_DATA).strip() for line in data)
    try:
        return _stored(json.loads(base64.b64decode(written, validate=True)))
    except _UNREADABLE:
        return None


def _digest(body: str) -> str:
    lines = "\n".join(line.rstrip() for line in body.splitlines()).rstrip()
    return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()


# --- what is set, in comments ------------------------------------------------------------------------------


def _data(stored: Stored) -> Iterator[str]:
    values = stored.away.values() | {"included": stored.included}
    written = base64.b64encode(json.dumps(values).encode()).decode()
    return (f"{_DATA}{written[start : start + _WIDTH]}" for start in range(0, len(written), _WIDTH))


def _stored(values: Any) -> Stored:
    """Raises one of `_UNREADABLE` for what no `_data` made."""
    return Stored(OutOfOffice.from_values(values), str(values["included"]))


# --- what the server does ----------------------------------------------------------------------------------


def _rules(stored: Stored, addresses: tuple[str, ...]) -> Iterator[str]:
    if names := sorted(needs(stored)):
        yield f"require {_list(names)};"
    if stored.away.state is not AwayState.OFF:
        yield from _replies(stored.away, addresses)
    if stored.included:
        # After the replies: a `stop` in it would end this script too. It may have been deleted by now.
        yield f"include :personal :optional {_string(stored.included)};"


def _replies(away: OutOfOffice, addresses: tuple[str, ...]) -> Iterator[str]:
    yield f"if {_all([_NO_SPAM, *_times(away)])}"
    yield "{"
    branches = _branches(away, domain_of(addresses[0]))
    for number, (test, reply) in enumerate(branches):
        word = "elsif" if number else "if"
        yield f"{word} {test} {{" if test else ("else {" if number else "if true {")
        if reply is not None:
            yield f"vacation :days {_DAYS} :addresses {_list(addresses)} :mime {_string(_entity(reply))};"
        yield "}"
    yield "}"


_NO_SPAM = 'not header :contains ["X-Spam-Flag", "X-Spam"] "yes"'


def _branches(away: OutOfOffice, domain: str) -> Iterator[tuple[str, AutoReply | None]]:
    """Who gets what, the first that fits: by the envelope, since replies go to its sender."""
    if domain:
        yield f'envelope :domain :is "from" {_string(domain)}', away.shown(Audience.INTERNAL)
    if away.known and away.tells_known_apart:
        yield f'envelope :all :is "from" {_list(away.known)}', away.shown(Audience.KNOWN)
    yield "", away.shown(Audience.UNKNOWN)


def _times(away: OutOfOffice) -> Iterator[str]:
    """Tests of the time of delivery (RFC 5260): from the start on, and before the end."""
    if away.state is not AwayState.TIMED or away.start is None or away.end is None:
        return
    for moment, beyond, reached in ((away.start, "gt", "ge"), (away.end, "lt", "lt")):
        utc = moment.astimezone(UTC)
        now, day = 'currentdate :zone "+0000"', f'"date" "{utc.date().isoformat()}"'
        same = f'{now} :is {day}, {now} :value "{reached}" "time" "{utc:%H:%M:%S}"'
        yield f'anyof ({now} :value "{beyond}" {day}, allof ({same}))'


def _entity(reply: AutoReply) -> str:
    """The text as a MIME entity in ASCII, so that no octet of it can mean anything else."""
    if not reply.html:
        entity = entities.text("plain", reply.text)
    else:
        boundary = "=_" + hashlib.sha256(reply.text.encode("utf-8", "replace")).hexdigest()[:32]
        plain = entities.text("plain", html.to_text(reply.text))
        entity = entities.alternative(boundary, [plain, entities.text("html", reply.text)])
    return (
        entity.header + b"\r\n" + b"".join(part for part in entity.body if isinstance(part, bytes))
    ).decode("ascii")


def _all(tests: list[str]) -> str:
    return tests[0] if len(tests) == 1 else f"allof ({', '.join(tests)})"


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(map(_string, values))}]"


def _string(text: str) -> str:
    return '"' + text.replace("\0", "").replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- the user's own script ---------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"#[^\n]*|/\*.*?(?:\*/|\Z)"
    r'|"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
    r"|text:[ \t]*(?:#[^\n]*)?\r?\n.*?(?:^\.\r?$|\Z)"
    r"|:?[a-z_][a-z0-9_]*|[{}]",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)


def answers_by_itself(text: str) -> bool:
    """Whether a script has a `vacation` of its own, other than in an `if false` block.

    Two in one run are an error (RFC 5230 4.7), after which the server does nothing of what the script says.
    """
    before: tuple[str, str] = ("", "")
    depth, hidden = 0, 0
    for match in _TOKEN.finditer(text):
        token = match[0].lower()
        if token[0] in "#/":
            continue
        if token == "{":  # noqa: S105
            depth += 1
            hidden = hidden or (depth if before == ("if", "false") else 0)
        elif token == "}":  # noqa: S105
            hidden = 0 if depth == hidden else hidden
            depth -= 1
        elif token == "vacation" and not hidden:  # noqa: S105
            return True
        before = (before[1], token)
    return False
