"""Bodies and attachments of mail as the phone wants them: BodyPreference, MIMESupport (MS-ASAIRS 2.2.2)."""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import MakePhone
from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, body_preference, options
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email

TEXT = "Grüße aus Köln – 日本語 😀\r\n" * 20
HTML = "<html><body><p>Grüße <b>aus</b> Köln</p>" + "<p>日本語 😀</p>" * 40 + "</body></html>"


def mime_support(value: int) -> Element:
    return element(AirSync.MIMESupport, value)


def item(phone: Phone, dovecot: Dovecot, message: bytes, *wanted: Element) -> Element:
    """The properties of a message from a first Sync with these options."""
    dovecot.deliver(phone.user, message)
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    (data,) = phone.sync(folder, options(*wanted)).added.values()
    return data


def body_of(data: Element) -> tuple[list[str], str, str]:
    """The names of the children of Body, its Type, its Data."""
    (body,) = data.findall(AirSyncBase.Body)
    return (
        [child.tag.name for child in body],
        body.child_text(AirSyncBase.Type) or "",
        body.child_text(AirSyncBase.Data) or "",
    )


def number(data: Element, name: str) -> int:
    (body,) = data.findall(AirSyncBase.Body)
    return int(body.child_text(getattr(AirSyncBase, name)) or "0")


def alternative() -> bytes:
    return messages.alternative("both", TEXT.replace("\r\n", "\n"), HTML)


WHOLE, CUT = ["Type", "EstimatedDataSize", "Data"], ["Type", "EstimatedDataSize", "Truncated", "Data"]
NONE = ["Type", "EstimatedDataSize", "Truncated"]


def test_text(each_phone: Phone, dovecot: Dovecot) -> None:
    data = item(each_phone, dovecot, alternative(), body_preference(1))
    assert body_of(data) == (WHOLE, "1", TEXT)
    assert number(data, "EstimatedDataSize") == len(TEXT.encode())
    assert data.child_text(AirSyncBase.NativeBodyType) == "2"


def test_html(each_phone: Phone, dovecot: Dovecot) -> None:
    children, kind, shown = body_of(item(each_phone, dovecot, alternative(), body_preference(2)))
    assert (children, kind) == (WHOLE, "2")
    assert "<b>aus</b>" in shown
    assert shown.count("日本語 😀") == 40


def test_text_when_only_html_is_there(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, messages.html("html", HTML), body_preference(1))
    children, kind, shown = body_of(data)
    assert (children, kind) == (WHOLE, "1")
    assert "Grüße aus Köln" in shown
    assert "<" not in shown
    assert data.child_text(AirSyncBase.NativeBodyType) == "2"


def test_html_when_only_text_is_there(some_phone: Phone, dovecot: Dovecot) -> None:
    message = messages.plain("text", "1 < 2\nhttp://example.test/\n")
    data = item(some_phone, dovecot, message, body_preference(2))
    children, kind, shown = body_of(data)
    assert (children, kind) == (WHOLE, "2")
    assert "1 &lt; 2" in shown
    assert data.child_text(AirSyncBase.NativeBodyType) == "1"


def test_the_native_form_is_preferred(some_phone: Phone, dovecot: Dovecot) -> None:
    both = (body_preference(1), body_preference(2))
    assert body_of(item(some_phone, dovecot, messages.plain("text", "hello\n"), *both))[1] == "1"
    some_phone.user += "-2"
    some_phone.provision()
    assert body_of(item(some_phone, dovecot, messages.html("html", HTML), *both))[1] == "2"


def test_without_a_preference_there_is_a_body(some_phone: Phone, dovecot: Dovecot) -> None:
    children, kind, shown = body_of(item(some_phone, dovecot, messages.plain("text", "hello\n")))
    assert (children, kind, shown.strip()) == (WHOLE, "1", "hello")


@pytest.mark.parametrize("size", [1, 3, 50, 51, 52, 53, 54, 55, 56, 200])
def test_text_is_cut_to_the_byte(phone: Phone, dovecot: Dovecot, size: int) -> None:
    data = item(phone, dovecot, alternative(), body_preference(1, size))
    children, _, shown = body_of(data)
    assert children == CUT
    whole = TEXT.encode()
    assert whole.startswith(shown.encode())
    assert size - 4 < len(shown.encode()) <= size  # never inside a character
    assert number(data, "Truncated") == 1
    assert number(data, "EstimatedDataSize") == len(whole)


def test_a_size_that_just_fits_cuts_nothing(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, alternative(), body_preference(1, len(TEXT.encode())))
    assert body_of(data) == (WHOLE, "1", TEXT)


def test_html_is_cut_to_the_size(some_phone: Phone, dovecot: Dovecot) -> None:
    children, _, shown = body_of(item(some_phone, dovecot, alternative(), body_preference(2, 200)))
    assert children == CUT
    assert 0 < len(shown.encode()) <= 200


def test_size_0_gives_no_data(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, alternative(), body_preference(1, 0))
    assert body_of(data)[0] == NONE
    assert number(data, "EstimatedDataSize") > 0


def test_all_or_none(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, alternative(), body_preference(2, 50, all_or_none=True))
    assert body_of(data)[:2] == (NONE, "2")


def test_all_or_none_falls_back_to_the_next(some_phone: Phone, dovecot: Dovecot) -> None:
    wanted = (body_preference(2, 50, all_or_none=True), body_preference(1, 50))
    children, kind, shown = body_of(item(some_phone, dovecot, alternative(), *wanted))
    assert (children, kind) == (CUT, "1")
    assert 46 < len(shown.encode()) <= 50


def test_all_or_none_gives_all_when_it_fits(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, alternative(), body_preference(1, 100000, all_or_none=True))
    assert body_of(data) == (WHOLE, "1", TEXT)


# --- MIME --------------------------------------------------------------------------------------------------


def test_mime_when_supported_for_all(some_phone: Phone, dovecot: Dovecot) -> None:
    message = alternative()
    data = item(some_phone, dovecot, message, mime_support(2), body_preference(1), body_preference(4))
    children, kind, shown = body_of(data)
    assert (children, kind) == (WHOLE, "4")
    assert shown.encode() == message


def test_mime_is_cut(some_phone: Phone, dovecot: Dovecot) -> None:
    message = alternative()
    data = item(some_phone, dovecot, message, mime_support(2), body_preference(4, 300))
    children, _, shown = body_of(data)
    assert children == CUT
    assert shown.encode() == message[:300]
    assert number(data, "EstimatedDataSize") == len(message)


@pytest.mark.parametrize("support", [0, 1])
def test_no_mime_for_normal_mail_unless_supported(some_phone: Phone, dovecot: Dovecot, support: int) -> None:
    wanted = (mime_support(support), body_preference(1), body_preference(4))
    assert body_of(item(some_phone, dovecot, alternative(), *wanted)) == (WHOLE, "1", TEXT)


@pytest.mark.parametrize(("support", "kind"), [(0, "1"), (1, "4"), (2, "4")])
def test_signed_mail(some_phone: Phone, dovecot: Dovecot, support: int, kind: str) -> None:
    message = messages.signed()
    wanted = (mime_support(support), body_preference(1), body_preference(4))
    data = item(some_phone, dovecot, message, *wanted)
    assert data.child_text(Email.MessageClass) == "IPM.Note.SMIME.MultipartSigned"
    _, found, shown = body_of(data)
    assert found == kind
    assert (shown.encode() == message) if kind == "4" else ("signed text" in shown)


# --- previews and attachments ------------------------------------------------------------------------------


def preview_of(data: Element) -> str | None:
    (body,) = data.findall(AirSyncBase.Body)
    return body.child_text(AirSyncBase.Preview)


def test_a_preview(each_phone: Phone, dovecot: Dovecot) -> None:
    data = item(each_phone, dovecot, alternative(), body_preference(2, 0, preview=30))
    children = body_of(data)[0]
    if each_phone.number < 14:
        assert children == NONE
    else:
        assert children == [*NONE, "Preview"]
        assert (preview_of(data) or "").startswith("Grüße aus Köln")
        assert len(preview_of(data) or "") <= 30


@pytest.mark.parametrize("version", ["14.0", "16.1"])
def test_no_preview_beside_text(new_phone: MakePhone, dovecot: Dovecot, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    assert body_of(item(phone, dovecot, alternative(), body_preference(1, preview=30)))[0] == WHOLE


def test_attachments(each_phone: Phone, dovecot: Dovecot) -> None:
    data = item(each_phone, dovecot, messages.with_attachments("files"), body_preference(1))
    attachments = data.find(AirSyncBase.Attachments)
    assert attachments is not None
    pdf, csv = attachments
    assert pdf.tag is AirSyncBase.Attachment
    for one in (pdf, csv):
        names = [child.tag.name for child in one]
        assert {"DisplayName", "FileReference", "Method", "EstimatedDataSize"} <= set(names)
        assert one.child_text(AirSyncBase.Method) == "1"
        assert one.child_text(AirSyncBase.IsInline) is None
    assert pdf.child_text(AirSyncBase.DisplayName) == "offer.pdf"
    assert csv.child_text(AirSyncBase.DisplayName) == "Preise für März.csv"


def test_an_inline_picture(some_phone: Phone, dovecot: Dovecot) -> None:
    data = item(some_phone, dovecot, messages.inline_image(), body_preference(2))
    assert 'src="cid:red"' in body_of(data)[2]
    attachments = data.find(AirSyncBase.Attachments)
    assert attachments is not None
    (picture,) = attachments
    assert picture.child_text(AirSyncBase.ContentId) == "red"
    assert picture.child_text(AirSyncBase.IsInline) == "1"


def test_an_attached_message(some_phone: Phone, dovecot: Dovecot) -> None:
    attachments = item(some_phone, dovecot, messages.forwarded(), body_preference(1)).find(
        AirSyncBase.Attachments
    )
    assert attachments is not None
    (message,) = attachments
    assert message.child_text(AirSyncBase.Method) == "5"
    assert (message.child_text(AirSyncBase.DisplayName) or "").endswith(".eml")


def test_no_attachments_no_element(phone: Phone, dovecot: Dovecot) -> None:
    assert item(phone, dovecot, alternative(), body_preference(1)).find(AirSyncBase.Attachments) is None


def test_broken_mail_is_shown_with_the_rest(some_phone: Phone, dovecot: Dovecot) -> None:
    for name, build in messages.BROKEN.items():
        dovecot.deliver(some_phone.user, build(name))
    dovecot.deliver(some_phone.user, messages.nested(60))
    folder = some_phone.folders()["Inbox"]
    some_phone.begin(folder)
    served = some_phone.sync(folder, options(body_preference(2, 5000)))
    assert len(served.added) == len(messages.BROKEN) + 1
    assert all(data.find(AirSyncBase.Body) for data in served.added.values())


@pytest.mark.parametrize("version", ["14.1", "16.0", "16.1"])
def test_a_body_part(new_phone: MakePhone, dovecot: Dovecot, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    wanted = element(AirSyncBase.BodyPartPreference, element(AirSyncBase.Type, 2))
    data = item(phone, dovecot, alternative(), wanted)
    assert not data.findall(AirSyncBase.Body)
    (part,) = data.findall(AirSyncBase.BodyPart)
    assert [child.tag.name for child in part] == ["Status", "Type", "EstimatedDataSize", "Data"]
    assert part.child_text(AirSyncBase.Status) == "1"


QUOTE = '<div class="gmail_quote"><div>Ann wrote:</div><blockquote>the question</blockquote></div>'


@pytest.mark.parametrize("version", ["14.1", "16.1"])
@pytest.mark.parametrize(
    ("head", "original", "new"),
    [
        (b"", messages.html("Re: plan", f"<p>my answer</p>{QUOTE}"), "the question"),
        (b"In-Reply-To: <1@x>\r\n", messages.html("Fwd: plan", f"<p>my answer</p>{QUOTE}"), "the question"),
        (b"In-Reply-To: <1@x>\r\n", messages.html("Re: plan", f"<p>my answer</p>{QUOTE}"), "my answer"),
        (b"In-Reply-To: <1@x>\r\n", messages.html("Re: plan", QUOTE), "the question"),
        (
            b"References: <1@x>\r\n",
            messages.plain("Re: plan", "my answer\n\nAnn wrote:\n> the question\n"),
            "my answer",
        ),
    ],
    ids=["the first", "forwarded", "answered", "nothing new", "plain"],
)
def test_the_body_part_of_an_answer_is_what_is_new(
    new_phone: MakePhone, dovecot: Dovecot, version: str, head: bytes, original: bytes, new: str
) -> None:
    phone = new_phone(version)
    phone.provision()
    part_wanted = element(AirSyncBase.BodyPartPreference, element(AirSyncBase.Type, 2))
    data = item(phone, dovecot, head + original, body_preference(2), part_wanted)
    (body,), (part,) = data.findall(AirSyncBase.Body), data.findall(AirSyncBase.BodyPart)
    shown = part.child_text(AirSyncBase.Data) or ""
    assert "the question" in (body.child_text(AirSyncBase.Data) or "")
    assert new in shown
    assert ("the question" in shown) is (new == "the question")
    assert part.child_text(AirSyncBase.EstimatedDataSize) == str(len(shown.encode()))
    assert part.find(AirSyncBase.Truncated) is None


@pytest.mark.parametrize("version", ["14.1", "16.0", "16.1"])
def test_a_body_part_of_another_type_is_164(new_phone: MakePhone, version: str) -> None:
    phone = new_phone(version)
    phone.provision()
    folder = phone.folders()["Inbox"]
    phone.begin(folder)
    wanted = element(AirSyncBase.BodyPartPreference, element(AirSyncBase.Type, 1))
    root = phone.post_sync(phone.collection(folder, options(wanted))).root
    assert [(child.tag.name, child.text()) for child in root] == [("Status", "164")]
