"""Properties that depend on who the user is, and on header fields that say one thing in several ways."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gateway.eas.content.email import render
from gateway.eas.content.preferences import PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.types import CollectionId
from tests.support.mailboxes import MemoryMailboxes
from wbxml import Element, Tag
from wbxml.pages import AirSyncBase, Email, Email2

OWNER = "Anna@Example.com"
AS_PLAIN = BodyOptions((BodyPreference(PLAIN),))


async def shown(
    *fields: str, body: str = "hello", version: Version = Version.V16_1, owner: str = OWNER
) -> Sequence[Element]:
    raw = "\r\n".join([*fields, "", body, ""]).encode()
    mailboxes = MemoryMailboxes([raw])
    done = await render(
        mailboxes.port, "m", 7, [1], AS_PLAIN, version, collection=CollectionId("5"), owner=owner
    )
    assert done[1].poison is None
    return done[1].elements


def text(elements: Sequence[Element], tag: Tag) -> str | None:
    return next((one.text() for one in elements if one.tag is tag), None)


FROM, TO = "From: bert@example.test", "To: carl@example.test"
DELIVERED = "Delivered-To: anna@example.com"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([FROM, TO, DELIVERED], "1"),
        ([FROM, TO, "X-Original-To: <anna@example.com>"], "1"),
        ([FROM, TO, "Envelope-To: carl@example.test", "Bcc: Anna <ANNA@example.com>"], "1"),
        ([FROM, TO], None),
        ([FROM, TO, "Delivered-To: other@example.com"], None),
        ([FROM, "To: Anna <anna@EXAMPLE.com>", DELIVERED], None),
        ([FROM, TO, "Cc: anna@example.com", DELIVERED], None),
        ([FROM, TO, "Resent-To: anna@example.com", DELIVERED], None),
        ([FROM, TO, "List-Id: <friends.example.test>", DELIVERED], None),
        (["From: anna@example.com", TO, DELIVERED], None),
    ],
)
async def test_received_as_bcc(fields: list[str], told: str | None) -> None:
    assert text(await shown(*fields), Email2.ReceivedAsBcc) == told
    assert text(await shown(*fields, owner=""), Email2.ReceivedAsBcc) is None
    assert text(await shown(*fields, version=Version.V12_1), Email2.ReceivedAsBcc) is None


async def test_the_bcc_of_own_mail_is_shown_and_no_other() -> None:
    bcc = "Bcc: Dora <dora@example.test>"
    own = ["From: Anna <anna@example.com>", TO, bcc]
    assert text(await shown(*own), Email2.Bcc) == '"Dora" <dora@example.test>'
    assert text(await shown(*own, version=Version.V14_1), Email2.Bcc) is None
    assert text(await shown(FROM, TO, bcc), Email2.Bcc) is None


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("Importance: High", "2"),
        ("Importance: low", "0"),
        ("X-Priority: 1 (Highest)", "2"),
        ("X-Priority: 2", "2"),
        ("X-Priority: 3", "1"),
        ("X-Priority: 5(Lowest)", "0"),
        ("X-MSMail-Priority: High", "2"),
        ("Priority: urgent", "2"),
        ("Priority: non-urgent", "0"),
        ("Priority: whenever", "1"),
        ("Subject: none", "1"),
    ],
)
async def test_importance(field: str, told: str) -> None:
    assert text(await shown(FROM, field), Email.Importance) == told


@pytest.mark.parametrize(
    ("content_type", "told"),
    [
        ("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", "IPM.Note.SMIME"),
        ("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", "IPM.Note.SMIME"),
        ("application/pkcs7-mime; smime-type=Signed-Receipt; name=smime.p7m", "IPM.Note.Receipt.SMIME"),
        ("text/plain", "IPM.Note"),
    ],
)
async def test_classes_of_protected_mail(content_type: str, told: str) -> None:
    assert text(await shown(FROM, f"Content-Type: {content_type}"), Email.MessageClass) == told


async def test_the_primary_account_has_no_account_id_and_plain_mail_no_caller() -> None:
    elements = await shown(FROM, TO, version=Version.V14_1)
    tags = {one.tag for one in elements}
    assert not tags & {Email2.AccountId, Email2.UmCallerID, Email2.UmUserNotes, Email2.Sender}


VOICE_BODY = "\r\n".join(
    [
        "--b",
        "Content-Type: text/plain",
        "",
        "You have a message",
        *(
            line
            for name in ("first.wav", "reply.wav")
            for line in (
                "--b",
                f'Content-Type: audio/wav; name="{name}"',
                f'Content-Disposition: attachment; filename="{name}"',
                "Content-Transfer-Encoding: base64",
                "",
                "UklGRg==",
            )
        ),
        "--b--",
    ]
)
MIXED = 'Content-Type: multipart/mixed; boundary="b"'
MEMO = 'Content-Type: multipart/voice-message; boundary="b"'


def recordings(elements: Sequence[Element]) -> list[tuple[str | None, str | None]]:
    """Length and place of each attachment."""
    (listed,) = [one for one in elements if one.tag is AirSyncBase.Attachments]
    return [(one.child_text(Email2.UmAttDuration), one.child_text(Email2.UmAttOrder)) for one in listed]


@pytest.mark.parametrize(
    ("fields", "kind", "caller", "attributes"),
    [
        (
            [
                MIXED,
                "Content-Class: Voice-CA",
                "X-CallingTelephoneNumber: +49 170 1234",
                "X-VoiceMessageDuration: 23",
                "X-AttachmentOrder: first.wav;reply.wav",
            ],
            "IPM.Note.Microsoft.Voicemail.UM.CA",
            "+49 170 1234",
            [(None, "2"), ("23", "1")],
        ),
        (
            [MIXED, "Content-Class: voice", "X-AttachmentOrder: ;other.wav;;"],
            "IPM.Note.Microsoft.Voicemail.UM",
            None,
            [(None, None), (None, None)],
        ),
        (
            [MIXED, "X-Asterisk-VM-Duration: 7", "X-Asterisk-VM-Caller-ID-Num: 0170"],
            "IPM.Note.Microsoft.Voicemail.UM",
            "0170",
            [("7", None), ("7", None)],
        ),
        (
            [MEMO, "Content-Duration: no number"],
            "IPM.Note.Microsoft.Voicemail.UM",
            None,
            [(None, None), (None, None)],
        ),
        (
            [MIXED, "Message-Context: voice-message", "Content-Duration: 90"],
            "IPM.Note.Microsoft.Voicemail.UM",
            None,
            [("90", None), ("90", None)],
        ),
        (
            [MIXED, "Content-Class: MissedCall"],
            "IPM.Note.Microsoft.Missed.Voice",
            None,
            [(None, None), (None, None)],
        ),
        (
            [MIXED, "Content-Class: urn:content-classes:message", "X-CallingTelephoneNumber: 1"],
            "IPM.Note",
            None,
            [(None, None), (None, None)],
        ),
    ],
)
async def test_voice_mail(
    fields: list[str],
    kind: str,
    caller: str | None,
    attributes: list[tuple[str | None, str | None]],
) -> None:
    told = await shown(FROM, TO, *fields, body=VOICE_BODY, version=Version.V14_0)
    assert text(told, Email.MessageClass) == kind
    assert text(told, Email2.UmCallerID) == caller
    assert text(told, Email2.UmUserNotes) is None
    assert recordings(told) == attributes
    older = await shown(FROM, TO, *fields, body=VOICE_BODY, version=Version.V12_1)
    assert text(older, Email.MessageClass) == kind
    assert text(older, Email2.UmCallerID) is None
    assert recordings(older) == [(None, None), (None, None)]


@pytest.mark.parametrize("version", [Version.V2_5, Version.V16_1])
async def test_of_what_a_sender_made_too_long_a_part_is_told(version: Version) -> None:
    long, name = "\r\n ".join(["x" * 900] * 100), "n" * 10_000
    told = await shown(
        *(f"{field}: {long}" for field in ("Subject", "Thread-Topic", "To", "Cc", "Reply-To", "From")),
        f"Sender: {long} <a@b.test>",
        'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"',
        body=f'--b\r\n\r\nhello\r\n--b\r\nContent-Type: image/png; name="{name}"\r\n'
        f"Content-Location: {name}\r\nContent-ID: <{name}>\r\n\r\nfile\r\n--b--",
        version=version,
    )
    assert (text(told, Email.Subject) or "").startswith("x" * 900 + " ")
    lengths = {one.tag: len("".join(each.text() for each in one.iter())) for one in told}
    (files,) = (length for tag, length in lengths.items() if tag.name == "Attachments")
    assert 1024 <= files < 2048
    assert max(lengths.values()) <= 32768
