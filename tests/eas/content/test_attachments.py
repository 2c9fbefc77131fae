"""Bytes behind FileReferences: whole, in ranges, in every transfer encoding."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.eas.content.attachments import AttachmentData, Base64Text, fetch_attachment
from gateway.eas.content.ids import FileReference
from gateway.errors import Kind, NotFound, Refused
from gateway.types import CollectionId, SectionRequest
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


class Watched(MemoryMailboxes):
    """Counts the octets that were fetched."""

    fetched = 0

    async def fetch_sections(
        self, mailbox: str, uidvalidity: int, requests: Sequence[SectionRequest]
    ) -> Mapping[SectionRequest, bytes]:
        answers = await super().fetch_sections(mailbox, uidvalidity, requests)
        self.fetched += sum(map(len, answers.values()))
        return answers


LARGE = random.Random(7).randbytes(300_001)


def large(line: int, end: bytes) -> bytes:
    text = base64.b64encode(LARGE)
    lines = end.join(text[at : at + line] for at in range(0, len(text), line))
    file = part("application/pdf", lines, "Content-Transfer-Encoding: base64")
    return mail(multi("mixed", TEXT, file))


@pytest.mark.parametrize(
    ("line", "end", "frugal"),
    [
        (76, b"\r\n", True),
        (60, b"\n", True),
        (64, b"\r\n", True),
        (72, b" \r\n", False),
        (75, b"\r\n", False),
    ],
)
@pytest.mark.parametrize(
    "byte_range",
    [
        (0, 9),
        (150_000, 159_999),
        (299_990, 299_999),
        (299_990, 300_000),
        (299_990, 999_999),
        (0, 300_000),
        (400_000, 400_001),
    ],
)
async def test_a_range_of_a_large_file_is_fetched_alone(
    line: int, end: bytes, frugal: bool, byte_range: tuple[int, int]
) -> None:
    mailboxes = Watched([large(line, end)])
    got = await fetch_attachment(mailboxes.port, "m", FileReference(CollectionId("5"), 7, 1, "2"), byte_range)
    assert got.data == LARGE[byte_range[0] : byte_range[1] + 1]
    assert (got.start, got.total) == (byte_range[0], len(LARGE))
    assert (mailboxes.fetched < len(got.data) * 1.5 + 6000) is frugal or byte_range == (0, 300_000)


async def test_a_large_file_of_uneven_lines_is_right_all_the_same() -> None:
    text = base64.b64encode(LARGE)
    lines = [text[at : at + 76] for at in range(0, len(text), 76)]
    lines[2000:2002] = [lines[2000] + lines[2001]]
    file = part("application/pdf", b"\r\n".join(lines), "Content-Transfer-Encoding: base64")
    for first in (100, 2000 * 57 - 50, 250_000):
        got = await fetched(mail(multi("mixed", TEXT, file)), byte_range=(first, first + 99))
        assert got.data == LARGE[first : first + 100]
        assert got.total == len(LARGE)


async def test_a_large_range_of_uneven_lines_is_right_all_the_same() -> None:
    data = LARGE * 4
    text = base64.b64encode(data)
    lines = [text[at : at + 76] for at in range(0, len(text), 76)]
    lines[15_000:15_002] = [lines[15_000] + lines[15_001]]
    file = part("application/pdf", b"\r\n".join(lines), "Content-Transfer-Encoding: base64")
    raw = mail(multi("mixed", TEXT, file))
    for byte_range in ((100, 999_999), (0, 5_000_000), (15_000 * 57, 15_001 * 57)):
        got = await fetched(raw, byte_range=byte_range, largest=10**7)
        assert got.data == data[byte_range[0] : byte_range[1] + 1]
        assert got.total == len(data)


@given(pieces=st.lists(st.binary(max_size=10)))
async def test_base64_text_of_pieces(pieces: list[bytes]) -> None:
    sink = Base64Text()
    for piece in pieces:
        await sink.write(piece)
    assert sink.text().octets == base64.b64encode(b"".join(pieces))


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
