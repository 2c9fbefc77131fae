"""What version 2.5 has in another form, or not at all; the rest is as in 12.0."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.blackbox.conftest import MakePhone
from tests.blackbox.test_sendmail import arrived, kept, mime
from tests.blackbox.test_smart import written
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import (
    MIME,
    OLD_POLICY_TYPE,
    POLICY_TYPE,
    Phone,
    Served,
    change,
    commands,
    delete,
    fetch,
    options,
    policy_of,
    policy_request,
    statuses,
)
from tests.support.smtp_sink import SmtpSink
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    Email,
    FolderHierarchy,
    GetItemEstimate,
    ItemOperations,
    Move,
    Ping,
    Provision,
    Search,
    Settings,
    Tasks,
)

TEXT = "".join(f"line {number} of the text\n" for number in range(400))


@pytest.fixture
def phone(new_phone: MakePhone) -> Phone:
    made = new_phone("2.5")
    made.provision()
    return made


@pytest.fixture(autouse=True)
def nothing_newer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every document that the phone of a test gets is made of elements it knows."""
    seen: list[Element] = []
    post = Phone.post

    def watched(self: Phone, *args: object, **named: object) -> object:
        answer = post(self, *args, **named)  # type: ignore[arg-type]
        if (
            self.number < 12
            and answer.code == 200
            and answer.headers["Content-Type"] == "application/vnd.ms-sync.wbxml"
        ):
            seen.append(answer.root)
        return answer

    monkeypatch.setattr(Phone, "post", watched)
    yield
    newer = {one.tag for root in seen for one in root.iter() if float(one.tag.min_version or 0) > 2.5}
    assert not newer


def tags(parent: Element | None) -> list[str]:
    assert parent is not None
    return [child.tag.name for child in parent]


def synced(phone: Phone, dovecot: Dovecot, message: bytes, *wanted: Element) -> tuple[str, str, Element]:
    """Delivers a message; returns the ids of folder and item, and its properties."""
    dovecot.deliver(phone.user, message)
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    served = phone.sync(folder, *([options(*wanted)] if wanted else []))
    ((name, data),) = served.added.items()
    return folder, name, data


def only(served: Served) -> Element:
    (response,) = served.responses
    assert response.child_text(AirSync.Status) == "1"
    data = response.find(AirSync.ApplicationData)
    assert data is not None
    return data


def test_the_policy_is_a_wap_document(new_phone: MakePhone) -> None:
    phone = new_phone("2.5")
    phone.policy_key = 0
    assert phone.post("Sync").code == 449
    refused = policy_of(phone.post("Provision", policy_request(kind=POLICY_TYPE)))
    assert refused.child_text(Provision.Status) == "3"
    offered = policy_of(phone.post("Provision", policy_request(kind=OLD_POLICY_TYPE)))
    assert tags(offered) == ["PolicyType", "Status", "PolicyKey", "Data"]
    text = offered.child_text(Provision.Data) or ""
    assert text.startswith("<wap-provisioningdoc>")
    assert '<parm name="4131" value="1"/>' in text
    phone.provision()
    assert phone.folders()


def test_a_device_that_is_newer_gets_no_wap_document(new_phone: MakePhone) -> None:
    phone = new_phone("12.0")
    phone.policy_key = 0
    refused = policy_of(phone.post("Provision", policy_request(kind=OLD_POLICY_TYPE)))
    assert refused.child_text(Provision.Status) == "3"


def test_a_text(phone: Phone, dovecot: Dovecot) -> None:
    _, _, data = synced(phone, dovecot, messages.alternative("old", TEXT, "<p>new</p>"))
    assert data.child_text(Email.BodyTruncated) == "0"
    body = data.child_text(Email.Body) or ""
    assert data.child_text(Email.BodySize) == str(len(body.encode()))
    assert body.split() == TEXT.split()
    assert tags(data) == [
        "To",
        "From",
        "Subject",
        "DateReceived",
        "DisplayTo",
        "ThreadTopic",
        "Importance",
        "Read",
        "BodyTruncated",
        "BodySize",
        "Body",
        "MessageClass",
        "InternetCPID",
    ]


def test_html_alone_becomes_text(phone: Phone, dovecot: Dovecot) -> None:
    _, _, data = synced(phone, dovecot, messages.html("h", "<p>hello <b>world</b></p>"))
    assert (data.child_text(Email.Body) or "").strip() == "hello world"


@pytest.mark.parametrize(("truncation", "octets"), [(0, 0), (1, 512), (2, 1024), (4, 5120), (9, None)])
def test_truncation(phone: Phone, dovecot: Dovecot, truncation: int, octets: int | None) -> None:
    folder, name, data = synced(
        phone, dovecot, messages.plain("long", TEXT), element(AirSync.Truncation, truncation)
    )
    body = data.child_text(Email.Body)
    assert data.child_text(Email.BodyTruncated) == str(int(octets is not None))
    if octets is None:
        assert len(body or "") > 8000
    elif octets:
        assert 0 < len(body or "") <= octets
    else:
        assert body is None
    assert int(data.child_text(Email.BodySize) or 0) >= len(TEXT)
    whole = only(phone.sync(folder, commands(fetch(name))))
    assert (whole.child_text(Email.Body) or "").split() == TEXT.split()
    assert whole.child_text(Email.BodyTruncated) == "0"


def test_mime(phone: Phone, dovecot: Dovecot) -> None:
    message = messages.with_attachments("whole")
    wanted = (element(AirSync.MIMESupport, 2), element(AirSync.MIMETruncation, 1))
    folder, name, data = synced(phone, dovecot, message, *wanted)
    assert data.find(Email.Body) is None
    assert data.child_text(Email.MIMETruncated) == "0"
    assert data.child_text(Email.MIMEData) == message.decode()
    assert data.child_text(Email.MIMESize) == str(len(message))
    dovecot.deliver(phone.user, messages.plain("long", TEXT))
    (data,) = phone.sync(folder).added.values()
    assert data.child_text(Email.MIMETruncated) == "1"
    assert len(data.child_text(Email.MIMEData) or "") <= 4096
    whole = only(phone.sync(folder, commands(fetch(name))))
    assert whole.child_text(Email.MIMEData) == message.decode()


def test_mime_for_signed_mail_only(phone: Phone, dovecot: Dovecot) -> None:
    _, _, data = synced(phone, dovecot, messages.signed("s"), element(AirSync.MIMESupport, 1))
    assert "multipart/signed" in (data.child_text(Email.MIMEData) or "")
    folder = phone.folders()["Inbox"]
    dovecot.deliver(phone.user, messages.plain("p", "text\n"))
    (data,) = phone.sync(folder).added.values()
    assert (data.child_text(Email.Body) or "").strip() == "text"


def test_attachments(phone: Phone, dovecot: Dovecot) -> None:
    files = (
        messages.Attachment("data.bin", "application/octet-stream", bytes(range(256)) * 40),
        messages.Attachment("inner.eml", "message/rfc822", messages.plain("inner")),
    )
    _, _, data = synced(phone, dovecot, messages.with_attachments("files", *files))
    listed = data.find(Email.Attachments)
    assert listed is not None
    first, second = listed
    assert tags(first) == ["AttName", "DisplayName", "AttSize", "AttMethod"]
    assert first.child_text(Email.DisplayName) == "data.bin"
    assert (first.child_text(Email.AttMethod), second.child_text(Email.AttMethod)) == ("1", "5")
    answer = phone.post("GetAttachment", AttachmentName=first.child_text(Email.AttName) or "")
    assert answer.code == 200
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.body == files[0].data


def test_a_picture_in_the_text_has_its_id(phone: Phone, dovecot: Dovecot) -> None:
    _, _, data = synced(phone, dovecot, messages.inline_image())
    listed = data.find(Email.Attachments)
    assert listed is not None
    assert listed.children[0].child_text(Email.AttOid) == "red"


def test_marks(phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(phone, dovecot, messages.plain("marked"))
    served = phone.sync(folder, commands(change(name, element(Email.Read, 1))))
    assert statuses(served) == []
    with dovecot.imap(phone.user) as client:
        client.select("INBOX")
        assert b"\\Seen" in bytes(client.fetch("1", "(FLAGS)")[1][0] or b"")  # type: ignore[arg-type]
        client.store("1", "+FLAGS", "(\\Flagged Blue)")
        assert phone.sync(folder).changed == {}
        client.store("1", "-FLAGS", "(\\Seen)")
    (data,) = phone.sync(folder).changed.values()
    assert tags(data) == ["Read"]
    flag = element(Email.Flag, element(Email.Status, 0), element(Tasks.Subject, "x"))
    assert statuses(phone.sync(folder, commands(change(name, flag)))) == []
    assert statuses(phone.sync(folder, commands(delete(name)))) == []
    assert phone.sync(folder).deleted == []


def test_a_collection_named_by_its_class(phone: Phone, dovecot: Dovecot) -> None:
    dovecot.deliver(phone.user, messages.plain("first"))
    inbox = phone.folders()["Inbox"]

    def collection(kind: str, key: str, *more: Element) -> Element:
        named = element(AirSync.Class, kind), element(AirSync.SyncKey, key)
        return element(AirSync.Collection, *named, *more)

    def sync(key: str, *more: Element) -> Served:
        answer = phone.post_sync(collection("Email", key, *more))
        (container,) = answer.root
        (served,) = container
        assert served.child_text(AirSync.Class) == "Email"
        assert served.child_text(AirSync.CollectionId) == inbox
        return Served.of(served)

    begun = sync("0", element(AirSync.GetChanges))
    assert begun.status == "1"
    request = element(GetItemEstimate.Collection, element(GetItemEstimate.Class, "Email"))
    request.append(element(AirSync.FilterType, 0))
    request.append(element(AirSync.SyncKey, begun.key))
    asked = element(GetItemEstimate.GetItemEstimate, element(GetItemEstimate.Collections, request))
    (response,) = phone.post("GetItemEstimate", asked).root
    (told,) = response.findall(GetItemEstimate.Collection)
    assert tags(told) == ["Class", "CollectionId", "Estimate"]
    assert told.child_text(GetItemEstimate.Estimate) == "1"
    served = sync(begun.key, element(AirSync.GetChanges))
    assert [data.child_text(Email.Subject) for data in served.added.values()] == ["first"]
    assert sync(served.key).added == {}, "never an empty answer"
    answer = phone.post_sync(collection("Hamsters", "0"))
    assert answer.root.child_text(AirSync.Status) == "12"
    assert phone.post_sync(element(AirSync.Collection, element(AirSync.SyncKey, "0"))).code == 200


@pytest.mark.parametrize("version", ["12.0", "14.1", "16.1"])
def test_later_versions_name_their_collections(new_phone: MakePhone, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    named = element(AirSync.Class, "Email"), element(AirSync.SyncKey, "0")
    assert phone.post_sync(element(AirSync.Collection, *named)).root.child_text(AirSync.Status) == "4"


def test_ping(phone: Phone, dovecot: Dovecot) -> None:
    folder, _, _ = synced(phone, dovecot, messages.plain("first"))
    watched = element(Ping.Folder, element(Ping.Id, folder), element(Ping.Class, "Email"))
    asked = element(Ping.Ping, element(Ping.HeartbeatInterval, 20), element(Ping.Folders, watched))
    dovecot.deliver(phone.user, messages.plain("second"))
    root = phone.post("Ping", asked).root
    assert root.child_text(Ping.Status) == "2"


def test_sending(phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    assert phone.post("SendMail", mime(phone), content_type=MIME, SaveInSent="T").empty
    assert b"Subject: greeting" in arrived(sink).data
    assert len(kept(dovecot, phone)) == 1


@pytest.mark.parametrize("command", ["SmartReply", "SmartForward"])
def test_answering(phone: Phone, sink: SmtpSink, dovecot: Dovecot, command: str) -> None:
    folder, name, _ = synced(phone, dovecot, messages.with_attachments("it"))
    answer = phone.post(command, written(phone), content_type=MIME, CollectionId=folder, ItemId=name)
    assert answer.empty
    data = arrived(sink).data
    assert b"My answer" in data
    assert b"see the files" in data
    assert (b"offer.pdf" in data) == (command == "SmartForward")


def test_moving(phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(phone, dovecot, messages.plain("moves"))
    target = phone.folders()["Trash"]
    asked = element(
        Move.Move,
        element(Move.SrcMsgId, name),
        element(Move.SrcFldId, folder),
        element(Move.DstFldId, target),
    )
    (response,) = phone.post("MoveItems", element(Move.MoveItems, asked)).root
    assert response.child_text(Move.Status) == "3"
    assert (response.child_text(Move.DstMsgId) or "").startswith(f"{target}:")


def test_searching_the_address_list(phone: Phone) -> None:
    options = element(Search.Options, element(Search.Range, "0-9"))
    store = element(Search.Store, element(Search.Name, "GAL"), element(Search.Query, "ann"), options)
    root = phone.post("Search", element(Search.Search, store)).root
    assert root.child_text(Search.Status) == "1"
    (response,) = root.findall(Search.Response)
    (found,) = response
    assert found.child_text(Search.Status) != "2"
    store = element(Search.Store, element(Search.Name, "Mailbox"), element(Search.Query, "ann"), options)
    (found,) = phone.post("Search", element(Search.Search, store)).root.children[1]
    assert found.child_text(Search.Status) == "2", "mail is not searched before 12.0"


def test_what_came_later_is_refused(phone: Phone) -> None:
    item = element(ItemOperations.EmptyFolderContents, element(AirSync.CollectionId, "1"))
    assert phone.post("ItemOperations", element(ItemOperations.ItemOperations, item)).code == 400
    information = element(Settings.UserInformation, element(Settings.Get))
    assert phone.post("Settings", element(Settings.Settings, information)).code == 400
    assert phone.post("Sync", b"\x00garbage").code == 400
    assert phone.post("Sync").root.child_text(AirSync.Status) == "13"


def test_folders_are_made(phone: Phone) -> None:
    root = phone.folder_sync()
    key = root.child_text(FolderHierarchy.SyncKey) or ""
    made = phone.post(
        "FolderCreate",
        element(
            FolderHierarchy.FolderCreate,
            element(FolderHierarchy.SyncKey, key),
            element(FolderHierarchy.ParentId, "0"),
            element(FolderHierarchy.DisplayName, "Work"),
            element(FolderHierarchy.Type, 12),
        ),
    ).root
    assert made.child_text(FolderHierarchy.Status) == "1"
    assert phone.folders()["Work"] == made.child_text(FolderHierarchy.ServerId)
