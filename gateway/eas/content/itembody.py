"""The text of an item: asb:Body (MS-ASAIRS 2.2.2.9), and Body of version 2.5, both ways."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace

from gateway.eas.content.body import body_elements, plan_body
from gateway.eas.content.preferences import HTML, MIME, PLAIN, RTF, BodyOptions
from gateway.eas.content.readers import integer, misplaced, once
from gateway.eas.content.values import BadItem
from gateway.eas.versions import Version
from gateway.mail import body as texts
from gateway.mail import html, lzfu, rtf
from gateway.mail.body import Fetched
from gateway.mail.structure import Block, Layout
from gateway.pim.properties import UNSET, Body, Unset
from gateway.types import BodyPart
from wbxml import Element, Tag, Utf8, element
from wbxml.pages import AirSyncBase

__all__ = ["OldBody", "body_text", "native_type", "read_body", "read_container", "shown_body"]

_PLAIN_PART, _HTML_PART = "1", "2"
_LARGEST_RTF = 8 * 1024 * 1024
_ORDER = (
    AirSyncBase.Type,
    AirSyncBase.EstimatedDataSize,
    AirSyncBase.Truncated,
    AirSyncBase.Data,
    AirSyncBase.Preview,
)


@dataclass(frozen=True, slots=True)
class OldBody:
    """What version 2.5 has for the text on the page of a class; `rich` is RTF that devices may send."""

    text: Tag
    truncated: Tag
    size: Tag | None = None
    rich: Tag | None = None


def read_body(
    data: Element, version: Version, known: Body | None, old: OldBody | None, *, takes_rtf: bool
) -> Body | Unset | None:
    """What a device wrote; None when it removes the text, UNSET when it says nothing or nothing new.

    A text that came back as it was shown, or the beginning of it, is what it was before, in every form:
    `known` is that. Raises `BadItem` for forms that an item of its class cannot have.
    """
    if version < Version.V12_0:
        if old is None:
            return UNSET
        written, cut = _read_old(data, old)
    else:
        container = read_container(data)
        content = once(container, AirSyncBase.Data) if container else None
        if container is None or content is None:
            return UNSET
        written = _written(content, integer(container, AirSyncBase.Type, PLAIN, MIME), takes_rtf=takes_rtf)
        cut = (container.child_text(AirSyncBase.Truncated, "0") or "1").strip() == "1"
    if written is None or (known and _is_known(written, known, cut=cut)):
        return UNSET
    return written if written.plain.strip() or written.html else None


def read_container(data: Element) -> Element | None:
    """The Body of an item that a device wrote. Raises `BadItem` for two, and for what is not in one.

    In whatever order it is told, it is what the user wrote, and is kept.
    """
    container = once(data, AirSyncBase.Body)
    if container is not None and misplaced(container, _ORDER, in_order=False):
        raise BadItem("the children of Body are others than it has, or repeated")
    return container


def shown_body(
    body: Body | None, options: BodyOptions, version: Version, old: OldBody | None, *, takes_rtf: bool
) -> list[Element]:
    """The text as a device wants it."""
    if version < Version.V12_0:
        return _shown_old(body, options.text_size, old) if old else []
    taken = (PLAIN, HTML, RTF) if takes_rtf else (PLAIN, HTML)
    wanted = BodyOptions(
        tuple(one for one in options.preferences if one.type in taken)
        or tuple(replace(one, type=native_type(body)) for one in options.preferences[:1]),
        mime_support=0,
    )
    plain = (body.plain if body else "").encode("utf-8", "replace")
    rich = (body.html if body else "").encode("utf-8", "replace")
    parts = {_PLAIN_PART: plain, _HTML_PART: rich}
    written = (_part(_HTML_PART, "html", rich),) if rich else ()
    layout = Layout((Block(written, (_part(_PLAIN_PART, "plain", plain),)),), ())
    plan = plan_body(layout, len(plain) + len(rich), wanted, version)
    return body_elements(plan, {name: Fetched(data) for name, data in parts.items()}, version)


def body_text(body: Body | None) -> str:
    """The text without its form; of what was written elsewhere there may be HTML alone."""
    return (body.plain or html.to_text(body.html)) if body else ""


def native_type(body: Body | None) -> int:
    """The form in which the text was written (MS-ASAIRS 2.2.2.32)."""
    return HTML if body and body.html else PLAIN


def _read_old(data: Element, old: OldBody) -> tuple[Body | None, bool]:
    """The text of version 2.5, and whether it is cut off; None when nothing is said of it."""
    text, rich = once(data, old.text), once(data, old.rich) if old.rich else None
    if text is None:
        return (_from_rtf(rich.text()) if rich is not None else None), False
    return _plain(text.text()), (data.child_text(old.truncated) or "").strip() == "1"


def _shown_old(body: Body | None, size: int | None, old: OldBody) -> list[Element]:
    data = texts.clean_utf8((body.plain if body else "").replace("\n", "\r\n").encode("utf-8", "replace"))
    shown = data if size is None else texts.cut_text(data, size)
    made = [element(old.text, Utf8(shown)), element(old.truncated, len(shown) < len(data))]
    return [*made, element(old.size, len(data))] if old.size else made


def _part(section: str, subtype: str, data: bytes) -> BodyPart:
    return BodyPart(section, "text", subtype, {"charset": "utf-8"}, encoding="8bit", size=len(data))


def _written(content: Element, kind: int | None, *, takes_rtf: bool) -> Body:
    if kind == PLAIN:
        return _plain(content.text())
    if kind == HTML:
        return _rich(content.text())
    if kind == RTF and takes_rtf:
        return _from_rtf(content.text())
    raise BadItem(f"a Body of Type {kind}")


def _plain(written: str) -> Body:
    return Body(_lines(written))


def _rich(document: str) -> Body:
    return Body(_lines(html.to_text(document)), _lines(document)) if document.strip() else Body("")


def _from_rtf(written: str) -> Body:
    """RTF in base64, compressed or not; what is in it is kept as text or HTML."""
    try:
        octets = base64.b64decode(written, validate=False)
    except (binascii.Error, ValueError):
        raise BadItem("a Body of RTF that is not base64") from None
    if not octets.lstrip().startswith(b"{\\rtf"):
        try:
            octets = lzfu.decompress(octets)
        except lzfu.BadRtf:
            raise BadItem("a Body that is no RTF") from None
    found = rtf.read(octets[:_LARGEST_RTF])
    return _rich(found.text) if found.is_html else _plain(found.text)


def _lines(written: str) -> str:
    return written.replace("\r\n", "\n").replace("\r", "\n")


def _is_known(written: Body, before: Body, *, cut: bool) -> bool:
    """Whether a device gave back what it was shown."""
    if written.html:
        shown = _lines(before.html or html.from_text(before.plain))
        return _same(written.html, shown, cut=cut)
    return _same(written.plain, before.plain, cut=cut)


def _same(written: str, shown: str, *, cut: bool) -> bool:
    one, other = written.rstrip(), shown.rstrip()
    return one == other or (cut and bool(one) and other.startswith(one))
