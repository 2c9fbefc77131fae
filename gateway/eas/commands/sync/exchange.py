"""One Sync request being served, collection by collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gateway.eas import mailitems, meetings, sentmail
from gateway.eas.ahead import Place
from gateway.eas.commands.base import Context
from gateway.eas.commands.sync import drafts, itemserver, operations, reply, texts
from gateway.eas.commands.sync.operations import Plan
from gateway.eas.commands.sync.request import MAX_WINDOW, SyncCollection, SyncRequest, Verb
from gateway.eas.content import email
from gateway.eas.content.email_properties import subject_of
from gateway.eas.hold import wait_for_news
from gateway.eas.options import CollectionOptions
from gateway.eas.versions import Version
from gateway.errors import ENDS_REQUEST, GatewayError, Kind, NotFound, Refused
from gateway.mail.headers import Headers
from gateway.sync import moves
from gateway.sync.annotations import Values
from gateway.sync.cursor import NO_UIDS
from gateway.sync.folders import Folders, folder_with_role, with_role
from gateway.sync.hierarchy import find, mailbox_of
from gateway.sync.itemfolders import is_item_folder
from gateway.sync.keys import INITIAL_KEY, KeyUse
from gateway.sync.mail import MailReply, MailRequest, MailSync
from gateway.types import Folder, FolderList, Role, Uids
from wbxml import Element
from wbxml.pages import AirSync

__all__ = ["Exchange"]

_CONFLICT = "7"
"""Status of an operation that was not done because of another change (MS-ASCMD 2.2.3.177.17)."""
_MALFORMED = frozenset({Kind.INVALID_XML, Kind.BODY_PART_TYPE})


@dataclass(slots=True)
class Exchange:
    """One Sync request being served. `room` is what all of its messages share.

    `malformed` is what is wrong with collections that were not asked for as the protocol has it.
    """

    context: Context
    folders: FolderList
    room: email.Room = field(default_factory=email.Room)
    malformed: list[Refused] = field(default_factory=list)

    async def run(self, asked: SyncRequest) -> list[Element]:
        """Serve every collection in order; returns the Collection elements of those with something to say.

        Raises `Refused` where none was asked for as the protocol has it: then the request is wrong, not a
        folder, and the Status stands below Sync (MS-ASCMD 2.2.3.177.17).
        """
        self.malformed.clear()
        told: list[Element] = []
        left = min(asked.window, MAX_WINDOW)
        for collection in asked.collections:
            if left <= 0 and not collection.commands and collection.key != "0":
                continue  # the device will ask again: another collection has MoreAvailable
            served, count = await self._serve(collection, left)
            left -= count
            if served is not None:
                told.append(served)
        if self.malformed and len(self.malformed) == len(asked.collections):
            raise self.malformed[0]
        return told

    async def _serve(self, asked: SyncCollection, left: int) -> tuple[Element | None, int]:
        """Serve one collection; returns its element, if it has one, and how much of the window it took."""
        context = self.context
        version = context.request.version
        if asked.key == "0" and asked.get_changes:
            return self._failed(asked, Kind.INVALID_XML, "GetChanges with key 0"), 0
        if asked.refusal:
            return self._failed(asked, asked.refusal.kind, asked.refusal.detail), 0
        if is_item_folder(asked.id):
            return await self._serve_items(asked, left)
        folder = find(self.folders, asked.id)
        if folder is None:
            return self._failed(asked, Kind.ITEM_NOT_FOUND, "no such folder"), 0
        with_drafts = drafts.are_made_in(folder, version)
        text_box = texts.box(context, folder)
        plan = operations.plan(asked.id, asked.commands, with_drafts=with_drafts, text_box=text_box)
        try:
            await self._provide_trash(asked)
            folder = await self._provide_drafts(folder, plan)
            await self._move_on(folder, asked)
            outcome = await self._sync(folder).run(self._request(asked, plan, left))
        except NotFound:
            return self._failed(asked, Kind.ITEM_NOT_FOUND, "the mailbox is gone"), 0
        except ENDS_REQUEST:
            raise  # it concerns every collection
        except GatewayError as error:
            return self._failed(asked, error.kind, error.detail), 0
        if outcome.use is KeyUse.UNKNOWN:
            return self._failed(asked, Kind.SYNC_STATE_NOT_FOUND, "unknown key"), 0
        self.context.services.tally.replays += outcome.use is KeyUse.REPLAY
        if (outcome.silent and not plan.answered) or asked.wants_nothing:
            return None, 0
        # First: what the device asked for by name has the room before what it did not.
        fetched = await self._fetch(folder, outcome, plan)
        rendered = await self._render(folder, outcome)
        notes = await self._notes(folder, outcome)
        subjects = await self._subjects(folder, outcome, reply.untitled(outcome, notes))
        uploaded = await texts.carry_out(context, asked.id, plan.texts)
        shown = reply.Shown(rendered, notes, subjects, fetched, uploaded)
        told = reply.collection(asked, plan, outcome, shown, version)
        self._note_items(asked, told)
        return told, len(outcome.told)

    async def _serve_items(self, asked: SyncCollection, left: int) -> tuple[Element | None, int]:
        """Serve one collection of items, as `_serve` does."""
        try:
            served = await itemserver.serve(self.context, asked, left)
        except ENDS_REQUEST:
            raise
        except GatewayError as error:
            return self._failed(asked, error.kind, error.detail), 0
        if served.noticed:
            meetings.mail(self.context)
        if served.told is not None:
            self._note_items(asked, served.told)
        return served.told, served.count

    def _failed(self, asked: SyncCollection, kind: Kind, reason: str) -> Element:
        if kind in _MALFORMED:
            self.malformed.append(Refused(kind, f"collection {asked.id}: {reason}"))
        told = reply.failed(asked, kind, self.context.request.version)
        self.context.note(told.child_text(AirSync.Status) or "", f"collection {asked.id}: {reason}")
        return told

    def _note_items(self, asked: SyncCollection, told: Element) -> None:
        """Say in the log which Status operations of the device got, if it was not success."""
        answered = told.find(AirSync.Responses) or ()
        values = Counter(answer.child_text(AirSync.Status) for answer in answered)
        self.context.services.tally.conflicts += values[_CONFLICT]
        del values["1"]
        if values:
            counted = ", ".join(f"{count} with Status {value}" for value, count in sorted(values.items()))
            self.context.note("", f"collection {asked.id}: operations refused, {counted}")

    async def _move_on(self, folder: Folder, asked: SyncCollection) -> None:
        """Move what came to the folder and belongs to a conversation that is elsewhere, before it is told."""
        mailbox = mailbox_of(folder)
        if mailbox is None or asked.key == INITIAL_KEY or not asked.wants_changes:
            return
        context = self.context
        services, user = context.services, context.principal.user
        mover = moves.Mover(services.state, context.mailboxes, services.clock, user, context.device.id)
        place, find_mailbox = moves.Place(folder.id, mailbox), sentmail.find_mailbox(context)
        await services.always.apply(user, place, context.mailboxes, find_mailbox, mover)

    async def _provide_trash(self, asked: SyncCollection) -> None:
        """See to it that deleted mail has somewhere to go, before something is deleted."""
        deletes = any(command.verb is Verb.DELETE for command in asked.commands)
        if deletes and asked.deletes_as_moves and with_role(self.folders, Role.TRASH) is None:
            folders = Folders(
                self.context.services.state, self.context.mailboxes, self.context.principal.user
            )
            await folders.create_missing()
            self.folders, _ = await folders.refresh()

    async def _provide_drafts(self, folder: Folder, plan: Plan) -> Folder:
        """See to it that a new draft has somewhere to be: its folder is shown even if there is none."""
        if folder.mailbox is not None or not plan.operations:
            return folder
        folders = Folders(self.context.services.state, self.context.mailboxes, self.context.principal.user)
        await folders.create_missing()
        self.folders, _ = await folders.refresh()
        return find(self.folders, folder.id) or folder

    def _sync(self, folder: Folder) -> MailSync:
        context = self.context
        trash = folder_with_role(self.folders, Role.TRASH)
        return MailSync(
            context.services.state,
            context.mailboxes,
            user=context.principal.user,
            device=context.device.id,
            collection=folder.id,
            mailbox=mailbox_of(folder),
            trash=trash.mailbox if trash else None,
            trash_collection=trash.id if trash else None,
            release=context.services.release,
            clock=context.services.clock,
            drafts=drafts.worker(context, folder),
        )

    def _request(self, asked: SyncCollection, plan: Plan, left: int) -> MailRequest:
        return MailRequest(
            key=asked.key,
            operations=list(plan.operations.values()),
            answered=plan.answered,
            get_changes=asked.wants_changes and left > 0,
            limit=min(asked.window, max(left, 1)),
            since=self._since,
            policy=lambda options: CollectionOptions.unpack(options).conflict,
            shown=drafts.shown,
            deletes_as_moves=asked.deletes_as_moves,
            options=None if asked.options is None else asked.options.pack(),
            conversations=asked.conversations,
        )

    def _since(self, options: bytes) -> datetime | None:
        return CollectionOptions.unpack(options).since(self.context.services.clock.now())

    # --- rendering ---------------------------------------------------------------------------------------

    async def _fetch(self, folder: Folder, outcome: MailReply, plan: Plan) -> Mapping[int, email.Rendered]:
        """The messages that are to be fetched, whole, by UID (MS-ASCMD 2.2.3.67.2)."""
        validity = outcome.after.uidvalidity
        named = dict.fromkeys(plan.fetches.values())
        uids = [uid for epoch, uid in named if epoch == validity]
        options = CollectionOptions.unpack(outcome.options).body.whole()
        flags = {uid: outcome.after.flags_of(uid) for uid in uids if uid in outcome.after.uids}
        try:
            return await mailitems.render(
                self.context, folder, validity, uids, options, flags=flags, room=self.room
            )
        except NotFound:
            return {}

    async def _render(self, folder: Folder, outcome: MailReply) -> Mapping[int, email.Rendered]:
        """The messages to be added, by UID; those gone meanwhile are left out.

        What was told is stored already. Should the upstream fail here, the device repeats its key and is
        told the same.
        """
        validity = outcome.after.uidvalidity
        uids = [*reversed(outcome.told.added | outcome.told.renewed)]
        options = CollectionOptions.unpack(outcome.options).body
        # Not as they are by now: the device must have what its cursor says, or it is never put right.
        flags = {uid: outcome.after.flags_of(uid) for uid in uids if uid in outcome.after.uids}
        context = self.context
        try:
            beside = await self._beside(folder, outcome, uids)
            recent = [uid for uid in uids if uid not in beside]
            prepared = await context.services.ahead.take(self._place(folder))
            rendered = await mailitems.render(
                context, folder, validity, recent, options, flags=flags, prepared=prepared, room=self.room
            )
            previews = await mailitems.render(
                context,
                folder,
                validity,
                [*reversed(beside)],
                options.previews(),
                flags=flags,
                room=self.room,
            )
        except NotFound:
            return {}
        self._fetch_ahead(folder, outcome)
        return {**rendered, **previews}

    async def _beside(self, folder: Folder, outcome: MailReply, uids: Sequence[int]) -> Uids:
        """Those that are in the window for their conversation alone, of which no body is given.

        MS-ASCMD 2.2.3.36.2.
        """
        after, mailbox = outcome.after, mailbox_of(folder)
        if not uids or not after.conversations or after.since is None or mailbox is None:
            return NO_UIDS
        recent = await self.context.mailboxes.received_since(mailbox, after.uidvalidity, after.since)
        return Uids(uids) - recent

    def _fetch_ahead(self, folder: Folder, outcome: MailReply) -> None:
        """Begin to fetch what the next reply will probably add; not drafts: they change under their names."""
        if not outcome.coming or folder.mailbox is None or folder.role == Role.DRAFTS:
            return
        context = self.context
        work = email.prepare(
            context.mailboxes,
            folder.mailbox,
            outcome.after.uidvalidity,
            [*reversed(outcome.coming)],
            CollectionOptions.unpack(outcome.options).body,
            context.request.version,
        )
        context.services.ahead.begin(self._place(folder), work)

    def _place(self, folder: Folder) -> Place:
        return self.context.principal.user, self.context.device.id, folder.id

    async def _notes(self, folder: Folder, outcome: MailReply) -> Mapping[int, Values]:
        """What is known of the messages whose marks changed, beside their flags."""
        if not outcome.told.changed:
            return {}
        state, user = self.context.services.state, self.context.principal.user
        return await state.load_annotations(user, folder.id, outcome.after.uidvalidity, outcome.told.changed)

    async def _subjects(self, folder: Folder, outcome: MailReply, uids: Sequence[int]) -> Mapping[int, str]:
        """The subjects of messages, which only those have that have flags without one (from 12.0)."""
        mailbox = mailbox_of(folder)
        if mailbox is None or not uids or self.context.request.version < Version.V12_0:
            return {}
        validity = outcome.after.uidvalidity
        try:
            found = await self.context.mailboxes.fetch(mailbox, validity, uids, ["Subject"])
        except NotFound:
            return {}
        return {uid: subject_of(Headers(message.header)) for uid, message in found.items()}

    # --- holding -----------------------------------------------------------------------------------------

    async def hold(self, asked: SyncRequest) -> bool:
        """Wait until a collection has new mail; False when the time asked for is over first.

        One whose changes are not wanted would have nothing to say then, and is not waited for.
        """
        context = self.context
        wanted = [collection.id for collection in asked.collections if collection.wants_changes]
        folders = [folder for name in wanted if (folder := find(self.folders, name)) is not None]
        items = [name for name in wanted if is_item_folder(name)]
        try:
            return bool(await wait_for_news(context, folders, asked.wait or 0, items))
        except NotFound:
            return True  # a mailbox went away: serving the collections again tells the device so

    async def unchanged(self, asked: SyncRequest) -> list[Element]:
        """The collections with the keys they have: what 12.0 is told, which knows no empty answer."""
        return [reply.unchanged(collection, self.context.request.version) for collection in asked.collections]
