"""Broken MIME: of the worst of it nothing is expected but that it is shown somehow."""

from __future__ import annotations

from tests.mail.corpus.parts import TEXT, Sample, crlf, mail, multi, part


def _deep(levels: int) -> bytes:
    content = TEXT
    for level in range(levels):
        content = multi("mixed", content, boundary=f"b{level}-")
    return mail(content)


def _messages_in_messages(levels: int) -> bytes:
    raw = mail(TEXT)
    for _ in range(levels):
        raw = mail(part("message/rfc822", raw))
    return raw


_ROUGH: dict[str, str | bytes] = {
    "nothing": b"",
    "one octet": b"x",
    "only line ends": b"\r\n" * 5,
    "only a NUL": b"\0",
    "only a header": b"From: Ann <ann@example.org>\r\nSubject: s\r\n",
    "a header that never ends": b"X-A: b\r\n" * 5000,
    "every octet": bytes(range(256)) * 4,
    "bare LF everywhere": b"Subject: s\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b--\n",
    "bare CR everywhere": b"Subject: s\rContent-Type: text/plain\r\rHello\r",
    "no boundary": "Content-Type: multipart/mixed\n\nHello",
    "an empty boundary": 'Content-Type: multipart/mixed; boundary=""\n\n--\n\nHello\n----\n',
    "a boundary of blanks": 'Content-Type: multipart/mixed; boundary="   "\n\n--   \n\nHello',
    "a boundary of 5,000 letters": (
        f"Content-Type: multipart/mixed; boundary={'x' * 5000}\n\n--{'x' * 5000}\n\nHello"
    ),
    "a boundary with blanks behind it": (
        "Content-Type: multipart/mixed; boundary=b\n\n--b   \n\nHello\n--b--  \n"
    ),
    "the same boundary inside": (
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative;"
        " boundary=b\n\n--b\n\nHello\n--b--\n"
    ),
    "a boundary that begins another": (
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative;"
        " boundary=bb\n\n--bb\n\nHello\n--bb--\n--b--\n"
    ),
    "no part": "Content-Type: multipart/mixed; boundary=b\n\n--b--\n",
    "parts without anything": "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b\n--b--\n",
    "the end before the beginning": "Content-Type: multipart/mixed; boundary=b\n\n--b--\n--b\n\nHello\n",
    "text after the end": "Content-Type: multipart/mixed; boundary=b\n\nbefore\n--b\n\nHello\n--b--\nafter\n",
    "2,000 parts": "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n\nx\n" * 2000 + "--b--\n",
    "1,500 files": "Content-Type: multipart/mixed; boundary=b\n\n"
    + "--b\nContent-Type: image/png\n\nx\n" * 1500
    + "--b--\n",
    "an encoded multipart": (
        "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n"
        "\nLS1iDQoNCkhlbGxvDQotLWItLQ0K"
    ),
    "an encoded message": (
        "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeA0KDQpIZWxsbw0K"
    ),
    "a message that is empty": "Content-Type: message/rfc822\n\n",
    "a message that is text": "Content-Type: message/rfc822\n\nno header here, just text\n\nHello",
    "part of a message": 'Content-Type: message/partial; number=1; total=2; id="a@b"\n\nSubject: x\n\nHello',
    "a message elsewhere": (
        'Content-Type: message/external-body; access-type=URL; URL="x"\n\nContent-Type: image/png\n\n'
    ),
    "a type twice": "Content-Type: text/html\nContent-Type: text/plain\n\n<p>Hello",
    "a type nobody knows": "Content-Type: foo/bar\n\nHello",
    "a multipart nobody knows": "Content-Type: multipart/foo; boundary=b\n\n--b\n\nHello\n--b--\n",
    "parallel": (
        "Content-Type: multipart/parallel; boundary=b\n\n--b\n\nHello\n"
        "--b\nContent-Type: image/png\n\nx\n--b--\n"
    ),
    "form data": (
        "Content-Type: multipart/form-data; boundary=b\n\n--b\nContent-Disposition: form-data;"
        ' name="a"\n\nHello\n--b--\n'
    ),
    "a related without a text": (
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: image/png\n"
        "Content-ID: <a>\n\nx\n--b--\n"
    ),
    "a related with a start nowhere": (
        'Content-Type: multipart/related; boundary=b; start="<z>"\n\n'
        "--b\nContent-Type: text/html\n\n<p>Hello\n--b--\n"
    ),
    "the same Content-ID twice": (
        "Content-Type: multipart/related; boundary=b\n\n--b\nContent-Type: text/html\n\n<img src=cid:a>\n"
    )
    + "--b\nContent-Type: image/png\nContent-ID: <a>\n\nx\n" * 2
    + "--b--\n",
    "an alternative of nothing": (
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n"
        "\n\n--b\nContent-Type: text/html\n\n\n--b--\n"
    ),
    "an alternative of files": (
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: image/png\n"
        "\nx\n--b\nContent-Type: application/pdf\n\ny\n--b--\n"
    ),
    "a report of nothing": "Content-Type: multipart/report; boundary=b\n\n--b--\n",
    "signed without a signature": "Content-Type: multipart/signed; boundary=b\n\n--b\n\nHello\n--b--\n",
    "encrypted without content": (
        'Content-Type: multipart/encrypted; boundary=b; protocol="application/pgp-encrypted"\n\n--b--\n'
    ),
    "a disposition of nonsense": "Content-Disposition: ;;;=\nContent-Type: text/plain;;;;charset\n\nHello",
    "an inline text with a name": (
        "Content-Disposition: inline; filename=a.txt\nContent-Type: text/plain\n\nHello"
    ),
    "a text as a file": "Content-Disposition: attachment; filename=a.txt\nContent-Type: text/plain\n\nHello",
    "500 parameters": "Content-Type: text/plain" + "".join(f"; p{n}=v" for n in range(500)) + "\n\nHello",
    "50 messages in messages": _messages_in_messages(50),
    "a header in another charset": "Subject: Привет\nFrom: Аня <ann@example.org>\n\nПривет".encode("utf-16"),
    "an mbox": (
        b"From ann Thu Jan  1 00:00:00 2026\r\nSubject: s\r\n\r\nHello\r\n"
        b"\r\nFrom bob Thu Jan  1\r\nSubject: t\r\n\r\nx"
    ),
    "a zip": b"PK\x03\x04" + bytes(200),
    "a page of the web": b"<!DOCTYPE html><html><body>Hello</body></html>",
}

SAMPLES: tuple[Sample, ...] = (
    Sample("boundary never seen", mail(part('multipart/mixed; boundary="nowhere"', "Hello Ann")), plain=""),
    Sample(
        "unterminated multipart",
        mail(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n") + TEXT),
        plain="Hello Ann",
    ),
    Sample("nested 30 deep", _deep(30), plain="Hello Ann"),
    Sample("nested 90 deep", _deep(90), attachments=("attachment.bin",)),
    *(
        Sample(
            f"broken: {name}",
            raw if isinstance(raw, bytes) else mail(crlf(raw)),
            subject=None,
            sender=None,
            plain=None,
            native=None,
            attachments=None,
            inline=None,
            message_class=None,
        )
        for name, raw in _ROUGH.items()
    ),
)
