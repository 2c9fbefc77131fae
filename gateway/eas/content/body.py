"""The Body a phone gets of a mail (MS-ASAIRS 2.2.2.9), chosen by its preferences.

The work is in three steps, so that a whole window of mail costs two rounds to the server: `plan_body` says
from the structure which sections are needed and how much of each, the caller fetches them for all messages at
once, `body_elements` renders. Where a size is known only then (AllOrNone), the plan covers all outcomes.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.eas.content import legacy
from gateway.eas.content.preferences import HTML, MIME, PLAIN, RTF, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.mail import body as texts
from gateway.mail import lzfu, mime, rtf
from gateway.mail.body import Fetched, Text
from gateway.mail.structure import Layout, Nature
from wbxml import Element, Utf8, element
from wbxml.pages import AirSyncBase, ItemOperations

__all__ = [
    "BodyPlan",
    "PartSink",
    "body_elements",
    "native_type",
    "plan_body",
    "received",
    "rtf_section",
]

LARGEST_MIME = 24 * 1024 * 1024
"""Octets of a message that are given out as MIME within a document at most; the rest counts as cut off."""
_PREVIEW_REACH = 4096
"""Octets of text from which a preview is made when no text is fetched for the body itself."""
_PART_COMPLETE = 1
"""Status of a BodyPart (MS-ASCONV 2.2.2.9)."""


class PartSink(Protocol):
    """Takes what goes beside the document of a multipart reply (MS-ASCMD 2.2.1.1); tells its index there."""

    def add(self, data: bytes) -> int:
        """Take the data of a part."""
        ...

    def whole(self, limit: int | None) -> int:
        """Have the message itself made a part, or so many octets of it, by whoever has it rendered."""
        ...


@dataclass(frozen=True, slots=True)
class BodyPlan:
    """What will be tried, in this order, and what must be fetched for it: section to octets, None for all.

    `cost` is about how many octets that is in all. `streamed` says that MIME is not among them, but goes to a
    `PartSink`.
    """

    layout: Layout
    message_size: int
    attempts: tuple[BodyPreference, ...]
    part: BodyPreference | None
    sections: Mapping[str, int | None]
    cost: int
    streamed: bool = False


def plan_body(
    layout: Layout, message_size: int, options: BodyOptions, version: Version, *, streamed: bool = False
) -> BodyPlan:
    """Choose the forms to try for a message of `message_size` octets, and what to fetch for them."""
    if version < Version.V12_0:
        options = legacy.wishes(options)
    largest = message_size if streamed else LARGEST_MIME
    attempts = _attempts(layout, message_size, options, largest)
    part = options.part if version >= Version.V14_1 else None
    if part and not options.preferences:
        attempts = ()
    sections: dict[str, int | None] = {}
    for wanted in (*attempts, *([part] if part else [])):
        if wanted.type == MIME:
            most = _mime_limit(wanted, largest)
            _merge(sections, {} if streamed else {"": most if most < message_size else None})
        elif wanted.truncation != 0:
            _merge(sections, texts.wanted(layout, rich=wanted.type == HTML, size=wanted.truncation))
            if wanted.type == RTF:
                _merge(sections, rtf_section(layout))
        if wanted.preview and version >= Version.V14_0 and (wanted.type == MIME or wanted.truncation == 0):
            _merge(sections, texts.wanted(layout, rich=layout.has_html, size=_PREVIEW_REACH))
    sizes = {one.section: one.size for block in layout.blocks for one in (*block.rich, *block.plain)}
    cost = 0
    for section, limit in sections.items():
        size = sizes.get(section, message_size)
        cost += size if limit is None else min(size, limit)
    return BodyPlan(layout, message_size, attempts, part, sections, cost, streamed)


def rtf_section(layout: Layout) -> Mapping[str, None]:
    """What is needed of the RTF that came with a message, if it did."""
    return {layout.rtf.section: None} if layout.rtf else {}


def native_type(layout: Layout) -> int:
    """The form the text was written in (NativeBodyType of MS-ASAIRS)."""
    if layout.has_html:
        return HTML
    return RTF if layout.rtf else PLAIN


def received(plan: BodyPlan, answers: Mapping[str, bytes]) -> dict[str, Fetched]:
    """What was fetched for a plan, each section marked as whole or cut."""
    return {
        section: Fetched(answers[section], limit is not None and len(answers[section]) >= limit)
        for section, limit in plan.sections.items()
        if section in answers
    }


def body_elements(
    plan: BodyPlan,
    fetched: Mapping[str, Fetched],
    version: Version,
    parts: PartSink | None = None,
    *,
    answer: bool = False,
) -> list[Element]:
    """Body, and BodyPart when asked for: of an `answer` without what it quotes (MS-ASAIRS 2.2.2.10).

    With `parts`, data of a Body goes there and the element holds its index.
    """
    source = _Source(plan, fetched)
    made: list[Element] = []
    if plan.attempts:
        body = _Body(*source.choose())
        if version < Version.V12_0:
            mime = body.wanted.type == MIME
            return legacy.body(body.data, body.size, mime=mime, truncated=body.truncated)
        made.append(Element(AirSyncBase.Body, None, _children(body, source, version, parts)))
    if plan.part:
        source = _Source(plan, fetched, unquoted=True) if answer else source
        data, size, truncated = source.data(plan.part)
        body = _Body(plan.part, None if _refuses(plan.part, truncated) else data, size, truncated)
        children = _children(body, source, version, None)
        made.append(element(AirSyncBase.BodyPart, element(AirSyncBase.Status, _PART_COMPLETE), *children))
    return made


@dataclass(frozen=True, slots=True)
class _Body:
    """A body in one form: `data` is None when none is given; `size` is that of the whole."""

    wanted: BodyPreference
    data: bytes | None
    size: int
    truncated: bool


class _Source:
    """Makes the forms of one message, each at most once. Streamed MIME has no data here.

    Those `unquoted` are of what is new in an answer.
    """

    def __init__(self, plan: BodyPlan, fetched: Mapping[str, Fetched], *, unquoted: bool = False) -> None:
        self._plan = plan
        self._unquoted = unquoted
        self._fetched = fetched
        self._texts: dict[bool, Text] = {}

    def choose(self) -> tuple[BodyPreference, bytes | None, int, bool]:
        """The first form that is allowed; the first of all without data when none is."""
        refused: tuple[BodyPreference, int] | None = None
        for wanted in self._plan.attempts:
            data, size, truncated = self.data(wanted)
            if not _refuses(wanted, truncated):
                return wanted, data, size, truncated
            refused = refused or (wanted, size)
        assert refused
        return refused[0], None, refused[1], True

    def data(self, wanted: BodyPreference) -> tuple[bytes | None, int, bool]:
        """The data of a form cut as asked, the size of the whole, and whether there is more."""
        if wanted.type == MIME:
            return self._mime(wanted)
        rich = wanted.type == HTML
        if wanted.truncation == 0:
            size = texts.estimated_size(self._plan.layout, rich=rich)
            return None, size, size > 0
        text = self.text(rich)
        if wanted.type == RTF:
            return self._stored_rtf(wanted.truncation) or _as_rtf(text, wanted.truncation)
        limit = len(text.data) if wanted.truncation is None else wanted.truncation
        data = text.data
        if rich and (len(data) > limit or not text.complete):
            data = texts.cut_html(data, limit)
        else:
            data = texts.cut_text(data, limit)
        return data, text.size, not text.complete or len(data) < len(text.data)

    def text(self, rich: bool) -> Text:
        made = self._texts.get(rich)
        if made is None:
            layout = self._plan.layout
            made = self._texts[rich] = texts.read(layout, self._fetched, rich=rich)
            if self._unquoted:
                made = self._texts[rich] = texts.unquoted(made, layout, self._fetched, rich=rich)
        return made

    def preview(self, wanted: BodyPreference) -> str:
        rich = (
            wanted.type == HTML if wanted.type != MIME and wanted.truncation else self._plan.layout.has_html
        )
        return texts.preview(self.text(rich), wanted.preview, rich=rich)

    def _stored_rtf(self, limit: int | None) -> tuple[bytes, int, bool] | None:
        """The RTF that came with the message, if all of it fits into `limit` octets of base64."""
        part = self._plan.layout.rtf
        if part is None or part.section not in self._fetched:
            return None
        made = lzfu.whole(self._fetched[part.section].data)
        if made is None or (limit is not None and _in_base64(made) > limit):
            return None
        return made, _in_base64(made), False

    def _mime(self, wanted: BodyPreference) -> tuple[bytes | None, int, bool]:
        size = self._plan.message_size
        if wanted.truncation == 0:
            return None, size, size > 0
        if self._plan.streamed:
            return b"", size, wanted.truncation is not None and wanted.truncation < size
        section = self._fetched.get("") or Fetched(b"", cut=True)
        data = mime.as_utf8(section.data, cut=section.cut)
        if wanted.truncation is not None and len(data) > wanted.truncation:
            return texts.cut_text(data, wanted.truncation), max(size, len(data)), True
        return data, max(size, len(data)) if section.cut else len(data), section.cut


def _refuses(wanted: BodyPreference, truncated: bool) -> bool:
    """Whether the phone wants no beginning of what is longer than it takes."""
    return wanted.all_or_none and wanted.truncation is not None and truncated


def _children(body: _Body, source: _Source, version: Version, parts: PartSink | None) -> list[Element]:
    made = [
        element(AirSyncBase.Type, body.wanted.type),
        element(AirSyncBase.EstimatedDataSize, body.size),
    ]
    if body.truncated:
        made.append(element(AirSyncBase.Truncated, 1))
    if body.data is not None:
        if parts is not None and body.wanted.type == MIME:
            made.append(element(ItemOperations.Part, parts.whole(body.wanted.truncation)))
        elif parts is not None:
            made.append(element(ItemOperations.Part, parts.add(body.data)))
        else:
            data = base64.b64encode(body.data) if body.wanted.type == RTF else body.data
            made.append(Element(AirSyncBase.Data, Utf8(data)))
    shown_already = body.wanted.type == PLAIN and body.data is not None
    if body.wanted.preview and version >= Version.V14_0 and not shown_already:
        preview = source.preview(body.wanted)
        if preview:
            made.append(element(AirSyncBase.Preview, preview))
    return made


def _as_rtf(text: Text, limit: int | None) -> tuple[bytes | None, int, bool]:
    """RTF of as much of a text as fits into `limit` octets of base64: RTF that is cut could not be read."""
    shown = text.data
    made = rtf.from_text(shown.decode("utf-8"))
    size = _in_base64(made) + text.size - len(shown)
    while limit is not None and _in_base64(made) > limit and shown:
        # A character becomes up to nine octets, so that one guess may not be enough.
        shown = texts.cut_text(shown, min(len(shown) * limit // _in_base64(made), len(shown) - 1))
        made = rtf.from_text(shown.decode("utf-8"))
    if (text.data and not shown) or (limit is not None and _in_base64(made) > limit):
        return None, size, True
    return made, size, not text.complete or len(shown) < len(text.data)


def _in_base64(data: bytes) -> int:
    return (len(data) + 2) // 3 * 4


def _attempts(
    layout: Layout, message_size: int, options: BodyOptions, largest: int
) -> tuple[BodyPreference, ...]:
    """The preferences in the order they are tried, up to the first that cannot fail (MS-ASAIRS 3.2.5.1)."""
    native = native_type(layout)
    candidates = _in_order(native, options)
    as_mime = options.preference(MIME)
    if as_mime and _mime_permitted(layout, options):
        as_mime = BodyPreference(MIME, options.mime_size, as_mime.all_or_none, as_mime.preview)
        if not (as_mime.all_or_none and message_size > _mime_limit(as_mime, largest)):
            candidates.insert(0, as_mime)
    if not candidates:
        # Nothing of what is asked for is permitted (MIME), or was named at all.
        asked = options.preferences[0] if options.preferences else BodyPreference(PLAIN)
        kind = HTML if layout.has_html and asked.type == MIME else PLAIN
        candidates = [BodyPreference(kind, asked.truncation, preview=asked.preview)]
    attempts: list[BodyPreference] = []
    for wanted in candidates:
        attempts.append(wanted)
        if not wanted.all_or_none or wanted.truncation is None:
            break
    return tuple(attempts)


def _in_order(native: int, options: BodyOptions) -> list[BodyPreference]:
    """The preferences but for MIME: the native form before the others, which are as the phone lists them.

    In place of a native form that is too long comes what gives the most text.
    """
    first = options.preference(native)
    others = [wanted for wanted in options.preferences if wanted.type not in {native, MIME}]
    if first is None:
        return others
    others.sort(key=lambda wanted: math.inf if wanted.truncation is None else wanted.truncation, reverse=True)
    return [first, *others]


def _mime_permitted(layout: Layout, options: BodyOptions) -> bool:
    if options.mime_support is None:
        # Some phones name nothing but MIME and forget to say that they support it.
        return all(wanted.type == MIME for wanted in options.preferences)
    signed = layout.nature in {Nature.SIGNED, Nature.ENVELOPED}
    return options.mime_support == 2 or (options.mime_support == 1 and signed)


def _mime_limit(wanted: BodyPreference, largest: int) -> int:
    return largest if wanted.truncation is None else min(wanted.truncation, largest)


def _merge(sections: dict[str, int | None], more: Mapping[str, int | None]) -> None:
    for section, octets in more.items():
        known = sections.get(section, 0)
        sections[section] = None if octets is None or known is None else max(octets, known)
