"""A small phone: keeps folders and mail as a phone does, and learns of them from the gateway only.

It speaks protocol version 16.1. Every method is one thing a user or a timer makes a phone do, and raises
`PhoneError` when the gateway's answer is not what a phone can go on with.
"""

from __future__ import annotations

import base64
import binascii
import secrets

from gateway.demo.client import Client, PhoneError
from gateway.demo.items import Changes, Collection, File, Folder, Mail, apply, expect_status, require, text
from wbxml import Element, element
from wbxml.pages import (
    AirSync,
    AirSyncBase,
    ComposeMail,
    Email,
    FolderHierarchy,
    ItemOperations,
    Ping,
    Provision,
    Settings,
)

POLICY_TYPE = "MS-EAS-Provisioning-WBXML"
WINDOW = 5
PREVIEW_BYTES = 400
HEARTBEAT_SECONDS = 60
MAX_ROUNDS = 100
PREVIOUSLY_SENT = "118"
"""Common Status MessagePreviouslySent (MS-ASCMD 2.2.2)."""

INBOX, DRAFTS, DELETED, SENT, OUTBOX = "2", "3", "4", "5", "6"
"""Folder types (MS-ASCMD 2.2.3.186.3)."""


class Phone:
    """One device of one user, with everything it knows."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.hierarchy_key = "0"
        self.folders: dict[str, Folder] = {}
        self.collections: dict[str, Collection] = {}

    def folder(self, kind: str) -> Folder:
        """The first folder of a type."""
        for one in self.folders.values():
            if one.type == kind:
                return one
        raise PhoneError(f"there is no folder of type {kind}")

    def mails(self, folder: Folder) -> list[Mail]:
        """The mails of a synchronised folder, newest first."""
        mails = self.collections[folder.id].mails.values()
        return sorted(mails, key=lambda mail: mail.received, reverse=True)

    def provision(self) -> str:
        """Takes and accepts the policy in two phases (MS-ASPROV 3.1.5); returns the permanent key."""
        information = {
            Settings.Model: "Demo phone",
            Settings.FriendlyName: "The demo's phone",
            Settings.OS: "Demo 1.0",
            Settings.UserAgent: "DemoPhone/1.0",
        }
        offered = self._provision(
            element(
                Settings.DeviceInformation,
                element(Settings.Set, *(element(tag, value) for tag, value in information.items())),
            ),
            element(Provision.PolicyType, POLICY_TYPE),
        )
        temporary = text(offered, Provision.PolicyKey)
        self.client.policy_key = temporary
        accepted = self._provision(
            None,
            element(Provision.PolicyType, POLICY_TYPE),
            element(Provision.PolicyKey, temporary),
            element(Provision.Status, 1),
        )
        self.client.policy_key = text(accepted, Provision.PolicyKey)
        return self.client.policy_key

    def _provision(self, information: Element | None, *policy: Element) -> Element:
        request = Element(Provision.Provision)
        if information is not None:
            request.append(information)
        request.append(element(Provision.Policies, element(Provision.Policy, *policy)))
        answer = self._command("Provision", request)
        expect_status(answer, Provision.Status, "Provision")
        found = require(require(answer, Provision.Policies), Provision.Policy)
        expect_status(found, Provision.Status, "Provision, the policy")
        return found

    def folder_sync(self) -> int:
        """Brings the folder hierarchy up to date (MS-ASCMD 2.2.1.5); returns the number of changes."""
        answer = self._command(
            "FolderSync",
            element(FolderHierarchy.FolderSync, element(FolderHierarchy.SyncKey, self.hierarchy_key)),
        )
        expect_status(answer, FolderHierarchy.Status, "FolderSync")
        self.hierarchy_key = text(answer, FolderHierarchy.SyncKey)
        changes = answer.find(FolderHierarchy.Changes)
        count = 0
        for change in changes or ():
            if change.tag in (FolderHierarchy.Add, FolderHierarchy.Update):
                names = (
                    FolderHierarchy.ServerId,
                    FolderHierarchy.ParentId,
                    FolderHierarchy.DisplayName,
                    FolderHierarchy.Type,
                )
                made = Folder(*(text(change, name) for name in names))
                self.folders[made.id] = made
                count += 1
            elif change.tag is FolderHierarchy.Delete:
                self.folders.pop(text(change, FolderHierarchy.ServerId), None)
                count += 1
        return count

    def first_window(self, folder: Folder) -> Changes:
        """Begins to synchronise a folder, and takes the first mails alone."""
        held = self.collections[folder.id] = Collection()
        self._sync_round(folder, held, ())
        changes, _ = self._sync_round(folder, held, ())
        return changes

    def sync(self, folder: Folder, *commands: Element) -> Changes:
        """Sends `commands` and synchronises a folder until it has no more (MS-ASCMD 2.2.1.21)."""
        held = self.collections.setdefault(folder.id, Collection())
        if held.key == "0":
            self._sync_round(folder, held, ())
        total = Changes()
        for _ in range(MAX_ROUNDS):
            found, more = self._sync_round(folder, held, commands)
            commands = ()
            total = Changes(
                total.added + found.added,
                total.changed + found.changed,
                total.deleted + found.deleted,
                total.rounds + 1,
            )
            if not more:
                return total
        raise PhoneError(f"Sync of {folder.name} still has more after {MAX_ROUNDS} rounds")

    def mark_read(self, folder: Folder, mail: Mail) -> Changes:
        """Marks a mail as read."""
        data = element(AirSync.ApplicationData, element(Email.Read, 1))
        return self.sync(folder, element(AirSync.Change, element(AirSync.ServerId, mail.id), data))

    def delete(self, folder: Folder, mail: Mail) -> Changes:
        """Moves a mail to the deleted items."""
        changes = self.sync(folder, element(AirSync.Delete, element(AirSync.ServerId, mail.id)))
        self.collections[folder.id].mails.pop(mail.id, None)
        return changes

    def fetch_body(self, folder: Folder, mail: Mail) -> str:
        """Loads the whole body of a mail as HTML (MS-ASCMD 2.2.1.10)."""
        preference = element(AirSyncBase.BodyPreference, element(AirSyncBase.Type, 2))
        properties = self._fetch(
            element(AirSync.CollectionId, folder.id),
            element(AirSync.ServerId, mail.id),
            element(ItemOperations.Options, preference),
        )
        return text(require(properties, AirSyncBase.Body), AirSyncBase.Data)

    def fetch_file(self, file: File) -> tuple[str, bytes]:
        """Loads an attachment: its content type and its bytes."""
        properties = self._fetch(element(AirSyncBase.FileReference, file.reference))
        try:
            data = base64.b64decode(text(properties, ItemOperations.Data), validate=True)
        except binascii.Error as error:
            raise PhoneError(f"the attachment {file.name} is not base64: {error}") from error
        return text(properties, AirSyncBase.ContentType), data

    def _fetch(self, *what: Element) -> Element:
        fetch = element(ItemOperations.Fetch, element(ItemOperations.Store, "Mailbox"), *what)
        answer = self._command("ItemOperations", element(ItemOperations.ItemOperations, fetch))
        expect_status(answer, ItemOperations.Status, "ItemOperations")
        fetched = require(require(answer, ItemOperations.Response), ItemOperations.Fetch)
        expect_status(fetched, ItemOperations.Status, "ItemOperations, Fetch")
        return require(fetched, ItemOperations.Properties)

    def send_mail(self, client_id: str, message: bytes) -> None:
        """Sends a message and keeps a copy (MS-ASCMD 2.2.1.17).

        Success is an empty answer, or the Status that this very message was sent before.
        """
        answer = self.client.command(
            "SendMail",
            element(
                ComposeMail.SendMail,
                element(ComposeMail.ClientId, client_id),
                element(ComposeMail.SaveInSentItems),
                element(ComposeMail.Mime, message),
            ),
        )
        status = None if answer is None else answer.child_text(ComposeMail.Status)
        if status not in {None, PREVIOUSLY_SENT}:
            raise PhoneError(f"SendMail was answered with Status {status}")

    def upload(self, size: int) -> int:
        """Has the server take in a message of about so many bytes, which is to nobody, and so is not sent.

        Returns how many bytes it had.
        """
        message = b"Subject: An upload\r\n\r\n" + b"x" * 70 + b"\r\n"
        message += (b"y" * 70 + b"\r\n") * (max(0, size - len(message)) // 72)
        sent = element(
            ComposeMail.SendMail,
            element(ComposeMail.ClientId, secrets.token_hex(8)),
            element(ComposeMail.Mime, message),
        )
        answer = self._command("SendMail", sent)
        if not answer.child_text(ComposeMail.Status):
            raise PhoneError("SendMail of a message to nobody was answered without a Status")
        return len(message)

    def ping(self, *folders: Folder, heartbeat: int = HEARTBEAT_SECONDS) -> list[str]:
        """Waits for news (MS-ASCMD 2.2.1.13): the ids of changed folders, none when time is over."""
        watched = (
            element(Ping.Folder, element(Ping.Id, folder.id), element(Ping.Class, "Email"))
            for folder in folders
        )
        request = element(
            Ping.Ping,
            element(Ping.HeartbeatInterval, heartbeat),
            element(Ping.Folders, *watched),
        )
        answer = self.client.command("Ping", request, seconds=heartbeat + 10)
        if answer is None:
            raise PhoneError("Ping was answered without a body")
        status = text(answer, Ping.Status)
        if status == "1":
            return []
        if status != "2":
            raise PhoneError(f"Ping was answered with Status {status}")
        return [changed.text() for changed in require(answer, Ping.Folders)]

    def _command(self, name: str, request: Element) -> Element:
        answer = self.client.command(name, request)
        if answer is None:
            raise PhoneError(f"{name} was answered without a body")
        if answer.tag is not request.tag:
            raise PhoneError(f"{name} was answered with {answer.tag}")
        return answer

    def _sync_round(
        self, folder: Folder, held: Collection, commands: tuple[Element, ...]
    ) -> tuple[Changes, bool]:
        collection = element(
            AirSync.Collection,
            element(AirSync.SyncKey, held.key),
            element(AirSync.CollectionId, folder.id),
        )
        if held.key != "0":
            collection.extend(_sync_options())
            if commands:
                collection.append(element(AirSync.Commands, *commands))
        request = element(AirSync.Sync, element(AirSync.Collections, collection))
        answer = self.client.command("Sync", request)
        if answer is None:
            return Changes(), False
        if answer.find(AirSync.Collections) is None:
            raise PhoneError(f"Sync was answered with Status {answer.child_text(AirSync.Status)}")
        found = require(require(answer, AirSync.Collections), AirSync.Collection)
        expect_status(found, AirSync.Status, f"Sync of {folder.name}")
        _expect_success(found)
        key = text(found, AirSync.SyncKey)
        more = found.find(AirSync.MoreAvailable) is not None
        if more and key == held.key:
            raise PhoneError(f"Sync of {folder.name} has more available but no new key")
        held.key = key
        return apply(held, found.find(AirSync.Commands)), more


def _sync_options() -> list[Element]:
    body = element(
        AirSyncBase.BodyPreference,
        element(AirSyncBase.Type, 1),
        element(AirSyncBase.TruncationSize, PREVIEW_BYTES),
    )
    return [
        element(AirSync.DeletesAsMoves, 1),
        element(AirSync.GetChanges, 1),
        element(AirSync.WindowSize, WINDOW),
        element(AirSync.Options, element(AirSync.FilterType, 3), body),
    ]


def _expect_success(collection: Element) -> None:
    """Responses tell of failed changes, and of fetches and additions, which this phone does not make."""
    for response in collection.find(AirSync.Responses) or ():
        status = response.child_text(AirSync.Status)
        if status != "1":
            raise PhoneError(f"Sync, {response.tag.name} was answered with Status {status}")
