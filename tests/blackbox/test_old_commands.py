"""GetAttachment and GetHierarchy, which 14.0 left out (MS-ASCMD 2.2.1.8)."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone
from wbxml.pages import AirSyncBase, Email, FolderHierarchy

OLD = ("2.5", "12.0", "12.1")
BYTES = bytes(range(256)) * 4000


@pytest.fixture(params=OLD)
def phone(request: pytest.FixtureRequest, new_phone: MakePhone) -> Phone:
    made = new_phone(request.param, packed=request.param == "12.1")
    made.provision()
    return made


def reference(phone: Phone, dovecot: Dovecot, file: messages.Attachment) -> str:
    """Delivers a message with a file; returns what the phone is to call the file."""
    dovecot.deliver(phone.user, messages.with_attachments("file", file))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    (data,) = phone.sync(folder).added.values()
    old = phone.number < 12
    listed = data.find(Email.Attachments if old else AirSyncBase.Attachments)
    assert listed is not None
    return listed.children[0].child_text(Email.AttName if old else AirSyncBase.FileReference) or ""


@pytest.mark.parametrize("size", [0, 1, 1000, len(BYTES)])
def test_a_file(phone: Phone, dovecot: Dovecot, size: int) -> None:
    file = messages.Attachment("offer.pdf", "application/pdf", BYTES[:size])
    answer = phone.post("GetAttachment", AttachmentName=reference(phone, dovecot, file))
    assert answer.code == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Length"] == str(size)
    assert answer.body == BYTES[:size]


def test_a_file_that_is_gone_is_500(phone: Phone, dovecot: Dovecot) -> None:
    name = reference(phone, dovecot, messages.Attachment("a.bin", "application/pdf", b"x"))
    with dovecot.imap(phone.user) as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Deleted)")
        client.expunge()
    for one in (name, "nonsense", "999:abc.1:2"):
        answer = phone.post("GetAttachment", AttachmentName=one)
        assert (answer.code, answer.body) == (500, b"")
    assert phone.post("GetAttachment").code == 400


def test_a_file_is_not_sent_compressed(phone: Phone, dovecot: Dovecot) -> None:
    name = reference(phone, dovecot, messages.Attachment("a.txt", "application/pdf", b"a" * 5000))
    answer = phone.post("GetAttachment", AttachmentName=name, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] is None
    assert answer.body == b"a" * 5000


def test_all_folders(phone: Phone, dovecot: Dovecot) -> None:
    with dovecot.imap(phone.user) as client:
        client.create("Work")
        client.create("Work/Sub")
    known = phone.folders()
    root = phone.post("GetHierarchy").root
    assert root.tag is FolderHierarchy.Folders
    for folder in root:
        assert [child.tag.name for child in folder] == ["DisplayName", "ServerId", "Type", "ParentId"]
    told = {
        folder.child_text(FolderHierarchy.DisplayName): (
            folder.child_text(FolderHierarchy.ServerId),
            folder.child_text(FolderHierarchy.ParentId),
            folder.child_text(FolderHierarchy.Type),
        )
        for folder in root
    }
    assert told["Inbox"] == (known["Inbox"], "0", "2")
    assert told["Outbox"][2] == "6"
    assert told["Work"] == (known["Work"], "0", "1")
    assert told["Sub"] == (known["Sub"], known["Work"], "1")


@pytest.mark.parametrize("command", ["GetAttachment", "GetHierarchy"])
@pytest.mark.parametrize("version", ["14.0", "16.1"])
def test_later_versions_have_them_no_more(new_phone: MakePhone, version: str, command: str) -> None:
    phone = new_phone(version)
    phone.provision()
    assert phone.post(command, AttachmentName="1:1.1:2").code == 400


def test_a_policy_key_is_needed(new_phone: MakePhone) -> None:
    for command in ("GetAttachment", "GetHierarchy"):
        assert new_phone("12.1").post(command, AttachmentName="1:1.1:2").code == 449
