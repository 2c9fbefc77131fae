"""vCards of all versions taken over: broken lines, encodings, pictures."""

from __future__ import annotations

import base64
import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gateway.pim.contacts.document import patch_contact, read_contact
from gateway.pim.contacts.intake import take_in
from gateway.pim.contacts.model import BadContact, Contact, Field
from gateway.pim.contacts.picture import shrunk
from tests.eas.content.shelf import NOW
from tests.pim.contacts.samples import SAMPLES


def take(*lines: str | bytes) -> tuple[str, list[tuple[int, str]]]:
    octets = [line.encode() if isinstance(line, str) else line for line in lines]
    taken = take_in(list(enumerate(octets, 1)))
    return taken.stored.text, list(taken.problems)


def read(*lines: str | bytes) -> Contact:
    return read_contact(take(*lines)[0])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NOTE:a\\nb\\,c", "a\nb,c"),
        ("NOTE;ENCODING=QUOTED-PRINTABLE:a=0Ab;=2C", "a\nb;,"),
        ("NOTE;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:=E9", "é"),
        (b"NOTE;CHARSET=ISO-8859-1:\xe9", "é"),
        (b"NOTE;CHARSET=nonsense:\xe9", "é"),
        (b"NOTE;CHARSET=a\x00b:\xe9", "é"),
        (b"NOTE;CHARSET=punycode:\xe9", "é"),
        (b"NOTE:\xe9", "é"),
        ("NOTE;CHARSET=UTF-8:é", "é"),
        ("note;language=fr;charset=utf-8:x", "x"),
        ('NOTE;X-P="a:b;c":x', "x"),
        ("group.NOTE:x", "x"),
    ],
)
@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_texts(line: str | bytes, value: str, version: str) -> None:
    assert read(f"VERSION:{version}", "FN:x", line)[Field.NOTE] == value


def test_lines_that_cannot_be_read_are_reported() -> None:
    text, problems = take(
        "VERSION:3.0", "FN:x", "no property", "TEL;=;:1", ";:", "TITLE:y", "NOTE:" + "a" * 1_100_000
    )
    assert [number for number, _ in problems] == [3, 5, 7]
    assert read_contact(text)[Field.JOB_TITLE] == "y"


def test_parameters_without_names_get_one() -> None:
    text, _ = take("VERSION:3.0", "FN:x", "TEL;CELL;PREF:1", "PHOTO;URL:http://a.example/b.jpg")
    assert "TEL;TYPE=CELL;TYPE=PREF:1\r\n" in text
    assert "PHOTO;VALUE=uri:http://a.example/b.jpg\r\n" in text


@pytest.mark.parametrize("version", ["4.0", "3.0"])
def test_what_is_well_written_stays(version: str) -> None:
    lines = ['TEL;TYPE="voice,home";PREF=1;VALUE=uri:tel:+1', "item1.X-A;B=c,d:e\\;f;g", "N:a;b,c;;;", "FN:x"]
    text, problems = take(f"VERSION:{version}", *lines, "UID:u")
    assert not problems
    assert text == "\r\n".join(("BEGIN:VCARD", f"VERSION:{version}", *lines, "UID:u", "END:VCARD", ""))


def picture(side: int, kind: str = "PNG") -> bytes:
    """A picture that does not get much smaller by compression."""
    noise = Image.effect_noise((side, side), 80).convert("RGB")
    made = io.BytesIO()
    noise.save(made, kind)
    return made.getvalue()


def test_a_large_picture_is_kept_in_a_size_that_can_be_stored() -> None:
    octets = picture(900)
    assert len(octets) > 512 * 1024
    written = base64.b64encode(octets).decode()
    folded = [f" {written[at : at + 72]}" for at in range(0, len(written), 72)]
    text, problems = take("VERSION:3.0", "FN:x", "PHOTO;ENCODING=b;TYPE=PNG:", *folded)
    assert not problems
    assert len(text) < 720 * 1024
    shown = base64.b64decode(str(read_contact(text)[Field.PICTURE]))
    assert Image.open(io.BytesIO(shown)).size == (640, 640)


def test_rubbish_of_a_picture_is_reported() -> None:
    written = base64.b64encode(b"\xff\xd8\xff" + b"a" * 600_000).decode()
    text, problems = take("VERSION:3.0", "FN:x", f"PHOTO;ENCODING=b:{written}")
    assert [reason for _, reason in problems] == ["a picture that is too large"]
    assert Field.PICTURE not in read_contact(text)


@pytest.mark.parametrize("side", [6000, 12_000, 60_000])
def test_a_picture_of_too_many_pixels_is_not_opened(side: int) -> None:
    small = picture(8)
    head = small[:16] + struct.pack(">II", side, side) + small[24:29]
    bomb = head + struct.pack(">I", zlib.crc32(head[12:29])) + small[33:] + bytes(40_000)
    assert Image.open(io.BytesIO(small)).size == (8, 8)
    assert shrunk(bomb, 36_000) == b""


@pytest.mark.parametrize("lines", [(), ("VERSION:3.0",), ("", "rubbish")])
def test_no_contact(lines: tuple[str, ...]) -> None:
    with pytest.raises(BadContact):
        take(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        ("N" + " " * 900_000,),
        ("N;" + " " * 900_000,),
        ("N;" + ";" * 900_000,),
        ('N;A="' + '"a' * 400_000,),
        ("NOTE;QUOTED-PRINTABLE:x=", *["y" * 70 + "="] * 100_000),
        ("no property", *[" y" * 35] * 100_000),
        ("PHOTO;BASE64:", *["A" * 76] * 100_000),
        *((f"{name}:x",) * 1900 for name in ("TEL", "EMAIL", "ADR", "RELATED;TYPE=child", "NOTE", "IMPP")),
    ],
    ids=lambda lines: lines[0][:20],
)
def test_much_of_anything_takes_moments(lines: tuple[str, ...]) -> None:
    began = time.process_time()
    text, _ = take("VERSION:2.1", "FN:x", *lines)
    before = read_contact(text)
    after = patch_contact(text, dict.fromkeys(before, "y") | {Field.HOME_PHONE2: "2", Field.EMAIL3: "3"}, NOW)
    assert read_contact(after)[Field.HOME_PHONE2] == "2"
    assert time.process_time() - began < 5


PIECES = st.sampled_from(
    [
        *(
            line
            for one in SAMPLES.values()
            for line in (one.text if isinstance(one.text, bytes) else one.text.encode()).split(b"\n")
        ),
        *(
            b"=",
            b" ",
            b"\t=",
            b"BEGIN:VCARD",
            b"END:VCARD",
            b"AGENT:",
            b";:",
            b"TEL;;;:;",
            b"N:\\",
            b"\x00\xff",
            b"VERSION:2.1",
        ),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=30), max_size=30))
def test_any_lines_are_a_contact_or_refused(lines: list[bytes]) -> None:
    try:
        text, _ = take(*lines)
    except BadContact:
        return
    contact = read_contact(text)
    assert patch_contact(text, contact, NOW) == text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    changed = patch_contact(text, {Field.LAST_NAME: "New", Field.MOBILE_PHONE: "1"}, NOW)
    again = read_contact(changed)
    assert (again[Field.LAST_NAME], again[Field.MOBILE_PHONE]) == ("New", "1")
    rest = {Field.LAST_NAME, Field.MOBILE_PHONE, Field.FILE_AS}
    assert {field: value for field, value in again.items() if field not in rest} == {
        field: value for field, value in contact.items() if field not in rest
    }
