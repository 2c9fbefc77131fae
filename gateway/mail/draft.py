"""Drafts: a message made from what a device filled in, or changed by it (MS-ASEMAIL 3.1.5.4).

What a change does not name stays as it is, octet for octet: header fields and parts of other programs too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from gateway.mail import body, tree
from gateway.mail.addresses import Address, parse_addresses
from gateway.mail.body import Fetched
from gateway.mail.fields import Field, crlf, split_header
from gateway.mail.newfields import made, mailbox, words
from gateway.mail.newparts import NewFile, file_part, text_part, with_file
from gateway.mail.structure import Layout, Nature, lay_out
from gateway.mail.tree import Part
from gateway.types import BodyPart

__all__ = ["MARKER", "Draft", "DraftPatch", "DraftText", "Original", "for_sending", "write"]

MARKER = "X-ActiveSync-Edition"
"""The header field that tells the versions of a draft apart, so that one just stored is found again."""

_KEPT_BY_MIME = (b"in-reply-to", b"references")
_PRIVATE = frozenset(
    {
        MARKER.lower().encode(),
        b"fcc",
        b"x-account-key",
        b"x-identity-key",
        b"x-mozilla-draft-info",
        b"x-mozilla-keys",
        b"x-unsent",
    }
)
"""What mail programs note in drafts for themselves."""
_IMPORTANCE = {0: b"low", 1: None, 2: b"high"}
_OTHER_IMPORTANCE = (b"x-priority", b"priority", b"x-msmail-priority")


@dataclass(frozen=True, slots=True)
class DraftText:
    """A text in UTF-8. `shown` is how many octets of the one before the device was shown at most (None: all).

    `partial`: it stands in the place of those only.
    """

    data: bytes = field(repr=False)
    rich: bool = False
    shown: int | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class DraftPatch:
    """What a device says of a draft: None leaves a property as it is, "" takes it away.

    `mime` is a whole message, and then addresses, subject and text are those in it. `removed` are the
    sections of attachments. `importance` is 0 to 2.
    """

    to: str | None = None
    cc: str | None = None
    bcc: str | None = None
    reply_to: str | None = None
    subject: str | None = None
    importance: int | None = None
    text: DraftText | None = None
    mime: bytes | None = field(default=None, repr=False)
    files: tuple[NewFile, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != _NOTHING

    @property
    def has_content(self) -> bool:
        """Whether it holds what somebody wrote, or added."""
        return self.mime is not None or bool(self.files) or bool(self.text and self.text.data)

    @property
    def size(self) -> int:
        """Octets of what it brings along."""
        texts = (self.text.data if self.text else b"", self.mime or b"", *(each.data for each in self.files))
        return sum(map(len, texts))

    def digest(self) -> str:
        """What tells this patch from others, in hex."""
        state = hashlib.sha256()
        values = (self.to, self.cc, self.bcc, self.reply_to, self.subject, self.importance, self.removed)
        state.update(repr((values, self.text and (self.text.rich, self.text.partial))).encode())
        state.update(b"\n" + (self.text.data if self.text else b"") + b"\n" + (self.mime or b""))
        for each in self.files:
            names = (each.client_id, each.name, each.content_type, each.content_id, each.location)
            state.update(repr((names, each.inline, each.message, len(each.data))).encode() + each.data)
        return state.hexdigest()


_NOTHING = DraftPatch()


@dataclass(frozen=True, slots=True)
class Original:
    """A draft as it is, with the structure the server made out."""

    message: bytes = field(repr=False)
    structure: BodyPart


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft to be stored.

    `edition` is the value of its `MARKER`. `files` are the sections of new attachments by their ClientId,
    `moved` the sections that parts of the original have now.
    """

    message: bytes = field(repr=False)
    edition: str
    files: Mapping[str, str]
    moved: Mapping[str, str]


def write(
    patch: DraftPatch,
    original: Original | None,
    *,
    author: Address,
    now: datetime,
    name: str,
    edition: str,
    renamed: bool = False,
) -> Draft:
    """The draft that a patch makes of another one, or of nothing.

    `author` is for a draft without From, `name` the Message-ID (with brackets) for one without, and for all
    when it is to be `renamed`. `edition` is the value of `MARKER`. Raises `Refused` (INVALID_MIME) for a MIME
    text that is none.
    """
    if patch.mime is not None:
        head, content = _from_mime(patch.mime, original)
    elif original is not None:
        head, content = _from_original(patch, original)
    else:
        head, content = [], _text(patch.text or DraftText(b""))
    if renamed:
        _set(head, "Message-ID", b"")
    placed: dict[str, Part] = {}
    for each in patch.files:
        placed[each.client_id] = leaf = file_part(each)
        content = with_file(content, leaf, inline=each.inline)
    if patch.mime is None:
        for tag, value in (
            ("To", patch.to),
            ("Cc", patch.cc),
            ("Bcc", patch.bcc),
            ("Reply-To", patch.reply_to),
        ):
            if value is not None:
                _set(head, tag, _addresses(value))
        if patch.subject is not None:
            _set(head, "Subject", words(patch.subject, "Subject"))
    if patch.importance is not None:
        head = [each for each in head if each.name not in _OTHER_IMPORTANCE]
        _set(head, "Importance", _IMPORTANCE[patch.importance] or b"")
    _complete(head, author, now, name, edition)
    root = Part([*head, *content.fields], content.raw, content.children)
    sections = {id(leaf): section for section, leaf in tree.numbered(content)}
    boundary = "=_" + hashlib.sha256(f"{name}\n{edition}".encode()).hexdigest()[:24]
    return Draft(
        tree.serialise(root, boundary),
        edition,
        {client_id: sections[id(leaf)] for client_id, leaf in placed.items()},
        {leaf.origin: section for section, leaf in tree.numbered(content) if leaf.origin},
    )


def for_sending(message: bytes) -> bytes:
    """A draft without what is only for drafts, and without its Date, so that it gets the one of its sending.

    Raises `Refused` (INVALID_MIME).
    """
    message = crlf(message)
    fields, start = split_header(message)
    kept = (each.raw for each in fields if each.name not in _PRIVATE and each.name != b"date")
    return b"".join((*kept, b"\r\n", memoryview(message)[start:]))


# --- the header --------------------------------------------------------------------------------------------


def _complete(head: list[Field], author: Address, now: datetime, name: str, edition: str) -> None:
    present = {each.name for each in head}
    if b"from" not in present:
        _set(head, "From", mailbox(author).encode())
    _set(head, "Date", format_datetime(now).encode())
    if b"message-id" not in present:
        _set(head, "Message-ID", name.encode())
    if b"mime-version" not in present:
        _set(head, "MIME-Version", b"1.0")
    _set(head, MARKER, edition.encode())


def _set(head: list[Field], name: str, value: bytes) -> None:
    """Replace a field where it stands, add it, or with b"" take it away."""
    key = name.lower().encode()
    positions = [index for index, each in enumerate(head) if each.name == key]
    for index in reversed(positions[1:] if value else positions):
        del head[index]
    if not value:
        return
    filled = made(name, value)
    if positions:
        head[positions[0]] = filled
    else:
        head.append(filled)


def _addresses(text: str) -> bytes:
    """A list of addresses as the device wrote it; what is none is kept, for it may become one."""
    return ", ".join(map(mailbox, parse_addresses(text))).encode("utf-8", "ignore")


# --- the content -------------------------------------------------------------------------------------------


def _apart(fields: Iterable[Field]) -> tuple[list[Field], list[Field]]:
    """The fields of a message, and those of its content, which go along with it."""
    head: list[Field] = []
    content: list[Field] = []
    for each in fields:
        (content if each.name.startswith(b"content-") else head).append(each)
    return head, content


def _from_mime(mime: bytes, original: Original | None) -> tuple[list[Field], Part]:
    """The message a device gave; what it continues is said by the original where that message does not."""
    normal = crlf(mime)
    fields, start = split_header(normal)
    head, content = _apart(fields)
    present = {each.name for each in fields}
    if original is not None:
        known = tree.read(crlf(original.message), BodyPart("1", "text", "plain")).fields
        head += [
            each
            for each in known
            if each.name not in present
            and (each.name in _KEPT_BY_MIME or each.name.startswith((b"x-", b"message-id")))
        ]
    return head, Part(content, normal[start:])


def _from_original(patch: DraftPatch, original: Original) -> tuple[list[Field], Part]:
    root = tree.read(crlf(original.message), original.structure)
    head, root.fields = _apart(root.fields)
    layout = lay_out(original.structure)
    leaves = list(tree.leaves(root))
    gone = [leaf for leaf in leaves if leaf.origin in patch.removed]
    text = patch.text and _whole(patch.text, layout, leaves)
    if text is None:
        return head, tree.without(root, gone) or _text(DraftText(b""))
    replaced = {part.section for rich in (True, False) for part in layout.parts(rich=rich)}
    replaced |= {part.section for block in layout.blocks for part in (*block.rich, *block.plain)}
    if layout.nature is Nature.SIGNED:
        replaced.add(original.structure.children[-1].section)
    inline = {each.part.section for each in layout.attachments if each.inline}
    content = _text(text)
    for leaf in leaves:
        if leaf.origin not in replaced and leaf not in gone:
            content = with_file(content, leaf, inline=leaf.origin in inline)
    return head, content


def _whole(text: DraftText, layout: Layout, leaves: Iterable[Part]) -> DraftText | None:
    """The text the device means; None when it has not touched what it was shown of the one before."""
    if text.shown is None:
        return text
    fetched = {leaf.origin: Fetched(leaf.raw or b"") for leaf in leaves}
    present = body.read(layout, fetched, rich=text.rich).data
    shown = body.cut_html(present, text.shown) if text.rich else body.cut_text(present, text.shown)
    if len(shown) == len(present):
        return text
    if text.data == shown:
        return None
    return DraftText(text.data + present[len(shown) :], text.rich) if text.partial else text


def _text(text: DraftText) -> Part:
    return text_part(text.data, rich=text.rich)
