"""Bytes behind FileReferences: whole, in ranges, in every transfer encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.attachments import AttachmentData, fetch_attachment
from gateway.eas.content.ids import FileReference
from gateway.errors import Kind, NotFound, Refused
from gateway.types import CollectionId
from tests.mail.corpus import INNER, MESSAGE, TEXT, mail, multi, part
from tests.mail.test_transfer import encoded
from tests.support.mailboxes import MemoryMailboxes

FILE = bytes(range(256)) * 5


def message(encoding: str, data: bytes = FILE, content_type: str = "application/pdf") -> bytes:
    file = part(content_type, encoded(data, encoding), f"Content-Transfer-Encoding: {encoding}")
    return mail(multi("mixed", TEXT, file))


async def fetched(
    raw: bytes,
    section: str = "2",
    byte_range: tuple[int, int] | None = None,
    *,
    uid: int = 1,
    largest: int = 10**6,
) -> AttachmentData:
    reference = FileReference(CollectionId("5"), 7, uid, section)
    return await fetch_attachment(MemoryMailboxes([raw]).port, "m", reference, byte_range, largest=largest)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable", "x-uuencode", "7bit"])
async def test_whole(encoding: str) -> None:
    data = b"only ASCII\r\n" * 50 if encoding == "7bit" else FILE
    got = await fetched(message(encoding, data))
    assert got == AttachmentData("application/pdf", data, 0, len(data))


@pytest.mark.parametrize("encoding", ["base64", "8bit"])
@given(first=st.integers(0, 700), length=st.integers(1, 700))
async def test_ranges(encoding: str, first: int, length: int) -> None:
    data = b"0123456789" * 60
    got = await fetched(message(encoding, data), byte_range=(first, first + length - 1))
    assert got.data == data[first : first + length]
    assert (got.start, got.total) == (first, len(data))


async def test_an_embedded_message_is_its_bytes() -> None:
    got = await fetched(mail(multi("mixed", TEXT, MESSAGE)))
    assert got.content_type == "message/rfc822"
    assert got.data == INNER


async def test_parts_of_embedded_messages_are_found() -> None:
    inner = part("message/rfc822", message("base64"))
    assert (await fetched(mail(multi("mixed", TEXT, inner, boundary="outer")), "2.2")).data == FILE


@pytest.mark.parametrize(("section", "uid"), [("3", 1), ("2.1", 1), ("2", 9)])
async def test_what_is_gone_is_not_found(section: str, uid: int) -> None:
    with pytest.raises(NotFound):
        await fetched(message("base64"), section, uid=uid)


@pytest.mark.parametrize("encoding", ["base64", "8bit"])
async def test_too_much_is_refused(encoding: str) -> None:
    data = b"0123456789" * 60
    with pytest.raises(Refused) as refused:
        await fetched(message(encoding, data), largest=599)
    assert refused.value.kind is Kind.TOO_LARGE
    assert (await fetched(message(encoding, data), byte_range=(100, 198), largest=99)).total == 600


async def test_a_type_that_is_no_type_is_not_passed_on() -> None:
    assert (await fetched(message("base64", content_type="applicätion/pdf"))).content_type in {
        "application/octet-stream",
        "text/plain",
    }
