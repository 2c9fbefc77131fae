"""Drafts that a device makes, edits and sends (MS-ASCMD 2.2.3.7.2, MS-ASEMAIL 3.1.5.4).

Each is done once, also when it is repeated: what a device is answered becomes its intent in the transaction
that notes the message as stored, and the outbox knows what was sent. No text is lost when two change a draft:
the version that loses goes on as a draft of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from gateway.errors import Kind, Refused, SubmissionError, UpstreamRefused, UpstreamUnavailable
from gateway.mail import draft, html
from gateway.mail.addresses import Address
from gateway.mail.conversations import conversation
from gateway.mail.draft import Draft, DraftPatch, DraftText, Original
from gateway.mail.headers import Headers
from gateway.mail.structure import lay_out
from gateway.ports import Clock, State
from gateway.sync.background import Background
from gateway.sync.changes import Outcome, refusal
from gateway.sync.conflict import settle
from gateway.sync.drafting import UNKNOWN_EDITION, Add, DraftAnswer, Drafting, Edit
from gateway.sync.editable import EditableMailboxes, Editing
from gateway.sync.rewrites import Names, relabelled
from gateway.types import (
    DELETED,
    DRAFT,
    SEEN,
    CollectionId,
    DeviceId,
    MessageData,
    Principal,
    Rewrite,
    SectionRequest,
    Writing,
)

__all__ = ["Drafts", "SendDraft"]

_THREAD_OCTETS = 32 * 1024
"""From this size on a draft is read and written outside the event loop."""
_NOT_KEPT = frozenset({DELETED.lower(), "\\recent"})
_OUTCOMES = {
    Kind.NO_RECIPIENT: Outcome.RECIPIENTS,
    Kind.RECIPIENT_UNRESOLVED: Outcome.RECIPIENTS,
    Kind.TOO_LARGE: Outcome.TOO_LARGE,
    Kind.SEND_QUOTA_EXCEEDED: Outcome.SEND_QUOTA,
    Kind.SERVER_ERROR_RETRY: Outcome.RETRY,
    Kind.ITEM_NOT_FOUND: Outcome.NOT_FOUND,
    Kind.SUBMISSION_FAILED: Outcome.NOT_SENT,
}

SendDraft = Callable[[bytes, str], Awaitable[None]]
"""Sends a message once; the text tells this wish from others of the device. Raises `GatewayError`."""


class Drafts:
    """Carries out one device's Adds and Edits in one mailbox; `largest` bounds a draft in octets."""

    def __init__(
        self,
        state: State,
        mailboxes: EditableMailboxes,
        clock: Clock,
        background: Background,
        send: SendDraft,
        *,
        principal: Principal,
        device: DeviceId,
        collection: CollectionId,
        mailbox: str,
        largest: int,
    ) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._clock = clock
        self._background = background
        self._send = send
        self._principal = principal
        self._device = device
        self._collection = collection
        self._mailbox = mailbox
        self._largest = largest

    async def apply(self, operations: Sequence[Add | Edit], how: Drafting) -> dict[str, DraftAnswer]:
        """Carry out operations in order; returns the answers by identity.

        Once begun, one is finished when the client goes away. Raises `UpstreamError` when the upstream failed
        on the way: the request is then to be repeated as a whole.
        """
        answers: dict[str, DraftAnswer] = {}
        for operation in operations:
            work = self._background.start(self._apply(operation, how))
            answer = answers[operation.identity] = await asyncio.shield(work)
            if answer.uid and answer.outcome is Outcome.DONE:  # which the next one goes on from
                known = {**how.cursor.editions, answer.uid: answer.edition}
                how = replace(how, cursor=replace(how.cursor, editions=known))
        return answers

    async def _apply(self, operation: Add | Edit, how: Drafting) -> DraftAnswer:
        try:
            async with self._mailboxes.editing(self._mailbox) as editing:
                if isinstance(operation, Edit):
                    return await self._edit(operation, how, editing)
                if operation.send:
                    return await self._send_new(operation, how, editing)
                return await self._add(operation, how, editing)
        except SubmissionError as error:
            if error.sent_unknown:  # only the very same request can tell
                raise UpstreamUnavailable(error.detail) from error
            return DraftAnswer(_OUTCOMES.get(error.kind, Outcome.NOT_SENT))
        except UpstreamRefused as error:
            return DraftAnswer(Outcome.TOO_LARGE if error.code == "TOOBIG" else refusal(error))
        except Refused as error:
            return DraftAnswer(_OUTCOMES.get(error.kind, Outcome.INVALID))

    async def _known(self, operation: Add | Edit, how: Drafting) -> DraftAnswer | None:
        """What the device was answered before, or would have been."""
        value = (await self._intents()).get(self._name(operation, how))
        return DraftAnswer.unpack(value) if value else how.answers.get(operation.identity)

    async def _intents(self) -> Mapping[str, bytes]:
        return await self._state.load_intents(self._principal.user, self._device, self._collection)

    def _name(self, operation: Add | Edit, how: Drafting) -> str:
        return f"{how.key} {operation.identity}"

    # --- new drafts ----------------------------------------------------------------------------------------

    async def _add(self, add: Add, how: Drafting, editing: Editing) -> DraftAnswer:
        known = await self._known(add, how)
        if known is not None and known.digest == add.digest:
            return known
        if known is not None and known.uid and not await _continues(add.patch, known.text):
            return await self._fork(add, known, how, editing)
        validity, end = await editing.mailboxes.next_uid(self._mailbox)
        written = await self._write(add, None, how)
        rewrite = Rewrite(validity, 0, 0)
        if known is not None and known.uid:  # the device went on writing while its first attempt got lost
            rewrite = await self._in_place_of(known.uid, written, None, editing)
        flags = {DRAFT} if add.change.read is False else {DRAFT, SEEN}
        return await self._store(add, how, written, rewrite, editing, end=end, flags=flags)

    async def _fork(self, add: Add, known: DraftAnswer, how: Drafting, editing: Editing) -> DraftAnswer:
        """Store another text under a ClientId that has a draft: nobody knows which of the two is newer.

        The new one becomes a draft of its own, and the device is told both.
        """
        name = f"{self._name(add, how)} {add.digest}"
        if name not in await self._intents():
            validity, end = await editing.mailboxes.next_uid(self._mailbox)
            written = await self._write(add, None, how)
            await self._store(
                add, how, written, Rewrite(validity, 0, 0), editing, end=end, flags={DRAFT, SEEN}, name=name
            )
        return replace(known, digest=add.digest, edition=UNKNOWN_EDITION)

    async def _send_new(self, add: Add, how: Drafting, editing: Editing) -> DraftAnswer:
        known = await self._known(add, how)
        written = await self._write(add, None, how)
        await self._send(draft.for_sending(written.message), f"{self._collection} {self._name(add, how)}")
        if known is not None and known.uid:  # the answer to an attempt that only stored it got lost
            view = await editing.mailboxes.view(self._mailbox)
            uid = Names(view.uidvalidity, editing.known.done).uid(known.uid)
            await editing.mailboxes.expunge(self._mailbox, view.uidvalidity, [uid])
        return DraftAnswer(digest=add.digest)

    # --- edited drafts -------------------------------------------------------------------------------------

    async def _edit(self, edit: Edit, how: Drafting, editing: Editing) -> DraftAnswer:
        known = await self._known(edit, how)
        if known is not None:
            return await self._remove_sent(edit, known, editing)
        view = await editing.mailboxes.view(self._mailbox)
        names = Names(view.uidvalidity, editing.known.done)
        uid = names.uid(edit.uid)
        found: Mapping[int, MessageData] = {}
        if edit.uidvalidity == view.uidvalidity and uid in view.uids:
            found = await editing.mailboxes.fetch(self._mailbox, view.uidvalidity, [uid], [])
        whole = SectionRequest(uid, "")
        octets: Mapping[SectionRequest, bytes] = {}
        if found:
            octets = await editing.mailboxes.fetch_sections(self._mailbox, view.uidvalidity, [whole])
        if whole not in octets:
            return await self._keep(edit, None, Outcome.NOT_FOUND, how, editing)
        message, original = found[uid], Original(octets[whole], found[uid].structure)
        edited = names.rewrites.get(edit.uid)
        base, present = how.cursor.editions.get(edit.uid, 0), edited.uid if edited else 0
        refused = settle({"": base}, {"": -1}, {"": present}, how.policy).refused
        if refused or (base != present and not edited):  # that one has no other name to go on under
            return await self._keep(edit, original, Outcome.CONFLICT, how, editing)
        sections = (names.section(edit.uid, label) for label in edit.patch.removed)
        removed = tuple(section for section in sections if section)
        written = await self._write(edit, original, how, removed=removed, renamed=base != present)
        if edit.send:
            return await self._send_edited(edit, written, uid, how, editing, keep=base != present)
        rewrite = await self._in_place_of(edit.uid, written, message, editing, keep=base != present)
        flags = {DRAFT, *(flag for flag in message.flags if flag.lower() not in _NOT_KEPT)}
        end = max(view.uids) + 1
        return await self._store(edit, how, written, rewrite, editing, end=end, flags=flags)

    async def _send_edited(
        self, edit: Edit, written: Draft, uid: int, how: Drafting, editing: Editing, *, keep: bool
    ) -> DraftAnswer:
        """Send a draft and remove it; with `keep` it stays, for it is not the version that was sent."""
        name = self._name(edit, how)
        await self._send(draft.for_sending(written.message), f"{self._collection} {name}")
        answer = DraftAnswer(digest=edit.digest, edition=0 if keep else uid)
        user = self._principal.user
        await self._state.save_intents(user, self._device, self._collection, {name: answer.pack()})
        if keep:
            gone = [each for each in editing.known.done if each.uid == uid]
            await self._state.forget_rewrites(user, self._mailbox, gone)
        return await self._remove_sent(edit, answer, editing)

    async def _remove_sent(self, edit: Edit, answer: DraftAnswer, editing: Editing) -> DraftAnswer:
        """Remove the draft of which an answer says that it was sent."""
        if edit.send and answer.outcome is Outcome.DONE and answer.edition:
            await editing.mailboxes.expunge(self._mailbox, edit.uidvalidity, [answer.edition])
        return answer

    async def _keep(
        self, edit: Edit, original: Original | None, outcome: Outcome, how: Drafting, editing: Editing
    ) -> DraftAnswer:
        """Store what the device wrote as a draft of its own, when it cannot be where it was meant to be."""
        if not edit.patch.has_content:
            return DraftAnswer(outcome)
        validity, end = await editing.mailboxes.next_uid(self._mailbox)
        written = await self._write(edit, original, how, renamed=True)
        flags, rewrite = {DRAFT, SEEN}, Rewrite(validity, 0, 0)
        return await self._store(edit, how, written, rewrite, editing, end=end, flags=flags, outcome=outcome)

    # --- storing -------------------------------------------------------------------------------------------

    async def _write(
        self,
        operation: Add | Edit,
        original: Original | None,
        how: Drafting,
        *,
        removed: tuple[str, ...] = (),
        renamed: bool = False,
    ) -> Draft:
        """Write a draft; what is to be sent is the same at every attempt. Raises `Refused`."""
        patch = replace(operation.patch, removed=removed)
        if patch.text is not None:
            patch = replace(patch, text=replace(patch.text, shown=how.shown(patch.text.rich)))
        seed = secrets.token_hex(16)
        if operation.send:
            wish = (self._principal.user, self._device, self._collection, self._name(operation, how))
            seed = hashlib.sha256("\n".join((*wish, operation.digest)).encode()).hexdigest()[:32]
        write = partial(
            draft.write,
            patch,
            original,
            author=Address(self._principal.display_name, self._principal.email),
            now=self._clock.now(),
            name=f"<{seed}@{self._principal.email.rpartition('@')[2] or 'localhost'}>",
            edition=seed,
            renamed=renamed,
        )
        size = patch.size + (len(original.message) if original else 0)
        written = write() if size < _THREAD_OCTETS else await asyncio.to_thread(write)
        if len(written.message) > self._largest:
            raise Refused(Kind.TOO_LARGE, "the draft is larger than what can be stored")
        return written

    async def _in_place_of(
        self, item: int, written: Draft, message: MessageData | None, editing: Editing, *, keep: bool = False
    ) -> Rewrite:
        """The names of a draft after an edit; with `keep` the version before becomes a draft of its own."""
        view = await editing.mailboxes.view(self._mailbox)
        names = Names(view.uidvalidity, editing.known.done)
        before = names.rewrites.get(item) or Rewrite(view.uidvalidity, item, item)
        attachments = lay_out(message.structure).attachments if message else ()
        labels = relabelled(
            before.labels, [each.part.section for each in attachments], written.moved, written.files.values()
        )
        stale = [uid for uid in before.stale if uid in view.uids]
        if not keep:
            stale.append(before.uid)
        return Rewrite(view.uidvalidity, item, 0, labels, tuple(stale))

    async def _store(
        self,
        operation: Add | Edit,
        how: Drafting,
        written: Draft,
        rewrite: Rewrite,
        editing: Editing,
        *,
        end: int,
        flags: set[str],
        outcome: Outcome = Outcome.DONE,
        name: str = "",
    ) -> DraftAnswer:
        """Store a draft as `rewrite` says, in a mailbox whose next UID was `end`, and note the answer."""
        labels = {section: label for label, section in rewrite.labels.items() if section}
        where = conversation(Headers(written.message.partition(b"\r\n\r\n")[0]), written.edition.encode())
        answer = DraftAnswer(
            outcome,
            digest=operation.digest,
            thread=(where.id, where.index),
            text=_mark_of(await _words(operation.patch)),
            files={client_id: labels.get(section, section) for client_id, section in written.files.items()},
        )
        writing = Writing(
            written.edition,
            end - 1,
            rewrite,
            self._device,
            self._collection,
            name or self._name(operation, how),
            answer.pack(),
        )
        return DraftAnswer.unpack(await editing.store(writing, written.message, sorted(flags)))


async def _words(patch: DraftPatch) -> str:
    """What somebody wrote, without form."""
    if patch.text is None:
        return ""
    if len(patch.text.data) < _THREAD_OCTETS:
        return _without_form(patch.text)
    return await asyncio.to_thread(_without_form, patch.text)


def _without_form(written: DraftText) -> str:
    text = written.data.decode("utf-8", "ignore")
    return " ".join((html.to_text(text) if written.rich else text).split())


def _mark_of(text: str) -> tuple[int, str]:
    return len(text), hashlib.sha256(text.encode("utf-8", "ignore")).hexdigest()


async def _continues(patch: DraftPatch, before: tuple[int, str]) -> bool:
    """Whether a text begins with the one of this mark."""
    return _mark_of((await _words(patch))[: before[0]]) == before
