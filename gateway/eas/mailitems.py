"""Mail for a reply: rendered, with what cannot be shown noted for the administrator."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

from gateway.eas import meetings, sentmail
from gateway.eas.commands.base import Context
from gateway.eas.content import email
from gateway.eas.content.body import PartSink
from gateway.eas.content.preferences import BodyOptions
from gateway.eas.meetingtypes import tell_types
from gateway.sync import moves
from gateway.sync.cursor import NO_UIDS
from gateway.sync.followed import known
from gateway.sync.hierarchy import mailbox_of
from gateway.types import Folder, Role


async def render(
    context: Context,
    folder: Folder,
    uidvalidity: int,
    uids: Sequence[int],
    options: BodyOptions,
    *,
    parts: PartSink | None = None,
    flags: Mapping[int, Collection[str]] = email.NO_FLAGS,
    prepared: email.Prepared | None = None,
    room: email.Room | None = None,
) -> Mapping[int, email.Rendered]:
    """The messages of a folder by UID; vanished ones are left out, and all when the folder holds none.

    One that the server lists and does not show is not taken for vanished, but shown as a stub. A message that
    could only be shown as a stub is listed in the store, and logged the first time; one with more attachments
    than are listed is logged. Raises what `content.email.render` raises, where `prepared` and `room` are
    explained.
    """
    mailbox = mailbox_of(folder)
    if mailbox is None or not uids:
        return {}
    services, user = context.services, context.principal.user
    place = moves.Place(folder.id, mailbox)
    find = sentmail.find_mailbox(context)
    rendered = await email.render(
        context.mailboxes,
        mailbox,
        uidvalidity,
        uids,
        options,
        context.request.version,
        collection=folder.id,
        drafts=folder.role == Role.DRAFTS,
        parts=parts,
        flags=flags,
        owner=context.principal.email,
        own=meetings.own(context),
        zone=services.zone,
        notes=partial(known, services.state, user, context.mailboxes, place, uidvalidity, find),
        prepared=prepared,
        room=room,
    )
    rendered = await _with_unread(context, folder, mailbox, uidvalidity, uids, rendered, flags)
    await tell_types(context, rendered.values())
    for uid, message in rendered.items():
        if message.unlisted:
            context.log.info(
                "attachments not listed", collection=folder.id, uid=uid, attachments=message.unlisted
            )
        if message.poison is not None and await services.state.note_poison(
            user, folder.id, f"{uidvalidity}.{uid}", services.release, message.poison
        ):
            services.tally.stubs += 1
            context.log.warning(
                "message shown as a stub", collection=folder.id, uid=uid, reason=message.poison
            )
    return rendered


async def _with_unread(  # noqa: PLR0917 - the first five name the messages
    context: Context,
    folder: Folder,
    mailbox: str,
    uidvalidity: int,
    uids: Sequence[int],
    rendered: Mapping[int, email.Rendered],
    flags: Mapping[int, Collection[str]],
) -> Mapping[int, email.Rendered]:
    """The messages with stubs for those that are there and were not shown, without those that have gone."""
    unread = [uid for uid in uids if uid not in rendered or rendered[uid].unread]
    if not unread:
        return rendered
    view = await context.mailboxes.view(mailbox)
    present = view.uids if view.uidvalidity == uidvalidity else NO_UIDS
    version = context.request.version
    shown = dict(rendered)
    for uid in unread:
        if uid not in present:
            shown.pop(uid, None)
        elif uid not in shown:
            marks = flags.get(uid, ())
            shown[uid] = email.not_given(uid, uidvalidity, version, collection=folder.id, flags=marks)
    return {uid: shown[uid] for uid in uids if uid in shown}
