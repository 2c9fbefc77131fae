"""Which mailbox is for what."""

from __future__ import annotations

import unicodedata

import pytest

from gateway.types import Mailbox, Role
from gateway.upstream.imap.roles import NAMES, assign_roles


def roles(
    *mailboxes: str | tuple[str, str], prefix: str = "", delimiter: str = "/"
) -> dict[str, Role | None]:
    """Assigns roles to mailboxes, given by name or by (name, attribute)."""
    listed = [(name, "") if isinstance(name, str) else name for name in mailboxes]
    assigned = assign_roles(
        [
            (Mailbox(name, delimiter, selectable=attribute != "\\Noselect"), frozenset({attribute} - {""}))
            for name, attribute in listed
        ],
        prefix,
    )
    return {mailbox.name: mailbox.role for mailbox in assigned}


def test_attributes_decide() -> None:
    found = roles("INBOX", ("Weg damit", "\\Trash"), "Trash", ("Raus", "\\Sent"), "Gesendet")
    assert found == {
        "INBOX": Role.INBOX,
        "Weg damit": Role.TRASH,
        "Trash": None,
        "Raus": Role.SENT,
        "Gesendet": None,
    }


def test_the_first_of_two_with_the_same_attribute_has_the_role() -> None:
    found = roles(("One", "\\Sent"), ("Two", "\\Sent"))
    assert found == {"One": Role.SENT, "Two": None}


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Sent Items", Role.SENT),
        ("GESENDETE OBJEKTE", Role.SENT),
        ("Envoyés", Role.SENT),
        ("Enviados", Role.SENT),
        ("Posta inviata", Role.SENT),
        ("Wysłane", Role.SENT),
        ("Отправленные", Role.SENT),
        ("送信済み", Role.SENT),
        ("Entwürfe", Role.DRAFTS),
        ("下書き", Role.DRAFTS),
        ("Papierkorb", Role.TRASH),
        ("Deleted Items", Role.TRASH),
        ("Corbeille", Role.TRASH),
        ("Courrier indésirable", Role.JUNK),
        ("spam", Role.JUNK),
        ("Archiv", Role.ARCHIVE),
        (unicodedata.normalize("NFD", "Entwürfe"), Role.DRAFTS),
        ("Sentimental", None),
        ("INBOX", Role.INBOX),
    ],
)
def test_names_people_know(name: str, role: Role | None) -> None:
    assert roles(name)[name] is role


def test_the_likeliest_name_wins() -> None:
    found = roles("Gesendet", "Sent Items", "Sent")
    assert found == {"Gesendet": None, "Sent Items": None, "Sent": Role.SENT}


def test_names_count_at_the_top_only() -> None:
    assert roles("Projects/Sent")["Projects/Sent"] is None
    assert roles("INBOX/Sent")["INBOX/Sent"] is Role.SENT
    found = roles("INBOX.Sent", "INBOX.Old.Trash", prefix="INBOX.", delimiter=".")
    assert found == {"INBOX.Sent": Role.SENT, "INBOX.Old.Trash": None}


def test_what_cannot_be_selected_has_no_role() -> None:
    assert roles(("Sent", "\\Noselect"))["Sent"] is None


def test_no_name_stands_for_two_roles() -> None:
    seen: dict[str, Role] = {}
    for role, names in NAMES.items():
        for name in names.split(";"):
            assert seen.setdefault(name.strip().casefold(), role) is role
