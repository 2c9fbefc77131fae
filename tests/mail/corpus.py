"""Messages as the world writes them, well and badly, and what a phone should see of each.

All are made by hand for this purpose. `SAMPLES` is the list; a new kind of trouble gets a line there.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

__all__ = ["SAMPLES", "Sample"]

ANN = '"Ann" <ann@example.org>'
PIXEL = b"R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@dataclass(frozen=True, slots=True)
class Sample:
    """A message and what is expected: properties whole; of bodies, a piece they hold and one they do not."""

    name: str
    raw: bytes
    subject: str = "s"
    sender: str = ANN
    plain: str = ""
    html: str = ""
    absent: str = ""
    native: int = 1
    attachments: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    message_class: str = "IPM.Note"


def crlf(text: str | bytes) -> bytes:
    octets = text.encode("utf-8") if isinstance(text, str) else text
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def mail(content: bytes, fields: str | bytes = "From: Ann <ann@example.org>\nSubject: s\n") -> bytes:
    """A message of header fields and a MIME part (its own fields, an empty line, its body)."""
    return crlf(fields) + b"MIME-Version: 1.0\r\n" + content


def part(content_type: str, body: str | bytes, *fields: str) -> bytes:
    head = "".join(f"{field}\n" for field in (f"Content-Type: {content_type}", *fields))
    return crlf(head) + b"\r\n" + (crlf(body) if isinstance(body, str) else body)


def multi(subtype: str, *parts: bytes, boundary: str = "b", params: str = "") -> bytes:
    line = b"--" + boundary.encode()
    head = crlf(f'Content-Type: multipart/{subtype}; boundary="{boundary}"{params}\n\n')
    return head + b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + b"--\r\n"


def coded(charset: str, text: str, codec: str | None = None) -> bytes:
    return part(
        f"text/plain; charset={charset}", text.encode(codec or charset), "Content-Transfer-Encoding: 8bit"
    )


def base64_part(content_type: str, body: bytes, *fields: str) -> bytes:
    return part(
        content_type,
        base64.encodebytes(body).replace(b"\n", b"\r\n"),
        "Content-Transfer-Encoding: base64",
        *fields,
    )


def subject(raw: str | bytes) -> bytes:
    octets = raw if isinstance(raw, bytes) else raw.encode("utf-8")
    return b"From: Ann <ann@example.org>\nSubject: " + octets + b"\n"


def sender(raw: str) -> str:
    return f"From: {raw}\nSubject: s\n"


def file(name_fields: str, content_type: str = "application/pdf") -> bytes:
    return base64_part(content_type, b"%PDF", f"Content-Disposition: attachment{name_fields}")


TEXT = part("text/plain; charset=utf-8", "Hello Ann")
HTML = part("text/html; charset=utf-8", "<html><body><p>Hello <b>Ann</b></p></body></html>")
BOTH = multi("alternative", TEXT, HTML, boundary="alt")
IMAGE = part(
    "image/gif; name=dot.gif",
    PIXEL,
    "Content-Transfer-Encoding: base64",
    "Content-ID: <dot@x>",
    "Content-Disposition: inline",
)
WITH_IMAGE = part("text/html", '<img src="cid:dot@x"><p>Hello <b>Ann</b></p>')
INNER = mail(TEXT, "From: Bob <bob@example.org>\nSubject: inner\n")
MESSAGE = part("message/rfc822", INNER)
SIGNATURE = base64_part(
    "application/pkcs7-signature; name=smime.p7s",
    b"signature",
    "Content-Disposition: attachment; filename=smime.p7s",
)
INVITATION = part("text/calendar; charset=utf-8; method=REQUEST", "BEGIN:VCALENDAR\nEND:VCALENDAR\n")

_CHARSETS = (
    ("us-ascii", "plain words", None),
    ("utf-8", "Grüße, Ελλάδα, 日本", None),
    ("UTF8", "Grüße", "utf-8"),
    ("iso-8859-1", "naïve café", None),
    ("ISO-8859-15", "10 € für Œuvre", None),
    ("windows-1252", "“quoted” — 10 €", None),
    ("iso-8859-2", "Žluťoučký kůň", None),
    ("windows-1250", "Příliš žluťoučký", None),
    ("windows-1251", "Привет, мир", None),
    ("win-1251", "Привет", "windows-1251"),
    ("koi8-r", "Привет, мир", None),
    ("koi8-u", "Привіт, світ", None),
    ("iso-8859-7", "Ελλάδα", None),
    ("iso-8859-8-i", "שלום", "iso-8859-8"),
    ("windows-1256", "مرحبا", None),
    ("iso-8859-9", "İstanbul ğüş", None),
    ("cp-850", "Größe", "cp850"),
    ("ibm852", "Łódź", "cp852"),
    ("tis-620", "สวัสดี", None),
    ("gb2312", "你好，世界", None),
    ("gb2312", "朱镕基", "gb18030"),
    ("gbk", "繁體與简体", None),
    ("gb18030", "你好𠀀", None),
    ("big5", "你好，世界", None),
    ("euc-kr", "안녕하세요", None),
    ("ks_c_5601-1987", "똠방각하", "cp949"),
    ("iso-2022-jp", "こんにちは世界", None),
    ("shift_jis", "こんにちは", None),
    ("windows-31j", "①髙橋", "cp932"),
    ("x-sjis", "日本語", "shift_jis"),
    ("euc-jp", "日本語テスト", None),
    ("utf-7", "Grüße", None),
    ("macintosh", "Grüße", "mac_roman"),
    ("unknown-8bit", "Grüße", "utf-8"),
    ("x-no-such-charset", "Grüße", "windows-1252"),
    ("ansi", "Grüße", "windows-1252"),
    ("us-ascii", "Grüße as UTF-8", "utf-8"),
    ("us-ascii", "Grüße as Latin-1", "iso-8859-1"),
    ("utf-8", "Grüße which are Latin-1", "iso-8859-1"),
    ("hex", "a codec that is no charset", "ascii"),
)

_SUBJECTS = (
    ("plain", "s t", "s t"),
    ("folded", "one\n two\n\tthree", "one two\tthree".replace("\t", " ")),
    ("q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=", "Grüße aus Köln"),
    ("b", "=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
    ("adjacent", "=?utf-8?Q?Gr=C3=BC?=\n =?utf-8?Q?=C3=9Fe?= here", "Grüße here"),
    ("split character", "=?utf-8?B?R3LD?= =?utf-8?B?vMOfZQ==?=", "Grüße"),
    ("no padding", "=?utf-8?B?R3LDvMOfZQ?=", "Grüße"),
    ("language", "=?iso-8859-1*de?Q?Gr=FC=DFe?=", "Grüße"),
    ("two charsets", "=?iso-8859-1?Q?Gr=FC=DFe?= =?koi8-r?B?8NLJ18XU?=", "GrüßeПривет"),
    ("japanese", "=?ISO-2022-JP?B?GyRCJDMkcyRLJEEkTxsoQg==?=", "こんにちは"),
    ("unknown charset", "=?x-nobody?Q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
    ("unfinished", "=?utf-8?Q?Gr=C3=BC", "=?utf-8?Q?Gr=C3=BC"),
    ("raw utf-8", "Grüße", "Grüße"),
    ("raw latin-1", "Grüße".encode("latin-1"), "Grüße"),
    ("space in q", "=?utf-8?Q?Gr=C3=BC=C3=9Fe an alle?=", "Grüße an alle"),
    ("controls", b"a\x00b\x1fc", "abc"),
)

_SENDERS = (
    ("name", "Ann <ann@example.org>", ANN),
    ("bare", "ann@example.org", "ann@example.org"),
    ("comment", "ann@example.org (Ann)", ANN),
    ("quoted comma", '"Archer, Ann" <ann@example.org>', '"Archer, Ann" <ann@example.org>'),
    ("encoded comma", "=?utf-8?Q?Archer=2C_Ann?= <ann@example.org>", '"Archer, Ann" <ann@example.org>'),
    ("raw comma in q", "=?utf-8?Q?Archer,_Ann?= <ann@example.org>", '"Archer, Ann" <ann@example.org>'),
    ("encoded in quotes", '"=?utf-8?Q?=C3=84nn?=" <ann@example.org>', '"Änn" <ann@example.org>'),
    ("quotes in name", r'"Ann \"A\" Archer" <ann@example.org>', r'"Ann \"A\" Archer" <ann@example.org>'),
    ("raw name", "Änn <ann@example.org>", '"Änn" <ann@example.org>'),
    ("unclosed angle", "Ann <ann@example.org", ANN),
    ("nested comments", "Ann (a (b (c))) <ann@example.org>", ANN),
    ("no address", "Mail System", '"Mail System"'),
)

_FILE_NAMES = (
    ("plain", '; filename="a.pdf"', "a.pdf"),
    ("rfc 2231", "; filename*=utf-8''%C3%9Cbersicht.pdf", "Übersicht.pdf"),
    ("rfc 2231 latin-1", "; filename*=iso-8859-1'de'%DCbersicht.pdf", "Übersicht.pdf"),
    ("continued", '; filename*0="long "; filename*1="name.pdf"', "long name.pdf"),
    (
        "continued and encoded",
        "; filename*0*=utf-8''%C3%9Cber; filename*1*=%C3%A4ll; filename*2=\".pdf\"",
        "Überäll.pdf",
    ),
    ("rfc 2047", '; filename="=?utf-8?B?w5xiZXJzaWNodC5wZGY=?="', "Übersicht.pdf"),
    ("raw utf-8", '; filename="Übersicht.pdf"', "Übersicht.pdf"),
    ("path", '; filename="C:\\\\temp\\\\a.pdf"', "a.pdf"),
    ("climbing", '; filename="../../etc/passwd"', "passwd"),
    ("nameless", "", "attachment.pdf"),
    ("empty", '; filename=""', "attachment.pdf"),
)


def _charset_samples() -> list[Sample]:
    return [
        Sample(f"charset {name} {number}", mail(coded(name, text, codec or name)), plain=text, html=text)
        for number, (name, text, codec) in enumerate(_CHARSETS)
    ]


_STRUCTURES = [
    Sample("no header at all", crlf("\nJust a body"), subject="", sender="", plain="Just a body"),
    Sample("no MIME", crlf("From: Ann <ann@example.org>\nSubject: s\n\nHello Ann"), plain="Hello Ann"),
    Sample("empty body", mail(part("text/plain", ""))),
    Sample("lone LF in base64", mail(base64_part("text/plain", b"one\ntwo")), plain="one\r\ntwo"),
    Sample(
        "quoted-printable",
        mail(
            part(
                "text/plain; charset=utf-8",
                "Gr=C3=BC=C3=9Fe an =\nalle",
                "Content-Transfer-Encoding: quoted-printable",
            )
        ),
        plain="Grüße an alle",
    ),
    Sample(
        "flowed",
        mail(part("text/plain; charset=utf-8; format=flowed", "Hello \nAnn\n> quo \n> ted")),
        plain="Hello Ann\r\n> quo ted",
        html="Hello Ann<br>",
    ),
    Sample(
        "broken base64",
        mail(part("text/plain", "SGVs*bG8g!QW5u=", "Content-Transfer-Encoding: base64")),
        plain="Hello Ann",
    ),
    Sample(
        "uuencode",
        mail(
            part(
                "text/plain",
                'begin 644 x\n+2&5L;&\\@06YN"@``\n`\nend\n',
                "Content-Transfer-Encoding: x-uuencode",
            )
        ),
        plain="Hello Ann",
    ),
    Sample(
        "unknown encoding",
        mail(part("text/plain", "Hello Ann", "Content-Transfer-Encoding: x-odd")),
        plain="Hello Ann",
    ),
    Sample(
        "control characters",
        mail(part("text/plain", b"Hel\x00lo\x0b \x1bAnn")),
        plain="Hello Ann",
        html="Hello Ann",
    ),
    Sample(
        "noncharacters", mail(part("text/plain; charset=utf-8", "Hello\ufffe Ann\uffff")), plain="Hello Ann"
    ),
    Sample("html", mail(HTML), plain="Hello Ann", html="<b>Ann</b>", native=2),
    Sample(
        "html charset from meta",
        mail(part("text/html", '<meta charset="koi8-r"><p>Привет'.encode("koi8-r"))),
        plain="Привет",
        html="utf-8",
        native=2,
    ),
    Sample(
        "html charset of MIME wins",
        mail(part("text/html; charset=utf-8", '<meta charset="koi8-r"><p>Привет')),
        plain="Привет",
        html="Привет",
        native=2,
    ),
    Sample(
        "html with script",
        mail(part("text/html", "<script>evil()</script><style>x</style>Hello Ann")),
        plain="Hello Ann",
        native=2,
    ),
    Sample(
        "html deeply nested",
        mail(part("text/html", "<div>" * 5000 + "Hello Ann")),
        plain="Hello Ann",
        native=2,
    ),
    Sample("alternative", mail(BOTH), plain="Hello Ann", html="<b>Ann</b>", native=2),
    Sample(
        "alternative, html first",
        mail(multi("alternative", HTML, TEXT)),
        plain="Hello Ann",
        html="<b>Ann</b>",
        native=2,
    ),
    Sample("alternative of one", mail(multi("alternative", TEXT)), plain="Hello Ann"),
    Sample(
        "alternative with AMP",
        mail(multi("alternative", TEXT, part("text/x-amp-html", "<html amp>"), HTML)),
        plain="Hello Ann",
        html="<b>Ann</b>",
        absent="amp",
        native=2,
    ),
    Sample(
        "alternative with related",
        mail(multi("alternative", TEXT, multi("related", WITH_IMAGE, IMAGE, boundary="r"))),
        plain="Hello Ann",
        html="cid:dot@x",
        native=2,
        attachments=("dot.gif",),
        inline=("dot.gif",),
    ),
    Sample(
        "related with alternative",
        mail(multi("related", BOTH, IMAGE)),
        plain="Hello Ann",
        html="<b>Ann</b>",
        native=2,
        attachments=("dot.gif",),
        inline=("dot.gif",),
    ),
    Sample(
        "related, image first",
        mail(multi("related", IMAGE, WITH_IMAGE)),
        plain="Hello Ann",
        html="cid:dot@x",
        native=2,
        attachments=("dot.gif",),
        inline=("dot.gif",),
    ),
    Sample(
        "related with start",
        mail(
            multi(
                "related",
                part("text/plain", "other"),
                part("text/html", "<p>Hello Ann", "Content-ID: <root>"),
                params='; start="<root>"',
            )
        ),
        plain="Hello Ann",
        absent="other",
        native=2,
        attachments=("attachment.txt",),
    ),
    Sample(
        "mixed",
        mail(multi("mixed", TEXT, file('; filename="a.pdf"'))),
        plain="Hello Ann",
        attachments=("a.pdf",),
    ),
    Sample(
        "mixed of alternative",
        mail(multi("mixed", BOTH, file('; filename="a.pdf"'))),
        plain="Hello Ann",
        html="<b>Ann</b>",
        native=2,
        attachments=("a.pdf",),
    ),
    Sample(
        "text, picture, text",
        mail(multi("mixed", TEXT, file('; filename="p.jpg"', "image/jpeg"), part("text/plain", "Bye"))),
        plain="Hello Ann\r\n\r\nBye",
        html="Bye",
        attachments=("p.jpg",),
    ),
    Sample(
        "html, pdf, html",
        mail(
            multi(
                "alternative",
                TEXT,
                multi(
                    "mixed",
                    HTML,
                    file('; filename="a.pdf"'),
                    part("text/html", "<html><head></head><body>Bye</body></html>"),
                    boundary="m",
                ),
            )
        ),
        plain="Hello Ann",
        html="Bye</body></html>",
        native=2,
        attachments=("a.pdf",),
    ),
    Sample(
        "list footer",
        mail(multi("mixed", BOTH, part("text/plain", "unsubscribe"))),
        plain="Hello Ann\r\n\r\nunsubscribe",
        html="unsubscribe",
        native=2,
    ),
    Sample(
        "text attachment",
        mail(
            multi(
                "mixed",
                TEXT,
                part("text/plain", "secret", 'Content-Disposition: attachment; filename="n.txt"'),
            )
        ),
        plain="Hello Ann",
        absent="secret",
        attachments=("n.txt",),
    ),
    Sample(
        "inline text file",
        mail(
            multi("mixed", TEXT, part("text/plain; name=log.txt", "log lines", "Content-Disposition: inline"))
        ),
        plain="Hello Ann",
        absent="log lines",
        attachments=("log.txt",),
    ),
    Sample(
        "body with a name",
        mail(multi("mixed", part("text/plain; name=body.txt", "Hello Ann"), file("; filename=a.pdf"))),
        plain="Hello Ann",
        attachments=("a.pdf",),
    ),
    Sample("attachment only", mail(file('; filename="a.pdf"')), attachments=("a.pdf",)),
    Sample("image only", mail(base64_part("image/png", b"png")), attachments=("image.png",)),
    Sample(
        "csv",
        mail(multi("mixed", TEXT, part("text/csv", "a;b"))),
        plain="Hello Ann",
        attachments=("attachment.csv",),
    ),
    Sample(
        "forwarded message",
        mail(multi("mixed", TEXT, MESSAGE)),
        plain="Hello Ann",
        attachments=("message.eml",),
    ),
    Sample(
        "forwarded with description",
        mail(multi("mixed", TEXT, part("message/rfc822", INNER, "Content-Description: Lunch / today"))),
        plain="Hello Ann",
        attachments=("Lunch today.eml",),
    ),
    Sample("message as a message", mail(MESSAGE), attachments=("message.eml",)),
    Sample("digest", mail(multi("digest", MESSAGE, MESSAGE)), attachments=("message.eml", "message.eml")),
    Sample(
        "apple double",
        mail(
            multi(
                "mixed",
                TEXT,
                multi(
                    "appledouble",
                    base64_part("application/applefile", b"x"),
                    file("; filename=a.pdf"),
                    boundary="d",
                ),
            )
        ),
        plain="Hello Ann",
        attachments=("a.pdf",),
    ),
    Sample(
        "signed",
        mail(multi("signed", BOTH, SIGNATURE, params='; protocol="application/pkcs7-signature"')),
        plain="Hello Ann",
        html="<b>Ann</b>",
        native=2,
        message_class="IPM.Note.SMIME.MultipartSigned",
    ),
    Sample(
        "signed within a list",
        mail(
            multi("mixed", multi("signed", TEXT, SIGNATURE, boundary="s"), part("text/plain", "unsubscribe"))
        ),
        plain="Hello Ann\r\n\r\nunsubscribe",
        attachments=("smime.p7s",),
    ),
    Sample(
        "PGP signed",
        mail(multi("signed", TEXT, part("application/pgp-signature", "-----BEGIN"))),
        plain="Hello Ann",
        attachments=("signature.asc",),
    ),
    Sample(
        "encrypted",
        mail(base64_part("application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", b"sealed")),
        attachments=("smime.p7m",),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "opaque, old type",
        mail(base64_part("application/x-pkcs7-mime", b"sealed")),
        attachments=("smime.p7m",),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "encrypted as octets",
        mail(base64_part("application/octet-stream; name=smime.p7m", b"sealed")),
        attachments=("smime.p7m",),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "PGP encrypted",
        mail(
            multi(
                "encrypted",
                part("application/pgp-encrypted", "Version: 1"),
                part("application/octet-stream; name=encrypted.asc", "-----BEGIN"),
            )
        ),
        attachments=("version.txt", "encrypted.asc"),
    ),
    Sample(
        "bounce",
        mail(
            multi(
                "report",
                part("text/plain", "It failed"),
                part("message/delivery-status", "Reporting-MTA: dns; x\n\nAction: failed\nStatus: 5.1.1\n"),
                MESSAGE,
                params="; report-type=delivery-status",
            )
        ),
        plain="It failed",
        attachments=("details.txt", "message.eml"),
        message_class="REPORT.IPM.Note.NDR",
    ),
    Sample(
        "delivery receipt",
        mail(
            multi(
                "report",
                part("text/plain", "It arrived"),
                part("message/delivery-status", "Reporting-MTA: dns; x\n\nAction: delivered\n"),
            )
        ),
        plain="It arrived",
        attachments=("details.txt",),
        message_class="REPORT.IPM.Note.DR",
    ),
    Sample(
        "delay",
        mail(
            multi(
                "report",
                part("text/plain", "Wait"),
                part("message/delivery-status", "Reporting-MTA: dns; x\n\nAction: delayed\n"),
            )
        ),
        plain="Wait",
        attachments=("details.txt",),
        message_class="REPORT.IPM.Note.DELAYED",
    ),
    Sample(
        "read receipt",
        mail(
            multi(
                "report",
                part("text/plain", "Read"),
                part(
                    "message/disposition-notification",
                    "Disposition: manual-action/MDN-sent-manually; displayed\n",
                ),
            )
        ),
        plain="Read",
        attachments=("details.txt",),
        message_class="REPORT.IPM.Note.IPNRN",
    ),
    Sample(
        "deleted unread",
        mail(
            multi(
                "report",
                part("text/plain", "Gone"),
                part(
                    "message/disposition-notification",
                    "Disposition: manual-action/MDN-sent-manually; deleted\n",
                ),
            )
        ),
        plain="Gone",
        attachments=("details.txt",),
        message_class="REPORT.IPM.Note.IPNNRN",
    ),
    Sample(
        "invitation",
        mail(multi("alternative", TEXT, HTML, INVITATION)),
        plain="Hello Ann",
        html="<b>Ann</b>",
        absent="VCALENDAR",
        native=2,
    ),
    Sample("invitation alone", mail(INVITATION), attachments=("invite.ics",)),
    Sample(
        "invitation as the only form", mail(multi("alternative", INVITATION)), attachments=("invite.ics",)
    ),
    Sample(
        "invitation beside text",
        mail(multi("mixed", TEXT, INVITATION)),
        plain="Hello Ann",
        attachments=("invite.ics",),
    ),
    Sample(
        "enriched", mail(multi("alternative", part("text/enriched", "<bold>Hello</bold> Ann"))), plain="Ann"
    ),
    Sample(
        "winmail.dat",
        mail(multi("mixed", TEXT, base64_part("application/ms-tnef", b"x"))),
        plain="Hello Ann",
        attachments=("winmail.dat",),
    ),
    Sample("boundary never seen", mail(part('multipart/mixed; boundary="nowhere"', "Hello Ann")), plain=""),
    Sample(
        "unterminated multipart",
        mail(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n") + TEXT),
        plain="Hello Ann",
    ),
    Sample(
        "header of 300 kB",
        mail(TEXT, "X-Big: " + "\n ".join(["x" * 900] * 330) + "\nFrom: Ann <ann@example.org>\nSubject: s\n"),
        plain="Hello Ann",
    ),
    Sample(
        "5,000 recipients",
        mail(
            TEXT,
            "From: Ann <ann@example.org>\nSubject: s\nTo: "
            + ",\n ".join(f"User {n} <u{n}@example.org>" for n in range(5000))
            + "\n",
        ),
        plain="Hello Ann",
    ),
]


def _deep(levels: int) -> bytes:
    content = TEXT
    for level in range(levels):
        content = multi("mixed", content, boundary=f"b{level}-")
    return mail(content)


SAMPLES: tuple[Sample, ...] = (
    *_charset_samples(),
    *(
        Sample(f"subject {name}", mail(TEXT, subject(raw)), subject=shown, plain="Hello Ann")
        for name, raw, shown in _SUBJECTS
    ),
    *(
        Sample(f"sender {name}", mail(TEXT, sender(raw)), sender=shown, plain="Hello Ann")
        for name, raw, shown in _SENDERS
    ),
    *(
        Sample(
            f"file name {name}",
            mail(multi("mixed", TEXT, file(fields))),
            plain="Hello Ann",
            attachments=(shown,),
        )
        for name, fields, shown in _FILE_NAMES
    ),
    Sample("nested 30 deep", _deep(30), plain="Hello Ann"),
    Sample("nested 90 deep", _deep(90), attachments=("attachment.bin",)),
    *_STRUCTURES,
)
