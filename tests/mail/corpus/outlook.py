"""winmail.dat, in which Outlook packs texts, files and messages (MS-OXTNEF)."""

from __future__ import annotations

from tests.mail.corpus.parts import PIXEL, TEXT, Sample, base64_part, mail, multi
from tests.support import tnef

_RTF = rb"{\rtf1\ansi Hello Ann\par}"
_HTML_IN_RTF = rb"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Hello Ann{\*\htmltag72 </p>}}"


def _rtf(text: bytes) -> bytes:
    """RTF in the container of compressed RTF, but as it is (MS-OXRTFCP 2.1.3.1)."""
    sizes = (len(text) + 12).to_bytes(4, "little") + len(text).to_bytes(4, "little")
    return sizes + b"MELA" + bytes(4) + text


def _packed(data: bytes, name: str = "winmail.dat") -> bytes:
    return base64_part(
        f"application/ms-tnef; name={name}", data, f"Content-Disposition: attachment; filename={name}"
    )


def _alone(*attributes: tnef.Attribute, codepage: int = 1252) -> bytes:
    """A message with nothing else."""
    return mail(multi("mixed", _packed(tnef.stream(*attributes, codepage=codepage))))


def _beside_text(*attributes: tnef.Attribute) -> bytes:
    return mail(multi("mixed", TEXT, _packed(tnef.stream(*attributes))))


def _properties(*several: tuple[int, object]) -> tnef.Attribute:
    return tnef.PROPERTIES, tnef.properties(*several)


_FILE = tnef.file("a.pdf", b"%PDF")
_INNER = tnef.stream((tnef.SUBJECT, b"inner\0"), (tnef.BODY, b"deep\0"), *tnef.file("x.txt", b"y"))
_MESSAGE = tnef.file("mail", b"", (tnef.P_METHOD, 5), (tnef.P_DATA, tnef.Object(tnef.MESSAGE + _INNER)))
_OBJECT = tnef.file("chart", b"", (tnef.P_METHOD, 6), (tnef.P_DATA, tnef.Object(tnef.STORAGE + b"storage")))
_PICTURE = tnef.file("p.gif", PIXEL, (tnef.P_MIME, "image/gif"), (tnef.P_CONTENT_ID, "dot@x"))
_WITH_PICTURE = _properties((tnef.P_HTML, b'<p>Hello Ann<img src="cid:dot@x">'))
_WHOLE = tnef.stream((tnef.BODY, b"Hello Ann\0"), *_FILE, *_MESSAGE)

SAMPLES: tuple[Sample, ...] = (
    Sample(
        "winmail.dat that is none",
        mail(multi("mixed", TEXT, base64_part("application/ms-tnef", b"x"))),
        plain="Hello Ann",
        attachments=("winmail.dat",),
    ),
    Sample("winmail.dat: text", _alone((tnef.BODY, b"Hello Ann\0")), plain="Hello Ann", html="Hello Ann"),
    Sample(
        "winmail.dat: text of a code page",
        _alone((tnef.BODY, "Привет\0".encode("cp1251")), codepage=1251),
        plain="Привет",
    ),
    Sample(
        "winmail.dat: code page nobody knows",
        _alone((tnef.BODY, b"Hello Ann\0"), codepage=4711),
        plain="Hello Ann",
    ),
    Sample("winmail.dat: text as a property", _alone(_properties((tnef.P_BODY, "Grüße"))), plain="Grüße"),
    Sample(
        "winmail.dat: html",
        _alone(_properties((tnef.P_HTML, b"<p>Hello <b>Ann</b></p>"))),
        plain="Hello Ann",
        html="<b>Ann</b>",
        native=2,
    ),
    Sample("winmail.dat: rtf", _alone(_properties((tnef.P_RTF, _rtf(_RTF)))), plain="Hello Ann", native=3),
    Sample(
        "winmail.dat: html in rtf",
        _alone(_properties((tnef.P_RTF, _rtf(_HTML_IN_RTF)))),
        plain="Hello Ann",
        native=2,
    ),
    Sample(
        "winmail.dat: rtf that is none",
        _alone(_properties((tnef.P_RTF, b"nonsense"))),
        attachments=("winmail.dat",),
    ),
    Sample("winmail.dat: file", _beside_text(*_FILE), plain="Hello Ann", attachments=("a.pdf",)),
    Sample("winmail.dat: files alone", _alone(*_FILE, *_FILE), attachments=("a.pdf", "a.pdf")),
    Sample("winmail.dat: message", _beside_text(*_MESSAGE), plain="Hello Ann", attachments=("mail.eml",)),
    Sample(
        "winmail.dat: object",
        _beside_text(*_OBJECT),
        plain="Hello Ann",
        attachments=("chart",),
        inline=("chart",),
    ),
    Sample(
        "winmail.dat: picture of the html",
        _alone(_WITH_PICTURE, *_PICTURE),
        plain="Hello Ann",
        html="cid:dot@x",
        native=2,
        attachments=("p.gif",),
        inline=("p.gif",),
    ),
    Sample("winmail.dat: nothing in it", _beside_text(), plain="Hello Ann", attachments=("winmail.dat",)),
    Sample(
        "winmail.dat: known by its name",
        mail(
            multi(
                "mixed", TEXT, base64_part("application/octet-stream; name=WINMAIL.DAT", tnef.stream(*_FILE))
            )
        ),
        plain="Hello Ann",
        attachments=("a.pdf",),
    ),
    Sample(
        "winmail.dat: the whole message",
        mail(_packed(tnef.stream((tnef.BODY, b"Hello Ann\0"), *_FILE))),
        plain="Hello Ann",
        attachments=("a.pdf",),
    ),
    Sample(
        "winmail.dat: two of them",
        mail(multi("mixed", TEXT, _packed(tnef.stream(*_FILE)), _packed(tnef.stream(*_FILE)))),
        plain="Hello Ann",
        attachments=None,
    ),
    *(
        Sample(f"winmail.dat: cut at {end}", _cut, subject="s", plain=None, attachments=None)
        for end in range(8, len(_WHOLE), 40)
        for _cut in (mail(multi("mixed", TEXT, _packed(_WHOLE[:end]))),)
    ),
)
