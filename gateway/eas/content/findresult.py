"""A message in the answer to Find (MS-ASCMD 2.2.3.139.1): few properties, made of those that Sync shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.eas.content.preferences import PLAIN, BodyOptions, BodyPreference
from gateway.mail.addresses import addresses
from gateway.mail.headers import Headers
from wbxml import Element, Tag, element
from wbxml.pages import AirSyncBase, Email, Email2, Find

__all__ = ["BODY", "find_properties"]

BODY = BodyOptions((BodyPreference(PLAIN, 0, preview=255),))
"""What must be rendered of the text: the preview alone, in as many characters as the protocol has."""
_AS_IN_SYNC = (Email.Subject, Email.DateReceived, Email.DisplayTo)
_LONGEST = 4096


def find_properties(shown: Iterable[Element]) -> list[Element]:
    """From the children of ApplicationData, rendered with `BODY`."""
    by_tag: dict[Tag, Element] = {one.tag: one for one in shown}
    made = [by_tag[tag] for tag in _AS_IN_SYNC if tag in by_tag]
    for tag, source in ((Find.DisplayCc, Email.Cc), (Find.DisplayBcc, Email2.Bcc)):
        names = _names(by_tag[source].text()) if source in by_tag else ""
        if names:
            made.append(element(tag, names))
    made += [by_tag[tag] for tag in (Email.Importance, Email.Read, Email2.IsDraft) if tag in by_tag]
    body = by_tag.get(AirSyncBase.Body)
    preview = body.child_text(AirSyncBase.Preview) if body else None
    if preview:
        made.append(element(Find.Preview, preview))
    files = by_tag.get(AirSyncBase.Attachments)
    made.append(element(Find.HasAttachments, _has_files(files.children if files else ())))
    if Email.From in by_tag:
        made.append(by_tag[Email.From])
    return made


def _has_files(attachments: Sequence[Element]) -> bool:
    """Whether there is an attachment that the text does not show."""
    return any(one.child_text(AirSyncBase.IsInline) != "1" for one in attachments)


def _names(listed: str) -> str:
    headers = Headers(b"cc: " + listed.encode("utf-8"))
    return "; ".join(one.name or one.address for one in addresses(headers, "cc"))[:_LONGEST]
