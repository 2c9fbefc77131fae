"""ItemOperations: items and attachments, inline and multipart (MS-ASCMD 2.2.1.10)."""

from __future__ import annotations

import base64

import pytest

from gateway.eas.content.ids import long_id
from gateway.types import ServerId, UserId
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Answer, Phone, body_preference
from wbxml import Element, decode, element
from wbxml.pages import AirSync, AirSyncBase, DocumentLibrary, Email, ItemOperations, Search

MAILBOX = element(ItemOperations.Store, "Mailbox")
BYTES = bytes(range(256)) * 40
FILE = messages.Attachment("data.bin", "application/octet-stream", BYTES)


def fetch(*children: Element) -> Element:
    return element(ItemOperations.Fetch, MAILBOX, *children)


def item(folder: str, name: str, *options: Element) -> Element:
    block = [element(ItemOperations.Options, *options)] if options else []
    return fetch(element(AirSync.CollectionId, folder), element(AirSync.ServerId, name), *block)


def file(reference: str, *options: Element) -> Element:
    block = [element(ItemOperations.Options, *options)] if options else []
    return fetch(element(AirSyncBase.FileReference, reference), *block)


def post(phone: Phone, *operations: Element) -> Answer:
    return phone.post("ItemOperations", element(ItemOperations.ItemOperations, *operations))


def fetched(root: Element) -> list[Element]:
    """The Fetch elements of a reply that as a whole succeeded."""
    assert [child.tag.name for child in root] == ["Status", "Response"]
    assert root.child_text(ItemOperations.Status) == "1"
    assert all(one.tag is ItemOperations.Fetch for one in root.children[1])
    return list(root.children[1])


def properties(one: Element) -> Element:
    assert one.child_text(ItemOperations.Status) == "1", one
    found = one.find(ItemOperations.Properties)
    assert found is not None
    return found


def statuses(root: Element) -> list[str]:
    return [one.child_text(ItemOperations.Status) or "" for one in fetched(root)]


def tags(parent: Element) -> list[str]:
    return [child.tag.name for child in parent]


def synced(phone: Phone, dovecot: Dovecot, message: bytes) -> tuple[str, str, Element]:
    """Delivers a message; returns the ids of folder and item, and its properties."""
    dovecot.deliver(phone.user, message)
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    ((name, data),) = phone.sync(folder).added.items()
    return folder, name, data


def reference_of(data: Element) -> str:
    attachments = data.find(AirSyncBase.Attachments)
    assert attachments is not None
    return attachments.children[0].child_text(AirSyncBase.FileReference) or ""


def test_an_item(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(each_phone, dovecot, messages.alternative("greeting", "hello\n", "<p>hello</p>"))
    (one,) = fetched(post(each_phone, item(folder, name, body_preference(2))).root)
    assert tags(one) == ["Status", "CollectionId", "ServerId", "Class", "Properties"]
    assert one.child_text(AirSync.ServerId) == name
    assert one.child_text(AirSync.CollectionId) == folder
    assert one.child_text(AirSync.Class) == "Email"
    data = properties(one)
    assert data.child_text(Email.Subject) == "greeting"
    body = data.find(AirSyncBase.Body)
    assert body is not None
    assert body.child_text(AirSyncBase.Type) == "2"
    assert "<p>hello</p>" in (body.child_text(AirSyncBase.Data) or "")


def test_the_whole_message(some_phone: Phone, dovecot: Dovecot) -> None:
    message = messages.with_attachments("whole", FILE)
    folder, name, _ = synced(some_phone, dovecot, message)
    wanted = (element(AirSync.MIMESupport, 2), body_preference(4))
    (one,) = fetched(post(some_phone, item(folder, name, *wanted)).root)
    body = properties(one).find(AirSyncBase.Body)
    assert body is not None
    assert tags(body) == ["Type", "EstimatedDataSize", "Data"]
    assert body.child_text(AirSyncBase.Data, "").encode() == message  # type: ignore[union-attr]
    assert body.child_text(AirSyncBase.EstimatedDataSize) == str(len(message))


def test_an_attachment(each_phone: Phone, dovecot: Dovecot) -> None:
    _, _, data = synced(each_phone, dovecot, messages.with_attachments("file", FILE))
    reference = reference_of(data)
    (one,) = fetched(post(each_phone, file(reference)).root)
    assert tags(one) == ["Status", "FileReference", "Properties"]
    assert one.child_text(AirSyncBase.FileReference) == reference
    found = properties(one)
    assert tags(found) == ["ContentType", "Data"]
    assert found.child_text(AirSyncBase.ContentType) == "application/octet-stream"
    assert base64.b64decode(found.child_text(ItemOperations.Data) or "", validate=True) == BYTES


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [
        ("0-9", "0-9", BYTES[:10]),
        ("10-5000", "10-5000", BYTES[10:5001]),
        ("10000-99999", "10000-10239", BYTES[10000:]),
        ("0-0", "0-0", BYTES[:1]),
    ],
)
def test_a_range_of_an_attachment(
    some_phone: Phone, dovecot: Dovecot, wanted: str, told: str, expected: bytes
) -> None:
    _, _, data = synced(some_phone, dovecot, messages.with_attachments("file", FILE))
    ask = file(reference_of(data), element(ItemOperations.Range, wanted))
    (one,) = fetched(post(some_phone, ask).root)
    found = properties(one)
    assert found.child_text(ItemOperations.Range) == told
    assert found.child_text(ItemOperations.Total) == str(len(BYTES))
    assert base64.b64decode(found.child_text(ItemOperations.Data) or "") == expected


@pytest.mark.parametrize("wanted", ["10240-20000", "9-3", "x", "-5", "3", ""])
def test_a_range_that_cannot_be_is_8(phone: Phone, dovecot: Dovecot, wanted: str) -> None:
    _, _, data = synced(phone, dovecot, messages.with_attachments("file", FILE))
    ask = file(reference_of(data), element(ItemOperations.Range, wanted))
    assert statuses(post(phone, ask).root) == ["8"]


def test_an_embedded_message(phone: Phone, dovecot: Dovecot) -> None:
    inner = messages.plain("inner", "the inner text\n")
    _, _, data = synced(phone, dovecot, messages.forwarded("outer", inner))
    (one,) = fetched(post(phone, file(reference_of(data))).root)
    assert base64.b64decode(properties(one).child_text(ItemOperations.Data) or "") == inner


def test_multipart(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, data = synced(each_phone, dovecot, messages.with_attachments("file", FILE))
    asked = element(
        ItemOperations.ItemOperations,
        file(reference_of(data)),
        item(folder, name, body_preference(1)),
        file(reference_of(data), element(ItemOperations.Range, "0-9")),
        file("nonsense"),
    )
    if each_phone.packed:
        answer = each_phone.post("ItemOperations", asked, AcceptMultiPart="T")
    else:
        answer = each_phone.post("ItemOperations", asked, headers={"MS-ASAcceptMultiPart": "T"})
    parts = answer.parts
    whole, mail, piece, missing = fetched(decode(parts[0]))
    assert tags(properties(whole)) == ["ContentType", "Part"]
    body = properties(mail).find(AirSyncBase.Body)
    assert body is not None
    assert tags(body) == ["Type", "EstimatedDataSize", "Part"]
    assert tags(properties(piece)) == ["Range", "Total", "ContentType", "Part"]
    numbers = [
        int(one.child_text(ItemOperations.Part) or "") for one in (properties(whole), body, properties(piece))
    ]
    assert numbers == [1, 2, 3]
    assert parts[1] == BYTES
    assert parts[2].split() == b"see the files".split()
    assert parts[3] == BYTES[:10]
    assert len(parts) == 4
    assert missing.child_text(ItemOperations.Status) == "15"


def test_an_empty_text_is_an_empty_part(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(some_phone, dovecot, b"Subject: nothing\r\n\r\n")
    asked = element(ItemOperations.ItemOperations, item(folder, name, body_preference(1)))
    parts = some_phone.post(
        "ItemOperations", asked, headers={"MS-ASAcceptMultiPart": "T"}, AcceptMultiPart="T"
    ).parts
    (mail,) = fetched(decode(parts[0]))
    body = properties(mail).find(AirSyncBase.Body)
    assert body is not None
    assert tags(body) == ["Type", "EstimatedDataSize", "Part"]
    assert parts[1:] == [b""]


def test_each_fetch_has_a_status(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, data = synced(each_phone, dovecot, messages.with_attachments("file", FILE))
    reference = reference_of(data)
    gone = f"{name.rpartition('.')[0]}.9999"
    document = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "DocumentLibrary"),
        element(DocumentLibrary.LinkId, "\\\\server\\share"),
    )
    trash = each_phone.folders()["Trash"]
    root = post(
        each_phone,
        item(folder, name),
        item(folder, gone),
        item(folder, "nonsense"),
        item(trash, name),
        item("999", name),
        file(reference),
        file(f"{gone}:2"),
        file(f"{name}:77"),
        file("nonsense"),
        file(""),
        document,
        element(ItemOperations.Fetch, element(ItemOperations.Store, "Attic"), element(AirSync.ServerId, "1")),
        fetch(),
        element(ItemOperations.Fetch, element(AirSyncBase.FileReference, reference)),
        fetch(element(AirSyncBase.FileReference, reference), element(AirSync.ServerId, name)),
        item(folder, name, element(ItemOperations.Range, "0-9")),
        file(reference, body_preference(1)),
        file(reference, element(ItemOperations.UserName, "jo")),
    ).root
    expected = ["1", "6", "6", "6", "6", "1", "15", "15", "15", "15", "9", "9", *["2"] * 6]
    assert statuses(root) == expected
    assert fetched(root)[1].child_text(AirSync.ServerId) == gone


def test_a_request_of_nothing_but_errors_of_protocol_is_2(each_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(each_phone, dovecot, messages.plain("plan"))
    reversed_preference = element(
        AirSyncBase.BodyPreference, element(AirSyncBase.TruncationSize, 5), element(AirSyncBase.Type, 1)
    )
    wrong = item(folder, name, reversed_preference)
    root = post(each_phone, wrong).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]
    assert statuses(post(each_phone, wrong, item(folder, name)).root) == ["2", "1"]


def test_an_operation_that_does_not_say_what_it_is_about_is_2_for_all(each_phone: Phone) -> None:
    twice = fetch(*[element(AirSyncBase.FileReference, "1:2")] * 2)
    for operation in (twice, element(ItemOperations.EmptyFolderContents)):
        root = post(each_phone, file("1:2"), operation).root
        assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]


def test_an_empty_attachment_is_10(phone: Phone, dovecot: Dovecot) -> None:
    nothing = messages.Attachment("empty.bin", "application/octet-stream", b"")
    _, _, data = synced(phone, dovecot, messages.with_attachments("file", nothing))
    assert statuses(post(phone, file(reference_of(data))).root) == ["10"]


def test_an_item_of_another_user_is_not_found(phone: Phone, dovecot: Dovecot) -> None:
    for number in range(3):
        dovecot.deliver(phone.user, messages.with_attachments(f"theirs {number}", FILE))
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    added = phone.sync(folder)
    theirs = added.named(Email.Subject, "theirs 2")
    reference = reference_of(added.added[theirs])
    phone.user = f"{phone.user}-other"
    phone.provision()
    folder = phone.folders()["Inbox"]
    assert statuses(post(phone, item(folder, theirs), file(reference)).root) == ["6", "15"]


def test_a_schema_limits_the_properties(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(some_phone, dovecot, messages.with_attachments("file", FILE))
    schema = element(
        ItemOperations.Schema,
        element(Email.Subject),
        element(Email.From),
        element(AirSyncBase.Body),
    )
    (one,) = fetched(post(some_phone, item(folder, name, schema, body_preference(1))).root)
    assert sorted(tags(properties(one))) == ["Body", "From", "Subject"]


def test_an_item_by_its_long_id(some_phone: Phone, dovecot: Dovecot) -> None:
    _, name, _ = synced(some_phone, dovecot, messages.plain("Found again"))
    own = long_id(UserId(some_phone.user), ServerId(name))
    foreign = long_id(UserId("somebody-else"), ServerId(name))
    gone = long_id(UserId(some_phone.user), ServerId(f"{name}000"))
    asked = [fetch(element(Search.LongId, one)) for one in (own, foreign, gone, "abc", "")]
    answers = fetched(post(some_phone, *asked).root)
    assert [one.child_text(ItemOperations.Status) for one in answers] == ["1", "6", "6", "6", "6"]
    assert tags(answers[0]) == ["Status", "LongId", "Class", "Properties"]
    assert answers[0].child_text(Search.LongId) == own
    assert properties(answers[0]).child_text(Email.Subject) == "Found again"


def test_a_long_id_that_no_search_gave_out_is_6(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(some_phone, dovecot, messages.plain("stays"))
    root = post(some_phone, fetch(element(Search.LongId, "abc")), item(folder, name)).root
    assert statuses(root) == ["6", "1"]


def test_something_else_among_the_operations_is_2(some_phone: Phone, dovecot: Dovecot) -> None:
    root = post(some_phone, element(AirSync.Fetch)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]
    root = some_phone.post("ItemOperations", element(ItemOperations.ItemOperations)).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "2")]


def test_more_than_100_operations_are_11(some_phone: Phone) -> None:
    root = post(some_phone, *(file("x") for _ in range(101))).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "11")]
    assert statuses(post(some_phone, *(file("x") for _ in range(100))).root) == ["15"] * 100


def test_a_fetch_shows_the_marks_the_last_sync_told(some_phone: Phone, dovecot: Dovecot) -> None:
    folder, name, _ = synced(some_phone, dovecot, messages.plain())

    def read() -> str | None:
        (one,) = fetched(post(some_phone, item(folder, name)).root)
        return properties(one).child_text(Email.Read)

    with dovecot.imap(some_phone.user) as client:
        client.select("INBOX")
        client.store("1", "+FLAGS", "(\\Seen)")
        assert read() == "0", "it is not told yet, and may never be"
        client.store("1", "-FLAGS", "(\\Seen)")
        assert not some_phone.sync(folder).changed
        client.store("1", "+FLAGS", "(\\Seen)")
        assert name in some_phone.sync(folder).changed
        assert read() == "1"
