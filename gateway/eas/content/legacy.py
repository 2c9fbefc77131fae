"""Mail as version 2.5 has it: text, MIME and attachments in elements of the Email page itself.

There is no BodyPreference: Truncation, MIMESupport and MIMETruncation say what the phone takes, and what a
Fetch of Sync returns is whole.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.eas.content.preferences import MIME, PLAIN, BodyOptions, BodyPreference
from wbxml import Element, Utf8, element
from wbxml.pages import Email

__all__ = ["attachment", "attachments", "body", "wishes"]


def wishes(options: BodyOptions) -> BodyOptions:
    """The options as later versions would say them; what they say themselves does not count."""
    preferences = [BodyPreference(PLAIN, options.text_size)]
    if options.mime_support:
        preferences.append(BodyPreference(MIME))
    return BodyOptions(tuple(preferences), options.mime_support or 0, options.mime_truncation)


def body(data: bytes | None, size: int, *, mime: bool, truncated: bool) -> list[Element]:
    """The elements of a body: `data` as much as is given of it, `size` the octets of the whole."""
    cut, length, content = (
        (Email.MIMETruncated, Email.MIMESize, Email.MIMEData)
        if mime
        else (Email.BodyTruncated, Email.BodySize, Email.Body)
    )
    made = [element(cut, truncated), element(length, size)]
    if data is not None:
        made.append(element(content, Utf8(data)))
    return made


def attachments(listed: Iterable[Element]) -> Element:
    """The attachments of a message."""
    return element(Email.Attachments, *listed)


def attachment(reference: str, name: str, size: int, method: int, content_id: str) -> Element:
    """One attachment: `reference` is what GetAttachment takes, `size` octets, about."""
    made = element(
        Email.Attachment,
        element(Email.AttName, reference),
        element(Email.DisplayName, name),
        element(Email.AttSize, size),
        element(Email.AttMethod, method),
    )
    if content_id:
        made.add(Email.AttOid, content_id)
    return made
