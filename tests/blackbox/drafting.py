"""What tests of drafts have in common: commands of a phone, and what is on the mail server."""

from __future__ import annotations

import base64
import email
from email.message import EmailMessage
from email.policy import SMTP

from tests.support.dovecot import Dovecot
from tests.support.phone import Phone, Served
from wbxml import Element, Tag, element
from wbxml.pages import AirSync, AirSyncBase, Email, Email2, ItemOperations

SEND = element(Email2.Send)


def add(client_id: str, *data: Element, send: bool = False) -> Element:
    """An Add command."""
    return element(
        AirSync.Add,
        element(AirSync.ClientId, client_id),
        element(AirSync.ApplicationData, *data),
        *([SEND] if send else []),
    )


def change(item: str, *data: Element, send: bool = False) -> Element:
    """A Change command; without ApplicationData when there is none."""
    return element(
        AirSync.Change,
        element(AirSync.ServerId, item),
        *([element(AirSync.ApplicationData, *data)] if data or not send else []),
        *([SEND] if send else []),
    )


def body(text: str | bytes, kind: int = 1, *, truncated: bool = False) -> Element:
    """A Body."""
    more = [element(AirSyncBase.Truncated, 1)] if truncated else []
    return element(AirSyncBase.Body, element(AirSyncBase.Type, kind), *more, element(AirSyncBase.Data, text))


def to(text: str) -> Element:
    return element(Email.To, text)


def subject(text: str) -> Element:
    return element(Email.Subject, text)


def attachments(*operations: Element) -> Element:
    return element(AirSyncBase.Attachments, *operations)


def file(client_id: str, content: bytes, name: str = "", *more: Element, method: int = 1) -> Element:
    """An attachment to be added."""
    return element(
        AirSyncBase.Add,
        element(AirSyncBase.ClientId, client_id),
        element(AirSyncBase.Method, method),
        element(AirSyncBase.Content, content),
        element(AirSyncBase.DisplayName, name or f"{client_id}.bin"),
        *more,
    )


def gone(reference: str) -> Element:
    """An attachment to be removed."""
    return element(AirSyncBase.Delete, element(AirSyncBase.FileReference, reference))


def begun(phone: Phone) -> str:
    """The id of the phone's Drafts, synchronised."""
    if phone.policy_key is None:
        phone.provision()
    folder = phone.folders()["Drafts"]
    phone.begin(folder)
    phone.sync(folder)
    return folder


def answer(served: Served, number: int = 0) -> tuple[str, str, dict[str, str]]:
    """Status, ServerId and the references of new attachments by ClientId of one answer."""
    one = served.responses[number]
    data = one.find(AirSync.ApplicationData)
    found = (data.find(AirSyncBase.Attachments) or ()) if data else ()
    references = {
        each.child_text(AirSyncBase.ClientId) or "": each.child_text(AirSyncBase.FileReference) or ""
        for each in found
    }
    return one.child_text(AirSync.Status) or "", one.child_text(AirSync.ServerId) or "", references


def made(phone: Phone, folder: str, client_id: str, *data: Element) -> str:
    """A new draft; its ServerId."""
    served = phone.sync(folder, element(AirSync.Commands, add(client_id, *data)))
    status, name, _ = answer(served)
    assert (status, served.added, served.changed, served.deleted) == ("1", {}, {}, [])
    assert name
    return name


def stored(dovecot: Dovecot, user: str, mailbox: str = "Drafts") -> list[tuple[str, EmailMessage]]:
    """The flags and the message of everything in a mailbox that is not marked as deleted."""
    with dovecot.imap(user) as imap:
        if imap.select(mailbox, readonly=True)[0] != "OK":
            return []
        found = []
        for number in imap.search(None, "UNDELETED")[1][0].split():
            part = imap.fetch(number, "(FLAGS BODY.PEEK[])")[1][0]
            assert isinstance(part, tuple)
            line, raw = part
            message = email.message_from_bytes(raw, policy=SMTP)
            assert isinstance(message, EmailMessage)
            found.append((line.decode(), message))
        return found


def one_stored(dovecot: Dovecot, user: str, mailbox: str = "Drafts") -> EmailMessage:
    """The only message of a mailbox."""
    ((_, message),) = stored(dovecot, user, mailbox)
    return message


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n").removesuffix("\n")


def names_of(message: EmailMessage) -> list[str]:
    return [part.get_filename() or "" for part in message.iter_attachments()]


def shown(data: Element, tag: Tag) -> str:
    """A property of an item, of its Body too."""
    found = data.find(AirSyncBase.Body) if tag is AirSyncBase.Data else data
    assert found is not None
    return found.child_text(tag) or ""


def references_of(data: Element) -> dict[str, str]:
    """The FileReferences of an item by name."""
    found = data.find(AirSyncBase.Attachments) or ()
    return {
        each.child_text(AirSyncBase.DisplayName) or "": each.child_text(AirSyncBase.FileReference) or ""
        for each in found
    }


def fetched(phone: Phone, reference: str) -> tuple[str, bytes]:
    """Status and octets of an attachment."""
    fetch = element(
        ItemOperations.Fetch,
        element(ItemOperations.Store, "Mailbox"),
        element(AirSyncBase.FileReference, reference),
    )
    root = phone.post("ItemOperations", element(ItemOperations.ItemOperations, fetch)).root
    response = root.find(ItemOperations.Response)
    assert response is not None
    (one,) = response
    properties = one.find(ItemOperations.Properties)
    data = properties.find(ItemOperations.Data) if properties else None
    return one.child_text(ItemOperations.Status) or "", base64.b64decode(data.data()) if data else b""
