"""The embedded servers hold the sample mail, and what is sent comes back as new mail."""

from __future__ import annotations

import asyncio
import imaplib
import smtplib
from datetime import UTC, datetime

import pytest

from gateway.demo.embedded import FOLDERS, HOST, PASSWORD, USER, MailServers, mail_servers
from gateway.demo.samples import ADDRESS, samples

MESSAGE = b"Subject: new\r\n\r\nhello\r\n"


def login(servers: MailServers) -> imaplib.IMAP4:
    client = imaplib.IMAP4(HOST, servers.imap_port, timeout=60)
    client.login(USER, PASSWORD)
    return client


def counts(servers: MailServers) -> dict[str, int]:
    with login(servers) as client:
        return {
            name: int((client.select(name, readonly=True)[1][0] or b"").decode())
            for name in ("INBOX", *FOLDERS)
        }


def submit(servers: MailServers, recipient: str) -> None:
    with smtplib.SMTP(HOST, servers.smtp_port, timeout=60) as client:
        client.login(USER, PASSWORD)
        client.sendmail(ADDRESS, [recipient], MESSAGE)


async def test_the_mailboxes_hold_the_samples() -> None:
    async with mail_servers() as servers:
        found = await asyncio.to_thread(counts, servers)
    expected = [sample.mailbox for sample in samples(datetime.now(UTC))]
    assert found == {name: expected.count(name) for name in ("INBOX", *FOLDERS)}


async def test_messages_arrive_unchanged() -> None:
    def fetch(servers: MailServers) -> bytes:
        with login(servers) as client:
            client.select("Trash", readonly=True)
            data = client.fetch("1", "(BODY.PEEK[])")[1][0]
        assert isinstance(data, tuple)
        return data[1]

    async with mail_servers() as servers:
        message = await asyncio.to_thread(fetch, servers)
    assert message.startswith(b"From: Parcels <parcels@example.test>\r\n")
    assert message.endswith(b"Your parcel waits at the counter.\r\n")


async def test_mail_to_the_user_lands_in_the_inbox_and_is_announced() -> None:
    def play(servers: MailServers) -> tuple[bytes | None, bytes | None]:
        with login(servers) as client:
            before = client.select("INBOX")[1][0]
            submit(servers, ADDRESS.upper())
            client.noop()
            return before, client.response("EXISTS")[1][-1]

    async with mail_servers() as servers:
        before, after = await asyncio.to_thread(play, servers)
        assert servers.accepted == [MESSAGE]
    assert before is not None
    assert after is not None
    assert int(after) == int(before) + 1


async def test_mail_to_others_is_taken_and_kept_out_of_the_inbox() -> None:
    async with mail_servers() as servers:
        before = await asyncio.to_thread(counts, servers)
        await asyncio.to_thread(submit, servers, "ann@example.test")
        assert await asyncio.to_thread(counts, servers) == before
        assert servers.accepted == [MESSAGE]


async def test_smtp_needs_the_password() -> None:
    def attempt(servers: MailServers) -> None:
        with smtplib.SMTP(HOST, servers.smtp_port, timeout=60) as client:
            client.sendmail(ADDRESS, [ADDRESS], MESSAGE)

    async with mail_servers() as servers:
        with pytest.raises(smtplib.SMTPSenderRefused):
            await asyncio.to_thread(attempt, servers)
        assert servers.accepted == []
