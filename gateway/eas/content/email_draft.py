"""What a device says of a draft: ApplicationData to a patch (MS-ASEMAIL 3.1.5.4, MS-ASAIRS 2.2.2.2)."""

from __future__ import annotations

from gateway.eas.content.ids import MessageName, parse_file_reference
from gateway.eas.content.itembody import read_container
from gateway.eas.content.preferences import HTML, MIME, PLAIN
from gateway.eas.content.values import BadItem
from gateway.errors import NotFound
from gateway.mail.draft import DraftPatch, DraftText
from gateway.mail.newparts import NewFile
from wbxml import Element, Tag
from wbxml.pages import AirSyncBase, Email, Email2

__all__ = ["parse_draft"]

_LONGEST_LIST = 32768
"""Characters of an address list (MS-ASEMAIL 2.2.2.75)."""
_FILE, _EMBEDDED_MESSAGE = "1", "5"
"""Values of Method (MS-ASAIRS 2.2.2.28)."""
_TRUE = ("", "1")


def parse_draft(data: Element, item: MessageName | None = None) -> DraftPatch:
    """The patch an ApplicationData asks for; `item` is the draft it changes, None when it makes one.

    Addresses and subject beside a MIME body are ignored: those in it count. Raises `BadItem`.
    """
    body = read_container(data)
    text, mime = (None, None) if body is None else _body(body)
    files, removed = _attachments(data.find(AirSyncBase.Attachments), item)
    importance = _importance(data.child_text(Email.Importance))
    if mime is not None:
        return DraftPatch(mime=mime, importance=importance, files=files, removed=removed)
    return DraftPatch(
        to=_list(data, Email.To),
        cc=_list(data, Email.Cc),
        bcc=_list(data, Email2.Bcc),
        reply_to=_list(data, Email.ReplyTo),
        subject=data.child_text(Email.Subject),
        importance=importance,
        text=text,
        files=files,
        removed=removed,
    )


def _list(data: Element, tag: Tag) -> str | None:
    text = data.child_text(tag)
    if text is not None and len(text) > _LONGEST_LIST:
        raise BadItem(f"{tag!r} is too long")
    return text


def _importance(text: str | None) -> int | None:
    if text is None:
        return None
    if text.strip() not in ("0", "1", "2"):
        raise BadItem("Importance is none of 0, 1, 2")
    return int(text)


def _body(body: Element) -> tuple[DraftText | None, bytes | None]:
    """The text, or the MIME of a body; neither when it has no Data, which leaves the text as it is."""
    kind = (body.child_text(AirSyncBase.Type) or "").strip()
    content = body.find(AirSyncBase.Data)
    partial = (body.child_text(AirSyncBase.Truncated, "0") or "1").strip() == "1"
    if kind not in (str(PLAIN), str(HTML), str(MIME)):
        raise BadItem("a draft in another form than text, HTML or MIME")
    if content is None or (partial and kind == str(MIME)):  # the beginning of a message is none
        return None, None
    if kind == str(MIME):
        return None, content.data()
    return DraftText(content.text().encode(), rich=kind == str(HTML), partial=partial), None


def _attachments(
    attachments: Element | None, item: MessageName | None
) -> tuple[tuple[NewFile, ...], tuple[str, ...]]:
    """New attachments, and the sections of those to be removed."""
    if attachments is None:
        return (), ()
    files = tuple(_file(one) for one in attachments.findall(AirSyncBase.Add))
    if len({one.client_id for one in files}) != len(files):
        raise BadItem("two attachments with one ClientId")
    removed = (_removed(one, item) for one in attachments.findall(AirSyncBase.Delete))
    return files, tuple(removed)


def _file(new: Element) -> NewFile:
    client_id, content = new.child_text(AirSyncBase.ClientId), new.find(AirSyncBase.Content)
    method = (new.child_text(AirSyncBase.Method) or "").strip()
    if not client_id or content is None or method not in (_FILE, _EMBEDDED_MESSAGE):
        raise BadItem("an attachment without ClientId or Content, or with another Method than 1 and 5")
    inline = new.child_text(AirSyncBase.IsInline)
    return NewFile(
        client_id,
        new.child_text(AirSyncBase.DisplayName) or "",
        content.data(),
        content_type=new.child_text(AirSyncBase.ContentType) or "",
        content_id=new.child_text(AirSyncBase.ContentId) or "",
        location=new.child_text(AirSyncBase.ContentLocation) or "",
        inline=inline is not None and inline.strip() in _TRUE,
        message=method == _EMBEDDED_MESSAGE,
    )


def _removed(gone: Element, item: MessageName | None) -> str:
    try:
        reference = parse_file_reference(gone.child_text(AirSyncBase.FileReference) or "")
    except NotFound as error:
        raise BadItem("no FileReference") from error
    if item is None or item != MessageName(reference.collection, reference.uidvalidity, reference.uid):
        raise BadItem("an attachment of another message")
    return reference.section
