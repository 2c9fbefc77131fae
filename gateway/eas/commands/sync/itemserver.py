"""One collection of items in a Sync, from what the device asks to what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.eas import storeditems
from gateway.eas.commands.base import Context
from gateway.eas.commands.sync.itemplan import ItemPlan, plan
from gateway.eas.commands.sync.itemreply import ItemCollection
from gateway.eas.commands.sync.request import SyncCollection
from gateway.eas.content.items import Scene
from gateway.eas.content.kinds import content_of, knows
from gateway.eas.itemoptions import ItemOptions, wanted
from gateway.eas.itemwindow import window_start
from gateway.errors import Kind, NotFound, Refused
from gateway.items import ItemFolder, ItemKind, ItemNumber
from gateway.sync import itemfolders
from gateway.sync.background import compute
from gateway.sync.guests import load_seen
from gateway.sync.itemexchange import ItemRequest
from gateway.sync.items import ItemSync
from gateway.sync.keys import KeyUse
from gateway.sync.recipients import ends_of
from wbxml import Element

__all__ = ["Served", "serve"]


@dataclass(frozen=True, slots=True)
class Served:
    """A collection that was served.

    Its element, if it has something to say, how much of the window it took, and whether mail is to be sent.
    """

    told: Element | None
    count: int = 0
    noticed: bool = False


async def serve(context: Context, asked: SyncCollection, left: int) -> Served:
    """Serve a collection of items; `left` is what the window holds. Raises `GatewayError`."""
    services, user = context.services, context.principal.user
    folder = await itemfolders.find(services.items, user, asked.id)
    if folder is None:
        raise NotFound("no such folder")
    if not knows(context.request.version, folder.kind):
        raise Refused(Kind.INVALID_XML, "a folder of a class that the version does not have")
    if folder.kind is ItemKind.RECIPIENTS and asked.commands:
        raise Refused(Kind.INVALID_XML, "commands for the recipient information cache")
    content, scene = content_of(folder.kind), storeditems.scene_of(context, folder)
    # Texts of megabytes, or thousands of people, are read for it.
    planned = await compute(plan, asked.commands, content, scene) if asked.commands else ItemPlan()
    engine = ItemSync(
        services.state,
        services.items,
        user=user,
        device=context.device.id,
        collection=folder.id,
        release=services.release,
        clock=services.clock,
    )
    ends = await ends_of(services.items, folder)
    outcome = await engine.run(_request(asked, planned, left, scene, ends))
    if outcome.noticed:
        services.notices.stored(folder.owner)
    if outcome.use is KeyUse.UNKNOWN:
        raise Refused(Kind.SYNC_STATE_NOT_FOUND, "unknown key")
    services.tally.replays += outcome.use is KeyUse.REPLAY
    if (outcome.silent and not planned.answered) or asked.wants_nothing:
        return Served(None)
    options = ItemOptions.unpack(outcome.options)
    items = [*outcome.told.changed, *outcome.told.added]
    shown = ItemCollection(
        asked,
        planned,
        outcome,
        content,
        scene,
        told=await storeditems.render(context, folder, items, options),
        fetched=await _fetched(context, folder, planned, options),
    )
    return Served(shown.element(), len(outcome.told), outcome.noticed)


def _request(
    asked: SyncCollection,
    planned: ItemPlan,
    left: int,
    scene: Scene,
    ends: Sequence[datetime],
) -> ItemRequest:
    return ItemRequest(
        key=asked.key,
        operations=list(planned.operations.values()),
        get_changes=asked.wants_changes and left > 0,
        limit=min(asked.window, max(left, 1)),
        answered=planned.answered,
        options=wanted(asked.blocks, asked.supported, content_of(scene.folder.kind), scene.version),
        since=lambda options: window_start(scene.folder, ItemOptions.unpack(options), scene.now, ends),
        policy=lambda options: ItemOptions.unpack(options).conflict,
        supported=lambda options: ItemOptions.unpack(options).supported,
    )


async def _fetched(
    context: Context, folder: ItemFolder, planned: ItemPlan, options: ItemOptions
) -> Mapping[ItemNumber, Sequence[Element]]:
    """The items that are to be fetched, whole, by number."""
    if not planned.fetches:
        return {}
    found = await load_seen(context.services.items, folder, set(planned.fetches.values()))
    whole = replace(options, body=options.body.whole())
    return await storeditems.render(context, folder, list(found.values()), whole)
