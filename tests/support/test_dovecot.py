"""The private Dovecot does what the tests rely on."""

from __future__ import annotations

import imaplib
import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.dovecot import Dovecot, dovecot_version
from tests.support.dovecot_config import SPECIAL_USE, Options, Place, render
from tests.support.tls import Certificate

MESSAGE = b"From: a@example.test\r\nSubject: one\r\n\r\nhello\r\n"


def capabilities(client: imaplib.IMAP4) -> set[str]:
    return set(client.capability()[1][0].decode().split())


def test_full_profile_has_the_extensions_that_sync_uses(dovecot: Dovecot, user: str) -> None:
    with dovecot.imap(user) as client:
        assert capabilities(client) >= {
            "CONDSTORE", "QRESYNC", "NOTIFY", "ESEARCH", "UIDPLUS", "MOVE", "SPECIAL-USE", "LIST-STATUS",
            "IDLE",
        }  # fmt: skip


def test_bare_profile_announces_nothing_but_imap4rev1(dovecot_bare: Dovecot, user: str) -> None:
    with dovecot_bare.imap(user) as client:
        assert capabilities(client) == {"IMAP4rev1"}


def test_special_mailboxes_exist(dovecot: Dovecot, user: str) -> None:
    with dovecot.imap(user) as client:
        listed = b"\n".join(line for line in client.list()[1] if isinstance(line, bytes))
    for name, flag in SPECIAL_USE.items():
        assert f"{flag})".encode() in listed
        assert name.encode() in listed


def test_deliver_keeps_bytes_flags_and_date(dovecot: Dovecot, user: str) -> None:
    received = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    uid = dovecot.deliver(user, MESSAGE, "Sent", flags=["\\Seen", "$Forwarded"], received=received)
    with dovecot.imap(user) as client:
        client.select("Sent")
        answer = client.uid("FETCH", str(uid), "(FLAGS INTERNALDATE BODY.PEEK[])")[1][0]
    assert answer[1] == MESSAGE
    assert b"\\Seen" in answer[0]
    assert b"$Forwarded" in answer[0]
    assert b"02-Jan-2026 03:04:05 +0000" in answer[0]


def test_users_share_nothing(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, MESSAGE)
    with dovecot.imap(user + "-other") as client:
        assert client.select("INBOX")[1] == [b"0"]


def test_wrong_password_is_refused(dovecot: Dovecot, user: str) -> None:
    client = imaplib.IMAP4(dovecot.host, dovecot.port, timeout=60)
    with client, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        client.login(user, "wrong")


def test_tls_and_starttls_show_a_certificate_to_verify(dovecot: Dovecot, user: str) -> None:
    context = ssl.create_default_context(cafile=dovecot.ca_file)
    with imaplib.IMAP4_SSL("localhost", dovecot.tls_port, ssl_context=context, timeout=60) as client:
        client.login(user, dovecot.password)
    with imaplib.IMAP4("localhost", dovecot.port, timeout=60) as client:
        client.starttls(context)
        client.login(user, dovecot.password)


def test_restart_keeps_mail_and_port(user: str) -> None:
    with Dovecot(Options(storage="maildir")) as server:
        uid = server.deliver(user, MESSAGE)
        port = server.port
        server.restart()
        assert server.port == port
        assert server.deliver(user, MESSAGE) == uid + 1


def test_namespace_with_prefix_and_separator(user: str) -> None:
    with Dovecot(Options(separator=".", prefix="INBOX.")) as server:
        server.deliver(user, MESSAGE, server.mailbox("Sent"))
        with server.imap(user) as client:
            assert b'"INBOX." "."' in client.namespace()[1][0]
            assert client.select('"INBOX.Sent"')[1] == [b"1"]


def test_close_leaves_no_process_and_no_folder() -> None:
    server = Dovecot()
    server.start()
    process = server._process
    assert process is not None
    folder = server.place.folder
    server.close()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_version_decides_the_syntax(tmp_path: Path) -> None:
    place = Place(tmp_path, 1143, 1993, 4190, Certificate(tmp_path / "c", tmp_path / "k"))
    assert dovecot_version() >= (2, 3)
    assert "mail_location" in render((2, 3), Options(), place)
    modern = render((2, 4), Options(), place)
    assert modern.startswith("dovecot_config_version = 2.4")
    assert "mail_location" not in modern


@pytest.mark.parametrize("version", [(2, 3), (2, 4)])
def test_filters_in_either_syntax(tmp_path: Path, version: tuple[int, int]) -> None:
    place = Place(tmp_path, 1143, 1993, 4190, Certificate(tmp_path / "c", tmp_path / "k"))
    text = render(version, Options(sieve=True, no_sieve=("vacation",), replies=25), place)
    assert text.count("{") == text.count("}")
    assert "submission_host = 127.0.0.1:25\n" in text
    assert "managesieve" not in render(version, Options(), place)
