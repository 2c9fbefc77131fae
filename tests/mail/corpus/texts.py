"""Texts in every transfer encoding, with what does not belong into text."""

from __future__ import annotations

from tests.mail.corpus.parts import Sample, base64_part, crlf, mail, multi, part

_YENC = b"=ybegin line=128 size=9 name=a.bin\r\n" + bytes(range(42, 255)) + b"\r\n=yend size=9\r\n"
_UUENCODED = "Before\n\nbegin 644 a.txt\n#0V%T\n`\nend\n\nAfter"
_QP = ("Content-Transfer-Encoding: quoted-printable",)
_B64 = ("Content-Transfer-Encoding: base64",)
_MORE: tuple[tuple[str, str, str | bytes, tuple[str, ...], str | None], ...] = (
    ("bare CR", "text/plain", b"one\rtwo\rthree", (), "one\r\ntwo\r\nthree"),
    ("bare LF", "text/plain", b"one\ntwo\nthree", (), "one\r\ntwo\r\nthree"),
    ("CR CR LF", "text/plain", b"one\r\r\ntwo", (), "two"),
    ("mixed line ends", "text/plain", b"one\rtwo\nthree\r\nfour", (), "three\r\nfour"),
    ("form feeds", "text/plain", b"one\x0ctwo", (), "onetwo"),
    ("escape sequences", "text/plain", b"\x1b[1mbold\x1b[0m", (), "[1mbold[0m"),
    ("a line of 200 kB", "text/plain", b"x" * 200_000, (), "x" * 100),
    ("100,000 lines", "text/plain", b"a\r\n" * 100_000, (), "a\r\na"),
    ("only blank lines", "text/plain", b"\r\n" * 50, (), "\r\n"),
    ("yEnc", "text/plain", _YENC, (), "=ybegin"),
    ("uuencoded file in the text", "text/plain", _UUENCODED, (), "Before"),
    (
        "uuencode never ended",
        "text/plain",
        "begin 644 a\n#0V%T",
        ("Content-Transfer-Encoding: uuencode",),
        "Cat",
    ),
    ("soft break at the end", "text/plain", "Hello=", _QP, "Hello"),
    ("raw 8-bit in quoted-printable", "text/plain; charset=utf-8", "Grüße", _QP, "Grüße"),
    ("bad escapes", "text/plain", "a=ZZ=4", _QP, "a"),
    ("blanks at line ends", "text/plain", "one   \ntwo\t\n", _QP, "one"),
    ("lower case escapes", "text/plain; charset=utf-8", "Gr=c3=bc=c3=9fe", _QP, "Grüße"),
    ("base64 in one line", "text/plain", "SGVsbG8gQW5u", _B64, "Hello Ann"),
    ("base64 with blanks", "text/plain", "SGVs bG8g\n\n QW5u", _B64, "Hello Ann"),
    ("base64 not ended", "text/plain", "SGVsbG8gQW5", _B64, "Hello A"),
    ("base64 and a footer", "text/plain", "SGVsbG8gQW5u\n\n-- \nunsubscribe", _B64, "Hello Ann"),
    ("base64 url alphabet", "text/plain", "w7_DvyBBbm4-", _B64, "Ann"),
    ("8bit in capitals", "text/plain; charset=utf-8", "Grüße", ("Content-Transfer-Encoding: 8BIT",), "Grüße"),
    ("two encodings", "text/plain", "Hello", ("Content-Transfer-Encoding: 7bit", *_B64), "Hello"),
    ("encoding with a comment", "text/plain", "SGVsbG8=", ("Content-Transfer-Encoding: base64 (x)",), None),
    ("flowed with delsp", "text/plain; format=flowed; delsp=yes", "Hel \nlo", (), "Hello"),
    (
        "flowed, quoted and stuffed",
        "text/plain; format=flowed",
        ">> a \n>> b\n From x \n-- \nsig",
        (),
        "a b",
    ),
    ("flowed without any break", "text/plain; format=flowed", "x " * 20_000, (), "x x"),
    ("format of nonsense", "text/plain; format=9; delsp=maybe", "Hello", (), "Hello"),
    ("markdown", "text/markdown", "# Hello\n*Ann*", (), "# Hello"),
    ("enriched alone", "text/enriched", "<bold>Hello</bold>\n\n<italic>Ann", (), "Hello"),
    ("richtext of RFC 1341", "text/richtext", "<bold>Hello</bold>", (), "Hello"),
    ("no type", "", "Hello", (), "Hello"),
    ("type of one word", "text", "Hello", (), "Hello"),
    ("type in capitals", "TEXT/PLAIN; CHARSET=UTF-8", "Grüße", (), "Grüße"),
    (
        "a signature of PGP in the text",
        "text/plain",
        (
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello\n-----BEGIN PGP SIGNATURE-----\n"
            "\nx\n-----END PGP SIGNATURE-----"
        ),
        (),
        "Hello",
    ),
    (
        "PGP in the text",
        "text/plain",
        "-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----",
        (),
        "BEGIN PGP MESSAGE",
    ),
    ("a document of XML", "text/plain", "<?xml version='1.0'?><a>&b;]]></a>", (), "]]>"),
    ("zero width characters", "text/plain; charset=utf-8", "a\u200bb\ufeffc", (), "a"),
)

SAMPLES: tuple[Sample, ...] = (
    Sample("empty body", mail(part("text/plain", ""))),
    Sample("no header at all", crlf("\nJust a body"), subject="", sender="", plain="Just a body"),
    Sample("no MIME", crlf("From: Ann <ann@example.org>\nSubject: s\n\nHello Ann"), plain="Hello Ann"),
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
    Sample(
        "enriched",
        mail(multi("alternative", part("text/enriched", "<bold>Hello</bold> Ann"))),
        plain="Hello Ann",
    ),
    *(
        Sample(f"text: {name}", mail(part(content_type, body, *fields)), plain=shown)
        for name, content_type, body, fields, shown in _MORE
    ),
)
