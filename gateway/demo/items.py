"""What a phone keeps of folders and mail, and how it reads it from the gateway's answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.demo.client import PhoneError
from wbxml import Element, Tag
from wbxml.pages import AirSync, AirSyncBase, Email


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the hierarchy; `parent` is "0" at the top."""

    id: str
    parent: str
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class File:
    """An attachment as the list of mails shows it."""

    name: str
    reference: str
    size: int
    inline: bool


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as the list shows it; `received` is the dateTime text of the protocol."""

    id: str
    sender: str
    subject: str
    received: str
    preview: str
    read: bool
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What one synchronisation of a folder brought."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    rounds: int = 0


@dataclass(slots=True)
class Collection:
    """What the phone holds of one folder."""

    key: str = "0"
    mails: dict[str, Mail] = field(default_factory=dict)


def apply(held: Collection, commands: Element | None) -> Changes:
    """Makes the changes of a Sync answer to `held` (MS-ASCMD 2.2.3.32); returns what they were."""
    added, changed, deleted = [], [], []
    for command in commands or ():
        item = text(command, AirSync.ServerId)
        if command.tag is AirSync.Add:
            held.mails[item] = _mail(item, require(command, AirSync.ApplicationData))
            added.append(item)
        elif command.tag is AirSync.Change:
            read = require(command, AirSync.ApplicationData).child_text(Email.Read)
            if read is not None and item in held.mails:
                held.mails[item] = replace(held.mails[item], read=read == "1")
            changed.append(item)
        else:
            held.mails.pop(item, None)
            deleted.append(item)
    return Changes(tuple(added), tuple(changed), tuple(deleted))


def _mail(item: str, data: Element) -> Mail:
    body = data.find(AirSyncBase.Body)
    files = data.find(AirSyncBase.Attachments)
    return Mail(
        id=item,
        sender=data.child_text(Email.From, "") or "",
        subject=data.child_text(Email.Subject, "") or "",
        received=text(data, Email.DateReceived),
        preview=" ".join((body.child_text(AirSyncBase.Data) or "").split()) if body else "",
        read=data.child_text(Email.Read) == "1",
        files=tuple(_file(one) for one in files or ()),
    )


def _file(data: Element) -> File:
    return File(
        name=text(data, AirSyncBase.DisplayName),
        reference=text(data, AirSyncBase.FileReference),
        size=int(text(data, AirSyncBase.EstimatedDataSize)),
        inline=data.child_text(AirSyncBase.IsInline) == "1",
    )


def expect_status(parent: Element, tag: Tag, what: str) -> None:
    """Raises `PhoneError` unless the Status in `parent` is 1."""
    status = parent.child_text(tag)
    if status != "1":
        raise PhoneError(f"{what} was answered with Status {status}")


def require(parent: Element, tag: Tag) -> Element:
    """The first child with this tag; raises `PhoneError` when there is none."""
    found = parent.find(tag)
    if found is None:
        raise PhoneError(f"{parent.tag} holds no {tag.name}")
    return found


def text(parent: Element, tag: Tag) -> str:
    """The text of the first child with this tag; raises `PhoneError` when there is none."""
    return require(parent, tag).text()
