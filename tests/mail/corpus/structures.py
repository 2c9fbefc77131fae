"""Parts in every order, that mean one text with files."""

from __future__ import annotations

from tests.mail.corpus.parts import (
    BOTH,
    HTML,
    IMAGE,
    INNER,
    MESSAGE,
    TEXT,
    WITH_IMAGE,
    Sample,
    base64_part,
    file,
    mail,
    multi,
    part,
)

SAMPLES: tuple[Sample, ...] = (
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
        attachments=("inner.eml",),
    ),
    Sample(
        "forwarded, its subject encoded",
        mail(
            multi(
                "mixed",
                TEXT,
                part("message/rfc822", INNER.replace(b"inner", b"=?utf-8?q?Gr=C3=BC=C3=9Fe=2Ftoday?=", 1)),
            )
        ),
        plain="Hello Ann",
        attachments=("Grüße today.eml",),
    ),
    Sample(
        "forwarded with description",
        mail(multi("mixed", TEXT, part("message/rfc822", INNER, "Content-Description: Lunch / today"))),
        plain="Hello Ann",
        attachments=("Lunch today.eml",),
    ),
    Sample("message as a message", mail(MESSAGE), attachments=("inner.eml",)),
    Sample("digest", mail(multi("digest", MESSAGE, MESSAGE)), attachments=("inner.eml", "inner.eml")),
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
)
