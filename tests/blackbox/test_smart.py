"""SmartReply and SmartForward: in every version's form, over real mail (MS-ASCMD 2.2.1.19, 2.2.1.20)."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest

from gateway.eas.content.ids import long_id
from gateway.types import ServerId, UserId
from tests.blackbox.conftest import MakePhone
from tests.blackbox.test_sendmail import arrived, expected, kept, refused_as
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.messages import Attachment
from tests.support.phone import MIME, Answer, Phone
from tests.support.smtp_sink import SmtpSink
from tests.support.waiting import eventually
from wbxml import Element, element
from wbxml.pages import AirSyncBase, ComposeMail, Email, Email2

HTML = "<html><head><style>p { margin: 0 }</style></head><body><p>Grüße, <b>Ann</b></p></body></html>"


def written(phone: Phone, text: str = "My answer", kind: str = "plain", *lines: str) -> bytes:
    """What a phone writes: to Ben, who is also the original's recipient."""
    head = (
        f"From: {phone.user}@example.test",
        *(lines or ("To: Ann Archer <ann@example.test>",)),
        "Subject: RE: it",
        "MIME-Version: 1.0",
        f"Content-Type: text/{kind}; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    )
    return ("\r\n".join(head) + "\r\n\r\n" + text + "\r\n").encode()


def deliver(dovecot: Dovecot, phone: Phone, message: bytes) -> tuple[str, str]:
    """Put a message into the INBOX; returns the folder's id and the message's."""
    dovecot.deliver(phone.user, message)
    inbox = phone.folders()["Inbox"]
    phone.begin(inbox)
    (name,) = phone.sync(inbox).added
    return inbox, name


def smart(
    phone: Phone,
    command: str,
    original: tuple[str, str],
    message: bytes,
    *more: Element,
    client_id: str = "c-1",
    save: bool = False,
) -> Answer:
    """In the form of the phone's version."""
    folder, item = original
    if phone.number < 14:
        return phone.post(
            command,
            message,
            content_type=MIME,
            CollectionId=folder,
            ItemId=item,
            SaveInSent="T" if save else "F",
        )
    source = element(
        ComposeMail.Source, element(ComposeMail.FolderId, folder), element(ComposeMail.ItemId, item)
    )
    return phone.post(command, document(command, source, message, *more, client_id=client_id, save=save))


def document(
    command: str,
    source: Element,
    message: bytes | None,
    *more: Element,
    client_id: str = "c-1",
    save: bool = False,
) -> Element:
    root = {"SmartReply": ComposeMail.SmartReply, "SmartForward": ComposeMail.SmartForward}[command]
    kept_there = [element(ComposeMail.SaveInSentItems)] if save else []
    mime = [] if message is None else [element(ComposeMail.Mime, message)]
    return element(root, element(ComposeMail.ClientId, client_id), source, *kept_there, *more, *mime)


def sent(sink: SmtpSink) -> EmailMessage:
    return parsed(arrived(sink).data)


def parsed(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data, policy=default)


def shape(part: EmailMessage) -> str | list[object]:
    """The structure as nested lists of content types."""
    if not part.is_multipart() or part.get_content_type() == "message/rfc822":
        return part.get_content_type()
    return [part.get_content_subtype(), *(shape(cast("EmailMessage", one)) for one in part.iter_parts())]


def text(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def flags(dovecot: Dovecot, phone: Phone) -> set[str]:
    with dovecot.imap(phone.user) as imap:
        imap.select("INBOX", readonly=True)
        (line,) = imap.fetch("1", "(FLAGS)")[1]
    assert isinstance(line, bytes)
    return set(line.decode().split("FLAGS (")[1].split(")")[0].split())


def test_a_reply_quotes_the_original(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, each_phone, messages.plain("the plan", "First line\nSecond line\n"))
    assert smart(
        each_phone, "SmartReply", original, written(each_phone, "Antwort mit Größe"), save=True
    ).empty
    message = sent(sink)
    assert shape(message) == "text/plain"
    assert text(message, "plain").splitlines() == [
        "Antwort mit Größe",
        "",
        "_" * 32,
        "From: Ann Archer <ann@example.test>",
        "Sent: Sun, 01 Mar 2026 09:15:00 +0000",
        "To: Ben Okafor <ben@example.test>",
        "Subject: the plan",
        "",
        "First line",
        "Second line",
    ]
    (copy,) = kept(dovecot, each_phone)
    assert parsed(copy)["Message-ID"] == message["Message-ID"]
    assert text(parsed(copy), "plain") == text(message, "plain")
    assert "\\Answered" in flags(dovecot, each_phone)


def test_threads_go_on(some_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    raw = messages.plain().replace(
        b"\r\nSubject:", b"\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: <b@x>\r\nSubject:", 1
    )
    identity = parsed(raw)["Message-ID"]
    original = deliver(dovecot, some_phone, raw)
    assert smart(some_phone, "SmartReply", original, written(some_phone)).empty
    message = sent(sink)
    assert message["In-Reply-To"] == identity
    assert message["References"].split() == ["<a@x>", "<b@x>", identity]
    sink.clear()
    assert smart(some_phone, "SmartForward", original, written(some_phone), client_id="c-2").empty
    assert sent(sink)["In-Reply-To"] is None
    assert sent(sink)["References"].split() == ["<a@x>", "<b@x>", identity]


def test_html_below_html(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, each_phone, messages.html("page", HTML))
    mine = written(each_phone, "<html><body><p>Mine</p></body></html>", "html")
    assert smart(each_phone, "SmartReply", original, mine).empty
    message = sent(sink)
    assert shape(message) == "text/html"
    shown = text(message, "html")
    assert shown.index("Mine") < shown.index("<b>From:</b> Ann Archer &lt;ann@example.test&gt;")
    assert shown.index("<b>Subject:</b> page") < shown.index("Grüße, <b>Ann</b>")
    assert shown.count("<body") == shown.count("</body>") == 1
    assert "p { margin: 0 }" in shown


def test_plain_text_below_html(some_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, some_phone, messages.plain("plain", "a < b\n"))
    assert smart(some_phone, "SmartReply", original, written(some_phone, "<p>Mine</p>", "html")).empty
    assert "a &lt; b" in text(sent(sink), "html")


def test_html_below_plain_text_is_sent_in_both_forms(
    some_phone: Phone, sink: SmtpSink, dovecot: Dovecot
) -> None:
    original = deliver(dovecot, some_phone, messages.html("page", HTML))
    assert smart(some_phone, "SmartReply", original, written(some_phone, "1 < 2")).empty
    message = sent(sink)
    assert shape(message) == ["alternative", "text/plain", "text/html"]
    assert "Grüße, Ann" in text(message, "plain")
    assert text(message, "plain").startswith("1 < 2")
    assert "1 &lt; 2" in text(message, "html")
    assert "Grüße, <b>Ann</b>" in text(message, "html")


def test_replace_mime_leaves_the_original_out(new_phone: MakePhone, sink: SmtpSink, dovecot: Dovecot) -> None:
    phone = new_phone("14.1")
    phone.provision()
    original = deliver(dovecot, phone, messages.with_attachments("files"))
    for command in ("SmartReply", "SmartForward"):
        sink.clear()
        mine = written(phone, "Only this")
        alone = element(ComposeMail.ReplaceMime)
        assert smart(phone, command, original, mine, alone, client_id=command).empty
        assert shape(sent(sink)) == "text/plain"
        assert text(sent(sink), "plain").strip() == "Only this"
        assert sent(sink)["References"]
    assert {"\\Answered", "$Forwarded"} <= flags(dovecot, phone)


def test_a_forward_carries_the_files(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, each_phone, messages.with_attachments("files"))
    assert smart(each_phone, "SmartForward", original, written(each_phone), save=True).empty
    message = sent(sink)
    assert shape(message) == ["mixed", "text/plain", "application/pdf", "text/csv"]
    source = parsed(messages.with_attachments("files"))
    for mine, theirs in zip(message.iter_attachments(), source.iter_attachments(), strict=True):
        assert mine.get_filename() == theirs.get_filename()
        assert mine.get_content() == theirs.get_content()
    assert "see the files" in text(message, "plain")
    (copy,) = kept(dovecot, each_phone)
    assert [one.get_filename() for one in parsed(copy).iter_attachments()] == [
        one.get_filename() for one in source.iter_attachments()
    ]
    assert "$Forwarded" in flags(dovecot, each_phone)
    assert "\\Answered" not in flags(dovecot, each_phone)


def test_pictures_in_the_text_go_along(some_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, some_phone, messages.inline_image())
    for command in ("SmartReply", "SmartForward"):
        sink.clear()
        assert smart(some_phone, command, original, written(some_phone), client_id=command).empty
        message = sent(sink)
        assert shape(message) == ["related", ["alternative", "text/plain", "text/html"], "image/png"]
        assert "cid:red" in text(message, "html")
        (picture,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
        assert picture["Content-ID"] == "<red>"


def test_files_of_the_phone_are_kept(some_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, some_phone, messages.with_attachments("files"))
    mine = EmailMessage(policy=default.clone(linesep="\r\n"))
    mine["To"], mine["Subject"] = "ann@example.test", "FW: it"
    mine.set_content("see mine too")
    mine.add_alternative("<p>see <b>mine</b> too</p>", subtype="html")
    mine.add_attachment(b"\x01\x02" * 1000, maintype="application", subtype="zip", filename="mine.zip")
    assert smart(some_phone, "SmartForward", original, mine.as_bytes()).empty
    message = sent(sink)
    assert shape(message) == [
        "mixed",
        ["alternative", "text/plain", "text/html"],
        "application/zip",
        "application/pdf",
        "text/csv",
    ]
    (own,) = [one for one in message.iter_attachments() if one.get_filename() == "mine.zip"]
    assert own.get_content() == b"\x01\x02" * 1000
    for kind in ("plain", "html"):
        assert "see the files" in text(message, kind)
    sink.clear()
    assert smart(some_phone, "SmartReply", original, mine.as_bytes(), client_id="c-2").empty
    assert [one.get_filename() for one in sent(sink).iter_attachments()] == ["mine.zip"]


@pytest.mark.parametrize("make", [messages.signed, messages.with_attachments], ids=["signed", "long"])
def test_what_cannot_be_quoted_is_attached(
    some_phone: Phone, sink: SmtpSink, dovecot: Dovecot, make: object
) -> None:
    if make is messages.signed:
        raw = messages.signed("sealed")
    else:
        raw = messages.plain("long", "many words here\n" * 200_000)
    raw = b"Bcc: secret@example.test\r\n" + raw
    original = deliver(dovecot, some_phone, raw)
    assert smart(some_phone, "SmartForward", original, written(some_phone)).empty
    message = sent(sink)
    assert shape(message) == ["mixed", "text/plain", "message/rfc822"]
    assert text(message, "plain").strip() == "My answer"
    data = arrived(sink).data
    start = data.index(b"From: Ann", data.index(b"message/rfc822"))
    assert raw[raw.index(b"From: Ann") :].rstrip() in data[start:]
    assert b"secret@" not in data


def test_no_file_of_hundreds_is_lost(
    phone: Phone, sink: SmtpSink, dovecot: Dovecot, shared_gateway: Gateway
) -> None:
    file = b"--b\r\nContent-Type: text/csv; name=a.csv\r\nContent-Disposition: attachment\r\n\r\n1;2\r\n"
    raw = (
        b"From: Ann <ann@example.test>\r\nSubject: many files\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + file * 503 + b"--b--\r\n"
    )
    original = deliver(dovecot, phone, raw)
    # Not listed; the line follows the answer.
    eventually(lambda: "attachments=3" in shared_gateway.log())
    assert smart(phone, "SmartForward", original, written(phone)).empty
    assert shape(sent(sink)) == ["mixed", "text/plain", "message/rfc822"]
    assert arrived(sink).data.count(file) == 503


def test_an_encrypted_message_is_not_touched(some_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, some_phone, messages.plain("open", "top secret now\n"))
    head = b"To: ann@example.test\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
    assert smart(some_phone, "SmartReply", original, head + b"\r\nMIIB\r\n").empty
    assert arrived(sink).data.endswith(b"\r\n\r\nMIIB\r\n")


def test_it_is_sent_once(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, each_phone, messages.plain())
    mine = b"Message-ID: <mine@phone>\r\n" + written(each_phone)
    for attempt in range(3):
        answer = smart(each_phone, "SmartReply", original, mine, client_id=f"c-{attempt}", save=True)
        assert answer.empty
    assert len(sink.received) == len(kept(dovecot, each_phone)) == 1
    if each_phone.number >= 14:
        answer = smart(each_phone, "SmartReply", original, mine, client_id="c-0", save=True)
        assert refused_as("SmartReply", each_phone, answer) == "118"
    # The same text to another message, or as a forward, is another request.
    assert smart(each_phone, "SmartForward", original, mine, client_id="c-9").empty
    assert len(sink.received) == 2


def test_a_repeat_is_answered_alike_when_the_original_is_gone(
    phone: Phone, sink: SmtpSink, dovecot: Dovecot
) -> None:
    original = deliver(dovecot, phone, messages.plain())
    assert smart(phone, "SmartReply", original, written(phone)).empty
    with dovecot.imap(phone.user) as imap:
        imap.select("INBOX")
        imap.store("1", "+FLAGS", "\\Deleted")
        imap.expunge()
    assert refused_as("SmartReply", phone, smart(phone, "SmartReply", original, written(phone))) == "118"
    assert len(sink.received) == 1


@pytest.mark.parametrize("item", ["9:1.1", "gone"])
def test_an_original_that_is_not_there_is_150(
    each_phone: Phone, sink: SmtpSink, dovecot: Dovecot, item: str
) -> None:
    folder, name = deliver(dovecot, each_phone, messages.plain())
    item = name.rpartition(".")[0] + ".99" if item == "gone" else item
    answer = smart(each_phone, "SmartReply", (folder, item), written(each_phone))
    assert refused_as("SmartReply", each_phone, answer) == expected(each_phone, 150, 500)
    assert not sink.received
    assert smart(each_phone, "SmartReply", (folder, name), written(each_phone)).empty  # the ClientId is free


@pytest.mark.parametrize("item", ["no such form", "5:x.0", "RI"])
def test_what_cannot_be_an_id_is_106(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot, item: str) -> None:
    folder, name = deliver(dovecot, each_phone, messages.plain())
    answer = smart(each_phone, "SmartForward", (folder, item), written(each_phone))
    assert refused_as("SmartForward", each_phone, answer) == expected(each_phone, 106, 500)
    assert not sink.received
    assert smart(each_phone, "SmartForward", (folder, name), written(each_phone)).empty


def test_a_long_id_of_another_form_is_106_and_of_no_mail_of_the_users_150(
    phone: Phone, sink: SmtpSink
) -> None:
    foreign = long_id(UserId("somebody else"), ServerId("1:a.1"))
    event = long_id(UserId(phone.user), ServerId("i1:1"))
    for identity, expected_status in (("no LongId", "106"), (foreign, "150"), (event, "150")):
        source = element(ComposeMail.Source, element(ComposeMail.LongId, identity))
        answer = phone.post("SmartReply", document("SmartReply", source, written(phone)))
        assert refused_as("SmartReply", phone, answer) == expected_status
    assert not sink.received


def test_a_long_id_names_the_original(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    _, name = deliver(dovecot, each_phone, messages.plain("found by search"))
    identity = long_id(UserId(each_phone.user), ServerId(name))
    if each_phone.number < 14:
        answer = each_phone.post("SmartReply", written(each_phone), content_type=MIME, LongId=identity)
    else:
        source = element(ComposeMail.Source, element(ComposeMail.LongId, identity))
        answer = each_phone.post("SmartReply", document("SmartReply", source, written(each_phone)))
    assert answer.empty
    assert "found by search" in text(sent(sink), "plain")


def test_occurrences_of_mail(phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    folder, name = deliver(dovecot, phone, messages.plain())
    cases = (
        ("2026-03-01T09:15:00.000Z", "146"),
        ("20260301T091500Z", "146"),
        ("2026-13-01T09:15:00.000Z", "104"),
        ("tomorrow", "104"),
    )
    for instance, status in cases:
        source = element(
            ComposeMail.Source,
            element(ComposeMail.FolderId, folder),
            element(ComposeMail.ItemId, name),
            element(ComposeMail.InstanceId, instance),
        )
        answer = phone.post("SmartReply", document("SmartReply", source, written(phone)))
        assert refused_as("SmartReply", phone, answer) == status
    assert not sink.received


@pytest.mark.parametrize(
    "source",
    [
        None,
        element(ComposeMail.Source),
        element(ComposeMail.Source, element(ComposeMail.FolderId, "1")),
        element(
            ComposeMail.Source, element(ComposeMail.LongId, "aaaaaaaa"), element(ComposeMail.ItemId, "1:1.1")
        ),
    ],
    ids=["no source", "empty source", "folder alone", "two names"],
)
def test_a_document_that_lacks_something_is_103(phone: Phone, sink: SmtpSink, source: Element | None) -> None:
    root = element(
        ComposeMail.SmartForward,
        element(ComposeMail.ClientId, "c-1"),
        *([source] if source else []),
        element(ComposeMail.Mime, written(phone)),
    )
    assert refused_as("SmartForward", phone, phone.post("SmartForward", root)) == "103"
    assert not sink.received


def test_mail_without_recipients_or_form(some_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, some_phone, messages.plain())
    for mime, status in ((b"Subject: x\r\n\r\nx", 119), (b"nothing", 107), (b"To: @\r\n\r\nx", 116)):
        answer = smart(some_phone, "SmartForward", original, mime)
        assert refused_as("SmartForward", some_phone, answer) == expected(some_phone, status, 400)
    assert not sink.received
    assert "$Forwarded" not in flags(dovecot, some_phone)


def test_a_refused_message_marks_nothing(phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    original = deliver(dovecot, phone, messages.plain())
    sink.switches.reply_data = "552 5.3.4 too large"
    answer = smart(phone, "SmartForward", original, written(phone))
    assert refused_as("SmartForward", phone, answer) == "122"
    assert "$Forwarded" not in flags(dovecot, phone)


def forwardees(*more: Element, address: str = "cy@example.test") -> list[Element]:
    person = element(
        ComposeMail.Forwardee, element(ComposeMail.Email, address), element(ComposeMail.Name, "Cÿ Young")
    )
    return [element(ComposeMail.Forwardees, person), *more]


def body(kind: str, data: str) -> Element:
    return element(AirSyncBase.Body, element(AirSyncBase.Type, kind), element(AirSyncBase.Data, data))


@pytest.mark.parametrize("version", ["16.0", "16.1"])
def test_the_server_writes_to_forwardees(
    new_phone: MakePhone, sink: SmtpSink, dovecot: Dovecot, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    folder, name = deliver(dovecot, phone, messages.with_attachments("RE: files"))
    source = element(
        ComposeMail.Source, element(ComposeMail.FolderId, folder), element(ComposeMail.ItemId, name)
    )
    asked = document("SmartForward", source, None, *forwardees(body("1", "FYI")))
    assert phone.post("SmartForward", asked).empty
    assert arrived(sink).rcpt_tos == ("cy@example.test",)
    message = sent(sink)
    assert (message["Subject"], message["To"]) == ("FW: files", "Cÿ Young <cy@example.test>")
    assert text(message, "plain").startswith("FYI\r\n")
    assert [one.get_filename() for one in message.iter_attachments()] == ["offer.pdf", "Preise für März.csv"]


def test_forwardees_that_are_none(phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    folder, name = deliver(dovecot, phone, messages.plain())
    source = element(
        ComposeMail.Source, element(ComposeMail.FolderId, folder), element(ComposeMail.ItemId, name)
    )
    cases = (
        (document("SmartForward", source, written(phone), *forwardees()), "178"),
        (document("SmartForward", source, None, *forwardees(), save=True), "178"),
        (document("SmartForward", source, None, *forwardees(address="nobody")), "179"),
        (document("SmartForward", source, None, body("1", "FYI")), "179"),
        (document("SmartForward", source, None, *forwardees(body("4", "FYI"))), "179"),
        (document("SmartReply", source, None, *forwardees()), "103"),
    )
    for asked, status in cases:
        command = asked.tag.name
        assert refused_as(command, phone, phone.post(command, asked)) == status
    assert not sink.received


@pytest.mark.parametrize(
    ("recipients", "command", "verb"),
    [
        ("To: Ann Archer <ann@example.test>", "SmartReply", "1"),
        ("To: ann@example.test, Ben <BEN@example.test>", "SmartReply", "2"),
        ("To: cy@example.test", "SmartForward", "3"),
    ],
)
def test_phones_are_told_what_was_done(
    new_phone: MakePhone, sink: SmtpSink, dovecot: Dovecot, recipients: str, command: str, verb: str
) -> None:
    phone, other = new_phone("14.0"), new_phone("16.1", device="PHONE2")
    for one in (phone, other):
        one.provision()
    folder, name = deliver(dovecot, phone, messages.plain())
    other.begin(folder)
    other.sync(folder)
    assert smart(phone, command, (folder, name), written(phone, "x", "plain", recipients)).empty
    told = [one.sync(folder).changed[name] for one in (phone, other)]
    for data in told:
        assert data.child_text(Email2.LastVerbExecuted) == verb
        assert (data.child_text(Email2.LastVerbExecutionTime) or "")[:2] == "20"
        assert data.find(Email.Read) is None


def test_large_attachments_pass(phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    large = Attachment("large.bin", "application/octet-stream", bytes(range(256)) * 12_000)
    original = deliver(dovecot, phone, messages.with_attachments("large", large))
    assert smart(phone, "SmartForward", original, written(phone), save=True).empty
    (file,) = sent(sink).iter_attachments()
    assert file.get_content() == large.data
    (copy,) = kept(dovecot, phone)
    (file,) = parsed(copy).iter_attachments()
    assert file.get_content() == large.data


def test_over_a_server_without_extensions(dovecot_bare: Dovecot, sink: SmtpSink, user: str) -> None:
    with Gateway(dovecot_bare, sink) as gateway:
        phone = Phone(gateway.host, gateway.port, user, dovecot_bare.password)
        phone.provision()
        large = Attachment("large.bin", "application/octet-stream", bytes(range(256)) * 8_000)
        original = deliver(dovecot_bare, phone, messages.with_attachments("large", large))
        for command in ("SmartReply", "SmartForward"):
            assert smart(phone, command, original, written(phone), client_id=command, save=True).empty
        (file,) = parsed(sink.received[1].data).iter_attachments()
        assert file.get_content() == large.data
        assert len(kept(dovecot_bare, phone)) == 2
        assert {"\\Answered", "$Forwarded"} <= flags(dovecot_bare, phone)
        assert phone.sync(original[0]).changed[original[1]].child_text(Email2.LastVerbExecuted)
