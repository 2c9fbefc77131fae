"""What a mailbox is for: by its special-use attribute (RFC 6154), else by the names mail programs give it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace

from gateway.types import Mailbox, Role

ATTRIBUTES = {
    "\\Drafts": Role.DRAFTS,
    "\\Sent": Role.SENT,
    "\\Trash": Role.TRASH,
    "\\Junk": Role.JUNK,
    "\\Archive": Role.ARCHIVE,
    "\\All": Role.ALL,
    "\\Flagged": Role.STARRED,
    "\\Important": Role.IMPORTANT,
}

NAMES: dict[Role, str] = {
    Role.DRAFTS: """
        Drafts; Draft; Draft Messages; Entwürfe; Entwurf; Brouillons; Borradores; Bozze; Rascunhos;
        Concepten; Utkast; Kladder; Luonnokset; Szkice; Kopie robocze; Koncepty; Rozepsané; Piszkozatok;
        Черновики; Чернетки; Чернови; Taslaklar; Πρόχειρα; Ciorne; Skice; Osnutki; Juodraščiai;
        Mustandid; Melnraksti; 下書き; 草稿; 草稿箱; 임시 보관함; 임시보관함; المسودات; טיוטות; Bản nháp;
        Draf
    """,
    Role.SENT: """
        Sent; Sent Items; Sent Messages; Sent Mail; Gesendet; Gesendete Objekte; Gesendete Elemente;
        Gesendete Nachrichten; Envoyés; Messages envoyés; Éléments envoyés; Courrier envoyé; Enviados;
        Elementos enviados; Mensajes enviados; Itens enviados; Mensagens enviadas; Posta inviata;
        Inviati; Inviata; Messaggi inviati; Verzonden; Verzonden items; Verzonden berichten; Skickat;
        Skickade; Sendt; Sendte elementer; Sendt post; Lähetetyt; Wysłane; Elementy wysłane; Odeslané;
        Odeslaná pošta; Odoslané; Elküldött; Elküldött elemek; Отправленные; Надіслані; Изпратени;
        Gönderilmiş; Gönderilenler; Απεσταλμένα; Trimise; Poslano; Išsiųsta; Saadetud; Nosūtītās;
        送信済み; 送信済みメール; 送信済みアイテム; 已发送; 已发送邮件; 已发送消息; 寄件備份;
        보낸 편지함; 보낸편지함; العناصر المرسلة; נשלח; דואר יוצא; Đã gửi; Terkirim
    """,
    Role.TRASH: """
        Trash; Deleted Items; Deleted Messages; Deleted; Bin; Papierkorb; Gelöschte Objekte;
        Gelöschte Elemente; Gelöscht; Corbeille; Éléments supprimés; Messages supprimés; Papelera;
        Elementos eliminados; Eliminados; Lixeira; Lixo; Itens excluídos; Cestino; Posta eliminata;
        Prullenbak; Verwijderde items; Papperskorgen; Papirkurv; Slettet post; Papirkurven; Roskakori;
        Kosz; Elementy usunięte; Koš; Odstraněná pošta; Kôš; Kuka; Lomtár; Törölt elemek; Корзина;
        Удаленные; Удалённые; Кошик; Видалені; Кошче; Çöp; Çöp Kutusu; Κάδος απορριμμάτων; Coș;
        Coș de gunoi; Smeće; Smetnjak; Šiukšliadėžė; Prügikast; Miskaste; ゴミ箱; ごみ箱;
        削除済みアイテム; 已删除; 已删除邮件; 垃圾桶; 回收站; 휴지통; 지운 편지함; المهملات; אשפה;
        Thùng rác; Sampah
    """,
    Role.JUNK: """
        Junk; Spam; Junk E-mail; Junk Email; Junk Mail; Bulk Mail; Werbung; Unerwünscht; Junk-E-Mail;
        Indésirables; Courrier indésirable; Pourriel; Correo no deseado; No deseado; Lixo eletrônico;
        Lixo eletrónico; Posta indesiderata; Ongewenst; Ongewenste e-mail; Skräppost; Søppelpost;
        Uønsket post; Roskaposti; Niechciane; Wiadomości-śmieci; Nevyžádaná pošta; Nevyžiadaná pošta;
        Levélszemét; Спам; Нежелательная почта; Небажана пошта; Нежелана поща; Önemsiz; Gereksiz;
        Ανεπιθύμητα; Neželjena pošta; Vsiljena pošta; Brukalas; Rämpspost; Surogātpasts; 迷惑メール;
        垃圾邮件; 垃圾郵件; 스팸; 스팸편지함; 정크 메일; البريد غير الهام; דואר זבל; Thư rác
    """,
    Role.ARCHIVE: """
        Archive; Archives; Archiv; Archivio; Archivo; Arquivo; Archief; Arkiv; Arkisto; Archiwum; Archív;
        Archívum; Архив; Архів; Arşiv; Αρχείο; Arhivă; Arhiva; Arhiv; Archyvas; Arhiiv; Arhīvs;
        アーカイブ; 归档; 存档; 封存; 보관함; أرشيف; ארכיון; Lưu trữ; Arsip
    """,
}
"""Separated by semicolons, the likeliest first: with both "Sent" and "Sent Items", the first is meant."""


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


_BY_NAME = {
    _plain(name.strip()): (role, rank)
    for role, names in NAMES.items()
    for rank, name in enumerate(names.split(";"))
}


def assign_roles(mailboxes: Iterable[tuple[Mailbox, frozenset[str]]], prefix: str) -> Sequence[Mailbox]:
    """Give each role to at most one mailbox. `prefix` is that of the personal namespace ("INBOX.").

    Attributes decide; names only for roles no attribute gave away, and only directly below the top or INBOX.
    """
    listed = list(mailboxes)
    given: dict[Role, str] = {Role.INBOX: "INBOX"}
    for mailbox, attributes in listed:
        for attribute, role in ATTRIBUTES.items():
            if attribute in attributes and mailbox.selectable and mailbox.name != "INBOX":
                given.setdefault(role, mailbox.name)
    taken = set(given.values())
    candidates = sorted(
        (rank, mailbox.name, role)
        for mailbox, _ in listed
        if mailbox.selectable and mailbox.name not in taken
        for role, rank in _by_name(mailbox, prefix)
    )
    for _, name, role in candidates:
        given.setdefault(role, name)
    roles = {name: role for role, name in given.items()}
    return [replace(mailbox, role=roles.get(mailbox.name)) for mailbox, _ in listed]


def _by_name(mailbox: Mailbox, prefix: str) -> list[tuple[Role, int]]:
    name = mailbox.name
    if prefix and name.startswith(prefix):
        name = name[len(prefix) :]
    elif mailbox.delimiter and name.startswith("INBOX" + mailbox.delimiter):
        name = name[len("INBOX") + 1 :]
    known = _BY_NAME.get(_plain(name))
    return [known] if known else []
