"""The mailbox the demo starts with: mail as it comes, in several scripts, with and without attachments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.demo.compose import Attachment, Draft, compose, compose_legacy, pdf, png

ADDRESS = "demo@example.test"
ME = f"Demo User <{ADDRESS}>"
ANN = "Ann Archer <ann@example.test>"
BEN = "Ben Okafor <ben@example.test>"
OFFER = pdf("Offer: 3 boats (used)")


@dataclass(frozen=True, slots=True)
class Sample:
    """A message as it lies in a mailbox; `flags` are IMAP flags."""

    mailbox: str
    subject: str
    received: datetime
    message: bytes
    flags: tuple[str, ...] = ()


def samples(now: datetime) -> list[Sample]:
    """All sample messages, oldest first, received within the two days before `now` (aware)."""
    made = [*_scripts(now), *_formats(now), *_conversation(now), *_other_folders(now)]
    return sorted(made, key=lambda sample: sample.received)


def _sample(mailbox: str, draft: Draft, *flags: str) -> Sample:
    return Sample(mailbox, draft.subject, draft.date, compose(draft), flags)


def _inbox(draft: Draft, *flags: str) -> Sample:
    return _sample("INBOX", draft, *flags)


def _legacy(charset: str, draft: Draft, *flags: str) -> Sample:
    return Sample("INBOX", draft.subject, draft.date, compose_legacy(draft, charset), flags)


def _scripts(now: datetime) -> list[Sample]:
    japanese = Draft(
        subject="来週の打ち合わせについて",
        sender="佐藤 花子 <hanako@example.test>",
        to=ME,
        date=now - timedelta(hours=30),
        text="お疲れさまです。\n\n来週の打ち合わせは水曜日の十時からでお願いします。\n\n佐藤\n",
    )
    arabic = Draft(
        subject="دعوة إلى حفل الافتتاح",
        sender="ليلى حداد <layla@example.test>",
        to=ME,
        date=now - timedelta(hours=28),
        text="مرحبا،\n\nيسعدنا حضوركم حفل الافتتاح يوم الخميس الساعة السابعة مساء.\n\nليلى\n",
        html='<p dir="rtl">مرحبا،</p><p dir="rtl">يسعدنا حضوركم <b>حفل الافتتاح</b> يوم الخميس.</p>',
    )
    cyrillic = Draft(
        subject="Отчёт за квартал",
        sender="Ирина Петрова <irina@example.test>",
        to=ME,
        date=now - timedelta(hours=26),
        text="Добрый день!\n\nОтчёт за квартал готов, цифры лучше прошлогодних.\n\nИрина\n",
    )
    legacy_japanese = Draft(
        subject="写真をありがとう",
        sender="kenji@example.test",
        to=ME,
        date=now - timedelta(hours=24),
        text="写真をありがとうございました。とてもきれいでした。\n",
    )
    german = Draft(
        subject="Grüße aus Köln, schöne Aussicht",
        sender="Jürgen Weiß <juergen@example.test>",
        to=ME,
        date=now - timedelta(hours=22),
        text="Hallo,\n\nviele Grüße vom Rhein. Die Straße zum Dom ist gesperrt.\n\nJürgen\n",
    )
    return [
        _inbox(japanese),
        _inbox(arabic),
        _legacy("koi8-r", cyrillic),
        _legacy("iso-2022-jp", legacy_japanese, "\\Seen"),
        _legacy("iso-8859-1", german, "\\Seen"),
    ]


def _formats(now: datetime) -> list[Sample]:
    plain = Draft(
        subject="Lunch on Friday?",
        sender=ANN,
        to=ME,
        date=now - timedelta(hours=20),
        text="Hi,\n\nthe new place at the harbour opens on Friday. Shall we try it at noon?\n\nAnn\n",
    )
    newsletter = Draft(
        subject="Harbour news: what is on this week",
        sender="Harbour News <news@example.test>",
        to=ME,
        date=now - timedelta(hours=18),
        text="Harbour news\n\n* Market on Saturday\n* Concert on Sunday\n",
        html="<html><body><h1>Harbour news</h1><ul><li>Market on <b>Saturday</b></li>"
        '<li>Concert on <a href="https://example.test/concert">Sunday</a></li></ul>'
        + "<p>Walk along the quay, look at the boats, and take the ferry back when it gets dark.</p>" * 40
        + "</body></html>",
    )
    picture = Draft(
        subject="Sunset from the pier",
        sender=BEN,
        to=ME,
        date=now - timedelta(hours=16),
        text="The sky last night.\n",
        html='<p>The sky last night:</p><p><img src="cid:sunset" alt="sunset"></p>',
        attachments=(
            Attachment("sunset.png", "image/png", png(320, 120, (240, 130, 50), (60, 40, 120)), "sunset"),
        ),
    )
    files = Draft(
        subject="Offer and price list",
        sender="Sales <sales@example.test>",
        to=ME,
        date=now - timedelta(hours=14),
        text="Please find the offer and the price list attached.\n",
        attachments=(
            Attachment("offer.pdf", "application/pdf", OFFER),
            Attachment("Preise für März.csv", "text/csv", b"Boot;Preis\r\nJolle;4200\r\n"),
        ),
    )
    forwarded = Draft(
        subject="Fwd: Lunch on Friday?",
        sender=BEN,
        to=ME,
        date=now - timedelta(hours=12),
        text="Ann asked me too, see below.\n",
        attachments=(Attachment("lunch.eml", "message/rfc822", compose(plain)),),
    )
    return [
        _inbox(plain, "\\Flagged"),
        _inbox(newsletter, "\\Seen"),
        _inbox(picture),
        _inbox(files),
        _inbox(forwarded),
    ]


def _conversation(now: datetime) -> list[Sample]:
    first = Draft(
        subject="Boat trip in May",
        sender=ANN,
        to=ME,
        date=now - timedelta(hours=9),
        text="Who wants to sail to the island in May?\n\nAnn\n",
        message_id="<trip-1@example.test>",
    )
    answer = Draft(
        subject="Re: Boat trip in May",
        sender=ME,
        to=ANN,
        date=now - timedelta(hours=8),
        text="I do! Which weekend?\n\n> Who wants to sail to the island in May?\n",
        message_id="<trip-2@example.test>",
        references=("<trip-1@example.test>",),
    )
    last = Draft(
        subject="Re: Boat trip in May",
        sender=ANN,
        to=ME,
        date=now - timedelta(hours=7),
        text="The second one. Ben brings the charts.\n\n> I do! Which weekend?\n",
        message_id="<trip-3@example.test>",
        references=("<trip-1@example.test>", "<trip-2@example.test>"),
    )
    return [
        _inbox(first, "\\Seen", "\\Answered"),
        _sample("Sent", answer, "\\Seen"),
        _inbox(last),
    ]


def _other_folders(now: datetime) -> list[Sample]:
    draft = Draft(
        subject="Shopping list",
        sender=ME,
        to=ADDRESS,
        date=now - timedelta(hours=5),
        text="Rope, bread, tea, ...\n",
    )
    old = Draft(
        subject="Your parcel has arrived",
        sender="Parcels <parcels@example.test>",
        to=ME,
        date=now - timedelta(hours=40),
        text="Your parcel waits at the counter.\n",
    )
    return [
        _sample("Drafts", draft, "\\Seen", "\\Draft"),
        _sample("Trash", old, "\\Seen"),
    ]
