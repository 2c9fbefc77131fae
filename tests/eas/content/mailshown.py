"""Mail as it is shown: forms to ask for, what is found in them, and what must be true of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.eas.content.email import render
from gateway.eas.content.preferences import HTML, MIME, PLAIN, RTF, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.types import (
    CollectionId,
)
from tests.mail.corpus import Sample
from tests.support.mailboxes import MemoryMailboxes
from wbxml import Element
from wbxml.decoder import decode
from wbxml.encoder import encode
from wbxml.pages import AirSync, AirSyncBase, Email

COLLECTION = CollectionId("5")
AS_HTML = BodyOptions((BodyPreference(HTML), BodyPreference(PLAIN)))
AS_PLAIN = BodyOptions((BodyPreference(PLAIN),))
AS_MIME = BodyOptions((BodyPreference(MIME),), mime_support=2)
EVERYTHING = (
    BodyOptions(),
    AS_HTML,
    AS_PLAIN,
    AS_MIME,
    BodyOptions((BodyPreference(HTML),)),
    BodyOptions((BodyPreference(RTF),)),
    BodyOptions((BodyPreference(HTML, 50, True), BodyPreference(PLAIN, 20, preview=100))),
    BodyOptions((BodyPreference(HTML, 0, preview=255),)),
    BodyOptions((BodyPreference(HTML, 7),), part=BodyPreference(HTML, 9, preview=10)),
    BodyOptions((BodyPreference(MIME, 100), BodyPreference(HTML, 100)), mime_support=1),
    BodyOptions((BodyPreference(MIME, 0),), mime_support=2),
    BodyOptions((BodyPreference(MIME, 300, True), BodyPreference(HTML, 300, True)), mime_support=2),
    BodyOptions((BodyPreference(RTF, 90, preview=30), BodyPreference(PLAIN, 0))),
    BodyOptions(
        (BodyPreference(PLAIN, 3, True), BodyPreference(HTML, 3, True), BodyPreference(RTF, 3, True))
    ),
    BodyOptions((BodyPreference(PLAIN),), part=BodyPreference(HTML, 30, True)),
    BodyOptions((), mime_support=1, mime_truncation=1, part=BodyPreference(HTML)),
)


async def rendered(
    raw: bytes,
    options: BodyOptions = AS_HTML,
    version: Version = Version.V16_1,
    *,
    flags: Iterable[str] = (),
    drafts: bool = False,
) -> list[Element]:
    mailboxes = MemoryMailboxes([raw], {1: flags})
    done = await render(mailboxes.port, "m", 7, [1], options, version, collection=COLLECTION, drafts=drafts)
    assert done[1].poison is None
    return done[1].elements


def values(elements: Sequence[Element], tag: object) -> list[str]:
    return [one.text() for one in elements if one.tag is tag]


def value(elements: Sequence[Element], tag: object) -> str | None:
    found = values(elements, tag)
    assert len(found) <= 1
    return found[0] if found else None


def child(elements: Sequence[Element], tag: object) -> Element:
    return next(one for one in elements if one.tag is tag)


def body_data(elements: Sequence[Element]) -> str:
    return child(elements, AirSyncBase.Body).child_text(AirSyncBase.Data) or ""


def names(elements: Sequence[Element], *, inline_only: bool = False) -> tuple[str | None, ...]:
    found = [one for one in elements if one.tag is AirSyncBase.Attachments]
    return tuple(
        one.child_text(AirSyncBase.DisplayName)
        for one in (found[0] if found else [])
        if not inline_only or one.child_text(AirSyncBase.IsInline) == "1"
    )


def differences(sample: Sample, rich: Sequence[Element], plain: Sequence[Element]) -> list[str]:
    """What a phone is shown of a message otherwise than expected: in HTML (`rich`) and in text."""
    wanted: dict[str, tuple[object, object]] = {
        "subject": (sample.subject, value(rich, Email.Subject) or ""),
        "sender": (sample.sender, value(rich, Email.From) or ""),
        "class": (sample.message_class, value(rich, Email.MessageClass)),
        "native": (sample.native, int(value(rich, AirSyncBase.NativeBodyType) or "0")),
        "attachments": (sample.attachments, names(rich)),
        "inline": (sample.inline, names(rich, inline_only=True)),
    }
    found = [f"{name}: {shown!r}" for name, (right, shown) in wanted.items() if right not in (None, shown)]
    html, text = body_data(rich), body_data(plain)
    if sample.plain is not None and (sample.plain not in text or (text and not sample.plain)):
        found.append(f"plain: {text[:200]!r}")
    if sample.html not in html:
        found.append(f"html: {html[:200]!r}")
    if sample.absent and sample.absent in html + text:
        found.append(f"shown: {sample.absent!r}")
    return found


def check_form(elements: list[Element], options: BodyOptions, version: Version) -> None:
    """What holds for every message in every form."""
    tree = Element(AirSync.ApplicationData, None, elements)
    assert decode(encode(tree)) == tree
    for one in tree.iter():
        assert float(one.tag.min_version or "0") <= version / 10
        text = "" if isinstance(one.value, bytes) else one.text()
        assert not any(ord(character) < 32 and character not in "\t\r\n" for character in text)
    for tag in (AirSyncBase.Attachments, AirSyncBase.Body, AirSyncBase.BodyPart):
        assert all(len(one) for one in elements if one.tag is tag)
    if version < Version.V12_0 or (options.part and not options.preferences):
        return  # it has a body of another form, or may have a BodyPart alone
    body = child(elements, AirSyncBase.Body)
    order = [
        AirSyncBase.Type,
        AirSyncBase.EstimatedDataSize,
        AirSyncBase.Truncated,
        AirSyncBase.Data,
        AirSyncBase.Preview,
    ]
    positions = [order.index(one.tag) for one in body]
    assert positions == sorted(positions)
    data = (body.child_text(AirSyncBase.Data) or "").encode()
    kind = int(body.child_text(AirSyncBase.Type) or "0")
    wanted = options.preference(kind)
    if wanted and wanted.truncation is not None:
        assert len(data) <= wanted.truncation
    if body.find(AirSyncBase.Truncated):
        assert int(body.child_text(AirSyncBase.EstimatedDataSize) or "0") > len(data)
    elif body.find(AirSyncBase.Data):
        assert body.child_text(AirSyncBase.EstimatedDataSize) == str(len(data))


FULL = (
    b"From: Ann <ann@example.org>\r\nSender: Sec <sec@example.org>\r\n"
    b"To: Ben <ben@example.org>, c@example.org\r\n"
    b"Cc: D <d@example.org>\r\nBcc: Eve <e@example.org>\r\nReply-To: a@example.org, b@example.org\r\n"
    b"Subject: Re: AW: Plan\r\nX-Priority: 1 (Highest)\r\nMessage-ID: <2@x>\r\nReferences: <1@x>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHello"
)
