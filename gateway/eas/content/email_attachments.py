"""The list of a mail's attachments (MS-ASAIRS 2.2.2.7), from the structure alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gateway.eas.content import legacy
from gateway.eas.versions import Version
from gateway.mail import transfer
from gateway.mail.headers import clean
from gateway.mail.structure import Attachment
from gateway.mail.voice import VoiceMail
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Email2

__all__ = ["attachments_element"]

_FILE, _EMBEDDED_MESSAGE, _OLE_OBJECT = 1, 5, 6
"""Values of Method (MS-ASAIRS 2.2.2.28)."""
_LONGEST_NAME = 1024
"""Characters: a sender can make megabytes of a name, and thousands of files in a message."""


def attachments_element(
    attachments: Iterable[Attachment],
    reference: Callable[[str], str],
    version: Version,
    voice: VoiceMail | None = None,
    *,
    draft: bool = False,
) -> Element:
    """The attachments, each with the FileReference that `reference` makes of its section.

    A file of a `draft` is inline when its author said so, whether or not there is HTML by now to show it.
    """
    if version < Version.V12_0:
        return legacy.attachments(_old(one, reference(one.part.section)) for one in attachments)
    made = element(AirSyncBase.Attachments)
    for one in attachments:
        told = element(AirSyncBase.Attachment, *_attachment(one, reference(one.part.section)))
        if one.inline or (draft and one.part.disposition == "inline"):
            told.add(AirSyncBase.IsInline, "1")
        if voice and version >= Version.V14_0:
            told.extend(_recording(one, voice))
        made.append(told)
    return made


def _attachment(attachment: Attachment, reference: str) -> list[Element]:
    made = [
        Element(AirSyncBase.DisplayName, attachment.name[:_LONGEST_NAME]),
        Element(AirSyncBase.FileReference, reference),
        element(AirSyncBase.Method, _method(attachment)),
        element(AirSyncBase.EstimatedDataSize, _size(attachment)),
    ]
    content_id = _content_id(attachment)
    if content_id:
        made.append(Element(AirSyncBase.ContentId, content_id))
    location = attachment.part.location
    if location and len(location) <= _LONGEST_NAME:
        made.append(Element(AirSyncBase.ContentLocation, clean(location)))
    return made


def _old(attachment: Attachment, reference: str) -> Element:
    return legacy.attachment(
        reference,
        attachment.name[:_LONGEST_NAME],
        _size(attachment),
        _method(attachment),
        _content_id(attachment),
    )


def _recording(attachment: Attachment, voice: VoiceMail) -> Iterator[Element]:
    """What voice mail says of a recording: the length is that of the latest one (MS-ASEMAIL 2.2.2.79)."""
    if attachment.part.type != "audio":
        return
    order = voice.order(attachment.name)
    if voice.seconds is not None and (order == 1 or not voice.files):
        yield element(Email2.UmAttDuration, voice.seconds)
    if order is not None:
        yield element(Email2.UmAttOrder, order)


def _size(attachment: Attachment) -> int:
    return transfer.decoded_size(attachment.part.size, attachment.part.encoding)


def _content_id(attachment: Attachment) -> str:
    content_id = (attachment.part.content_id or "").strip().strip("<>")
    return clean(content_id) if len(content_id) <= _LONGEST_NAME else ""  # a part of it would name nothing


def _method(attachment: Attachment) -> int:
    if attachment.embedded:
        return _EMBEDDED_MESSAGE
    return _OLE_OBJECT if attachment.ole else _FILE
