"""Drafts in a Sync (16.0 and later): what the device asks for, who does it, and how it is answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from gateway.eas import sending
from gateway.eas.commands.base import Context
from gateway.eas.commands.sync.request import ClientCommand
from gateway.eas.content.email_draft import parse_draft
from gateway.eas.content.ids import MessageName, file_reference, server_id
from gateway.eas.content.preferences import HTML, PLAIN
from gateway.eas.options import CollectionOptions
from gateway.eas.versions import Version
from gateway.errors import Kind, Refused
from gateway.mail.draft import DraftPatch
from gateway.sync.changes import Change
from gateway.sync.drafting import Add, DraftAnswer, Edit
from gateway.sync.drafts import Drafts
from gateway.sync.hierarchy import mailbox_of
from gateway.types import CollectionId, Folder, Role
from wbxml import Element, element
from wbxml.pages import AirSync, AirSyncBase, Email2

__all__ = ["add", "answered", "are_made_in", "edit", "shown", "worker"]


def are_made_in(folder: Folder, version: Version) -> bool:
    """Whether devices of this version make drafts in this folder."""
    return version >= Version.V16_0 and folder.role == Role.DRAFTS


def add(command: ClientCommand, change: Change) -> Add:
    """A new draft, with these flags. Raises `BadItem`."""
    patch = parse_draft(command.data or element(AirSync.ApplicationData))
    return Add(command.item, patch, patch.digest(), change, command.send)


def edit(name: MessageName, command: ClientCommand, change: Change, earlier: Counter[str]) -> Change | Edit:
    """A changed draft; nothing but its flags when there is no more. Raises `BadItem`.

    `earlier` counts the edits of the request: one that takes back another is no repetition of the first.
    """
    patch = DraftPatch() if command.data is None else parse_draft(command.data, name)
    if not patch and not command.send:
        return change
    made = Edit(change, patch, patch.digest(), command.send)
    earlier[made.identity] += 1
    number = earlier[made.identity]
    return made if number == 1 else replace(made, digest=f"{made.digest}-{number}")


def shown(options: bytes, rich: bool) -> int | None:
    """How many octets of a text a device with these options was shown; None: all."""
    wanted = CollectionOptions.unpack(options).body.preference(HTML if rich else PLAIN)
    return wanted.truncation if wanted else None


def worker(context: Context, folder: Folder) -> Drafts | None:
    """Who carries it out; None in a folder where no drafts are made."""
    mailbox = mailbox_of(folder)
    if mailbox is None or not are_made_in(folder, context.request.version):
        return None
    services = context.services

    async def send(message: bytes, wish: str) -> None:
        outgoing = await sending.outgoing(context, wish, message)
        wanted = sending.Wish(wish, message, save=True)
        try:
            await sending.send(context, wanted, outgoing, sending.as_it_is(outgoing))
        except Refused as error:
            if error.kind is not Kind.PREVIOUSLY_SENT:  # by an attempt that was cut off
                raise

    return Drafts(
        services.state,
        context.mailboxes,
        services.clock,
        services.background,
        send,
        principal=context.principal,
        device=context.device.id,
        collection=folder.id,
        mailbox=mailbox,
        largest=services.limits.max_body,
    )


def answered(collection: CollectionId, uidvalidity: int, answer: DraftAnswer, *, new: bool) -> list[Element]:
    """What is told of a draft that was stored: nothing of one that was sent.

    ServerId and ApplicationData of a new one; of another ApplicationData if it has new attachments.
    """
    if not answer.uid or not (new or answer.files):
        return []
    data = element(AirSync.ApplicationData)
    if new:
        identity, index = answer.thread
        data.append(Element(Email2.ConversationId, identity))
        data.append(Element(Email2.ConversationIndex, index))
    if answer.files:
        files = (
            element(
                AirSyncBase.Attachment,
                element(AirSyncBase.ClientId, client_id),
                element(
                    AirSyncBase.FileReference, file_reference(collection, uidvalidity, answer.uid, label)
                ),
            )
            for client_id, label in answer.files.items()
        )
        data.append(element(AirSyncBase.Attachments, *files))
    name = [element(AirSync.ServerId, server_id(collection, uidvalidity, answer.uid))] if new else []
    return [*name, element(AirSync.Status, 1), data]
