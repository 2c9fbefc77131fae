"""SendMail: MIME and WBXML form, once whatever is repeated, and what each refusal is (MS-ASCMD 2.2.1.17)."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support.dovecot import Dovecot
from tests.support.phone import MIME, WBXML, Answer, Phone
from tests.support.smtp_sink import Received, SmtpSink
from wbxml import Element, element
from wbxml.pages import ComposeMail, Email

TO = ("To: Ben <ben@example.test>",)


def mime(phone: Phone, *lines: str, body: str = "Hello\r\n") -> bytes:
    head = (f"From: {phone.user}@example.test", "Subject: greeting", *(lines or TO), "MIME-Version: 1.0")
    return ("\r\n".join(head) + "\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body).encode()


def document(
    message: bytes | str, client_id: str | None = "c-1", *more: Element, save: bool = False
) -> Element:
    named = [element(ComposeMail.ClientId, client_id)] if client_id is not None else []
    kept = [element(ComposeMail.SaveInSentItems)] if save else []
    return element(ComposeMail.SendMail, *named, *more, *kept, element(ComposeMail.Mime, message))


def send(phone: Phone, message: bytes, client_id: str = "c-1", *, save: bool = False) -> Answer:
    """In the form of the phone's version."""
    if phone.number >= 14:
        return phone.post("SendMail", document(message, client_id, save=save))
    return phone.post("SendMail", message, content_type=MIME, SaveInSent="T" if save else "F")


def refused(phone: Phone, answer: Answer) -> str:
    """How a SendMail was refused."""
    return refused_as("SendMail", phone, answer)


def refused_as(command: str, phone: Phone, answer: Answer) -> str:
    """The Status of a refusal, or "HTTP" and the code, as the version has it."""
    if phone.number < 14:
        assert not answer.body
        return f"HTTP {answer.code}"
    assert answer.root.tag.name == command
    assert [child.tag.name for child in answer.root] == ["Status"]
    return answer.root.child_text(ComposeMail.Status) or ""


def expected(phone: Phone, status: int, code: int) -> str:
    return str(status) if phone.number >= 14 else f"HTTP {code}"


def arrived(sink: SmtpSink) -> Received:
    (one,) = sink.received
    return one


def kept(dovecot: Dovecot, phone: Phone) -> list[bytes]:
    """The messages in Sent."""
    with dovecot.imap(phone.user) as imap:
        if imap.select("Sent")[0] != "OK":
            return []
        found = imap.search(None, "ALL")[1][0].split()
        return [imap.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in found]  # type: ignore[index, misc]


def test_it_is_sent_and_not_kept(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    assert send(each_phone, mime(each_phone)).empty
    message = arrived(sink)
    assert message.mail_from == f"{each_phone.user}@example.test"
    assert message.rcpt_tos == ("ben@example.test",)
    assert message.data.endswith(b"\r\n\r\nHello\r\n")
    assert message.data.count(b"\r\nDate: ") == message.data.count(b"\r\nMessage-ID: ") == 1
    assert message.login
    assert kept(dovecot, each_phone) == []


def test_it_is_kept_when_asked_for(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    hidden = mime(each_phone, *TO, "Bcc: hidden@example.test")
    assert send(each_phone, hidden, save=True).empty
    message = arrived(sink)
    assert set(message.rcpt_tos) == {"ben@example.test", "hidden@example.test"}
    assert b"hidden@" not in message.data
    (copy,) = kept(dovecot, each_phone)
    assert b"Bcc: hidden@example.test\r\n" in copy
    sent = each_phone.folders()["Sent"]
    each_phone.begin(sent)
    (data,) = each_phone.sync(sent).added.values()
    assert (data.child_text(Email.Subject), data.child_text(Email.Read)) == ("greeting", "1")


def test_text_beyond_ascii_and_dots_arrive_as_they_are(some_phone: Phone, sink: SmtpSink) -> None:
    body = "Grüße\r\n.\r\n..two\r\n"
    assert send(some_phone, mime(some_phone, body=body)).empty
    assert arrived(sink).data.endswith(body.encode())


@pytest.mark.parametrize("version", ["14.0", "14.1", "16.0", "16.1"])
def test_mime_as_text_is_taken_too(new_phone: MakePhone, sink: SmtpSink, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    assert phone.post("SendMail", document(mime(phone).decode())).empty
    assert arrived(sink).rcpt_tos == ("ben@example.test",)


@pytest.mark.parametrize("version", ["14.0", "14.1", "16.0", "16.1"])
def test_a_repeated_client_id_is_118(
    new_phone: MakePhone, sink: SmtpSink, dovecot: Dovecot, version: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    assert send(phone, mime(phone), save=True).empty
    assert refused(phone, send(phone, mime(phone), save=True)) == "118"
    assert refused(phone, send(phone, mime(phone, body="Other\r\n"), save=True)) == "118"
    assert len(sink.received) == 1
    assert len(kept(dovecot, phone)) == 1
    assert send(phone, mime(phone), "c-2", save=True).empty  # no Message-ID: a new ClientId is a new message
    assert len(sink.received) == 2


def test_the_same_message_is_sent_once(each_phone: Phone, sink: SmtpSink, dovecot: Dovecot) -> None:
    message = mime(each_phone, *TO, "Message-ID: <one@example.test>")
    for attempt in range(3):
        assert send(each_phone, message, f"attempt-{attempt}", save=True).empty
    assert len(sink.received) == 1
    assert len(kept(dovecot, each_phone)) == 1


def test_two_devices_may_use_the_same_client_id(new_phone: MakePhone, sink: SmtpSink) -> None:
    for device in ("PHONE1", "PHONE2"):
        phone = new_phone(device=device)
        phone.provision()
        assert send(phone, mime(phone)).empty
    assert len(sink.received) == 2


def test_a_foreign_sender_is_replaced(some_phone: Phone, sink: SmtpSink) -> None:
    forged = b"From: Boss <boss@example.test>\r\nTo: ben@example.test\r\nSubject: x\r\n\r\nHello\r\n"
    assert send(some_phone, forged).empty
    message = arrived(sink)
    own = f"{some_phone.user}@example.test"
    assert message.mail_from == own
    assert f'From: "Boss" <{own}>\r\n'.encode() in message.data
    assert b"boss@" not in message.data


def test_no_recipient_is_119(each_phone: Phone, sink: SmtpSink) -> None:
    answer = send(each_phone, mime(each_phone, "Comments: nobody"))
    assert refused(each_phone, answer) == expected(each_phone, 119, 400)
    assert not sink.received


@pytest.mark.parametrize("bad", [b"\x00\x01\x02", b"no header at all", b": \r\n\r\nx"])
def test_what_is_no_mime_is_107(some_phone: Phone, sink: SmtpSink, bad: bytes) -> None:
    assert refused(some_phone, send(some_phone, bad)) == expected(some_phone, 107, 400)
    assert not sink.received


@pytest.mark.parametrize(
    ("switch", "reply", "status", "code"),
    [
        ("reply_mail", "451 4.3.0 later", 111, 503),
        ("reply_data", "451 4.3.0 later", 111, 503),
        ("reply_data", "554 5.7.1 looks like spam", 120, 500),
        ("reply_rcpt", "550 5.1.1 no such user", 116, 400),
        ("reply_rcpt", "450 4.2.0 later", 111, 503),
        ("reply_data", "552 5.2.3 too large", 122, 400),
        ("reply_mail", "550 5.7.0 quota of sender exceeded", 120, 500),
    ],
)
def test_refusals_of_the_server(
    some_phone: Phone, sink: SmtpSink, switch: str, reply: str, status: int, code: int
) -> None:
    setattr(sink.switches, switch, reply)
    answer = send(some_phone, mime(some_phone), save=True)
    assert refused(some_phone, answer) == expected(some_phone, status, code)
    if answer.code == 503:
        assert int(answer.headers["Retry-After"]) > 0
    sink.clear()
    assert send(some_phone, mime(some_phone), save=True).empty  # it was not sent: the same ClientId is free
    assert len(sink.received) == 1


def test_a_message_beyond_the_limit_is_122(each_phone: Phone, sink: SmtpSink) -> None:
    kind = WBXML if each_phone.number >= 14 else MIME
    announced = {"Content-Type": kind, "Content-Length": str(10 << 20), "Expect": "100-continue"}
    answer = each_phone.raw(each_phone.query("SendMail"), b"", {**each_phone.headers(), **announced})
    assert refused(each_phone, answer) == expected(each_phone, 122, 413)
    assert answer.headers["Connection"] == "close"
    assert not sink.received


def test_one_bad_recipient_keeps_the_message_back(phone: Phone, sink: SmtpSink) -> None:
    sink.switches.reply_rcpt = "550 5.1.1 no such user"
    sink.switches.bad_recipients = frozenset({"nobody@example.test"})
    answer = send(phone, mime(phone, "To: ben@example.test, nobody@example.test"))
    assert refused(phone, answer) == "116"
    assert not sink.received


@pytest.mark.parametrize("version", ["14.0", "14.1", "16.0", "16.1"])
@pytest.mark.parametrize(
    "wrong",
    [
        element(ComposeMail.SendMail),
        element(ComposeMail.SendMail, element(ComposeMail.ClientId, "c-1")),
        document(b"To: a@example.test\r\n\r\nx", None),
        document(b"To: a@example.test\r\n\r\nx", "x" * 41),
        document(b"To: a@example.test\r\n\r\nx", ""),
    ],
    ids=["nothing", "no mime", "no id", "long id", "empty id"],
)
def test_a_document_that_lacks_something_is_103(
    new_phone: MakePhone, sink: SmtpSink, version: str, wrong: Element
) -> None:
    phone = new_phone(version)
    phone.provision()
    assert refused(phone, phone.post("SendMail", wrong)) == "103"
    assert not sink.received


@pytest.mark.parametrize(("version", "status"), [("14.1", "166"), ("16.0", "166"), ("16.1", "166")])
def test_another_account_is_166(new_phone: MakePhone, sink: SmtpSink, version: str, status: str) -> None:
    phone = new_phone(version)
    phone.provision()
    asked = document(mime(phone), "c-1", element(ComposeMail.AccountId, "other"))
    assert refused(phone, phone.post("SendMail", asked)) == status
    assert not sink.received


def test_the_wrong_form_for_the_version_is_refused(each_phone: Phone, sink: SmtpSink) -> None:
    if each_phone.number >= 14:
        answer = each_phone.post("SendMail", mime(each_phone), content_type=MIME)
        assert refused(each_phone, answer) == "101"
    else:
        answer = each_phone.post("SendMail", document(mime(each_phone)))
        assert answer.code == 400
    assert not sink.received
