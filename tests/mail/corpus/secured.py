"""Signed and encrypted mail, S/MIME and PGP."""

from __future__ import annotations

from tests.mail.corpus.parts import BOTH, SIGNATURE, TEXT, Sample, base64_part, mail, multi, part

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
)
