"""Reports, receipts and invitations."""

from __future__ import annotations

from tests.mail.corpus.parts import HTML, INVITATION, MESSAGE, TEXT, Sample, mail, multi, part

SAMPLES: tuple[Sample, ...] = (
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
        attachments=("details.txt", "inner.eml"),
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
)
