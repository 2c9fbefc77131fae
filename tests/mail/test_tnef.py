"""Reading winmail.dat: what Outlook puts into it, and what hostile or broken ones hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mail.tnef import BadTnef, read
from tests.support import tnef

RTF = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
"""The example of MS-OXRTFCP 3.2.1: "hello world"."""
HTML_IN_RTF = rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Hi \{you\}{\*\htmltag72 </p>}}"


def uncompressed(rtf: bytes) -> bytes:
    return (len(rtf) + 12).to_bytes(4, "little") + len(rtf).to_bytes(4, "little") + b"MELA" + bytes(4) + rtf


def test_text_and_files_in_attributes() -> None:
    data = tnef.stream(
        (tnef.SUBJECT, b"Gr\xfc\xdfe\0"),
        (tnef.BODY, b"Sch\xf6n\r\n\0"),
        *tnef.file("a b.txt", b"one"),
        *tnef.file(
            "C:\\x.bin", bytes(range(256)), (tnef.P_LONG_NAME, "Übersicht 日本.bin"), (tnef.P_METHOD, 1)
        ),
    )
    message = read(data)
    assert (message.subject, message.text, message.html) == ("Grüße", "Schön\r\n", "")
    assert [(file.name, file.data) for file in message.files] == [
        ("a b.txt", b"one"),
        ("Übersicht 日本.bin", bytes(range(256))),
    ]


def test_properties_come_before_attributes() -> None:
    listed = tnef.properties(
        (tnef.P_BODY, "Привет"), (tnef.P_HTML, "<p>ü</p>".encode("cp1252")), named=["x", "longer name"]
    )
    message = read(tnef.stream((tnef.BODY, b"older\0"), (tnef.PROPERTIES, listed)))
    assert (message.text, message.html) == ("Привет", "<p>ü</p>")


def test_a_picture_of_the_html() -> None:
    properties = ((tnef.P_MIME, "Image/PNG"), (tnef.P_CONTENT_ID, "<one@x>"), (tnef.P_DATA, b"PNG"))
    [file] = read(tnef.stream(*tnef.file("p.png", b"", *properties))).files
    assert (file.content_type, file.content_id, file.data) == ("image/png", "one@x", b"PNG")


def test_text_of_compressed_rtf() -> None:
    message = read(tnef.stream((tnef.PROPERTIES, tnef.properties((tnef.P_RTF, RTF)))))
    assert message.text.strip() == "hello world"
    assert message.html == ""


def test_html_hidden_in_rtf() -> None:
    listed = tnef.properties((tnef.P_BODY, "Hi"), (tnef.P_RTF, uncompressed(HTML_IN_RTF)))
    message = read(tnef.stream((tnef.PROPERTIES, listed)))
    assert (message.text, message.html) == ("Hi", "<p>Hi {you}</p>")


def test_a_message_in_it_and_an_object() -> None:
    inner = tnef.stream((tnef.SUBJECT, b"inner\0"), (tnef.BODY, b"deep\0"), *tnef.file("x", b"y"))
    data = tnef.stream(
        *tnef.file("mail", b"", (tnef.P_METHOD, 5), (tnef.P_DATA, tnef.Object(tnef.MESSAGE + inner))),
        *tnef.file("chart", b"", (tnef.P_METHOD, 6), (tnef.P_DATA, tnef.Object(tnef.STORAGE + b"storage"))),
        *tnef.file("odd", b"", (tnef.P_METHOD, 5), (tnef.P_DATA, tnef.Object(tnef.MESSAGE + b"nothing"))),
    )
    mail, chart, odd = read(data).files
    assert mail.message is not None
    assert (mail.message.subject, mail.message.text) == ("inner", "deep")
    assert [file.name for file in mail.message.files] == ["x"]
    assert (chart.ole, chart.data, chart.message) == (True, b"storage", None)
    assert (odd.ole, odd.data, odd.message) == (False, b"nothing", None)


def test_messages_in_messages_end_somewhere() -> None:
    data = tnef.stream((tnef.BODY, b"last\0"))
    for _ in range(30):
        data = tnef.stream(*tnef.file("m", b"", (tnef.P_DATA, tnef.Object(tnef.MESSAGE + data))))
    message, depth = read(data), 0
    while message.files and message.files[0].message:
        message, depth = message.files[0].message, depth + 1
    assert depth == 4


def test_what_has_no_name_gets_one() -> None:
    assert [file.name for file in read(tnef.stream(*tnef.file("", b"x"), *tnef.file(" ", b"y"))).files] == [
        "attachment-1",
        "attachment-2",
    ]


def test_no_more_files_than_bearable() -> None:
    data = tnef.stream(*[each for _ in range(1000) for each in tnef.file("x", b"y")])
    assert len(read(data).files) == 200


@pytest.mark.parametrize("data", [b"", b"x", b"\x78\x9f\x3e", b"MZ" * 50])
def test_what_is_none(data: bytes) -> None:
    with pytest.raises(BadTnef):
        read(data)


WHOLE = tnef.stream(
    (tnef.BODY, b"text\0"),
    (tnef.PROPERTIES, tnef.properties((tnef.P_BODY, "text"), (tnef.P_RTF, RTF), named=["n"])),
    *tnef.file("a", b"b", (tnef.P_LONG_NAME, "long"), (tnef.P_DATA, tnef.Object(tnef.MESSAGE + b"\x78\x9f"))),
)


@given(st.integers(4, len(WHOLE)))
def test_what_is_cut_off_is_read_up_to_there(end: int) -> None:
    assert len(read(WHOLE[:end]).files) <= 1


@given(st.lists(st.tuples(st.integers(4, len(WHOLE) - 1), st.integers(0, 255)), max_size=12))
def test_any_octets_give_a_message(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for at, octet in changes:
        data[at] = octet
    message = read(bytes(data))
    (message.text + message.html + message.subject).encode("utf-16-le", "surrogatepass")
