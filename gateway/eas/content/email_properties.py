"""The properties of a mail but for its body (MS-ASEMAIL 2.2.2), from header, flags and structure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial

from gateway.eas.content.body import native_type
from gateway.eas.content.email_attachments import attachments_element
from gateway.eas.content.ids import file_reference
from gateway.eas.content.marks import Marks
from gateway.eas.content.meeting import CONTENT_CLASS, meeting_request, message_class
from gateway.eas.content.values import date_time
from gateway.eas.versions import Version
from gateway.mail.addresses import Address, addresses
from gateway.mail.conversations import conversation, topic
from gateway.mail.headers import Headers
from gateway.mail.reports import Outcome, delivery_outcome, reading_outcome
from gateway.mail.structure import Layout, Nature
from gateway.mail.voice import VOICE_FIELDS, voice_mail
from gateway.pim.invitation import Invitation, Own, nobody
from gateway.types import DRAFT, BodyPart, CollectionId, MessageData
from wbxml import Element, element
from wbxml.pages import AirSyncBase, Email, Email2, Tag

__all__ = ["HEADER_FIELDS", "Place", "properties", "subject_of"]

HEADER_FIELDS = (
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Thread-Topic",
    "Importance",
    "X-Priority",
    "X-MSMail-Priority",
    "Priority",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Thread-Index",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "Resent-To",
    "Resent-Cc",
    "List-Id",
    *VOICE_FIELDS,
)
"""The header fields from which the properties are made."""

_LONGEST_LIST = _LONGEST_SUBJECT = 32768
"""Characters of To, Cc and the like (MS-ASEMAIL 2.2.2.75), and of what else can be megabytes of text."""
_LONGEST_DISPLAY = 4096
_LONGEST_BCC = 1024
_SEEN_BY_ALL = ("from", "to", "cc", "resent-to", "resent-cc")
_DELIVERED = ("delivered-to", "x-original-to", "envelope-to")
"""Where servers note for whom they delivered a message."""
_NAME_HIM = (*_DELIVERED, "bcc")
"""Where the address of a user can be found who is not among those that all see."""
_UTF_8 = "65001"
_CONTENT_CLASS = "urn:content-classes:message"
_LOW, _NORMAL, _HIGH = "0", "1", "2"
_IMPORTANCE_FIELDS = ("importance", "x-priority", "x-msmail-priority", "priority")
_IMPORTANCE = {
    "low": _LOW,
    "non-urgent": _LOW,
    "normal": _NORMAL,
    "high": _HIGH,
    "urgent": _HIGH,
    "1": _HIGH,
    "2": _HIGH,
    "3": _NORMAL,
    "4": _LOW,
    "5": _LOW,
}
_RECEIPT = "signed-receipt"
_CLASSES = {Nature.ENVELOPED: "IPM.Note.SMIME", Nature.SIGNED: "IPM.Note.SMIME.MultipartSigned"}
_REPORTS = {
    Outcome.FAILED: "REPORT.IPM.Note.NDR",
    Outcome.DELAYED: "REPORT.IPM.Note.DELAYED",
    Outcome.DELIVERED: "REPORT.IPM.Note.DR",
    Outcome.READ: "REPORT.IPM.Note.IPNRN",
    Outcome.NOT_READ: "REPORT.IPM.Note.IPNNRN",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lives: for the names of its attachments, and because drafts are shown in full.

    `owner` is the address of the user, "" when it is not known; `own` tells of others whether they are his.
    `zone` is that of times of invitations that are in none.
    """

    collection: CollectionId
    uidvalidity: int
    drafts: bool = False
    owner: str = ""
    own: Own = nobody
    zone: tzinfo = UTC


def subject_of(headers: Headers) -> str:
    """The subject as phones are told it, "" when there is none."""
    return headers.text("subject")[:_LONGEST_SUBJECT]


def properties(
    message: MessageData,
    layout: Layout,
    body: Iterable[Element],
    place: Place,
    version: Version,
    *,
    marks: Marks,
    status: bytes = b"",
    meeting: Invitation | None = None,
) -> list[Element]:
    """The children of ApplicationData, in the order that Exchange writes them, with `body` in its place.

    `marks` are those of the message.
    `status` is the beginning of `layout.status`, for the class of a report; `meeting` is what a scheduling
    message asks.
    """
    headers = Headers(message.header)
    voice = voice_mail(headers) if layout.nature is Nature.MAIL and not meeting else None
    subject = headers.text("subject")
    made = _addresses_and_subject(headers, subject, date_time(message.internal_date))
    made.append(Element(Email.Importance, _importance(headers)))
    made.append(marks.read())
    if layout.attachments:
        reference = partial(file_reference, place.collection, place.uidvalidity, message.uid)
        draft = _is_draft(marks, place)
        made.append(attachments_element(layout.attachments, reference, version, voice, draft=draft))
    made.extend(body)
    kind = message_class(meeting) if meeting else _message_class(message.structure, layout, status)
    made.append(Element(Email.MessageClass, voice.message_class if voice else kind))
    if meeting:
        sender = _first(headers, "from")
        owner = meeting.known_as(place.owner, place.own)
        request = meeting_request(meeting, message.internal_date, sender, owner, version)
        made += [request] if request else []
    made.append(Element(Email.InternetCPID, _UTF_8))
    if version >= Version.V12_0:
        made.append(marks.flag(subject[:_LONGEST_SUBJECT]))
        made.append(Element(Email.ContentClass, CONTENT_CLASS if meeting else _CONTENT_CLASS))
        made.append(element(AirSyncBase.NativeBodyType, native_type(layout)))
    if version >= Version.V14_0:
        made.extend(_since_14(headers, marks, place, message.uid))
        if voice and voice.caller:
            made.append(element(Email2.UmCallerID, voice.caller))
    if version >= Version.V16_0:
        made.extend(_since_16(headers, marks, place))
    return made


def _addresses_and_subject(headers: Headers, subject: str, received: str) -> list[Element]:
    to = _up_to(_LONGEST_LIST, headers, "to")
    thread = headers.text("thread-topic") or topic(subject)  # whatever stands before it
    values: list[tuple[Tag, str]] = [
        (Email.To, ", ".join([text for _, text in to])),
        (Email.Cc, _list(headers, "cc", ", ")),
        (Email.From, _first(headers, "from")),
        (Email.ReplyTo, _list(headers, "reply-to", "; ")),
        (Email.Subject, subject[:_LONGEST_SUBJECT]),
        (Email.DateReceived, received),
        (Email.DisplayTo, _displayed(one for one, _ in to)),
        (Email.ThreadTopic, thread[:_LONGEST_SUBJECT]),
    ]
    return [Element(tag, value) for tag, value in values if value]


def _list(headers: Headers, name: str, separator: str, longest: int = _LONGEST_LIST) -> str:
    return separator.join([text for _, text in _up_to(longest, headers, name)])


def _displayed(to: Iterable[Address]) -> str:
    names: list[str] = []
    left = _LONGEST_DISPLAY
    for one in to:
        name = one.name or one.address
        left -= len(name) + 2
        if left < 0:
            break
        names.append(name)
    return "; ".join(names)


def _up_to(longest: int, headers: Headers, name: str) -> list[tuple[Address, str]]:
    """Addresses of a field with their texts, as long as these (joined by two characters) fit."""
    found: list[tuple[Address, str]] = []
    left = longest + 2
    for one in addresses(headers, name):
        text = str(one)
        left -= len(text) + 2
        if left < 0:
            break
        found.append((one, text))
    return found


def _first(headers: Headers, name: str) -> str:
    """The first address of a field; the text of the field when it holds none."""
    one = next(addresses(headers, name), None)
    return (str(one) if one else headers.text(name))[:_LONGEST_LIST]


def _importance(headers: Headers) -> str:
    for name in _IMPORTANCE_FIELDS if headers.has_any(_IMPORTANCE_FIELDS) else ():
        word = headers.text(name).partition(" ")[0].partition("(")[0].lower()
        if word in _IMPORTANCE:
            return _IMPORTANCE[word]
    return _NORMAL


def _message_class(structure: BodyPart, layout: Layout, status: bytes) -> str:
    if layout.nature is Nature.DELIVERY_REPORT:
        return _REPORTS[delivery_outcome(status)]
    if layout.nature is Nature.READ_REPORT:
        return _REPORTS[reading_outcome(status)]
    if layout.nature is Nature.ENVELOPED and structure.params.get("smime-type", "").lower() == _RECEIPT:
        return "IPM.Note.Receipt.SMIME"
    return _CLASSES.get(layout.nature, "IPM.Note")


def _since_14(headers: Headers, marks: Marks, place: Place, uid: int) -> list[Element]:
    where = conversation(headers, f"{place.collection}:{place.uidvalidity}.{uid}".encode())
    made = [
        Element(Email2.ConversationId, where.id),
        Element(Email2.ConversationIndex, where.index),
    ]
    if marks.used:
        made.extend(marks.verbs())
    made.append(marks.categories_element())
    sender = next(addresses(headers, "sender"), None)
    author = next(addresses(headers, "from"), None) if sender else None
    if sender and author and sender.address.lower() != author.address.lower():
        made.append(Element(Email2.Sender, str(sender)[:_LONGEST_LIST]))
    if _received_as_bcc(headers, place.owner):
        made.append(element(Email2.ReceivedAsBcc, 1))
    return made


def _received_as_bcc(headers: Headers, owner: str) -> bool:
    """Whether the user got the message though nobody but its sender could see it (MS-ASEMAIL 2.2.2.59).

    Only what servers note at delivery proves it: mail to a list or an alias does not name the user either.
    """
    wanted = owner.lower()
    if not wanted or "list-id" in headers or not headers.has_any(_NAME_HIM):
        return False
    noted = [value.decode("ascii", "replace") for name in _DELIVERED for value in headers.get_all(name)]
    delivered = wanted in {value.strip(" <>").lower() for value in noted}
    return (delivered or wanted in _addresses(headers, "bcc")) and (
        wanted not in _addresses(headers, *_SEEN_BY_ALL)
    )


def _addresses(headers: Headers, *names: str) -> set[str]:
    """All addresses of some fields, in lower case."""
    return {one.address.lower() for name in names for one in addresses(headers, name)}


def _is_draft(marks: Marks, place: Place) -> bool:
    return place.drafts or DRAFT.lower() in marks.flags


def _since_16(headers: Headers, marks: Marks, place: Place) -> list[Element]:
    draft = _is_draft(marks, place)
    made = [Element(Email2.IsDraft, "1" if draft else "0")]
    bcc = _list(headers, "bcc", ", ", _LONGEST_BCC)
    if bcc and (draft or (place.owner and place.owner.lower() in _addresses(headers, "from"))):
        made.append(Element(Email2.Bcc, bcc))
    return made
