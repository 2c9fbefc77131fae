"""The corpus through a real IMAP server: its view of the structure leads to the same properties."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.eas.content.attachments import fetch_attachment
from gateway.eas.content.email import render
from gateway.eas.content.ids import parse_file_reference
from gateway.eas.content.preferences import HTML, MIME, PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.ports import Mailboxes
from gateway.types import CollectionId
from gateway.upstream.imap.upstream import ImapUpstream
from tests.eas.content.test_email import body_data, check_form, child, names, value
from tests.mail.corpus import SAMPLES
from tests.support.dovecot import Dovecot
from tests.support.imap_servers import on_dovecot
from wbxml.pages import AirSyncBase, Email

COLLECTION = CollectionId("5")
OTHERWISE = {
    # Dovecot keeps no NUL octets; it stores 0x80 in their place.
    "control characters",
    "subject controls",
    # It stops taking the structure apart at its own depth.
    "nested 90 deep",
}


@pytest.fixture
async def corpus(dovecot: Dovecot, user: str) -> AsyncIterator[tuple[Mailboxes, int]]:
    """A mailbox with the whole corpus; the UIDs are the positions in it, from 1."""
    with dovecot.imap(user) as client:
        for sample in SAMPLES:
            status, _ = client.append("INBOX", "", "", sample.raw)
            assert status == "OK"
    server = on_dovecot(dovecot, user, frozenset())
    upstream = ImapUpstream(server.settings)
    mailboxes = upstream.mailboxes(server.principal)
    yield mailboxes, (await mailboxes.view("INBOX")).uidvalidity
    await upstream.aclose()


async def test_properties_and_bodies(corpus: tuple[Mailboxes, int]) -> None:
    mailboxes, uidvalidity = corpus
    uids = range(1, len(SAMPLES) + 1)
    in_html = BodyOptions((BodyPreference(HTML),))
    in_text = BodyOptions((BodyPreference(PLAIN),))
    html = await render(mailboxes, "INBOX", uidvalidity, uids, in_html, Version.V16_1, collection=COLLECTION)
    text = await render(mailboxes, "INBOX", uidvalidity, uids, in_text, Version.V16_1, collection=COLLECTION)
    assert list(html) == list(text) == list(uids)
    differing: list[str] = []
    for uid, sample in enumerate(SAMPLES, 1):
        got = html[uid].elements
        assert html[uid].poison is None, sample.name
        check_form(got, in_html, Version.V16_1)
        same = (
            value(got, Email.Subject) == (sample.subject or None)
            and value(got, Email.From) == (sample.sender or None)
            and value(got, Email.MessageClass) == sample.message_class
            and value(got, AirSyncBase.NativeBodyType) == str(sample.native)
            and names(got) == sample.attachments
            and names(got, inline_only=True) == sample.inline
            and sample.html in body_data(got)
            and sample.plain in body_data(text[uid].elements)
        )
        if not same and sample.name not in OTHERWISE:
            differing.append(sample.name)
    assert differing == []


async def test_mime_and_cut_bodies(corpus: tuple[Mailboxes, int]) -> None:
    mailboxes, uidvalidity = corpus
    uids = range(1, len(SAMPLES) + 1)
    for options in (
        BodyOptions((BodyPreference(MIME),), 2),
        BodyOptions((BodyPreference(MIME, 60),), 2),
        BodyOptions((BodyPreference(HTML, 8, preview=20), BodyPreference(PLAIN, 8))),
    ):
        done = await render(
            mailboxes, "INBOX", uidvalidity, uids, options, Version.V16_1, collection=COLLECTION
        )
        for uid, sample in enumerate(SAMPLES, 1):
            assert done[uid].poison is None, sample.name
            check_form(done[uid].elements, options, Version.V16_1)


async def test_every_attachment_can_be_fetched(corpus: tuple[Mailboxes, int]) -> None:
    mailboxes, uidvalidity = corpus
    wanted = [uid for uid, sample in enumerate(SAMPLES, 1) if sample.attachments]
    done = await render(
        mailboxes, "INBOX", uidvalidity, wanted, BodyOptions(), Version.V16_1, collection=COLLECTION
    )
    for uid in wanted:
        if SAMPLES[uid - 1].name in OTHERWISE:
            continue
        for attachment in child(done[uid].elements, AirSyncBase.Attachments):
            reference = parse_file_reference(attachment.child_text(AirSyncBase.FileReference) or "")
            file = await fetch_attachment(mailboxes, "INBOX", reference)
            estimated = int(attachment.child_text(AirSyncBase.EstimatedDataSize) or "0")
            assert abs(file.total - estimated) <= 4, SAMPLES[uid - 1].name
            assert len(file.data) == file.total
            assert file.data, SAMPLES[uid - 1].name
