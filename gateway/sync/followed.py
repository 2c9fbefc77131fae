"""Annotations of messages that went elsewhere without us: another program moved them, or UIDVALIDITY changed.

A message that is new where it is, and like one with annotations that is gone from where it was, is the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import NotFound, UpstreamRefused
from gateway.ports import Mailboxes, State
from gateway.sync.annotations import LIKENESS, Values, likeness
from gateway.sync.moves import Place
from gateway.sync.verbs import FindFolder
from gateway.types import MessageData, UserId

__all__ = ["known"]

_MOST = 50
"""Messages that are recognised at once; what the others had stays behind."""


async def known(  # noqa: PLR0917 - bound to a place, and then called with messages
    state: State,
    user: UserId,
    mailboxes: Mailboxes,
    place: Place,
    uidvalidity: int,
    find: FindFolder,
    messages: Mapping[int, MessageData],
) -> Mapping[int, Values]:
    """What is known of messages of a mailbox, those that came from elsewhere among them.

    Raises `UpstreamError`.
    """
    if not await state.has_annotations(user):
        return {}
    found = await state.load_annotations(user, place.collection, uidvalidity, messages)
    alike = {
        name: uid for uid, message in messages.items() if uid not in found and (name := likeness(message))
    }
    if not alike:
        return found
    elsewhere = await state.find_annotated(user, LIKENESS, alike)
    came: list[int] = []
    for name, (collection, validity, uid) in list(elsewhere.items())[:_MOST]:
        if await _is_gone(mailboxes, await find(collection), validity, uid):
            source, target = (collection, validity), (place.collection, uidvalidity)
            await state.move_annotations(user, source, target, {uid: alike[name]})
            came.append(alike[name])
    if not came:
        return found
    return {**found, **await state.load_annotations(user, place.collection, uidvalidity, came)}


async def _is_gone(mailboxes: Mailboxes, mailbox: str | None, uidvalidity: int, uid: int) -> bool:
    if mailbox is None:
        return True
    try:
        view = await mailboxes.view(mailbox, exact=(uid,))
    except NotFound:
        return True
    except UpstreamRefused:
        return False
    return view.uidvalidity != uidvalidity or uid not in view.uids
