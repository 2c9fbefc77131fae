"""The corpus through a real IMAP server: its view of the structure leads to the same properties."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from gateway.eas.content.attachments import fetch_attachment
from gateway.eas.content.email import render
from gateway.eas.content.ids import parse_file_reference
from gateway.eas.content.preferences import HTML, PLAIN, BodyOptions, BodyPreference
from gateway.eas.versions import Version
from gateway.ports import Mailboxes
from gateway.types import CollectionId
from gateway.upstream.imap.upstream import ImapUpstream
from tests.eas.content.mailshown import EVERYTHING, check_form, child, differences
from tests.mail.corpus import SAMPLES
from tests.support.dovecot import Dovecot
from tests.support.imap_servers import on_dovecot
from wbxml.pages import AirSyncBase

COLLECTION = CollectionId("5")
OTHERWISE = {
    # Dovecot keeps no NUL octets; it stores 0x80 in their place.
    "control characters",
    "subject controls",
    *(f"octets: {name}" for name in ("utf-16 with BOM", "utf-16be", "utf-16le", "utf-32")),
    # It stops taking the structure apart at its own depth.
    "nested 90 deep",
}


@pytest.fixture(scope="module")
def owner(dovecot: Dovecot) -> str:
    """A user with the whole corpus in his INBOX; the UIDs are the positions in it, from 1."""
    name = f"user-{uuid.uuid4().hex[:12]}"
    with dovecot.imap(name) as client:
        for sample in SAMPLES:
            status, _ = client.append("INBOX", "", "", sample.raw or b"\r\n")
            assert status == "OK", sample.name
    return name


@pytest.fixture
async def corpus(dovecot: Dovecot, owner: str) -> AsyncIterator[tuple[Mailboxes, int]]:
    """That mailbox, with its UIDVALIDITY."""
    server = on_dovecot(dovecot, owner, frozenset())
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
    differing: dict[str, list[str]] = {}
    for uid, sample in enumerate(SAMPLES, 1):
        assert html[uid].poison is None, sample.name
        check_form(html[uid].elements, in_html, Version.V16_1)
        found = differences(sample, html[uid].elements, text[uid].elements)
        if found and sample.name not in OTHERWISE:
            differing[sample.name] = found
    assert differing == {}


@pytest.mark.parametrize("turn", range(len(EVERYTHING)))
async def test_every_form(corpus: tuple[Mailboxes, int], turn: int) -> None:
    """Each kind of body for a part of the messages, so that each message has its turn in several."""
    mailboxes, uidvalidity = corpus
    options = EVERYTHING[turn]
    version = list(Version)[turn % len(Version)]
    uids = range(1 + turn % 4, len(SAMPLES) + 1, 4)
    done = await render(mailboxes, "INBOX", uidvalidity, uids, options, version, collection=COLLECTION)
    assert list(done) == list(uids)
    for uid, shown in done.items():
        assert shown.poison is None, SAMPLES[uid - 1].name
        check_form(shown.elements, options, version)


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
