"""Signed and encrypted mail, S/MIME and PGP."""

from __future__ import annotations

from tests.mail.corpus.parts import (
    BOTH,
    HTML,
    SIGNATURE,
    TEXT,
    Sample,
    base64_part,
    coded,
    file,
    mail,
    multi,
    part,
)
from tests.support import cms, tnef

_WINMAIL = base64_part("application/ms-tnef; name=winmail.dat", tnef.stream(*tnef.file("a.pdf", b"%PDF")))
_OPAQUE = (
    ("text", "; smime-type=signed-data", cms.signed(TEXT), "Hello Ann", 1),
    ("text in pieces", "; smime-type=signed-data", cms.signed_in_pieces(TEXT, 7), "Hello Ann", 1),
    ("without a type", "", cms.signed(TEXT), "Hello Ann", 1),
    ("both forms", "", cms.signed(BOTH), "Hello Ann", 2),
    ("with bare line ends", "", cms.signed(TEXT.replace(b"\r\n", b"\n")), "Hello Ann", 1),
    ("without a header", "", cms.signed(b"\r\nHello Ann"), "Hello Ann", 1),
    ("nothing in it", "", cms.signed(b""), "", 1),
    ("encrypted in it", "", cms.signed(base64_part("application/pkcs7-mime", b"x")), "encrypted", 1),
    ("cut off", "", cms.signed(TEXT)[:-20], "encrypted", 1),
    ("said to be encrypted", "; smime-type=enveloped-data", cms.signed(TEXT), "encrypted", 1),
)

SAMPLES: tuple[Sample, ...] = (
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
        plain="encrypted",
        html="encrypted",
        attachments=("smime.p7m",),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "opaque, old type",
        mail(base64_part("application/x-pkcs7-mime", b"sealed")),
        plain="encrypted",
        html="encrypted",
        attachments=("smime.p7m",),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "encrypted as octets",
        mail(base64_part("application/octet-stream; name=smime.p7m", b"sealed")),
        plain="encrypted",
        html="encrypted",
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
        plain="encrypted",
        attachments=("version.txt", "encrypted.asc"),
    ),
    *(
        Sample(
            f"opaque: {name}",
            mail(base64_part(f"application/pkcs7-mime; name=smime.p7m{kind}", data)),
            plain=shown,
            native=native,
            attachments=("smime.p7m",),
            message_class="IPM.Note.SMIME",
        )
        for name, kind, data, shown, native in _OPAQUE
    ),
    Sample(
        "opaque: with a file",
        mail(
            base64_part("application/pkcs7-mime", cms.signed(multi("mixed", TEXT, file("; filename=a.pdf"))))
        ),
        plain="Hello Ann",
        attachments=("smime.p7m", "a.pdf"),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "opaque: a file alone",
        mail(base64_part("application/pkcs7-mime", cms.signed(file("; filename=a.pdf")))),
        plain="",
        attachments=("smime.p7m", "a.pdf"),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "signed, with a winmail.dat in it",
        mail(multi("signed", multi("mixed", TEXT, _WINMAIL, boundary="in"), SIGNATURE)),
        plain="Hello Ann",
        attachments=("a.pdf",),
        message_class="IPM.Note.SMIME.MultipartSigned",
    ),
    Sample(
        "signed, in 8 bits",
        mail(multi("signed", coded("iso-8859-1", "Grüße"), SIGNATURE)),
        plain="Grüße",
        html="Grüße",
        message_class="IPM.Note.SMIME.MultipartSigned",
    ),
    Sample(
        "signed by an unknown protocol",
        mail(multi("signed", TEXT, file("; filename=a"))),
        plain="Hello Ann",
        attachments=("a",),
    ),
    Sample(
        "signed with a part too many",
        mail(multi("signed", TEXT, HTML, SIGNATURE)),
        plain=None,
        native=None,
        attachments=None,
    ),
    Sample(
        "certificates alone",
        mail(base64_part("application/pkcs7-mime; smime-type=certs-only", b"x")),
        plain="cannot be shown",
        attachments=("smime.p7m",),
        message_class="IPM.Note.SMIME",
    ),
    Sample(
        "a receipt",
        mail(base64_part("application/pkcs7-mime; smime-type=signed-receipt", b"x")),
        plain="cannot be shown",
        attachments=("smime.p7m",),
        message_class="IPM.Note.Receipt.SMIME",
    ),
)
